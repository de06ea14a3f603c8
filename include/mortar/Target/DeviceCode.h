//===- DeviceCode.h - kernels to PTX and cubin ------------------*- C++ -*-===//
#ifndef MORTAR_TARGET_DEVICECODE_H
#define MORTAR_TARGET_DEVICECODE_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <string>

namespace mortar {

/// Translates gpu.modules in the LLVM dialect to PTX for `chip` ("sm_90"), in process, at
/// -O3. With `threads`, all but the first go through LLVM in a thread each, which touches
/// nothing of MLIR's. Emits an error at a module and fails when LLVM has no such chip or
/// can't select an instruction for it; which module that is doesn't depend on threads.
mlir::FailureOr<llvm::SmallVector<std::string>>
translateToPTX(llvm::ArrayRef<mlir::gpu::GPUModuleOp> modules, llvm::StringRef chip,
               bool threads);

/// Where ptxas is: in CUDA_HOME/bin or on the PATH; empty if nowhere.
std::string findPtxas();

/// Assembles PTX to a cubin with `ptxas`. `report`, if given, receives what ptxas says
/// of registers and spills. Emits an error at `loc` and fails when ptxas does.
mlir::FailureOr<std::string> assemblePTX(mlir::Location loc, llvm::StringRef ptx,
                                         llvm::StringRef chip,
                                         llvm::StringRef ptxas,
                                         std::string *report = nullptr);

} // namespace mortar

#endif // MORTAR_TARGET_DEVICECODE_H
