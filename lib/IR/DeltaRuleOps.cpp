//===- DeltaRuleOps.cpp ---------------------------------------------------===//

#include "RowTypes.h"

#include "mortar/Transforms/PinnedMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <cmath>

using namespace mlir;
using namespace mortar;

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

LogicalResult GdnGatingOp::verify() {
  auto input = dyn_cast<ShapedType>(getA().getType());
  for (auto [name, type] :
       {std::pair("b", getB().getType()), std::pair("decay", getDecay().getType()),
        std::pair("strength", getStrength().getType())}) {
    auto shaped = dyn_cast<ShapedType>(type);
    if (bool(input) != bool(shaped) ||
        (input && (isa<VectorType>(input) != isa<VectorType>(shaped) ||
                   failed(verifyCompatibleShape(input, shaped)))))
      return emitOpError() << "(C1) expected " << name << " to have the shape of a, "
                           << getA().getType() << ", but found " << type;
  }
  for (auto [name, type] : {std::pair("dt_bias", getDtBias().getType()),
                            std::pair("a_log", getALog().getType())}) {
    auto shaped = dyn_cast<ShapedType>(type);
    if (bool(input) != bool(shaped) ||
        (input && (shaped.getRank() != 1 || isa<VectorType>(input) != isa<VectorType>(shaped) ||
                   failed(verifyCompatibleShape(shaped.getShape(),
                                                input.getShape().take_back())))))
      return emitOpError() << "(C2) expected " << name
                           << " to have rank 1 and one element for each head of a, "
                           << getA().getType() << ", but found " << type;
  }
  return success();
}

LogicalResult L2NormOp::verify() {
  if (failed(verifySameRows(*this, "C1", "input", getInput().getType(), "result",
                            getResult().getType())))
    return failure();
  return verifyEpsilon(*this, getEpsilonAttr());
}

/// Whether all extents of `shape` are static and at least 1.
static bool areKnown(ArrayRef<int64_t> shape) {
  return llvm::all_of(shape, [](int64_t extent) { return extent >= 1; });
}

/// (C9), for a token's program.
static LogicalResult verifyToken(GatedDeltaRuleOp op) {
  auto fail = [&](StringRef name, const Twine &expected, Type found) {
    return op.emitOpError() << "(C9) expected " << name << " of a token's program to be "
                            << expected << ", but found " << found;
  };
  auto state = dyn_cast<VectorType>(op.getState().getType());
  auto query = cast<ShapedType>(op.getQuery().getType());
  auto value = cast<ShapedType>(op.getValue().getType());
  if (!state || op.getNewState().getType() != state)
    return fail("the states", "one matrix type",
                state ? op.getNewState().getType() : op.getState().getType());
  for (auto [name, type] : {std::pair("query", query), std::pair("key", cast<ShapedType>(op.getKey().getType()))})
    if (!isa<VectorType>(type) || type.getShape() != state.getShape().take_back())
      return fail(name, "a row of " + Twine(state.getDimSize(1)) + " keys", type);
  for (auto [name, type] : {std::pair("value", value), std::pair("result", cast<ShapedType>(op.getResult().getType()))})
    if (!isa<VectorType>(type) || type.getShape() != state.getShape().take_front())
      return fail(name, "a row of " + Twine(state.getDimSize(0)) + " values", type);
  for (Value scalar : {op.getDecay(), op.getBeta(), op.getSlots(), op.getBounds(), op.getAccepted()})
    if (scalar && isa<ShapedType>(scalar.getType()))
      return fail("decay, beta and indices", "scalars", scalar.getType());
  return success();
}

/// (C1) to (C6) and (C8), for tensors.
static LogicalResult verifyTensors(GatedDeltaRuleOp op) {
  auto fail = [&](StringRef constraint, const Twine &expected, Type found) {
    return op.emitOpError() << "(" << constraint << ") expected " << expected
                            << ", but found " << found;
  };
  SmallVector<RankedTensorType> types;
  for (Value value : op.getOperands()) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return fail("C9", "all operands to be tensors, or parts of a token's program",
                  value.getType());
    types.push_back(type);
  }
  RankedTensorType query = types[0], key = types[1], value = types[2], decay = types[3],
                   beta = types[4], state = types[5], slots = types[6];
  unsigned rank = query.getRank();
  if ((rank != 3 && rank != 4) || !areKnown(query.getShape().take_back(2)))
    return fail("C1", "a query of shape [.., H, K] with one or two leading dimensions, and "
                      "H and K static", query);
  if (failed(verifyCompatibleShape(query, key)))
    return fail("C1", "a key of the query's shape", key);
  ArrayRef<int64_t> tokens = query.getShape().drop_back(2);
  if (value.getRank() != rank || !areKnown(value.getShape().take_back(2)) ||
      failed(verifyCompatibleShape(tokens, value.getShape().drop_back(2))))
    return fail("C1", "a value of shape [.., HV, V] with the query's leading dimensions, "
                      "and HV and V static", value);
  int64_t heads = value.getShape().end()[-2], keyHeads = query.getShape().end()[-2];
  int64_t keys = query.getShape().back(), values = value.getShape().back();
  if (heads % keyHeads)
    return fail("C1", "a number of value heads that is a multiple of the " + Twine(keyHeads) +
                          " key heads", value);
  for (auto [name, type] : {std::pair("decay", decay), std::pair("beta", beta)})
    if (type.getRank() != rank - 1 || failed(verifyCompatibleShape(type.getShape(), value.getShape().drop_back())))
      return fail("C2", Twine(name) + " to have the value's shape without its last dimension", type);
  if (state.getRank() != 4 || state.getShape().drop_front() != ArrayRef({heads, values, keys}))
    return fail("C3", "a state of shape [slots, " + Twine(heads) + ", " + Twine(values) + ", " +
                          Twine(keys) + "]", state);
  if (op.getNewState().getType() != state)
    return fail("C3", "the new state to have the state's type", op.getNewState().getType());
  if (slots.getRank() != 1 && (slots.getRank() != 2 || !areKnown(slots.getShape().take_back())))
    return fail("C4", "slots of shape [S] or [S, N], with N static and at least 1", slots);
  if (Value bounds = op.getBounds())
    if (rank != 3 || cast<RankedTensorType>(bounds.getType()).getRank() != 1)
      return fail("C5", "bounds of rank 1, beside one leading dimension of tokens", bounds.getType());
  if (Value accepted = op.getAccepted()) {
    auto type = cast<RankedTensorType>(accepted.getType());
    if (slots.getRank() != 2 || type.getRank() != 1 ||
        failed(verifyCompatibleShape(type.getShape(), slots.getShape().take_front())))
      return fail("C6", "accepted of shape [S], beside slots of shape [S, N]", type);
  }
  auto result = dyn_cast<RankedTensorType>(op.getResult().getType());
  if (!result || failed(verifyCompatibleShape(result, value)))
    return fail("C8", "a result of the value's shape", op.getResult().getType());
  return success();
}

LogicalResult GatedDeltaRuleOp::verify() {
  bool isToken = isa<VectorType>(getQuery().getType());
  if (failed(isToken ? verifyToken(*this) : verifyTensors(*this)))
    return failure();
  if (auto given = getScaleAttr()) {
    APFloat scale = given.getValue();
    if (!scale.isFinite() || scale.isZero() || scale.isNegative())
      return emitOpError() << "(C7) expected a finite scale greater than 0, but found "
                           << given;
  }
  ArrayRef<int64_t> matrix = cast<ShapedType>(getState().getType()).getShape().take_back(2);
  if (matrix[1] > 1024 || matrix[0] > 65536 / matrix[1])
    return emitOpError() << "(C10) expected at most 1024 keys, and at most 65536 elements "
                            "in a head's state, but found "
                         << matrix[0] << " times " << matrix[1];
  return success();
}

//===----------------------------------------------------------------------===//
// What fusion asks
//===----------------------------------------------------------------------===//

RowMap GdnGatingOp::getOperandMap(unsigned operand) {
  return operand == 0 || operand == 3 ? RowMap::Row : RowMap::Column;
}

bool GdnGatingOp::acceptsScalars() { return true; }

bool L2NormOp::reducesRow() { return true; }

IterationDomain GatedDeltaRuleOp::getIterationDomain() { return IterationDomain::Recurrence; }

RowMap GatedDeltaRuleOp::getOperandMap(unsigned operand) {
  static constexpr RowMap maps[] = {RowMap::KeyRow,     RowMap::KeyRow,
                                    RowMap::ValueRow,   RowMap::HeadScalar,
                                    RowMap::HeadScalar, RowMap::State,
                                    RowMap::Slots};
  if (operand < std::size(maps))
    return maps[operand];
  return operand == 7 && getBounds() ? RowMap::Bounds : RowMap::Accepted;
}

RowMap GatedDeltaRuleOp::getResultMap(unsigned result) {
  return result == 0 ? RowMap::ValueRow : RowMap::State;
}

//===----------------------------------------------------------------------===//
// Decompositions
//===----------------------------------------------------------------------===//

LogicalResult GdnGatingOp::decompose(RewriterBase &rewriter) {
  Location loc = getLoc();
  ImplicitLocOpBuilder b(loc, rewriter);
  b.setInsertionPoint(*this);
  Value x = arith::AddFOp::create(b, widenRow(b, loc, getA()), widenRow(b, loc, getDtBias()));
  Value softplus = buildSoftplus(b, x, 20.0f);
  Value rate = buildExp(b, widenRow(b, loc, getALog()));
  Value decay = arith::NegFOp::create(b, arith::MulFOp::create(b, rate, softplus));
  Value strength = buildSigmoid(b, widenRow(b, loc, getB()));
  rewriter.replaceOp(
      *this, {roundRow(b, loc, decay, getElementTypeOrSelf(getDecay().getType())),
              roundRow(b, loc, strength, getElementTypeOrSelf(getStrength().getType()))});
  return success();
}

LogicalResult L2NormOp::decompose(RewriterBase &rewriter) {
  Location loc = getLoc();
  ImplicitLocOpBuilder b(loc, rewriter);
  b.setInsertionPoint(*this);
  auto constant = [&](APFloat value) -> Value {
    return arith::ConstantOp::create(b, b.getFloatAttr(b.getF32Type(), value));
  };
  Value x = widenRow(b, loc, getInput());
  Value squares = arith::MulFOp::create(b, x, x);
  Value sum = RowReduceOp::create(b, b.getF32Type(), ReductionKind::Sum, squares);
  Value root = math::SqrtOp::create(b, arith::AddFOp::create(b, sum, constant(getEpsilon())));
  Value r = arith::DivFOp::create(b, constant(APFloat(1.0f)), root);
  Value y = arith::MulFOp::create(b, x, RowBroadcastOp::create(b, x.getType(), r));
  rewriter.replaceOp(*this, roundRow(b, loc, y, getElementTypeOrSelf(getType())));
  return success();
}

LogicalResult GatedDeltaRuleOp::decompose(RewriterBase &rewriter) {
  Location loc = getLoc();
  ImplicitLocOpBuilder b(loc, rewriter);
  b.setInsertionPoint(*this);
  auto matrix = cast<VectorType>(getState().getType());
  auto values = VectorType::get(matrix.getShape().take_front(), b.getF32Type());
  auto keys = VectorType::get(matrix.getShape().take_back(), b.getF32Type());
  auto fillKeys = [&](Value row) -> Value {
    return StateBroadcastOp::create(b, matrix, StateAxis::Keys, row);
  };
  auto fillValues = [&](Value row) -> Value {
    return StateBroadcastOp::create(b, matrix, StateAxis::Values, row);
  };
  auto sumOverKeys = [&](Value state, Value row) -> Value {
    Value products = arith::MulFOp::create(b, state, fillKeys(row));
    return StateReduceOp::create(b, values, products);
  };
  APFloat scale = getScale().value_or(APFloat(float(1.0 / std::sqrt(double(keys.getNumElements())))));
  Value query = widenRow(b, loc, getQuery());
  query = arith::MulFOp::create(b, query, splatRow(b, loc, query, scale));
  Value key = widenRow(b, loc, getKey()), value = widenRow(b, loc, getValue());
  Value decay = buildExp(b, widenRow(b, loc, getDecay()));
  // S·exp(decay)
  Value state = arith::MulFOp::create(
      b, getState(), fillValues(RowBroadcastOp::create(b, values, decay)));
  // u = beta·(v - S·k);  S + u kᵀ
  Value missing = arith::SubFOp::create(b, value, sumOverKeys(state, key));
  Value beta = RowBroadcastOp::create(b, values, widenRow(b, loc, getBeta()));
  Value update = arith::MulFOp::create(b, beta, missing);
  state = math::FmaOp::create(b, fillValues(update), fillKeys(key), state);
  // o = S·q, and zeros for padding
  Value read = MaskPaddingOp::create(b, values, sumOverKeys(state, query));
  rewriter.replaceOp(
      *this, {roundRow(b, loc, read, getElementTypeOrSelf(getResult().getType())), state});
  return success();
}
