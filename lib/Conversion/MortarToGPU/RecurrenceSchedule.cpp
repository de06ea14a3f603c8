//===- RecurrenceSchedule.cpp - how a state is dealt to threads -----------===//

#include "RecurrenceSchedule.h"

using namespace mlir;
using namespace mortar;

/// Elements of a state in a thread's registers, where that fills a block. What is computed
/// of a token but not of its state, each warp computes anew: twice the elements halve that,
/// but leave few threads for few sequences, whose tokens then wait for one another. On an
/// H100, of K = V = 128 and 32 heads: 512 tokens of one sequence, whose inputs were in the
/// L2, took 201 µs with 16, 278 with 32 and 375 with 64, of four 677, 625 and 588; one token
/// of one sequence 3.9 µs with 16 and 4.4 with 32, of eight no less; of eight 4 to 5 % less
/// with 64 than with 32, and of one 11 (bf16) to 22 % (f32) more.
static constexpr int64_t elementsOfOneToken = 32, elementsOfMore = 64, elementsOfFew = 16;
/// Warps of a block that needs no more: four to a head of 128 values, so that few sequences
/// are enough for all multiprocessors.
static constexpr int64_t warpsOfPart = 4;

int64_t mortar::findChunkWidth(const RecurrenceProgram &program) {
  int64_t bytes = program.poolType().getElementTypeBitWidth() / 8;
  int64_t width = 16 / bytes;
  auto divides = [&](int64_t length) { return length % width == 0; };
  SmallVector<int64_t> lengths{program.shape.keys};
  for (auto prefix : FusedOp(program.region).getOps<RowPrefixOp>())
    if (program.extentOf(prefix.getInput()) == Extent::Keys)
      lengths.push_back(prefix.getLength());
  while (!llvm::all_of(lengths, divides))
    width /= 2;
  return width;
}

/// As many as can hold so many elements each and about as many other values, in registers.
/// Where a block computes several tokens or a norm, some 5 to 20 don't fit and are spilled;
/// bounds between these weren't tried.
static int64_t boundThreads(int64_t perThread) {
  return perThread <= 32 ? 768 : perThread <= 64 ? 512 : 256;
}

static bool isOneToken(const RecurrenceProgram &program) {
  return program.shape.tokenDims == 1 && program.shape.bounds < 0;
}

int64_t mortar::findMostOfFew(const RecurrenceProgram &program, int64_t fewRows) {
  // Four sequences of the above, and two of them if each thread has tokens to wait for.
  int64_t elements = 0, perRow = isOneToken(program) || program.reducesValues ? 2048 : 1024;
  if (llvm::MulOverflow(fewRows, perRow, elements))
    return std::numeric_limits<int64_t>::max();
  return elements / (program.shape.keys * program.shape.values);
}

RecurrenceSchedule mortar::chooseSchedule(const RecurrenceProgram &program,
                                          int64_t width, RowCount states) {
  RecurrenceSchedule schedule;
  schedule.keys = program.shape.keys;
  schedule.values = program.shape.values;
  schedule.width = width;
  int64_t chunks = schedule.chunksPerRow();
  schedule.lanes = std::min<int64_t>(32, llvm::PowerOf2Ceil(chunks));
  schedule.chunks = llvm::PowerOf2Ceil(llvm::divideCeil(chunks, schedule.lanes));
  int64_t beside = 32 / schedule.lanes;
  auto perThread = [&] { return schedule.rows * schedule.chunks * width; };
  auto countWarps = [&] {
    return llvm::divideCeil(schedule.values, schedule.rows * beside);
  };
  int64_t wanted = states == RowCount::Few ? elementsOfFew
                   : isOneToken(program) && !program.reducesValues
                       ? elementsOfOneToken
                       : elementsOfMore;
  while (perThread() < wanted && countWarps() > 1)
    schedule.rows *= 2;
  // A reduction over values needs them all in a block.
  while (program.reducesValues &&
         int64_t(countWarps()) > (perThread() < 2 * elementsOfMore ? 16 : 32))
    schedule.rows *= 2;
  schedule.warps = countWarps();
  if (!program.reducesValues)
    schedule.warps = std::min(schedule.warps, warpsOfPart);
  schedule.residentThreads = boundThreads(perThread());
  return schedule;
}
