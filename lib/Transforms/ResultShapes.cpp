//===- ResultShapes.cpp - the sizes of what callers allocate --------------===//

#include "DestinationAssigner.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mortar;

/// The size of dimension `index` of `tensor` in the shapes function, where sizes of
/// arguments are sizes of memrefs.
Value DestinationAssigner::cloneDim(Value tensor, int64_t index, OpBuilder &into,
                                    Block &args, IRMapping &mapping) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || index < 0 || index >= type.getRank())
    return {};
  if (!type.isDynamicDim(index))
    return arith::ConstantIndexOp::create(into, tensor.getLoc(),
                                          type.getDimSize(index));
  if (auto arg = dyn_cast<BlockArgument>(tensor))
    return memref::DimOp::create(into, tensor.getLoc(),
                                 args.getArgument(arg.getArgNumber()), index);
  if (auto fused = tensor.getDefiningOp<FusedOp>())
    return cloneDim(fused.getInits()[cast<OpResult>(tensor).getResultNumber()], index,
                    into, args, mapping);
  if (auto cast = tensor.getDefiningOp<tensor::CastOp>())
    return cloneDim(cast.getSource(), index, into, args, mapping);
  if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>())
    return cloneSize(empty.getDynamicSize(index), into, args, mapping);
  return {};
}

/// Clones the computation of `size` into the shapes function.
Value DestinationAssigner::cloneSize(Value size, OpBuilder &into, Block &args,
                                     IRMapping &mapping) {
  if (Value done = mapping.lookupOrNull(size))
    return done;
  Operation *def = size.getDefiningOp();
  if (auto dim = dyn_cast_or_null<tensor::DimOp>(def)) {
    auto index = dim.getConstantIndex();
    Value made = index ? cloneDim(dim.getSource(), *index, into, args, mapping) : Value();
    if (made)
      mapping.map(size, made);
    return made;
  }
  if (!def || def->getNumRegions() || def->getNumResults() != 1)
    return {};
  for (Value operand : def->getOperands()) {
    if (!isa<IndexType>(operand.getType()))
      return {};
    Value made = cloneSize(operand, into, args, mapping);
    if (!made)
      return {};
    mapping.map(operand, made);
  }
  return into.clone(*def, mapping)->getResult(0);
}

LogicalResult DestinationAssigner::buildShapes() {
  SmallVector<Type> argTypes = llvm::map_to_vector(
      entry.getArguments(), [](Value arg) -> Type { return getBufferType(arg); });
  b.setInsertionPointAfter(func);
  auto shapes = func::FuncOp::create(b, func.getLoc(),
                                     (func.getName() + ".shapes").str(),
                                     b.getFunctionType(argTypes, {}));
  shapes.setPrivate();
  Block *body = shapes.addEntryBlock();
  OpBuilder into = OpBuilder::atBlockEnd(body);
  IRMapping mapping;
  SmallVector<Value> sizes;
  for (auto [result, argument] : llvm::zip_equal(returned, home)) {
    if (argument >= 0)
      continue;
    auto fused = cast<FusedOp>(result.getOwner());
    auto empty =
        fused.getInits()[result.getResultNumber()].getDefiningOp<tensor::EmptyOp>();
    if (!empty)
      return fused.emitError("expected the destination of a returned result to be a "
                             "tensor.empty, but found another tensor");
    for (Value size : empty.getDynamicSizes()) {
      Value made = cloneSize(size, into, *body, mapping);
      if (!made)
        return empty.emitError("expected the result's size to be computed from the "
                               "arguments' sizes alone, but found another op");
      sizes.push_back(made);
    }
  }
  func::ReturnOp::create(into, func.getLoc(), sizes);
  shapes.setFunctionType(b.getFunctionType(argTypes, ValueRange(sizes).getTypes()));
  return success();
}
