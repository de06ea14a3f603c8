//===- RowSchedule.cpp - how rows are dealt to threads --------------------===//

#include "RowSchedule.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mortar;

FailureOr<ChipTraits> ChipTraits::parse(StringRef chip) {
  static constexpr std::pair<StringLiteral, unsigned> known[] = {
      {"sm_80", 80},   {"sm_86", 86},   {"sm_87", 87},   {"sm_89", 89},  {"sm_90", 90},
      {"sm_100", 100}, {"sm_103", 103}, {"sm_120", 120}, {"sm_121", 121}};
  for (auto [name, number] : known)
    if (chip == name)
      return ChipTraits{number / 10, number % 10};
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
// RowSchedule's 1024 resident threads are 64 registers each. Left alone, ptxas saves
// registers until 2048 threads fit: then 8192 elements with a residual took 3.1 µs for 32
// rows, not 2.4, and silu_and_mul a third longer for up to 32. What only takes maxima of
// groups keeps little and computes much: silu_and_mul and fp8 by groups of 128 took 119.7
// µs for 16384 rows of 4096, not 134.3, where sums took longer for it.
static constexpr int64_t residentThreadsOfGroupMaxima = 1536;
// Where a warp holds several rows and there are many, half as many threads with twice the
// work: gated_rms_norm of 128 took 131 µs for 524288 rows, not 148.
static constexpr int64_t chunksOfManyShortRows = 2;

int64_t mortar::findMostOfFew(const RowProgram &program, int64_t fewRows) {
  int64_t shorter = std::max<int64_t>(1, 1024 / program.length), most;
  if (llvm::MulOverflow(fewRows, shorter, most))
    return std::numeric_limits<int64_t>::max();
  return most;
}

// 16 bytes of the narrowest element, but for few rows not more than 8 elements, since a
// thread's work is what they wait for: silu_and_mul and fp8 by groups took 2.6 µs for 32
// rows of 4096, not 4.2.
int64_t mortar::findChunkWidth(const RowProgram &program, RowCount count) {
  int64_t least = count == RowCount::Few ? 2 : 1;
  int64_t width = 16 / std::max<int64_t>(least, program.narrowestElementBytes);
  while (width > 1 &&
         (program.length % width || !program.chunksRespectBorders(width)))
    width /= 2;
  return width;
}

FailureOr<RowSchedule> mortar::chooseSchedule(RowProgram &program, int64_t width,
                                              RowCount count) {
  RowSchedule s;
  s.length = program.length;
  s.width = width;
  if (count == RowCount::Many && program.takesMaximaOfGroups)
    s.residentThreads = residentThreadsOfGroupMaxima;
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
    if (count == RowCount::Many && s.lanes >= 4 && width > 1 && width <= 8) {
      s.chunks = chunksOfManyShortRows;
      s.lanes /= s.chunks;
    }
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
  while (int64_t(llvm::divideCeil(warpChunks, s.chunks)) > preferredWarps &&
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
