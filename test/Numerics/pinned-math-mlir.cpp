//===- pinned-math-mlir.cpp - The compiled pinned math, bit for bit -------===//
//
// Builds one function for each sequence of PinnedMath.h, on f32 and on
// vector<8xf32>, compiles them for this machine and compares every result with
// its C twin in pinned-math-twins.c, any NaN equal to any other.
//
//   pinned-math-mlir [--stride N] [--print]       --stride 1 is the exhaustive
//   run; --print shows the module instead
//
//===----------------------------------------------------------------------===//

#include "pinned-math.h"

#include "mortar/Transforms/PinnedMath.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/TargetSelect.h"

#include <cmath>
#include <cstring>
#include <map>
#include <random>

using namespace mlir;

typedef float Lanes __attribute__((vector_size(32)));

static Value buildSoftplus20(ImplicitLocOpBuilder &b, Value x) {
  return mortar::buildSoftplus(b, x, 20.0f);
}

using Build = Value (*)(ImplicitLocOpBuilder &, Value);
static const std::map<std::string, Build> builders = {
    {"exp", mortar::buildExp},    {"sigmoid", mortar::buildSigmoid},
    {"silu", mortar::buildSilu},  {"tanh", mortar::buildTanh},
    {"erf", mortar::buildErf},    {"log1p", mortar::buildLog1p},
    {"softplus", buildSoftplus20}};

static void buildFunction(ModuleOp module, StringRef name, Build build,
                          Type type) {
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(type, type));
  b.setInsertionPointToStart(function.addEntryBlock());
  func::ReturnOp::create(b, build(b, function.getArgument(0)));
}

static OwningOpRef<ModuleOp> buildModule(MLIRContext &context) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  Type f32 = Float32Type::get(&context);
  for (auto &[name, build] : builders) {
    buildFunction(*module, name + "_f32", build, f32);
    buildFunction(*module, name + "_8xf32", build, VectorType::get({8}, f32));
  }
  return module;
}

static uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

static bool sameBits(float x, float y) {
  return bitsOf(x) == bitsOf(y) || (std::isnan(x) && std::isnan(y));
}

/// Compares eight arguments; true when all of them agree.
static bool compare(const PinnedFunction &twin, Lanes (*vector)(Lanes),
                    float (*scalar)(float), Lanes x) {
  float arguments[8], expected[8];
  std::memcpy(arguments, &x, sizeof arguments);
  twin.onArray(arguments, expected, 8);
  Lanes y = vector(x);
  for (int i = 0; i < 8; ++i) {
    float single = scalar(x[i]);
    if (sameBits(y[i], expected[i]) && sameBits(single, expected[i]))
      continue;
    std::printf("%s(%a): expected %a, found %a on vector<8xf32>, %a on f32\n",
                twin.name, x[i], expected[i], y[i], single);
    return false;
  }
  return true;
}

/// Takes every stride-th f32, then bit patterns at random, then everything near
/// the ends of f32's binades.
static bool compareAll(const PinnedFunction &twin, Lanes (*vector)(Lanes),
                       float (*scalar)(float), uint64_t stride) {
  Lanes x{};
  int filled = 0;
  uint64_t count = 0;
  auto feed = [&](uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    x[filled] = value;
    filled = (filled + 1) % 8;
    ++count;
    return filled != 0 || compare(twin, vector, scalar, x);
  };
  for (uint64_t bits = 0; bits < uint64_t(1) << 32; bits += stride)
    if (!feed(bits))
      return false;
  std::mt19937 random(1);
  for (int i = 0; i < 1 << 21; ++i)
    if (!feed(random()))
      return false;
  for (uint32_t binade = 0; binade < 512; ++binade)
    for (int32_t offset = -64; offset < 64; ++offset)
      if (!feed((binade << 23) + offset))
        return false;
  for (int i = 0; i < twin.specialCount; ++i)
    if (!feed(bitsOf(twin.specials[i].x)))
      return false;
  while (filled != 0)
    if (!feed(0x7fc00000))
      return false;
  std::printf("%-9s %llu arguments, same bits\n", twin.name,
              static_cast<unsigned long long>(count));
  return true;
}

int main(int argc, char **argv) {
  uint64_t stride = 1009;
  bool print = false;
  for (int i = 1; i < argc; ++i) {
    if (StringRef(argv[i]) == "--stride" && i + 1 < argc)
      stride = std::strtoull(argv[++i], nullptr, 10);
    print |= StringRef(argv[i]) == "--print";
  }

  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  MLIRContext context(registry);
  context.loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect,
                      vector::VectorDialect>();

  OwningOpRef<ModuleOp> module = buildModule(context);
  if (print) {
    module->print(llvm::outs());
    return 0;
  }
  PassManager passes(&context);
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  if (failed(passes.run(*module)))
    return 1;

  // The host's own features, AVX-512 among them where it has it: that the code
  // changes and the bits don't is the point.
  auto host = llvm::cantFail(llvm::orc::JITTargetMachineBuilder::detectHost());
  auto machine = llvm::cantFail(host.createTargetMachine());
  ExecutionEngineOptions options;
  auto optimize =
      makeOptimizingTransformer(/*optLevel=*/3, /*sizeLevel=*/0, machine.get());
  options.transformer = optimize;
  auto engine = llvm::cantFail(
      ExecutionEngine::create(*module, options, std::move(machine)));

  bool same = true;
  for (int i = 0; i < pinnedFunctionCount; ++i) {
    std::string name = pinnedFunctions[i].name;
    auto *vector = reinterpret_cast<Lanes (*)(Lanes)>(
        llvm::cantFail(engine->lookup(name + "_8xf32")));
    auto *scalar = reinterpret_cast<float (*)(float)>(
        llvm::cantFail(engine->lookup(name + "_f32")));
    same &= compareAll(pinnedFunctions[i], vector, scalar, stride);
  }
  return same ? 0 : 1;
}
