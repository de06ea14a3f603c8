//===- ScalarTypes.cpp - 16-bit floats on a CPU ---------------------------===//

#include "ScalarTypes.h"

#include "../Common/RowProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mortar;

/// `type` with other elements.
static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

static Value splat(ImplicitLocOpBuilder &b, Type type, int64_t value) {
  auto attr = b.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, attr));
  return arith::ConstantOp::create(b, attr);
}

Value mortar::widenBF16(OpBuilder &builder, Location loc, Value value) {
  ImplicitLocOpBuilder b(loc, builder);
  Type i16 = withElement(value.getType(), b.getI16Type());
  Type i32 = withElement(value.getType(), b.getI32Type());
  Value bits = arith::BitcastOp::create(b, i16, value);
  bits = arith::ExtUIOp::create(b, i32, bits);
  bits = arith::ShLIOp::create(b, bits, splat(b, i32, 16));
  return arith::BitcastOp::create(b, withElement(value.getType(), b.getF32Type()), bits);
}

Value mortar::roundToBF16(OpBuilder &builder, Location loc, Value value) {
  ImplicitLocOpBuilder b(loc, builder);
  Type i16 = withElement(value.getType(), b.getI16Type());
  Type i32 = withElement(value.getType(), b.getI32Type());
  Value bits = arith::BitcastOp::create(b, i32, value);
  // To nearest even: add half of the last place, less one if it is even already.
  Value last = arith::AndIOp::create(
      b, arith::ShRUIOp::create(b, bits, splat(b, i32, 16)), splat(b, i32, 1));
  Value up = arith::AddIOp::create(b, last, splat(b, i32, 0x7fff));
  Value rounded = arith::ShRUIOp::create(b, arith::AddIOp::create(b, bits, up),
                                         splat(b, i32, 16));
  Value isNaN = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, value, value);
  rounded = arith::SelectOp::create(b, isNaN, splat(b, i32, 0x7fff), rounded);
  rounded = arith::TruncIOp::create(b, i16, rounded);
  return arith::BitcastOp::create(b, withElement(value.getType(), b.getBF16Type()),
                                  rounded);
}

Value mortar::cloneForCPU(OpBuilder &b, Operation *op, ValueRange operands,
                          ArrayRef<int64_t> shape) {
  Location loc = op->getLoc();
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  auto isBF16 = [](Value value) {
    return getElementTypeOrSelf(value.getType()).isBF16();
  };
  bool anyBF16 = element.isBF16() || llvm::any_of(operands, isBF16);
  if (!anyBF16 || isa<arith::ConstantOp, arith::BitcastOp>(op))
    return cloneElementwise(b, op, operands, shape);
  // Compute in f32 and round: for one add, sub, mul or div of 16-bit floats that is
  // the correctly rounded result.
  SmallVector<Value> wide;
  for (Value operand : operands)
    wide.push_back(isBF16(operand) ? widenBF16(b, loc, operand) : operand);
  Value result;
  if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
    result = wide[0];
    if (!getElementTypeOrSelf(result.getType()).isF32())
      result = arith::ExtFOp::create(b, loc, withElement(result.getType(), b.getF32Type()),
                                     result);
    if (element.isF32())
      return result;
  } else if (!element.isBF16()) { // a comparison
    return cloneElementwise(b, op, wide, shape);
  } else {
    Type original = op->getResult(0).getType();
    op->getResult(0).setType(withElement(original, b.getF32Type()));
    result = cloneElementwise(b, op, wide, shape);
    op->getResult(0).setType(original);
  }
  return element.isBF16() ? roundToBF16(b, loc, result) : result;
}
