//===- HostOperands.h - a region's operands, seen from the host -*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_HOSTOPERANDS_H
#define MORTAR_LIB_CONVERSION_HOSTOPERANDS_H

#include "mortar/IR/Mortar.h"

namespace mortar {

/// How far apart an operand's elements lie, in elements: indices, on the host or as a
/// kernel's parameters. Null where the operand's shape has no such distance.
struct OperandStrides {
  mlir::Value row;   // from a row to the next
  mlir::Value outer; // from `inner` rows to the next as many
  mlir::Value head;  // from a head to the next
  /// From an element to the next, where they needn't be side by side: from a group's scalar
  /// to the next group's.
  mlir::Value element;

  llvm::SmallVector<mlir::Value *> all() {
    llvm::SmallVector<mlir::Value *> strides;
    for (mlir::Value *stride : {&row, &outer, &head, &element})
      if (*stride)
        strides.push_back(stride);
    return strides;
  }
};

/// A memref operand of a region of any domain: where its memory is.
struct RegionOperand {
  RowMap map;
  bool isDestination;
  /// Never changes between launches: a function argument marked mortar.constant.
  bool isConstant;
  mlir::MemRefType type;
  mlir::Value base;    // memref<element>
  mlir::Value offset;  // index, in elements
  mlir::Value address; // index, in bytes; on the host only

  unsigned elementBytes() const { return type.getElementTypeBitWidth() / 8; }
};

/// A memref operand of a region of rows, taken apart on the host.
struct HostOperand : RegionOperand {
  mlir::Value rows; // index; null unless the map is by row
  OperandStrides strides;
  /// [.., inner, N]: row r is number r % inner of the r / inner -th such rows. Static, since
  /// every thread divides by it; 1 if all rows must be evenly spaced.
  int64_t inner = 1;

  bool isByRow() const { return isPerRow(map); }
  bool isRows() const { return isWholeRow(map); }
  int64_t headLength() const { return type.getShape().back(); }
  /// Elements that a row has.
  int64_t length() const {
    int64_t heads = map == RowMap::Heads ? type.getShape().end()[-2] : 1;
    return heads * headLength();
  }
};

struct HostOperands {
  llvm::SmallVector<HostOperand> all; // inputs, then destinations
  mlir::Value rows;                   // index: how many rows there are
};

/// Whether `value` is a function's argument that never changes between launches.
bool isConstantArgument(mlir::Value value);

/// How messages name an operand: by the function's argument, if it is one.
std::string nameOf(bool isDestination, mlir::Value value, unsigned number);

/// Takes the operands apart before `region`, and emits a cf.assert for each thing that
/// must hold at launch: as many rows in each, leading dimensions that are one stride (but
/// for the last, if its size is static), destinations whose elements lie apart and that
/// share an operand's memory exactly or not at all.
mlir::FailureOr<HostOperands> takeApart(mlir::OpBuilder &b, FusedOp region);

/// The operand as what `indexOperand` indexes. The other arguments are the operand's own,
/// here or as kernel parameters.
mlir::Value castToMatrix(mlir::OpBuilder &b, mlir::Location loc,
                         const HostOperand &operand, mlir::Value base,
                         mlir::Value offset, mlir::Value rows,
                         const OperandStrides &strides);

/// The indices of row `row`'s element number `column` in an operand's matrix.
llvm::SmallVector<mlir::Value> indexOperand(mlir::OpBuilder &b, mlir::Location loc,
                                            const HostOperand &operand, mlir::Value row,
                                            mlir::Value column);

/// Whether every access of `width` elements at a multiple of `width` is aligned to
/// its size, or to 16 bytes if it is wider.
mlir::Value isAligned(mlir::OpBuilder &b, mlir::Location loc,
                      const HostOperands &operands, int64_t width);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_HOSTOPERANDS_H
