//===- RowProgram.cpp - a decomposed region, read once --------------------===//

#include "RowProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mortar;

/// Row primitives: elementwise arith, the two math ops that are IEEE instructions
/// everywhere, and mortar.row_*.
static bool isPrimitive(Operation &op) {
  if (isa<RowReduceOp, RowBroadcastOp, RowHalfOp, YieldOp>(op))
    return true;
  if (isa<math::FmaOp, math::SqrtOp>(op))
    return getElementTypeOrSelf(op.getResult(0).getType()).isF32();
  return isa<arith::ArithDialect>(op.getDialect()) && op.getNumResults() == 1 &&
         op.getNumRegions() == 0;
}

/// What upstream lets an op say that would make its bits depend on the device: an error.
static LogicalResult checkRoundsAsWritten(Operation &op) {
  if (auto truncate = dyn_cast<arith::TruncFOp>(op);
      truncate && truncate.getRoundingmode().value_or(
                      arith::RoundingMode::to_nearest_even) !=
                      arith::RoundingMode::to_nearest_even)
    return op.emitError() << "expected rounding to_nearest_even in a region, but found "
                          << arith::stringifyRoundingMode(*truncate.getRoundingmode());
  if (auto fastmath = dyn_cast<arith::ArithFastMathInterface>(op))
    if (auto flags = fastmath.getFastMathFlagsAttr();
        flags && flags.getValue() != arith::FastMathFlags::none)
      return op.emitError() << "expected no fastmath flags in a region, but found "
                            << arith::stringifyFastMathFlags(flags.getValue());
  return success();
}

FailureOr<RowProgram> RowProgram::read(FusedOp region) {
  RowProgram program;
  program.region = region;
  if (region.getDomain() != IterationDomain::Rows)
    return region.emitError("expected the domain rows, but found a recurrence, which "
                            "has no lowering yet");
  SmallVector<int64_t> lengths;
  auto note = [&](Value value) {
    if (isa<VectorType>(value.getType()) &&
        !llvm::is_contained(lengths, rowLength(value.getType())))
      lengths.push_back(rowLength(value.getType()));
  };
  for (Value argument : region.getBodyBlock()->getArguments())
    note(argument);
  for (Attribute map : llvm::concat<const Attribute>(region.getInputMaps(),
                                                     region.getInitMaps()))
    if (cast<RowMapAttr>(map).getValue() == RowMap::GroupScalar)
      return region.emitError("operands by group have no lowering yet");
  int64_t widestReduced = 0;
  for (Operation &op : *region.getBodyBlock()) {
    if (isa<RowPrefixOp>(op))
      return op.emitError("a row's prefix has no lowering yet");
    for (Value value : llvm::concat<Value>(SmallVector<Value>(op.getOperands()),
                                           SmallVector<Value>(op.getResults())))
      if (Type element = getElementTypeOrSelf(value.getType());
          isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 16)
        return op.emitError() << "elements of " << element << " have no lowering yet";
    if (!isPrimitive(op))
      return op.emitError() << "expected a row primitive, but found '" << op.getName()
                            << "'; run mortar-decompose first";
    if (failed(checkRoundsAsWritten(op)))
      return failure();
    for (Value value : op.getResults())
      note(value);
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
          dense && !dense.isSplat())
        return op.emitError("expected a constant row to be a splat; pass other "
                            "constants as a column operand");
    if (auto half = dyn_cast<RowHalfOp>(op);
        half && (half.getHalf() == RowHalf::Even || half.getHalf() == RowHalf::Odd))
      return op.emitError("every other element of a row has no lowering yet");
    if (auto reduce = dyn_cast<RowReduceOp>(op)) {
      if (isa<VectorType>(reduce.getType()))
        return op.emitError("reductions over groups have no lowering yet");
      program.reduces = true;
      widestReduced = std::max(widestReduced, rowLength(reduce.getInput().getType()));
    }
    if (auto broadcast = dyn_cast<RowBroadcastOp>(op))
      if (isa<VectorType>(broadcast.getInput().getType()))
        return op.emitError("broadcasts over groups have no lowering yet");
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
  if (widestReduced > program.length)
    return region.emitError() << "expected reductions over rows of " << program.length
                              << " values, but found one over " << widestReduced;
  for (auto [i, operand] : llvm::enumerate(region.getOperands())) {
    unsigned inputs = region.getInputs().size();
    RowMap map = i < inputs ? region.getInputMap(i) : region.getInitMap(i - inputs);
    Type element = getElementTypeOrSelf(operand.getType());
    if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() % 8)
      return region.emitError() << "expected elements of whole bytes in operand " << i
                                << ", but found " << element;
    if (map != RowMap::Row)
      continue;
    unsigned bits = element.getIntOrFloatBitWidth();
    program.narrowestElementBytes = std::min(program.narrowestElementBytes, bits / 8);
    Type type = region.getBodyBlock()->getArgument(i).getType();
    if (i < inputs && isa<VectorType>(type))
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
