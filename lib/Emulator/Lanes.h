//===- Lanes.h - masks of lanes ---------------------------------*- C++ -*-===//
#ifndef MORTAR_LIB_EMULATOR_LANES_H
#define MORTAR_LIB_EMULATOR_LANES_H

#include "Program.h"

#include <cstring>

namespace mortar::emulator {

/// The lanes whose byte, 0 or 1, is 1.
inline uint32_t lanesWhere(const char *condition) {
  uint32_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) {
    uint64_t eight;
    std::memcpy(&eight, condition + 8 * i, 8);
    // Gathers the low bits of eight bytes in the highest byte.
    mask |= uint32_t(eight * 0x0102040810204080 >> 56) << (8 * i);
  }
  return mask;
}

/// Calls visit(lane) for each of `mask`, lowest first.
template <typename Visit> inline void forEachLane(uint32_t mask, Visit visit) {
  for (; mask; mask &= mask - 1)
    visit(unsigned(__builtin_ctz(mask)));
}

} // namespace mortar::emulator

#endif // MORTAR_LIB_EMULATOR_LANES_H
