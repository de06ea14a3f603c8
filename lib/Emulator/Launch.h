//===- Launch.h - one launch of one kernel ----------------------*- C++ -*-===//
#ifndef MORTAR_LIB_EMULATOR_LAUNCH_H
#define MORTAR_LIB_EMULATOR_LAUNCH_H

#include "Program.h"

#include "mortar/Emulator/Emulator.h"

#include <cstdlib>
#include <memory>

namespace mortar::emulator {

/// A warp-level access, to which records in shadow memory point.
struct Event {
  uint32_t block, epoch;
  uint16_t op, warp;
};

/// Where a memref of the kernel points.
struct Pointer {
  char *base = nullptr;
  Buffer *buffer = nullptr; // that it belongs to
  bool isWritten = false;   // the kernel has stores to this buffer
  bool isRead = false;
  bool isConstant = false; // promised to stay as it is
};

struct Frame {
  uint32_t outer, otherwise; // masks
};

struct Warp {
  char *registers = nullptr;
  uint32_t number = 0;
  uint32_t pc = 0;
  uint32_t lanes = 0;   // that the block has
  uint32_t mask = 0;    // that are active
  uint32_t waited = 0;  // for the kernels before
  uint32_t barrier = 0; // instruction number of the one it stands at
  bool isDone = false;
  std::vector<Frame> frames;
};

struct FreeBytes {
  void operator()(char *bytes) const { std::free(bytes); }
};

class Emulator::Launch {
public:
  Launch(Emulator &emulator, const Program &program,
         const runtime::LaunchDims &dims)
      : emulator(emulator), program(program), dims(dims) {}

  runtime::Status prepare(const int64_t *params, size_t numParams);
  runtime::Status run();

private:
  // Launch.cpp: blocks and barriers.
  void preparePointers(const int64_t *params);
  void runBlock(uint32_t number);
  void checkBarrier();
  void addCounts();

  // Warps.cpp: control flow.
  void runWarp(Warp &warp); // until a barrier or its end
  void setCoordinate(const Instruction &i, Warp &warp);
  void shuffle(const Instruction &i, Warp &warp);
  void checkDivisor(const Instruction &i, Warp &warp);
  void meetBarrier(const Instruction &i, Warp &warp);

  // Accesses.cpp: memory.
  struct Lanes; // an access of a warp, on its way
  void access(const Instruction &i, Warp &warp);
  void readMask(Lanes &lanes);
  void findElements(const Access &access, const Warp &warp, Lanes &lanes);
  void findPlaces(const Access &access, const Pointer &pointer, Lanes &lanes);
  void accessAll(Lanes &lanes);
  void accessLane(Lanes &lanes, unsigned lane);
  bool mayAccess(Lanes &lanes, unsigned lane, int64_t place, uint32_t bytes);
  void countSectors(Lanes &lanes);

  // Races.cpp: shadow memory.
  uint32_t recordEvent(uint32_t op, uint32_t warp);
  bool isUntouched(const Lanes &lanes, int64_t place, uint32_t bytes) const;
  void recordAccess(Lanes &lanes, unsigned lane, int64_t place, uint32_t bytes);
  void judge(Lanes &lanes, unsigned lane, int64_t place, uint32_t record,
             bool wrote);

  /// Null if it is known already. `text` follows the name of the op, block and
  /// thread.
  template <typename... Parts>
  void report(FindingKind kind, const Warp &warp, unsigned lane, uint32_t op,
              uint32_t otherOp, const Parts &...text) {
    if (Finding *made = emulator.found.add(&program, kind, op, otherOp)) {
      made->location = program.ops[op].location;
      made->text = runtime::Status::error(program.ops[op].text, " in ",
                                          nameThread(block, warp.number, lane),
                                          " ", text...)
                       .message();
    }
  }
  std::string nameThread(uint32_t block, uint32_t warp, unsigned lane) const {
    return "block " + std::to_string(block) + ", thread " +
           std::to_string(warp * warpSize + lane);
  }

  Emulator &emulator;
  const Program &program;
  runtime::LaunchDims dims;
  uint32_t threads = 1; // a block
  uint32_t blocks = 1;

  std::vector<Pointer> pointers;  // by parameter
  std::vector<Pointer> workgroup; // by number
  std::deque<Buffer> workgroupBuffers;
  std::vector<std::vector<char>> workgroupBytes;
  std::vector<std::unique_ptr<char, FreeBytes>> registerFiles;
  std::vector<Warp> warps;

  uint32_t block = 0, epoch = 0;
  uint32_t launchBegin = 0, blockBegin = 0; // events
  std::vector<Event> events;                // from launchBegin on
  bool tooManyEvents = false;
  std::vector<AccessCount> accessCounts;
};

} // namespace mortar::emulator

#endif // MORTAR_LIB_EMULATOR_LAUNCH_H
