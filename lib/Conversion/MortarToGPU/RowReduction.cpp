//===- RowReduction.cpp - the one place where rows are reduced ------------===//
//
// The tree, from its leaves up: pairs within a chunk, pairs of lanes, pairs of a
// thread's chunks, pairs of warps. Since f32 addition commutes, the two sides of a
// shuffle compute the same bits.
//
//===----------------------------------------------------------------------===//

#include "RowReduction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mortar;

namespace {
class ReductionEmitter {
public:
  ReductionEmitter(ImplicitLocOpBuilder &b, const RowSchedule &schedule,
                   const ThreadPlace &place, ReductionKind kind)
      : b(b), schedule(schedule), place(place), kind(kind) {}

  Value overChunk(Value chunk) { return reduceChunk(b, b.getLoc(), kind, chunk); }
  Value overLanesAndChunks(SmallVector<Value> values);
  void overLanes(MutableArrayRef<Value> values, int64_t lanes);
  SmallVector<Value> overSpans(SmallVector<Value> values, int64_t span);
  Value overWarps(Value value, Value scratch, int64_t leaves);

private:
  Value join(Value lhs, Value rhs) { return combine(b, b.getLoc(), kind, lhs, rhs); }
  Value shuffle(Value value, int64_t distance) {
    return gpu::ShuffleOp::create(b, value, distance, 32, gpu::ShuffleMode::XOR)
        .getShuffleResult();
  }
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, value); }

  ImplicitLocOpBuilder &b;
  const RowSchedule &schedule;
  const ThreadPlace &place;
  ReductionKind kind;
};
} // namespace

Value mortar::reduceChunk(OpBuilder &b, Location loc, ReductionKind kind, Value chunk) {
  for (int64_t width = rowLength(chunk.getType()); width > 1; width /= 2) {
    SmallVector<int64_t> even, odd;
    for (int64_t i = 0; i < width; i += 2) {
      even.push_back(i);
      odd.push_back(i + 1);
    }
    Value lhs = vector::ShuffleOp::create(b, loc, chunk, chunk, even);
    Value rhs = vector::ShuffleOp::create(b, loc, chunk, chunk, odd);
    chunk = combine(b, loc, kind, lhs, rhs);
  }
  return vector::ExtractOp::create(b, loc, chunk, 0);
}

/// Each value over its `lanes` adjacent lanes; all of them get it.
void ReductionEmitter::overLanes(MutableArrayRef<Value> values, int64_t lanes) {
  for (int64_t level = 1; level < lanes; level *= 2)
    for (Value &value : values)
      value = join(value, shuffle(value, level));
}

/// One value for each of the thread's chunks. While there are several, a lane gives
/// half of them away for the other half of its partner's, so that a level costs half
/// the shuffles of the one before: chunks + log2(lanes) shuffles in all, not their
/// product. Afterwards the low bits of a lane are the number of the chunk that it
/// holds, and pairs of chunks are pairs of lanes.
Value ReductionEmitter::overLanesAndChunks(SmallVector<Value> values) {
  int64_t level = 1, dealt = 1;
  for (; level < schedule.lanes; level *= 2) {
    if (values.size() == 1) {
      values[0] = join(values[0], shuffle(values[0], level));
      continue;
    }
    Value bit = arith::AndIOp::create(b, place.lane, constant(level));
    Value upper = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bit, constant(0));
    SmallVector<Value> half;
    for (size_t i = 0; i < values.size(); i += 2) {
      Value keep = arith::SelectOp::create(b, upper, values[i + 1], values[i]);
      Value give = arith::SelectOp::create(b, upper, values[i], values[i + 1]);
      half.push_back(join(keep, shuffle(give, level)));
    }
    values = half;
    dealt *= 2;
  }
  for (int64_t distance = 1; distance < dealt; distance *= 2)
    for (Value &value : values)
      value = join(value, shuffle(value, distance));
  while (values.size() > 1) {
    SmallVector<Value> half;
    for (size_t i = 0; i < values.size(); i += 2)
      half.push_back(join(values[i], values[i + 1]));
    values = half;
  }
  return values[0];
}

/// Each warp leaves its value in `scratch`, and after one barrier every warp reduces
/// those of its group for itself: no second barrier, since nobody writes there again. A
/// group is `leaves` adjacent warps, a power of two, of which the last may not exist.
Value ReductionEmitter::overWarps(Value value, Value scratch, int64_t leaves) {
  Value first = place.rowInBlock ? arith::MulIOp::create(b, place.rowInBlock,
                                                         constant(schedule.warps))
                                       .getResult()
                                 : constant(0);
  Value isLaneZero =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, place.lane, constant(0));
  Value own = arith::AddIOp::create(b, first, place.warpInRow);
  scf::IfOp::create(b, isLaneZero, [&](OpBuilder &inner, Location loc) {
    memref::StoreOp::create(inner, loc, value, scratch, own);
    scf::YieldOp::create(inner, loc);
  });
  gpu::BarrierOp::create(b);
  // Lanes beyond the leaves repeat the others, so that all get the result.
  Value leaf = arith::AndIOp::create(b, place.lane, constant(leaves - 1));
  if (leaves < schedule.warps)
    leaf = arith::OrIOp::create(
        b, leaf, arith::AndIOp::create(b, place.warpInRow, constant(-leaves)));
  Value last = arith::MinUIOp::create(b, leaf, constant(schedule.warps - 1));
  Value partial = memref::LoadOp::create(
      b, scratch, ValueRange(arith::AddIOp::create(b, first, last).getResult()));
  if (schedule.warps % leaves) {
    Value isWarp = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, leaf,
                                         constant(schedule.warps));
    Value neutral = arith::ConstantOp::create(
        b, b.getFloatAttr(b.getF32Type(), getNeutralElement(kind)));
    partial = arith::SelectOp::create(b, isWarp, partial, neutral);
  }
  for (int64_t level = 1; level < leaves; level *= 2)
    partial = join(partial, shuffle(partial, level));
  return partial;
}

/// Adjacent values added pair by pair, down to one for each `span` of them, which each of
/// the span gets.
SmallVector<Value> ReductionEmitter::overSpans(SmallVector<Value> values, int64_t span) {
  for (int64_t level = 1; level < span; level *= 2)
    for (size_t i = 0; i < values.size(); i += 2 * level)
      values[i] = join(values[i], values[i + level]);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = values[i / span * span];
  return values;
}

SmallVector<Value> mortar::emitGroupReduction(OpBuilder &builder, Location loc,
                                              const RowSchedule &schedule,
                                              const ThreadPlace &place,
                                              ReductionKind kind, ArrayRef<Value> chunks,
                                              int64_t groupChunks, Value scratch) {
  ImplicitLocOpBuilder b(loc, builder);
  ReductionEmitter emitter(b, schedule, place, kind);
  SmallVector<Value> values;
  for (Value chunk : chunks)
    values.push_back(emitter.overChunk(chunk));
  // Chunk numbers are lanes, then chunks of a thread, then warps, from the low bits up.
  emitter.overLanes(values, std::min(groupChunks, schedule.lanes));
  if (groupChunks <= schedule.lanes)
    return values;
  int64_t span = std::min(groupChunks / schedule.lanes, schedule.chunks);
  values = emitter.overSpans(values, span);
  int64_t warps = groupChunks / (schedule.lanes * schedule.chunks);
  if (warps <= 1)
    return values;
  Value whole = emitter.overWarps(values[0], scratch, warps);
  return SmallVector<Value>(values.size(), whole);
}

Value mortar::emitRowReduction(OpBuilder &builder, Location loc,
                               const RowSchedule &schedule, const ThreadPlace &place,
                               ReductionKind kind, ArrayRef<Value> chunks,
                               Value scratch) {
  ImplicitLocOpBuilder b(loc, builder);
  ReductionEmitter emitter(b, schedule, place, kind);
  SmallVector<Value> values;
  for (Value chunk : chunks)
    values.push_back(emitter.overChunk(chunk));
  Value value = emitter.overLanesAndChunks(values);
  return schedule.warps > 1
             ? emitter.overWarps(value, scratch, llvm::PowerOf2Ceil(schedule.warps))
             : value;
}
