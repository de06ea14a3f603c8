//===- pinned-math.h - The C twins of the pinned math -----------*- C++ -*-===//

#ifndef MORTAR_TEST_NUMERICS_PINNED_MATH_H
#define MORTAR_TEST_NUMERICS_PINNED_MATH_H

#ifdef __cplusplus
extern "C" {
#endif

#define PINNED_MATH_SPECIALS 8

typedef struct {
  const char *name;
  void (*onArray)(const float *x, float *y, int count);
  double (*reference)(double);
  double bound; ///< the largest error allowed, in ulp of f32
  int specialCount;
  struct {
    float x, y;
  } specials[PINNED_MATH_SPECIALS]; ///< arguments whose result is known to the
                                    ///< bit
} PinnedFunction;

extern const PinnedFunction pinnedFunctions[];
extern const int pinnedFunctionCount;

#ifdef __cplusplus
}
#endif

#endif // MORTAR_TEST_NUMERICS_PINNED_MATH_H
