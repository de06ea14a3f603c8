//===- ActivationOps.cpp --------------------------------------------------===//

#include "RowTypes.h"

#include "mortar/Transforms/PinnedMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mortar;

LogicalResult SiluAndMulOp::verify() {
  auto input = cast<ShapedType>(getInput().getType());
  auto result = cast<ShapedType>(getType());
  int64_t width = input.getShape().back();
  if (!ShapedType::isDynamic(width) && width % 2)
    return emitOpError() << "(C1) expected an even last dimension of input, but found "
                         << width;
  SmallVector<int64_t> half(input.getShape());
  if (!ShapedType::isDynamic(width))
    half.back() = width / 2;
  if (isa<VectorType>(input) != isa<VectorType>(result) ||
      failed(verifyCompatibleShape(half, result.getShape())))
    return emitOpError() << "(C2) expected result to have the shape of input, " << input
                         << ", with half of its last dimension, but found " << result;
  if (auto limit = getLimit())
    if (limit->isNaN() || limit->isZero() || limit->isNegative())
      return emitOpError() << "(C3) expected a limit greater than 0, but found "
                           << getLimitAttr();
  return verifyInnerType(*this, "C4", getInnerType());
}

LogicalResult SiluAndMulOp::decompose(RewriterBase &rewriter) {
  ImplicitLocOpBuilder b(getLoc(), rewriter);
  b.setInsertionPoint(*this);
  Location loc = getLoc();
  auto input = cast<VectorType>(getInput().getType());
  auto half = VectorType::get({input.getDimSize(0) / 2}, input.getElementType());
  auto take = [&](RowHalf which) {
    Value row = RowHalfOp::create(b, loc, half, which, getInput());
    return widenRow(b, loc, row);
  };
  Value gate = take(RowHalf::First), up = take(RowHalf::Second);
  if (auto limit = getLimit()) {
    Value most = splatRow(b, loc, gate, *limit);
    Value least = splatRow(b, loc, gate, neg(*limit));
    gate = arith::MinimumFOp::create(b, gate, most);
    up = arith::MaximumFOp::create(b, arith::MinimumFOp::create(b, up, most), least);
  }
  Value silu = buildSilu(b, gate);
  if (auto inner = getInnerType())
    silu = widenRow(b, loc, roundRow(b, loc, silu, *inner));
  Value product = arith::MulFOp::create(b, silu, up);
  rewriter.replaceOp(*this, roundRow(b, loc, product,
                                     getElementTypeOrSelf(getType())));
  return success();
}
