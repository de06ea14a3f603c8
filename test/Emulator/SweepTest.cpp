//===- SweepTest.cpp - Mortar's kernels, emulated in every size -----------===//
//
// Row lengths, row counts, element types, placements in memory and both
// schedules: the emulator must find nothing, and the bits must be the CPU's,
// and those of each op as a kernel of its own.
//
//===----------------------------------------------------------------------===//

#include "mortar/Execution/Programs.h"
#include "mortar/InitAll.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <map>

using namespace mortar;
using namespace mortar::execution;
namespace rt = mortar::runtime;

/// X, R, S and Y: the element types of the input, the residual, the sum and the
/// result; N and D: the length of a row and twice that.
static constexpr const char *chains = R"(
func.func @layer(%x: tensor<?xNxX>, %r: tensor<?xNxR>, %w: tensor<NxX> {mortar.constant})
    -> (tensor<?xNxY>, tensor<?xNxS>) {
  %s = mortar.residual_add %x, %r : (tensor<?xNxX>, tensor<?xNxR>) -> tensor<?xNxS>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?xNxS>, tensor<NxX>) -> tensor<?xNxY>
  return %y, %s : tensor<?xNxY>, tensor<?xNxS>
}
func.func @in_place(%x: tensor<?xNxX>, %s0: tensor<?xNxS> {bufferization.writable = true},
                    %w: tensor<NxX> {mortar.constant})
    -> (tensor<?xNxY>, tensor<?xNxS>) {
  %s = mortar.residual_add %x, %s0 : (tensor<?xNxX>, tensor<?xNxS>) -> tensor<?xNxS>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?xNxS>, tensor<NxX>) -> tensor<?xNxY>
  return %y, %s : tensor<?xNxY>, tensor<?xNxS>
}
func.func @norm(%x: tensor<?xNxX>, %w: tensor<NxX>) -> tensor<?xNxY> {
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6)
    : (tensor<?xNxX>, tensor<NxX>) -> tensor<?xNxY>
  return %y : tensor<?xNxY>
}
func.func @gate(%x: tensor<?xDxX>) -> tensor<?xNxY> {
  %y = mortar.silu_and_mul %x : (tensor<?xDxX>) -> tensor<?xNxY>
  return %y : tensor<?xNxY>
}
func.func @gate_and_norm(%x: tensor<?xDxX>, %r: tensor<?xNxR>, %w: tensor<NxX>)
    -> (tensor<?xNxY>, tensor<?xNxS>) {
  %g = mortar.silu_and_mul %x : (tensor<?xDxX>) -> tensor<?xNxX>
  %s = mortar.residual_add %g, %r : (tensor<?xNxX>, tensor<?xNxR>) -> tensor<?xNxS>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-5)
    : (tensor<?xNxS>, tensor<NxX>) -> tensor<?xNxY>
  return %y, %s : tensor<?xNxY>, tensor<?xNxS>
}
)";

static constexpr int64_t lengths[] = {1,    2,    3,    31,   32,   33,
                                      111,  127,  500,  1128, 2880, 3584,
                                      4096, 5120, 7168, 8192, 16384};
static constexpr int64_t rowCounts[] = {1, 2, 3, 17};
static constexpr Placement placements[] = {{0, 0}, {1, 0}, {0, 8}, {3, 5}};
struct Types {
  const char *x, *residual, *sum, *result;
};
static constexpr Types types[] = {{"bf16", "bf16", "bf16", "bf16"},
                                  {"f16", "f16", "f16", "f16"},
                                  {"f32", "f32", "f32", "f32"},
                                  {"bf16", "f32", "f32", "f16"}};

namespace {
class Sweep {
public:
  Sweep() {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
  }
  bool run(int64_t length, const Types &types);
  bool report();

private:
  using Results = Expected<std::vector<Tensor>>;
  bool compile(int64_t length, const Types &types);
  bool runConfiguration(size_t entry, bool many, int64_t rows,
                        Placement placement, Values values);
  Results emulate(Program &program, size_t entry,
                  const std::vector<Tensor> &inputs, Placement placement);
  bool isSame(const Results &found, const std::vector<Tensor> &expected,
              llvm::StringRef reference);
  bool fail(const llvm::Twine &what) {
    llvm::errs() << "emulator-sweep: " << where << ": " << what << "\n";
    return false;
  }

  mlir::MLIRContext context;
  std::unique_ptr<Program> cpu, fused[2], unfused[2]; // for few and many rows
  int64_t length = 0;
  std::string where;
  uint64_t configurations = 0, comparisons = 0, elements = 0;
  uint64_t threadOps = 0, elementOps = 0;
  double seconds = 0;
};
} // namespace

bool Sweep::compile(int64_t length, const Types &types) {
  std::string text;
  for (const char *c = chains; *c; ++c) {
    // Names are in lower case.
    switch (*c) {
    case 'N':
      text += std::to_string(length);
      break;
    case 'D':
      text += std::to_string(2 * length);
      break;
    case 'X':
      text += types.x;
      break;
    case 'R':
      text += types.residual;
      break;
    case 'S':
      text += types.sum;
      break;
    case 'Y':
      text += types.result;
      break;
    default:
      text += *c;
    }
  }
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    return fail("expected the chains to parse");
  CompileOptions options;
  options.mixedDtypes = true;
  options.target = "host";
  auto take = [&](Expected<std::unique_ptr<Program>> made,
                  std::unique_ptr<Program> &into) {
    if (!made)
      return fail("expected the chains to compile: " + made.status().message());
    into = std::move(*made);
    return true;
  };
  if (!take(compileOnCPU(*module, options), cpu))
    return false;
  options.target = "sm_90";
  for (bool many : {false, true}) {
    options.fewRows = many ? 0 : 1024;
    options.fuse = true;
    // The second in another order: no bit may depend on it.
    if (!take(compileOnEmulator(*module, options, many ? length : 0),
              fused[many]))
      return false;
    options.fuse = false;
    if (!take(compileOnEmulator(*module, options, many ? 0 : length),
              unfused[many]))
      return false;
  }
  return true;
}

Sweep::Results Sweep::emulate(Program &program, size_t entry,
                              const std::vector<Tensor> &inputs,
                              Placement placement) {
  auto begin = std::chrono::steady_clock::now();
  auto results = program.run(entry, inputs, placement);
  seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  threadOps += program.counts()->threadOps;
  elementOps += program.counts()->elementOps;
  return results;
}

bool Sweep::isSame(const Results &found, const std::vector<Tensor> &expected,
                   llvm::StringRef reference) {
  for (auto [i, result] : llvm::enumerate(expected)) {
    Difference difference = compare((*found)[i], result);
    if (difference.count)
      return fail(llvm::Twine(difference.count) + " elements of result " +
                  llvm::Twine(i) + " differ from " + reference + ", first at " +
                  place(result.shape, difference.first));
    ++comparisons;
    elements += result.count();
  }
  return true;
}

bool Sweep::runConfiguration(size_t entry, bool many, int64_t rows,
                             Placement placement, Values values) {
  const rt::Entry &declared = cpu->entries()[entry];
  std::vector<Tensor> inputs;
  for (const rt::Argument &argument : declared.args) {
    if (argument.role == rt::Argument::Output)
      continue;
    std::vector<int64_t> shape = argument.shape;
    for (int64_t &size : shape)
      size = size < 0 ? rows : size;
    auto tensor =
        makeTensor(argument.type, shape, values, rows + inputs.size());
    if (!tensor)
      return fail(tensor.status().message());
    inputs.push_back(std::move(*tensor));
  }
  auto expected = cpu->run(entry, inputs, placement);
  if (!expected)
    return fail(expected.status().message());
  auto emulated = emulate(*fused[many], entry, inputs, placement);
  if (!emulated)
    return fail(emulated.status().message());
  if (!isSame(emulated, *expected, "the CPU's"))
    return false;
  auto apart = emulate(*unfused[many], entry, inputs, placement);
  if (!apart)
    return fail("unfused: " + apart.status().message());
  return isSame(apart, *emulated, "the fused one's");
}

bool Sweep::run(int64_t length, const Types &types) {
  this->length = length;
  where = llvm::formatv("{0} elements of {1}", length, types.x).str();
  if (!compile(length, types))
    return false;
  bool all = true;
  for (bool many : {false, true})
    for (auto [i, rows] : llvm::enumerate(rowCounts)) {
      // Each length meets all row counts and all placements, others together
      // next time.
      Placement placement = placements[(i + length + (many ? 1 : 0)) % 4];
      Values values = i % 2 ? Values::Hard : Values::Random;
      for (size_t entry = 0; entry < cpu->entries().size(); ++entry) {
        where = llvm::formatv(
                    "@{0} of {1} x {2} elements of {3}, offset {4}, pad {5}, "
                    "for {6} rows",
                    cpu->entries()[entry].name, rows, length, types.x,
                    placement.offset, placement.pad, many ? "many" : "few")
                    .str();
        all &= runConfiguration(entry, many, rows, placement, values);
      }
      ++configurations;
    }
  return all;
}

bool Sweep::report() {
  llvm::outs() << llvm::formatv(
      "{0} configurations, {1} results compared ({2} elements), {3:e} thread-ops "
      "({4:e} element-ops), {5:f1} million thread-ops a second\n",
      configurations, comparisons, elements, double(threadOps),
      double(elementOps), threadOps / seconds * 1e-6);
  where = "in all";
  if (configurations < 500)
    return fail("expected at least 500 configurations, found " +
                llvm::Twine(configurations));
  return true;
}

int main() {
  Sweep sweep;
  bool all = true;
  for (int64_t length : lengths)
    for (const Types &chosen : types)
      all &= sweep.run(length, chosen);
  return sweep.report() && all ? 0 : 1;
}
