//===- Moves.h - values between registers and memory ------------*- C++ -*-===//
#ifndef MORTAR_LIB_EMULATOR_MOVES_H
#define MORTAR_LIB_EMULATOR_MOVES_H

#include "Program.h"

#include <cstring>

namespace mortar::emulator {

/// Moves `elements` values of a lane; a register has them a warp apart.
template <typename T>
void moveLane(char *memory, T *values, uint32_t elements, bool isStore) {
  for (uint32_t e = 0; e < elements; ++e) {
    T *value = values + e * warpSize;
    if (isStore)
      std::memcpy(memory + e * sizeof(T), value, sizeof(T));
    else
      std::memcpy(value, memory + e * sizeof(T), sizeof(T));
  }
}

/// Calls `act` with a zero of the word that has so many bytes.
template <typename Act> auto withWord(uint32_t bytes, Act act) {
  switch (bytes) {
  case 1:
    return act(uint8_t());
  case 2:
    return act(uint16_t());
  case 4:
    return act(uint32_t());
  default:
    return act(uint64_t());
  }
}

inline void moveLane(char *memory, char *values, unsigned lane,
                     uint32_t elementBytes, uint32_t elements, bool isStore) {
  withWord(elementBytes, [&](auto zero) {
    using T = decltype(zero);
    moveLane(memory, reinterpret_cast<T *>(values) + lane, elements, isStore);
  });
}

/// All lanes at once, whose chunks follow one another.
template <typename T, unsigned elements>
void moveWarp(char *memory, T *__restrict values, bool isStore) {
  auto *chunks = reinterpret_cast<T *>(memory);
  if (isStore) {
    for (unsigned lane = 0; lane < warpSize; ++lane)
      for (unsigned e = 0; e < elements; ++e)
        chunks[lane * elements + e] = values[e * warpSize + lane];
  } else {
    for (unsigned e = 0; e < elements; ++e)
      for (unsigned lane = 0; lane < warpSize; ++lane)
        values[e * warpSize + lane] = chunks[lane * elements + e];
  }
}

template <typename T>
bool moveWarp(char *memory, char *values, uint32_t elements, bool isStore) {
  auto *typed = reinterpret_cast<T *>(values);
  switch (elements) {
  case 1:
    moveWarp<T, 1>(memory, typed, isStore);
    return true;
  case 2:
    moveWarp<T, 2>(memory, typed, isStore);
    return true;
  case 4:
    moveWarp<T, 4>(memory, typed, isStore);
    return true;
  case 8:
    moveWarp<T, 8>(memory, typed, isStore);
    return true;
  case 16:
    moveWarp<T, 16>(memory, typed, isStore);
    return true;
  default:
    return false;
  }
}

inline bool moveWarp(char *memory, char *values, uint32_t elementBytes,
                     uint32_t elements, bool isStore) {
  if (elementBytes == 2)
    return moveWarp<uint16_t>(memory, values, elements, isStore);
  if (elementBytes == 4)
    return moveWarp<uint32_t>(memory, values, elements, isStore);
  if (elementBytes == 1)
    return moveWarp<uint8_t>(memory, values, elements, isStore);
  return moveWarp<uint64_t>(memory, values, elements, isStore);
}

} // namespace mortar::emulator

#endif // MORTAR_LIB_EMULATOR_MOVES_H
