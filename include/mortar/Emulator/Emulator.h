//===- Emulator.h - runs kernels, one block after another -------*- C++ -*-===//
//
// Warps run in lock step, 32 lanes under a mask, each until its next barrier.
// Every access is checked against the shadow of what it touches. What is wrong
// is reported, not repaired: a kernel goes on as if an access that may not be
// made had given zero.
//
//===----------------------------------------------------------------------===//
#ifndef MORTAR_EMULATOR_EMULATOR_H
#define MORTAR_EMULATOR_EMULATOR_H

#include "mortar/Emulator/Findings.h"
#include "mortar/Emulator/Kernel.h"
#include "mortar/Emulator/Memory.h"

namespace mortar::emulator {

class Emulator {
public:
  /// Blocks and warps run in order, or with another seed than 0 in one that it
  /// gives.
  explicit Emulator(uint64_t orderSeed = 0);
  ~Emulator();

  /// What kernels may touch.
  Memory &memory() { return known; }

  /// Fails only where the launch itself makes no sense; for what the kernel
  /// does wrong see findings().
  runtime::Status launch(const Kernel &kernel, const runtime::LaunchDims &dims,
                         const int64_t *params, size_t numParams);

  const Findings &findings() const { return found; }
  const Counts &counts() const { return counted; }

private:
  class Launch;

  uint64_t orderSeed;
  Memory known;
  Findings found;
  Counts counted;
  uint32_t nextEvent = 1;
  std::map<const Program *, size_t>
      firstAccess; // of a kernel, in counted.accesses
};

/// An error that lists the first ten findings, one a line; success if there are
/// none.
runtime::Status toStatus(const Findings &findings);

} // namespace mortar::emulator

#endif // MORTAR_EMULATOR_EMULATOR_H
