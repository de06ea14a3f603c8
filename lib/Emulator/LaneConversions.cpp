//===- LaneConversions.cpp - casts of a warp's lanes ----------------------===//

#include "LaneFloats.h"
#include "LaneOps.h"

#include <limits>
#include <type_traits>

using namespace mortar::emulator;

namespace {

template <typename To, typename From, To (*apply)(From)>
void convertLanes(const Instruction &i, char *registers) {
  auto *__restrict result = reinterpret_cast<To *>(registers + i.result);
  auto *a = reinterpret_cast<const From *>(registers + i.a);
  for (uint32_t k = 0, n = i.count & -warpSize; k < n; ++k)
    result[k] = apply(a[k]);
}

template <typename To, typename From> To convertInteger(From a) {
  return To(a);
}
template <typename From> uint8_t toBit(From a) { return a & 1; }
/// True is -1 as a signed number.
template <typename To> To fromSignedBit(uint8_t a) { return To(-To(a)); }

template <typename To, typename From> To convertFloat(From a) {
  return fromFloat<To>(toFloat(a));
}

/// Integers of up to 64 bits round once to f32; narrower formats would round
/// twice.
template <typename From> float floatFrom(From a) { return float(a); }

/// Exact, as every integer of 8 bits is a number of both narrow formats.
template <typename To, typename From> To narrowFrom(From a) {
  static_assert(sizeof(From) == 1);
  return convertFloat<To, float>(float(a));
}

/// As cvt.rzi: clamped, NaN becomes 0.
template <typename To> To integerFrom(float a) {
  using Limits = std::numeric_limits<To>;
  if (a != a)
    return 0;
  // The largest integer may round up to a float that no integer reaches.
  if (a >= float(Limits::max()))
    return Limits::max();
  if (a <= float(Limits::min()))
    return Limits::min();
  return To(a);
}

template <typename From, bool isSigned>
LaneFunction findExtension(LaneType to) {
  using F = std::conditional_t<isSigned, std::make_signed_t<From>, From>;
  switch (to) {
  case LaneType::I8:
    return convertLanes<uint8_t, F, convertInteger<uint8_t, F>>;
  case LaneType::I16:
    return convertLanes<uint16_t, F, convertInteger<uint16_t, F>>;
  case LaneType::I32:
    return convertLanes<uint32_t, F, convertInteger<uint32_t, F>>;
  case LaneType::I64:
    return convertLanes<uint64_t, F, convertInteger<uint64_t, F>>;
  case LaneType::I1:
    return convertLanes<uint8_t, From, toBit<From>>;
  default:
    return nullptr;
  }
}

LaneFunction findSignedBit(LaneType to) {
  switch (to) {
  case LaneType::I8:
    return convertLanes<uint8_t, uint8_t, fromSignedBit<uint8_t>>;
  case LaneType::I16:
    return convertLanes<uint16_t, uint8_t, fromSignedBit<uint16_t>>;
  case LaneType::I32:
    return convertLanes<uint32_t, uint8_t, fromSignedBit<uint32_t>>;
  case LaneType::I64:
    return convertLanes<uint64_t, uint8_t, fromSignedBit<uint64_t>>;
  default:
    return nullptr;
  }
}

/// Also truncation, and the sizes that stay (index_cast).
template <bool isSigned> LaneFunction findInteger(LaneType from, LaneType to) {
  switch (from) {
  case LaneType::I1:
    return isSigned && to != LaneType::I1 ? findSignedBit(to)
                                          : findExtension<uint8_t, false>(to);
  case LaneType::I8:
    return findExtension<uint8_t, isSigned>(to);
  case LaneType::I16:
    return findExtension<uint16_t, isSigned>(to);
  case LaneType::I32:
    return findExtension<uint32_t, isSigned>(to);
  case LaneType::I64:
    return findExtension<uint64_t, isSigned>(to);
  default:
    return nullptr;
  }
}

template <typename From> LaneFunction findFloat(LaneType to) {
  switch (to) {
  case LaneType::F8E4M3:
    return convertLanes<F8E4M3, From, convertFloat<F8E4M3, From>>;
  case LaneType::F16:
    return convertLanes<F16, From, convertFloat<F16, From>>;
  case LaneType::BF16:
    return convertLanes<BF16, From, convertFloat<BF16, From>>;
  case LaneType::F32:
    return convertLanes<float, From, convertFloat<float, From>>;
  default:
    return nullptr;
  }
}

template <bool isSigned>
LaneFunction findFromInteger(LaneType from, LaneType to) {
  using I8 = std::conditional_t<isSigned, int8_t, uint8_t>;
  if (from == LaneType::I8 && to == LaneType::F16)
    return convertLanes<F16, I8, narrowFrom<F16, I8>>;
  if (from == LaneType::I8 && to == LaneType::BF16)
    return convertLanes<BF16, I8, narrowFrom<BF16, I8>>;
  if (to != LaneType::F32)
    return nullptr;
#define FROM(BITS)                                                             \
  using I##BITS = std::conditional_t<isSigned, int##BITS##_t, uint##BITS##_t>; \
  if (from == LaneType::I##BITS)                                               \
    return convertLanes<float, I##BITS, floatFrom<I##BITS>>;
  FROM(8)
  FROM(16) FROM(32) FROM(64)
#undef FROM
      return nullptr;
}

template <bool isSigned> LaneFunction findToInteger(LaneType to) {
#define TO(BITS)                                                               \
  using I##BITS = std::conditional_t<isSigned, int##BITS##_t, uint##BITS##_t>; \
  if (to == LaneType::I##BITS)                                                 \
    return convertLanes<I##BITS, float, integerFrom<I##BITS>>;
  TO(8)
  TO(16) TO(32) TO(64)
#undef TO
      return nullptr;
}

} // namespace

LaneFunction mortar::emulator::findConversion(Conversion conversion,
                                              LaneType from, LaneType to) {
  switch (conversion) {
  case Conversion::SignExtend:
    return findInteger<true>(from, to);
  case Conversion::ZeroExtend:
  case Conversion::Truncate:
    return findInteger<false>(from, to);
  case Conversion::ToFloat:
    switch (from) {
    case LaneType::F8E4M3:
      return findFloat<F8E4M3>(to);
    case LaneType::F16:
      return findFloat<F16>(to);
    case LaneType::BF16:
      return findFloat<BF16>(to);
    case LaneType::F32:
      return findFloat<float>(to);
    default:
      return nullptr;
    }
  case Conversion::FloatFromS:
    return findFromInteger<true>(from, to);
  case Conversion::FloatFromU:
    return findFromInteger<false>(from, to);
  case Conversion::FloatToS:
    return from == LaneType::F32 ? findToInteger<true>(to) : nullptr;
  case Conversion::FloatToU:
    return from == LaneType::F32 ? findToInteger<false>(to) : nullptr;
  }
  return nullptr;
}
