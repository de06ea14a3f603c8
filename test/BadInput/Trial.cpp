//===- Trial.cpp - one mutant, the whole way ------------------------------===//

#include "Trial.h"

#include "mortar/Conversion/Passes.h"
#include "mortar/Pipelines/Compiler.h"
#include "mortar/Pipelines/Pipelines.h"
#include "mortar/Pipelines/ReadInput.h"
#include "mortar/Transforms/Passes.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mortar;
using namespace mortar::badinput;

namespace {

/// Sees every diagnostic.
class Listener {
public:
  Listener(MLIRContext *context, bool known)
      : known(known), handler(context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
            said = diagnostic.str();
            ++errors;
            located += !isa<UnknownLoc>(diagnostic.getLocation());
          }
          return success();
        }) {}

  /// Whether `step` may be gone on from. A failure must have said something,
  /// and somewhere: upstream's type converters have no place to say, but the op
  /// that then fails to convert does.
  bool check(bool succeeded, const Twine &step) {
    if (!succeeded && problem.empty()) {
      if (!errors)
        problem = (step + " failed without a word").str();
      else if (known && !located)
        problem = "an error without a place: " + said;
    }
    errors = located = 0;
    return succeeded;
  }

  std::string problem;
  bool known; // whether every op has a place

private:
  unsigned errors = 0, located = 0;
  std::string said;
  ScopedDiagnosticHandler handler;
};

/// A location may be one of nothing, which is no place.
bool haveAllPlaces(ModuleOp module) {
  return !module
              .walk([](Operation *op) {
                return op->getLoc()->findInstanceOf<FileLineColLoc>()
                           ? WalkResult::advance()
                           : WalkResult::interrupt();
              })
              .wasInterrupted();
}

struct Trial {
  Listener &listener;
  const Effort &effort;

  bool run(ModuleOp module, StringRef name,
           llvm::function_ref<void(OpPassManager &)> build);
  void checkText(ModuleOp module, StringRef stage);
  void runOn(ModuleOp module, StringRef name,
             llvm::function_ref<void(OpPassManager &)> build);
  Outcome run(ModuleOp module);
};

} // namespace

bool Trial::run(ModuleOp module, StringRef name,
                llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(module->getName());
  build(pm);
  if (!listener.check(succeeded(pm.run(module)), name))
    return false;
  // The pass manager verified too, but only what a pass says it changed.
  if (failed(verify(module)) && listener.problem.empty())
    listener.problem = (name + " left invalid IR").str();
  return true;
}

/// Text reads back as itself.
void Trial::checkText(ModuleOp module, StringRef stage) {
  std::string once, twice;
  llvm::raw_string_ostream(once) << *module;
  auto context = makeContext(/*allowUnregistered=*/true);
  std::string said;
  ScopedDiagnosticHandler listen(context.get(), [&](Diagnostic &diagnostic) {
    said += diagnostic.str();
    return success();
  });
  auto again = parseSourceString<ModuleOp>(once, context.get());
  if (again)
    llvm::raw_string_ostream(twice) << **again;
  if (once != twice && listener.problem.empty())
    listener.problem =
        (stage + (again ? Twine(" prints as something else after parsing")
                        : " prints as text that doesn't parse: " + said))
            .str();
}

void Trial::runOn(ModuleOp module, StringRef name,
                  llvm::function_ref<void(OpPassManager &)> build) {
  OwningOpRef<ModuleOp> copy(module.clone());
  run(*copy, name, build);
}

Outcome Trial::run(ModuleOp module) {
  Random random(effort.seed);
  // What is refused may print as it likes.
  bool checked = run(module, "mortar-check-input", [](OpPassManager &pm) {
    pm.addPass(createCheckInputPass());
  });
  if (checked)
    checkText(module, "the source");
  ToGPUPipelineOptions toGPU;
  // Intermediate pipelines and single passes are anybody's to call, on any IR.
  switch (random.below(14)) {
  case 0:
    runOn(module, "mortar-bufferize", buildBufferizePipeline);
    break;
  case 1:
    runOn(module, "mortar-to-gpu",
          [&](OpPassManager &pm) { buildToGPUPipeline(pm, toGPU); });
    break;
  case 2:
    runOn(module, "mortar-to-cpu", buildToCPUPipeline);
    break;
  case 3:
    runOn(module, "mortar-to-nvvm",
          [](OpPassManager &pm) { buildToNVVMPipeline(pm, ToNVVMPipelineOptions()); });
    break;
  case 4:
    runOn(module, "mortar-to-llvm", buildToLLVMPipeline);
    break;
  case 5:
    runOn(module, "mortar-outline-gaps",
          [](OpPassManager &pm) { pm.addPass(createOutlineGapsPass()); });
    break;
  case 6:
    runOn(module, "mortar-assign-destinations", [](OpPassManager &pm) {
      pm.addPass(createAssignDestinationsPass());
    });
    break;
  case 7:
    runOn(module, "mortar-decompose",
          [](OpPassManager &pm) { pm.addPass(createDecomposePass()); });
    break;
  case 8:
    runOn(module, "convert-mortar-to-gpu", [](OpPassManager &pm) {
      pm.addPass(createConvertMortarToGPUPass());
    });
    break;
  case 9:
    runOn(module, "convert-mortar-to-cpu", [](OpPassManager &pm) {
      pm.addPass(createConvertMortarToCPUPass());
    });
    break;
  case 10:
    runOn(module, "mortar-checks-to-status",
          [](OpPassManager &pm) { pm.addPass(createChecksToStatusPass()); });
    break;
  case 11:
    runOn(module, "mortar-fuse-rows",
          [](OpPassManager &pm) { pm.addPass(createFuseRowsPass()); });
    break;
  default:
    break;
  }

  static constexpr const char *gpus[] = {"sm_80",  "sm_90", "sm_90", "sm_100",
                                         "sm_121", "sm_70", "",      "sm_90a"};
  static constexpr const char *cpus[] = {"host", "x86-64-v3", "x86-64-v3",
                                         "x86-64", ""};
  CompileOptions options;
  options.cubin = false;
  options.fuse = !random.oneIn(4);
  options.mixedDtypes = random.oneIn(2);
  FusePipelineOptions fusing;
  fusing.merge = options.fuse;
  fusing.mixedDtypes = options.mixedDtypes;
  toGPU.chip = random.pick(gpus);
  OwningOpRef<ModuleOp> fused(module.clone());
  bool accepted = run(*fused, "mortar-fuse", [&](OpPassManager &pm) {
    buildFusePipeline(pm, fusing);
  });
  if (accepted) {
    checkText(*fused, "the fused module");
    OwningOpRef<ModuleOp> copy(fused->clone());
    accepted = run(*copy, "mortar-to-gpu after mortar-fuse",
                   [&](OpPassManager &pm) { buildToGPUPipeline(pm, toGPU); });
    if (accepted && random.oneIn(4)) {
      checkText(*copy, "the GPU module");
      run(*copy, "mortar-to-nvvm after mortar-to-gpu", [](OpPassManager &pm) {
        buildToNVVMPipeline(pm, ToNVVMPipelineOptions());
      });
    }
    copy = OwningOpRef<ModuleOp>(fused->clone());
    if (run(*copy, "mortar-to-cpu after mortar-fuse", buildToCPUPipeline) &&
        random.oneIn(4))
      run(*copy, "mortar-to-llvm after mortar-to-cpu", buildToLLVMPipeline);
  }
  if (effort.gpu) {
    options.target = toGPU.chip;
    OwningOpRef<ModuleOp> copy(module.clone());
    accepted &= listener.check(succeeded(compileForGPU(*copy, options)),
                               "compileForGPU");
  }
  if (effort.cpu) {
    options.target = random.pick(cpus);
    OwningOpRef<ModuleOp> copy(module.clone());
    accepted &= listener.check(succeeded(compileForCPU(*copy, options)),
                               "compileForCPU");
  }
  return accepted ? Outcome::Accepted : Outcome::RejectedByPipeline;
}

Verdict mortar::badinput::tryModule(ModuleOp module, const Effort &effort) {
  Listener listener(module.getContext(), haveAllPlaces(module));
  Verdict verdict;
  verdict.outcome = Outcome::RejectedByVerifier;
  if (listener.check(succeeded(verify(module)), "the verifier"))
    verdict.outcome = Trial{listener, effort}.run(module);
  verdict.problem = listener.problem;
  return verdict;
}

Verdict mortar::badinput::tryBytes(StringRef bytes, const Effort &effort,
                                   bool known) {
  Random random(effort.seed);
  auto context = makeContext(/*allowUnregistered=*/random.oneIn(4));
  Listener listener(context.get(), known);
  Verdict verdict;
  verdict.outcome = Outcome::RejectedByParser;
  llvm::SourceMgr sources;
  auto module = readInput(llvm::MemoryBuffer::getMemBufferCopy(bytes, "mutant"),
                          sources, context.get());
  if (module)
    listener.known &= haveAllPlaces(*module);
  if (listener.check(bool(module), "the parser"))
    verdict.outcome = Trial{listener, effort}.run(*module);
  verdict.problem = listener.problem;
  return verdict;
}
