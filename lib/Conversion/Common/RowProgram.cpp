//===- RowProgram.cpp - a decomposed region, read once --------------------===//

#include "RowProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mortar;

bool mortar::isElementwisePrimitive(Operation &op) {
  if (isa<math::FmaOp, math::SqrtOp>(op))
    return getElementTypeOrSelf(op.getResult(0).getType()).isF32();
  return isa_and_nonnull<arith::ArithDialect>(op.getDialect()) && op.getNumResults() == 1 &&
         op.getNumRegions() == 0;
}

/// Row primitives: what is elementwise, and mortar.row_*.
static bool isPrimitive(Operation &op) {
  return isa<RowReduceOp, RowBroadcastOp, RowHalfOp, RowPrefixOp, RowRepeatOp, YieldOp>(
             op) ||
         isElementwisePrimitive(op);
}

InFlightDiagnostic mortar::emitErrorAt(Operation &op) {
  Location loc = op.getLoc();
  return emitError(isa<UnknownLoc>(loc) ? op.getParentOp()->getLoc() : loc);
}

LogicalResult mortar::checkRoundsAsWritten(Operation &op) {
  if (auto truncate = dyn_cast<arith::TruncFOp>(op);
      truncate && truncate.getRoundingmode().value_or(
                      arith::RoundingMode::to_nearest_even) !=
                      arith::RoundingMode::to_nearest_even)
    return emitErrorAt(op) << "expected rounding to_nearest_even in a region, but found "
                          << arith::stringifyRoundingMode(*truncate.getRoundingmode());
  if (auto fastmath = dyn_cast<arith::ArithFastMathInterface>(op))
    if (auto flags = fastmath.getFastMathFlagsAttr();
        flags && flags.getValue() != arith::FastMathFlags::none)
      return emitErrorAt(op) << "expected no fastmath flags in a region, but found "
                            << arith::stringifyFastMathFlags(flags.getValue());
  return success();
}

FailureOr<RowProgram> RowProgram::read(FusedOp region) {
  RowProgram program;
  program.region = region;
  // One value a group is no row, though it is a vector, too.
  llvm::SmallDenseSet<int64_t> groupCounts;
  for (Operation &op : *region.getBodyBlock()) {
    Type grouped = isa<RowReduceOp>(op)      ? op.getResult(0).getType()
                   : isa<RowBroadcastOp>(op) ? op.getOperand(0).getType()
                                             : Type();
    if (isa_and_nonnull<VectorType>(grouped))
      groupCounts.insert(rowLength(grouped));
  }
  for (auto [i, argument] : llvm::enumerate(region.getBodyBlock()->getArguments()))
    if (region.getInputMap(i) == RowMap::GroupScalar)
      groupCounts.insert(rowLength(argument.getType()));
  for (auto [i, value] :
       llvm::enumerate(region.getBodyBlock()->getTerminator()->getOperands()))
    if (region.getInitMap(i) == RowMap::GroupScalar)
      groupCounts.insert(rowLength(value.getType()));
  SmallVector<int64_t> lengths;
  auto note = [&](Value value) {
    if (isa<VectorType>(value.getType()) &&
        !groupCounts.contains(rowLength(value.getType())) &&
        !llvm::is_contained(lengths, rowLength(value.getType())))
      lengths.push_back(rowLength(value.getType()));
  };
  for (auto repeat : region.getOps<RowRepeatOp>()) {
    auto argument = dyn_cast<BlockArgument>(repeat.getInput());
    if (!argument || region.getInputMap(argument.getArgNumber()) != RowMap::Column)
      return repeat.emitError("expected row_repeat of a column argument, but found "
                              "another value");
    program.repeated.insert(argument);
    program.borders.push_back(rowLength(argument.getType()));
  }
  for (Value argument : region.getBodyBlock()->getArguments())
    if (!program.repeated.contains(argument))
      note(argument);
  int64_t widestReduced = 0;
  bool halved = false;
  for (Operation &op : *region.getBodyBlock()) {
    if (!isPrimitive(op))
      return emitErrorAt(op) << "expected a row primitive, but found '" << op.getName()
                            << "'; run mortar-decompose first";
    if (failed(checkRoundsAsWritten(op)))
      return failure();
    for (Value value : op.getResults()) {
      auto row = dyn_cast<VectorType>(value.getType());
      if (isa<ShapedType>(value.getType()) &&
          (!row || row.getRank() != 1 || row.isScalable()))
        return emitErrorAt(op) << "expected rows to be vectors of rank 1 and static "
                                 "length, but found "
                              << value.getType();
      note(value);
    }
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
          dense && !dense.isSplat())
        return emitErrorAt(op) << "expected a constant row to be a splat; pass other "
                                  "constants as a column operand";
    if (auto prefix = dyn_cast<RowPrefixOp>(op))
      program.borders.push_back(prefix.getLength());
    if (auto half = dyn_cast<RowHalfOp>(op)) {
      bool pairs = half.getHalf() == RowHalf::Even || half.getHalf() == RowHalf::Odd;
      if (halved && program.pairs != pairs)
        return emitErrorAt(op) << "expected wide rows to be read by halves or by pairs, "
                                  "but found both in a region";
      program.pairs = pairs;
      halved = true;
    }
    if (auto reduce = dyn_cast<RowReduceOp>(op)) {
      bool maximaOfGroups = reduce.getKind() == ReductionKind::Max &&
                            isa<VectorType>(reduce.getType());
      program.takesMaximaOfGroups =
          maximaOfGroups && (!program.reduces || program.takesMaximaOfGroups);
      program.reduces = true;
      program.sumsWholeRow |= reduce.getKind() == ReductionKind::Sum &&
                              !isa<VectorType>(reduce.getType());
      widestReduced = std::max(widestReduced, rowLength(reduce.getInput().getType()));
    }
  }
  if (lengths.empty())
    return region.emitError("expected at least one row in the region, but found "
                            "scalars only");
  program.length = *llvm::min_element(lengths);
  for (int64_t length : lengths)
    if (length != program.length && length != 2 * program.length)
      return region.emitError() << "expected rows of " << program.length << " or "
                                << 2 * program.length << " values, but found one of "
                                << length;
  if (!program.repeated.empty() && lengths.size() > 1)
    return region.emitError("expected no wide rows beside row_repeat, but found both in a "
                            "region");
  if (widestReduced > program.length)
    return region.emitError() << "expected reductions over rows of " << program.length
                              << " values, but found one over " << widestReduced;
  for (int64_t count : groupCounts) {
    if (program.length % count)
      return region.emitError() << "expected the number of groups to divide the row's "
                                << program.length << " values, but found " << count;
    program.groupLengths.push_back(program.length / count);
  }
  llvm::sort(program.groupLengths);
  llvm::append_range(program.borders, program.groupLengths);
  for (auto [i, operand] : llvm::enumerate(region.getOperands()))
    if (region.getOperandMap(i) == RowMap::Heads)
      program.borders.push_back(rowLength(operand.getType()));
  for (auto [i, operand] : llvm::enumerate(region.getOperands())) {
    Type element = getElementTypeOrSelf(operand.getType());
    if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8)
      return region.emitError() << "expected elements of whole bytes in operand " << i
                                << ", but found " << element;
    if (!isWholeRow(region.getOperandMap(i)))
      continue;
    unsigned bits = element.getIntOrFloatBitWidth();
    program.narrowestElementBytes = std::min(program.narrowestElementBytes, bits / 8);
    if (i >= region.getInputs().size())
      continue;
    Type type = region.getBodyBlock()->getArgument(i).getType();
    if (isa<VectorType>(type))
      program.loadedBytes += bits / 8 * (program.isWide(type) ? 2 : 1);
  }
  return program;
}

Value mortar::cloneElementwise(OpBuilder &b, Operation *op, ValueRange operands,
                               ArrayRef<int64_t> shape) {
  auto reshape = [&](Type type) -> Type {
    Type element = getElementTypeOrSelf(type);
    return shape.empty() ? element : Type(VectorType::get(shape, element));
  };
  Type type = reshape(op->getResult(0).getType());
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto value = cast<TypedAttr>(constant.getValue());
    if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue())) {
      auto splat = dense.getSplatValue<TypedAttr>();
      value = shape.empty() ? splat
                            : DenseElementsAttr::get(cast<ShapedType>(type),
                                                     cast<Attribute>(splat));
    }
    return arith::ConstantOp::create(b, op->getLoc(), value);
  }
  IRMapping mapping;
  mapping.map(op->getOperands(), operands);
  Operation *copy = b.clone(*op, mapping);
  copy->getResult(0).setType(type);
  return copy->getResult(0);
}

Value mortar::takeEveryOther(OpBuilder &b, Location loc, RowHalf half, Value lower,
                             Value upper) {
  int64_t width = rowLength(lower.getType());
  SmallVector<int64_t> taken;
  for (int64_t i = half == RowHalf::Odd; i < 2 * width; i += 2)
    taken.push_back(i);
  return vector::ShuffleOp::create(b, loc, lower, upper, taken);
}

APFloat mortar::getNeutralElement(ReductionKind kind) {
  switch (kind) {
  case ReductionKind::Sum:
    return APFloat(-0.0f);
  case ReductionKind::Max:
    return APFloat::getInf(APFloat::IEEEsingle(), /*Negative=*/true);
  }
  llvm_unreachable("all kinds are named above");
}

Value mortar::combine(OpBuilder &b, Location loc, ReductionKind kind, Value lhs,
                      Value rhs) {
  if (kind == ReductionKind::Sum)
    return arith::AddFOp::create(b, loc, lhs, rhs);
  return arith::MaximumFOp::create(b, loc, lhs, rhs);
}
