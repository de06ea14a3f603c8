//===- float-bits.h - an f32 and its bits -----------------------*- C++ -*-===//

#ifndef MORTAR_TEST_NUMERICS_FLOAT_BITS_H
#define MORTAR_TEST_NUMERICS_FLOAT_BITS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t bitsOf(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
static inline float floatOf(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

#endif // MORTAR_TEST_NUMERICS_FLOAT_BITS_H
