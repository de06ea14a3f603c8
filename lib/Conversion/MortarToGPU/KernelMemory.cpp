//===- KernelMemory.cpp - what a thread loads and stores ----------------===//

#include "KernelEmitter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mortar;

/// Brings what earlier kernels may still write into the L2, which is coherent, so that
/// device memory's latency passes while this kernel waits for them. On an H100 that took
/// 15 to 25 % off launches on 32 to 128 rows and 1 to 4 % off larger ones.
void KernelEmitter::prefetch(unsigned input) {
  const KernelOperand &operand = inner[input];
  Type type = region.getBody().getArgument(input).getType();
  if (!isa<VectorType>(type) || program.isGroup(type)) // a repeated column, too
    return;
  for (int64_t half = 0; half <= program.isWide(type); ++half)
    for (size_t c = 0; c < columns.size(); ++c) {
      SmallVector<Value> indices =
          elementOf(operand, columnOf(c, half, program.isWide(type)));
      memref::PrefetchOp::create(b, operand.matrix, indices, /*isWrite=*/false,
                                 /*localityHint=*/2, /*isDataCache=*/true);
    }
}

/// Chunk `c` of an input; of the second half of a wide row if `half` is 1.
Value KernelEmitter::loadChunk(unsigned input, int64_t half, size_t c) {
  const KernelOperand &operand = inner[input];
  auto type = VectorType::get({schedule.width}, operand.host->type.getElementType());
  bool wide = program.isWide(region.getBody().getArgument(input).getType());
  Value column = columnOf(c, half, wide);
  Value argument = region.getBody().getArgument(input);
  if (program.repeated.contains(argument))
    column = arith::RemUIOp::create(b, column, constant(rowLength(argument.getType())));
  auto load = vector::LoadOp::create(b, type, operand.matrix, elementOf(operand, column));
  load.setAlignment(
      std::min<int64_t>(16, schedule.width * int64_t(operand.host->elementBytes())));
  return load;
}

/// Nobody writes it, so that threads without a chunk may read another's.
void KernelEmitter::loadConstant(unsigned input) {
  Value argument = region.getBody().getArgument(input);
  if (!isa<VectorType>(argument.getType())) {
    scalars[argument] = memref::LoadOp::create(b, inner[input].matrix,
                                               elementOf(inner[input], constant(0)));
    return;
  }
  if (program.isGroup(argument)) {
    for (size_t c = 0; c < columns.size(); ++c)
      groups[argument].push_back(
          memref::LoadOp::create(b, inner[input].matrix, groupOf(inner[input], c)));
    return;
  }
  for (int64_t half = 0; half <= program.isWide(argument.getType()); ++half)
    for (size_t c = 0; c < columns.size(); ++c)
      rows[argument].push_back(loadChunk(input, half, c));
}

/// Everything that isn't constant. A thread reads only what is its own: a result may
/// share an input's buffer, and another thread may have stored its part already.
void KernelEmitter::loadRows() {
  SmallVector<std::pair<unsigned, int64_t>> vectors; // input and half
  SmallVector<unsigned> numbers, byGroup;
  for (auto [i, argument] : llvm::enumerate(region.getBody().getArguments())) {
    if (operands.all[i].isConstant)
      continue;
    if (!isa<VectorType>(argument.getType())) {
      numbers.push_back(i);
      continue;
    }
    if (program.isGroup(Value(argument))) {
      byGroup.push_back(i);
      continue;
    }
    for (int64_t half = 0; half <= program.isWide(argument.getType()); ++half)
      vectors.emplace_back(i, half);
  }
  auto loadIf = [&](Value condition, function_ref<SmallVector<Value>()> load) {
    if (!condition)
      return load();
    auto branch = scf::IfOp::create(
        b, condition,
        [&](OpBuilder &then, Location loc) {
          OpBuilder::InsertionGuard guard(b);
          b.restoreInsertionPoint(then.saveInsertionPoint());
          scf::YieldOp::create(b, loc, load());
        },
        [&](OpBuilder &, Location) {});
    OpBuilder otherwise = branch.getElseBodyBuilder();
    SmallVector<Value> zeros;
    for (Type type : branch.thenYield()->getOperandTypes())
      zeros.push_back(
          arith::ConstantOp::create(otherwise, b.getLoc(), otherwise.getZeroAttr(type)));
    scf::YieldOp::create(otherwise, b.getLoc(), zeros);
    return SmallVector<Value>(branch.getResults());
  };
  SmallVector<SmallVector<Value>> loaded(columns.size()); // by chunk, then by vector
  for (size_t c = 0; c < columns.size(); ++c)
    loaded[c] = loadIf(both(rowExists, chunkExists[c]), [&] {
      SmallVector<Value> values = llvm::map_to_vector(
          vectors, [&](auto part) { return loadChunk(part.first, part.second, c); });
      for (unsigned input : byGroup)
        values.push_back(
            memref::LoadOp::create(b, inner[input].matrix, groupOf(inner[input], c)));
      return values;
    });
  for (auto [number, part] : llvm::enumerate(vectors))
    for (size_t c = 0; c < columns.size(); ++c)
      rows[region.getBody().getArgument(part.first)].push_back(loaded[c][number]);
  for (auto [number, input] : llvm::enumerate(byGroup))
    for (size_t c = 0; c < columns.size(); ++c)
      groups[region.getBody().getArgument(input)].push_back(
          loaded[c][vectors.size() + number]);
  if (numbers.empty())
    return;
  SmallVector<Value> values = loadIf(rowExists, [&] {
    return llvm::map_to_vector(numbers, [&](unsigned input) -> Value {
      return memref::LoadOp::create(b, inner[input].matrix,
                                    elementOf(inner[input], constant(0)));
    });
  });
  for (auto [input, value] : llvm::zip_equal(numbers, values))
    scalars[region.getBody().getArgument(input)] = value;
}

void KernelEmitter::storeIf(Value condition, function_ref<void(OpBuilder &)> body) {
  if (!condition)
    return body(b);
  scf::IfOp::create(b, condition, [&](OpBuilder &then, Location loc) {
    body(then);
    scf::YieldOp::create(then, loc);
  });
}

void KernelEmitter::store(unsigned destination, Value yielded) {
  const KernelOperand &operand = inner[region.getInputs().size() + destination];
  Location loc = b.getLoc();
  if (!isa<VectorType>(yielded.getType())) {
    // One thread of a row stores what all of them know.
    Value first = arith::CmpIOp::create(
        b, arith::CmpIPredicate::eq,
        schedule.kind == RowSchedule::Whole ? place.lane : columns[0], constant(0));
    if (place.warpInRow && schedule.warps > 1)
      first = both(first, arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                                place.warpInRow, constant(0)));
    storeIf(both(rowExists, first), [&](OpBuilder &then) {
      Value zero = arith::ConstantIndexOp::create(then, loc, 0);
      memref::StoreOp::create(then, loc, scalars[yielded], operand.matrix,
                              indexOperand(then, loc, *operand.host, row, zero));
    });
    return;
  }
  if (program.isGroup(yielded.getType())) {
    // The thread with a group's first element.
    Value length = constant(program.groupLength(yielded.getType()));
    for (size_t c = 0; c < columns.size(); ++c) {
      Value first = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                          arith::RemUIOp::create(b, columns[c], length),
                                          constant(0));
      SmallVector<Value> indices = groupOf(operand, c);
      storeIf(both(both(rowExists, chunkExists[c]), first), [&](OpBuilder &then) {
        memref::StoreOp::create(then, loc, groups[yielded][c], operand.matrix, indices);
      });
    }
    return;
  }
  int64_t alignment =
      std::min<int64_t>(16, schedule.width * int64_t(operand.host->elementBytes()));
  ArrayRef<Value> chunks = rows[yielded];
  for (size_t i = 0; i < chunks.size(); ++i) {
    size_t c = i % columns.size();
    SmallVector<Value> indices = elementOf(
        operand, columnOf(c, i / columns.size(), program.isWide(yielded.getType())));
    storeIf(both(rowExists, chunkExists[c]), [&](OpBuilder &then) {
      auto made = vector::StoreOp::create(then, loc, chunks[i], operand.matrix,
                                          indices);
      made.setAlignment(alignment);
    });
  }
}

/// Early, so that a result takes no registers across a later reduction.
void KernelEmitter::storeWhereYielded(Value value) {
  Operation *terminator = region.getBodyBlock()->getTerminator();
  for (auto [i, yielded] : llvm::enumerate(terminator->getOperands()))
    if (yielded == value)
      store(i, value);
}
