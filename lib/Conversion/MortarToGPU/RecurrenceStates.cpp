//===- RecurrenceStates.cpp - slots, and states in registers --------------===//

#include "RecurrenceEmitter.h"
#include "RowReduction.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mortar;
using Predicate = arith::CmpIPredicate;

void RecurrenceEmitter::ifThen(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto made = scf::IfOp::create(b, condition, /*withElse=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&made.getThenRegion().front());
  body();
}

RecurrenceEmitter::Values
RecurrenceEmitter::ifElseZeros(Value condition, TypeRange types,
                               function_ref<Values()> then) {
  if (!condition)
    return then();
  auto made = scf::IfOp::create(b, types, condition, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&made.getThenRegion().front());
  scf::YieldOp::create(b, then());
  b.setInsertionPointToStart(&made.getElseRegion().front());
  Values zeros;
  for (Type type : types)
    zeros.push_back(arith::ConstantOp::create(b, b.getZeroAttr(type)));
  scf::YieldOp::create(b, zeros);
  return Values(made.getResults());
}

Value RecurrenceEmitter::readIndex(int input, ValueRange at) {
  Value number = memref::LoadOp::create(b, memrefs[input], at);
  return arith::IndexCastOp::create(b, b.getIndexType(), number);
}

Value RecurrenceEmitter::isValid(Value slot) {
  return b.both(b.compare(Predicate::sgt, slot, b.constant(0)),
                b.compare(Predicate::slt, slot, operands.slots));
}

Value RecurrenceEmitter::findSlot(Value column) {
  SmallVector<Value> at{sequence};
  if (operands.all[shape.slots].type.getRank() == 2)
    at.push_back(column);
  return readIndex(shape.slots, at);
}

/// The state that the sequence begins with, or zeros. A thread reads what is its own alone:
/// others may have stored theirs already. Predicates, not a branch: at its end conversions
/// would wait for the data before anything else is done.
RecurrenceEmitter::Values RecurrenceEmitter::loadState() {
  Value pool = memrefs[region.getInputs().size() + shape.state];
  Type element = program.poolType().getElementType();
  auto stored = VectorType::get({schedule.width}, element);
  auto flags = stored.clone(b.getI1Type());
  Value zeros = arith::ConstantOp::create(b, b.getZeroAttr(stored));
  int64_t bytes = schedule.width * element.getIntOrFloatBitWidth() / 8;
  Values state;
  for (size_t r = 0; r < stateRows.size(); ++r)
    for (size_t c = 0; c < columns.size(); ++c) {
      Value isRead = both(isAlive, both(rowExists[r], columnExists[c]));
      state.push_back(vector::MaskedLoadOp::create(
          b, stored, pool, ValueRange{firstSlot, head, stateRows[r], columns[c]},
          vector::BroadcastOp::create(b, flags, isRead), zeros,
          llvm::Align(std::min<int64_t>(16, bytes))));
    }
  if (!element.isF32())
    for (Value &chunk : state)
      chunk = arith::ExtFOp::create(b, stored.clone(b.getF32Type()), chunk);
  return state;
}

void RecurrenceEmitter::storeState(Value slot, ValueRange state) {
  Value pool = memrefs[region.getInputs().size() + shape.state];
  Type element = program.poolType().getElementType();
  auto type = VectorType::get({schedule.width}, element);
  int64_t bytes = schedule.width * element.getIntOrFloatBitWidth() / 8;
  for (size_t r = 0; r < stateRows.size(); ++r)
    for (size_t c = 0; c < columns.size(); ++c)
      ifThen(both(rowExists[r], columnExists[c]), [&] {
        Value chunk = state[r * columns.size() + c];
        if (!element.isF32())
          chunk = arith::TruncFOp::create(b, type, chunk);
        auto made = vector::StoreOp::create(
            b, chunk, pool, ValueRange{slot, head, stateRows[r], columns[c]});
        made.setAlignment(std::min<int64_t>(16, bytes));
      });
}

/// Sums over keys. While a thread has sums of several rows, it gives half of them away for
/// the other half of its partner's, so that each level of the tree costs half the shuffles
/// of the one before. Afterwards the low bits of a lane are the number of its row.
RecurrenceEmitter::Values RecurrenceEmitter::reduceState(ValueRange products) {
  Location loc = b.getLoc();
  int64_t chunks = schedule.chunks, dealt = schedule.dealt();
  auto join = [&](Value lhs, Value rhs) {
    return combine(b, loc, ReductionKind::Sum, lhs, rhs);
  };
  auto shuffle = [&](Value value, int64_t distance) -> Value {
    return gpu::ShuffleOp::create(b, value, distance, 32, gpu::ShuffleMode::XOR)
        .getShuffleResult();
  };
  auto sumOf = [&](int64_t r, int64_t c) -> Value {
    Value chunk = products[r * chunks + c];
    if (columnExists[c]) {
      auto none = DenseElementsAttr::get(cast<ShapedType>(chunk.getType()),
                                         getNeutralElement(ReductionKind::Sum));
      chunk = b.select(columnExists[c], chunk, arith::ConstantOp::create(b, none));
    }
    return reduceChunk(b, loc, ReductionKind::Sum, chunk);
  };
  Values result;
  for (int64_t first = 0; first < schedule.rows; first += dealt) {
    Values sums;
    for (int64_t c = 0; c < chunks; ++c)
      for (int64_t r = first; r < first + dealt; ++r)
        sums.push_back(sumOf(r, c));
    for (int64_t level = 1; level < schedule.lanes; level *= 2) {
      if (sums.size() == 1) {
        sums[0] = join(sums[0], shuffle(sums[0], level));
        continue;
      }
      Value bit = arith::AndIOp::create(b, lane, b.constant(level));
      Value upper = b.compare(Predicate::ne, bit, b.constant(0));
      Values half;
      for (size_t i = 0; i < sums.size(); i += 2) {
        Value keep = b.select(upper, sums[i + 1], sums[i]);
        Value give = b.select(upper, sums[i], sums[i + 1]);
        half.push_back(join(keep, shuffle(give, level)));
      }
      sums = half;
    }
    for (int64_t distance = dealt; distance < dealt * chunks; distance *= 2)
      sums[0] = join(sums[0], shuffle(sums[0], distance));
    result.push_back(sums[0]);
  }
  return result;
}

/// For each row of a state its element of a row of values, from the lane that has it.
RecurrenceEmitter::Values RecurrenceEmitter::spreadValues(ValueRange row) {
  int64_t dealt = schedule.dealt();
  Values spread;
  Value first = arith::IndexCastOp::create(b, b.getI32Type(), b.sub(lane, laneInRow));
  Value width = arith::ConstantIntOp::create(b, b.getI32Type(), 32);
  for (int64_t r = 0; r < schedule.rows; ++r) {
    Value own = row[r / dealt];
    if (dealt > 1) {
      Value from = arith::AddIOp::create(
          b, first, arith::ConstantIntOp::create(b, b.getI32Type(), r % dealt));
      own = gpu::ShuffleOp::create(b, own, from, width, gpu::ShuffleMode::IDX)
                .getShuffleResult();
    }
    spread.push_back(own);
  }
  return spread;
}
