//===- pinned-quotient.c - buildQuotient is the division ------------------===//
//
// The twin of PinnedMath.h's buildQuotient against x / y, bit for bit: for random x and y,
// and for x whose quotients lie as near as they can to the middle between two floats, or
// to the borders of f8E4M3FN's codes, where one bit of the quotient decides. Powers of two
// in between leave nothing but mantissas to try.
//
//   pinned-quotient [millions of pairs]        default 100, one second
//
//===----------------------------------------------------------------------===//

#include "float-bits.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline float quotient(float x, float y, float reciprocal) {
  float q = x * reciprocal;
  q = fmaf(-fmaf(q, y, -x), reciprocal, q);
  return fmaf(-fmaf(q, y, -x), reciprocal, q);
}

static uint64_t state = 0x9e3779b97f4a7c15u;
static uint32_t draw(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32);
}

/// ±2^[least, most] times a random mantissa.
static float drawFloat(int least, int most) {
  uint32_t exponent = 127 + least + draw() % (uint32_t)(most - least + 1);
  return floatOf((draw() & 0x80000000u) | exponent << 23 | (draw() & 0x7fffff));
}

static int differs(float x, float y) {
  float got = quotient(x, y, 1.0f / y), expected = x / y;
  if (bitsOf(got) == bitsOf(expected))
    return 0;
  // A remainder of so small an x is no normal number; f8E4M3FN makes it 0, with its sign.
  if (fabsf(x) < 0x1p-100f && fabsf(got) < 0x1p-50f)
    return signbit(got) != signbit(expected);
  printf("%a / %a: expected %a, found %a\n", x, y, expected, got);
  return 1;
}

/// x = 0 or NaN by 0 and its "reciprocal" 0, as x / inf.
static int checkInfinite(void) {
  static const float some[] = {0.0f, -0.0f, 1.0f, -3e38f, 0x1p-149f, -0x1p-149f};
  int wrong = 0;
  for (size_t i = 0; i < sizeof some / sizeof *some; ++i)
    wrong += bitsOf(quotient(some[i], 0.0f, 0.0f)) != bitsOf(some[i] / INFINITY);
  wrong += !isnan(quotient(INFINITY, 0.0f, 0.0f)) + !isnan(quotient(NAN, 0.0f, 0.0f));
  wrong += !isnan(quotient(1.0f, NAN, NAN));
  if (wrong)
    printf("%d special values are wrong\n", wrong);
  return wrong;
}

int main(int argc, char **argv) {
  long millions = argc > 1 ? strtol(argv[1], NULL, 10) : 100;
  if (millions < 1) {
    fprintf(stderr, "pinned-quotient: expected a number of at least 1\n");
    return 2;
  }
  long failures = checkInfinite(), count = 0;
  for (long i = 0; i < millions * 1000000 && failures < 20; ++count) {
    // A scale is 2^-43 to 2^120; x up to 500 times as much, or nothing beside it.
    float y = fabsf(drawFloat(-43, 118)), exact = drawFloat(-12, 8), x = exact * y;
    switch (i++ % 4) {
    case 0:
      break;
    case 1: // the middle between two floats; the product is rounded to one beside it
      x = (float)(((double)exact + (double)floatOf(bitsOf(exact) & 0xff800000u) * 0x1p-24) *
                  (double)y);
      break;
    case 2: // the middle between two codes: four bits
      x = floatOf(bitsOf(exact) & 0xfff80000u) * y;
      break;
    case 3:
      x = drawFloat(-126, -80);
      break;
    }
    for (int32_t step = -1; step <= 1; ++step)
      failures += differs(floatOf(bitsOf(x) + step), y);
  }
  printf("%ld quotients, three neighbours each: %ld differ\n", count, failures);
  return failures != 0;
}
