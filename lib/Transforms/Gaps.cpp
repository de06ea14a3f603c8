//===- Gaps.cpp - what lies in a gap, and for how long --------------------===//

#include "Gaps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

bool mortar::isGlue(Operation *op) {
  return isa<tensor::EmptyOp, tensor::DimOp, tensor::CastOp, tensor::CollapseShapeOp,
             tensor::ExpandShapeOp>(op) ||
         op->hasTrait<OpTrait::ConstantLike>() ||
         (isMemoryEffectFree(op) && op->getNumResults() &&
          llvm::all_of(op->getResultTypes(), llvm::IsaPred<IndexType>));
}

bool mortar::isReadAfter(Value value, Operation *op) {
  SmallVector<Value> worklist{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!worklist.empty())
    for (OpOperand &use : worklist.pop_back_val().getUses()) {
      Operation *user = op->getBlock()->findAncestorOpInBlock(*use.getOwner());
      if (!user || (user != op && op->isBeforeInBlock(user)))
        return true;
      if (!seen.insert(user).second)
        continue;
      // A destination-style op's result lies where its destination did; of another op's
      // results none is known not to lie where its operand does.
      if (auto styled = dyn_cast<DestinationStyleOpInterface>(user);
          styled && user == use.getOwner()) {
        if (styled.isDpsInit(&use))
          worklist.push_back(styled.getTiedOpResult(&use));
        else
          seen.erase(user);
        continue;
      }
      for (Value result : user->getResults())
        if (isa<TensorType>(result.getType()))
          worklist.push_back(result);
    }
  return false;
}

LogicalResult mortar::checkStatesAreUpdated(FusedOp region) {
  for (auto [i, pool] : llvm::enumerate(region.getInits())) {
    if (region.getInitMap(i) != RowMap::State)
      continue;
    auto fail = [&](StringRef found) {
      return region.emitError()
             << "expected the new state to take the place of the old one, but " << found;
    };
    // All that lies in its memory: what it is a view of, and the views of that.
    auto isView = [](Operation *op) {
      return isa_and_nonnull<tensor::CastOp, tensor::CollapseShapeOp,
                             tensor::ExpandShapeOp, tensor::ExtractSliceOp>(op);
    };
    Value base = pool;
    while (isView(base.getDefiningOp()))
      base = base.getDefiningOp()->getOperand(0);
    SmallVector<Value> worklist{base};
    while (!worklist.empty())
      for (OpOperand &use : worklist.pop_back_val().getUses()) {
        Operation *user = use.getOwner();
        Operation *at = region->getBlock()->findAncestorOpInBlock(*user);
        if (isView(user))
          worklist.push_back(user->getResult(0));
        else if (user == region && !region.isDpsInit(&use))
          return fail("the region reads the old one as an input, too");
        else if (user != region && !isa<tensor::DimOp>(user) &&
                 (!at || !at->isBeforeInBlock(region)))
          return fail("the old one is read afterwards");
      }
  }
  return success();
}
