//===- KernelBuilder.cpp - one gpu.func for one region and schedule -------===//
//
// The kernel, top to bottom: let dependents launch; find this thread's place; fetch what
// never changes; prefetch the rest; wait for earlier kernels; load every row value;
// compute, and store each result as soon as it is known.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "RowReduction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mortar;

namespace {

/// An operand inside the kernel.
struct KernelOperand {
  const HostOperand *host;
  Value matrix; // memref<rows x length>, or memref<length> if every row has the same
};

class KernelBuilder {
public:
  KernelBuilder(ImplicitLocOpBuilder &b, const RowProgram &program,
                const HostOperands &operands, const RowSchedule &schedule,
                const ChipTraits &chip)
      : b(b), program(program), region(program.region), operands(operands),
        schedule(schedule), chip(chip) {}

  gpu::GPUFuncOp build(StringRef name);

private:
  void takeParameters(Block &entry);
  void findPlace();
  void placeInWholeRow(Value thread, Value block);
  void placeInSplitRows(Value thread, Value block);
  std::pair<Value, Value> findChunk(Value dealt);
  void prefetch(unsigned input);
  SmallVector<Value> groupOf(const KernelOperand &operand, size_t c);
  void loadConstant(unsigned input);
  void loadRows();
  void compute(Operation &op, gpu::GPUFuncOp kernel);
  void store(unsigned destination, Value yielded);
  void storeWhereYielded(Value value);

  SmallVector<Value> elementOf(const KernelOperand &operand, Value column);
  Value columnOf(size_t c, int64_t half, bool wide);
  Value loadChunk(unsigned input, int64_t half, size_t c);
  void reduce(RowReduceOp op, gpu::GPUFuncOp kernel);
  void storeIf(Value condition, function_ref<void(OpBuilder &)> body);

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  Value add(Value lhs, Value rhs) { return b.createOrFold<arith::AddIOp>(lhs, rhs); }
  Value mul(Value lhs, Value rhs) { return b.createOrFold<arith::MulIOp>(lhs, rhs); }
  Value less(Value lhs, Value rhs) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, lhs, rhs);
  }
  Value both(Value lhs, Value rhs) {
    return !lhs ? rhs : !rhs ? lhs : arith::AndIOp::create(b, lhs, rhs).getResult();
  }
  Value atMost(Value value, Value most) {
    return arith::MinUIOp::create(b, value, most);
  }

  ImplicitLocOpBuilder &b;
  const RowProgram &program;
  FusedOp region;
  const HostOperands &operands;
  const RowSchedule &schedule;
  const ChipTraits &chip;

  Value numRows;
  SmallVector<KernelOperand> inner;
  ThreadPlace place;
  Value row;       // this thread's row, clamped to the last
  Value rowExists; // null if it always does
  SmallVector<Value> columns;     // first element of each chunk, clamped to the last
  SmallVector<Value> chunkExists; // null where it always does
  DenseMap<Value, SmallVector<Value>> rows; // row values: one vector a chunk; a wide
                                            // row's second half comes after its first
  DenseMap<Value, SmallVector<Value>> groups; // group values: for each chunk its group's
  DenseMap<Value, Value> scalars;
};

} // namespace

void KernelBuilder::takeParameters(Block &entry) {
  auto next = entry.args_begin();
  numRows = *next++;
  for (const HostOperand &operand : operands.all) {
    Value base = *next++, offset = *next++;
    Value stride = operand.rowStride ? Value(*next++) : Value();
    Value matrix = castToMatrix(b, b.getLoc(), operand, base, offset, numRows, stride);
    inner.push_back({&operand, matrix});
  }
}

void KernelBuilder::findPlace() {
  Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  Value block = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  if (schedule.kind == RowSchedule::Whole)
    placeInWholeRow(thread, block);
  else
    placeInSplitRows(thread, block);
}

void KernelBuilder::placeInWholeRow(Value thread, Value block) {
  row = block;
  place.lane = arith::AndIOp::create(b, thread, constant(schedule.lanes - 1));
  Value group = arith::ShRUIOp::create(b, thread,
                                       constant(llvm::Log2_64(schedule.lanes)));
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
    firstChunk = add(mul(place.warpInRow, constant(schedule.chunks * schedule.lanes)),
                     place.lane);
  for (int64_t c = 0; c < schedule.chunks; ++c) {
    auto [chunk, exists] = findChunk(add(firstChunk, constant(c * schedule.lanes)));
    chunkExists.push_back(exists);
    columns.push_back(mul(chunk, constant(schedule.width)));
  }
}

/// The chunk of the row that is dealt out as number `dealt`, clamped to the last, and
/// whether there is one (null if there always is).
std::pair<Value, Value> KernelBuilder::findChunk(Value dealt) {
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

void KernelBuilder::placeInSplitRows(Value thread, Value block) {
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

SmallVector<Value> KernelBuilder::elementOf(const KernelOperand &operand, Value column) {
  return operand.host->rowStride ? SmallVector<Value>{row, column}
                                 : SmallVector<Value>{column};
}

/// The first element of chunk `c`; of a wide row, in its half number `half`.
Value KernelBuilder::columnOf(size_t c, int64_t half, bool wide) {
  if (!wide)
    return columns[c];
  return add(mul(columns[c], constant(program.wideScale())),
             constant(half * program.halfDistance(schedule.width)));
}

/// Chunk `c` of an input; of the second half of a wide row if `half` is 1.
Value KernelBuilder::loadChunk(unsigned input, int64_t half, size_t c) {
  const KernelOperand &operand = inner[input];
  auto type = VectorType::get({schedule.width}, operand.host->type.getElementType());
  bool wide = program.isWide(region.getBody().getArgument(input).getType());
  Value column = columnOf(c, half, wide);
  auto load = vector::LoadOp::create(b, type, operand.matrix, elementOf(operand, column));
  load.setAlignment(std::min<int64_t>(
      16, schedule.width * int64_t(operand.host->elementBytes())));
  return load;
}

/// Brings what earlier kernels may still write into the L2, which is coherent, so that
/// device memory's latency passes while this kernel waits for them. On an H100 that took
/// 15 to 25 % off launches on 32 to 128 rows and 1 to 4 % off larger ones.
void KernelBuilder::prefetch(unsigned input) {
  const KernelOperand &operand = inner[input];
  Type type = region.getBody().getArgument(input).getType();
  if (!isa<VectorType>(type) || program.isGroup(type))
    return;
  for (int64_t half = 0; half <= program.isWide(type); ++half)
    for (size_t c = 0; c < columns.size(); ++c) {
      SmallVector<Value> indices =
          elementOf(operand, columnOf(c, half, program.isWide(type)));
      memref::PrefetchOp::create(b, operand.matrix, indices, /*isWrite=*/false,
                                 /*localityHint=*/2, /*isDataCache=*/true);
    }
}

/// One value for each chunk: its group's.
SmallVector<Value> KernelBuilder::groupOf(const KernelOperand &operand, size_t c) {
  int64_t length = program.length / operand.host->type.getShape().back();
  Value group = arith::DivUIOp::create(b, columns[c], constant(length));
  return elementOf(operand, group);
}

/// Nobody writes it, so that threads without a chunk may read another's.
void KernelBuilder::loadConstant(unsigned input) {
  Value argument = region.getBody().getArgument(input);
  if (!isa<VectorType>(argument.getType())) {
    scalars[argument] =
        memref::LoadOp::create(b, inner[input].matrix, elementOf(inner[input], constant(0)));
    return;
  }
  if (program.isGroup(argument.getType())) {
    for (size_t c = 0; c < columns.size(); ++c)
      groups[argument].push_back(
          memref::LoadOp::create(b, inner[input].matrix, groupOf(inner[input], c)));
    return;
  }
  for (int64_t half = 0; half <= program.isWide(argument.getType()); ++half)
    for (size_t c = 0; c < columns.size(); ++c)
      rows[argument].push_back(loadChunk(input, half, c));
}

/// Everything that isn't constant. A thread reads only what is its own: a result may share
/// an input's buffer, and another thread may have stored its part already.
void KernelBuilder::loadRows() {
  SmallVector<std::pair<unsigned, int64_t>> vectors; // input and half
  SmallVector<unsigned> numbers, byGroup;
  for (auto [i, argument] : llvm::enumerate(region.getBody().getArguments())) {
    if (operands.all[i].isConstant)
      continue;
    if (!isa<VectorType>(argument.getType())) {
      numbers.push_back(i);
      continue;
    }
    if (program.isGroup(argument.getType())) {
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
      zeros.push_back(arith::ConstantOp::create(otherwise, b.getLoc(),
                                                otherwise.getZeroAttr(type)));
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

void KernelBuilder::reduce(RowReduceOp op, gpu::GPUFuncOp kernel) {
  SmallVector<Value> chunks;
  for (auto [chunk, exists] : llvm::zip_equal(rows[op.getInput()], chunkExists)) {
    if (exists) {
      auto neutral = DenseElementsAttr::get(cast<ShapedType>(chunk.getType()),
                                            getNeutralElement(op.getKind()));
      Value none = arith::ConstantOp::create(b, neutral);
      chunks.push_back(arith::SelectOp::create(b, exists, chunk, none));
    } else {
      chunks.push_back(chunk);
    }
  }
  Value scratch;
  if (schedule.warps > 1) {
    auto space = gpu::AddressSpaceAttr::get(b.getContext(),
                                            gpu::GPUDialect::getWorkgroupAddressSpace());
    auto type = MemRefType::get({schedule.rows * schedule.warps}, b.getF32Type(),
                                MemRefLayoutAttrInterface{}, space);
    scratch = kernel.addWorkgroupAttribution(type, op.getLoc());
  }
  Value result = op.getResult();
  if (!program.isGroup(result.getType())) {
    scalars[result] = emitRowReduction(b, op.getLoc(), schedule, place, op.getKind(),
                                       chunks, scratch);
    return;
  }
  int64_t groupChunks =
      llvm::PowerOf2Ceil(program.groupLength(result.getType()) / schedule.width);
  groups[result] = emitGroupReduction(b, op.getLoc(), schedule, place, op.getKind(),
                                      chunks, groupChunks, scratch);
}

void KernelBuilder::compute(Operation &op, gpu::GPUFuncOp kernel) {
  b.setLoc(op.getLoc());
  Value result = op.getResult(0);
  auto rowType = dyn_cast<VectorType>(result.getType());
  if (auto reduceOp = dyn_cast<RowReduceOp>(op)) {
    reduce(reduceOp, kernel);
    return;
  }
  if (auto half = dyn_cast<RowHalfOp>(op)) {
    ArrayRef<Value> wide = rows[half.getInput()];
    size_t count = wide.size() / 2;
    if (program.pairs) {
      SmallVector<Value> taken;
      for (size_t c = 0; c < count; ++c)
        taken.push_back(
            takeEveryOther(b, op.getLoc(), half.getHalf(), wide[c], wide[count + c]));
      rows[result] = taken;
      return;
    }
    bool first = half.getHalf() == RowHalf::First;
    rows[result] = llvm::to_vector(first ? wide.take_front(count) : wide.take_back(count));
    return;
  }
  if (!rowType) {
    auto given = llvm::map_to_vector(op.getOperands(),
                                     [&](Value value) { return scalars[value]; });
    scalars[result] = cloneElementwise(b, &op, given, {});
    return;
  }
  if (program.isGroup(rowType)) {
    for (size_t c = 0; c < columns.size(); ++c) {
      auto given = llvm::map_to_vector(op.getOperands(),
                                       [&](Value value) { return groups[value][c]; });
      groups[result].push_back(cloneElementwise(b, &op, given, {}));
    }
    return;
  }
  if (auto prefix = dyn_cast<RowPrefixOp>(op)) {
    for (auto [chunk, column] : llvm::zip_equal(rows[prefix.getInput()], columns)) {
      auto fill = DenseElementsAttr::get(cast<ShapedType>(chunk.getType()),
                                         prefix.getFillAttr().getValue());
      Value filling = arith::ConstantOp::create(b, fill);
      Value inside = less(column, constant(prefix.getLength()));
      rows[result].push_back(arith::SelectOp::create(b, inside, chunk, filling));
    }
    return;
  }
  size_t count = columns.size() * (program.isWide(rowType) ? 2 : 1);
  SmallVector<Value> chunks;
  for (size_t c = 0; c < count; ++c) {
    if (auto broadcast = dyn_cast<RowBroadcastOp>(op)) {
      Value input = broadcast.getInput();
      auto type = VectorType::get({schedule.width}, rowType.getElementType());
      Value number = isa<VectorType>(input.getType()) ? groups[input][c] : scalars[input];
      chunks.push_back(vector::BroadcastOp::create(b, type, number));
      continue;
    }
    auto given = llvm::map_to_vector(op.getOperands(),
                                     [&](Value value) { return rows[value][c]; });
    chunks.push_back(cloneElementwise(b, &op, given, {schedule.width}));
  }
  rows[result] = chunks;
}

void KernelBuilder::storeIf(Value condition, function_ref<void(OpBuilder &)> body) {
  if (!condition)
    return body(b);
  scf::IfOp::create(b, condition, [&](OpBuilder &then, Location loc) {
    body(then);
    scf::YieldOp::create(then, loc);
  });
}

void KernelBuilder::store(unsigned destination, Value yielded) {
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
                              ValueRange{row, zero});
    });
    return;
  }
  if (program.isGroup(yielded.getType())) {
    // The thread with a group's first element.
    Value length = constant(program.groupLength(yielded.getType()));
    for (size_t c = 0; c < columns.size(); ++c) {
      Value first = arith::CmpIOp::create(
          b, arith::CmpIPredicate::eq, arith::RemUIOp::create(b, columns[c], length),
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
    Value column =
        columnOf(c, i / columns.size(), program.isWide(yielded.getType()));
    storeIf(both(rowExists, chunkExists[c]), [&](OpBuilder &then) {
      auto made = vector::StoreOp::create(then, loc, chunks[i], operand.matrix,
                                          ValueRange{row, column});
      made.setAlignment(alignment);
    });
  }
}

/// Early, so that a result takes no registers across a later reduction.
void KernelBuilder::storeWhereYielded(Value value) {
  Operation *terminator = region.getBodyBlock()->getTerminator();
  for (auto [i, yielded] : llvm::enumerate(terminator->getOperands()))
    if (yielded == value)
      store(i, value);
}

gpu::GPUFuncOp KernelBuilder::build(StringRef name) {
  SmallVector<Type> parameters{b.getIndexType()};
  SmallVector<unsigned> constants; // parameters that are buffers of constants
  for (const HostOperand &operand : operands.all) {
    if (operand.isConstant)
      constants.push_back(parameters.size());
    parameters.push_back(operand.base.getType());
    parameters.append(operand.rowStride ? 2 : 1, b.getIndexType());
  }
  auto kernel = gpu::GPUFuncOp::create(b, name, b.getFunctionType(parameters, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  kernel.setKnownBlockSizeAttr(
      b.getDenseI32ArrayAttr({int32_t(schedule.threads), 1, 1}));
  if (schedule.width > 1) // Element by element needs more registers than it bounds.
    kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                    b.getI32IntegerAttr(schedule.residentBlocks()));
  if (chip.hasProgrammaticLaunch())
    kernel->setAttr(programmaticLaunchAttr, b.getUnitAttr());
  // Nobody writes a constant, so its loads may bypass coherence.
  for (unsigned i : constants) {
    kernel.setArgAttr(i, "llvm.noalias", b.getUnitAttr());
    kernel.setArgAttr(i, "llvm.readonly", b.getUnitAttr());
  }

  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&kernel.getBody().front());
  if (chip.hasProgrammaticLaunch())
    NVVM::GriddepcontrolOp::create(b, NVVM::GridDepActionKind::launch_dependents);
  takeParameters(kernel.getBody().front());
  findPlace();
  unsigned numInputs = region.getInputs().size();
  // Element by element, a prefetch costs as much as a load.
  if (chip.hasProgrammaticLaunch() && schedule.width > 1)
    for (unsigned i = 0; i < numInputs; ++i)
      if (!operands.all[i].isConstant)
        prefetch(i);
  for (unsigned i = 0; i < numInputs; ++i)
    if (operands.all[i].isConstant)
      loadConstant(i);
  if (chip.hasProgrammaticLaunch())
    NVVM::GriddepcontrolOp::create(b, NVVM::GridDepActionKind::wait);
  loadRows();
  for (Value argument : region.getBody().getArguments())
    storeWhereYielded(argument);
  for (Operation &op : region.getBodyBlock()->without_terminator()) {
    compute(op, kernel);
    storeWhereYielded(op.getResult(0));
  }
  gpu::ReturnOp::create(b);
  return kernel;
}

gpu::GPUFuncOp mortar::buildKernel(OpBuilder &builder, StringRef name,
                                   const RowProgram &program,
                                   const HostOperands &operands,
                                   const RowSchedule &schedule, const ChipTraits &chip) {
  FusedOp region = program.region;
  ImplicitLocOpBuilder b(region.getLoc(), builder);
  b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
  return KernelBuilder(b, program, operands, schedule, chip).build(name);
}
