//===- QuantOps.cpp -------------------------------------------------------===//

#include "RowTypes.h"

#include "mortar/Transforms/PinnedMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <limits>

using namespace mlir;
using namespace mortar;

/// The largest numbers of f8E4M3FN and i8.
constexpr float kLargestE4M3 = 448.0f, kLargestInt8 = 127.0f;
/// Of a scale per row, and of a group's largest magnitude.
constexpr float kLeastRowScale = 1.0f / (448.0f * 512.0f), kLeastOfGroup = 1e-10f;

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

/// One f32 for all rows: a tensor of one element, or in a row's program a scalar.
static LogicalResult verifyTensorScalar(Operation *op, StringRef constraint,
                                        StringRef name, Type type, Type input) {
  bool isRow = isa<VectorType>(input);
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (isRow ? type.isF32() : tensor && tensor.getDimSize(0) == 1)
    return success();
  return op->emitOpError() << "(" << constraint << ") expected " << name << " to be "
                           << (isRow ? "'f32'" : "'tensor<1xf32>'") << ", but found "
                           << type;
}

LogicalResult QuantizeOp::verify() {
  Type input = getInput().getType(), result = getResult().getType();
  if (!isa<Float8E4M3FNType>(getElementTypeOrSelf(result)))
    return emitOpError() << "(C1) expected result to be of f8E4M3FN, but found "
                         << result;
  if (failed(verifySameRows(*this, "C1", "input", input, "result", result)))
    return failure();
  return verifyTensorScalar(*this, "C2", "scale", getScale().getType(), input);
}

/// What the scales' type must be but for their element type; null if the row is dynamic.
static LogicalResult verifyScalesShape(QuantizeDynamicOp op) {
  auto input = cast<ShapedType>(op.getInput().getType());
  Type scales = op.getScales().getType();
  int64_t length = rowLength(input), groups = 1;
  if (auto size = op.getGroupSize())
    groups = ShapedType::isDynamic(length) ? length : length / int64_t(*size);
  auto fail = [&](const Twine &expected) -> LogicalResult {
    return op.emitOpError() << "(C2) expected scales to be " << expected.str()
                            << ", but found " << scales;
  };
  if (isa<VectorType>(input)) {
    auto vector = dyn_cast<VectorType>(scales);
    if (groups == 1)
      return isa<FloatType>(scales) ? success() : fail("a scalar");
    return vector && vector.getDimSize(0) == groups
               ? success()
               : fail("a vector of " + Twine(groups));
  }
  auto tensor = dyn_cast<RankedTensorType>(scales);
  SmallVector<int64_t> shape(input.getShape());
  shape.back() = groups;
  if (tensor && succeeded(verifyCompatibleShape(shape, tensor.getShape())))
    return success();
  std::string text;
  llvm::raw_string_ostream(text) << input;
  return fail("a tensor of the shape of input, '" + text + "', with " +
              (ShapedType::isDynamic(groups) ? "N/group_size" : Twine(groups).str()) +
              " for the last dimension");
}

LogicalResult QuantizeDynamicOp::verify() {
  Type input = getInput().getType(), result = getResult().getType();
  bool isE4M3 = isa<Float8E4M3FNType>(getElementTypeOrSelf(result));
  if (failed(verifySameRows(*this, "C1", "input", input, "result", result)) ||
      failed(verifyGroupSize(*this, "C3", getGroupSize(), input)) ||
      failed(verifyScalesShape(*this)))
    return failure();
  if (Value bound = getUpperBound()) {
    if (!isE4M3 || getGroupSize())
      return emitOpError() << "(C4) expected an upper_bound only for f8E4M3FN per row, "
                              "but found it for "
                           << getElementTypeOrSelf(result)
                           << (getGroupSize() ? " per group" : " per row");
    if (failed(verifyTensorScalar(*this, "C4", "upper_bound", bound.getType(), input)))
      return failure();
  }
  if (getUe8m0() && (!isE4M3 || !getGroupSize()))
    return emitOpError() << "(C5) expected ue8m0 only for f8E4M3FN per group, but found "
                            "it for "
                         << getElementTypeOrSelf(result)
                         << (getGroupSize() ? " per group" : " per row");
  Type element = getElementTypeOrSelf(getScales().getType());
  if (!element.isF32() && !getUe8m0())
    return emitOpError() << "(C6) expected scales of f32 without ue8m0, but found "
                         << element;
  return success();
}

//===----------------------------------------------------------------------===//
// What fusion asks
//===----------------------------------------------------------------------===//

RowMap QuantizeOp::getOperandMap(unsigned operand) {
  return operand == 0 ? RowMap::Row : RowMap::Scalar;
}

RowMap QuantizeDynamicOp::getOperandMap(unsigned operand) {
  return operand == 0 ? RowMap::Row : RowMap::Scalar;
}

RowMap QuantizeDynamicOp::getResultMap(unsigned result) {
  if (result == 0)
    return RowMap::Row;
  auto scales = dyn_cast<ShapedType>(getScales().getType());
  return scales && rowLength(scales) != 1 ? RowMap::GroupScalar : RowMap::RowScalar;
}

bool QuantizeDynamicOp::reducesRow() { return true; }

int64_t QuantizeDynamicOp::getReducedGroup() {
  return reducedGroup(getGroupSize(), getInput());
}

//===----------------------------------------------------------------------===//
// Decompositions
//===----------------------------------------------------------------------===//

/// A constant of f32's, a scalar or a row.
static Value constantLike(ImplicitLocOpBuilder &b, Value like, float value) {
  TypedAttr attr = b.getF32FloatAttr(value);
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    attr = DenseElementsAttr::get(vector, value);
  return arith::ConstantOp::create(b, attr);
}

/// x by the scale of its row or group, as e4m3 will see it: what saturates or becomes 0
/// there needn't be exact. `mayExceed`: more than the scale's 448 times is possible.
static Value divideForE4M3(ImplicitLocOpBuilder &b, Value x, Value scale, bool isPowerOfTwo,
                           bool mayExceed) {
  auto broadcast = [&](Value value) -> Value {
    return RowBroadcastOp::create(b, x.getType(), value);
  };
  Value one = constantLike(b, scale, 1.0f);
  Value reciprocal = arith::DivFOp::create(b, one, scale);
  if (isPowerOfTwo)
    return arith::MulFOp::create(b, x, broadcast(reciprocal));
  Value infinity = constantLike(b, scale, std::numeric_limits<float>::infinity());
  Value isInfinite =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, scale, infinity);
  if (mayExceed) {
    // Beyond is 448 all the same, but a product could overflow.
    Value limit = arith::MulFOp::create(b, scale, constantLike(b, scale, 500.0f));
    limit = arith::MinimumFOp::create(
        b, limit, constantLike(b, scale, std::numeric_limits<float>::max()));
    limit = broadcast(arith::SelectOp::create(b, isInfinite, infinity, limit));
    x = arith::MinimumFOp::create(b, x, limit);
    x = arith::MaximumFOp::create(b, x, arith::NegFOp::create(b, limit));
  }
  Value divisor = arith::SelectOp::create(b, isInfinite, constantLike(b, scale, 0.0f), scale);
  return buildQuotient(b, x, broadcast(divisor), broadcast(reciprocal));
}

LogicalResult QuantizeOp::decompose(RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(getLoc(), rewriter);
  b.setInsertionPoint(*this);
  Value x = widenRow(b, getLoc(), getInput());
  Value one = constantLike(b, getScale(), 1.0f);
  Value reciprocal = arith::DivFOp::create(b, one, getScale());
  Value factor = RowBroadcastOp::create(b, x.getType(), reciprocal);
  rewriter.replaceOp(*this, buildSaturatedE4M3(b, arith::MulFOp::create(b, x, factor)));
  return success();
}

LogicalResult QuantizeDynamicOp::decompose(RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(getLoc(), rewriter);
  b.setInsertionPoint(*this);
  bool isE4M3 = isa<Float8E4M3FNType>(getElementTypeOrSelf(getResult().getType()));
  Value x = widenRow(b, getLoc(), getInput());
  // The largest magnitude of the row or of each group.
  Type scaleType = b.getF32Type();
  if (auto groups = dyn_cast<VectorType>(getScales().getType()))
    scaleType = groups.clone(scaleType);
  Value most = RowReduceOp::create(b, scaleType, ReductionKind::Max, buildAbs(b, x));
  if (Value bound = getUpperBound())
    most = arith::MinimumFOp::create(b, most, bound);
  if (getGroupSize())
    most = arith::MaximumFOp::create(b, most, constantLike(b, most, kLeastOfGroup));
  // The scale that takes it to the largest number.
  float largest = isE4M3 ? kLargestE4M3 : kLargestInt8;
  Value scale = arith::DivFOp::create(b, most, constantLike(b, most, largest));
  if (isE4M3 && !getGroupSize())
    scale = arith::MaximumFOp::create(b, scale, constantLike(b, scale, kLeastRowScale));
  if (getUe8m0())
    scale = buildPowerOfTwoAtLeast(b, scale);

  Value quantized;
  if (isE4M3) {
    bool mayExceed = bool(getUpperBound());
    quantized = buildSaturatedE4M3(b, divideForE4M3(b, x, scale, getUe8m0(), mayExceed));
  } else {
    // A row's scale may be 0, or so small that it has no reciprocal.
    Value divisor = RowBroadcastOp::create(b, x.getType(), scale);
    quantized = buildSaturatedInt8(b, arith::DivFOp::create(b, x, divisor));
  }
  if (!getElementTypeOrSelf(getScales().getType()).isF32())
    scale = buildE8M0Code(b, scale);
  rewriter.replaceOp(*this, {quantized, scale});
  return success();
}
