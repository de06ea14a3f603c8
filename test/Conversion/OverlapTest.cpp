//===- OverlapTest.cpp - which buffers a caller may pass ------------------===//
//
// The checks of a launch on addresses and strides alone: nothing is read or written.
//
//===----------------------------------------------------------------------===//

#include "mortar/InitAll.h"
#include "mortar/Pipelines/Compiler.h"
#include "mortar/Runtime/Executable.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mortar;
using runtime::ElementType;

namespace {

/// A buffer of f32 that begins `at` so many elements behind some address.
struct Buffer {
  int64_t at;
  std::vector<int64_t> shape, strides;
};

constexpr int64_t farAway = 1 << 20;

class Overlap : public ::testing::Test {
protected:
  Overlap() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
  }

  void compile(const char *text) {
    auto module = parseSourceString<ModuleOp>(text, &context);
    auto program = lowerForGPU(*module, {});
    ASSERT_TRUE(succeeded(program));
    artifact = std::move(program->artifact);
  }

  /// What a launch with these arguments says, "" if nothing.
  std::string check(const std::vector<Buffer> &buffers) {
    std::vector<runtime::TensorArg> args;
    for (const auto &[buffer, declared] :
         llvm::zip_equal(buffers, artifact.entries[0].args)) {
      runtime::TensorArg arg;
      arg.data = reinterpret_cast<void *>(0x100000 + buffer.at *
                                          runtime::elementTypeBytes(declared.type));
      arg.shape = buffer.shape.data();
      arg.strides = buffer.strides.data();
      arg.rank = buffer.shape.size();
      arg.type = declared.type;
      args.push_back(arg);
    }
    return runtime::workspaceBytes(artifact, 0, args).message();
  }

  MLIRContext context;
  runtime::Artifact artifact;
};

//===----------------------------------------------------------------------===//
// Two operands
//===----------------------------------------------------------------------===//

std::string share(int argument) {
  return "entry 'f': expected argument " + std::to_string(argument) +
         " to share no memory with argument 0, or all of it with the same strides, but "
         "they overlap";
}

TEST_F(Overlap, Rows) {
  compile(R"(
func.func @f(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
})");
  auto at = [](int64_t place, int64_t stride, int64_t rows = 5) {
    return Buffer{place, {rows, 64}, {stride, 1}};
  };
  // All of it, or nothing.
  EXPECT_EQ(check({at(0, 64), at(0, 64)}), "");
  EXPECT_EQ(check({at(0, 64), at(5 * 64, 64)}), "");
  EXPECT_EQ(check({at(5 * 64, 64), at(0, 64)}), "");
  EXPECT_EQ(check({at(0, 64), at(5 * 64 - 1, 64)}), share(1));
  EXPECT_EQ(check({at(0, 64), at(64, 64)}), share(1));
  EXPECT_EQ(check({at(0, 128), at(0, 192)}), share(1));
  // Behind the last row's end there is nothing, though a stride isn't over.
  EXPECT_EQ(check({at(0, 1000), at(4 * 1000 + 64, 64)}), "");
  // Column ranges of one matrix.
  EXPECT_EQ(check({at(0, 128), at(64, 128)}), "");
  EXPECT_EQ(check({at(64, 128), at(0, 128)}), "");
  EXPECT_EQ(check({at(0, 128), at(63, 128)}), share(1));
  EXPECT_EQ(check({at(0, 127), at(64, 127)}), share(1));
  EXPECT_EQ(check({at(0, 128), at(64, 192)}), share(1));
  // One row has no stride that matters; no rows share nothing.
  EXPECT_EQ(check({at(0, 7, 1), at(0, 3, 1)}), "");
  EXPECT_EQ(check({at(0, 7, 0), at(1, 3, 0)}), "");
}

TEST_F(Overlap, RowsInTwoDimensions) {
  compile(R"(
func.func @f(%x: tensor<?x4x64xf32>) -> tensor<?x4x64xf32> {
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x4x64xf32>) -> tensor<?x4x64xf32>
  return %y : tensor<?x4x64xf32>
})");
  auto at = [](int64_t place, int64_t outer, int64_t row) {
    return Buffer{place, {3, 4, 64}, {outer, row, 1}};
  };
  // Unevenly spaced, and yet at the same places.
  EXPECT_EQ(check({at(0, 1000, 64), at(0, 1000, 64)}), "");
  EXPECT_EQ(check({at(0, 1000, 64), at(0, 1001, 64)}), share(1));
  EXPECT_EQ(check({at(0, 1000, 64), at(0, 1000, 65)}), share(1));
  // Columns of one matrix are so only for rows at one distance.
  EXPECT_EQ(check({at(0, 512, 128), at(64, 512, 128)}), "");
  EXPECT_EQ(check({at(0, 520, 128), at(64, 520, 128)}), share(1));
  EXPECT_EQ(check({at(0, 512, 128), at(64, 520, 128)}), share(1));
}

TEST_F(Overlap, RowsOfOtherRank) {
  compile(R"(
func.func @f(%x: tensor<?x4x64xf32>) -> tensor<?x64xf32> {
  %c = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x4x64xf32> into tensor<?x64xf32>
  %y = mortar.rms_norm %c epsilon(1.0e-6) : (tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
})");
  auto x = [](int64_t outer, int64_t row) {
    return Buffer{0, {3, 4, 64}, {outer, row, 1}};
  };
  Buffer dense{0, {12, 64}, {64, 1}}, between{64, {12, 64}, {128, 1}};
  EXPECT_EQ(check({x(256, 64), dense}), "");
  EXPECT_EQ(check({x(260, 64), dense}), share(1));
  EXPECT_EQ(check({x(260, 65), dense}), share(1));
  EXPECT_EQ(check({x(512, 128), between}), "");
  EXPECT_EQ(check({x(600, 128), between}), share(1));
}

TEST_F(Overlap, Heads) {
  compile(R"(
func.func @f(%x: tensor<?x4x64xf32>, %r: tensor<?x256xf32>) -> tensor<?x4x64xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %r, %c0 : tensor<?x256xf32>
  %c = tensor.collapse_shape %x [[0], [1, 2]] : tensor<?x4x64xf32> into tensor<?x256xf32>
  %s = mortar.residual_add %c, %r : (tensor<?x256xf32>, tensor<?x256xf32>) -> tensor<?x256xf32>
  %q = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<?x256xf32>) -> tensor<?x256xf32>
  %h = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 4, 64] : tensor<?x256xf32> into tensor<?x4x64xf32>
  %y = mortar.rms_norm %h epsilon(1.0e-6) : (tensor<?x4x64xf32>) -> tensor<?x4x64xf32>
  return %y : tensor<?x4x64xf32>
})");
  ASSERT_EQ(artifact.kernels[0].name.find("residual_add_rms_norm"), 0u);
  auto at = [](int64_t row, int64_t head) {
    return Buffer{0, {3, 4, 64}, {row, head, 1}};
  };
  Buffer r{farAway, {3, 256}, {256, 1}};
  EXPECT_EQ(check({at(1000, 64), r, at(1000, 64)}), "");
  EXPECT_EQ(check({at(1000, 64), r, at(1000, 65)}), share(2));
  EXPECT_EQ(check({at(1000, 64), r, at(1001, 64)}), share(2));
}

//===----------------------------------------------------------------------===//
// A destination's own elements
//===----------------------------------------------------------------------===//

std::string meet(int argument) {
  return "entry 'f': expected the elements of argument " + std::to_string(argument) +
         " to lie apart, but by its strides some share memory";
}

TEST_F(Overlap, RowsOfOneDestination) {
  compile(R"(
func.func @f(%x: tensor<?x4x64xf32>) -> tensor<?x4x64xf32> {
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x4x64xf32>) -> tensor<?x4x64xf32>
  return %y : tensor<?x4x64xf32>
})");
  Buffer x{farAway, {3, 4, 64}, {0, 0, 1}}; // which may be one row, again and again
  auto y = [](int64_t outer, int64_t row, int64_t matrices = 3) {
    return Buffer{0, {matrices, 4, 64}, {outer, row, 1}};
  };
  EXPECT_EQ(check({x, y(256, 64)}), "");
  EXPECT_EQ(check({x, y(64, 3 * 64)}), ""); // transposed
  EXPECT_EQ(check({x, y(256, 63)}), meet(1));
  EXPECT_EQ(check({x, y(255, 64)}), meet(1));
  EXPECT_EQ(check({x, y(64, 3 * 64 - 1)}), meet(1));
  EXPECT_EQ(check({x, y(256, 0)}), meet(1));
  EXPECT_EQ(check({x, y(0, 64)}), meet(1));
  x.shape[0] = 1;
  EXPECT_EQ(check({x, y(0, 64, 1)}), "");
  x.shape[0] = 0;
  EXPECT_EQ(check({x, y(0, 0, 0)}), "");
}

TEST_F(Overlap, ScalesOfGroups) {
  compile(R"(
func.func @f(%x: tensor<?x256xf32>) -> (tensor<?x256xi8>, tensor<?x4xf32>) {
  %q, %s = mortar.quantize_dynamic %x group_size(64)
    : (tensor<?x256xf32>) -> (tensor<?x256xi8>, tensor<?x4xf32>)
  return %q, %s : tensor<?x256xi8>, tensor<?x4xf32>
})");
  auto scales = [&](int64_t row, int64_t group, int64_t rows = 5) {
    return check({{farAway, {rows, 256}, {256, 1}},
                  {0, {rows, 256}, {256, 1}},
                  {farAway / 4, {rows, 4}, {row, group}}});
  };
  EXPECT_EQ(scales(4, 1), "");
  EXPECT_EQ(scales(1, 5), "");
  EXPECT_EQ(scales(1, 8), "");  // padded columns
  EXPECT_EQ(scales(2, 10), ""); // every other one
  EXPECT_EQ(scales(8, 2), "");
  EXPECT_EQ(scales(1, 4), meet(2));
  EXPECT_EQ(scales(1, 1), meet(2));
  EXPECT_EQ(scales(3, 1), meet(2));
  EXPECT_EQ(scales(0, 1), meet(2));
  EXPECT_EQ(scales(1, 0), meet(2));
  EXPECT_EQ(scales(0, 0), meet(2));
  EXPECT_EQ(scales(0, 1, 1), "");
  EXPECT_EQ(scales(1, 1, 1), "");
  EXPECT_EQ(scales(1, 0, 1), meet(2));
  EXPECT_EQ(scales(1, 0, 0), "");
}

/// Scales by column reach from the first to the last of all rows.
TEST_F(Overlap, ScalesAndRows) {
  compile(R"(
func.func @f(%x: tensor<?x256xf32>) -> (tensor<?x256xi8>, tensor<?x4xf32>) {
  %q, %s = mortar.quantize_dynamic %x group_size(64)
    : (tensor<?x256xf32>) -> (tensor<?x256xi8>, tensor<?x4xf32>)
  return %q, %s : tensor<?x256xi8>, tensor<?x4xf32>
})");
  auto behindScales = [&](int64_t place) {
    return check({{place, {5, 256}, {256, 1}},
                  {farAway, {5, 256}, {256, 1}},
                  {0, {5, 4}, {1, 100}}});
  };
  EXPECT_EQ(behindScales(3 * 100 + 5), "");
  EXPECT_EQ(behindScales(3 * 100 + 4),
            "entry 'f': expected argument 2 to share no memory with argument 0, but they "
            "overlap");
}

TEST_F(Overlap, ScalesBesideScales) {
  compile(R"(
func.func @f(%q: tensor<?x256xf8E4M3FN>, %s: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %q, %c0 : tensor<?x256xf8E4M3FN>
  %e = tensor.empty(%rows) : tensor<?x4xf32>
  %y = mortar.fused ins(%a = row %q, %g = group_scalar %s : tensor<?x256xf8E4M3FN>, tensor<?x4xf32>)
                    outs(group_scalar %e : tensor<?x4xf32>) {
    %f = arith.extf %a : vector<256xf8E4M3FN> to vector<256xf32>
    %b = mortar.row_broadcast %g : vector<4xf32> -> vector<256xf32>
    %p = arith.mulf %f, %b : vector<256xf32>
    %m = mortar.row_reduce <max> %p : vector<256xf32> -> vector<4xf32>
    mortar.yield %m : vector<4xf32>
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
})");
  auto at = [](int64_t place, int64_t row, int64_t group) {
    return Buffer{place, {5, 4}, {row, group}};
  };
  Buffer q{8 * farAway, {5, 256}, {256, 1}};
  // Not even exactly: other threads read what one writes.
  const char *overlap = "entry 'f': expected argument 2 to share no memory with argument "
                        "1, but they overlap";
  EXPECT_EQ(check({q, at(0, 4, 1), at(0, 4, 1)}), overlap);
  EXPECT_EQ(check({q, at(0, 4, 1), at(20, 1, 5)}), "");
  EXPECT_EQ(check({q, at(0, 8, 1), at(4, 8, 1)}), "");
  EXPECT_EQ(check({q, at(0, 16, 2), at(8, 16, 2)}), overlap);
  EXPECT_EQ(check({q, at(0, 1, 10), at(5, 1, 10)}), overlap);
}

/// The same checks stand in code for a CPU.
TEST_F(Overlap, OnACPU) {
  auto module = parseSourceString<ModuleOp>(R"(
func.func @f(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
})",
                                           &context);
  CompileOptions options;
  options.target = "host";
  auto program = compileForCPU(*module, options);
  ASSERT_TRUE(succeeded(program));
  std::vector<float> memory(4 * 64);
  int64_t shape[] = {2, 64}, dense[] = {64, 1}, one[] = {0, 1}, columns[] = {1, 2};
  auto run = [&](size_t at, const int64_t *strides) {
    runtime::TensorArg x{memory.data(), shape, dense, 2, ElementType::F32};
    runtime::TensorArg y{memory.data() + at, shape, strides, 2, ElementType::F32};
    return program->code.run(0, std::vector<runtime::TensorArg>{x, y}).message();
  };
  EXPECT_EQ(run(0, dense), "");
  EXPECT_EQ(run(128, dense), "");
  EXPECT_EQ(run(64, dense),
            "entry 'f': expected argument 1 to share no memory with argument 0, or all of it "
            "with the same strides, but they overlap");
  EXPECT_EQ(run(128, one), "entry 'f': expected the elements of argument 1 to lie apart, "
                           "but by its strides some share memory");
  EXPECT_EQ(run(128, columns), "entry 'f', argument 1 ('argument 1'): expected the last "
                               "dimension to have stride 1, found 2");
}

} // namespace
