//===- HostOperands.cpp - what must hold at launch ------------------------===//

#include "HostOperands.h"

#include "IndexBuilder.h"
#include "OperandOverlap.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mortar;

bool mortar::isConstantArgument(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  if (!arg)
    return false;
  auto func = dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp());
  return func && func.getArgAttr(arg.getArgNumber(), MortarDialect::constantAttr);
}

std::string mortar::nameOf(bool isDestination, Value value, unsigned number) {
  if (auto arg = dyn_cast<BlockArgument>(value))
    return ("argument " + Twine(arg.getArgNumber())).str();
  return ((isDestination ? "destination " : "input ") + Twine(number)).str();
}

/// The distance of what lies in dimensions of these sizes, counted as rows are. A dimension
/// of one element has no stride that matters, which may be known at run time only: so each is
/// compared with those inside it that have more.
static Value findEvenStride(IndexBuilder &b, ArrayRef<Value> sizes, ArrayRef<Value> strides,
                            StringRef name) {
  Value one = b.constant(1), no = b.flag(false), yes = b.flag(true);
  Value stride = strides.back(), isKnown = b.atLeast(sizes.back(), b.constant(2));
  Value next = b.mul(sizes.back(), strides.back());
  auto outer = llvm::zip_equal(sizes.drop_back(), strides.drop_back());
  for (auto [size, own] : llvm::reverse(outer)) {
    Value isOne = b.atMost(size, one);
    Value isFirst = b.select(isKnown, no, yes);
    b.check(b.either(b.either(isOne, isFirst), b.equal(own, next)),
            "expected the leading dimensions of " + name +
                " to be evenly spaced, but their strides differ");
    stride = b.select(isKnown, stride, own);
    next = b.select(isOne, next, b.mul(size, own));
    isKnown = b.either(isKnown, b.select(isOne, no, yes));
  }
  return stride;
}

/// Where the rows of `operand`, whose parts these are, lie, and how many there are.
static void takeRows(IndexBuilder &b, HostOperand &operand,
                     memref::ExtractStridedMetadataOp parts, StringRef name) {
  unsigned leading = operand.type.getRank() - 1;
  if (operand.map == RowMap::Heads)
    operand.strides.head = parts.getStrides()[--leading];
  // A dimension of one element has no stride that matters.
  SmallVector<Value> sizes, strides;
  SmallVector<int64_t> extents;
  for (unsigned d = 0; d < leading; ++d)
    if (operand.type.getDimSize(d) != 1) {
      sizes.push_back(parts.getSizes()[d]);
      strides.push_back(parts.getStrides()[d]);
      extents.push_back(operand.type.getDimSize(d));
    }
  leading = sizes.size();
  // Rows in two dimensions need no even spacing, if it is known how many are inside.
  if (leading > 1 && extents.back() > 1 && operand.map != RowMap::Heads)
    operand.inner = extents.back();
  operand.rows = b.constant(1);
  for (unsigned d = 0; d < leading; ++d)
    operand.rows = b.mul(operand.rows, sizes[d]);
  // One row has no stride, whatever its tensor says.
  Value none = b.constant(0);
  operand.strides.row = none;
  if (operand.inner > 1) {
    operand.strides.row = b.select(b.atMost(operand.rows, b.constant(1)), none,
                                   strides.pop_back_val());
    sizes.pop_back();
    operand.strides.outer =
        b.select(b.atMost(operand.rows, b.constant(operand.inner)), none,
                 findEvenStride(b, sizes, strides, name));
  } else if (leading) {
    operand.strides.row = b.select(b.atMost(operand.rows, b.constant(1)), none,
                                   findEvenStride(b, sizes, strides, name));
  }
}

/// One operand of `region`, whose `map` and name are known.
static FailureOr<HostOperand> takeOperand(IndexBuilder &b, FusedOp region,
                                          unsigned number, HostOperand operand,
                                          StringRef name) {
  Value value = region.getOperand(number);
  operand.isConstant = isConstantArgument(value);
  operand.type = dyn_cast<MemRefType>(value.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!operand.type || failed(operand.type.getStridesAndOffset(strides, offset)) ||
      (strides.back() != 1 && operand.map != RowMap::GroupScalar))
    return region.emitError() << "expected operand " << number
                              << " to be a memref whose rows are contiguous, but "
                                 "found "
                              << value.getType();
  auto parts = memref::ExtractStridedMetadataOp::create(b, value);
  operand.base = parts.getBaseBuffer();
  operand.offset = parts.getOffset();
  Value pointer = memref::ExtractAlignedPointerAsIndexOp::create(b, value);
  operand.address =
      b.add(pointer, b.mul(operand.offset, b.constant(operand.elementBytes())));
  // One value for each group: by row or by column, as its reader wants it.
  if (strides.back() != 1 && operand.headLength() > 1)
    operand.strides.element = parts.getStrides().back();
  if (operand.isByRow())
    takeRows(b, operand, parts, name);
  return operand;
}

FailureOr<HostOperands> mortar::takeApart(OpBuilder &builder, FusedOp region) {
  IndexBuilder b(region.getLoc(), builder);
  HostOperands operands;
  SmallVector<std::string> names;
  unsigned numInputs = region.getInputs().size();
  for (auto [i, value] : llvm::enumerate(region.getOperands())) {
    HostOperand known;
    known.isDestination = i >= numInputs;
    unsigned number = known.isDestination ? i - numInputs : i;
    known.map = region.getOperandMap(i);
    names.push_back(nameOf(known.isDestination, value, number));
    FailureOr<HostOperand> operand = takeOperand(b, region, i, known, names[i]);
    if (failed(operand))
      return failure();
    if (operand->isByRow() && !operands.rows)
      operands.rows = operand->rows;
    else if (operand->isByRow())
      b.check(b.equal(operand->rows, operands.rows),
              "expected " + names[i] + " to have as many rows as the others, but "
                                       "its number differs");
    operands.all.push_back(*operand);
  }
  for (auto [i, destination] : llvm::enumerate(operands.all)) {
    if (!destination.isDestination)
      continue;
    checkElementsApart(b, destination, names[i], operands.rows);
    for (auto [k, other] : llvm::enumerate(operands.all)) {
      if (other.isDestination && k >= i)
        continue;
      // The very same buffer: shared exactly, if it may be shared at all.
      bool same = region.getOperand(i) == region.getOperand(k);
      if (same && (other.isDestination || !other.isRows()))
        return region.emitError()
               << "expected destination " << i - numInputs
               << " to share its buffer with no destination and no input but a row, but "
                  "it is "
               << (other.isDestination ? "destination " : "input ")
               << (other.isDestination ? k - numInputs : k) << ", too";
      if (!same)
        checkOverlap(b, destination, names[i], other, names[k], operands.rows);
    }
  }
  return operands;
}

Value mortar::castToMatrix(OpBuilder &builder, Location loc, const HostOperand &operand,
                           Value base, Value offset, Value rows,
                           const OperandStrides &strides) {
  IndexBuilder b(loc, builder);
  SmallVector<OpFoldResult> sizes, distances;
  SmallVector<int64_t> shape, staticStrides;
  auto addDimension = [&](OpFoldResult size, OpFoldResult distance) {
    sizes.push_back(size);
    distances.push_back(distance);
    // A distance that happens to be known here is still a parameter in the kernel's type.
    auto known = [](OpFoldResult value) {
      return isa<Attribute>(value) ? *getConstantIntValue(value) : ShapedType::kDynamic;
    };
    shape.push_back(known(size));
    staticStrides.push_back(known(distance));
  };
  if (strides.outer) {
    addDimension(b.div(rows, b.constant(operand.inner)), strides.outer);
    addDimension(b.getIndexAttr(operand.inner), strides.row);
  } else if (strides.row) {
    addDimension(rows, strides.row);
  }
  if (strides.head)
    addDimension(b.getIndexAttr(operand.length() / operand.headLength()), strides.head);
  addDimension(b.getIndexAttr(operand.headLength()),
               strides.element ? OpFoldResult(strides.element) : b.getIndexAttr(1));
  auto layout =
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, staticStrides);
  auto type = MemRefType::get(shape, operand.type.getElementType(), layout);
  return memref::ReinterpretCastOp::create(b, type, base, OpFoldResult(offset), sizes,
                                           distances);
}

SmallVector<Value> mortar::indexOperand(OpBuilder &builder, Location loc,
                                        const HostOperand &operand, Value row,
                                        Value column) {
  IndexBuilder b(loc, builder);
  SmallVector<Value> indices;
  auto split = [&](Value index, int64_t length) {
    indices.push_back(b.div(index, b.constant(length)));
    indices.push_back(b.rem(index, b.constant(length)));
  };
  if (operand.strides.outer)
    split(row, operand.inner);
  else if (operand.strides.row)
    indices.push_back(row);
  if (operand.strides.head)
    split(column, operand.headLength());
  else
    indices.push_back(column);
  return indices;
}

Value mortar::isAligned(OpBuilder &builder, Location loc, const HostOperands &operands,
                        int64_t width) {
  IndexBuilder b(loc, builder);
  Value bits = b.constant(0);
  for (const HostOperand &operand : operands.all) {
    if (!operand.isRows() && operand.map != RowMap::Column)
      continue;
    // Low bits that must be clear, moved to those of a 16-byte access.
    int64_t bytes = std::min<int64_t>(16, width * operand.elementBytes());
    Value scale = b.constant(16 / bytes);
    bits = b.either(bits, b.mul(operand.address, scale));
    OperandStrides strides = operand.strides;
    for (Value *stride : strides.all())
      bits = b.either(bits,
                      b.mul(*stride, b.constant(operand.elementBytes() * 16 / bytes)));
  }
  Value low = b.both(bits, b.constant(15));
  return b.equal(low, b.constant(0));
}
