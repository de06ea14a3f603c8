//===- Mortar.h - the dialect in C++ ----------------------------*- C++ -*-===//
//
// Everything that dialects/Mortar defines. Read the .td files there first.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_IR_MORTAR_H
#define MORTAR_IR_MORTAR_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "mortar/IR/MortarDialect.h.inc"
#include "mortar/IR/MortarInterfaces.h"

#define GET_OP_CLASSES
#include "mortar/IR/MortarOps.h.inc"

namespace mortar {

/// The length of a row of `type` (a ranked tensor, memref or vector): its last
/// dimension, which may be ShapedType::kDynamic. What has no dimension is one value.
inline int64_t rowLength(mlir::Type type) {
  llvm::ArrayRef<int64_t> shape = llvm::cast<mlir::ShapedType>(type).getShape();
  return shape.empty() ? 1 : shape.back();
}

/// Whether an operand under `map` has something of its own for each row.
inline bool isPerRow(RowMap map) {
  return map != RowMap::Column && map != RowMap::Scalar;
}
/// Whether `map` says something in `domain`.
inline bool isMapOf(IterationDomain domain, RowMap map) {
  return !isPerRow(map) ||
         (map >= RowMap::KeyRow) == (domain == IterationDomain::Recurrence);
}
/// Whether a map of its domain may be a destination's.
inline bool isWritten(RowMap map) {
  return isPerRow(map) && map != RowMap::KeyRow && map != RowMap::Head &&
         map < RowMap::Slots;
}
/// Whether an operand under `map` says which tokens and states a recurrence runs over.
inline bool isIndex(RowMap map) { return map >= RowMap::Slots; }
/// Whether each row under `map` has all its elements in the operand.
inline bool isWholeRow(RowMap map) { return map == RowMap::Row || map == RowMap::Heads; }

/// What a recurrence runs over.
struct RecurrenceShape {
  int64_t heads = 0, values = 0, keys = 0; // HV, V, K
  unsigned tokenDims = 0;                  // 1 or 2 dimensions of tokens
  int64_t slotColumns = 1;                 // N
  /// Numbers of inputs; -1 where there is none.
  int slots = -1, bounds = -1, accepted = -1;
  int state = -1; // number of the destination

  /// Reads it off the operands of `region`. Fails, after an error, unless they agree (C7).
  static llvm::FailureOr<RecurrenceShape> get(FusedOp region);
  /// The dimensions of tokens that come first in an operand of `map`.
  static unsigned countTokenDims(mlir::ShapedType type, RowMap map);
};

/// `op` on other operands, its rows `heads` times as long.
mlir::Operation *cloneOnRows(mlir::Operation *op, mlir::OpBuilder &b,
                             mlir::ValueRange operands, int64_t heads);

/// Whether `op` is a cast or a reshape of a tensor that keeps every row as it is.
bool isRowView(mlir::Operation *op);

/// Whether `op` joins the heads of a row, [.., H, L] -> [.., H·L], or takes them apart; H
/// and L are static.
bool isHeadView(mlir::Operation *op);

/// `value` before casts and reshapes that keep every row as it is.
mlir::Value lookThroughViews(mlir::Value value);

/// The sizes of what `view` makes, a cast or a reshape, from those of what it reads. Products of
/// dynamic sizes are built at `b`'s insertion point.
llvm::SmallVector<mlir::OpFoldResult>
getViewSizes(mlir::OpBuilder &b, mlir::Operation *view,
             llvm::ArrayRef<mlir::OpFoldResult> sourceSizes);

} // namespace mortar

#endif // MORTAR_IR_MORTAR_H
