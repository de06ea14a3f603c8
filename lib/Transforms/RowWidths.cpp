//===- RowWidths.cpp - how wide the rows of regions are -------------------===//

#include "RowWidths.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mortar;

/// The vectors in a region that hold a value for each group of a row.
static DenseSet<Value> findGroupScalars(FusedOp region) {
  DenseSet<Value> groups;
  Block *body = region.getBodyBlock();
  for (BlockArgument argument : body->getArguments())
    if (region.getArgumentMap(argument) == RowMap::GroupScalar)
      groups.insert(argument);
  for (Operation &op : *body) {
    if (isa<RowBroadcastOp, YieldOp>(op))
      continue;
    bool computed = llvm::any_of(op.getOperands(),
                                 [&](Value value) { return groups.contains(value); });
    auto fusible = dyn_cast<FusionOpInterface>(op);
    for (OpResult result : op.getResults()) {
      bool named = fusible && fusible.getResultMap(result.getResultNumber()) ==
                                  RowMap::GroupScalar;
      if (isa<VectorType>(result.getType()) && (named || computed || isa<RowReduceOp>(op)))
        groups.insert(result);
    }
    // A constant beside them is one of them.
    if (computed)
      groups.insert(op.operand_begin(), op.operand_end());
  }
  return groups;
}

void RowWidths::add(FusedOp region) {
  DenseSet<Value> groups = findGroupScalars(region);
  for (Operation &op : *region.getBodyBlock()) {
    // Of what is known of groups only the row that it comes from, or goes to, counts.
    auto isRow = [&](Value value) {
      return isa<VectorType>(value.getType()) && !groups.contains(value);
    };
    // A repeated column is no row of its own width.
    if (isa<arith::ConstantOp, RowRepeatOp>(op))
      continue;
    int64_t width = 0;
    for (Value value : op.getOperands())
      if (isRow(value))
        width = std::max(width, rowLength(value.getType()));
    auto fusible = dyn_cast<FusionOpInterface>(op);
    if (isa<RowReduceOp>(op) || (fusible && fusible.reducesRow()))
      widestReduced = std::max(widestReduced, width);
    if (op.getNumResults() && isa<VectorType>(op.getResult(0).getType()) &&
        width == 2 * rowLength(op.getResult(0).getType())) {
      auto half = dyn_cast<RowHalfOp>(op);
      bool pairs = half ? half.getHalf() == RowHalf::Even ||
                              half.getHalf() == RowHalf::Odd
                        : fusible && fusible.readsPairs();
      (pairs ? byPairs : byHalves) = true;
    }
    for (Value value : llvm::concat<Value>(SmallVector<Value>(op.getOperands()),
                                           SmallVector<Value>(op.getResults()))) {
      if (!isRow(value))
        continue;
      int64_t length = rowLength(value.getType());
      widest = std::max(widest, length);
      narrowest = ShapedType::isDynamic(narrowest) ? length
                                                   : std::min(narrowest, length);
    }
  }
}
