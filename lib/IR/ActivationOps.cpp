//===- ActivationOps.cpp - one part of a row gates the other --------------===//

#include "RowTypes.h"

#include "mortar/Transforms/PinnedMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mortar;

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

/// (C1) and (C2) of every op here.
static LogicalResult verifyHalves(Operation *op) {
  auto input = cast<ShapedType>(op->getOperand(0).getType());
  auto result = cast<ShapedType>(op->getResult(0).getType());
  int64_t width = input.getShape().back();
  if (!ShapedType::isDynamic(width) && width % 2)
    return op->emitOpError()
           << "(C1) expected an even last dimension of input, but found " << width;
  SmallVector<int64_t> half(input.getShape());
  if (!ShapedType::isDynamic(width))
    half.back() = width / 2;
  if (isa<VectorType>(input) != isa<VectorType>(result) ||
      failed(verifyCompatibleShape(half, result.getShape())))
    return op->emitOpError() << "(C2) expected result to have the shape of input, "
                             << input << ", with half of its last dimension, but found "
                             << result;
  return success();
}

static LogicalResult verifyLimit(Operation *op, StringRef constraint, FloatAttr limit) {
  APFloat value = limit.getValue();
  if (value.isNaN() || value.isZero() || value.isNegative())
    return op->emitOpError() << "(" << constraint
                             << ") expected a limit greater than 0, but found " << limit;
  return success();
}

LogicalResult SiluAndMulOp::verify() {
  if (failed(verifyHalves(*this)) ||
      (getLimitAttr() && failed(verifyLimit(*this, "C3", getLimitAttr()))))
    return failure();
  return verifyInnerType(*this, "C4", getInnerType());
}

LogicalResult MulAndSiluOp::verify() {
  if (failed(verifyHalves(*this)))
    return failure();
  return verifyInnerType(*this, "C3", getInnerType());
}

LogicalResult GeluAndMulOp::verify() {
  if (failed(verifyHalves(*this)))
    return failure();
  return verifyInnerType(*this, "C3", getInnerType());
}

LogicalResult SwigluOaiAndMulOp::verify() {
  if (failed(verifyHalves(*this)))
    return failure();
  APFloat alpha = getAlpha();
  if (!alpha.isFinite() || alpha.isZero() || alpha.isNegative())
    return emitOpError() << "(C3) expected a finite alpha greater than 0, but found "
                         << getAlphaAttr();
  if (failed(verifyLimit(*this, "C4", getLimitAttr())))
    return failure();
  return verifyInnerType(*this, "C5", getInnerType());
}

LogicalResult SwigluStepAndMulOp::verify() {
  if (failed(verifyHalves(*this)) || failed(verifyLimit(*this, "C3", getLimitAttr())))
    return failure();
  return verifyInnerType(*this, "C4", getInnerType());
}

LogicalResult FatreluAndMulOp::verify() {
  if (failed(verifyHalves(*this)))
    return failure();
  if (getThreshold().isNaN())
    return emitOpError() << "(C3) expected a threshold that is a number, but found "
                         << getThresholdAttr();
  return success();
}

//===----------------------------------------------------------------------===//
// Decompositions
//===----------------------------------------------------------------------===//

namespace {
/// Writes out one op: takes a row apart, and rounds where the op's types say so.
struct Decomposition {
  Decomposition(Operation *op, RewriterBase &rewriter)
      : op(op), rewriter(rewriter), b(op->getLoc(), rewriter) {
    b.setInsertionPoint(op);
  }

  /// One part of the row, in f32.
  Value take(RowHalf which) {
    Value row = op->getOperand(0);
    auto type = cast<VectorType>(row.getType());
    auto half = VectorType::get({type.getDimSize(0) / 2}, type.getElementType());
    return widenRow(b, b.getLoc(), RowHalfOp::create(b, half, which, row));
  }

  Value splat(Value like, APFloat value) { return splatRow(b, b.getLoc(), like, value); }
  Value splat(Value like, float value) { return splat(like, APFloat(value)); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }

  /// NaN passes.
  Value atMost(Value x, APFloat limit) {
    return arith::MinimumFOp::create(b, x, splat(x, limit));
  }
  Value clamp(Value x, APFloat limit) {
    return arith::MaximumFOp::create(b, atMost(x, limit), splat(x, neg(limit)));
  }

  Value roundTo(std::optional<Type> inner, Value x) {
    Location loc = b.getLoc();
    return inner ? widenRow(b, loc, roundRow(b, loc, x, *inner)) : x;
  }

  LogicalResult replaceByProduct(Value x, Value y) {
    rewriter.replaceOp(op, roundRow(b, b.getLoc(), mul(x, y),
                                    getElementTypeOrSelf(op->getResult(0).getType())));
    return success();
  }

  Operation *op;
  RewriterBase &rewriter;
  ImplicitLocOpBuilder b;
};
} // namespace

LogicalResult SiluAndMulOp::decompose(RewriterBase &rewriter) {
  Decomposition d(*this, rewriter);
  Value gate = d.take(RowHalf::First), up = d.take(RowHalf::Second);
  if (auto limit = getLimit()) {
    gate = d.atMost(gate, *limit);
    up = d.clamp(up, *limit);
  }
  return d.replaceByProduct(d.roundTo(getInnerType(), buildSilu(d.b, gate)), up);
}

LogicalResult MulAndSiluOp::decompose(RewriterBase &rewriter) {
  Decomposition d(*this, rewriter);
  Value up = d.take(RowHalf::First), gate = d.take(RowHalf::Second);
  return d.replaceByProduct(d.roundTo(getInnerType(), buildSilu(d.b, gate)), up);
}

LogicalResult GeluAndMulOp::decompose(RewriterBase &rewriter) {
  Decomposition d(*this, rewriter);
  Value gate = d.take(RowHalf::First), up = d.take(RowHalf::Second), gelu;
  if (getApproximate() == GeluApproximation::Tanh) {
    // t = 2·sqrt(2/π)·(g + 0.044715·g³)
    Value cube = d.mul(d.mul(gate, gate), gate);
    Value sum = d.add(gate, d.mul(d.splat(gate, 0.044715f), cube));
    Value t = d.mul(d.splat(gate, 0x1.988454p+0f), sum);
    gelu = d.mul(gate, buildSigmoid(d.b, t));
  } else {
    Value scaled = d.mul(gate, d.splat(gate, 0x1.6a09e6p-1f)); // sqrt(1/2)
    Value sum = d.add(d.splat(gate, 1.0f), buildErf(d.b, scaled));
    gelu = d.mul(d.mul(gate, d.splat(gate, 0.5f)), sum);
  }
  return d.replaceByProduct(d.roundTo(getInnerType(), gelu), up);
}

bool SwigluOaiAndMulOp::readsPairs() { return getLayout() == GateLayout::Interleaved; }

LogicalResult SwigluOaiAndMulOp::decompose(RewriterBase &rewriter) {
  Decomposition d(*this, rewriter);
  bool pairs = getLayout() == GateLayout::Interleaved;
  Value gate = d.take(pairs ? RowHalf::Even : RowHalf::First);
  Value up = d.take(pairs ? RowHalf::Odd : RowHalf::Second);
  gate = d.atMost(gate, getLimit());
  up = d.clamp(up, getLimit());
  Value slope = buildSigmoid(d.b, d.mul(d.splat(gate, getAlpha()), gate));
  Value activated = d.roundTo(getInnerType(), d.mul(gate, slope));
  return d.replaceByProduct(d.add(up, d.splat(up, 1.0f)), activated);
}

LogicalResult SwigluStepAndMulOp::decompose(RewriterBase &rewriter) {
  Decomposition d(*this, rewriter);
  Value gate = d.take(RowHalf::First), up = d.take(RowHalf::Second);
  Value activated = d.atMost(buildSilu(d.b, gate), getLimit());
  return d.replaceByProduct(d.roundTo(getInnerType(), activated),
                            d.clamp(up, getLimit()));
}

LogicalResult FatreluAndMulOp::decompose(RewriterBase &rewriter) {
  Decomposition d(*this, rewriter);
  Value gate = d.take(RowHalf::First), up = d.take(RowHalf::Second);
  // The comparison is false for a NaN, which so stays.
  Value below = arith::CmpFOp::create(d.b, arith::CmpFPredicate::OLE, gate,
                                      d.splat(gate, getThreshold()));
  gate = arith::SelectOp::create(d.b, below, d.splat(gate, 0.0f), gate);
  return d.replaceByProduct(gate, up);
}
