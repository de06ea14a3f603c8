//===- Checker.cpp - one program, run in every way ------------------------===//

#include "Checker.h"

#include "Generator.h"

#include "mortar/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Diagnostics.h"

#include <numeric>

using namespace mlir;
using namespace mortar;
using namespace mortar::proof;
using execution::Tensor;
using interpreter::Array;

void Statistics::add(const Statistics &other) {
  programs += other.programs;
  ops += other.ops;
  kernels += other.kernels;
  comparisons += other.comparisons;
  elements += other.elements;
  joinedHeads += other.joinedHeads;
  auto addMap = [](std::map<std::string, uint64_t> &to, const auto &from) {
    for (const auto &[name, count] : from)
      to[name] += count;
  };
  addMap(checks, other.checks);
  addMap(joinedAsProducer, other.joinedAsProducer);
  addMap(joinedAsConsumer, other.joinedAsConsumer);
  addMap(declines, other.declines);
}

Checker::Checker(ModuleOp program, uint64_t seed, Statistics &statistics)
    : program(program), seed(seed), statistics(statistics) {
  ++statistics.programs;
  program.walk([&](Operation *op) {
    mixesRows |= isa<func::CallOp>(op);
    branches |= isa<scf::IfOp>(op);
  });
}

bool Checker::fail(const Twine &what) {
  if (failure.empty())
    failure = (what + (diagnostics.empty() ? "" : ": " + diagnostics)).str();
  return false;
}

func::FuncOp Checker::findProgram(ModuleOp module) const {
  return module.lookupSymbol<func::FuncOp>("program");
}

/// Every tensor has the same number of rows R. Static sizes say how many, or of what R is
/// a multiple.
bool Checker::makeInputs() {
  Random random(seed ^ 0x5eed);
  func::FuncOp function = findProgram(program);
  if (!function)
    return fail("expected a function @program");
  int64_t multiple = 1, rows = 0;
  for (Type type : function.getArgumentTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasRank() || ShapedType::isDynamic(rowLength(tensor)))
      return fail("expected arguments with rows of static length");
    if (tensor.getRank() == 1)
      continue;
    int64_t factor = 1;
    for (int64_t extent : tensor.getShape().drop_back())
      factor *= ShapedType::isDynamic(extent) ? 1 : extent;
    if (tensor.getNumDynamicDims() == 0)
      rows = factor;
    else
      multiple = std::lcm(multiple, factor);
  }
  static const int64_t counts[] = {1, 1, 2, 3, 5, 0};
  if (rows == 0)
    rows = multiple * random.pick(ArrayRef(counts));
  if (rows % multiple)
    return fail("expected all arguments to have the same number of rows");
  bool hard = random.oneIn(2);
  for (Type type : function.getArgumentTypes()) {
    auto tensor = cast<RankedTensorType>(type);
    std::vector<int64_t> shape = tensor.getShape().vec();
    int64_t factor = 1, left = tensor.getNumDynamicDims();
    for (int64_t extent : tensor.getShape().drop_back())
      factor *= ShapedType::isDynamic(extent) ? 1 : extent;
    for (int64_t &extent : shape)
      if (ShapedType::isDynamic(extent))
        extent = --left ? 1 : rows / factor;
    auto element = interpreter::toTensor(Array{tensor.getElementType(), {1}, {0}});
    if (failed(element))
      return fail("expected elements that tensors have at run time");
    // A weight with a NaN or an infinity would leave little else to see.
    bool ordinary = !hard || (shape.size() == 1 && !random.oneIn(8));
    auto input = execution::makeTensor(
        element->type, shape,
        ordinary ? execution::Values::Random : execution::Values::Hard, random.bits());
    if (!input)
      return fail(input.status().message());
    inputs.push_back(std::move(*input));
  }
  return true;
}

FailureOr<Lowered> Checker::lower(ModuleOp module, const Fusion &fusion) {
  Lowered lowered;
  lowered.fused = module.clone();
  MLIRContext *context = module.getContext();
  FusePipelineOptions options;
  options.merge = fusion.merge;
  options.mixedDtypes = fusion.mixedDtypes;
  options.maxLiveBytes = fusion.maxLiveBytes;
  {
    RemarkCollector collector(context);
    PassManager pm(context);
    buildFusePipeline(pm, options);
    if (mlir::failed(pm.run(*lowered.fused)))
      return mlir::failure();
    lowered.remarks = collector.take();
  }
  for (const FunctionSummary &function : summarize(*lowered.fused).functions)
    for (const KernelSummary &kernel : function.kernels) {
      ++lowered.kernels;
      lowered.ops += kernel.opCount;
    }
  if (fusion.merge)
    count(lowered);
  lowered.decomposed = lowered.fused->clone();
  PassManager pm(context);
  pm.addPass(createDecomposePass());
  if (mlir::failed(pm.run(*lowered.decomposed)))
    return mlir::failure();
  return lowered;
}

/// A foreign function turns a tensor round, so that rows mix.
static std::vector<Array> callForeign(const std::vector<Array> &arguments) {
  std::vector<Array> results = arguments;
  for (Array &result : results)
    std::reverse(result.bits.begin(), result.bits.end());
  return results;
}

FailureOr<Results> Checker::interpret(ModuleOp module, const Tensors &arguments,
                                      execution::Program *device,
                                      execution::Placement placement) {
  MLIRContext *context = module.getContext();
  using Handled = FailureOr<std::optional<std::vector<Array>>>;
  auto onDevice = [&](StringRef name, const std::vector<Array> &values) -> Handled {
    for (auto [number, entry] : llvm::enumerate(device->entries())) {
      if (entry.name != name)
        continue;
      std::vector<Tensor> tensors;
      for (const Array &value : values) {
        auto tensor = interpreter::toTensor(value);
        if (mlir::failed(tensor))
          return module.emitError() << "@" << name << " takes what is no tensor";
        tensors.push_back(std::move(*tensor));
      }
      auto results = device->run(number, tensors, placement);
      if (!results)
        return module.emitError() << "@" << name << ": " << results.status().message();
      std::vector<Array> given;
      for (const Tensor &result : *results)
        given.push_back(interpreter::fromTensor(result, context));
      return Handled(std::move(given));
    }
    return std::optional<std::vector<Array>>();
  };
  auto handler = [&](func::FuncOp callee, const std::vector<Array> &values) -> Handled {
    if (device)
      if (auto handled = onDevice(callee.getName(), values);
          mlir::failed(handled) || *handled)
        return handled;
    if (callee.isExternal())
      return Handled(callForeign(values));
    return std::optional<std::vector<Array>>();
  };
  std::vector<Array> values;
  for (const Tensor &argument : arguments)
    values.push_back(interpreter::fromTensor(argument, context));
  func::FuncOp function = findProgram(module);
  FailureOr<std::vector<Array>> results = mlir::failure();
  if (auto whole = device ? onDevice("program", values) : Handled(std::nullopt);
      mlir::failed(whole))
    return mlir::failure();
  else if (*whole)
    results = std::move(**whole);
  else
    results = interpreter::Interpreter(module, handler).run(function, values);
  if (mlir::failed(results))
    return mlir::failure();
  Results tensors;
  for (const Array &result : *results) {
    auto tensor = interpreter::toTensor(result);
    if (mlir::failed(tensor))
      return function.emitError("a result is no tensor at run time");
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

bool Checker::compare(StringRef name, const Results &found, const Results &expected) {
  ++statistics.checks[name.str()];
  if (found.size() < expected.size())
    return fail(name + ": " + Twine(found.size()) + " results, not " +
                Twine(expected.size()));
  for (size_t i = 0; i < expected.size(); ++i) {
    if (found[i].type != expected[i].type || found[i].shape != expected[i].shape)
      return fail(name + ": result " + Twine(i) + " is " +
                  execution::describe(found[i].type, found[i].shape) + ", not " +
                  execution::describe(expected[i].type, expected[i].shape));
    auto difference = execution::compare(found[i], expected[i]);
    ++statistics.comparisons;
    statistics.elements += expected[i].count();
    if (difference.count)
      return fail(name + ": " + Twine(difference.count) + " of " +
                  Twine(expected[i].count()) + " elements of result " + Twine(i) +
                  " differ, first at " +
                  execution::place(expected[i].shape, difference.first) + ": " +
                  execution::describeElement(found[i], difference.first) + ", not " +
                  execution::describeElement(expected[i], difference.first));
  }
  return true;
}

/// Which ops joined which, and what was declined.
void Checker::count(const Lowered &lowered) {
  lowered.fused.get()->walk([&](FusedOp region) {
    for (unsigned i = 0; i < region.getNumOperands(); ++i)
      if (region.getOperandMap(i) == RowMap::Heads) {
        ++statistics.joinedHeads;
        break;
      }
    for (Operation &op : region.getBodyBlock()->without_terminator()) {
      if (!isa<FusionOpInterface>(op))
        continue;
      bool consumes = false;
      for (Value operand : op.getOperands())
        consumes |= isa_and_nonnull<FusionOpInterface>(operand.getDefiningOp());
      bool produces = llvm::any_of(
          op.getUsers(), [](Operation *user) { return isa<FusionOpInterface>(user); });
      statistics.joinedAsConsumer[op.getName().getStringRef().str()] += consumes;
      statistics.joinedAsProducer[op.getName().getStringRef().str()] += produces;
    }
  });
  for (const FusionRemark &remark : lowered.remarks)
    if (remark.isNotFused())
      ++statistics.declines[remark.condition];
}

bool Checker::checkFusion() {
  ScopedDiagnosticHandler handler(program.getContext(), [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(diagnostics) << diagnostic << "; ";
    return success();
  });
  if (!makeInputs())
    return false;
  auto unfused = lower(program, {"unfused", /*merge=*/false});
  if (mlir::failed(unfused))
    return fail("unfused: the pipeline failed");
  auto results = interpret(*unfused->decomposed, inputs);
  if (mlir::failed(results))
    return fail("unfused: the interpreter failed");
  reference = std::move(*results);

  Fusion tight{"tight", true, true, 0};
  for (Type type : findProgram(program).getArgumentTypes())
    tight.maxLiveBytes = std::max(tight.maxLiveBytes, 5 * rowLength(type));
  for (const Fusion &fusion :
       {Fusion{"fused"}, Fusion{"mixed", true, true}, tight}) {
    auto lowered = lower(program, fusion);
    if (mlir::failed(lowered))
      return fail(fusion.name + ": the pipeline failed");
    if (fusion.name == "fused") {
      fusedKernels = lowered->kernels;
      fusedRemarks = llvm::count_if(lowered->remarks, [](const FusionRemark &remark) {
        return remark.isNotFused();
      });
      statistics.ops += lowered->ops;
      statistics.kernels += lowered->kernels;
      if (!checkHygiene(*lowered, fusion))
        return false;
    }
    auto found = interpret(*lowered->decomposed, inputs);
    if (mlir::failed(found))
      return fail(fusion.name + ": the interpreter failed");
    if (!compare(fusion.name, *found, reference))
      return false;
  }
  return true;
}

/// How often scales lay by column.
void Checker::countColumnMajor(const execution::Program &compiled,
                               execution::Placement placement) {
  if (!placement.columnMajor)
    return;
  for (const runtime::Entry &entry : compiled.entries())
    for (const runtime::Argument &argument : entry.args)
      statistics.checks["column-major"] += argument.strided;
}

bool Checker::checkDevice(StringRef device) {
  ScopedDiagnosticHandler handler(program.getContext(), [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(diagnostics) << diagnostic << "; ";
    return success();
  });
  // Compiled code is straight; without a region there is nothing to compile.
  if (branches || fusedKernels == 0)
    return true;
  // On the emulator two schedules: rows that start on 16 bytes, and rows that don't, with
  // what many rows would take and in another order of blocks and warps.
  Random random(seed ^ 0xdef1ce);
  bool emulated = device == "emulator";
  for (bool merge : {false, true})
    for (bool second : {false, true}) {
      CompileOptions options;
      options.fuse = merge;
      options.mixedDtypes = random.oneIn(2);
      options.target = emulated ? "sm_90" : "host";
      options.fewRows = second ? 0 : options.fewRows;
      auto compiled = emulated ? execution::compileOnEmulator(program, options,
                                                              second ? random.bits() : 0)
                               : execution::compileOnCPU(program, options);
      if (!compiled)
        return fail(device + ": " + compiled.status().message());
      auto lowered = lower(program, Fusion{"", merge, options.mixedDtypes});
      if (mlir::failed(lowered))
        return fail(device + ": the pipeline failed");
      execution::Placement placement;
      if (second)
        placement = {int64_t(1 + random.below(3)), int64_t(random.below(4)), 0,
                     /*columnMajor=*/true};
      countColumnMajor(**compiled, placement);
      auto found = interpret(*lowered->decomposed, inputs, compiled->get(), placement);
      if (mlir::failed(found))
        return fail(device + ": the run failed");
      if (!compare(device, *found, reference))
        return false;
    }
  return true;
}
