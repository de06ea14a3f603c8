//===- HostOperands.cpp - what must hold at launch ------------------------===//

#include "HostOperands.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace mortar;

namespace {
/// Index arithmetic that reads like arithmetic.
struct IndexBuilder : ImplicitLocOpBuilder {
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }
  Value add(Value a, Value b) { return createOrFold<arith::AddIOp>(a, b); }
  Value div(Value a, Value b) { return createOrFold<arith::DivUIOp>(a, b); }
  Value rem(Value a, Value b) { return createOrFold<arith::RemUIOp>(a, b); }
  Value sub(Value a, Value b) { return createOrFold<arith::SubIOp>(a, b); }
  Value mul(Value a, Value b) { return createOrFold<arith::MulIOp>(a, b); }
  Value both(Value a, Value b) { return createOrFold<arith::AndIOp>(a, b); }
  Value either(Value a, Value b) { return createOrFold<arith::OrIOp>(a, b); }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return createOrFold<arith::CmpIOp>(predicate, a, b);
  }
  void check(Value condition, const Twine &message) {
    cf::AssertOp::create(*this, condition, message.str());
  }
};
} // namespace

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

/// Bytes from the first to behind the last element, which rows may be apart.
static Value spanInBytes(IndexBuilder &b, const HostOperand &operand) {
  Value span = b.constant(operand.headLength());
  auto addSteps = [&](Value stride, Value count) {
    if (stride)
      span = b.add(b.mul(b.sub(count, b.constant(1)), stride), span);
  };
  const OperandStrides &strides = operand.strides;
  addSteps(strides.head, b.constant(operand.length() / operand.headLength()));
  addSteps(strides.row, strides.outer ? b.constant(operand.inner) : operand.rows);
  if (strides.outer)
    addSteps(strides.outer, b.div(operand.rows, b.constant(operand.inner)));
  return b.mul(span, b.constant(operand.elementBytes()));
}

/// Whether each row lies one stride behind the one before.
static Value isEvenlySpaced(IndexBuilder &b, const HostOperand &operand) {
  using Predicate = arith::CmpIPredicate;
  Value inner = b.constant(operand.inner);
  return b.either(b.compare(Predicate::ule, operand.rows, inner),
                  b.compare(Predicate::eq, operand.strides.outer,
                            b.mul(inner, operand.strides.row)));
}

/// Whether two operands by row that begin at one address have all elements at the same.
static Value haveSameLayout(IndexBuilder &b, const HostOperand &one,
                            const HostOperand &other) {
  using Predicate = arith::CmpIPredicate;
  Value same = b.compare(Predicate::eq, one.strides.row, other.strides.row);
  if (one.strides.head)
    same = b.both(same, b.compare(Predicate::eq, one.strides.head, other.strides.head));
  if (one.strides.outer && other.strides.outer && one.inner == other.inner)
    return b.both(same, b.compare(Predicate::eq, one.strides.outer, other.strides.outer));
  for (const HostOperand *operand : {&one, &other})
    if (operand->strides.outer)
      same = b.both(same, isEvenlySpaced(b, *operand));
  return same;
}

/// A destination shares an operand's memory exactly (each thread reads the elements that
/// it writes, and no others, before it writes), or not at all. What all threads of a row
/// read, a row_scalar, none may write.
static void checkOverlap(IndexBuilder &b, const HostOperand &destination,
                         const std::string &destinationName, const HostOperand &other,
                         const std::string &otherName, Value anyRows) {
  using Predicate = arith::CmpIPredicate;
  Value end = b.add(destination.address, spanInBytes(b, destination));
  Value otherEnd = b.add(other.address, spanInBytes(b, other));
  Value fine = b.either(b.compare(Predicate::ule, end, other.address),
                        b.compare(Predicate::ule, otherEnd, destination.address));
  bool mayShare = !other.isDestination && other.map == destination.map &&
                  other.strides.row && other.length() == destination.length() &&
                  other.headLength() == destination.headLength() &&
                  other.elementBytes() == destination.elementBytes();
  bool mayBeSame = mayShare && destination.isRows();
  if (mayShare && !destination.strides.head) {
    // Two column ranges of one matrix: the rows interleave and don't meet.
    Value stride = b.mul(destination.strides.row, b.constant(destination.elementBytes()));
    Value rowBytes = b.constant(destination.length() * destination.elementBytes());
    Value apart = b.sub(destination.address, other.address);
    // A stride of 0 has no column ranges; 1 keeps the division defined.
    Value divisor = arith::MaxUIOp::create(b, stride, b.constant(1));
    Value within = arith::RemUIOp::create(
        b, arith::MaxSIOp::create(b, apart, b.sub(b.constant(0), apart)), divisor);
    Value interleaved =
        b.both(b.compare(Predicate::eq, destination.strides.row, other.strides.row),
               b.both(b.compare(Predicate::uge, within, rowBytes),
                      b.compare(Predicate::uge, b.sub(divisor, within), rowBytes)));
    for (const HostOperand *operand : {&destination, &other})
      if (operand->strides.outer)
        interleaved = b.both(interleaved, isEvenlySpaced(b, *operand));
    fine = b.either(fine, interleaved);
  }
  if (mayBeSame)
    fine = b.either(fine,
                    b.both(b.compare(Predicate::eq, destination.address, other.address),
                           haveSameLayout(b, destination, other)));
  Value noRows = b.compare(Predicate::eq, anyRows, b.constant(0));
  b.check(b.either(fine, noRows),
          "expected " + destinationName + " to share no memory with " + otherName +
              (mayBeSame ? ", or all of it with the same strides" : "") +
              ", but they overlap");
}

FailureOr<HostOperands> mortar::takeApart(OpBuilder &builder, FusedOp region) {
  IndexBuilder b(region.getLoc(), builder);
  using Predicate = arith::CmpIPredicate;
  HostOperands operands;
  SmallVector<std::string> names;
  unsigned numInputs = region.getInputs().size();
  for (auto [i, value] : llvm::enumerate(region.getOperands())) {
    HostOperand operand;
    operand.isDestination = i >= numInputs;
    unsigned number = operand.isDestination ? i - numInputs : i;
    operand.map = operand.isDestination ? region.getInitMap(number)
                                        : region.getInputMap(number);
    operand.isConstant = isConstantArgument(value);
    operand.type = dyn_cast<MemRefType>(value.getType());
    SmallVector<int64_t> staticStrides;
    int64_t staticOffset;
    if (!operand.type ||
        failed(operand.type.getStridesAndOffset(staticStrides, staticOffset)) ||
        staticStrides.back() != 1)
      return region.emitError() << "expected operand " << i
                                << " to be a memref whose rows are contiguous, but "
                                   "found "
                                << value.getType();
    names.push_back(nameOf(operand.isDestination, value, number));
    auto parts = memref::ExtractStridedMetadataOp::create(b, value);
    operand.base = parts.getBaseBuffer();
    operand.offset = parts.getOffset();
    Value pointer = memref::ExtractAlignedPointerAsIndexOp::create(b, value);
    operand.address =
        b.add(pointer, b.mul(operand.offset, b.constant(operand.elementBytes())));
    if (operand.isByRow()) {
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
      operand.strides.row = b.constant(0);
      if (leading)
        operand.strides.row = b.createOrFold<arith::SelectOp>(
            b.compare(Predicate::ule, operand.rows, b.constant(1)), operand.strides.row,
            strides[leading - 1]);
      unsigned even = leading;
      if (operand.inner > 1) {
        even = leading - 1;
        operand.strides.outer = b.createOrFold<arith::SelectOp>(
            b.compare(Predicate::ule, operand.rows, b.constant(operand.inner)),
            b.constant(0), strides[even - 1]);
      }
      // Row r must lie at r times one stride.
      for (unsigned d = 0; d + 1 < even; ++d) {
        Value next = b.mul(sizes[d + 1], strides[d + 1]);
        Value one = b.compare(Predicate::ule, sizes[d], b.constant(1));
        b.check(b.either(one, b.compare(Predicate::eq, strides[d], next)),
                "expected the leading dimensions of " + names[i] +
                    " to be evenly spaced, but their strides differ");
      }
      if (!operands.rows)
        operands.rows = operand.rows;
      else
        b.check(b.compare(Predicate::eq, operand.rows, operands.rows),
                "expected " + names[i] + " to have as many rows as the others, but "
                                         "its number differs");
    }
    operands.all.push_back(operand);
  }
  for (auto [i, destination] : llvm::enumerate(operands.all))
    for (auto [k, other] : llvm::enumerate(operands.all)) {
      if (!destination.isDestination || (other.isDestination && k >= i))
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
  addDimension(b.getIndexAttr(operand.headLength()), b.getIndexAttr(1));
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
  return b.compare(arith::CmpIPredicate::eq, low, b.constant(0));
}
