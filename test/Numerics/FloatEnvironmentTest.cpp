//===- FloatEnvironmentTest.cpp - a caller's MXCSR changes no bit ---------===//
//
// A host may run with subnormals flushed to zero (FTZ, DAZ), as PyTorch and OpenMP
// programs do, or round another way. The results must not follow, and the caller must
// find its mode as it left it.
//
//===----------------------------------------------------------------------===//

#include "mortar/InitAll.h"
#include "mortar/Pipelines/Compiler.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include <cstring>
#include <immintrin.h>

namespace rt = mortar::runtime;

static constexpr int64_t length = 100;

/// What is read is subnormal, and so are the mean, epsilon and half of the results.
static const char *const program = R"(
func.func @norm(%x: tensor<?x100xf32>, %w: tensor<100xf32>) -> tensor<?x100xf32> {
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-45)
    : (tensor<?x100xf32>, tensor<100xf32>) -> tensor<?x100xf32>
  return %y : tensor<?x100xf32>
}
func.func @sum(%x: tensor<?x100xf32>, %w: tensor<?x100xf32>) -> tensor<?x100xf32> {
  %y = mortar.residual_add %x, %w
    : (tensor<?x100xf32>, tensor<?x100xf32>) -> tensor<?x100xf32>
  return %y : tensor<?x100xf32>
}
func.func @never(%x: tensor<?x100xf32>, %w: tensor<?x100xf32>, %v: tensor<?x100xf32>) -> tensor<?x100xf32> {
  %s = mortar.residual_add %x, %w
    : (tensor<?x100xf32>, tensor<?x100xf32>) -> tensor<?x100xf32>
  %y = mortar.residual_add %s, %v
    : (tensor<?x100xf32>, tensor<?x100xf32>) -> tensor<?x100xf32>
  return %y : tensor<?x100xf32>
}
)";

namespace {
class FloatEnvironment : public testing::Test {
protected:
  void SetUp() override {
    mlir::DialectRegistry registry;
    mortar::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(program, &context);
    ASSERT_TRUE(module);
    mortar::CompileOptions options;
    options.target = "host";
    auto compiled = mortar::compileForCPU(*module, options);
    ASSERT_TRUE(succeeded(compiled));
    code = std::move(compiled->code);
    for (int i = 0; i < 2 * length; ++i) {
      x.push_back((i % 7 - 3) * 0x1p-130f);
      w.push_back((i % 5 + 1) * (i % 2 ? 0x1.8p-128f : 0x1.555556p-73f));
    }
  }
  void TearDown() override { _mm_setcsr(before); }

  /// The result's bits, under this MXCSR.
  std::vector<uint32_t> run(const char *name, unsigned mode, int64_t secondRows = 2) {
    size_t number = 0;
    while (code.entries()[number].name != name)
      ++number;
    const rt::Entry &entry = code.entries()[number];
    std::vector<float> result(2 * length);
    const int64_t rows[] = {2, length}, second[] = {secondRows, length};
    const int64_t column[] = {length};
    std::vector<rt::TensorArg> args(entry.args.size());
    for (size_t i = 0; i < args.size(); ++i) {
      bool isColumn = entry.args[i].shape.size() == 1;
      args[i].data = i == 0 ? x.data() : i + 1 < args.size() ? w.data() : result.data();
      args[i].shape = isColumn ? column : i == 1 ? second : rows;
      args[i].rank = isColumn ? 1 : 2;
    }
    _mm_setcsr(mode);
    status = code.run(number, args);
    after = _mm_getcsr();
    _mm_setcsr(before);
    std::vector<uint32_t> bits(2 * length);
    std::memcpy(bits.data(), result.data(), bits.size() * sizeof(uint32_t));
    return bits;
  }

  /// What a caller sets: rounding, flushing, masks. The flags below say what happened.
  static constexpr unsigned settings = ~_MM_EXCEPT_MASK;
  static constexpr unsigned standard = 0x1f80;
  static constexpr unsigned flushing = standard | _MM_FLUSH_ZERO_ON | 0x40 /* DAZ */;
  static constexpr unsigned upwards = standard | _MM_ROUND_UP;

  mlir::MLIRContext context;
  mortar::HostCode code;
  std::vector<float> x, w;
  rt::Status status;
  unsigned before = _mm_getcsr(), after = 0;
};
} // namespace

TEST_F(FloatEnvironment, SameBitsWhateverTheCallerSet) {
  for (const char *name : {"norm", "sum"}) {
    std::vector<uint32_t> expected = run(name, standard);
    ASSERT_TRUE(status.ok()) << status.message();
    // Otherwise flushing would have nothing to change.
    EXPECT_TRUE(llvm::any_of(expected, [](uint32_t bits) {
      return bits & 0x7fffff && !(bits & 0x7f800000);
    })) << name;
    EXPECT_EQ(run(name, flushing), expected) << name;
    EXPECT_EQ(run(name, upwards), expected) << name;
  }
}

TEST_F(FloatEnvironment, CallersModeStays) {
  for (unsigned mode : {standard, flushing, upwards})
    for (const char *name : {"norm", "sum"}) {
      run(name, mode);
      EXPECT_EQ(after & settings, mode & settings) << name;
    }
}

TEST_F(FloatEnvironment, CallersModeStaysWhenACheckFails) {
  for (unsigned mode : {standard, flushing, upwards}) {
    run("never", mode, /*secondRows=*/1);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(after & settings, mode & settings);
  }
}
