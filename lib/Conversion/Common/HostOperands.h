//===- HostOperands.h - a region's operands, seen from the host -*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_HOSTOPERANDS_H
#define MORTAR_LIB_CONVERSION_HOSTOPERANDS_H

#include "mortar/IR/Mortar.h"

namespace mortar {

/// A memref operand of a region, taken apart on the host.
struct HostOperand {
  RowMap map;
  bool isDestination;
  /// Never changes between launches: a function argument marked mortar.constant.
  bool isConstant;
  mlir::MemRefType type;
  mlir::Value base;      // memref<element>
  mlir::Value offset;    // index, in elements
  mlir::Value rows;      // index; null unless the map is by row
  mlir::Value rowStride; // index, in elements; null unless the map is by row
  mlir::Value address;   // index, in bytes
  unsigned elementBytes() const {
    return type.getElementTypeBitWidth() / 8;
  }
};

struct HostOperands {
  llvm::SmallVector<HostOperand> all; // inputs, then destinations
  mlir::Value rows;                   // index: how many rows there are
};

/// Takes the operands apart before `region`, and emits a cf.assert for each thing that
/// must hold at launch: as many rows in each, leading dimensions that are one stride,
/// destinations that share an operand's memory exactly or not at all.
mlir::FailureOr<HostOperands> takeApart(mlir::OpBuilder &b, FusedOp region);

/// The operand as what a row's program indexes: memref<rows x N> if it is by row, else
/// memref<N>. The other arguments are the operand's own, here or as kernel parameters.
mlir::Value castToMatrix(mlir::OpBuilder &b, mlir::Location loc,
                         const HostOperand &operand, mlir::Value base,
                         mlir::Value offset, mlir::Value rows, mlir::Value rowStride);

/// Whether every access of `width` elements at a multiple of `width` is aligned to
/// its size, or to 16 bytes if it is wider.
mlir::Value isAligned(mlir::OpBuilder &b, mlir::Location loc,
                      const HostOperands &operands, int64_t width);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_HOSTOPERANDS_H
