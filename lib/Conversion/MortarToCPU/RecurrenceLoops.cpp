//===- RecurrenceLoops.cpp - a recurrence as loops over vectors -----------===//
//
// For each head and sequence the state lies in scratch memory, token after token. What a
// token's program sums over keys is complete, row by row of the state, before what reads
// the sums begins; elementwise work is done again where it is read, which gives the same
// bits. The new state takes the old one's place last.
//
//===----------------------------------------------------------------------===//

#include "RecurrenceLoops.h"

#include "../Common/IndexBuilder.h"
#include "ScalarTypes.h"
#include "ScratchReduction.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mortar;
using Predicate = arith::CmpIPredicate;

namespace {

class RecurrenceLoops {
public:
  RecurrenceLoops(IndexBuilder &b, const RecurrenceProgram &program,
                  const RecurrenceOperands &operands, Value scratch)
      : b(b), program(program), region(program.region), shape(program.shape),
        operands(operands), scratch(scratch) {}

  void emit();

private:
  /// Values of one iteration of a loop over a row, or over a row of a state.
  struct Chunk {
    Value stateRow; // index; null outside of states
    Value column;
    int64_t width = 1;
    DenseMap<Value, Value> values;
  };

  void allocateRows();
  void emitSequence(Value sequence);
  void emitOutsiders();
  void emitToken(ValueRange token, Value isPadding);
  void overColumns(int64_t length, Value stateRow, function_ref<void(Chunk &)> body);
  void overState(function_ref<void(Chunk &)> body);
  Value materialize(Value value, Chunk &chunk);
  Value loadArgument(BlockArgument argument, Chunk &chunk);
  void keepRow(Value row);
  void storeResults();

  Value readIndex(int input, ValueRange at);
  Value findSlot(Value sequence, Value column);
  Value isValid(Value slot);
  Value clampToTokens(Value bound);
  void loadState(Value slot, Value valid);
  void storeState(Value slot);
  Value poolChunk(Value slot, Chunk &chunk);
  SmallVector<Value> placeInState(const Chunk &chunk) {
    return {b.add(b.mul(chunk.stateRow, b.constant(shape.keys)), chunk.column)};
  }
  void ifThen(Value condition, function_ref<void()> body);
  void forEach(Value from, Value to, function_ref<void(Value)> body);

  IndexBuilder &b;
  const RecurrenceProgram &program;
  FusedOp region;
  const RecurrenceShape &shape;
  const RecurrenceOperands &operands;
  Value scratch;

  SmallVector<Value> memrefs;
  int64_t stepWidth = simdWidth;
  DenseMap<Value, Value> memory; // of rows that are kept: memref<length x f32>
  DenseMap<Value, Value> kept;   // rows of this token that are there by now
  Value head, isPadding;
  SmallVector<Value> token;
  DenseMap<Value, Value> scalars;
};

} // namespace

void RecurrenceLoops::ifThen(Value condition, function_ref<void()> body) {
  auto made = scf::IfOp::create(b, condition, /*withElse=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&made.getThenRegion().front());
  body();
}

void RecurrenceLoops::forEach(Value from, Value to, function_ref<void(Value)> body) {
  auto made = scf::ForOp::create(b, from, to, b.constant(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.getBody());
  body(made.getInductionVar());
}

void RecurrenceLoops::overColumns(int64_t length, Value stateRow,
                                  function_ref<void(Chunk &)> body) {
  int64_t whole = length / stepWidth * stepWidth;
  for (auto [from, to, width] :
       {std::tuple(int64_t(0), whole, stepWidth), std::tuple(whole, length, int64_t(1))})
    emitLoop(b, from, to, width, [&, width = width](Value column) {
      Chunk chunk{stateRow, column, width, DenseMap<Value, Value>()};
      body(chunk);
    });
}

void RecurrenceLoops::overState(function_ref<void(Chunk &)> body) {
  emitLoop(b, 0, shape.values, 1,
           [&](Value v) { overColumns(shape.keys, v, body); });
}

//===----------------------------------------------------------------------===//
// States and their slots
//===----------------------------------------------------------------------===//

Value RecurrenceLoops::readIndex(int input, ValueRange at) {
  Value number = memref::LoadOp::create(b, memrefs[input], at);
  return arith::IndexCastOp::create(b, b.getIndexType(), number);
}

Value RecurrenceLoops::findSlot(Value sequence, Value column) {
  SmallVector<Value> at{sequence};
  if (operands.all[shape.slots].type.getRank() == 2)
    at.push_back(column);
  return readIndex(shape.slots, at);
}

Value RecurrenceLoops::isValid(Value slot) {
  return b.both(b.compare(Predicate::sgt, slot, b.constant(0)),
                b.compare(Predicate::slt, slot, operands.slots));
}

Value RecurrenceLoops::clampToTokens(Value bound) {
  Value atLeast = arith::MaxSIOp::create(b, bound, b.constant(0));
  return arith::MinSIOp::create(b, atLeast, operands.tokens);
}

static Value widen(IndexBuilder &b, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  if (element.isF32())
    return value;
  if (element.isBF16())
    return widenBF16(b, b.getLoc(), value);
  return arith::ExtFOp::create(
      b, cast<VectorType>(value.getType()).clone(b.getF32Type()), value);
}

static Value round(IndexBuilder &b, Value value, Type element) {
  if (element.isF32())
    return value;
  if (element.isBF16())
    return roundToBF16(b, b.getLoc(), value);
  return arith::TruncFOp::create(b, cast<VectorType>(value.getType()).clone(element),
                                 value);
}

void RecurrenceLoops::loadState(Value slot, Value valid) {
  Value pool = memrefs[region.getInputs().size() + shape.state];
  Type element = program.poolType().getElementType();
  auto each = [&](bool exists) {
    overState([&](Chunk &chunk) {
      auto type = VectorType::get({chunk.width}, element);
      Value state;
      if (exists)
        state = widen(b, vector::LoadOp::create(
                             b, type, pool,
                             ValueRange{slot, head, chunk.stateRow, chunk.column}));
      else
        state = arith::ConstantOp::create(
            b, DenseElementsAttr::get(type.clone(b.getF32Type()), 0.0f));
      vector::StoreOp::create(b, state, scratch, placeInState(chunk));
    });
  };
  ifThen(valid, [&] { each(true); });
  Value invalid = arith::XOrIOp::create(
      b, valid, arith::ConstantIntOp::create(b, b.getI1Type(), 1));
  ifThen(invalid, [&] { each(false); });
}

void RecurrenceLoops::storeState(Value slot) {
  Value pool = memrefs[region.getInputs().size() + shape.state];
  overState([&](Chunk &chunk) {
    auto type = VectorType::get({chunk.width}, b.getF32Type());
    Value state = vector::LoadOp::create(b, type, scratch, placeInState(chunk));
    vector::StoreOp::create(b, round(b, state, program.poolType().getElementType()), pool,
                            ValueRange{slot, head, chunk.stateRow, chunk.column});
  });
}

//===----------------------------------------------------------------------===//
// One token
//===----------------------------------------------------------------------===//

Value RecurrenceLoops::loadArgument(BlockArgument argument, Chunk &chunk) {
  unsigned number = argument.getArgNumber();
  if (number >= operands.all.size() || region.getArgumentMap(argument) == RowMap::State)
    return vector::LoadOp::create(b, VectorType::get({chunk.width}, b.getF32Type()),
                                  scratch, placeInState(chunk));
  const RecurrenceOperand &operand = operands.all[number];
  auto type = VectorType::get({chunk.width}, operand.type.getElementType());
  return vector::LoadOp::create(
      b, type, memrefs[number],
      indexToken(b, b.getLoc(), shape, operand, token, head, chunk.column));
}

Value RecurrenceLoops::materialize(Value value, Chunk &chunk) {
  if (Value known = chunk.values.lookup(value))
    return known;
  auto type = VectorType::get({chunk.width}, getElementTypeOrSelf(value.getType()));
  Operation *op = value.getDefiningOp();
  Value made;
  auto fill = [&](Value scalar) -> Value {
    return vector::BroadcastOp::create(b, type, scalar);
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    made = loadArgument(argument, chunk);
  } else if (Value row = kept.lookup(value)) {
    made = vector::LoadOp::create(b, type, row, chunk.column);
  } else if (auto broadcast = dyn_cast<RowBroadcastOp>(op)) {
    made = fill(scalars.lookup(broadcast.getInput()));
  } else if (auto broadcast = dyn_cast<StateBroadcastOp>(op)) {
    Value row = kept.lookup(broadcast.getInput());
    if (auto scalar = broadcast.getInput().getDefiningOp<RowBroadcastOp>())
      made = fill(scalars.lookup(scalar.getInput()));
    else if (broadcast.getAxis() == StateAxis::Keys)
      made = vector::LoadOp::create(b, type, row, chunk.column);
    else
      made = fill(memref::LoadOp::create(b, row, chunk.stateRow));
  } else if (auto prefix = dyn_cast<RowPrefixOp>(op)) {
    auto other = DenseElementsAttr::get(type, prefix.getFillAttr().getValue());
    Value inside =
        b.compare(Predicate::ult, chunk.column, b.constant(prefix.getLength()));
    made = arith::SelectOp::create(b, inside, materialize(prefix.getInput(), chunk),
                                   arith::ConstantOp::create(b, other));
  } else if (auto mask = dyn_cast<MaskPaddingOp>(op)) {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    made = arith::SelectOp::create(b, isPadding, zero,
                                   materialize(mask.getInput(), chunk));
  } else {
    auto given = llvm::map_to_vector(
        op->getOperands(), [&](Value operand) { return materialize(operand, chunk); });
    made = cloneForCPU(b, op, given, {chunk.width});
  }
  return chunk.values[value] = made;
}

/// Puts a row that is read once for each row of a state into memory.
void RecurrenceLoops::keepRow(Value row) {
  Value place = memory.lookup(row);
  if (!place || kept.contains(row))
    return;
  overColumns(rowLength(row.getType()), {}, [&](Chunk &chunk) {
    vector::StoreOp::create(b, materialize(row, chunk), place, chunk.column);
  });
  kept[row] = place;
}

void RecurrenceLoops::storeResults() {
  unsigned inputs = region.getInputs().size();
  for (auto [i, value] :
       llvm::enumerate(region.getBodyBlock()->getTerminator()->getOperands())) {
    const RecurrenceOperand &operand = operands.all[inputs + i];
    auto at = [&](Value column) {
      return indexToken(b, b.getLoc(), shape, operand, token, head, column);
    };
    if (int(i) == shape.state)
      continue;
    if (isa<VectorType>(value.getType()))
      overColumns(shape.values, {}, [&, value = value, i = i](Chunk &chunk) {
        vector::StoreOp::create(b, materialize(value, chunk), memrefs[inputs + i],
                                at(chunk.column));
      });
    else
      memref::StoreOp::create(b, scalars.lookup(value), memrefs[inputs + i], at({}));
  }
  Value state = region.getBodyBlock()->getTerminator()->getOperand(shape.state);
  overState([&](Chunk &chunk) {
    vector::StoreOp::create(b, materialize(state, chunk), scratch, placeInState(chunk));
  });
}

void RecurrenceLoops::emitToken(ValueRange at, Value padding) {
  token.assign(at.begin(), at.end());
  isPadding = padding;
  scalars.clear();
  kept.clear();
  Value row = b.constant(shape.values * shape.keys); // behind the state
  for (BlockArgument argument : region.getBody().getArguments())
    if (!isa<VectorType>(argument.getType()) && !isIndex(region.getArgumentMap(argument))) {
      unsigned number = argument.getArgNumber();
      scalars[argument] = memref::LoadOp::create(
          b, memrefs[number],
          indexToken(b, b.getLoc(), shape, operands.all[number], token, head, {}));
    }
  for (Operation &op : region.getBodyBlock()->without_terminator()) {
    b.setLoc(op.getLoc());
    auto sum = [&](Value input, ReductionKind kind, int64_t length, Value stateRow) {
      overColumns(length, stateRow, [&](Chunk &chunk) {
        vector::StoreOp::create(b, materialize(input, chunk), scratch,
                                ValueRange{b.add(row, chunk.column)});
      });
      return reduceScratch(b, scratch, kind, row, length);
    };
    if (auto reduce = dyn_cast<RowReduceOp>(op)) {
      scalars[reduce] =
          sum(reduce.getInput(), reduce.getKind(), rowLength(reduce.getInput().getType()), {});
    } else if (auto reduce = dyn_cast<StateReduceOp>(op)) {
      emitLoop(b, 0, shape.values, 1, [&](Value v) {
        memref::StoreOp::create(b, sum(reduce.getInput(), ReductionKind::Sum, shape.keys, v),
                                memory[reduce], v);
      });
      kept[reduce] = memory[reduce];
    } else if (auto broadcast = dyn_cast<StateBroadcastOp>(op)) {
      keepRow(broadcast.getInput());
    } else if (!isa<VectorType>(op.getResult(0).getType())) {
      auto given = llvm::map_to_vector(
          op.getOperands(), [&](Value operand) { return scalars.lookup(operand); });
      scalars[op.getResult(0)] = cloneForCPU(b, &op, given, {});
    }
  }
  b.setLoc(region.getLoc());
  storeResults();
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

void RecurrenceLoops::emitSequence(Value sequence) {
  Value zero = b.constant(0), one = b.constant(1);
  Value begin = zero, end = operands.tokens;
  if (shape.bounds >= 0) {
    begin = clampToTokens(readIndex(shape.bounds, sequence));
    end = clampToTokens(readIndex(shape.bounds, b.add(sequence, one)));
  } else if (shape.tokenDims == 1) {
    begin = sequence;
    end = b.add(sequence, one);
  }
  Value accepted = shape.accepted >= 0 ? readIndex(shape.accepted, sequence) : one;
  Value last = b.constant(shape.slotColumns - 1);
  Value first = b.sub(accepted, one);
  Value counts = b.both(b.compare(Predicate::sge, first, zero),
                        b.compare(Predicate::sle, first, last));
  // A count that is out of range reads the first column.
  Value slot = findSlot(sequence, b.select(counts, first, zero));
  Value valid = b.both(counts, isValid(slot));
  loadState(slot, valid);
  forEach(begin, end, [&](Value at) {
    Value column = arith::MinUIOp::create(b, b.sub(at, begin), last);
    Value own = findSlot(sequence, column);
    Value stored = b.both(valid, isValid(own));
    Value padding = arith::XOrIOp::create(
        b, stored, arith::ConstantIntOp::create(b, b.getI1Type(), 1));
    if (shape.tokenDims == 2)
      emitToken({sequence, at}, padding);
    else
      emitToken(at, padding);
    ifThen(stored, [&] { storeState(own); });
  });
}

/// Tokens of no sequence.
void RecurrenceLoops::emitOutsiders() {
  Value first = clampToTokens(readIndex(shape.bounds, b.constant(0)));
  Value last = clampToTokens(readIndex(shape.bounds, operands.sequences));
  Value yes = arith::ConstantIntOp::create(b, b.getI1Type(), 1);
  Value no = arith::ConstantIntOp::create(b, b.getI1Type(), 0);
  forEach(b.constant(0), operands.tokens, [&](Value at) {
    Value outside = b.either(b.compare(Predicate::ult, at, first),
                             b.compare(Predicate::uge, at, last));
    ifThen(outside, [&] {
      loadState(b.constant(0), no);
      emitToken(at, yes);
    });
  });
}

void RecurrenceLoops::allocateRows() {
  auto allocate = [&](Value row) {
    if (!row.getDefiningOp<RowBroadcastOp>() && !memory.contains(row))
      memory[row] = memref::AllocaOp::create(
          b, MemRefType::get({rowLength(row.getType())}, b.getF32Type()));
  };
  for (auto broadcast : region.getOps<StateBroadcastOp>())
    allocate(broadcast.getInput());
  for (auto reduce : region.getOps<StateReduceOp>())
    allocate(reduce.getResult());
  if (!region.getOps<RowPrefixOp>().empty())
    stepWidth = 1; // so that no chunk lies across its border
}

void RecurrenceLoops::emit() {
  for (const RecurrenceOperand &operand : operands.all)
    memrefs.push_back(castToMemref(b, b.getLoc(), operand));
  allocateRows();
  forEach(b.constant(0), b.constant(shape.heads), [&](Value each) {
    head = each;
    forEach(b.constant(0), operands.sequences,
            [&](Value sequence) { emitSequence(sequence); });
    if (shape.bounds >= 0)
      emitOutsiders();
  });
}

void mortar::emitRecurrenceLoops(OpBuilder &builder, const RecurrenceProgram &program,
                                 const RecurrenceOperands &operands, Value scratch) {
  IndexBuilder b(FusedOp(program.region).getLoc(), builder);
  RecurrenceLoops(b, program, operands, scratch).emit();
}
