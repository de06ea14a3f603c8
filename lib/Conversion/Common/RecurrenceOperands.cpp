//===- RecurrenceOperands.cpp - what must hold at launch ------------------===//

#include "RecurrenceOperands.h"

#include "HostOperands.h"
#include "IndexBuilder.h"
#include "OperandOverlap.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mortar;
using Predicate = arith::CmpIPredicate;

/// Bytes from the first to behind the last element.
static Value spanInBytes(IndexBuilder &b, const RecurrenceOperand &operand) {
  Value span = b.constant(1), empty;
  for (auto [size, stride] : llvm::zip_equal(operand.sizes, operand.strides)) {
    span = b.add(span, b.mul(b.sub(size, b.constant(1)), stride));
    Value none = b.compare(Predicate::eq, size, b.constant(0));
    empty = empty ? b.either(empty, none) : none;
  }
  span = b.select(empty, b.constant(0), span);
  return b.mul(span, b.constant(operand.elementBytes()));
}

static void checkApart(IndexBuilder &b, const RecurrenceOperand &destination,
                       const std::string &name, const RecurrenceOperand &other,
                       const std::string &otherName) {
  Value bytes = spanInBytes(b, destination), otherBytes = spanInBytes(b, other);
  Value zero = b.constant(0);
  Value before = b.compare(Predicate::ule, b.add(destination.address, bytes), other.address);
  Value behind =
      b.compare(Predicate::ule, b.add(other.address, otherBytes), destination.address);
  Value empty = b.either(b.compare(Predicate::eq, bytes, zero),
                         b.compare(Predicate::eq, otherBytes, zero));
  b.check(b.either(empty, b.either(before, behind)),
          "expected " + name + " to share no memory with " + otherName +
              ", but they overlap");
}

FailureOr<RecurrenceOperands> mortar::takeApart(OpBuilder &builder,
                                                const RecurrenceProgram &program) {
  FusedOp region = program.region;
  const RecurrenceShape &shape = program.shape;
  IndexBuilder b(region.getLoc(), builder);
  RecurrenceOperands operands;
  SmallVector<std::string> names;
  SmallVector<Value> tokenSizes;
  unsigned numInputs = region.getInputs().size();
  for (auto [i, value] : llvm::enumerate(region.getOperands())) {
    RecurrenceOperand operand;
    operand.isDestination = i >= numInputs;
    unsigned number = operand.isDestination ? i - numInputs : i;
    operand.map = operand.isDestination ? region.getInitMap(number)
                                        : region.getInputMap(number);
    operand.isConstant = !operand.isDestination && isConstantArgument(value);
    operand.type = dyn_cast<MemRefType>(value.getType());
    SmallVector<int64_t> staticStrides;
    int64_t staticOffset;
    if (!operand.type ||
        failed(operand.type.getStridesAndOffset(staticStrides, staticOffset)) ||
        staticStrides.back() != 1)
      return region.emitError() << "expected operand " << i
                                << " to be a memref whose rows are contiguous, but found "
                                << value.getType();
    names.push_back(nameOf(operand.isDestination, value, number));
    auto parts = memref::ExtractStridedMetadataOp::create(b, value);
    operand.base = parts.getBaseBuffer();
    operand.offset = parts.getOffset();
    for (auto [d, extent] : llvm::enumerate(operand.type.getShape())) {
      operand.sizes.push_back(ShapedType::isDynamic(extent) ? parts.getSizes()[d]
                                                            : b.constant(extent));
      operand.strides.push_back(d + 1 < operand.type.getShape().size()
                                    ? parts.getStrides()[d]
                                    : b.constant(1));
    }
    Value pointer = memref::ExtractAlignedPointerAsIndexOp::create(b, value);
    operand.address =
        b.add(pointer, b.mul(operand.offset, b.constant(operand.elementBytes())));
    for (unsigned d = 0; d < operand.tokenDims(); ++d)
      if (tokenSizes.size() <= d)
        tokenSizes.push_back(operand.sizes[d]);
      else
        b.check(b.compare(Predicate::eq, operand.sizes[d], tokenSizes[d]),
                "expected " + names[i] +
                    " to have as many tokens as the others, but its number differs");
    operands.all.push_back(operand);
  }
  operands.tokens = tokenSizes.back();
  operands.sequences = operands.all[shape.slots].sizes[0];
  operands.slots = operands.all[numInputs + shape.state].sizes[0];
  auto checkSequences = [&](Value found, const std::string &name) {
    b.check(b.compare(Predicate::eq, found, operands.sequences),
            "expected " + name +
                " to have as many sequences as there are rows of slots, but its number "
                "differs");
  };
  if (shape.bounds >= 0)
    checkSequences(b.sub(operands.all[shape.bounds].sizes[0], b.constant(1)),
                   names[shape.bounds]);
  else
    checkSequences(tokenSizes.front(), "the tokens");
  if (shape.accepted >= 0)
    checkSequences(operands.all[shape.accepted].sizes[0], names[shape.accepted]);
  for (auto [destination, name] : llvm::zip_equal(operands.all, names)) {
    if (!destination.isDestination)
      continue;
    SmallVector<Steps> steps;
    Value none = b.equal(destination.sizes.back(), b.constant(0));
    for (size_t d = 0; d + 1 < destination.sizes.size(); ++d) {
      steps.push_back({destination.strides[d], destination.sizes[d]});
      none = b.either(none, b.equal(destination.sizes[d], b.constant(0)));
    }
    checkElementsApart(b, steps, destination.sizes.back(), name, none);
  }
  for (auto [i, destination] : llvm::enumerate(operands.all))
    for (auto [k, other] : llvm::enumerate(operands.all)) {
      if (!destination.isDestination || (other.isDestination && k >= i))
        continue;
      if (region.getOperand(i) == region.getOperand(k))
        return region.emitError() << "expected " << names[i]
                                  << " of a recurrence to share its buffer with no other "
                                     "operand, but it is "
                                  << names[k] << ", too";
      checkApart(b, destination, names[i], other, names[k]);
    }
  return operands;
}

Value mortar::isAligned(OpBuilder &builder, Location loc,
                        const RecurrenceOperands &operands, int64_t width) {
  IndexBuilder b(loc, builder);
  Value bits = b.constant(0);
  for (const RecurrenceOperand &operand : operands.all) {
    if (operand.map != RowMap::KeyRow && operand.map != RowMap::Column &&
        operand.map != RowMap::State)
      continue;
    // Low bits that must be clear, moved to those of a 16-byte access.
    int64_t bytes = std::min<int64_t>(16, width * operand.elementBytes());
    Value scale = b.constant(16 / bytes);
    bits = b.either(bits, b.mul(operand.address, scale));
    for (Value stride : ArrayRef(operand.strides).drop_back())
      bits = b.either(bits,
                      b.mul(stride, b.constant(operand.elementBytes() * 16 / bytes)));
  }
  return b.compare(Predicate::eq, b.both(bits, b.constant(15)), b.constant(0));
}

Value mortar::castToMemref(OpBuilder &builder, Location loc,
                           const RecurrenceOperand &operand) {
  IndexBuilder b(loc, builder);
  SmallVector<OpFoldResult> sizes, strides;
  SmallVector<int64_t> staticStrides(operand.strides.size(), ShapedType::kDynamic);
  for (auto [d, extent] : llvm::enumerate(operand.type.getShape())) {
    sizes.push_back(ShapedType::isDynamic(extent) ? OpFoldResult(operand.sizes[d])
                                                  : b.getIndexAttr(extent));
    strides.push_back(operand.strides[d]);
  }
  strides.back() = b.getIndexAttr(1);
  staticStrides.back() = 1;
  auto layout =
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, staticStrides);
  auto type =
      MemRefType::get(operand.type.getShape(), operand.type.getElementType(), layout);
  return memref::ReinterpretCastOp::create(b, type, operand.base,
                                           OpFoldResult(operand.offset), sizes, strides);
}

SmallVector<Value> mortar::indexToken(OpBuilder &builder, Location loc,
                                      const RecurrenceShape &shape,
                                      const RecurrenceOperand &operand, ValueRange token,
                                      Value head, Value element) {
  IndexBuilder b(loc, builder);
  SmallVector<Value> indices;
  if (operand.tokenDims())
    llvm::append_range(indices, token);
  switch (operand.map) {
  case RowMap::KeyRow: {
    int64_t keyHeads = operand.type.getShape().end()[-2];
    indices.append({b.div(head, b.constant(shape.heads / keyHeads)), element});
    break;
  }
  case RowMap::ValueRow:
    indices.append({head, element});
    break;
  case RowMap::ValueScalar:
    indices.append({head, b.constant(0)});
    break;
  case RowMap::HeadScalar:
  case RowMap::Head:
    indices.push_back(head);
    break;
  case RowMap::Column:
    indices.push_back(element);
    break;
  default: // a scalar
    indices.push_back(b.constant(0));
    break;
  }
  return indices;
}
