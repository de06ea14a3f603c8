//===- pinned-math-mlir.cpp - The compiled pinned math, bit for bit -------===//
//
// Builds two functions for each sequence of PinnedMath.h, a loop over f32 and one over
// vector<8xf32>, compiles them as Mortar compiles for a CPU and compares every result
// with its C twin in pinned-math-twins.c, any NaN equal to any other.
//
//   pinned-math-mlir [--stride N] [--target CPU] [--print]     --stride 1 is the
//   exhaustive run; --print shows the module instead
//
//===----------------------------------------------------------------------===//

#include "float-bits.h"
#include "pinned-math.h"

#include "mortar/InitAll.h"
#include "mortar/Pipelines/Pipelines.h"
#include "mortar/Target/HostCode.h"
#include "mortar/Transforms/PinnedMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cmath>
#include <cstring>
#include <map>
#include <random>

using namespace mlir;
namespace rt = mortar::runtime;

static Value buildSoftplus20(ImplicitLocOpBuilder &b, Value x) {
  return mortar::buildSoftplus(b, x, 20.0f);
}

using Build = Value (*)(ImplicitLocOpBuilder &, Value);
static const std::map<std::string, Build> builders = {
    {"exp", mortar::buildExp},    {"sigmoid", mortar::buildSigmoid},
    {"silu", mortar::buildSilu},  {"tanh", mortar::buildTanh},
    {"erf", mortar::buildErf},    {"log1p", mortar::buildLog1p},
    {"softplus", buildSoftplus20}};

/// Arguments compared at a time, a multiple of all vector widths.
static constexpr int64_t batch = 4096;

/// func @name(%x, %y: memref<4096xf32>) of one loop, `width` elements a turn.
static void buildFunction(ModuleOp module, const std::string &name, Build build,
                          int64_t width) {
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  auto type = MemRefType::get({batch}, b.getF32Type());
  auto function = func::FuncOp::create(b, name, b.getFunctionType({type, type}, {}));
  b.setInsertionPointToStart(function.addEntryBlock());
  Value from = arith::ConstantIndexOp::create(b, 0);
  Value to = arith::ConstantIndexOp::create(b, batch);
  Value step = arith::ConstantIndexOp::create(b, width);
  auto loop = scf::ForOp::create(b, from, to, step);
  func::ReturnOp::create(b);
  b.setInsertionPointToStart(loop.getBody());
  Value x = function.getArgument(0), y = function.getArgument(1);
  Value at = loop.getInductionVar();
  if (width == 1) {
    Value value = memref::LoadOp::create(b, x, at);
    memref::StoreOp::create(b, build(b, value), y, at);
  } else {
    auto lanes = VectorType::get({width}, b.getF32Type());
    Value value = vector::LoadOp::create(b, lanes, x, at);
    vector::StoreOp::create(b, build(b, value), y, at);
  }
}

static FailureOr<mortar::HostCode> compile(MLIRContext &context, StringRef target,
                                           bool print) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  std::vector<rt::Entry> entries;
  for (auto &[name, build] : builders)
    for (int64_t width : {1, 8}) {
      rt::Entry entry;
      entry.name = name + "_" + std::to_string(width);
      buildFunction(*module, entry.name, build, width);
      entry.args = {{"x", rt::ElementType::F32, {batch}, rt::Argument::Input, false},
                    {"y", rt::ElementType::F32, {batch}, rt::Argument::Output, false}};
      entries.push_back(entry);
    }
  if (print)
    module->print(llvm::outs());
  PassManager passes(&context);
  mortar::buildToLLVMPipeline(passes);
  if (failed(passes.run(*module)))
    return failure();
  return mortar::HostCode::compile(*module, target, std::move(entries));
}

static bool sameBits(float x, float y) {
  return bitsOf(x) == bitsOf(y) || (std::isnan(x) && std::isnan(y));
}

namespace {
/// Collects arguments and compares a batch of them when it is full.
class Comparison {
public:
  Comparison(const PinnedFunction &twin, mortar::HostCode &code)
      : twin(twin), code(code) {}

  bool feed(uint32_t bits) {
    std::memcpy(&x[filled], &bits, sizeof bits);
    ++count;
    filled = (filled + 1) % batch;
    return filled != 0 || compare();
  }
  bool finish() {
    while (filled != 0)
      if (!feed(0x7fc00000))
        return false;
    std::printf("%-9s %llu arguments, same bits\n", twin.name, count);
    return true;
  }

private:
  bool compare();

  const PinnedFunction &twin;
  mortar::HostCode &code;
  float x[batch];
  int64_t filled = 0;
  unsigned long long count = 0;
};
} // namespace

bool Comparison::compare() {
  float expected[batch], found[batch];
  twin.onArray(x, expected, batch);
  const int64_t shape[] = {batch};
  for (size_t number = 0; number < code.entries().size(); ++number) {
    const std::string &name = code.entries()[number].name;
    if (name.substr(0, name.find('_')) != twin.name)
      continue;
    rt::TensorArg args[2];
    for (rt::TensorArg &arg : args) {
      arg.data = &arg == args ? x : found;
      arg.shape = shape;
      arg.rank = 1;
      arg.type = rt::ElementType::F32;
    }
    if (auto status = code.run(number, args); !status.ok()) {
      std::printf("%s: %s\n", name.c_str(), status.message().c_str());
      return false;
    }
    for (int64_t i = 0; i < batch; ++i)
      if (!sameBits(found[i], expected[i])) {
        std::printf("%s(%a): expected %a, found %a\n", name.c_str(), x[i], expected[i],
                    found[i]);
        return false;
      }
  }
  return true;
}

/// Takes every stride-th f32, then bit patterns at random, then everything near the ends
/// of f32's binades.
static bool compareAll(const PinnedFunction &twin, mortar::HostCode &code,
                       uint64_t stride) {
  Comparison comparison(twin, code);
  for (uint64_t bits = 0; bits < uint64_t(1) << 32; bits += stride)
    if (!comparison.feed(bits))
      return false;
  std::mt19937 random(1);
  for (int i = 0; i < 1 << 21; ++i)
    if (!comparison.feed(random()))
      return false;
  for (uint32_t binade = 0; binade < 512; ++binade)
    for (int32_t offset = -64; offset < 64; ++offset)
      if (!comparison.feed((binade << 23) + offset))
        return false;
  for (int i = 0; i < twin.specialCount; ++i)
    if (!comparison.feed(bitsOf(twin.specials[i].x)))
      return false;
  return comparison.finish();
}

int main(int argc, char **argv) {
  uint64_t stride = 1009;
  bool print = false;
  StringRef target = "host";
  for (int i = 1; i < argc; ++i) {
    StringRef option = argv[i];
    if (option == "--stride" && i + 1 < argc)
      stride = std::max<uint64_t>(1, std::strtoull(argv[++i], nullptr, 10));
    else if (option == "--target" && i + 1 < argc)
      target = argv[++i];
    print |= option == "--print";
  }
  DialectRegistry registry;
  mortar::registerAllDialects(registry);
  MLIRContext context(registry);
  context.loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect,
                      memref::MemRefDialect, scf::SCFDialect, vector::VectorDialect>();
  auto code = compile(context, target, print);
  if (failed(code))
    return 1;
  if (print)
    return 0;
  bool same = true;
  for (int i = 0; i < pinnedFunctionCount; ++i)
    same &= compareAll(pinnedFunctions[i], *code, stride);
  return same ? 0 : 1;
}
