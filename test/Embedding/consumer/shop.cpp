// Compiles a program of Mortar's ops and one of its own, once in a pass manager and once
// into code for this CPU, and looks at kernels and numbers.
#include "Shop.h"

#include "mortar/InitAll.h"
#include "mortar/Pipelines/Compiler.h"
#include "mortar/Pipelines/Pipelines.h"

#include "mlir/Parser/Parser.h"

#include <cmath>
#include <cstring>

using namespace mlir;
namespace rt = mortar::runtime;

static constexpr const char *program = R"mlir(
func.func @layer(%x: tensor<?x64xbf16>, %r: tensor<?x64xbf16>, %w: tensor<64xbf16>)
    -> (tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %s = mortar.residual_add %x, %r
    : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %a = shop.squared_relu %s : tensor<?x64xbf16>
  %n = mortar.rms_norm %a weight(%w) epsilon(1.0e-6)
    : (tensor<?x64xbf16>, tensor<64xbf16>) -> tensor<?x64xbf16>
  return %s, %a, %n : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<?x64xbf16>
}
)mlir";
static constexpr int64_t rows = 5, columns = 64;

template <typename... Parts> static int fail(const Parts &...parts) {
  ((llvm::errs() << "shop: ") << ... << parts) << "\n";
  return 1;
}

static float widen(uint16_t bits) {
  uint32_t word = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}
static uint16_t round(float value) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  return uint16_t((word + 0x7fff + (word >> 16 & 1)) >> 16); // no NaN here
}

/// Compiles for this CPU and runs on the same inputs.
static FailureOr<std::vector<std::vector<uint16_t>>> run(MLIRContext &context,
                                                         bool fuse) {
  auto module = parseSourceString<ModuleOp>(program, &context);
  mortar::CompileOptions options;
  options.target = "host";
  options.fuse = fuse;
  auto compiled = mortar::compileForCPU(*module, options);
  if (failed(compiled))
    return failure();
  if (compiled->summary.countKernels() != (fuse ? 1 : 3))
    return module->emitError() << "found " << compiled->summary.countKernels()
                               << " kernels";
  // x, r, w, then the results.
  std::vector<std::vector<uint16_t>> values(6, std::vector<uint16_t>(rows * columns));
  values[2].resize(columns);
  for (int input = 0; input < 3; ++input)
    for (size_t i = 0; i < values[input].size(); ++i)
      values[input][i] = round(0.25f * float(int(i * 7 + input * 3) % 23 - 11));
  int64_t matrix[] = {rows, columns}, row[] = {columns};
  std::vector<rt::TensorArg> args;
  for (auto [i, buffer] : llvm::enumerate(values))
    args.push_back({buffer.data(), i == 2 ? row : matrix, nullptr, i == 2 ? 1u : 2u,
                    rt::ElementType::BF16});
  if (auto status = compiled->code.run(0, args); !status.ok())
    return module->emitError(status.message());
  return values;
}

int main() {
  DialectRegistry registry;
  mortar::registerAllDialects(registry);
  shop::registerMortarModels(registry);
  MLIRContext context(registry);

  // One call adds Mortar to a pass manager.
  auto module = parseSourceString<ModuleOp>(program, &context);
  PassManager pm(&context);
  mortar::buildFusePipeline(pm, {});
  if (!module || failed(pm.run(*module)))
    return fail("the program did not fuse");
  int kernels = 0, joined = 0;
  module->walk([&](mortar::FusedOp) { ++kernels; });
  module->walk([&](shop::SquaredReluOp op) {
    joined += bool(op->getParentOfType<mortar::FusedOp>());
  });
  if (kernels != 1 || joined != 1)
    return fail("expected one kernel with the foreign op in it, found ", kernels,
                " kernels, with it in ", joined);

  // The whole way is one call, too.
  module = parseSourceString<ModuleOp>(program, &context);
  PassManager whole(&context);
  mortar::PipelineOptions toGPU;
  toGPU.target = "sm_90";
  mortar::buildPipeline(whole, toGPU);
  if (!module || failed(whole.run(*module)))
    return fail("the program did not compile for sm_90");

  auto fused = run(context, true), unfused = run(context, false);
  if (failed(fused) || failed(unfused))
    return fail("the program did not run");
  if (*fused != *unfused)
    return fail("fusing changed bits");
  for (int64_t row = 0; row < rows; ++row) {
    double squares = 0;
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
      float sum = widen(round(widen((*fused)[0][i]) + widen((*fused)[1][i])));
      float relu = std::fmax(sum, 0.0f);
      if ((*fused)[4][i] != round(relu * relu))
        return fail("squared_relu(", sum, ") is not ", widen((*fused)[4][i]));
      squares += double(widen((*fused)[4][i])) * widen((*fused)[4][i]);
    }
    double scale = 1 / std::sqrt(squares / columns + 1e-6);
    for (int64_t i = row * columns; i < (row + 1) * columns; ++i) {
      double expected = widen((*fused)[4][i]) * scale * widen((*fused)[2][i % columns]);
      if (std::fabs(widen((*fused)[5][i]) - expected) > std::fabs(expected) / 256)
        return fail("rms_norm gave ", widen((*fused)[5][i]), " where ", expected,
                    " was expected");
    }
  }
  llvm::outs() << "one kernel of residual_add, shop.squared_relu and rms_norm\n";
  return 0;
}
