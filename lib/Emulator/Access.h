//===- Access.h - an access of a warp, on its way ---------------*- C++ -*-===//
#ifndef MORTAR_LIB_EMULATOR_ACCESS_H
#define MORTAR_LIB_EMULATOR_ACCESS_H

#include "Launch.h"

namespace mortar::emulator {

struct Emulator::Launch::Lanes {
  const Instruction &instruction;
  const Access &access;
  const Pointer &pointer;
  Warp &warp;
  uint32_t bytes = 0; // of a lane
  bool isStore = false;
  bool tracksWrites = false; // races are possible at all
  bool tracksReads = false;
  uint32_t oldest = 0; // the first record that isn't of the past
  uint32_t event = 0;
  uint32_t mask = 0;                           // lanes that still take part
  bool isPartial = false;                      // some want some elements only
  uint32_t reach[warpSize] = {};               // of each the last that it wants
  alignas(64) int64_t elements[warpSize] = {}; // from the pointer on
  alignas(64) int64_t places[warpSize] = {};   // bytes into the buffer
  uint32_t me(unsigned lane) const { return event * warpSize + lane; }
};

} // namespace mortar::emulator

#endif // MORTAR_LIB_EMULATOR_ACCESS_H
