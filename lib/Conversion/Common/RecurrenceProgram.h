//===- RecurrenceProgram.h - a decomposed recurrence, read once -*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_RECURRENCEPROGRAM_H
#define MORTAR_LIB_CONVERSION_RECURRENCEPROGRAM_H

#include "mortar/IR/Mortar.h"

namespace mortar {

/// What a value of a token's program runs along: how it is dealt to threads.
enum class Extent { None, Keys, Values, Both };

/// What a lowering must know of a recurrence before it emits anything.
struct RecurrenceProgram {
  FusedOp region;
  RecurrenceShape shape;
  /// Of each row that isn't flexible.
  llvm::DenseMap<mlir::Value, Extent> rows;
  /// Whether a row of values is reduced: then a thread block needs all of it.
  bool reducesValues = false;

  Extent extentOf(mlir::Value value) const;
  /// Whether a row is what its reader wants it to be: a constant, a scalar everywhere, or a
  /// column, which both may be.
  bool isFlexible(mlir::Value value) const;

  mlir::MemRefType poolType() const {
    return mlir::cast<mlir::MemRefType>(FusedOp(region).getInits()[shape.state].getType());
  }

  /// Reads `region`; emits an error and fails on what no lowering takes.
  static mlir::FailureOr<RecurrenceProgram> read(FusedOp region);
};

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_RECURRENCEPROGRAM_H
