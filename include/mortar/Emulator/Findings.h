//===- Findings.h - what a run of a kernel showed ---------------*- C++ -*-===//
#ifndef MORTAR_EMULATOR_FINDINGS_H
#define MORTAR_EMULATOR_FINDINGS_H

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace mortar::emulator {

enum class FindingKind : uint8_t {
  Race,          // two threads, one of which writes, with no barrier in between
  OutOfBounds,   // outside a buffer, a row of it or a dimension
  Misaligned,    // less than the access demands
  Uninitialized, // a read of what nobody wrote
  DivergentBarrier, // that not all threads of a block reach
  InactiveShuffle,  // an active lane reads an inactive one
  EarlyAccess,      // of what earlier kernels may still write
  MissingWait,      // a thread ends without it: what comes next may overtake
  ConstantWritten,  // a buffer that was promised to stay as it is
  DivisionByZero
};

/// "race", as a message begins.
const char *findingName(FindingKind kind);

struct Finding {
  FindingKind kind;
  std::string location; // of the op
  std::string text;     // of the first time
  uint64_t count = 1;
  /// "layer.mlir:3:8: race: …, 17 times"
  std::string describe() const;
};

/// Findings of one kind at one op (and one other op, of races) are one.
class Findings {
public:
  /// Null if there is one already, which is counted.
  Finding *add(const void *kernel, FindingKind kind, uint32_t op,
               uint32_t otherOp);
  bool empty() const { return all.empty(); }
  const std::vector<Finding> &list() const { return all; }
  void clear();

private:
  std::vector<Finding> all;
  std::map<std::tuple<const void *, FindingKind, uint32_t, uint32_t>, size_t>
      known;
};

/// Of one op that reads or writes global memory.
struct AccessCount {
  std::string kernel, op, location, buffer;
  bool isStore = false;
  uint64_t accesses = 0; // by warps
  uint64_t bytes = 0;    // wanted, each once a warp
  uint64_t sectors = 0;  // of 32 bytes, touched
  uint64_t least = 0;    // sectors that hold so many bytes
};

struct Counts {
  /// Ops, each once for each thread that executes it, however long its vectors.
  uint64_t threadOps = 0;
  /// The same with a vector op counted once an element.
  uint64_t elementOps = 0;
  uint64_t launches = 0;
  std::vector<AccessCount> accesses; // in program order, kernel after kernel

  /// A table: what each access touches.
  std::string table() const;
};

} // namespace mortar::emulator

#endif // MORTAR_EMULATOR_FINDINGS_H
