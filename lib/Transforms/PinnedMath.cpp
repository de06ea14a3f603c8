//===- PinnedMath.cpp - exp, sigmoid and silu with pinned bits ------------===//

#include "mortar/Transforms/PinnedMath.h"

#include "PinnedMathBuilder.h"

using namespace mlir;
using namespace mortar;

//===----------------------------------------------------------------------===//
// exp(x) = 2^n exp(r)
//===----------------------------------------------------------------------===//

/// ln 2 in two parts. The high one has 22 bits, so that fma(n, -high, x) is
/// exact: for |x| > ln(2)/2, x and n * high are multiples of 2^-25, and their
/// difference needs no more than 24 bits.
constexpr float kLn2High = 0x1.62e43p-1f;
constexpr float kLn2Low = -0x1.05c61p-29f;
constexpr float kLog2E = 0x1.715476p+0f;

/// 1.5 * 2^23: adding it rounds to an integer, which is then found in the low
/// bits. Its own low 9 bits are zero.
constexpr float kRoundMagic = 0x1.8p+23f;

// From tools/fit-pinned-math, `exp`: exp(r) = 1 + r + r^2 P(r), error 0.053
// ulp.
constexpr float kExp[] = {1.0f,           1.0f,           0x1.fffffcp-2f,
                          0x1.55548ep-3f, 0x1.55586cp-5f, 0x1.123b76p-7f,
                          0x1.6a9212p-10f};

ReducedArgument mortar::reduceByLn2(PinnedMathBuilder &m, Value x) {
  Value magic = m.constant(kRoundMagic);
  Value shifted = m.fma(x, m.constant(kLog2E), magic);
  Value n = m.sub(shifted, magic);
  Value r = m.fma(n, m.constant(-kLn2High), x);
  r = m.fma(n, m.constant(-kLn2Low), r);
  return {m.bitsOf(shifted), r};
}

Value mortar::buildPowerOfTwo(PinnedMathBuilder &m, Value bits, int bias) {
  return m.floatOf(
      m.addBits(m.shiftLeft(bits, 23),
                m.constantBits(static_cast<uint32_t>(bias + 127) << 23)));
}

Value mortar::buildExp(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  // Beyond these limits the result is 0 or infinity, as it is at them.
  x = m.atLeast(m.atMost(x, 89.0f), -104.0f);
  auto [bits, r] = reduceByLn2(m, x);
  Value p = m.polynomial(kExp, r);
  // n is in [-150, 128], more than one exponent can hold: 2^n as 2^floor(n/2) *
  // 2^(n - floor(n/2)). The first product is exact, so that a subnormal result
  // is rounded once. Multiplied rather than added to p's exponent for NaN's
  // sake.
  Value half = m.shiftRight(bits, 1);
  Value otherHalf = m.subBits(bits, half);
  return m.mul(m.mul(p, buildPowerOfTwo(m, half, 0)),
               buildPowerOfTwo(m, otherHalf, 0));
}

Value mortar::buildScaledExp(PinnedMathBuilder &m, Value x) {
  auto [bits, r] = reduceByLn2(m, x);
  return m.mul(m.polynomial(kExp, r), buildPowerOfTwo(m, bits, 64));
}

//===----------------------------------------------------------------------===//
// sigmoid(x) = (x < 0 ? e : 1) / (1 + e) with e = exp(-|x|), which can't
// overflow; silu(x) = x sigmoid(x)
//===----------------------------------------------------------------------===//

// From tools/fit-pinned-math, `reciprocal`: 1/(1 + e) for e in [0, 1], error
// 2^-9.2, whose cube is 2^-27.6.
constexpr float kReciprocal[] = {0x1.ff1cd8p-1f, -0x1.e2b7b8p-1f,
                                 0x1.54bdf4p-1f, -0x1.c652ap-3f};

/// 1 / (1 + e) for e in [0, 1]. The residual is taken as (1 - y) - e y, whose
/// first difference is exact for y in [1/2, 2]: the sum 1 + e is never rounded.
static Value reciprocalOfOnePlus(PinnedMathBuilder &m, Value e) {
  Value y = m.polynomial(kReciprocal, e);
  Value residual = m.fma(m.neg(e), y, m.sub(m.constant(1.0f), y));
  return refineReciprocal(m, y, residual);
}

Value mortar::buildSigmoid(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  Value minusAbs = m.atLeast(m.negAbs(x), kExpScaledLowest);
  Value e = m.mul(buildScaledExp(m, minusAbs), m.constant(kExpUnscale));
  Value numerator = m.selectLess(x, m.constant(0.0f), e, m.constant(1.0f));
  return m.mul(numerator, reciprocalOfOnePlus(m, e));
}

Value mortar::buildSilu(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  Value minusAbs = m.atLeast(m.negAbs(x), kExpScaledLowest);
  Value scaled = buildScaledExp(m, minusAbs);
  Value unscale = m.constant(kExpUnscale);
  Value e = m.mul(scaled, unscale);
  // x e is taken before unscaling, since e may be subnormal where x e is not;
  // and with the limited x, since -inf * 0 is NaN. At the limit the product is
  // -0.
  Value below = m.mul(m.mul(minusAbs, scaled), unscale);
  Value numerator = m.selectLess(x, m.constant(0.0f), below, x);
  return m.mul(numerator, reciprocalOfOnePlus(m, e));
}
