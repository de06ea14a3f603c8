//===- RowViews.cpp - casts and reshapes that keep rows as they are --------===//

#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mortar;

bool mortar::isRowView(Operation *op) {
  if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(op))
    return false;
  auto from = dyn_cast<RankedTensorType>(op->getOperand(0).getType());
  auto to = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  // The last dimension must stay as it is: then rows stay rows, in order.
  return from && to && from.getRank() > 0 && to.getRank() > 0 &&
         !ShapedType::isDynamic(rowLength(from)) && rowLength(from) == rowLength(to);
}

Operation *mortar::cloneOnRows(Operation *op, OpBuilder &b, ValueRange operands,
                               int64_t heads) {
  IRMapping mapping;
  mapping.map(op->getOperands(), operands);
  Operation *made = b.clone(*op, mapping);
  for (Value result : made->getResults())
    if (auto row = dyn_cast<VectorType>(result.getType()))
      result.setType(VectorType::get({heads * row.getNumElements()}, row.getElementType()));
  return made;
}

Operation *mortar::coarsenElementwise(Operation *op, OpBuilder &b, ValueRange operands,
                                      int64_t heads) {
  auto fusible = cast<FusionOpInterface>(op);
  auto length = [](Value value) {
    auto row = dyn_cast<VectorType>(value.getType());
    return row ? row.getNumElements() : 0;
  };
  int64_t row = length(op->getResult(0));
  for (Value operand : op->getOperands()) // not, for one, by halves
    if (length(operand) && length(operand) != row)
      return nullptr;
  for (OpResult result : op->getResults())
    if (fusible.getResultMap(result.getResultNumber()) != RowMap::Row)
      return nullptr;
  return fusible.reducesRow() ? nullptr : cloneOnRows(op, b, operands, heads);
}

bool mortar::isHeadView(Operation *op) {
  SmallVector<ReassociationIndices> groups;
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op))
    groups = collapse.getReassociationIndices();
  else if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op))
    groups = expand.getReassociationIndices();
  if (groups.empty() || groups.back().size() != 2)
    return false;
  for (const ReassociationIndices &group : ArrayRef(groups).drop_back())
    if (group.size() != 1)
      return false;
  auto fine = cast<RankedTensorType>(isa<tensor::CollapseShapeOp>(op)
                                         ? op->getOperand(0).getType()
                                         : op->getResult(0).getType());
  return bool(FusedOp::getRowType(fine, RowMap::Heads));
}

Value mortar::lookThroughViews(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isRowView(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

SmallVector<OpFoldResult> mortar::getViewSizes(OpBuilder &b, Operation *view,
                                               ArrayRef<OpFoldResult> sourceSizes) {
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(view))
    return expand.getMixedOutputShape();
  auto type = cast<RankedTensorType>(view->getResult(0).getType());
  SmallVector<OpFoldResult> sizes(sourceSizes);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(view)) {
    sizes.clear();
    for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
      OpFoldResult size = sourceSizes[group.front()];
      for (int64_t dim : ArrayRef(group).drop_front()) {
        if (isOneInteger(sourceSizes[dim]))
          continue;
        Value factor = getValueOrCreateConstantIndexOp(b, view->getLoc(),
                                                       sourceSizes[dim]);
        size = isOneInteger(size)
                   ? OpFoldResult(factor)
                   : OpFoldResult(arith::MulIOp::create(
                                      b, view->getLoc(),
                                      getValueOrCreateConstantIndexOp(
                                          b, view->getLoc(), size),
                                      factor)
                                      .getResult());
      }
      sizes.push_back(size);
    }
  }
  for (auto [size, extent] : llvm::zip_equal(sizes, type.getShape()))
    if (!ShapedType::isDynamic(extent))
      size = b.getIndexAttr(extent);
  return sizes;
}
