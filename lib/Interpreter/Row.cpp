//===- Row.cpp - the program of one row -----------------------------------===//

#include "mortar/Interpreter/Interpreter.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;
using namespace mortar;
using namespace mortar::interpreter;

static float asFloat(uint64_t bits) { return llvm::bit_cast<float>(uint32_t(bits)); }

/// Law 3, as it is written: pad with −0.0 to a power of two, then add adjacent pairs
/// level by level.
static float sumByTree(ArrayRef<uint64_t> row) {
  std::vector<float> level;
  for (uint64_t bits : row)
    level.push_back(asFloat(bits));
  level.resize(llvm::PowerOf2Ceil(level.size()), -0.0f);
  while (level.size() > 1) {
    for (size_t i = 0; i < level.size() / 2; ++i)
      level[i] = level[2 * i] + level[2 * i + 1];
    level.resize(level.size() / 2);
  }
  return level[0];
}

/// A NaN wins, and -0 is below +0.
static float findLargest(ArrayRef<uint64_t> row) {
  float most = asFloat(row[0]);
  for (float x : llvm::map_range(row, asFloat)) {
    if (std::isnan(x))
      return x;
    if (x > most || (x == most && !std::signbit(x)))
      most = x;
  }
  return most;
}

static Array reduce(RowReduceOp op, const Array &row) {
  auto groups = dyn_cast<VectorType>(op.getType());
  size_t count = groups ? groups.getNumElements() : 1;
  size_t length = row.bits.size() / count;
  Array result{row.elementType, {}, {}};
  if (groups)
    result.shape = {int64_t(count)};
  for (size_t i = 0; i < count; ++i) {
    ArrayRef<uint64_t> group = ArrayRef(row.bits).slice(i * length, length);
    float reduced =
        op.getKind() == ReductionKind::Sum ? sumByTree(group) : findLargest(group);
    result.bits.push_back(llvm::bit_cast<uint32_t>(reduced));
  }
  return result;
}

static Array broadcast(RowBroadcastOp op, const Array &input) {
  int64_t length = rowLength(op.getType());
  Array row{input.elementType, {length}, {}};
  for (int64_t i = 0; i < length; ++i)
    row.bits.push_back(input.bits[i * input.bits.size() / length]);
  return row;
}

static Array takeHalf(RowHalfOp op, const Array &row) {
  size_t length = row.bits.size() / 2;
  Array half{row.elementType, {int64_t(length)}, {}};
  for (size_t i = 0; i < length; ++i)
    switch (op.getHalf()) {
    case RowHalf::First: half.bits.push_back(row.bits[i]); break;
    case RowHalf::Second: half.bits.push_back(row.bits[length + i]); break;
    case RowHalf::Even: half.bits.push_back(row.bits[2 * i]); break;
    case RowHalf::Odd: half.bits.push_back(row.bits[2 * i + 1]); break;
    }
  return half;
}

static Array repeat(RowRepeatOp op, const Array &input) {
  int64_t length = rowLength(op.getType());
  Array row{input.elementType, {length}, {}};
  for (int64_t i = 0; i < length; ++i)
    row.bits.push_back(input.bits[i % input.bits.size()]);
  return row;
}

static Array takePrefix(RowPrefixOp op, const Array &row) {
  Array result = row;
  std::fill(result.bits.begin() + op.getLength(), result.bits.end(),
            op.getFill().bitcastToAPInt().getZExtValue());
  return result;
}

static Array broadcast(StateBroadcastOp op, const Array &row) {
  ArrayRef<int64_t> shape = cast<VectorType>(op.getType()).getShape();
  Array matrix{row.elementType, shape.vec(), {}};
  for (int64_t v = 0; v < shape[0]; ++v)
    for (int64_t k = 0; k < shape[1]; ++k)
      matrix.bits.push_back(row.bits[op.getAxis() == StateAxis::Keys ? k : v]);
  return matrix;
}

static Array reduce(const Array &matrix) {
  Array sums{matrix.elementType, {matrix.shape[0]}, {}};
  for (int64_t v = 0; v < matrix.shape[0]; ++v) {
    auto row = ArrayRef(matrix.bits).slice(v * matrix.shape[1], matrix.shape[1]);
    sums.bits.push_back(llvm::bit_cast<uint32_t>(sumByTree(row)));
  }
  return sums;
}

FailureOr<std::vector<Array>> interpreter::evaluateRow(FusedOp region,
                                                       std::vector<Array> arguments,
                                                       bool isPadding) {
  llvm::DenseMap<Value, Array> values;
  Block *body = region.getBodyBlock();
  for (auto [argument, value] : llvm::zip_equal(body->getArguments(), arguments))
    values[argument] = std::move(value);
  for (Operation &op : body->without_terminator()) {
    SmallVector<const Array *, 3> operands;
    for (Value operand : op.getOperands())
      operands.push_back(&values.find(operand)->second);
    FailureOr<Array> result = failure();
    if (auto reduction = dyn_cast<RowReduceOp>(op))
      result = reduce(reduction, *operands[0]);
    else if (auto filling = dyn_cast<RowBroadcastOp>(op))
      result = broadcast(filling, *operands[0]);
    else if (auto half = dyn_cast<RowHalfOp>(op))
      result = takeHalf(half, *operands[0]);
    else if (auto repeated = dyn_cast<RowRepeatOp>(op))
      result = repeat(repeated, *operands[0]);
    else if (auto prefix = dyn_cast<RowPrefixOp>(op))
      result = takePrefix(prefix, *operands[0]);
    else if (auto filling = dyn_cast<StateBroadcastOp>(op))
      result = broadcast(filling, *operands[0]);
    else if (isa<StateReduceOp>(op))
      result = reduce(*operands[0]);
    else if (isa<MaskPaddingOp>(op))
      result = *operands[0];
    else
      result = evaluateElementwise(&op, operands);
    if (succeeded(result) && isPadding && isa<MaskPaddingOp>(op))
      result->bits.assign(result->bits.size(), 0); // +0.0
    if (failed(result))
      return failure();
    values[op.getResult(0)] = std::move(*result);
  }
  std::vector<Array> yielded;
  for (Value value : body->getTerminator()->getOperands())
    yielded.push_back(values.find(value)->second);
  return yielded;
}
