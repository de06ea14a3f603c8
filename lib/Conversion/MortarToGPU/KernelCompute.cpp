//===- KernelCompute.cpp - what a thread computes -----------------------===//

#include "KernelEmitter.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mortar;

void KernelEmitter::reduce(RowReduceOp op, gpu::GPUFuncOp kernel) {
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
    scalars[result] =
        emitRowReduction(b, op.getLoc(), schedule, place, op.getKind(), chunks, scratch);
    return;
  }
  int64_t groupChunks =
      llvm::PowerOf2Ceil(program.groupLength(result.getType()) / schedule.width);
  groups[result] = emitGroupReduction(b, op.getLoc(), schedule, place, op.getKind(),
                                      chunks, groupChunks, scratch);
}

void KernelEmitter::compute(Operation &op, gpu::GPUFuncOp kernel) {
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
    rows[result] =
        llvm::to_vector(first ? wide.take_front(count) : wide.take_back(count));
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
  if (auto repeat = dyn_cast<RowRepeatOp>(op)) { // loaded so
    SmallVector<Value> chunks = rows[repeat.getInput()];
    rows[result] = chunks;
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
