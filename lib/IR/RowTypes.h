//===- RowTypes.h - checks that the ops' verifiers share --------*- C++ -*-===//
#ifndef MORTAR_LIB_IR_ROWTYPES_H
#define MORTAR_LIB_IR_ROWTYPES_H

#include "mortar/IR/Mortar.h"

namespace mortar {

/// Fails unless both are tensors or both rows, and have the same shape.
llvm::LogicalResult verifySameRows(mlir::Operation *op, llvm::StringRef constraint,
                                   llvm::StringRef name, mlir::Type expected,
                                   llvm::StringRef otherName, mlir::Type found);

/// Fails unless `inner`, called `name`, is absent or an element type of rows.
llvm::LogicalResult verifyInnerType(mlir::Operation *op,
                                    llvm::StringRef constraint,
                                    std::optional<mlir::Type> inner,
                                    llvm::StringRef name = "inner");

/// Fails unless `size` is absent, is the length of `input`'s rows, or divides it and is
/// greater than 1. A length that is dynamic is taken for one that fits.
llvm::LogicalResult verifyGroupSize(mlir::Operation *op, llvm::StringRef constraint,
                                    std::optional<int64_t> size, mlir::Type input);

/// A `group_size` as what getReducedGroup says: 0 for all of `row`.
inline int64_t reducedGroup(std::optional<int64_t> size, mlir::Value row) {
  return size.value_or(0) == rowLength(row.getType()) ? 0 : size.value_or(0);
}

/// (C2) of norms: fails unless `epsilon` is finite and greater than 0.
llvm::LogicalResult verifyEpsilon(mlir::Operation *op, mlir::FloatAttr epsilon);

/// `value`'s row, or a scalar, widened to f32; rounded to `element` again by `roundRow`.
mlir::Value widenRow(mlir::OpBuilder &b, mlir::Location loc, mlir::Value row);
mlir::Value roundRow(mlir::OpBuilder &b, mlir::Location loc, mlir::Value row,
                     mlir::Type element);

/// An f32 splat over the shape of `like`.
mlir::Value splatRow(mlir::OpBuilder &b, mlir::Location loc, mlir::Value like,
                     llvm::APFloat value);

} // namespace mortar

#endif // MORTAR_LIB_IR_ROWTYPES_H
