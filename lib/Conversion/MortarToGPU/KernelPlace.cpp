//===- KernelPlace.cpp - where a thread stands --------------------------===//

#include "KernelEmitter.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mortar;

void KernelEmitter::takeParameters(Block &entry) {
  auto next = entry.args_begin();
  numRows = *next++;
  for (const HostOperand &operand : operands.all) {
    Value base = *next++, offset = *next++;
    OperandStrides strides = operand.strides;
    for (Value *stride : strides.all())
      *stride = *next++;
    Value matrix = castToMatrix(b, b.getLoc(), operand, base, offset, numRows, strides);
    inner.push_back({&operand, matrix});
  }
}

void KernelEmitter::findPlace() {
  Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  Value block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  if (schedule.kind == RowSchedule::Whole)
    placeInWholeRow(thread, block);
  else
    placeInSplitRows(thread, block);
}

void KernelEmitter::placeInWholeRow(Value thread, Value block) {
  row = block;
  place.lane = arith::AndIOp::create(b, thread, constant(schedule.lanes - 1));
  Value group =
      arith::ShRUIOp::create(b, thread, constant(llvm::Log2_64(schedule.lanes)));
  if (schedule.rows > 1) {
    place.rowInBlock = group;
    if (schedule.warps > 1) {
      place.rowInBlock = arith::DivUIOp::create(b, group, constant(schedule.warps));
      place.warpInRow = arith::RemUIOp::create(b, group, constant(schedule.warps));
    }
    Value ofBlock = add(mul(block, constant(schedule.rows)), place.rowInBlock);
    // A thread without a row does the last one again and stores nothing, so that
    // every thread meets every barrier and shuffle.
    rowExists = less(ofBlock, numRows);
    row = atMost(ofBlock, arith::SubIOp::create(b, numRows, constant(1)));
  } else {
    place.warpInRow = group;
  }
  Value firstChunk = place.lane;
  if (schedule.warps > 1)
    firstChunk =
        add(mul(place.warpInRow, constant(schedule.chunks * schedule.lanes)), place.lane);
  for (int64_t c = 0; c < schedule.chunks; ++c) {
    auto [chunk, exists] = findChunk(add(firstChunk, constant(c * schedule.lanes)));
    chunkExists.push_back(exists);
    columns.push_back(mul(chunk, constant(schedule.width)));
  }
}

/// The chunk of the row that is dealt out as number `dealt`, clamped to the last, and
/// whether there is one (null if there always is).
std::pair<Value, Value> KernelEmitter::findChunk(Value dealt) {
  if (!schedule.mayExceedRow())
    return {dealt, Value()};
  Value exists = less(dealt, constant(schedule.dealtChunks()));
  Value chunk = atMost(dealt, constant(schedule.dealtChunks() - 1));
  if (schedule.groupChunks != schedule.paddedGroupChunks) {
    Value padded = constant(schedule.paddedGroupChunks);
    Value group = arith::DivUIOp::create(b, chunk, padded);
    Value inGroup = arith::RemUIOp::create(b, chunk, padded);
    exists = both(exists, less(inGroup, constant(schedule.groupChunks)));
    chunk = add(mul(group, constant(schedule.groupChunks)),
                atMost(inGroup, constant(schedule.groupChunks - 1)));
  }
  return {chunk, exists};
}

void KernelEmitter::placeInSplitRows(Value thread, Value block) {
  int64_t chunksPerRow = schedule.chunksPerRow();
  Value chunk;
  if (chunksPerRow % schedule.threads == 0) {
    // Every block lies within one row.
    Value blocksPerRow = constant(chunksPerRow / schedule.threads);
    row = arith::DivUIOp::create(b, block, blocksPerRow);
    Value inRow = arith::RemUIOp::create(b, block, blocksPerRow);
    chunk = add(mul(inRow, constant(schedule.threads)), thread);
  } else {
    Value all = add(mul(block, constant(schedule.threads)), thread);
    Value ownRow = arith::DivUIOp::create(b, all, constant(chunksPerRow));
    rowExists = less(ownRow, numRows);
    row = atMost(ownRow, arith::SubIOp::create(b, numRows, constant(1)));
    chunk = arith::RemUIOp::create(b, all, constant(chunksPerRow));
  }
  chunkExists.push_back({});
  columns.push_back(mul(chunk, constant(schedule.width)));
}

SmallVector<Value> KernelEmitter::elementOf(const KernelOperand &operand, Value column) {
  return indexOperand(b, b.getLoc(), *operand.host, row, column);
}

/// The first element of chunk `c`; of a wide row, in its half number `half`.
Value KernelEmitter::columnOf(size_t c, int64_t half, bool wide) {
  if (!wide)
    return columns[c];
  return add(mul(columns[c], constant(program.wideScale())),
             constant(half * program.halfDistance(schedule.width)));
}

/// One value for each chunk: its group's.
SmallVector<Value> KernelEmitter::groupOf(const KernelOperand &operand, size_t c) {
  int64_t length = program.length / operand.host->type.getShape().back();
  Value group = arith::DivUIOp::create(b, columns[c], constant(length));
  return elementOf(operand, group);
}
