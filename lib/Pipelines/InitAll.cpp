//===- InitAll.cpp - everything a tool or an embedder registers -----------===//

#include "mortar/InitAll.h"

#include "mortar/Conversion/Passes.h"
#include "mortar/Pipelines/Pipelines.h"
#include "mortar/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/Extensions/AllExtensions.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mortar::registerAllDialects(DialectRegistry &registry) {
  registry.insert<MortarDialect, arith::ArithDialect,
                  bufferization::BufferizationDialect, func::FuncDialect,
                  gpu::GPUDialect, linalg::LinalgDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect>();
  registerElementwiseFusionModels(registry);
  registerBufferizableOpInterfaceModels(registry);
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  func::registerAllExtensions(registry);
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

void mortar::registerAllPasses() {
  registerPasses();
  registerTransformsPasses();
  bufferization::registerBufferizationPasses();
}

void mortar::registerPasses() {
  registerMortarTransformsPasses();
  registerMortarConversionPasses();
  PassPipelineRegistration<PipelineOptions>(
      "mortar", "tensors to the LLVM dialect, the whole way", buildPipeline);
  PassPipelineRegistration<FusePipelineOptions>(
      "mortar-fuse", "tensors to fused regions, cut into gaps", buildFusePipeline);
  PassPipelineRegistration<>("mortar-bufferize",
                             "fused regions to row primitives on memrefs",
                             buildBufferizePipeline);
  PassPipelineRegistration<ToGPUPipelineOptions>(
      "mortar-to-gpu", "fused regions to gpu.func and gpu.launch_func",
      buildToGPUPipeline);
  PassPipelineRegistration<ToNVVMPipelineOptions>(
      "mortar-to-nvvm", "gpu.module to the LLVM dialect", buildToNVVMPipeline);
  PassPipelineRegistration<>("mortar-to-cpu",
                             "fused regions to loops over vectors", buildToCPUPipeline);
  PassPipelineRegistration<>("mortar-to-llvm",
                             "CPU functions to the LLVM dialect", buildToLLVMPipeline);
}
