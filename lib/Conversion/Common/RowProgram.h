//===- RowProgram.h - a decomposed region, read once for a lowering -*- C++ -*-===//
#ifndef MORTAR_LIB_CONVERSION_ROWPROGRAM_H
#define MORTAR_LIB_CONVERSION_ROWPROGRAM_H

#include "mortar/IR/Mortar.h"

#include "llvm/ADT/SmallPtrSet.h"

namespace mortar {

/// What a lowering must know of a region before it emits anything.
struct RowProgram {
  FusedOp region;
  /// The length of the narrowest row, N. Every other row is N or 2N wide; a wide one is
  /// only ever elementwise, and a lowering holds its two halves side by side.
  int64_t length = 0;
  /// Whether a row's values, or a group's, meet in a reduction.
  bool reduces = false;
  /// Whether one of them is a sum of the whole row, whose order is that of its elements.
  bool sumsWholeRow = false;
  /// Whether all of them are maxima of groups.
  bool takesMaximaOfGroups = false;
  /// The size in bytes of the smallest element that is loaded or stored by row.
  unsigned narrowestElementBytes = 4;
  /// How many bytes are loaded by row for one element of the narrowest row.
  unsigned loadedBytes = 0;

  /// How a wide row is held beside narrow ones: element i of the narrow ones with elements
  /// 2i and 2i + 1 of the wide one, or with elements i and length + i.
  bool pairs = false;
  /// The lengths of the groups that rows are reduced by, ascending; each divides `length`.
  llvm::SmallVector<int64_t> groupLengths;
  /// Lengths of groups and prefixes: a chunk of elements that are handled alike must not
  /// lie across a multiple of one.
  llvm::SmallVector<int64_t> borders;

  /// Columns of a part of the row, which row_repeat repeats.
  llvm::SmallPtrSet<mlir::Value, 2> repeated;

  /// Whether a vector holds one value a group.
  bool isGroup(mlir::Value value) const {
    return isGroup(value.getType()) && !repeated.contains(value);
  }
  bool isGroup(mlir::Type type) const {
    auto row = mlir::dyn_cast<mlir::VectorType>(type);
    return row && rowLength(row) != length && rowLength(row) != 2 * length;
  }
  bool isWide(mlir::Type type) const { return rowLength(type) == 2 * length; }
  bool chunksRespectBorders(int64_t width) const {
    return llvm::all_of(borders, [&](int64_t border) { return border % width == 0; });
  }
  /// Where a chunk of `width` elements from `column` on lies in a wide row: half 0 or 1 of
  /// its 2·width elements begins at column·scale + half·distance.
  int64_t wideScale() const { return pairs ? 2 : 1; }
  int64_t halfDistance(int64_t width) const { return pairs ? width : length; }
  /// The elements of a row for each value of a vector that isGroup.
  int64_t groupLength(mlir::Type type) const { return length / rowLength(type); }

  /// Reads `region`; emits an error and fails on what no lowering takes: an op that is
  /// not a row primitive, rows of other widths, reductions over groups.
  static mlir::FailureOr<RowProgram> read(FusedOp region);
};

/// Elementwise arith, and the two math ops that are IEEE instructions everywhere.
bool isElementwisePrimitive(mlir::Operation &op);

/// An error at `op`, or at its region: constants lose their places when they are folded.
mlir::InFlightDiagnostic emitErrorAt(mlir::Operation &op);

/// What upstream lets an op say that would make its bits depend on the device: an error.
llvm::LogicalResult checkRoundsAsWritten(mlir::Operation &op);

/// A copy of `op`, an elementwise op, on other operands, whose results are `shape`
/// vectors of the same elements (or scalars, if `shape` is empty). Constants become
/// splats of the new shape.
mlir::Value cloneElementwise(mlir::OpBuilder &b, mlir::Operation *op,
                             mlir::ValueRange operands,
                             llvm::ArrayRef<int64_t> shape);

/// One half of a row that is read by pairs: every other element of two adjacent chunks.
mlir::Value takeEveryOther(mlir::OpBuilder &b, mlir::Location loc, RowHalf half,
                           mlir::Value lower, mlir::Value upper);

/// What a masked-out element contributes to a reduction: nothing. −0.0 for a sum,
/// since x + −0.0 is x for every x; −inf for a maximum.
llvm::APFloat getNeutralElement(ReductionKind kind);

/// One step of a reduction.
mlir::Value combine(mlir::OpBuilder &b, mlir::Location loc, ReductionKind kind,
                    mlir::Value lhs, mlir::Value rhs);

} // namespace mortar

#endif // MORTAR_LIB_CONVERSION_ROWPROGRAM_H
