//===- PinnedMathExpm1.cpp - tanh and erf with pinned bits ----------------===//
//
// Both are 1 - exp of a negative number near their ends, and keep their
// relative exactness at 0 through expm1.
//
//===----------------------------------------------------------------------===//

#include "mortar/Transforms/PinnedMath.h"

#include "PinnedMathBuilder.h"

using namespace mlir;
using namespace mortar;

// From tools/fit-pinned-math, `expm1`: exp(r) - 1 = r + r^2 P(r), error 0.11
// ulp.
constexpr float kExpm1[] = {0x1.fffff4p-2f, 0x1.55548cp-3f, 0x1.555dc6p-5f,
                            0x1.123d1cp-7f, 0x1.672fd6p-10f};

/// 1 - exp(x) for x in [-80, 0], never -0: with x = n ln 2 + r, (1 - 2^n) - 2^n
/// (exp(r) - 1). Where n is 0 this is -expm1(r) itself, exact relatively;
/// elsewhere the first term, at least 1/2, carries the result.
static Value buildOneMinusExp(PinnedMathBuilder &m, Value x) {
  auto [bits, r] = reduceByLn2(m, x);
  Value expm1 = m.fma(m.mul(r, r), m.polynomial(kExpm1, r), r);
  Value minusPower = m.neg(buildPowerOfTwo(m, bits, 0));
  return m.fma(minusPower, expm1, m.add(m.constant(1.0f), minusPower));
}

// From tools/fit-pinned-math, `reciprocal-of-two-minus`: 1/(2 - u) for u in [0,
// 1], error 2^-9.2.
constexpr float kReciprocalOfTwoMinus[] = {0x1.ff1cd8p-2f, 0x1.1bf38cp-2f,
                                           0x1.14244ep-24f, 0x1.c65286p-3f};

/// tanh(|x|) = u / (2 - u) with u = 1 - exp(-2|x|).
Value mortar::buildTanh(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  // tanh rounds to 1 from 9.02 on.
  Value magnitude = m.atMost(m.abs(x), 10.0f);
  Value u = buildOneMinusExp(m, m.mul(magnitude, m.constant(-2.0f)));
  Value y = m.polynomial(kReciprocalOfTwoMinus, u);
  // 1 - (2 - u) y without rounding 2 - u: 1 - 2y is exact.
  Value residual = m.fma(u, y, m.fma(y, m.constant(-2.0f), m.constant(1.0f)));
  return m.withSignOf(m.mul(u, refineReciprocal(m, y, residual)), x);
}

// From tools/fit-pinned-math, `erf`: -log(1 - erf(a)) = a + a P(a) for a in [0,
// 4], error 0.025 ulp of erf(a).
constexpr float kErf[] = {0x1.06eba8p-3f,   0x1.45f308p-1f,  0x1.a4f3c6p-4f,
                          -0x1.393da4p-6f,  -0x1.076b1p-12f, 0x1.d73e24p-10f,
                          -0x1.83f87ep-11f, 0x1.5f3b94p-13f, -0x1.679b9cp-16f,
                          0x1.44ac1ap-20f};

/// erf(a) = 1 - exp(-(a + a P(a))), a = |x|: one formula for all arguments,
/// where the usual ones branch.
Value mortar::buildErf(ImplicitLocOpBuilder &b, Value x) {
  PinnedMathBuilder m(b, x.getType());
  // erf rounds to 1 from 3.92 on.
  Value a = m.atMost(m.abs(x), 4.0f);
  // The exponent's slope at 0 is 2/sqrt(pi) = 1 + 0.128: with the 1 kept apart,
  // what P rounds hardly counts.
  Value exponent = m.fma(a, m.polynomial(kErf, a), a);
  return m.withSignOf(buildOneMinusExp(m, m.neg(exponent)), x);
}
