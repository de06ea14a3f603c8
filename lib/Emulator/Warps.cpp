//===- Warps.cpp - control flow of one warp -------------------------------===//

#include "Lanes.h"
#include "Launch.h"
#include "Moves.h"

using namespace mortar::emulator;

template <typename T>
static void copyActive(const Instruction &i, const Warp &warp) {
  auto *to = reinterpret_cast<T *>(warp.registers + i.result);
  auto *from = reinterpret_cast<const T *>(warp.registers + i.a);
  for (uint32_t k = 0; k < i.count; k += warpSize)
    forEachLane(warp.mask,
                [&](unsigned lane) { to[k + lane] = from[k + lane]; });
}

static void copyActive(const Instruction &i, const Warp &warp) {
  switch (i.size) {
  case 1:
    return copyActive<uint8_t>(i, warp);
  case 2:
    return copyActive<uint16_t>(i, warp);
  case 4:
    return copyActive<uint32_t>(i, warp);
  default:
    return copyActive<uint64_t>(i, warp);
  }
}

template <typename T>
static uint32_t lanesBelow(const Instruction &i, const Warp &warp) {
  auto *a = reinterpret_cast<const T *>(warp.registers + i.a);
  auto *b = reinterpret_cast<const T *>(warp.registers + i.b);
  uint32_t mask = 0;
  for (unsigned lane = 0; lane < warpSize; ++lane)
    mask |= uint32_t(a[lane] < b[lane]) << lane;
  return mask;
}

/// Where a loop's induction variable is below its bound.
static uint32_t lanesBelow(const Instruction &i, const Warp &warp) {
  if (i.size == 8)
    return i.isSigned ? lanesBelow<int64_t>(i, warp)
                      : lanesBelow<uint64_t>(i, warp);
  if (i.size == 4)
    return i.isSigned ? lanesBelow<int32_t>(i, warp)
                      : lanesBelow<uint32_t>(i, warp);
  if (i.size == 2)
    return i.isSigned ? lanesBelow<int16_t>(i, warp)
                      : lanesBelow<uint16_t>(i, warp);
  return i.isSigned ? lanesBelow<int8_t>(i, warp)
                    : lanesBelow<uint8_t>(i, warp);
}

void Emulator::Launch::setCoordinate(const Instruction &i, Warp &warp) {
  auto *result = reinterpret_cast<int64_t *>(warp.registers + i.result);
  unsigned axis = i.target % 3;
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    uint32_t thread = warp.number * warpSize + lane;
    const uint32_t inBlock[3] = {thread % dims.block[0],
                                 thread / dims.block[0] % dims.block[1],
                                 thread / dims.block[0] / dims.block[1]};
    const uint32_t inGrid[3] = {block % dims.grid[0],
                                block / dims.grid[0] % dims.grid[1],
                                block / dims.grid[0] / dims.grid[1]};
    const uint32_t *of[4] = {inBlock, inGrid, dims.block, dims.grid};
    result[lane] = i.target == 12 ? lane : of[i.target / 3][axis];
  }
}

/// As shfl.sync, to which MLIR lowers it: lanes up to `width` take part (up:
/// from 32 - width), and who would read beyond reads itself.
void Emulator::Launch::shuffle(const Instruction &i, Warp &warp) {
  const char *from = warp.registers + i.a;
  auto *offsets = reinterpret_cast<const int32_t *>(warp.registers + i.b);
  auto *widths = reinterpret_cast<const int32_t *>(warp.registers + i.c);
  char *to = warp.registers + i.result;
  char *valid = warp.registers + i.count;
  unsigned sources[warpSize];
  uint32_t inactive = 0;
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    int32_t offset = offsets[lane] & 31, last = widths[lane] - 1, source = lane;
    bool isValid = false;
    switch (ShuffleMode(i.target)) {
    case ShuffleMode::Xor:
      source = int32_t(lane) ^ offset;
      isValid = source <= last;
      break;
    case ShuffleMode::Up:
      source = int32_t(lane) - offset;
      isValid = source >= int32_t(warpSize) - widths[lane];
      break;
    case ShuffleMode::Down:
      source = int32_t(lane) + offset;
      isValid = source <= last;
      break;
    case ShuffleMode::Idx:
      source = offset;
      isValid = source <= last;
      break;
    }
    sources[lane] = isValid ? unsigned(source) & 31 : lane;
    valid[lane] = isValid;
    inactive |= uint32_t(!(warp.mask >> sources[lane] & 1)) << lane;
  }
  forEachLane(inactive & warp.mask, [&](unsigned lane) {
    report(FindingKind::InactiveShuffle, warp, lane, i.op, 0, "reads lane ",
           sources[lane], ", which is not active");
  });
  withWord(i.size, [&](auto zero) {
    using T = decltype(zero);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      reinterpret_cast<T *>(to)[lane] =
          reinterpret_cast<const T *>(from)[sources[lane]];
  });
}

void Emulator::Launch::checkDivisor(const Instruction &i, Warp &warp) {
  const char *divisors = warp.registers + i.a;
  for (uint32_t k = 0; k < i.count; ++k) {
    uint64_t divisor = 0;
    std::memcpy(&divisor, divisors + k * i.size, i.size);
    if (!divisor && (warp.mask >> (k % warpSize) & 1))
      report(FindingKind::DivisionByZero, warp, k % warpSize, i.op, 0,
             "divides by zero");
  }
}

void Emulator::Launch::meetBarrier(const Instruction &i, Warp &warp) {
  warp.barrier = warp.pc - 1;
  if (uint32_t missing = warp.lanes & ~warp.mask) {
    unsigned lane = __builtin_ctz(missing);
    report(FindingKind::DivergentBarrier, warp, __builtin_ctz(warp.mask), i.op,
           0, "waits, but thread ", warp.number * warpSize + lane,
           " of its warp is not there");
  }
}

void Emulator::Launch::runWarp(Warp &warp) {
  Counts &counts = emulator.counted;
  while (true) {
    const Instruction &i = program.code[warp.pc++];
    if (i.countsOp) {
      unsigned lanes = __builtin_popcount(warp.mask);
      counts.threadOps += lanes;
      counts.elementOps +=
          i.step == Step::Lanes ? lanes * i.count / warpSize : lanes;
    }
    switch (i.step) {
    case Step::Lanes:
      i.function(i, warp.registers);
      break;
    case Step::CopyActive:
      copyActive(i, warp);
      break;
    case Step::Coordinate:
      setCoordinate(i, warp);
      break;
    case Step::CheckDivisor:
      checkDivisor(i, warp);
      break;
    case Step::Load:
    case Step::Store:
    case Step::Prefetch:
      access(i, warp);
      break;
    case Step::Shuffle:
      shuffle(i, warp);
      break;
    case Step::Barrier:
      return meetBarrier(i, warp);
    case Step::Wait:
      warp.waited |= warp.mask;
      break;
    case Step::If: {
      uint32_t condition = lanesWhere(warp.registers + i.a);
      warp.frames.push_back({warp.mask, warp.mask & ~condition});
      warp.mask &= condition;
      if (!warp.mask)
        warp.pc = i.target;
      break;
    }
    case Step::Else:
      warp.mask = warp.frames.back().otherwise;
      if (!warp.mask)
        warp.pc = i.target;
      break;
    case Step::For:
      warp.frames.push_back({warp.mask, 0});
      break;
    case Step::ForTest:
      warp.mask &= lanesBelow(i, warp);
      if (!warp.mask)
        warp.pc = i.target;
      break;
    case Step::Next:
      warp.pc = i.target;
      break;
    case Step::EndIf:
    case Step::EndFor:
      warp.mask = warp.frames.back().outer;
      warp.frames.pop_back();
      break;
    case Step::Nothing:
      break;
    case Step::Return:
      if (uint32_t hasty = warp.lanes & ~warp.waited;
          hasty && program.programmaticLaunch)
        report(FindingKind::MissingWait, warp, __builtin_ctz(hasty), i.op, 0,
               "ends without nvvm.griddepcontrol wait, so kernels after this "
               "one may "
               "overtake those before it");
      warp.isDone = true;
      return;
    }
  }
}
