//===- RecurrenceKernel.cpp - one gpu.func for one recurrence -------------===//
//
// The kernel, top to bottom: let dependents launch; find this thread's place; wait for
// earlier kernels; find the sequence, its tokens and the slot that it begins with; load the
// first token's inputs and the state, in this order: the state must wait for its slot's
// number. Then for each token load the next one's inputs, compute, store each result as soon
// as it is known, and the state where a slot is the token's own. Tokens of no sequence are
// steps behind a sequence's own, shared out among them, and give zeros.
//
//===----------------------------------------------------------------------===//

#include "RecurrenceEmitter.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mortar;
using Predicate = arith::CmpIPredicate;

gpu::GPUFuncOp RecurrenceEmitter::build(StringRef name) {
  SmallVector<Type> parameters(3, b.getIndexType());
  SmallVector<unsigned> constants; // parameters that are buffers of constants
  for (const RecurrenceOperand &operand : operands.all) {
    if (operand.isConstant)
      constants.push_back(parameters.size());
    parameters.push_back(operand.base.getType());
    parameters.append(operand.strides.size(), b.getIndexType()); // the offset for the last
  }
  OpBuilder::InsertionGuard guard(b);
  kernel = beginKernel(b, b.getLoc(), name, parameters, constants, schedule.threads(),
                       schedule.width > 1 ? schedule.residentBlocks() : 0, chip);
  takeParameters(kernel.getBody().front());
  findPlace();
  findInputs();
  // Placeholders in front of which what no token changes is loaded, once it is asked for.
  Operation *beforeWait = b.constant(0).getDefiningOp();
  early = OpBuilder::InsertPoint(b.getInsertionBlock(), Block::iterator(beforeWait));
  if (chip.hasProgrammaticLaunch())
    NVVM::GriddepcontrolOp::create(b, NVVM::GridDepActionKind::wait);
  findSequence();
  Operation *beforeTokens = b.constant(0).getDefiningOp();
  late = OpBuilder::InsertPoint(b.getInsertionBlock(), Block::iterator(beforeTokens));
  emitTokens();
  gpu::ReturnOp::create(b);
  return kernel;
}

void RecurrenceEmitter::takeParameters(Block &entry) {
  auto next = entry.args_begin();
  operands.tokens = *next++;
  operands.sequences = *next++;
  operands.slots = *next++;
  for (RecurrenceOperand &operand : operands.all) {
    operand.base = *next++;
    operand.offset = *next++;
    for (Value &stride : MutableArrayRef(operand.strides).drop_back())
      stride = *next++;
    operand.strides.back() = b.constant(1);
    for (auto [d, size] : llvm::enumerate(operand.sizes)) {
      bool isOfSequences = isIndex(operand.map) || (operand.tokenDims() == 2 && d == 0);
      size = operand.map == RowMap::State ? operands.slots
             : operand.map == RowMap::Bounds
                 ? b.add(operands.sequences, b.constant(1))
             : isOfSequences ? operands.sequences
                             : operands.tokens;
    }
    memrefs.push_back(castToMemref(b, b.getLoc(), operand));
  }
}

void RecurrenceEmitter::findPlace() {
  thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  Value block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  Value warp = b.div(thread, b.constant(32));
  lane = b.rem(thread, b.constant(32));
  laneInRow = b.rem(lane, b.constant(schedule.lanes));
  Value beside = b.div(lane, b.constant(schedule.lanes));
  partOfHead = b.rem(block, b.constant(schedule.blocksPerHead()));
  block = b.div(block, b.constant(schedule.blocksPerHead()));
  head = b.rem(block, b.constant(shape.heads));
  sequence = b.div(block, b.constant(shape.heads));

  for (int64_t c = 0; c < schedule.chunks; ++c) {
    Value chunk = b.add(laneInRow, b.constant(c * schedule.lanes));
    Value exists;
    if (schedule.mayExceedKeys()) {
      exists = b.compare(Predicate::ult, chunk, b.constant(schedule.chunksPerRow()));
      chunk = arith::MinUIOp::create(b, chunk, b.constant(schedule.chunksPerRow() - 1));
    }
    columnExists.push_back(exists);
    columns.push_back(b.mul(chunk, b.constant(schedule.width)));
  }
  Value first = b.add(b.mul(partOfHead, b.constant(schedule.rowsPerBlock())), beside);
  auto place = [&](Value row, Values &rows, Values &exist) {
    row = b.add(b.mul(b.add(b.mul(warp, b.constant(schedule.rows)), row),
                      b.constant(32 / schedule.lanes)),
                first);
    Value exists;
    if (schedule.mayExceedValues()) {
      exists = b.compare(Predicate::ult, row, b.constant(schedule.values));
      row = arith::MinUIOp::create(b, row, b.constant(schedule.values - 1));
    }
    rows.push_back(row);
    exist.push_back(exists);
  };
  for (int64_t r = 0; r < schedule.rows; ++r)
    place(b.constant(r), stateRows, rowExists);
  Value inDealt = b.rem(laneInRow, b.constant(schedule.dealt()));
  for (int64_t r = 0; r < schedule.rows; r += schedule.dealt())
    place(b.add(inDealt, b.constant(r)), valueRows, valueExists);
}

/// The sequence's tokens and first slot, and this block's share of tokens of no sequence.
void RecurrenceEmitter::findSequence() {
  Value zero = b.constant(0), one = b.constant(1);
  auto clamp = [&](Value bound) -> Value {
    Value atLeast = arith::MaxSIOp::create(b, bound, zero);
    return arith::MinSIOp::create(b, atLeast, operands.tokens);
  };
  isAlive = b.flag(true);
  if (shape.bounds >= 0) {
    // Without sequences there may still be tokens, and then there are blocks of sequence 0.
    isAlive = b.compare(Predicate::ult, sequence, operands.sequences);
    Values range = ifElseZeros(isAlive, {b.getIndexType(), b.getIndexType()}, [&] {
      return Values{clamp(readIndex(shape.bounds, sequence)),
                    clamp(readIndex(shape.bounds, b.add(sequence, one)))};
    });
    begin = range[0];
    count = b.sub(arith::MaxUIOp::create(b, range[1], begin), begin);
    outsideFirst = clamp(readIndex(shape.bounds, zero));
    outsideLast = arith::MaxUIOp::create(b, clamp(readIndex(shape.bounds, operands.sequences)),
                                         outsideFirst);
    Value outside = b.add(outsideFirst, b.sub(operands.tokens, outsideLast));
    Value share = arith::MaxUIOp::create(b, operands.sequences, one);
    // Every share-th of them, from this sequence's on.
    Value mine = b.div(b.sub(b.add(outside, share), b.add(sequence, one)), share);
    numSteps = b.add(count, mine);
  } else {
    begin = shape.tokenDims == 2 ? zero : sequence;
    count = shape.tokenDims == 2 ? operands.tokens : one;
    numSteps = count;
  }
  Values first = ifElseZeros(isAlive, {b.getIndexType()}, [&] {
    Value accepted = shape.accepted >= 0 ? readIndex(shape.accepted, sequence) : one;
    Value column = b.sub(accepted, one);
    Value counts = b.both(b.compare(Predicate::sge, column, zero),
                          b.compare(Predicate::slt, column, b.constant(shape.slotColumns)));
    // A count that is out of range reads the first column, and not its slot.
    return Values{b.select(counts, findSlot(b.select(counts, column, zero)), zero)};
  });
  firstSlot = first[0];
  isAlive = b.both(isAlive, isValid(firstSlot));
}

/// The indices of step `number`'s token.
RecurrenceEmitter::Values RecurrenceEmitter::findToken(Value number) {
  if (shape.tokenDims == 2)
    return {sequence, number};
  if (shape.bounds < 0)
    return {begin};
  Value share = arith::MaxUIOp::create(b, operands.sequences, b.constant(1));
  Value outside = b.add(b.mul(b.sub(number, count), share), sequence);
  Value behind = b.add(b.sub(outside, outsideFirst), outsideLast);
  outside = b.select(b.compare(Predicate::ult, outside, outsideFirst), outside, behind);
  Value inside = b.compare(Predicate::ult, number, count);
  return {b.select(inside, b.add(begin, number), outside)};
}

/// Step `number`, from `state` and what loadInputs gave of its token; gives the new state.
RecurrenceEmitter::Values RecurrenceEmitter::emitToken(Value number, ValueRange state,
                                                       ValueRange inputs) {
  token = findToken(number);
  Value last = b.constant(shape.slotColumns - 1), next = b.add(number, b.constant(1));
  Value column = arith::MinUIOp::create(b, number, last);
  Value inside = shape.bounds >= 0 ? b.compare(Predicate::ult, number, count) : Value();
  Value isOfState = both(isAlive, inside);
  Value slot = firstSlot;
  if (shape.slotColumns > 1)
    slot = ifElseZeros(isOfState, {b.getIndexType()},
                       [&] { return Values{findSlot(column)}; })[0];
  Value isStored = b.both(isOfState, isValid(slot));
  isPadding = arith::XOrIOp::create(b, isStored, b.flag(true));

  takeInputs(inputs);
  BlockArgument argument = region.getStateArgument(shape.state);
  pieces[{argument, Extent::Both}] = Values(state);
  for (Operation &op : region.getBodyBlock()->without_terminator()) {
    b.setLoc(op.getLoc());
    compute(op);
    Operation *yield = region.getBodyBlock()->getTerminator();
    for (auto [i, yielded] : llvm::enumerate(yield->getOperands()))
      if (yielded == op.getResult(0) && int(i) != shape.state)
        store(i, yielded);
  }
  b.setLoc(region.getLoc());
  Values newState = piecesOf(
      region.getBodyBlock()->getTerminator()->getOperand(shape.state), Extent::Both);
  // The next token may store to the same slot.
  Value nextColumn = arith::MinUIOp::create(b, next, last);
  Value isLast = b.either(b.compare(Predicate::uge, next, count),
                          b.compare(Predicate::ne, nextColumn, column));
  ifThen(b.both(isStored, isLast), [&] { storeState(slot, newState); });
  return newState;
}

void RecurrenceEmitter::emitTokens() {
  Value zero = b.constant(0), one = b.constant(1);
  if (shape.bounds < 0 && shape.tokenDims == 1) {
    Values inputs = loadInputs(findToken(zero));
    emitToken(zero, loadState(), inputs);
    return;
  }
  Value hasTokens = b.compare(Predicate::ne, numSteps, zero);
  Values carried = ifElseZeros(hasTokens, inputTypes, [&] {
    return loadInputs(findToken(zero));
  });
  size_t numInputs = carried.size();
  llvm::append_range(carried, loadState());
  Value last = b.sub(numSteps, one);
  auto loop = scf::ForOp::create(b, zero, numSteps, one, carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  // The last token's are loaded twice: that costs less than asking.
  Value next = b.add(loop.getInductionVar(), one);
  carried = loadInputs(findToken(arith::MinUIOp::create(b, next, last)));
  ValueRange given = loop.getRegionIterArgs();
  llvm::append_range(carried, emitToken(loop.getInductionVar(), given.drop_front(numInputs),
                                        given.take_front(numInputs)));
  // What waits there for others' values of this token must not meet those of the next.
  if (program.reducesValues)
    gpu::BarrierOp::create(b);
  scf::YieldOp::create(b, carried);
}

gpu::GPUFuncOp mortar::buildRecurrenceKernel(OpBuilder &builder, StringRef name,
                                             const RecurrenceProgram &program,
                                             const RecurrenceOperands &operands,
                                             const RecurrenceSchedule &schedule,
                                             const ChipTraits &chip) {
  IndexBuilder b(FusedOp(program.region).getLoc(), builder);
  b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
  return RecurrenceEmitter(b, program, operands, schedule, chip).build(name);
}
