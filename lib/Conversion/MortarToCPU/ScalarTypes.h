//===- ScalarTypes.h - narrow floats on a CPU --------------------*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_SCALARTYPES_H
#define MORTAR_LIB_CONVERSION_SCALARTYPES_H

#include "mlir/IR/Builders.h"

namespace mortar {

/// bf16 (a scalar or vector) to f32 by integer operations: exact.
mlir::Value widenBF16(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value);

/// f32 to bf16 by integer operations: to nearest even, subnormals kept, any NaN to
/// 0x7fff as PTX has it. The AVX512-BF16 instruction flushes subnormals, and without
/// it LLVM calls a library function for each element.
mlir::Value roundToBF16(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value);

/// A copy of the elementwise `op` on `operands`, as vectors of `shape` (scalars if
/// empty), in which no bf16 or f8 is computed with.
mlir::Value cloneForCPU(mlir::OpBuilder &b, mlir::Operation *op,
                        mlir::ValueRange operands, llvm::ArrayRef<int64_t> shape);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_SCALARTYPES_H
