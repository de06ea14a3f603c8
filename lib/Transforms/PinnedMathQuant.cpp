//===- PinnedMathQuant.cpp - scales and codes of quantized values ---------===//

#include "mortar/Transforms/PinnedMath.h"

#include "PinnedMathBuilder.h"

using namespace mlir;
using namespace mortar;

/// `like`'s shape with other elements.
static Type withElement(Type like, Type element) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? Type(vector.clone(element)) : element;
}

static Value isNaN(ImplicitLocOpBuilder &b, Value x) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
}

/// Not by select: minimumf and maximumf are defined for a NaN, which passes.
static Value clamp(ImplicitLocOpBuilder &b, PinnedMathBuilder &m, Value x, float least,
                   float most) {
  x = arith::MinimumFOp::create(b, x, m.constant(most));
  return arith::MaximumFOp::create(b, x, m.constant(least));
}

Value mortar::buildAbs(ImplicitLocOpBuilder &b, Value x) {
  return PinnedMathBuilder(b, x.getType()).abs(x);
}

/// Anything in the fraction carries into the exponent, and the fraction goes. Infinity has
/// none and stays; a NaN's would carry into the sign.
Value mortar::buildPowerOfTwoAtLeast(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  Value carried = m.addBits(m.bitsOf(x), m.constantBits(0x007fffff));
  Value power = m.floatOf(m.andBits(carried, m.constantBits(0x7f800000)));
  return arith::SelectOp::create(b, isNaN(b, x), x, power);
}

/// The bias of both is 127: the code is the exponent's field. Truncating drops a NaN's
/// sign.
Value mortar::buildE8M0Code(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  Value code = arith::TruncIOp::create(b, withElement(x.getType(), b.getI8Type()),
                                       m.shiftRight(m.bitsOf(x), 23));
  Type e8m0 = Float8E8M0FNUType::get(b.getContext());
  return arith::BitcastOp::create(b, withElement(x.getType(), e8m0), code);
}

/// The remainder is that of -x, so that what is exactly 0 keeps x's sign.
Value mortar::buildQuotient(ImplicitLocOpBuilder &b, Value x, Value y, Value reciprocal) {
  PinnedMathBuilder m(b, x.getType());
  Value quotient = m.mul(x, reciprocal);
  for (int step = 0; step < 2; ++step) {
    Value remainder = m.fma(quotient, y, m.neg(x));
    quotient = m.fma(m.neg(remainder), reciprocal, quotient);
  }
  return quotient;
}

Value mortar::buildSaturatedE4M3(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  Type e4m3 = Float8E4M3FNType::get(b.getContext());
  return arith::TruncFOp::create(b, withElement(x.getType(), e4m3),
                                 clamp(b, m, x, -448.0f, 448.0f));
}

/// Adding 1.5·2^23 rounds to an integer, in the low bits of the sum. The limits are
/// integers, so it doesn't matter that they come first.
Value mortar::buildSaturatedInt8(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  Value number = arith::SelectOp::create(b, isNaN(b, x), m.constant(0.0f),
                                         clamp(b, m, x, -128.0f, 127.0f));
  Value shifted = m.add(number, m.constant(0x1.8p+23f));
  Value integer = m.subBits(m.bitsOf(shifted), m.constantBits(0x4b400000));
  return arith::TruncIOp::create(b, withElement(x.getType(), b.getI8Type()), integer);
}
