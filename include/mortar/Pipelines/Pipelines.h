//===- Pipelines.h - Mortar's passes in order -------------------*- C++ -*-===//
//
// For a pass manager of your own. Compiler.h has the whole way in one call.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_PIPELINES_PIPELINES_H
#define MORTAR_PIPELINES_PIPELINES_H

#include "mortar/Transforms/Fusion.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

#include <string>

namespace mortar {

struct FusePipelineOptions : mlir::PassPipelineOptions<FusePipelineOptions> {
  Option<bool> mixedDtypes{*this, "mixed-dtypes",
                           llvm::cl::desc("Fuse norms on mixed types too"),
                           llvm::cl::init(false)};
  Option<bool> merge{*this, "merge",
                     llvm::cl::desc("Join neighbours; otherwise each op is a kernel"),
                     llvm::cl::init(true)};
  Option<int64_t> maxLiveBytes{
      *this, "max-live-bytes",
      llvm::cl::desc("The most bytes of one row's values alive at once in a region"),
      llvm::cl::init(FusionOptions().maxLiveBytes)};
};

struct ToGPUPipelineOptions : mlir::PassPipelineOptions<ToGPUPipelineOptions> {
  Option<std::string> chip{*this, "chip", llvm::cl::desc("The chip to compile for"),
                           llvm::cl::init("sm_90")};
  Option<int64_t> fewRows{
      *this, "few-rows",
      llvm::cl::desc("Up to so many rows, or shorter ones that hold as much as so many "
                     "of 1024 elements, take the schedule for few"),
      llvm::cl::init(1024)};
};

struct ToNVVMPipelineOptions : mlir::PassPipelineOptions<ToNVVMPipelineOptions> {
  Option<std::string> chip{*this, "chip", llvm::cl::desc("The chip to compile for"),
                           llvm::cl::init("sm_90")};
  Option<bool> lineTables{*this, "line-tables",
                          llvm::cl::desc("Note the input's lines, for profilers"),
                          llvm::cl::init(true)};
};

struct PipelineOptions : mlir::PassPipelineOptions<PipelineOptions> {
  Option<std::string> target{*this, "target",
                             llvm::cl::desc("A GPU (sm_90), or host for a CPU"),
                             llvm::cl::init("sm_90")};
  Option<bool> mixedDtypes{*this, "mixed-dtypes",
                           llvm::cl::desc("Fuse norms on mixed types too"),
                           llvm::cl::init(false)};
};

/// All of the below in one call: functions of tensors, all of whose ops can be compiled
/// -> the LLVM dialect (mortar). In a module with more in it, such as matmuls, add
/// buildFusePipeline, and hand the functions that it outlines to Compiler.h or to this.
void buildPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);

/// Tensors -> regions, cut into gaps (mortar-fuse).
void buildFusePipeline(mlir::OpPassManager &pm, const FusePipelineOptions &options);

/// Regions on tensors -> regions of row primitives on memrefs (mortar-bufferize).
void buildBufferizePipeline(mlir::OpPassManager &pm);

/// Regions on memrefs -> gpu.launch_func and gpu.module of upstream dialects
/// (mortar-to-gpu, which bufferizes first).
void buildToGPUPipeline(mlir::OpPassManager &pm, const ToGPUPipelineOptions &options);

/// gpu.module -> the LLVM dialect with NVVM (mortar-to-nvvm).
void buildToNVVMPipeline(mlir::OpPassManager &pm, const ToNVVMPipelineOptions &options);

/// Regions on tensors -> loops over vectors, of upstream dialects (mortar-to-cpu, which
/// bufferizes first).
void buildToCPUPipeline(mlir::OpPassManager &pm);

/// Loops over vectors -> the LLVM dialect (mortar-to-llvm).
void buildToLLVMPipeline(mlir::OpPassManager &pm);

} // namespace mortar

#endif // MORTAR_PIPELINES_PIPELINES_H
