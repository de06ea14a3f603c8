//===- pinned-math-twins.c - The pinned math in plain C -------------------===//
//
// The sequences of lib/Transforms/PinnedMath*.cpp, operation for operation; the
// reasons stand beside the originals. Compile with -O3 -march=x86-64-v3
// -ffp-contract=off.
//
//===----------------------------------------------------------------------===//

#include "float-bits.h"
#include "pinned-math.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float atLeast(float x, float limit) {
  return x < limit ? limit : x;
}
static inline float atMost(float x, float limit) {
  return limit < x ? limit : x;
}
static inline float absOf(float x) { return floatOf(bitsOf(x) & 0x7fffffff); }
static inline float negAbs(float x) { return floatOf(bitsOf(x) | 0x80000000); }
static inline float withSignOf(float x, float y) {
  return floatOf(bitsOf(x) | (bitsOf(y) & 0x80000000));
}

#define POLYNOMIAL(coefficients, x)                                            \
  polynomial(coefficients, sizeof(coefficients) / sizeof(float), x)
static inline float polynomial(const float *coefficients, int count, float x) {
  float sum = coefficients[count - 1];
  for (int k = count - 2; k >= 0; --k)
    sum = fmaf(sum, x, coefficients[k]);
  return sum;
}

static const float kExp[] = {1.0f,           1.0f,           0x1.fffffcp-2f,
                             0x1.55548ep-3f, 0x1.55586cp-5f, 0x1.123b76p-7f,
                             0x1.6a9212p-10f};

static inline float reduceByLn2(float x, uint32_t *bits) {
  float shifted = fmaf(x, 0x1.715476p+0f, 0x1.8p+23f);
  float n = shifted - 0x1.8p+23f;
  *bits = bitsOf(shifted);
  return fmaf(n, 0x1.05c61p-29f, fmaf(n, -0x1.62e43p-1f, x));
}

static inline float powerOfTwo(uint32_t bits, int bias) {
  return floatOf((bits << 23) + ((uint32_t)(bias + 127) << 23));
}

static inline float pinnedExp(float x) {
  uint32_t bits;
  float r = reduceByLn2(atLeast(atMost(x, 89.0f), -104.0f), &bits);
  float p = POLYNOMIAL(kExp, r);
  uint32_t half = bits >> 1;
  return p * powerOfTwo(half, 0) * powerOfTwo(bits - half, 0);
}

static inline float scaledExp(float x) {
  uint32_t bits;
  float r = reduceByLn2(x, &bits);
  return POLYNOMIAL(kExp, r) * powerOfTwo(bits, 64);
}

static inline float refineReciprocal(float y, float residual) {
  return fmaf(y, fmaf(residual, residual, residual), y);
}

static const float kReciprocal[] = {0x1.ff1cd8p-1f, -0x1.e2b7b8p-1f,
                                    0x1.54bdf4p-1f, -0x1.c652ap-3f};

static inline float reciprocalOfOnePlus(float e) {
  float y = POLYNOMIAL(kReciprocal, e);
  return refineReciprocal(y, fmaf(-e, y, 1.0f - y));
}

static inline float pinnedSigmoid(float x) {
  float e = scaledExp(atLeast(negAbs(x), -128.0f)) * 0x1p-64f;
  return (x < 0.0f ? e : 1.0f) * reciprocalOfOnePlus(e);
}

static inline float pinnedSilu(float x) {
  float minusAbs = atLeast(negAbs(x), -128.0f);
  float scaled = scaledExp(minusAbs);
  float e = scaled * 0x1p-64f;
  float below = minusAbs * scaled * 0x1p-64f;
  return (x < 0.0f ? below : x) * reciprocalOfOnePlus(e);
}

static const float kExpm1[] = {0x1.fffff4p-2f, 0x1.55548cp-3f, 0x1.555dc6p-5f,
                               0x1.123d1cp-7f, 0x1.672fd6p-10f};

static inline float oneMinusExp(float x) {
  uint32_t bits;
  float r = reduceByLn2(x, &bits);
  float expm1 = fmaf(r * r, POLYNOMIAL(kExpm1, r), r);
  float minusPower = -powerOfTwo(bits, 0);
  return fmaf(minusPower, expm1, 1.0f + minusPower);
}

static const float kReciprocalOfTwoMinus[] = {0x1.ff1cd8p-2f, 0x1.1bf38cp-2f,
                                              0x1.14244ep-24f, 0x1.c65286p-3f};

static inline float pinnedTanh(float x) {
  float u = oneMinusExp(atMost(absOf(x), 10.0f) * -2.0f);
  float y = POLYNOMIAL(kReciprocalOfTwoMinus, u);
  return withSignOf(u * refineReciprocal(y, fmaf(u, y, fmaf(y, -2.0f, 1.0f))),
                    x);
}

static const float kErf[] = {
    0x1.06eba8p-3f,   0x1.45f308p-1f,  0x1.a4f3c6p-4f,   -0x1.393da4p-6f,
    -0x1.076b1p-12f,  0x1.d73e24p-10f, -0x1.83f87ep-11f, 0x1.5f3b94p-13f,
    -0x1.679b9cp-16f, 0x1.44ac1ap-20f};

static inline float pinnedErf(float x) {
  float a = atMost(absOf(x), 4.0f);
  return withSignOf(oneMinusExp(-fmaf(a, POLYNOMIAL(kErf, a), a)), x);
}

static const float kLog1p[] = {
    -0x1p-1f,        0x1.5555aap-2f,  -0x1.00007ap-2f,
    0x1.99687ep-3f,  -0x1.54df3cp-3f, 0x1.287124p-3f,
    -0x1.0e0ea6p-3f, 0x1.af97bp-4f,   -0x1.75e6dep-5f};

static inline float pinnedLog1p(float x) {
  uint32_t k = (bitsOf(x + 1.0f) - 0x3f400000) & 0xff800000;
  float m =
      floatOf(bitsOf(x) - k) + fmaf(floatOf(0x40800000 - k), 0.25f, -1.0f);
  float log = fmaf(m * m, POLYNOMIAL(kLog1p, m), m);
  float kFloat =
      floatOf((uint32_t)((int32_t)k >> 23) + 0x4b400000) - 0x1.8p+23f;
  float inside = withSignOf(fmaf(kFloat, 0x1.62e43p-1f, log), x);
  float outside = x < -1.0f ? NAN : -INFINITY;
  float finite = -1.0f < x ? inside : outside;
  return x < INFINITY ? finite : x;
}

static const float kSoftplus[] = {
    -0x1.fffff8p-2f, 0x1.5553a6p-2f, -0x1.ffc2d6p-3f, 0x1.977344p-3f,
    -0x1.4a063cp-3f, 0x1.fcf1eap-4f, -0x1.51763ep-4f, 0x1.528142p-5f,
    -0x1.b365f4p-7f, 0x1.05da9ap-9f};

static inline float pinnedSoftplus(float x) {
  float e = scaledExp(atLeast(negAbs(x), -128.0f)) * 0x1p-64f;
  float first = x < 0.0f ? e : x, second = x < 0.0f ? 0.0f : e;
  float sum = fmaf(e * e, POLYNOMIAL(kSoftplus, e), first) + second;
  return 20.0f < x ? x : sum;
}

//===----------------------------------------------------------------------===//
// What they are held against
//===----------------------------------------------------------------------===//

static double sigmoidReference(double x) { return 1 / (1 + exp(-x)); }
// From -150 on the result is -0 in f32, while exp(150) is still far from
// overflow.
static double siluReference(double x) {
  return x < -150 ? -0.0 : x / (1 + exp(-x));
}
static double softplusReference(double x) {
  return x > 20 ? x : x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

#define ON_ARRAY(name)                                                         \
  static void name##OnArray(const float *restrict x, float *restrict y,        \
                            int count) {                                       \
    for (int i = 0; i < count; ++i)                                            \
      y[i] = name(x[i]);                                                       \
  }
ON_ARRAY(pinnedExp)
ON_ARRAY(pinnedSigmoid)
ON_ARRAY(pinnedSilu)
ON_ARRAY(pinnedTanh)
ON_ARRAY(pinnedErf)
ON_ARRAY(pinnedLog1p)
ON_ARRAY(pinnedSoftplus)

// The bounds leave a little room over what the exhaustive run measured.
const PinnedFunction pinnedFunctions[] = {
    {"exp",
     pinnedExpOnArray,
     exp,
     0.9,
     5,
     {{-INFINITY, 0.0f},
      {INFINITY, INFINITY},
      {0.0f, 1.0f},
      {-0.0f, 1.0f},
      {0x1p-149f, 1.0f}}},
    {"sigmoid",
     pinnedSigmoidOnArray,
     sigmoidReference,
     2.05,
     5,
     {{-INFINITY, 0.0f},
      {INFINITY, 1.0f},
      {0.0f, 0.5f},
      {-0.0f, 0.5f},
      {0x1p-149f, 0.5f}}},
    {"silu",
     pinnedSiluOnArray,
     siluReference,
     2.95,
     5,
     {{-INFINITY, -0.0f},
      {INFINITY, INFINITY},
      {0.0f, 0.0f},
      {-0.0f, -0.0f},
      {-0x1p-148f, -0x1p-149f}}},
    {"tanh",
     pinnedTanhOnArray,
     tanh,
     2.5,
     6,
     {{-INFINITY, -1.0f},
      {INFINITY, 1.0f},
      {0.0f, 0.0f},
      {-0.0f, -0.0f},
      {0x1p-149f, 0x1p-149f},
      {-0x1p-149f, -0x1p-149f}}},
    {"erf",
     pinnedErfOnArray,
     erf,
     1.65,
     6,
     {{-INFINITY, -1.0f},
      {INFINITY, 1.0f},
      {0.0f, 0.0f},
      {-0.0f, -0.0f},
      {0x1p-149f, 0x1p-149f},
      {-0x1p-149f, -0x1p-149f}}},
    {"log1p",
     pinnedLog1pOnArray,
     log1p,
     1.3,
     7,
     {{-INFINITY, NAN},
      {INFINITY, INFINITY},
      {0.0f, 0.0f},
      {-0.0f, -0.0f},
      {-1.0f, -INFINITY},
      {-2.0f, NAN},
      {-0x1p-149f, -0x1p-149f}}},
    {"softplus",
     pinnedSoftplusOnArray,
     softplusReference,
     1.7,
     4,
     {{-INFINITY, 0.0f},
      {INFINITY, INFINITY},
      {0.0f, 0x1.62e43p-1f},
      {-0.0f, 0x1.62e43p-1f}}},
};
const int pinnedFunctionCount =
    sizeof pinnedFunctions / sizeof pinnedFunctions[0];
