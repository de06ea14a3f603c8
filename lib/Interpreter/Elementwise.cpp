//===- Elementwise.cpp - one primitive on every element -------------------===//

#include "mortar/Interpreter/Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;
using namespace mortar;
using namespace mortar::interpreter;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Every float type of a row's program is a subset of f32.
static float decode(FloatType type, uint64_t bits) {
  if (type.isF32())
    return llvm::bit_cast<float>(uint32_t(bits));
  if (type.isBF16())
    return llvm::bit_cast<float>(uint32_t(bits << 16));
  APFloat number(type.getFloatSemantics(), APInt(type.getWidth(), bits));
  return number.convertToFloat();
}

/// Rounds to nearest, ties to even, subnormals kept.
static uint64_t encode(FloatType type, float value) {
  if (type.isF32())
    return llvm::bit_cast<uint32_t>(value);
  APFloat number(value);
  bool lossy;
  number.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
  return number.bitcastToAPInt().getZExtValue();
}

static unsigned widthOf(Type type) {
  return isa<IndexType>(type) ? 64 : type.getIntOrFloatBitWidth();
}

static uint64_t truncate(Type type, uint64_t bits) {
  unsigned width = widthOf(type);
  return width >= 64 ? bits : bits & ((uint64_t(1) << width) - 1);
}

static int64_t asSigned(Type type, uint64_t bits) {
  unsigned width = widthOf(type);
  return width >= 64 ? int64_t(bits) : int64_t(bits << (64 - width)) >> (64 - width);
}

/// IEEE 754-2019 maximum and minimum: a NaN wins, and -0 is below +0.
static float larger(float a, float b) {
  if (std::isnan(a) || std::isnan(b))
    return std::nanf("");
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
static float smaller(float a, float b) { return -larger(-a, -b); }

static bool compare(arith::CmpFPredicate predicate, float a, float b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  using P = arith::CmpFPredicate;
  switch (predicate) {
  case P::AlwaysFalse: return false;
  case P::AlwaysTrue: return true;
  case P::ORD: return !unordered;
  case P::UNO: return unordered;
  case P::OEQ: return !unordered && a == b;
  case P::OGT: return !unordered && a > b;
  case P::OGE: return !unordered && a >= b;
  case P::OLT: return !unordered && a < b;
  case P::OLE: return !unordered && a <= b;
  case P::ONE: return !unordered && a != b;
  case P::UEQ: return unordered || a == b;
  case P::UGT: return unordered || a > b;
  case P::UGE: return unordered || a >= b;
  case P::ULT: return unordered || a < b;
  case P::ULE: return unordered || a <= b;
  case P::UNE: return unordered || a != b;
  }
  llvm_unreachable("all predicates are named above");
}

static bool compare(arith::CmpIPredicate predicate, Type type, uint64_t a, uint64_t b) {
  int64_t s = asSigned(type, a), t = asSigned(type, b);
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::eq: return a == b;
  case P::ne: return a != b;
  case P::slt: return s < t;
  case P::sle: return s <= t;
  case P::sgt: return s > t;
  case P::sge: return s >= t;
  case P::ult: return a < b;
  case P::ule: return a <= b;
  case P::ugt: return a > b;
  case P::uge: return a >= b;
  }
  llvm_unreachable("all predicates are named above");
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// The element of a result, from those of the operands.
using Primitive = std::function<uint64_t(ArrayRef<uint64_t>)>;

static Primitive onFloats(FloatType type, float (*f)(float, float)) {
  return [=](ArrayRef<uint64_t> x) {
    return encode(type, f(decode(type, x[0]), decode(type, x[1])));
  };
}

static Primitive onIntegers(Type type, uint64_t (*f)(uint64_t, uint64_t)) {
  return [=](ArrayRef<uint64_t> x) { return truncate(type, f(x[0], x[1])); };
}

/// A shift by the width or more is poison in arith; no program of ours has one.
static uint64_t shift(uint64_t x, uint64_t by, unsigned width, bool left) {
  return by >= width ? 0 : left ? x << by : x >> by;
}

static Primitive findFloatPrimitive(Operation *op, FloatType type) {
  return llvm::TypeSwitch<Operation *, Primitive>(op)
      .Case([&](arith::AddFOp) {
        return onFloats(type, [](float a, float b) { return a + b; });
      })
      .Case([&](arith::SubFOp) {
        return onFloats(type, [](float a, float b) { return a - b; });
      })
      .Case([&](arith::MulFOp) {
        return onFloats(type, [](float a, float b) { return a * b; });
      })
      .Case([&](arith::DivFOp) {
        return onFloats(type, [](float a, float b) { return a / b; });
      })
      .Case([&](arith::MaximumFOp) { return onFloats(type, larger); })
      .Case([&](arith::MinimumFOp) { return onFloats(type, smaller); })
      .Case([&](arith::NegFOp) {
        uint64_t sign = uint64_t(1) << (type.getWidth() - 1);
        return [=](ArrayRef<uint64_t> x) { return x[0] ^ sign; };
      })
      .Case([&](math::AbsFOp) {
        uint64_t sign = uint64_t(1) << (type.getWidth() - 1);
        return [=](ArrayRef<uint64_t> x) { return x[0] & ~sign; };
      })
      .Case([&](math::FmaOp) -> Primitive {
        if (!type.isF32()) // through f32 it would round twice
          return {};
        return [=](ArrayRef<uint64_t> x) {
          return encode(type, std::fma(decode(type, x[0]), decode(type, x[1]),
                                       decode(type, x[2])));
        };
      })
      .Case([&](math::SqrtOp) {
        return [=](ArrayRef<uint64_t> x) {
          return encode(type, std::sqrt(decode(type, x[0])));
        };
      })
      .Case([&](arith::TruncFOp op) -> Primitive {
        if (op.getRoundingmode().value_or(arith::RoundingMode::to_nearest_even) !=
            arith::RoundingMode::to_nearest_even)
          return {};
        auto from = cast<FloatType>(getElementTypeOrSelf(op.getIn().getType()));
        return [=](ArrayRef<uint64_t> x) { return encode(type, decode(from, x[0])); };
      })
      .Case([&](arith::ExtFOp op) {
        auto from = cast<FloatType>(getElementTypeOrSelf(op.getIn().getType()));
        return [=](ArrayRef<uint64_t> x) { return encode(type, decode(from, x[0])); };
      })
      .Case([&](arith::SIToFPOp op) -> Primitive {
        Type from = getElementTypeOrSelf(op.getIn().getType());
        if (widthOf(from) > 16) // beyond, double rounds, too
          return {};
        return [=](ArrayRef<uint64_t> x) {
          return encode(type, float(asSigned(from, x[0])));
        };
      })
      .Default([](Operation *) { return Primitive(); });
}

static Primitive findIntegerPrimitive(Operation *op, Type type) {
  unsigned width = widthOf(type);
  return llvm::TypeSwitch<Operation *, Primitive>(op)
      .Case([&](arith::AddIOp) {
        return onIntegers(type, [](uint64_t a, uint64_t b) { return a + b; });
      })
      .Case([&](arith::SubIOp) {
        return onIntegers(type, [](uint64_t a, uint64_t b) { return a - b; });
      })
      .Case([&](arith::MulIOp) {
        return onIntegers(type, [](uint64_t a, uint64_t b) { return a * b; });
      })
      .Case([&](arith::AndIOp) {
        return onIntegers(type, [](uint64_t a, uint64_t b) { return a & b; });
      })
      .Case([&](arith::OrIOp) {
        return onIntegers(type, [](uint64_t a, uint64_t b) { return a | b; });
      })
      .Case([&](arith::XOrIOp) {
        return onIntegers(type, [](uint64_t a, uint64_t b) { return a ^ b; });
      })
      .Case([&](arith::ShLIOp) {
        return [=](ArrayRef<uint64_t> x) {
          return truncate(type, shift(x[0], x[1], width, /*left=*/true));
        };
      })
      .Case([&](arith::ShRUIOp) {
        return [=](ArrayRef<uint64_t> x) {
          return shift(x[0], x[1], width, /*left=*/false);
        };
      })
      .Case([&](arith::ShRSIOp) {
        return [=](ArrayRef<uint64_t> x) {
          uint64_t by = std::min<uint64_t>(x[1], width - 1);
          return truncate(type, uint64_t(asSigned(type, x[0]) >> by));
        };
      })
      .Case([&](arith::TruncIOp) {
        return [=](ArrayRef<uint64_t> x) { return truncate(type, x[0]); };
      })
      .Case([&](arith::CmpFOp op) {
        auto from = cast<FloatType>(getElementTypeOrSelf(op.getLhs().getType()));
        arith::CmpFPredicate predicate = op.getPredicate();
        return [=](ArrayRef<uint64_t> x) -> uint64_t {
          return ::compare(predicate, decode(from, x[0]), decode(from, x[1]));
        };
      })
      .Case([&](arith::CmpIOp op) {
        Type from = getElementTypeOrSelf(op.getLhs().getType());
        arith::CmpIPredicate predicate = op.getPredicate();
        return [=](ArrayRef<uint64_t> x) -> uint64_t {
          return ::compare(predicate, from, x[0], x[1]);
        };
      })
      .Default([](Operation *) { return Primitive(); });
}

/// Null for an op that isn't known.
static Primitive findPrimitive(Operation *op) {
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  // What only moves bits means the same for every type.
  if (isa<arith::SelectOp>(op))
    return [](ArrayRef<uint64_t> x) { return x[0] ? x[1] : x[2]; };
  if (isa<arith::BitcastOp>(op))
    return [](ArrayRef<uint64_t> x) { return x[0]; };
  if (auto floatType = dyn_cast<FloatType>(type))
    return floatType.getWidth() <= 32 ? findFloatPrimitive(op, floatType) : Primitive();
  if (isa<IntegerType, IndexType>(type) && widthOf(type) <= 64)
    return findIntegerPrimitive(op, type);
  return {};
}

static FailureOr<Array> evaluateConstant(arith::ConstantOp op) {
  auto bitsOf = [](Attribute element) -> uint64_t {
    if (auto number = dyn_cast<FloatAttr>(element))
      return number.getValue().bitcastToAPInt().getZExtValue();
    return cast<IntegerAttr>(element).getValue().getZExtValue();
  };
  Array array{getElementTypeOrSelf(op.getType()), {}, {}};
  if (isa<FloatAttr, IntegerAttr>(op.getValue())) {
    array.bits.push_back(bitsOf(op.getValue()));
    return array;
  }
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense)
    return op.emitError("the interpreter knows only numbers and dense constants");
  array.shape = dense.getType().getShape().vec();
  for (Attribute element : dense.getValues<Attribute>())
    array.bits.push_back(bitsOf(element));
  return array;
}

FailureOr<Array> interpreter::evaluateElementwise(Operation *op,
                                                  ArrayRef<const Array *> operands) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return evaluateConstant(constant);
  Primitive primitive;
  if (op->getNumResults() == 1 && !operands.empty())
    primitive = findPrimitive(op);
  if (!primitive)
    return op->emitError() << "the interpreter doesn't know '" << op->getName()
                           << "' on these types";
  // A select may have one condition for all of its elements.
  const Array &last = *operands.back();
  bool oneCondition = isa<arith::SelectOp>(op) && operands[0]->shape.empty();
  Array result{getElementTypeOrSelf(op->getResult(0).getType()), last.shape, {}};
  size_t count = last.bits.size();
  for (auto [i, operand] : llvm::enumerate(operands))
    if (operand->bits.size() != count && !(oneCondition && i == 0))
      return op->emitError() << "expected all operands to have " << count
                             << " elements, but found " << operand->bits.size()
                             << " in operand " << i;
  result.bits.resize(count);
  SmallVector<uint64_t, 3> elements(operands.size());
  for (size_t i = 0; i < count; ++i) {
    for (auto [element, operand] : llvm::zip(elements, operands))
      element = operand->bits[oneCondition && operand == operands[0] ? 0 : i];
    result.bits[i] = primitive(elements);
  }
  return result;
}
