//===- LaneFloats.h - narrow floats, exactly --------------------*- C++ -*-===//
//
// Included only by files that are compiled with -ffp-contract=off and for
// x86-64-v3, where _Float16 is converted by hardware, subnormals kept, to
// nearest even.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_LIB_EMULATOR_LANEFLOATS_H
#define MORTAR_LIB_EMULATOR_LANEFLOATS_H

#include <cmath>
#include <cstdint>
#include <cstring>

namespace mortar::emulator {

template <typename To, typename From> inline To bitsAs(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

struct BF16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};
struct F8E4M3 {
  uint8_t bits;
};

inline float toFloat(float x) { return x; }
inline float toFloat(BF16 x) { return bitsAs<float>(uint32_t(x.bits) << 16); }
inline float toFloat(F16 x) { return float(bitsAs<_Float16>(x.bits)); }
inline float toFloat(F8E4M3 x) {
  uint32_t sign = uint32_t(x.bits & 0x80) << 24, rest = x.bits & 0x7f;
  if (rest == 0x7f)
    return bitsAs<float>(sign | 0x7fc00000);
  // The exponent's bias is 7; as a float of bias 127 it is 2^120 too small, and
  // what was subnormal still is, so the multiplication is exact for both.
  return bitsAs<float>(sign | rest << 20) * 0x1p120f;
}

template <typename T> T fromFloat(float x);
template <> inline float fromFloat<float>(float x) { return x; }
template <> inline BF16 fromFloat<BF16>(float x) {
  uint32_t bits = bitsAs<uint32_t>(x);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  uint32_t quiet = bits >> 16 | 0x40;
  return {uint16_t((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded)};
}
template <> inline F16 fromFloat<F16>(float x) {
  return {bitsAs<uint16_t>(_Float16(x))};
}
/// Beyond 448, after rounding, there is only NaN.
template <> inline F8E4M3 fromFloat<F8E4M3>(float x) {
  uint32_t bits = bitsAs<uint32_t>(x);
  uint8_t sign = bits >> 24 & 0x80;
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return {uint8_t(sign | 0x7f)};
  if (magnitude < 0x3c800000) { // below 2^-6: a multiple of 2^-9
    float scaled = bitsAs<float>(magnitude) * 0x1p9f;
    return {uint8_t(sign | uint8_t(std::nearbyint(scaled)))};
  }
  uint32_t rounded = (magnitude + 0x7ffff + (magnitude >> 20 & 1)) >> 20;
  uint32_t code = rounded - (120 << 3);
  return {uint8_t(sign | (code >= 0x7f ? 0x7f : code))};
}

/// IEEE 754-2019 maximum and minimum: NaN wins, and -0 is less than +0.
inline float maximum(float a, float b) {
  uint32_t both = bitsAs<uint32_t>(a) & bitsAs<uint32_t>(b);
  float result = a > b ? a : b;
  result = a == b ? bitsAs<float>(both) : result;
  return a != a || b != b ? a + b : result;
}
inline float minimum(float a, float b) {
  uint32_t either = bitsAs<uint32_t>(a) | bitsAs<uint32_t>(b);
  float result = a < b ? a : b;
  result = a == b ? bitsAs<float>(either) : result;
  return a != a || b != b ? a + b : result;
}

} // namespace mortar::emulator

#endif // MORTAR_LIB_EMULATOR_LANEFLOATS_H
