//===- pinned-math.c - How exact the pinned math is -----------------------===//
//
// Measures the twins of the pinned math against the double functions of libm.
// Without arguments every 251st f32 is taken; all bf16 and f16 values, the
// exact special values and NaNs always are.
//
//   pinned-math [--stride N] [--jobs N] [function...]       --stride 1 is the
//   exhaustive run: about 5 minutes
//
// Exits with 1 when a function misses its bound or a special value. That the
// compiled MLIR has the twins' bits is pinned-math-mlir.cpp's affair.
//
//===----------------------------------------------------------------------===//

#include "float-bits.h"
#include "pinned-math.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  double ulp;
  float where;
} Worst;

/// |result - exact| in units in the last place of f32 at `exact`; HUGE_VAL
/// where one is NaN and the other is not.
static inline double errorInUlp(float result, double exact) {
  if (isnan(result) || isnan(exact))
    return isnan(result) && isnan(exact) ? 0 : HUGE_VAL;
  // Infinity stands where the next f32 after the largest would.
  double got = isinf(result) ? copysign(0x1p128, result) : result;
  exact = fabs(exact) > 0x1p128 ? copysign(0x1p128, exact) : exact;
  uint64_t bits;
  memcpy(&bits, &exact, sizeof bits);
  int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
  exponent = exponent < -126 ? -126 : exponent > 127 ? 127 : exponent;
  uint64_t inverse = (uint64_t)(1023 + 23 - exponent) << 52;
  double perUlp;
  memcpy(&perUlp, &inverse, sizeof perUlp);
  return fabs(got - exact) * perUlp;
}

static void measureArray(const PinnedFunction *function, const float *x,
                         int count, Worst *worst) {
  float y[1024];
  function->onArray(x, y, count);
  for (int i = 0; i < count; ++i) {
    double ulp = errorInUlp(y[i], function->reference(x[i]));
    if (ulp > worst->ulp)
      *worst = (Worst){ulp, x[i]};
  }
}

typedef struct {
  const PinnedFunction *function;
  uint64_t first, stride;
  Worst worst;
} Share;

static void *measureShare(void *argument) {
  Share *share = argument;
  float x[1024] = {0};
  int count = 0;
  for (uint64_t bits = share->first; bits < (uint64_t)1 << 32;
       bits += share->stride) {
    x[count++] = floatOf((uint32_t)bits);
    if (count == 1024) {
      measureArray(share->function, x, count, &share->worst);
      count = 0;
    }
  }
  measureArray(share->function, x, count, &share->worst);
  return NULL;
}

static Worst measureStrided(const PinnedFunction *function, uint64_t stride,
                            int jobs) {
  pthread_t threads[64];
  Share shares[64];
  Worst worst = {0, 0};
  for (int i = 0; i < jobs; ++i) {
    shares[i] = (Share){function, i * stride, jobs * stride, {0, 0}};
    pthread_create(&threads[i], NULL, measureShare, &shares[i]);
  }
  for (int i = 0; i < jobs; ++i) {
    pthread_join(threads[i], NULL);
    worst = shares[i].worst.ulp > worst.ulp ? shares[i].worst : worst;
  }
  return worst;
}

static float fromBf16(uint32_t bits) { return floatOf(bits << 16); }
static float fromF16(uint32_t bits) {
  float magnitude = (bits & 0x7fff) < 0x7c00
                        ? floatOf((bits & 0x7fff) << 13) * 0x1p112f
                        : floatOf(0x7f800000 | bits << 13);
  return bits & 0x8000 ? -magnitude : magnitude;
}

static Worst measureNarrow(const PinnedFunction *function,
                           float (*widen)(uint32_t)) {
  Worst worst = {0, 0};
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    float x = widen(bits);
    measureArray(function, &x, 1, &worst);
  }
  return worst;
}

/// Checks the exact values a function promises, and that NaNs of every kind
/// stay NaN; returns the number of misses.
static int checkSpecials(const PinnedFunction *function) {
  static const uint32_t nans[] = {0x7fc00000, 0xffc00000, 0x7fffffff,
                                  0xffffffff, 0x7f800001, 0xff800001};
  int misses = 0;
  for (size_t i = 0; i < sizeof nans / sizeof nans[0]; ++i) {
    float x = floatOf(nans[i]), y;
    function->onArray(&x, &y, 1);
    if (!isnan(y))
      ++misses, printf("%s(NaN 0x%08x) = %a, expected NaN\n", function->name,
                       nans[i], y);
  }
  for (int i = 0; i < function->specialCount; ++i) {
    float x = function->specials[i].x, expected = function->specials[i].y, y;
    function->onArray(&x, &y, 1);
    if (bitsOf(y) != bitsOf(expected) && !(isnan(y) && isnan(expected)))
      ++misses,
          printf("%s(%a) = %a, expected %a\n", function->name, x, y, expected);
  }
  return misses;
}

static int measure(const PinnedFunction *function, uint64_t stride, int jobs) {
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  Worst all = measureStrided(function, stride, jobs);
  Worst bf16 = measureNarrow(function, fromBf16),
        f16 = measureNarrow(function, fromF16);
  clock_gettime(CLOCK_MONOTONIC, &end);
  double seconds =
      end.tv_sec - start.tv_sec + 1e-9 * (end.tv_nsec - start.tv_nsec);
  int missed = !(all.ulp <= function->bound && bf16.ulp <= function->bound &&
                 f16.ulp <= function->bound);
  printf("%-9s %6.3f at %-15.9g %6.3f at %-15.9g %6.3f at %-15.9g %5.2f %6.1f "
         "s%s\n",
         function->name, all.ulp, all.where, bf16.ulp, bf16.where, f16.ulp,
         f16.where, function->bound, seconds, missed ? "  MISSED" : "");
  fflush(stdout);
  return missed + checkSpecials(function);
}

int main(int argc, char **argv) {
  uint64_t stride = 251;
  int jobs = 2, misses = 0, named = 0;
  for (int i = 1; i < argc; ++i) {
    if (!strcmp(argv[i], "--stride") && i + 1 < argc)
      stride = strtoull(argv[++i], NULL, 10);
    else if (!strcmp(argv[i], "--jobs") && i + 1 < argc)
      jobs = atoi(argv[++i]);
    else
      argv[1 + named++] = argv[i];
  }
  if (stride < 1 || jobs < 1 || jobs > 64) {
    fprintf(stderr,
            "pinned-math: expected a stride of at least 1 and 1 to 64 jobs\n");
    return 2;
  }
  printf("%-9s %-25s %-25s %-25s %s\n", "function", "max ulp over f32",
         "over bf16 inputs", "over f16 inputs", "bound");
  int found = 0;
  for (int f = 0; f < pinnedFunctionCount; ++f) {
    int wanted = named == 0;
    for (int i = 1; i <= named; ++i)
      wanted |= !strcmp(argv[i], pinnedFunctions[f].name);
    if (wanted)
      ++found, misses += measure(&pinnedFunctions[f], stride, jobs);
  }
  if (named > found) {
    fprintf(stderr,
            "pinned-math: expected names of functions, found %d of %d\n", found,
            named);
    return 2;
  }
  return misses != 0;
}
