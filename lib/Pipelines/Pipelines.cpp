//===- Pipelines.cpp - Mortar's passes in order ---------------------------===//

#include "mortar/Pipelines/Pipelines.h"

#include "mortar/Conversion/Passes.h"
#include "mortar/Transforms/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mortar::buildPipeline(OpPassManager &pm, const PipelineOptions &options) {
  FusePipelineOptions fuse;
  fuse.mixedDtypes = options.mixedDtypes;
  buildFusePipeline(pm, fuse);
  if (!StringRef(options.target).starts_with("sm_")) {
    buildToCPUPipeline(pm);
    buildToLLVMPipeline(pm);
    return;
  }
  ToGPUPipelineOptions toGPU;
  toGPU.chip = options.target;
  buildToGPUPipeline(pm, toGPU);
  ToNVVMPipelineOptions toNVVM;
  toNVVM.chip = options.target;
  buildToNVVMPipeline(pm, toNVVM);
}

void mortar::buildFusePipeline(OpPassManager &pm, const FusePipelineOptions &options) {
  pm.addPass(createCheckInputPass());
  // What is computed twice has one kernel.
  pm.addNestedPass<func::FuncOp>(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(createCSEPass());
  FuseRowsPassOptions fuse;
  fuse.merge = options.merge;
  fuse.maxLiveBytes = options.maxLiveBytes;
  fuse.mixedDtypes = options.mixedDtypes ? MixedDtypes::Fuse : MixedDtypes::Separate;
  pm.addPass(createFuseRowsPass(fuse));
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(createCSEPass());
  pm.addPass(createOutlineGapsPass());
  // Sizes and destinations that went along with a gap, and stand there twice.
  pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  pm.addNestedPass<func::FuncOp>(createCSEPass());
}

void mortar::buildBufferizePipeline(OpPassManager &pm) {
  pm.addPass(createCheckInputPass());
  pm.addPass(createAssignDestinationsPass());
  pm.addPass(bufferization::createOneShotBufferizePass());
  pm.addPass(createDecomposePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mortar::buildToGPUPipeline(OpPassManager &pm, const ToGPUPipelineOptions &options) {
  buildBufferizePipeline(pm);
  ConvertMortarToGPUPassOptions convert;
  convert.chip = options.chip;
  convert.fewRows = options.fewRows;
  pm.addPass(createConvertMortarToGPUPass(convert));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mortar::buildToNVVMPipeline(OpPassManager &pm,
                                 const ToNVVMPipelineOptions &options) {
  pm.addPass(createCheckInputPass());
  pm.addPass(createLocationsToLinesPass());
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createSCFToControlFlowPass());
  ConvertKernelsToNVVMPassOptions convert;
  convert.chip = options.chip;
  kernels.addPass(createConvertKernelsToNVVMPass(convert));
  kernels.addPass(createReconcileUnrealizedCastsPass());
  kernels.addPass(createCSEPass());
  if (!options.lineTables)
    return;
  // Lines of the .mlir file, for profilers; anything more marks the code as debug code,
  // which ptxas then gives twice the registers.
  LLVM::DIScopeForLLVMFuncOpPassOptions lines;
  lines.emissionKind = LLVM::DIEmissionKind::DebugDirectivesOnly;
  pm.addPass(LLVM::createDIScopeForLLVMFuncOpPass(lines));
}

void mortar::buildToCPUPipeline(OpPassManager &pm) {
  buildBufferizePipeline(pm);
  pm.addPass(createConvertMortarToCPUPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void mortar::buildToLLVMPipeline(OpPassManager &pm) {
  pm.addPass(createCheckInputPass());
  pm.addPass(createLocationsToLinesPass());
  pm.addPass(createChecksToStatusPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}
