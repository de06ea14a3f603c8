//===- RowLoops.cpp - one row as loops over vectors -----------------------===//
//
// A row's program falls into passes: what a reduction reads must be complete before what
// reads its result begins. Each pass is one loop over the row that computes, from the
// operands, what its reductions need; the last one stores. Elementwise work is done again
// in a later pass rather than kept, which gives the same bits. Nothing is stored before
// the last pass, so a destination may share an operand's buffer.
//
//===----------------------------------------------------------------------===//

#include "RowLoops.h"

#include "ScalarTypes.h"
#include "ScratchReduction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mortar;

namespace {

class RowLoops {
public:
  RowLoops(ImplicitLocOpBuilder &b, RowProgram &program, const HostOperands &operands,
           Value scratch)
      : b(b), program(program), region(program.region), operands(operands),
        scratch(scratch) {}

  void emit();

private:
  /// Values of one iteration of a loop over columns.
  struct Chunk {
    Value column;
    int64_t width = 1;
    DenseMap<std::pair<Value, unsigned>, Value> values;
  };

  void findPasses();
  void takeMatrices();
  void emitRow();
  void overColumns(function_ref<void(Chunk &)> body);
  Value columnOf(const Chunk &chunk, unsigned half, bool wide);
  Value materialize(Value value, Chunk &chunk, unsigned half);
  Value scalar(Value value);
  Value atGroup(Value value, Value group);
  void reduceGroups(RowReduceOp reduce);
  void storeResults();

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  Value add(Value lhs, Value rhs) { return b.createOrFold<arith::AddIOp>(lhs, rhs); }
  /// Where element `column` of this row lies in an operand's matrix.
  SmallVector<Value> indexOf(unsigned operand, Value column) {
    return indexOperand(b, b.getLoc(), operands.all[operand], row, column);
  }
  void loop(int64_t from, int64_t to, int64_t step, function_ref<void(Value)> body) {
    emitLoop(b, from, to, step, body);
  }

  ImplicitLocOpBuilder &b;
  RowProgram &program;
  FusedOp region;
  const HostOperands &operands;
  Value scratch; // f32, at least one for each element of a row that is reduced

  DenseMap<Value, unsigned> passOf; // the first pass in which a value can be computed
  unsigned lastPass = 0;
  SmallVector<Value> matrices;
  Value row;
  DenseMap<Value, Value> scalars;
  DenseMap<Value, Value> reducedGroups; // memref<G x f32> of a reduction by groups
};

} // namespace

void RowLoops::findPasses() {
  for (Operation &op : region.getBodyBlock()->without_terminator()) {
    unsigned pass = 0;
    for (Value operand : op.getOperands())
      pass = std::max(pass, passOf.lookup(operand));
    if (isa<RowReduceOp>(op))
      ++pass;
    passOf[op.getResult(0)] = pass;
    lastPass = std::max(lastPass, pass);
  }
}

void RowLoops::takeMatrices() {
  for (const HostOperand &operand : operands.all)
    matrices.push_back(castToMatrix(b, b.getLoc(), operand, operand.base, operand.offset,
                                    operands.rows, operand.strides));
}

void RowLoops::overColumns(function_ref<void(Chunk &)> body) {
  bool byVector = program.chunksRespectBorders(simdWidth);
  int64_t whole = byVector ? program.length / simdWidth * simdWidth : 0;
  auto at = [&](int64_t width) {
    return [&, width](Value column) {
      Chunk chunk;
      chunk.column = column;
      chunk.width = width;
      body(chunk);
    };
  };
  loop(0, whole, simdWidth, at(simdWidth));
  loop(whole, program.length, 1, at(1));
}

Value RowLoops::scalar(Value value) {
  if (Value known = scalars.lookup(value))
    return known;
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    return scalars[value] = memref::LoadOp::create(b, matrices[arg.getArgNumber()],
                                                   indexOf(arg.getArgNumber(),
                                                           constant(0)));
  }
  Operation *op = value.getDefiningOp();
  auto given = llvm::map_to_vector(op->getOperands(),
                                   [&](Value operand) { return scalar(operand); });
  return scalars[value] = cloneForCPU(b, op, given, {});
}

/// The first element of a chunk; of a wide row, in its half number `half`.
Value RowLoops::columnOf(const Chunk &chunk, unsigned half, bool wide) {
  if (!wide)
    return chunk.column;
  return add(b.createOrFold<arith::MulIOp>(chunk.column, constant(program.wideScale())),
             constant(half * program.halfDistance(chunk.width)));
}

/// The value of group number `group`.
Value RowLoops::atGroup(Value value, Value group) {
  if (Value reduced = reducedGroups.lookup(value))
    return memref::LoadOp::create(b, reduced, group);
  if (auto arg = dyn_cast<BlockArgument>(value))
    return memref::LoadOp::create(b, matrices[arg.getArgNumber()],
                                  indexOf(arg.getArgNumber(), group));
  Operation *op = value.getDefiningOp();
  auto given = llvm::map_to_vector(
      op->getOperands(), [&](Value operand) { return atGroup(operand, group); });
  return cloneForCPU(b, op, given, {});
}

/// `value` at this chunk's columns; of a wide row, in its half number `half`.
Value RowLoops::materialize(Value value, Chunk &chunk, unsigned half) {
  auto key = std::make_pair(value, half);
  if (Value known = chunk.values.lookup(key))
    return known;
  Value made;
  Type element = getElementTypeOrSelf(value.getType());
  auto type = VectorType::get({chunk.width}, element);
  Operation *op = value.getDefiningOp();
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    Value column = columnOf(chunk, half, program.isWide(value.getType()));
    made = vector::LoadOp::create(b, type, matrices[arg.getArgNumber()],
                                  indexOf(arg.getArgNumber(), column));
  } else if (auto repeat = dyn_cast<RowRepeatOp>(op)) {
    unsigned number = cast<BlockArgument>(repeat.getInput()).getArgNumber();
    Value length = constant(rowLength(repeat.getInput().getType()));
    Value column = arith::RemUIOp::create(b, chunk.column, length);
    made = vector::LoadOp::create(b, type, matrices[number], indexOf(number, column));
  } else if (auto take = dyn_cast<RowHalfOp>(op)) {
    made = program.pairs
               ? takeEveryOther(b, b.getLoc(), take.getHalf(),
                                materialize(take.getInput(), chunk, 0),
                                materialize(take.getInput(), chunk, 1))
               : materialize(take.getInput(), chunk, take.getHalf() == RowHalf::Second);
  } else if (auto prefix = dyn_cast<RowPrefixOp>(op)) {
    auto fill = DenseElementsAttr::get(type, prefix.getFillAttr().getValue());
    Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, chunk.column,
                                         constant(prefix.getLength()));
    made = arith::SelectOp::create(b, inside,
                                   materialize(prefix.getInput(), chunk, half),
                                   arith::ConstantOp::create(b, fill));
  } else if (auto broadcast = dyn_cast<RowBroadcastOp>(op)) {
    Value input = broadcast.getInput(), number = scalars.lookup(input);
    if (isa<VectorType>(input.getType())) {
      Value size = constant(program.groupLength(input.getType()));
      number = atGroup(input, arith::DivUIOp::create(b, chunk.column, size));
    }
    made = vector::BroadcastOp::create(b, type, number);
  } else {
    auto given = llvm::map_to_vector(op->getOperands(), [&](Value operand) {
      return materialize(operand, chunk, half);
    });
    made = cloneForCPU(b, op, given, {chunk.width});
  }
  chunk.values[key] = made;
  return made;
}

/// A group is a row of its own.
void RowLoops::reduceGroups(RowReduceOp reduce) {
  Value result = reduce.getResult();
  int64_t count = rowLength(result.getType());
  int64_t length = program.groupLength(result.getType());
  loop(0, count, 1, [&](Value group) {
    Value begin = arith::MulIOp::create(b, group, constant(length));
    Value reduced = reduceScratch(b, scratch, reduce.getKind(), begin, length);
    memref::StoreOp::create(b, reduced, reducedGroups[result], group);
  });
}

void RowLoops::storeResults() {
  Operation *yield = region.getBodyBlock()->getTerminator();
  unsigned inputs = region.getInputs().size();
  overColumns([&](Chunk &chunk) {
    for (unsigned half : {0u, 1u}) {
      // Everything is loaded before anything is stored: buffers may be shared.
      SmallVector<std::pair<unsigned, Value>> made;
      for (auto [i, value] : llvm::enumerate(yield->getOperands()))
        if (isa<VectorType>(value.getType()) && !program.isGroup(value.getType()) &&
            (half == 0 || program.isWide(value.getType())))
          made.emplace_back(i, materialize(value, chunk, half));
      for (auto [i, value] : made)
        vector::StoreOp::create(
            b, value, matrices[inputs + i],
            indexOf(inputs + i, columnOf(chunk, half,
                                         program.isWide(yield->getOperand(i).getType()))));
    }
  });
  for (auto [i, value] : llvm::enumerate(yield->getOperands()))
    if (!isa<VectorType>(value.getType()))
      memref::StoreOp::create(b, scalar(value), matrices[inputs + i],
                              indexOf(inputs + i, constant(0)));
    else if (program.isGroup(value.getType()))
      loop(0, rowLength(value.getType()), 1, [&, value = value, i = i](Value group) {
        memref::StoreOp::create(b, atGroup(value, group), matrices[inputs + i],
                                indexOf(inputs + i, group));
      });
}

void RowLoops::emitRow() {
  for (unsigned pass = 0; pass <= lastPass; ++pass)
    for (Operation &op : region.getBodyBlock()->without_terminator()) {
      Value result = op.getResult(0);
      if (auto reduce = dyn_cast<RowReduceOp>(op)) {
        if (passOf[result] != pass + 1)
          continue;
        b.setLoc(op.getLoc());
        overColumns([&](Chunk &chunk) {
          Value terms = materialize(reduce.getInput(), chunk, 0);
          vector::StoreOp::create(b, terms, scratch, ValueRange(chunk.column));
        });
        if (program.isGroup(result.getType()))
          reduceGroups(reduce);
        else
          scalars[result] =
              reduceScratch(b, scratch, reduce.getKind(), constant(0), program.length);
      } else if (!isa<VectorType>(result.getType()) && passOf[result] == pass) {
        scalar(result);
      } else if (auto broadcast = dyn_cast<RowBroadcastOp>(op)) {
        if (passOf[result] == pass && !isa<VectorType>(broadcast.getInput().getType()))
          scalar(broadcast.getInput());
      }
    }
  b.setLoc(region.getLoc());
  storeResults();
}

void RowLoops::emit() {
  findPasses();
  takeMatrices();
  for (auto reduce : region.getOps<RowReduceOp>())
    if (auto groups = dyn_cast<VectorType>(reduce.getType()))
      reducedGroups[reduce] = memref::AllocaOp::create(
          b, MemRefType::get(groups.getShape(), groups.getElementType()));
  auto rows = scf::ForOp::create(b, constant(0), operands.rows, constant(1));
  b.setInsertionPointToStart(rows.getBody());
  row = rows.getInductionVar();
  emitRow();
}

void mortar::emitRowLoops(OpBuilder &builder, RowProgram &program,
                          const HostOperands &operands, Value scratch) {
  ImplicitLocOpBuilder b(program.region.getLoc(), builder);
  b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
  RowLoops(b, program, operands, scratch).emit();
}
