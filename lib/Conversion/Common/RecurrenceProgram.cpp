//===- RecurrenceProgram.cpp - a decomposed recurrence, read once ---------===//

#include "RecurrenceProgram.h"

#include "RowProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mortar;

static bool isRow(Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  return type && type.getRank() == 1;
}

bool RecurrenceProgram::isFlexible(Value value) const {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return FusedOp(region).getArgumentMap(argument) == RowMap::Column;
  return isa<RowBroadcastOp, arith::ConstantOp>(value.getDefiningOp());
}

Extent RecurrenceProgram::extentOf(Value value) const {
  if (!isa<VectorType>(value.getType()))
    return Extent::None;
  if (!isRow(value))
    return Extent::Both;
  if (auto found = rows.find(value); found != rows.end())
    return found->second;
  // Nothing else ties it down: of a length that both have, either will do.
  return rowLength(value.getType()) == shape.values ? Extent::Values : Extent::Keys;
}

/// Ops that compute each element of a row, or a state, by itself.
static bool isElementwise(Operation &op) {
  return isa<MaskPaddingOp>(op) || isElementwisePrimitive(op);
}

static LogicalResult checkOp(FusedOp region, Operation &op, const RecurrenceShape &shape) {
  if (!isElementwise(op) &&
      !isa<RowReduceOp, RowBroadcastOp, RowPrefixOp, StateBroadcastOp, StateReduceOp>(op))
    return emitErrorAt(op) << "expected a primitive of a recurrence, but found '"
                           << op.getName() << "'; run mortar-decompose first";
  if (failed(checkRoundsAsWritten(op)))
    return failure();
  for (Value value : llvm::concat<Value>(SmallVector<Value>(op.getOperands()),
                                         SmallVector<Value>(op.getResults()))) {
    auto type = dyn_cast<VectorType>(value.getType());
    if (!type)
      continue;
    bool fits = type.getRank() == 2
                    ? type.getShape() == ArrayRef({shape.values, shape.keys})
                    : type.getRank() == 1 && llvm::is_contained({shape.values, shape.keys},
                                                                type.getDimSize(0));
    if (!fits || type.isScalable())
      return emitErrorAt(op) << "expected rows of " << shape.keys << " keys or "
                             << shape.values << " values, and states of both, but found "
                             << type;
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
        dense && !dense.isSplat())
      return emitErrorAt(op) << "expected a constant row to be a splat; pass other "
                                "constants as a column operand";
  return success();
}

/// The rows that `op` computes with element by element: what one of them runs along, all do.
static SmallVector<Value> findAlike(const RecurrenceProgram &program, Operation &op) {
  SmallVector<Value> alike;
  if (isElementwise(op) || isa<RowPrefixOp>(op))
    for (Value value : llvm::concat<Value>(SmallVector<Value>(op.getOperands()),
                                           SmallVector<Value>(op.getResults())))
      if (isRow(value) && !program.isFlexible(value))
        alike.push_back(value);
  return alike;
}

FailureOr<RecurrenceProgram> RecurrenceProgram::read(FusedOp region) {
  RecurrenceProgram program;
  program.region = region;
  FailureOr<RecurrenceShape> shape = RecurrenceShape::get(region);
  if (failed(shape))
    return failure();
  program.shape = *shape;
  Block *body = region.getBodyBlock();
  for (auto [i, value] : llvm::enumerate(body->getTerminator()->getOperands()))
    if (auto argument = dyn_cast<BlockArgument>(value))
      return region.emitError() << "expected result " << i << " of a recurrence to be "
                                << "computed, but it is argument "
                                << argument.getArgNumber();
  for (auto [i, operand] : llvm::enumerate(region.getOperands())) {
    Type element = getElementTypeOrSelf(operand.getType());
    if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8)
      return region.emitError() << "expected elements of whole bytes in operand " << i
                                << ", but found " << element;
  }
  for (BlockArgument argument : body->getArguments())
    if (isIndex(region.getArgumentMap(argument)) && !argument.use_empty())
      return emitErrorAt(**argument.user_begin())
             << "expected no primitive of a recurrence to read an index, but found one "
                "that reads its "
             << stringifyRowMap(region.getArgumentMap(argument));
  LogicalResult agree = success();
  auto runsAlong = [&](Value value, Extent extent) {
    if (!isRow(value) || program.isFlexible(value))
      return false;
    auto [found, isNew] = program.rows.try_emplace(value, extent);
    if (found->second != extent && succeeded(agree))
      agree = emitErrorAt(*(value.getDefiningOp() ? value.getDefiningOp()
                                                  : &body->front()))
              << "expected a row to run along keys or along values, but it does both";
    return isNew;
  };
  for (BlockArgument argument : body->getArguments()) {
    RowMap map = region.getArgumentMap(argument);
    if (map == RowMap::KeyRow || map == RowMap::ValueRow)
      runsAlong(argument, map == RowMap::KeyRow ? Extent::Keys : Extent::Values);
  }
  for (Value value : body->getTerminator()->getOperands())
    runsAlong(value, Extent::Values);
  for (Operation &op : body->without_terminator()) {
    if (failed(checkOp(region, op, *shape)))
      return failure();
    if (auto fill = dyn_cast<StateBroadcastOp>(op))
      runsAlong(fill.getInput(),
                fill.getAxis() == StateAxis::Keys ? Extent::Keys : Extent::Values);
    else if (auto reduce = dyn_cast<StateReduceOp>(op))
      runsAlong(reduce.getResult(), Extent::Values);
  }
  for (bool changed = true; changed && succeeded(agree);) {
    changed = false;
    for (Operation &op : body->without_terminator()) {
      SmallVector<Value> alike = findAlike(program, op);
      auto known = llvm::find_if(
          alike, [&](Value value) { return program.rows.contains(value); });
      if (known == alike.end())
        continue;
      Extent extent = program.rows.lookup(*known);
      for (Value value : alike)
        changed |= runsAlong(value, extent);
    }
  }
  if (failed(agree))
    return failure();
  for (auto reduce : region.getOps<RowReduceOp>()) {
    if (isa<VectorType>(reduce.getType()))
      return reduce.emitError("expected a recurrence to reduce whole rows, but found groups");
    program.reducesValues |= program.extentOf(reduce.getInput()) == Extent::Values;
  }
  return program;
}
