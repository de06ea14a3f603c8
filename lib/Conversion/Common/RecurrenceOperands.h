//===- RecurrenceOperands.h - its operands, seen from the host --*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_RECURRENCEOPERANDS_H
#define MORTAR_LIB_CONVERSION_RECURRENCEOPERANDS_H

#include "HostOperands.h"
#include "RecurrenceProgram.h"

namespace mortar {

/// A memref operand of a recurrence, taken apart on the host or from a kernel's parameters.
struct RecurrenceOperand : RegionOperand {
  /// Indices, one a dimension; the last stride is 1.
  llvm::SmallVector<mlir::Value> sizes, strides;

  unsigned tokenDims() const { return RecurrenceShape::countTokenDims(type, map); }
};

struct RecurrenceOperands {
  llvm::SmallVector<RecurrenceOperand> all; // inputs, then destinations
  /// Indices: how many tokens there are (in a sequence, if they have two dimensions),
  /// sequences and slots.
  mlir::Value tokens, sequences, slots;
};

/// Takes the operands apart before the region, and emits a cf.assert for each thing that
/// must hold at launch: as many tokens and sequences in each, destinations that share no
/// memory with anything else.
mlir::FailureOr<RecurrenceOperands> takeApart(mlir::OpBuilder &b,
                                              const RecurrenceProgram &program);

/// Whether every access of `width` keys at a multiple of `width` is aligned to its size, or
/// to 16 bytes if it is wider.
mlir::Value isAligned(mlir::OpBuilder &b, mlir::Location loc,
                      const RecurrenceOperands &operands, int64_t width);

/// The operand as a memref that is indexed by its own dimensions.
mlir::Value castToMemref(mlir::OpBuilder &b, mlir::Location loc,
                         const RecurrenceOperand &operand);

/// The indices of element `element` (of a row; null for a scalar) that one token of one
/// head has in an operand. `token` has one index for each dimension of tokens.
llvm::SmallVector<mlir::Value>
indexToken(mlir::OpBuilder &b, mlir::Location loc, const RecurrenceShape &shape,
           const RecurrenceOperand &operand, mlir::ValueRange token, mlir::Value head,
           mlir::Value element);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_RECURRENCEOPERANDS_H
