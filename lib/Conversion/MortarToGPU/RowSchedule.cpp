//===- RowSchedule.cpp - how rows are dealt to threads --------------------===//

#include "RowSchedule.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mortar;

FailureOr<ChipTraits> ChipTraits::parse(StringRef chip) {
  static constexpr std::pair<StringLiteral, unsigned> known[] = {
      {"sm_80", 8}, {"sm_86", 8}, {"sm_87", 8}, {"sm_89", 8},   {"sm_90", 9},
      {"sm_100", 10}, {"sm_103", 10}, {"sm_120", 12}, {"sm_121", 12}};
  for (auto [name, major] : known)
    if (chip == name)
      return ChipTraits{major};
  return failure();
}

// Found by timing on an H100: at up to 512 threads a row one access a thread is best,
// since all of a row is in flight at once; beyond, threads take more chunks.
static constexpr int64_t preferredWarpsPerRow = 16;
// Once there are rows for several waves of blocks, a thread should have 32 bytes in
// flight, and fewer threads share a barrier: rms_norm of 4096 elements took 12.2 µs, not
// 12.6, for 2048 rows and 177 µs, not 181, for 32768, but 4.05 µs, not 3.58, for 512.
static constexpr int64_t preferredWarpsOfManyRows = 8;
static constexpr int64_t preferredBytesInFlight = 32;
static constexpr int64_t maxWarpsPerRow = 32;
static constexpr int64_t maxElementsPerThread = 64;
static constexpr int64_t threadsOfShortRows = 256;
// Small blocks spread few rows over more multiprocessors: 1024 elements took 8 rows of
// 14336 from 1.9 to 1.4 µs and cost nothing at many rows, where blocks of 512 took a
// fifth longer.
static constexpr int64_t elementsOfSplitBlock = 1024;
// 64 registers a thread. Left alone, ptxas saves registers until 2048 threads fit: then
// 8192 elements with a residual took 3.1 µs for 32 rows, not 2.4, and silu_and_mul a third
// longer for up to 32.
static constexpr int64_t residentThreads = 1024;

int64_t RowSchedule::residentBlocks() const {
  return std::max<int64_t>(1, residentThreads / threads);
}

FailureOr<RowSchedule> mortar::chooseSchedule(RowProgram &program, int64_t width,
                                              RowCount count) {
  RowSchedule s;
  s.length = program.length;
  s.width = width;
  for (int64_t group : program.groupLengths) {
    int64_t chunks = group / width;
    if (llvm::isPowerOf2_64(chunks))
      continue;
    if (program.groupLengths.size() > 1u || program.sumsWholeRow)
      return program.region.emitError()
             << "expected groups of a power of two of values beside other reductions, "
                "but found groups of "
             << group;
    s.groupChunks = chunks;
    s.paddedGroupChunks = llvm::PowerOf2Ceil(chunks);
  }
  int64_t chunksPerRow = s.dealtChunks();
  if (!program.reduces) {
    s.kind = RowSchedule::Split;
    s.threads = elementsOfSplitBlock / width;
    return s;
  }
  if (chunksPerRow <= 32) {
    s.lanes = llvm::PowerOf2Ceil(chunksPerRow);
    s.threads = threadsOfShortRows;
    s.rows = s.threads / s.lanes;
    return s;
  }
  s.lanes = 32;
  int64_t warpChunks = llvm::divideCeil(chunksPerRow, s.lanes);
  bool fewWarps =
      count == RowCount::Many &&
      width * int64_t(program.loadedBytes) < preferredBytesInFlight;
  int64_t preferredWarps = fewWarps ? preferredWarpsOfManyRows : preferredWarpsPerRow;
  while (llvm::divideCeil(warpChunks, s.chunks) > preferredWarps &&
         s.chunks * s.width < 16)
    s.chunks *= 2;
  while (llvm::divideCeil(warpChunks, s.chunks) > maxWarpsPerRow)
    s.chunks *= 2;
  if (s.chunks * s.width > maxElementsPerThread)
    return program.region.emitError()
           << "expected rows of at most " << maxElementsPerThread * 32 * maxWarpsPerRow
           << " elements, which a block holds in registers, but found "
           << program.length;
  s.warps = llvm::divideCeil(warpChunks, s.chunks);
  s.rows = std::max<int64_t>(1, 4 / s.warps);
  s.threads = s.rows * s.warps * 32;
  return s;
}
