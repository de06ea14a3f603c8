//===- RowOps.cpp - the primitives of a row's program ---------------------===//

#include "RowTypes.h"

using namespace mlir;
using namespace mortar;

/// Whether a vector of `groups` values can stand for groups of a row of `length`.
static bool dividesRow(int64_t groups, int64_t length) {
  return groups > 0 && groups < length && length % groups == 0;
}

LogicalResult RowReduceOp::verify() {
  int64_t length = rowLength(getInput().getType());
  auto groups = dyn_cast<VectorType>(getType());
  if (groups && !dividesRow(groups.getDimSize(0), length))
    return emitOpError() << "(C1) expected a number of groups that divides " << length
                         << " and is less than it, but found "
                         << groups.getDimSize(0);
  return success();
}

LogicalResult RowBroadcastOp::verify() {
  auto result = cast<VectorType>(getType());
  Type input = getInput().getType();
  if (getElementTypeOrSelf(input) != result.getElementType())
    return emitOpError() << "(C1) expected input of the result's element type, "
                         << result.getElementType() << ", but found " << input;
  auto groups = dyn_cast<VectorType>(input);
  if (groups && !dividesRow(groups.getDimSize(0), result.getDimSize(0)))
    return emitOpError() << "(C1) expected a number of groups that divides "
                         << result.getDimSize(0) << " and is less than it, but found "
                         << groups.getDimSize(0);
  return success();
}

/// A broadcast constant is a splat.
OpFoldResult RowBroadcastOp::fold(FoldAdaptor adaptor) {
  if (isa<VectorType>(getInput().getType()) || !adaptor.getInput())
    return {};
  return DenseElementsAttr::get(cast<VectorType>(getType()), adaptor.getInput());
}

LogicalResult RowHalfOp::verify() {
  auto input = cast<VectorType>(getInput().getType());
  auto result = cast<VectorType>(getType());
  if (input.getDimSize(0) != 2 * result.getDimSize(0) ||
      input.getElementType() != result.getElementType())
    return emitOpError() << "(C1) expected input with twice the elements of result, "
                         << result << ", but found " << input;
  return success();
}

LogicalResult RowPrefixOp::verify() {
  int64_t row = rowLength(getInput().getType()), length = getLength();
  if (length < 1 || length > row)
    return emitOpError() << "(C1) expected a length from 1 to " << row << ", but found "
                         << length;
  return success();
}

LogicalResult RowRepeatOp::verify() {
  auto input = cast<VectorType>(getInput().getType());
  auto result = cast<VectorType>(getType());
  if (input.getElementType() != result.getElementType() ||
      !dividesRow(input.getDimSize(0), result.getDimSize(0)))
    return emitOpError() << "(C1) expected input of the result's element type, with a "
                            "length that divides "
                         << result.getDimSize(0) << " and is less than it, but found "
                         << input;
  return success();
}

/// A repeated splat is a splat.
OpFoldResult RowRepeatOp::fold(FoldAdaptor adaptor) {
  auto splat = dyn_cast_or_null<SplatElementsAttr>(adaptor.getInput());
  if (!splat)
    return {};
  return splat.resizeSplat(cast<VectorType>(getType()));
}
