//===- DtypeRule.cpp - when a norm on mixed types stays apart -------------===//
//
// Let A be the element types reached from the norm's row by walking back through
// residual adds and widening casts. The rule holds if A is just the weight's type, or
// if there is no weight. Where it doesn't hold, frameworks disagree about what is
// rounded where (a f32 weight on bf16 rows promotes in one and not in the next), so
// the norm is left as the kernel that its own types describe.
//
//===----------------------------------------------------------------------===//

#include "mortar/Transforms/Fusion.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mortar;

/// The value that a region's argument or result stands for, seen from the other side.
static Value crossRegionBorder(Value value) {
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    auto region = dyn_cast_or_null<FusedOp>(arg.getOwner()->getParentOp());
    return region && region.getArgumentMap(arg) != RowMap::State
               ? Value(region.getInputs()[arg.getArgNumber()])
               : Value();
  }
  if (auto region = value.getDefiningOp<FusedOp>())
    return region.getBodyBlock()->getTerminator()->getOperand(
        cast<OpResult>(value).getResultNumber());
  return {};
}

static void collectLeafTypes(Value value, llvm::SetVector<Type> &types,
                             DenseSet<Value> &seen) {
  if (!seen.insert(value).second)
    return;
  if (Value other = crossRegionBorder(value))
    return collectLeafTypes(other, types, seen);
  if (Value source = lookThroughViews(value); source != value)
    return collectLeafTypes(source, types, seen);
  auto op = value.getDefiningOp<FusionOpInterface>();
  if (op && op.isTransparentToDtypeRule()) {
    for (Value operand : op->getOperands())
      collectLeafTypes(operand, types, seen);
    return;
  }
  types.insert(getElementTypeOrSelf(value.getType()));
}

std::optional<Refusal> mortar::checkDtypeRule(FusedOp region) {
  for (Operation &op : *region.getBodyBlock()) {
    auto norm = dyn_cast<FusionOpInterface>(op);
    if (!norm || norm.getNormRowOperand() < 0 || norm.getNormWeightOperand() < 0)
      continue;
    llvm::SetVector<Type> types;
    DenseSet<Value> seen;
    collectLeafTypes(op.getOperand(norm.getNormRowOperand()), types, seen);
    Type weight =
        getElementTypeOrSelf(op.getOperand(norm.getNormWeightOperand()).getType());
    if (types.size() == 1 && types[0] == weight)
      continue;
    std::string because;
    llvm::raw_string_ostream os(because);
    os << "the norm's row is made of ";
    llvm::interleave(types, os, " and ");
    os << ", and its weight is " << weight;
    return Refusal{"dtype-rule", because,
                   "give the weight the rows' type, or set mixed-dtypes=fuse"};
  }
  return std::nullopt;
}
