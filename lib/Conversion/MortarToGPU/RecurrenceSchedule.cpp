//===- RecurrenceSchedule.cpp - how a state is dealt to threads -----------===//

#include "RecurrenceSchedule.h"

using namespace mlir;
using namespace mortar;

/// Elements of a state in a thread's registers, where that fills a block.
static constexpr int64_t elementsPerThread = 32;
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

RecurrenceSchedule mortar::chooseSchedule(const RecurrenceProgram &program,
                                          int64_t width) {
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
  while (perThread() < elementsPerThread && countWarps() > 1)
    schedule.rows *= 2;
  // A reduction over values needs them all in a block.
  while (program.reducesValues &&
         int64_t(countWarps()) > (perThread() < 2 * elementsPerThread ? 16 : 32))
    schedule.rows *= 2;
  schedule.warps = countWarps();
  if (!program.reducesValues)
    schedule.warps = std::min(schedule.warps, warpsOfPart);
  return schedule;
}
