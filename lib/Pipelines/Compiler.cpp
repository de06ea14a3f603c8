//===- Compiler.cpp - a module in, an executable out ----------------------===//

#include "mortar/Pipelines/Compiler.h"

#include "mortar/Pipelines/Pipelines.h"
#include "mortar/Target/DeviceCode.h"
#include "mortar/Target/LaunchPlan.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace mortar;

static LogicalResult run(ModuleOp module,
                         llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(module->getName());
  build(pm);
  return pm.run(module);
}

/// The same for passes over whole kernels: verified when all have run rather than after
/// each, which would take more time than most of them.
static LogicalResult runOnKernels(ModuleOp module,
                                  llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(module->getName());
#ifdef NDEBUG
  pm.enableVerifier(false);
#endif
  build(pm);
  return success(succeeded(pm.run(module)) && succeeded(verify(module)));
}

/// What would let every requirement hold without having been looked at.
static LogicalResult checkRequirable(ModuleOp module, const CompileOptions &options,
                                     const RemarkCollector &collector) {
  if (!options.requireFusions)
    return success();
  if (!options.fuse)
    return module.emitError("expected fusing to be on where fusions are required, but "
                            "found it off");
  if (!collector.isCollecting())
    return module.emitError("expected a context without a remark engine where fusions "
                            "are required, but found one, which gets their remarks");
  return success();
}

/// An error for each candidate that did not fuse and isn't tolerated.
static LogicalResult requireFusions(MLIRContext *context, const CompileOptions &options,
                                    ArrayRef<FusionRemark> remarks) {
  bool allFused = true;
  for (const FusionRemark &remark : remarks) {
    if (!remark.isNotFused() ||
        llvm::is_contained(options.toleratedConditions, remark.condition))
      continue;
    allFused = false;
    InFlightDiagnostic error = emitError(remark.place(context));
    error << "expected every candidate to fuse, but found " << remark.text << ": "
          << remark.reason << " [" << remark.condition << "]";
    if (!remark.suggestion.empty())
      error.attachNote() << "what may help: " << remark.suggestion;
  }
  return success(allFused);
}

/// What every artifact says of its making.
static void label(runtime::Artifact &artifact, const Summary &summary) {
  artifact.numericsVersion = numericsVersion;
  artifact.producer = "mortar 0.1.0";
  artifact.remarksJson = summary.toJSON();
}

LogicalResult mortar::fuseAndOutline(ModuleOp module, const CompileOptions &options,
                                     Summary &summary) {
  RemarkCollector collector(module.getContext());
  if (failed(checkRequirable(module, options, collector)))
    return failure();
  FusePipelineOptions fusion;
  fusion.merge = options.fuse;
  fusion.mixedDtypes = options.mixedDtypes;
  if (failed(run(module, [&](OpPassManager &pm) { buildFusePipeline(pm, fusion); })))
    return failure();

  WalkResult lowered = module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto region = dyn_cast<FusedOp>(op)) {
      if (region->getNumResults())
        return WalkResult::skip();
      region.emitError("expected regions on tensors, whose results become an entry's, "
                       "but found one on memrefs");
      return WalkResult::interrupt();
    }
    auto fusible = dyn_cast<FusionOpInterface>(op);
    if (!fusible || !fusible.startsRegion())
      return WalkResult::advance();
    auto why = whyNotWrapped(fusible);
    op->emitError() << "'" << op->getName() << "' was not lowered: "
                    << (why ? why->because : std::string("it stands in no function"));
    return WalkResult::interrupt();
  });
  if (lowered.wasInterrupted())
    return failure();

  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp func : functions) {
    bool hasCalls = false, hasRegions = false;
    func.walk([&](Operation *op) {
      hasRegions |= isa<FusedOp>(op);
      hasCalls |= isa<func::CallOp>(op);
    });
    if (!hasRegions || hasCalls)
      func.erase();
  }
  summary = summarize(module);
  if (summary.functions.empty())
    return module.emitError("expected at least one op of Mortar's in a function, but "
                            "found none");
  summary.remarks = collector.take();
  return options.requireFusions
             ? requireFusions(module.getContext(), options, summary.remarks)
             : success();
}

FailureOr<LoweredGPUProgram> mortar::lowerForGPU(ModuleOp module,
                                                 const CompileOptions &options) {
  LoweredGPUProgram program;
  if (failed(fuseAndOutline(module, options, program.summary)))
    return failure();
  ToGPUPipelineOptions toGPU;
  toGPU.chip = options.target;
  toGPU.fewRows = options.fewRows;
  if (failed(runOnKernels(
          module, [&](OpPassManager &pm) { buildToGPUPipeline(pm, toGPU); })))
    return failure();
  auto plan = buildLaunchPlan(module);
  if (failed(plan))
    return failure();
  program.artifact = std::move(*plan);
  label(program.artifact, program.summary);
  return program;
}

/// Adds the kernels' PTX: one image or, if they are to be apart, another with those that
/// are loaded on demand.
static LogicalResult addPTX(runtime::Artifact &artifact, gpu::GPUModuleOp kernels,
                            const CompileOptions &options, bool apart) {
  using runtime::CodeImage;
  CodeImage images[2];
  for (auto [number, kernel] : llvm::enumerate(artifact.kernels))
    images[apart && kernel.onDemand].kernels.push_back(number);
  SmallVector<OwningOpRef<gpu::GPUModuleOp>> parts;
  SmallVector<gpu::GPUModuleOp> modules;
  bool hasTwo = !images[0].kernels.empty() && !images[1].kernels.empty();
  for (CodeImage &image : images) {
    if (image.kernels.empty())
      continue;
    if (hasTwo) {
      gpu::GPUModuleOp part = parts.emplace_back(kernels.clone()).get();
      for (auto [number, kernel] : llvm::enumerate(artifact.kernels))
        if (!image.contains(number))
          part.lookupSymbol(kernel.name)->erase();
      modules.push_back(part);
    } else {
      image.kernels.clear(); // every one
      modules.push_back(kernels);
    }
    image.chip = options.target;
    image.kind = CodeImage::PTX;
    artifact.images.push_back(std::move(image));
  }
  auto ptx = translateToPTX(modules, options.target, options.threads);
  if (failed(ptx))
    return failure();
  for (auto [image, bytes] : llvm::zip(artifact.images, *ptx))
    image.bytes = std::move(bytes);
  return success();
}

FailureOr<GPUProgram> mortar::compileForGPU(ModuleOp module,
                                            const CompileOptions &options) {
  FailureOr<LoweredGPUProgram> lowered = lowerForGPU(module, options);
  if (failed(lowered))
    return failure();
  GPUProgram program;
  program.artifact = std::move(lowered->artifact);
  program.summary = std::move(lowered->summary);
  ToNVVMPipelineOptions toNVVM;
  toNVVM.chip = options.target;
  toNVVM.lineTables = options.lineTables;
  if (failed(runOnKernels(
          module, [&](OpPassManager &pm) { buildToNVVMPipeline(pm, toNVVM); })))
    return failure();
  std::string ptxas = options.cubin ? findPtxas() : "";
  if (failed(addPTX(program.artifact, *module.getOps<gpu::GPUModuleOp>().begin(),
                    options, options.onDemand && ptxas.empty())))
    return failure();
  using runtime::CodeImage;
  if (!ptxas.empty()) {
    auto cubin = assemblePTX(module.getLoc(), program.artifact.images.front().bytes,
                             options.target, ptxas, &program.assemblerReport);
    if (failed(cubin))
      return failure();
    program.artifact.images.push_back({options.target, CodeImage::Cubin, *cubin});
  }
  if (auto valid = runtime::validateArtifact(program.artifact); !valid.ok())
    return module.emitError() << "the launch plan is wrong, which is a bug of Mortar's: "
                              << valid.message();
  return program;
}

FailureOr<CPUProgram> mortar::compileForCPU(ModuleOp module,
                                            const CompileOptions &options) {
  CPUProgram program;
  if (failed(fuseAndOutline(module, options, program.summary)) ||
      failed(run(module, [](OpPassManager &pm) { buildToCPUPipeline(pm); })))
    return failure();
  auto entries = declareEntries(module);
  if (failed(entries) ||
      failed(run(module, [](OpPassManager &pm) { buildToLLVMPipeline(pm); })))
    return failure();
  auto code = HostCode::compile(module, options.target, std::move(*entries));
  if (failed(code))
    return failure();
  program.code = std::move(*code);
  return program;
}

FailureOr<CompiledProgram> mortar::compile(ModuleOp module,
                                           const CompileOptions &options) {
  if (isGPU(options.target)) {
    auto gpu = compileForGPU(module, options);
    if (failed(gpu))
      return failure();
    return CompiledProgram{std::move(gpu->artifact), std::move(gpu->summary)};
  }
  auto cpu = compileForCPU(module, options);
  if (failed(cpu))
    return failure();
  CompiledProgram program{cpu->code.toArtifact(), std::move(cpu->summary)};
  label(program.artifact, program.summary);
  return program;
}
