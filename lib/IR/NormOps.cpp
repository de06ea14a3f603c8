//===- NormOps.cpp --------------------------------------------------------===//

#include "RowTypes.h"

#include "mortar/Transforms/PinnedMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mortar;

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

LogicalResult mortar::verifyEpsilon(Operation *op, FloatAttr attr) {
  APFloat epsilon = attr.getValue();
  if (!epsilon.isFinite() || epsilon.isZero() || epsilon.isNegative())
    return op->emitOpError() << "(C2) expected a finite epsilon greater than 0, but found "
                             << attr;
  return success();
}

/// (C3) of both norms, for a weight or a bias.
static LogicalResult verifyColumn(Operation *op, StringRef name, Type inputType,
                                  Value column) {
  auto type = cast<ShapedType>(column.getType()), input = cast<ShapedType>(inputType);
  if (type.getRank() != 1 || isa<VectorType>(type) != isa<VectorType>(input) ||
      failed(verifyCompatibleShape(type.getShape(), input.getShape().take_back())))
    return op->emitOpError() << "(C3) expected a " << name
                             << " of rank 1 with one element for "
                                "each in the last dimension of input, "
                             << inputType << ", but found " << type;
  return success();
}

LogicalResult RmsNormOp::verify() {
  Type input = getInput().getType();
  if (failed(verifySameRows(*this, "C1", "input", input, "result",
                            getResult().getType())) ||
      failed(verifyEpsilon(*this, getEpsilonAttr())) ||
      (getWeight() && failed(verifyColumn(*this, "weight", input, getWeight()))))
    return failure();
  // Bytecode can leave out what has a default.
  if (!getWeightOffsetAttr())
    return emitOpError("(C4) expected weight_offset to be 0 or 1, but found none");
  int64_t offset = getWeightOffset();
  if (offset != 0 && (offset != 1 || !getWeight()))
    return emitOpError() << "(C4) expected weight_offset to be 0, or 1 with a weight, "
                            "but found "
                         << offset << (getWeight() ? "" : " without a weight");
  if (failed(verifyInnerType(*this, "C5", getInnerType())))
    return failure();
  if (auto given = getVarianceSize()) {
    int64_t size = *given, length = rowLength(input);
    bool known = !ShapedType::isDynamic(length);
    if (size < 1 || (known && size > length)) {
      auto error = emitOpError() << "(C6) expected a variance_size ";
      if (known)
        error << "from 1 to " << length;
      else
        error << "of at least 1";
      return error << ", but found " << size;
    }
    if (getGroupSize())
      return emitOpError("(C7) expected variance_size or group_size, but found both");
  }
  return verifyGroupSize(*this, "C7", getGroupSize(), input);
}

LogicalResult GatedRmsNormOp::verify() {
  Type input = getInput().getType();
  if (failed(verifySameRows(*this, "C1", "input", input, "gate", getGate().getType())) ||
      failed(verifySameRows(*this, "C1", "input", input, "result",
                            getResult().getType())) ||
      failed(verifyEpsilon(*this, getEpsilonAttr())) ||
      failed(verifyColumn(*this, "weight", input, getWeight())) ||
      (getBias() && failed(verifyColumn(*this, "bias", input, getBias()))) ||
      failed(verifyGroupSize(*this, "C4", getGroupSize(), input)))
    return failure();
  if (int64_t offset = getWeightOffset(); offset != 0 && offset != 1)
    return emitOpError() << "(C5) expected weight_offset to be 0 or 1, but found "
                         << offset;
  if (failed(verifyInnerType(*this, "C6", getInnerType())) ||
      failed(verifyInnerType(*this, "C6", getWeightedType(), "weighted")))
    return failure();
  if (getWeightedType() && !getNormBeforeGate())
    return emitOpError("(C7) expected no weighted type with norm_before_gate(false), but "
                       "found ")
           << *getWeightedType() << "; the result's type rounds there";
  return success();
}

//===----------------------------------------------------------------------===//
// What fusion asks
//===----------------------------------------------------------------------===//

RowMap RmsNormOp::getOperandMap(unsigned operand) {
  return operand == 0 ? RowMap::Row : RowMap::Column;
}

bool RmsNormOp::reducesRow() { return true; }
int64_t RmsNormOp::getReducedGroup() { return reducedGroup(getGroupSize(), getInput()); }
int64_t RmsNormOp::getNormRowOperand() { return 0; }
int64_t RmsNormOp::getNormWeightOperand() { return getWeight() ? 1 : -1; }

RowMap GatedRmsNormOp::getOperandMap(unsigned operand) {
  return operand < 2 ? RowMap::Row : RowMap::Column;
}

bool GatedRmsNormOp::reducesRow() { return true; }

int64_t GatedRmsNormOp::getReducedGroup() {
  return reducedGroup(getGroupSize(), getInput());
}
int64_t GatedRmsNormOp::getNormRowOperand() { return 0; }
int64_t GatedRmsNormOp::getNormWeightOperand() { return 2; }

/// A norm of heads is one of groups.
template <typename Norm>
static Operation *coarsenNorm(Norm norm, OpBuilder &b, ValueRange operands, int64_t heads) {
  int64_t group = norm.getGroupSize().value_or(rowLength(norm.getInput().getType()));
  if (group == 1)
    return nullptr;
  auto made = cast<Norm>(cloneOnRows(norm, b, operands, heads));
  made.setGroupSize(group);
  return made;
}

Operation *RmsNormOp::coarsen(OpBuilder &b, ValueRange operands, int64_t heads) {
  return getVarianceSize() ? nullptr : coarsenNorm(*this, b, operands, heads);
}

Operation *GatedRmsNormOp::coarsen(OpBuilder &b, ValueRange operands, int64_t heads) {
  return coarsenNorm(*this, b, operands, heads);
}

//===----------------------------------------------------------------------===//
// Decompositions
//===----------------------------------------------------------------------===//

/// x·r with r = 1 / sqrt(sum(x·x)/f32(count) + epsilon), for the whole row or each of
/// `groups`; the sum is over the first `count` values of each.
static Value normalize(ImplicitLocOpBuilder &b, Value x, int64_t groups, int64_t count,
                       APFloat epsilon) {
  Type type = b.getF32Type(); // of what is known of a group
  if (groups > 1)
    type = VectorType::get({groups}, type);
  auto constant = [&](APFloat value) -> Value {
    TypedAttr attr = b.getFloatAttr(b.getF32Type(), value);
    if (auto vector = dyn_cast<VectorType>(type))
      attr = DenseElementsAttr::get(vector, value);
    return arith::ConstantOp::create(b, attr);
  };
  // mean = sum(x·x) / f32(count)
  Value squares = arith::MulFOp::create(b, x, x);
  if (count * groups < rowLength(x.getType()))
    squares = RowPrefixOp::create(b, squares.getType(), squares, b.getI64IntegerAttr(count),
                                  b.getF32FloatAttr(-0.0f));
  Value sum = RowReduceOp::create(b, type, ReductionKind::Sum, squares);
  Value mean = arith::DivFOp::create(b, sum, constant(APFloat(float(count))));
  // r = 1 / sqrt(mean + epsilon), both IEEE
  Value shifted = arith::AddFOp::create(b, mean, constant(epsilon));
  Value root = math::SqrtOp::create(b, shifted);
  Value rstd = arith::DivFOp::create(b, constant(APFloat(1.0f)), root);
  Value scale = RowBroadcastOp::create(b, x.getType(), rstd);
  return arith::MulFOp::create(b, x, scale);
}

/// `row` rounded to `type`, if given, and f32 again.
static Value roundAt(ImplicitLocOpBuilder &b, Value row, std::optional<Type> type) {
  Location loc = b.getLoc();
  return type ? widenRow(b, loc, roundRow(b, loc, row, *type)) : row;
}

/// xhat·(weight + offset)
static Value weigh(ImplicitLocOpBuilder &b, Value xhat, Value weight, int64_t offset) {
  Value gamma = widenRow(b, b.getLoc(), weight);
  if (offset)
    gamma = arith::AddFOp::create(b, gamma,
                                  splatRow(b, b.getLoc(), gamma, APFloat(1.0f)));
  return arith::MulFOp::create(b, xhat, gamma);
}

LogicalResult RmsNormOp::decompose(RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(getLoc(), rewriter);
  b.setInsertionPoint(*this);
  Value x = widenRow(b, getLoc(), getInput());
  int64_t length = rowLength(x.getType()), group = getGroupSize().value_or(length);
  int64_t count = getVarianceSize().value_or(group);
  Value y = roundAt(b, normalize(b, x, length / group, count, getEpsilon()),
                    getInnerType());
  if (Value weight = getWeight())
    y = weigh(b, y, weight, getWeightOffset());
  rewriter.replaceOp(*this, roundRow(b, getLoc(), y, getElementTypeOrSelf(getType())));
  return success();
}

LogicalResult GatedRmsNormOp::decompose(RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(getLoc(), rewriter);
  b.setInsertionPoint(*this);
  Value x = widenRow(b, getLoc(), getInput());
  Value z = widenRow(b, getLoc(), getGate());
  auto gate = [&](Value value) -> Value {
    Value act = getActivation() == GateActivation::Sigmoid ? buildSigmoid(b, z)
                                                           : buildSilu(b, z);
    return arith::MulFOp::create(b, value, act);
  };
  bool normFirst = getNormBeforeGate();
  if (!normFirst)
    x = gate(x);
  int64_t length = rowLength(x.getType()), count = getGroupSize().value_or(length);
  Value y = roundAt(b, normalize(b, x, length / count, count, getEpsilon()),
                    getInnerType());
  y = weigh(b, y, getWeight(), getWeightOffset());
  if (Value bias = getBias())
    y = arith::AddFOp::create(b, y, widenRow(b, getLoc(), bias));
  if (normFirst)
    y = gate(roundAt(b, y, getWeightedType()));
  rewriter.replaceOp(*this, roundRow(b, getLoc(), y, getElementTypeOrSelf(getType())));
  return success();
}
