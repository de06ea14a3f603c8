//===- NormOps.cpp --------------------------------------------------------===//

#include "RowTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mortar;

LogicalResult RmsNormOp::verify() {
  if (failed(verifySameRows(*this, "C1", "input", getInput().getType(), "result",
                            getResult().getType())))
    return failure();
  APFloat epsilon = getEpsilon();
  if (!epsilon.isFinite() || epsilon.isZero() || epsilon.isNegative())
    return emitOpError() << "(C2) expected a finite epsilon greater than 0, but found "
                         << getEpsilonAttr();
  if (Value weight = getWeight()) {
    auto type = cast<ShapedType>(weight.getType());
    auto input = cast<ShapedType>(getInput().getType());
    if (type.getRank() != 1 || isa<VectorType>(type) != isa<VectorType>(input) ||
        failed(verifyCompatibleShape(type.getShape(),
                                     input.getShape().take_back())))
      return emitOpError() << "(C3) expected a weight of rank 1 with one element for "
                              "each in the last dimension of input, "
                           << input << ", but found " << type;
  }
  // Bytecode can leave out what has a default.
  if (!getWeightOffsetAttr())
    return emitOpError("(C4) expected weight_offset to be 0 or 1, but found none");
  int64_t offset = getWeightOffset();
  if (offset != 0 && (offset != 1 || !getWeight()))
    return emitOpError() << "(C4) expected weight_offset to be 0, or 1 with a weight, "
                            "but found "
                         << offset << (getWeight() ? "" : " without a weight");
  return verifyInnerType(*this, "C5", getInnerType());
}

RowMap RmsNormOp::getOperandMap(unsigned operand) {
  return operand == 0 ? RowMap::Row : RowMap::Column;
}

bool RmsNormOp::reducesRow() { return true; }
int64_t RmsNormOp::getNormRowOperand() { return 0; }
int64_t RmsNormOp::getNormWeightOperand() { return getWeight() ? 1 : -1; }

LogicalResult RmsNormOp::decompose(RewriterBase &rewriter) {
  Location loc = getLoc();
  FloatType f32 = rewriter.getF32Type();
  auto constant = [&](APFloat value) -> Value {
    return arith::ConstantOp::create(rewriter, loc, rewriter.getFloatAttr(f32, value));
  };
  Value x = widenRow(rewriter, loc, getInput());
  // mean = sum(x·x) / f32(N)
  Value squares = arith::MulFOp::create(rewriter, loc, x, x);
  Value sum = RowReduceOp::create(rewriter, loc, f32, ReductionKind::Sum, squares);
  APFloat count(float(rowLength(x.getType())));
  Value mean = arith::DivFOp::create(rewriter, loc, sum, constant(count));
  // r = 1 / sqrt(mean + epsilon), both IEEE
  Value shifted = arith::AddFOp::create(rewriter, loc, mean, constant(getEpsilon()));
  Value root = math::SqrtOp::create(rewriter, loc, shifted);
  Value rstd = arith::DivFOp::create(rewriter, loc, constant(APFloat(1.0f)), root);
  // xhat = inner(x·r)
  Value scale = RowBroadcastOp::create(rewriter, loc, x.getType(), rstd);
  Value y = arith::MulFOp::create(rewriter, loc, x, scale);
  if (auto inner = getInnerType())
    y = widenRow(rewriter, loc, roundRow(rewriter, loc, y, *inner));
  // y = xhat·(weight + offset)
  if (Value weight = getWeight()) {
    Value gamma = widenRow(rewriter, loc, weight);
    if (getWeightOffset())
      gamma = arith::AddFOp::create(rewriter, loc, gamma,
                                    splatRow(rewriter, loc, gamma, APFloat(1.0f)));
    y = arith::MulFOp::create(rewriter, loc, y, gamma);
  }
  rewriter.replaceOp(*this, roundRow(rewriter, loc, y,
                                     getElementTypeOrSelf(getType())));
  return success();
}
