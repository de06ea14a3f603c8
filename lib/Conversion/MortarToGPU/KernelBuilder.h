//===- KernelBuilder.h - one gpu.func for one region and schedule -*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_KERNELBUILDER_H
#define MORTAR_LIB_CONVERSION_KERNELBUILDER_H

#include "../Common/HostOperands.h"
#include "RowSchedule.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mortar {

/// The discardable attribute of a gpu.func that may be launched before its
/// predecessors have finished (it waits for them itself).
inline constexpr llvm::StringLiteral programmaticLaunchAttr =
    "mortar.programmatic_launch";

/// That of one whose code is loaded when it is launched first.
inline constexpr llvm::StringLiteral onDemandAttr = "mortar.on_demand";

/// Makes an empty kernel of `threads` threads a block, which has let its dependents launch,
/// and leaves `b` in it. `constants` are the numbers of parameters that nobody writes; of
/// `residentBlocks` a multiprocessor must hold as many, if that isn't 0.
mlir::gpu::GPUFuncOp beginKernel(mlir::OpBuilder &b, mlir::Location loc,
                                 llvm::StringRef name,
                                 llvm::ArrayRef<mlir::Type> parameters,
                                 llvm::ArrayRef<unsigned> constants, int64_t threads,
                                 int64_t residentBlocks, const ChipTraits &chip);

/// Builds the kernel that runs `program` on `operands` by `schedule`, at the builder's
/// insertion point. Its parameters: the number of rows, then for each operand its base
/// buffer (a memref of rank 0), its offset and, if it is by row, its row stride.
mlir::gpu::GPUFuncOp buildKernel(mlir::OpBuilder &b, llvm::StringRef name,
                                 const RowProgram &program,
                                 const HostOperands &operands,
                                 const RowSchedule &schedule, const ChipTraits &chip);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_KERNELBUILDER_H
