//===- PinnedMathLog.cpp - log1p and softplus with pinned bits ------------===//

#include "mortar/Transforms/PinnedMath.h"

#include "PinnedMathBuilder.h"

#include <limits>

using namespace mlir;
using namespace mortar;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// From tools/fit-pinned-math, `log1p`: log(1 + m) = m + m^2 P(m) for m in
// [-1/4, 1/2], error 0.093 ulp.
constexpr float kLog1p[] = {-0x1p-1f,        0x1.5555aap-2f,  -0x1.00007ap-2f,
                            0x1.99687ep-3f,  -0x1.54df3cp-3f, 0x1.287124p-3f,
                            -0x1.0e0ea6p-3f, 0x1.af97bp-4f,   -0x1.75e6dep-5f};

/// log(1 + x) = k ln 2 + log(1 + m), where 1 + m = (1 + x) 2^-k is in [3/4,
/// 3/2).
Value mortar::buildLog1p(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  // k in a float's exponent field, from 1 + x rounded; which side of a boundary
  // it falls on doesn't matter.
  Value sum = m.add(x, m.constant(1.0f));
  Value k = m.andBits(m.subBits(m.bitsOf(sum), m.constantBits(0x3f400000)),
                      m.constantBits(0xff800000));
  // m = x 2^-k + (2^-k - 1): x itself and not the rounded sum. A subnormal x
  // has k = 0 and passes unharmed. 2^-k is taken four times as large to stay
  // normal up to k = 128.
  Value scaled = m.floatOf(m.subBits(m.bitsOf(x), k));
  Value fourPower = m.floatOf(m.subBits(m.constantBits(0x40800000), k));
  Value reduced =
      m.add(scaled, m.fma(fourPower, m.constant(0.25f), m.constant(-1.0f)));
  Value log =
      m.fma(m.mul(reduced, reduced), m.polynomial(kLog1p, reduced), reduced);
  // k as a float through 1.5 * 2^23, whose bits are 0x4b400000.
  Value shifted = m.floatOf(
      m.addBits(m.shiftRightSigned(k, 23), m.constantBits(0x4b400000)));
  Value kFloat = m.sub(shifted, m.constant(0x1.8p+23f));
  // The result has x's sign; this restores it where x is -0.
  Value inside = m.withSignOf(m.fma(kFloat, m.constant(0x1.62e43p-1f), log), x);

  Value minusOne = m.constant(-1.0f), infinity = m.constant(kInfinity);
  Value nan = m.constant(std::numeric_limits<float>::quiet_NaN());
  Value outside = m.selectLess(x, minusOne, nan, m.constant(-kInfinity));
  Value finite = m.selectLess(minusOne, x, inside, outside);
  return m.selectLess(x, infinity, finite, x);
}

// From tools/fit-pinned-math, `softplus`: log(1 + e) = e + e^2 P(e) for e in
// [0, 1], error 0.018 ulp.
constexpr float kSoftplus[] = {
    -0x1.fffff8p-2f, 0x1.5553a6p-2f, -0x1.ffc2d6p-3f, 0x1.977344p-3f,
    -0x1.4a063cp-3f, 0x1.fcf1eap-4f, -0x1.51763ep-4f, 0x1.528142p-5f,
    -0x1.b365f4p-7f, 0x1.05da9ap-9f};

/// softplus(x) = max(x, 0) + log(1 + e) with e = exp(-|x|) in [0, 1], where one
/// polynomial does.
Value mortar::buildSoftplus(ImplicitLocOpBuilder &b, Value x, float threshold) {
  PinnedMathBuilder m(b, x.getType());
  Value minusAbs = m.atLeast(m.negAbs(x), kExpScaledLowest);
  Value e = m.mul(buildScaledExp(m, minusAbs), m.constant(kExpUnscale));
  Value zero = m.constant(0.0f);
  // e + e^2 P(e) first where nothing follows; else x + e^2 P(e) first, which is
  // the smaller sum near 0. A NaN x passes.
  Value first = m.selectLess(x, zero, e, x);
  Value second = m.selectLess(x, zero, zero, e);
  Value sum =
      m.add(m.fma(m.mul(e, e), m.polynomial(kSoftplus, e), first), second);
  return m.selectLess(m.constant(threshold), x, x, sum);
}
