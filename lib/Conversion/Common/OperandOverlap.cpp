//===- OperandOverlap.cpp - what may share memory -------------------------===//

#include "OperandOverlap.h"

using namespace mlir;
using namespace mortar;

/// All dimensions of an operand by row but for elements that lie side by side.
static SmallVector<Steps> findSteps(IndexBuilder &b, const HostOperand &operand) {
  const OperandStrides &strides = operand.strides;
  SmallVector<Steps> steps;
  auto add = [&](Value stride, Value count) {
    if (stride)
      steps.push_back({stride, count});
  };
  add(strides.element, b.constant(operand.headLength()));
  add(strides.head, b.constant(operand.length() / operand.headLength()));
  add(strides.row, strides.outer ? b.constant(operand.inner) : operand.rows);
  if (strides.outer)
    add(strides.outer, b.div(operand.rows, b.constant(operand.inner)));
  return steps;
}

/// How many elements lie side by side.
static Value countAdjacent(IndexBuilder &b, const HostOperand &operand) {
  return b.constant(operand.strides.element ? 1 : operand.headLength());
}

/// From the first of these elements to the last.
static Value reach(IndexBuilder &b, const Steps &steps) {
  return b.mul(b.sub(steps.count, b.constant(1)), steps.stride);
}

/// Bytes from the first to behind the last element, which rows may be apart.
static Value spanInBytes(IndexBuilder &b, const HostOperand &operand) {
  Value span = countAdjacent(b, operand);
  for (const Steps &steps : findSteps(b, operand))
    span = b.add(reach(b, steps), span);
  return b.mul(span, b.constant(operand.elementBytes()));
}

/// Whether each row lies one stride behind the one before.
static Value isEvenlySpaced(IndexBuilder &b, const HostOperand &operand) {
  Value inner = b.constant(operand.inner);
  return b.either(b.atMost(operand.rows, inner),
                  b.equal(operand.strides.outer, b.mul(inner, operand.strides.row)));
}

/// Whether two operands by row that begin at one address have all elements at the same.
static Value haveSameLayout(IndexBuilder &b, const HostOperand &one,
                            const HostOperand &other) {
  Value same = b.equal(one.strides.row, other.strides.row);
  if (one.strides.head)
    same = b.both(same, b.equal(one.strides.head, other.strides.head));
  if (one.strides.outer && other.strides.outer && one.inner == other.inner)
    return b.both(same, b.equal(one.strides.outer, other.strides.outer));
  for (const HostOperand *operand : {&one, &other})
    if (operand->strides.outer)
      same = b.both(same, isEvenlySpaced(b, *operand));
  return same;
}

/// Whether two operands are column ranges of one matrix, whose rows interleave and don't
/// meet.
static Value interleave(IndexBuilder &b, const HostOperand &one,
                        const HostOperand &other) {
  Value stride = b.mul(one.strides.row, b.constant(one.elementBytes()));
  Value rowBytes = b.constant(one.length() * one.elementBytes());
  Value apart = b.sub(one.address, other.address);
  // A stride of 0 has no column ranges; 1 keeps the division defined.
  Value divisor = arith::MaxUIOp::create(b, stride, b.constant(1));
  Value distance = arith::MaxSIOp::create(b, apart, b.sub(b.constant(0), apart));
  Value within = arith::RemUIOp::create(b, distance, divisor);
  Value fine = b.both(b.equal(one.strides.row, other.strides.row),
                      b.both(b.atLeast(within, rowBytes),
                             b.atLeast(b.sub(divisor, within), rowBytes)));
  for (const HostOperand *operand : {&one, &other}) {
    if (operand->strides.outer)
      fine = b.both(fine, isEvenlySpaced(b, *operand));
    if (operand->strides.element)
      fine = b.both(fine, b.equal(operand->strides.element, b.constant(1)));
  }
  return fine;
}

void mortar::checkElementsApart(IndexBuilder &b, ArrayRef<Steps> all, Value adjacent,
                                StringRef name, Value none) {
  Value nested;
  for (auto [i, steps] : llvm::enumerate(all)) {
    Value inside = adjacent;
    for (auto [k, other] : llvm::enumerate(all))
      if (k != i)
        inside = b.add(inside, b.select(b.atMost(other.stride, steps.stride),
                                        reach(b, other), b.constant(0)));
    Value own = b.either(b.atMost(steps.count, b.constant(1)),
                         b.atLeast(steps.stride, inside));
    nested = nested ? b.both(nested, own) : own;
  }
  if (nested)
    b.check(b.either(nested, none),
            "expected the elements of " + name +
                " to lie apart, but by its strides some share memory");
}

void mortar::checkElementsApart(IndexBuilder &b, const HostOperand &destination,
                                StringRef name, Value rows) {
  checkElementsApart(b, findSteps(b, destination), countAdjacent(b, destination), name,
                     b.equal(rows, b.constant(0)));
}

void mortar::checkOverlap(IndexBuilder &b, const HostOperand &destination,
                          StringRef destinationName, const HostOperand &other,
                          StringRef otherName, Value rows) {
  Value end = b.add(destination.address, spanInBytes(b, destination));
  Value otherEnd = b.add(other.address, spanInBytes(b, other));
  Value fine = b.either(b.atMost(end, other.address),
                        b.atMost(otherEnd, destination.address));
  bool mayShare = !other.isDestination && other.map == destination.map &&
                  other.strides.row && other.length() == destination.length() &&
                  other.headLength() == destination.headLength() &&
                  other.elementBytes() == destination.elementBytes();
  bool mayBeSame = mayShare && destination.isRows();
  if (mayShare && !destination.strides.head)
    fine = b.either(fine, interleave(b, destination, other));
  if (mayBeSame)
    fine = b.either(fine, b.both(b.equal(destination.address, other.address),
                                 haveSameLayout(b, destination, other)));
  Value noRows = b.equal(rows, b.constant(0));
  b.check(b.either(fine, noRows),
          "expected " + destinationName + " to share no memory with " + otherName +
              (mayBeSame ? ", or all of it with the same strides" : "") +
              ", but they overlap");
}
