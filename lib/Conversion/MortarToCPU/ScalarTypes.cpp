//===- ScalarTypes.cpp - narrow floats on a CPU ----------------------------===//

#include "ScalarTypes.h"

#include "../Common/Float8.h"
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

/// Types that LLVM's x86 has no arithmetic of, or none with our bits.
static bool isNarrowOnCPU(Type element) {
  return element.isBF16() || isa<Float8E4M3FNType>(element);
}

static Value widen(OpBuilder &b, Location loc, Value value) {
  return getElementTypeOrSelf(value.getType()).isBF16() ? widenBF16(b, loc, value)
                                                        : widenF8E4M3(b, loc, value);
}

static Value round(OpBuilder &b, Location loc, Value value, Type element) {
  return element.isBF16() ? roundToBF16(b, loc, value) : roundToF8E4M3(b, loc, value);
}

Value mortar::cloneForCPU(OpBuilder &b, Operation *op, ValueRange operands,
                          ArrayRef<int64_t> shape) {
  Location loc = op->getLoc();
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  auto isNarrow = [](Value value) {
    return isNarrowOnCPU(getElementTypeOrSelf(value.getType()));
  };
  bool anyNarrow = isNarrowOnCPU(element) || llvm::any_of(operands, isNarrow);
  if (!anyNarrow || isa<arith::ConstantOp, arith::BitcastOp>(op))
    return cloneElementwise(b, op, operands, shape);
  // Compute in f32 and round: for one add, sub, mul or div of 16-bit floats that is
  // the correctly rounded result.
  SmallVector<Value> wide;
  for (Value operand : operands)
    wide.push_back(isNarrow(operand) ? widen(b, loc, operand) : operand);
  if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
    Value result = wide[0];
    if (!getElementTypeOrSelf(result.getType()).isF32())
      result = arith::ExtFOp::create(b, loc, withElement(result.getType(), b.getF32Type()),
                                     result);
    if (element.isF32())
      return result;
    return isNarrowOnCPU(element)
               ? round(b, loc, result, element)
               : arith::TruncFOp::create(b, loc, withElement(result.getType(), element),
                                         result)
                     .getResult();
  }
  if (!isNarrowOnCPU(element)) // a comparison
    return cloneElementwise(b, op, wide, shape);
  Type original = op->getResult(0).getType();
  op->getResult(0).setType(withElement(original, b.getF32Type()));
  Value result = cloneElementwise(b, op, wide, shape);
  op->getResult(0).setType(original);
  return round(b, loc, result, element);
}
