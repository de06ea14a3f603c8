//===- LiveBytes.cpp - how much of a row is alive at once -----------------===//

#include "mortar/Transforms/Fusion.h"

using namespace mlir;
using namespace mortar;

int64_t mortar::countLiveBytes(ArrayRef<FusedOp> inOrder) {
  // A value of one region that the next reads is counted once, where it is made.
  // An input is the tensor outside, of which a row is alive.
  auto bytes = [](Value value) -> int64_t {
    auto row = dyn_cast<ShapedType>(value.getType());
    // A region's body may hold anything until it is lowered.
    if (!row || !row.hasRank() || !row.getElementType().isIntOrFloat())
      return 0;
    return rowLength(row) * row.getElementTypeBitWidth() / 8;
  };
  SmallVector<Operation *> ops;
  for (FusedOp region : inOrder)
    for (Operation &op : *region.getBodyBlock())
      ops.push_back(&op);
  auto source = [&](Value value) -> Value {
    auto arg = dyn_cast<BlockArgument>(value);
    if (!arg)
      return value;
    auto region = cast<FusedOp>(arg.getOwner()->getParentOp());
    Value input = lookThroughViews(region.getInputs()[arg.getArgNumber()]);
    auto made = input.getDefiningOp<FusedOp>();
    if (made && llvm::is_contained(inOrder, made))
      return made.getBodyBlock()->getTerminator()->getOperand(
          cast<OpResult>(input).getResultNumber());
    return input;
  };
  DenseMap<Value, size_t> lastUse;
  for (auto [i, op] : llvm::enumerate(ops))
    if (!isa<YieldOp>(op)) // what is yielded is stored as soon as it is made
      for (Value operand : op->getOperands())
        lastUse[source(operand)] = i;
  int64_t live = 0, most = 0;
  DenseSet<Value> alive;
  for (auto [i, op] : llvm::enumerate(ops)) {
    if (isa<YieldOp>(op))
      continue;
    for (Value value : llvm::concat<Value>(
             llvm::map_to_vector(op->getOperands(), source),
             SmallVector<Value>(op->getResults())))
      if (alive.insert(value).second)
        live += bytes(value);
    most = std::max(most, live);
    SmallVector<Value> dead;
    for (Value value : alive) {
      auto last = lastUse.find(value);
      if (last == lastUse.end() || last->second <= i)
        dead.push_back(value);
    }
    for (Value value : dead) {
      alive.erase(value);
      live -= bytes(value);
    }
  }
  return most;
}
