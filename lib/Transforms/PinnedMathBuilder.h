//===- PinnedMathBuilder.h - What the pinned sequences share ----*- C++ -*-===//
//
// Private to the PinnedMath*.cpp files: a builder that lets a sequence read as
// its formula, and the steps that several sequences share.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_LIB_TRANSFORMS_PINNEDMATHBUILDER_H
#define MORTAR_LIB_TRANSFORMS_PINNEDMATHBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mortar {

/// Emits operations on values of one type, f32 or a vector of f32, and on the
/// i32s of the same shape.
class PinnedMathBuilder {
public:
  using Value = mlir::Value;

  PinnedMathBuilder(mlir::ImplicitLocOpBuilder &b, mlir::Type floatType)
      : b(b), floatType(floatType), intType(b.getI32Type()) {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(floatType))
      intType = vector.clone(intType);
  }

  Value constant(float value) {
    return splat(floatType, b.getF32FloatAttr(value));
  }
  Value constantBits(uint32_t value) {
    return splat(intType, b.getI32IntegerAttr(static_cast<int32_t>(value)));
  }

  Value add(Value x, Value y) { return mlir::arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return mlir::arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return mlir::arith::MulFOp::create(b, x, y); }
  Value neg(Value x) { return mlir::arith::NegFOp::create(b, x); }
  Value fma(Value x, Value y, Value z) {
    return mlir::math::FmaOp::create(b, x, y, z);
  }

  Value addBits(Value x, Value y) {
    return mlir::arith::AddIOp::create(b, x, y);
  }
  Value subBits(Value x, Value y) {
    return mlir::arith::SubIOp::create(b, x, y);
  }
  Value andBits(Value x, Value y) {
    return mlir::arith::AndIOp::create(b, x, y);
  }
  Value orBits(Value x, Value y) { return mlir::arith::OrIOp::create(b, x, y); }
  Value shiftLeft(Value x, uint32_t n) {
    return mlir::arith::ShLIOp::create(b, x, constantBits(n));
  }
  Value shiftRightSigned(Value x, uint32_t n) {
    return mlir::arith::ShRSIOp::create(b, x, constantBits(n));
  }
  Value shiftRight(Value x, uint32_t n) {
    return mlir::arith::ShRUIOp::create(b, x, constantBits(n));
  }

  Value bitsOf(Value x) {
    return mlir::arith::BitcastOp::create(b, intType, x);
  }
  Value floatOf(Value x) {
    return mlir::arith::BitcastOp::create(b, floatType, x);
  }

  /// x < y ? whenTrue : whenFalse; the comparison is false when either is NaN.
  Value selectLess(Value x, Value y, Value whenTrue, Value whenFalse) {
    Value less =
        mlir::arith::CmpFOp::create(b, mlir::arith::CmpFPredicate::OLT, x, y);
    return mlir::arith::SelectOp::create(b, less, whenTrue, whenFalse);
  }

  /// The larger or the smaller of x and a limit; NaN passes. Not maxnum, whose
  /// zeros and NaNs differ between targets.
  Value atLeast(Value x, float limit) {
    Value bound = constant(limit);
    return selectLess(x, bound, bound, x);
  }
  Value atMost(Value x, float limit) {
    Value bound = constant(limit);
    return selectLess(bound, x, bound, x);
  }

  /// |x|, -|x|, and x with the sign of y (x must be >= 0), as integers: a NaN
  /// costs nothing special.
  Value abs(Value x) {
    return floatOf(andBits(bitsOf(x), constantBits(0x7fffffff)));
  }
  Value negAbs(Value x) {
    return floatOf(orBits(bitsOf(x), constantBits(0x80000000)));
  }
  Value withSignOf(Value x, Value y) {
    return floatOf(
        orBits(bitsOf(x), andBits(bitsOf(y), constantBits(0x80000000))));
  }

  /// coefficients[0] + x * (coefficients[1] + x * ...), one fma each.
  Value polynomial(llvm::ArrayRef<float> coefficients, Value x) {
    Value sum = constant(coefficients.back());
    for (float c : llvm::reverse(coefficients.drop_back()))
      sum = fma(sum, x, constant(c));
    return sum;
  }

private:
  Value splat(mlir::Type type, mlir::TypedAttr value) {
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(type))
      return mlir::arith::ConstantOp::create(
          b, vector,
          mlir::DenseElementsAttr::get(vector, mlir::Attribute(value)));
    return mlir::arith::ConstantOp::create(b, type, value);
  }

  mlir::ImplicitLocOpBuilder &b;
  mlir::Type floatType, intType;
};

/// x = n ln 2 + r with n an integer and |r| <= ln(2)/2, for |x| < 2^21.
struct ReducedArgument {
  /// n in the low bits: shifted left by 23 they are n as a float's exponent,
  /// and halved before, floor(n/2).
  mlir::Value bits;
  mlir::Value r;
};
ReducedArgument reduceByLn2(PinnedMathBuilder &m, mlir::Value x);

/// exp(x) 2^64 for x in [kExpScaledLowest, 0]. The scale keeps every result
/// normal, and so exact to about an ulp, where exp(x) itself is subnormal:
/// whoever multiplies it further unscales last.
mlir::Value buildScaledExp(PinnedMathBuilder &m, mlir::Value x);
constexpr float kExpScaledLowest = -128.0f;
constexpr float kExpUnscale = 0x1p-64f;

/// 2^(n + bias) for the n in the low bits of `bits`; n + bias must be a normal
/// exponent.
mlir::Value buildPowerOfTwo(PinnedMathBuilder &m, mlir::Value bits, int bias);

/// The reciprocal of a d near 1/y, given residual = 1 - d y: y (1 + residual +
/// residual^2), which cubes y's error.
inline mlir::Value refineReciprocal(PinnedMathBuilder &m, mlir::Value y,
                                    mlir::Value residual) {
  return m.fma(y, m.fma(residual, residual, residual), y);
}

} // namespace mortar

#endif // MORTAR_LIB_TRANSFORMS_PINNEDMATHBUILDER_H
