//===- LaneFloatsTest.cpp - the emulator's casts against APFloat ----------===//

#include "lib/Emulator/LaneFloats.h"

#include "llvm/ADT/APFloat.h"

#include "gtest/gtest.h"

using namespace mortar::emulator;
using llvm::APFloat;

namespace {
/// Every sign, exponent and high mantissa, with low bits below, at and above
/// ties.
template <typename Visit> void forEachFloat(Visit visit) {
  for (uint32_t high = 0; high < 0x10000; ++high)
    for (uint32_t low :
         {0u, 1u, 0xfffu, 0x1000u, 0x1001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      visit(high << 16 | low);
}

template <typename Narrow>
void compareNarrowing(const llvm::fltSemantics &semantics) {
  uint64_t differences = 0;
  forEachFloat([&](uint32_t bits) {
    Narrow found = fromFloat<Narrow>(bitsAs<float>(bits));
    APFloat expected(APFloat::IEEEsingle(), llvm::APInt(32, bits));
    bool losesInfo;
    expected.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
    APFloat made(semantics, llvm::APInt(sizeof(Narrow) * 8, found.bits));
    bool same = expected.isNaN() ? made.isNaN() : made.bitwiseIsEqual(expected);
    if (!same && differences++ < 5)
      ADD_FAILURE() << "of 0x" << std::hex << bits << ": 0x"
                    << uint32_t(found.bits);
  });
  EXPECT_EQ(differences, 0u);
}

template <typename Narrow>
void compareWidening(const llvm::fltSemantics &semantics) {
  for (uint32_t bits = 0; bits < 1u << (sizeof(Narrow) * 8); ++bits) {
    Narrow narrow;
    narrow.bits = bits;
    APFloat expected(semantics, llvm::APInt(sizeof(Narrow) * 8, bits));
    bool losesInfo;
    expected.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                     &losesInfo);
    APFloat found(toFloat(narrow));
    ASSERT_TRUE(expected.isNaN() ? found.isNaN()
                                 : found.bitwiseIsEqual(expected))
        << "of 0x" << std::hex << bits;
  }
}
} // namespace

TEST(LaneFloats, BF16) {
  compareNarrowing<BF16>(APFloat::BFloat());
  compareWidening<BF16>(APFloat::BFloat());
}
TEST(LaneFloats, F16) {
  compareNarrowing<F16>(APFloat::IEEEhalf());
  compareWidening<F16>(APFloat::IEEEhalf());
}
TEST(LaneFloats, F8E4M3) {
  compareNarrowing<F8E4M3>(APFloat::Float8E4M3FN());
  compareWidening<F8E4M3>(APFloat::Float8E4M3FN());
}
