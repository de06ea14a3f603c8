//===- Float8.cpp - f8E4M3FN by integer operations ------------------------===//
//
// A code is a sign, 4 bits of exponent (bias 7) and 3 of mantissa. Below 2^-6 it counts
// multiples of 2^-9; 0x7f is the NaN, 0x7e 448.
//
//===----------------------------------------------------------------------===//

#include "Float8.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;

namespace {
/// 2^14 as f32: adding it to less than 2^-6 rounds to multiples of 2^-9, whose count is
/// then in the low bits.
constexpr int64_t magicBits = 0x46800000;
/// The exponent's bias of f32 less that of f8E4M3FN, in place above 3 bits of mantissa.
constexpr int64_t rebias = (127 - 7) << 3;
/// 2^-6 as f32, the least normal number of f8E4M3FN.
constexpr int64_t leastNormalBits = 0x3c800000;
constexpr int64_t signBit = 0x80, nanCode = 0x7f;

/// Integer operations on i32s of a value's shape.
struct Bits {
  ImplicitLocOpBuilder b;
  Type shape;

  Type of(Type element) const {
    auto vector = dyn_cast<VectorType>(shape);
    return vector ? Type(vector.clone(element)) : element;
  }
  Type i32() { return of(b.getI32Type()); }
  Type f32() { return of(b.getF32Type()); }
  Value constant(int64_t value) {
    auto attr = b.getI32IntegerAttr(int32_t(value));
    if (auto vector = dyn_cast<VectorType>(i32()))
      return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, Attribute(attr)));
    return arith::ConstantOp::create(b, attr);
  }
  Value add(Value x, int64_t y) { return arith::AddIOp::create(b, x, constant(y)); }
  Value both(Value x, int64_t y) { return arith::AndIOp::create(b, x, constant(y)); }
  Value left(Value x, int64_t n) { return arith::ShLIOp::create(b, x, constant(n)); }
  Value right(Value x, int64_t n) { return arith::ShRUIOp::create(b, x, constant(n)); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
  Value asFloat(Value x) { return arith::BitcastOp::create(b, f32(), x); }
  Value asBits(Value x) { return arith::BitcastOp::create(b, i32(), x); }
  Value selectBelow(Value x, int64_t bound, Value yes, Value no) {
    Value below =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult, x, constant(bound));
    return arith::SelectOp::create(b, below, yes, no);
  }
};
} // namespace

Value mortar::widenF8E4M3(OpBuilder &builder, Location loc, Value value) {
  Bits m{ImplicitLocOpBuilder(loc, builder), value.getType()};
  Value code = arith::BitcastOp::create(m.b, m.of(m.b.getI8Type()), value);
  code = arith::ExtUIOp::create(m.b, m.i32(), code);
  Value magnitude = m.both(code, nanCode);
  Value normal = m.left(m.add(magnitude, rebias), 20);
  Value magic = m.asFloat(m.constant(magicBits));
  Value counted = m.asFloat(m.add(magnitude, magicBits));
  Value small = m.asBits(arith::SubFOp::create(m.b, counted, magic));
  Value bits = m.selectBelow(magnitude, 8, small, normal);
  bits = m.selectBelow(magnitude, nanCode, bits, m.constant(0x7fc00000));
  return m.asFloat(m.either(bits, m.left(m.both(code, signBit), 24)));
}

Value mortar::roundToF8E4M3(OpBuilder &builder, Location loc, Value value) {
  Bits m{ImplicitLocOpBuilder(loc, builder), value.getType()};
  Value bits = m.asBits(value);
  Value magnitude = m.both(bits, 0x7fffffff);
  // To nearest even: add half of the last place, less one if it is even already.
  Value last = m.both(m.right(magnitude, 20), 1);
  Value rounded = arith::AddIOp::create(m.b, m.add(magnitude, 0x7ffff), last);
  Value normal = m.add(m.right(rounded, 20), -rebias);
  Value magic = m.asFloat(m.constant(magicBits));
  Value counted = arith::AddFOp::create(m.b, m.asFloat(magnitude), magic);
  Value small = m.add(m.asBits(counted), -magicBits);
  Value code = m.selectBelow(magnitude, leastNormalBits, small, normal);
  code = m.either(code, m.both(m.right(bits, 24), signBit));
  code = m.selectBelow(magnitude, 0x7f800001, code, m.constant(nanCode));
  code = arith::TruncIOp::create(m.b, m.of(m.b.getI8Type()), code);
  return arith::BitcastOp::create(m.b, m.of(Float8E4M3FNType::get(m.b.getContext())),
                                  code);
}
