//===- LaneOps.cpp - what one op does to the lanes of a warp --------------===//

#include "LaneOps.h"

#include "LaneFloats.h"

#include <limits>
#include <type_traits>

using namespace mortar::emulator;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {
// A result never shares its register with an operand, and registers are aligned
// to 64 bytes and hold whole warps, which lets compilers drop every check
// around these loops.
template <typename To, typename From, To (*apply)(From)>
void map1(const Instruction &i, char *registers) {
  auto *__restrict result = reinterpret_cast<To *>(registers + i.result);
  auto *a = reinterpret_cast<const From *>(registers + i.a);
  for (uint32_t k = 0, n = i.count & -warpSize; k < n; ++k)
    result[k] = apply(a[k]);
}
template <typename To, typename T, To (*apply)(T, T)>
void map2(const Instruction &i, char *registers) {
  auto *__restrict result = reinterpret_cast<To *>(registers + i.result);
  auto *a = reinterpret_cast<const T *>(registers + i.a);
  auto *b = reinterpret_cast<const T *>(registers + i.b);
  for (uint32_t k = 0, n = i.count & -warpSize; k < n; ++k)
    result[k] = apply(a[k], b[k]);
}
void fmaLanes(const Instruction &i, char *registers) {
  auto *__restrict result = reinterpret_cast<float *>(registers + i.result);
  auto *a = reinterpret_cast<const float *>(registers + i.a);
  auto *b = reinterpret_cast<const float *>(registers + i.b);
  auto *c = reinterpret_cast<const float *>(registers + i.c);
  for (uint32_t k = 0, n = i.count & -warpSize; k < n; ++k)
    result[k] = __builtin_fmaf(a[k], b[k], c[k]);
}
template <typename T, bool byLane>
void selectLanes(const Instruction &i, char *registers) {
  auto *__restrict result = reinterpret_cast<T *>(registers + i.result);
  auto *condition = reinterpret_cast<const uint8_t *>(registers + i.a);
  auto *b = reinterpret_cast<const T *>(registers + i.b);
  auto *c = reinterpret_cast<const T *>(registers + i.c);
  for (uint32_t k = 0, n = i.count & -warpSize; k < n; k += warpSize)
    for (uint32_t lane = 0; lane < warpSize; ++lane)
      result[k + lane] =
          condition[byLane ? lane : k + lane] ? b[k + lane] : c[k + lane];
}
template <typename T> void copyLanes(const Instruction &i, char *registers) {
  std::memcpy(registers + i.result, registers + i.a, i.count * sizeof(T));
}

//===----------------------------------------------------------------------===//
// Integers: T is unsigned
//===----------------------------------------------------------------------===//

template <typename T> using S = std::make_signed_t<T>;
template <typename T> constexpr T bits = sizeof(T) * 8;

// Narrow types are promoted to int, whose multiplication could overflow.
template <typename T> T mulI(T a, T b) { return T(uint64_t(a) * uint64_t(b)); }
template <typename T> T addI(T a, T b) { return T(a + b); }
template <typename T> T subI(T a, T b) { return T(a - b); }
template <typename T> T divU(T a, T b) { return b ? T(a / b) : T(0); }
template <typename T> T remU(T a, T b) { return b ? T(a % b) : T(0); }
template <typename T> T ceilDivU(T a, T b) {
  return b ? T(a / b + (a % b != 0)) : T(0);
}
/// The one quotient that overflows wraps around.
template <typename T> T divS(T a, T b) {
  if (S<T>(b) == -1)
    return T(T(0) - a);
  return b ? T(S<T>(a) / S<T>(b)) : T(0);
}
template <typename T> T remS(T a, T b) {
  return b && S<T>(b) != -1 ? T(S<T>(a) % S<T>(b)) : T(0);
}
template <typename T> T floorDivS(T a, T b) {
  bool below = remS(a, b) && (S<T>(a) < 0) != (S<T>(b) < 0);
  return T(divS(a, b) - below);
}
template <typename T> T ceilDivS(T a, T b) {
  bool above = remS(a, b) && (S<T>(a) < 0) == (S<T>(b) < 0);
  return T(divS(a, b) + above);
}
template <typename T> T andI(T a, T b) { return T(a & b); }
template <typename T> T orI(T a, T b) { return T(a | b); }
template <typename T> T xorI(T a, T b) { return T(a ^ b); }
template <typename T> T shl(T a, T b) { return b < bits<T> ? T(a << b) : T(0); }
template <typename T> T shrU(T a, T b) {
  return b < bits<T> ? T(a >> b) : T(0);
}
template <typename T> T shrS(T a, T b) {
  return T(S<T>(a) >> (b < bits<T> ? b : bits<T> - 1));
}
template <typename T> T minU(T a, T b) { return a < b ? a : b; }
template <typename T> T maxU(T a, T b) { return a > b ? a : b; }
template <typename T> T minS(T a, T b) { return S<T>(a) < S<T>(b) ? a : b; }
template <typename T> T maxS(T a, T b) { return S<T>(a) > S<T>(b) ? a : b; }
template <typename T> uint8_t eq(T a, T b) { return a == b; }
template <typename T> uint8_t ne(T a, T b) { return a != b; }
template <typename T> uint8_t ltS(T a, T b) { return S<T>(a) < S<T>(b); }
template <typename T> uint8_t leS(T a, T b) { return S<T>(a) <= S<T>(b); }
template <typename T> uint8_t gtS(T a, T b) { return S<T>(a) > S<T>(b); }
template <typename T> uint8_t geS(T a, T b) { return S<T>(a) >= S<T>(b); }
template <typename T> uint8_t ltU(T a, T b) { return a < b; }
template <typename T> uint8_t leU(T a, T b) { return a <= b; }
template <typename T> uint8_t gtU(T a, T b) { return a > b; }
template <typename T> uint8_t geU(T a, T b) { return a >= b; }

template <typename T> LaneFunction findInteger(LaneOp op) {
  // clang-format off
  switch (op) {
#define INTEGER(NAME, FUNCTION)                                                          \
  case LaneOp::NAME:                                                                     \
    return map2<decltype(FUNCTION(T(), T())), T, FUNCTION<T>>;
    INTEGER(AddI, addI) INTEGER(SubI, subI) INTEGER(MulI, mulI) INTEGER(DivU, divU)
    INTEGER(DivS, divS) INTEGER(RemU, remU) INTEGER(RemS, remS)
    INTEGER(CeilDivU, ceilDivU) INTEGER(CeilDivS, ceilDivS)
    INTEGER(FloorDivS, floorDivS) INTEGER(And, andI) INTEGER(Or, orI)
    INTEGER(Xor, xorI) INTEGER(Shl, shl) INTEGER(ShrU, shrU) INTEGER(ShrS, shrS)
    INTEGER(MinU, minU) INTEGER(MaxU, maxU) INTEGER(MinS, minS) INTEGER(MaxS, maxS)
    INTEGER(Eq, eq) INTEGER(Ne, ne) INTEGER(LtS, ltS) INTEGER(LeS, leS)
    INTEGER(GtS, gtS) INTEGER(GeS, geS) INTEGER(LtU, ltU) INTEGER(LeU, leU)
    INTEGER(GtU, gtU) INTEGER(GeU, geU)
#undef INTEGER
        // clang-format on
        default : return nullptr;
  }
}

/// An i1 is a byte that holds 0 or 1: only what keeps it so.
LaneFunction findBit(LaneOp op) {
  switch (op) {
  case LaneOp::And:
  case LaneOp::Or:
  case LaneOp::Xor:
  case LaneOp::Eq:
  case LaneOp::Ne:
    return findInteger<uint8_t>(op);
  default:
    return nullptr;
  }
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

float addF(float a, float b) { return a + b; }
float subF(float a, float b) { return a - b; }
float mulF(float a, float b) { return a * b; }
float divF(float a, float b) { return a / b; }
float maxNum(float a, float b) {
  return a != a ? b : b != b ? a : maximum(a, b);
}
float minNum(float a, float b) {
  return a != a ? b : b != b ? a : minimum(a, b);
}
float sqrtF(float a) { return __builtin_sqrtf(a); }
float floorF(float a) { return __builtin_floorf(a); }
float ceilF(float a) { return __builtin_ceilf(a); }
float truncF(float a) { return __builtin_truncf(a); }
float roundEven(float a) { return __builtin_roundevenf(a); }

template <typename T, float (*apply)(float)> T unary(T a) {
  return fromFloat<T>(apply(toFloat(a)));
}
template <typename T, float (*apply)(float, float)> T binary(T a, T b) {
  return fromFloat<T>(apply(toFloat(a), toFloat(b)));
}

// Signs are bits: a NaN stays as it is.
template <typename T> struct BitsOf {
  using Type = uint16_t;
};
template <> struct BitsOf<float> {
  using Type = uint32_t;
};
template <typename T>
constexpr typename BitsOf<T>::Type signBit = 1u << (sizeof(T) * 8 - 1);
template <typename T> T neg(T a) {
  using B = typename BitsOf<T>::Type;
  return bitsAs<T>(B(bitsAs<B>(a) ^ signBit<T>));
}
template <typename T> T absF(T a) {
  using B = typename BitsOf<T>::Type;
  return bitsAs<T>(B(bitsAs<B>(a) & B(~signBit<T>)));
}
template <typename T> T copySign(T a, T b) {
  using B = typename BitsOf<T>::Type;
  return bitsAs<T>(
      B((bitsAs<B>(a) & B(~signBit<T>)) | (bitsAs<B>(b) & signBit<T>)));
}

enum : unsigned { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };
template <typename T, unsigned accepted> uint8_t compareF(T x, T y) {
  float a = toFloat(x), b = toFloat(y);
  return ((accepted & Less) && a < b) | ((accepted & Equal) && a == b) |
         ((accepted & Greater) && a > b) |
         ((accepted & Unordered) && (a != a || b != b));
}

template <typename T> LaneFunction findFloat(LaneOp op) {
  // clang-format off
  switch (op) {
#define UNARY(NAME, FUNCTION)                                                            \
  case LaneOp::NAME:                                                                     \
    return map1<T, T, unary<T, FUNCTION>>;
    UNARY(Sqrt, sqrtF) UNARY(Floor, floorF) UNARY(Ceil, ceilF) UNARY(TruncF, truncF)
    UNARY(RoundEven, roundEven)
#undef UNARY
#define BINARY(NAME, FUNCTION)                                                           \
  case LaneOp::NAME:                                                                     \
    return map2<T, T, binary<T, FUNCTION>>;
    BINARY(AddF, addF) BINARY(SubF, subF) BINARY(MulF, mulF) BINARY(DivF, divF)
    BINARY(MaximumF, maximum) BINARY(MinimumF, minimum) BINARY(MaxNumF, maxNum)
    BINARY(MinNumF, minNum)
#undef BINARY
#define COMPARE(NAME, ACCEPTED)                                                          \
  case LaneOp::NAME:                                                                     \
    return map2<uint8_t, T, compareF<T, ACCEPTED>>;
    COMPARE(FalseF, 0) COMPARE(OEq, Equal) COMPARE(OGt, Greater)
    COMPARE(OGe, Greater | Equal) COMPARE(OLt, Less) COMPARE(OLe, Less | Equal)
    COMPARE(ONe, Less | Greater) COMPARE(Ord, Less | Equal | Greater)
    COMPARE(UEq, Unordered | Equal) COMPARE(UGt, Unordered | Greater)
    COMPARE(UGe, Unordered | Greater | Equal) COMPARE(ULt, Unordered | Less)
    COMPARE(ULe, Unordered | Less | Equal) COMPARE(UNe, Unordered | Less | Greater)
    COMPARE(Uno, Unordered) COMPARE(TrueF, Less | Equal | Greater | Unordered)
#undef COMPARE
      // clang-format on
      case LaneOp::NegF:
    return map1<T, T, neg<T>>;
  case LaneOp::AbsF:
    return map1<T, T, absF<T>>;
  case LaneOp::CopySign:
    return map2<T, T, copySign<T>>;
  case LaneOp::Fma:
    return std::is_same_v<T, float> ? fmaLanes : nullptr;
    default : return nullptr;
  }
}

template <typename T> LaneFunction findMove(LaneOp op) {
  return op == LaneOp::Select         ? selectLanes<T, false>
         : op == LaneOp::SelectByLane ? selectLanes<T, true>
                                      : copyLanes<T>;
}

} // namespace

LaneFunction mortar::emulator::findLaneFunction(LaneOp op, LaneType type) {
  if (op == LaneOp::Select || op == LaneOp::SelectByLane ||
      op == LaneOp::Copy) {
    unsigned bytes = laneBytes(type);
    return bytes == 1   ? findMove<uint8_t>(op)
           : bytes == 2 ? findMove<uint16_t>(op)
           : bytes == 4 ? findMove<uint32_t>(op)
                        : findMove<uint64_t>(op);
  }
  switch (type) {
  case LaneType::I1:
    return findBit(op);
  case LaneType::I8:
    return findInteger<uint8_t>(op);
  case LaneType::I16:
    return findInteger<uint16_t>(op);
  case LaneType::I32:
    return findInteger<uint32_t>(op);
  case LaneType::I64:
    return findInteger<uint64_t>(op);
  case LaneType::F8E4M3:
    return nullptr;
  case LaneType::F16:
    return findFloat<F16>(op);
  case LaneType::BF16:
    return findFloat<BF16>(op);
  case LaneType::F32:
    return findFloat<float>(op);
  }
  return nullptr;
}

bool mortar::emulator::canRunLanes() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
#else
  return true;
#endif
}
