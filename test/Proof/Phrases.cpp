//===- Phrases.cpp - what is rare among independent ops -------------------===//
//
// A few ops at a time that one condition of fusion is about.
//
//===----------------------------------------------------------------------===//

#include "Generator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mortar;
using namespace mortar::proof;

/// A producer and its consumer with two effects in between, one of which would have to
/// pass the other.
Value Generator::makeTangle() {
  Value x = pickRows(width), y = pickLike(x);
  Value made = ResidualAddOp::create(b, x.getType(), x, y);
  pool.push_back(callForeign(made));
  pool.push_back(callForeign(y));
  return ResidualAddOp::create(b, x.getType(), made, y);
}

/// A consumer of a value and of what something foreign makes of it.
Value Generator::makeDetour() {
  Value x = pickRows(width);
  Value made = ResidualAddOp::create(b, x.getType(), x, pickLike(x));
  return ResidualAddOp::create(b, x.getType(), made, callForeign(made));
}

/// Wide rows, made and then read by halves.
Value Generator::makeWideChain() {
  int64_t half = random.oneIn(2) ? 2 * width : width;
  Value x = pickRows(2 * half), wide;
  if (random.oneIn(2))
    wide = ResidualAddOp::create(b, x.getType(), x, pickLike(x));
  else
    wide = RmsNormOp::create(b, x.getType(), x, Value(), b.getF32FloatAttr(1e-6f),
                             IntegerAttr(), IntegerAttr(), b.getI64IntegerAttr(0),
                             TypeAttr());
  Value narrow = SiluAndMulOp::create(b, typeLike(wide, pickElement(), half), wide,
                                      FloatAttr(), TypeAttr());
  if (half == width)
    return narrow;
  return SiluAndMulOp::create(b, typeLike(wide, pickElement(), width), narrow,
                              FloatAttr(), TypeAttr());
}

/// Wide rows, and one of silu_and_mul's kin that reads them.
Value Generator::makeWideGate() {
  Value x = pickRows(2 * width);
  Value wide = ResidualAddOp::create(b, x.getType(), x, pickLike(x));
  Type type = typeLike(x, pickElement(), width);
  switch (random.below(5)) {
  case 0:
    return MulAndSiluOp::create(b, type, wide, TypeAttr());
  case 1:
    return GeluAndMulOp::create(b, type, wide, GeluApproximation::Tanh, TypeAttr());
  case 2:
    return SwigluOaiAndMulOp::create(b, type, wide, APFloat(1.702f), APFloat(7.0f),
                                     GateLayout::Interleaved, TypeAttr());
  case 3:
    return SwigluStepAndMulOp::create(b, type, wide, APFloat(7.0f), TypeAttr());
  default:
    return FatreluAndMulOp::create(b, type, wide, APFloat(0.01f));
  }
}

/// Rows quantized by groups that are no power of two behind a norm of the whole row.
Value Generator::makeOddGroups() {
  SmallVector<int64_t> sizes;
  for (int64_t size = 3; size < width; ++size)
    if (width % size == 0 && !llvm::isPowerOf2_64(size))
      sizes.push_back(size);
  if (sizes.empty())
    return makeMixedNorm();
  Value x = pickRows(width);
  Value norm = RmsNormOp::create(b, x.getType(), x, Value(), b.getF32FloatAttr(1e-6f),
                                 IntegerAttr(), IntegerAttr(), b.getI64IntegerAttr(0),
                                 TypeAttr());
  int64_t size = random.pick(ArrayRef(sizes));
  auto codes = QuantizeDynamicOp::create(
      b, typeLike(x, Float8E4M3FNType::get(b.getContext())),
      typeLike(x, b.getF32Type(), width / size), norm, Value(), b.getI64IntegerAttr(size),
      UnitAttr());
  return codes.getScales();
}

/// Rows of heads that meet rows of all of them: a norm of each, and what reads them joined;
/// or the reverse. Half of them are what longer rows can't compute.
Value Generator::makeHeads() {
  int64_t heads = 2 + random.below(4), joined = heads * width;
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0, rank = leading.size(); dim < rank; ++dim)
    groups.push_back({dim});
  groups.push_back({int64_t(leading.size()), int64_t(leading.size()) + 1});
  SmallVector<int64_t> fine(leading);
  fine.append({heads, width});
  Value x = pickRows(joined);
  if (random.oneIn(2))
    x = ResidualAddOp::create(b, x.getType(), x, pickLike(x));
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0, rank = leading.size(); dim < rank; ++dim)
    sizes.push_back(tensor::getMixedSize(b, b.getLoc(), x, dim));
  sizes.append({b.getIndexAttr(heads), b.getIndexAttr(width)});
  auto type = RankedTensorType::get(fine, getElementTypeOrSelf(x.getType()));
  Value apart = tensor::ExpandShapeOp::create(b, b.getLoc(), type, x, groups, sizes);
  Value weight = random.oneIn(2) ? addColumn(type.getElementType()) : Value();
  bool refused = random.oneIn(2), halves = width % 2 == 0 && random.oneIn(2);
  IntegerAttr prefix;
  if (refused && !halves)
    prefix = b.getI64IntegerAttr(1 + random.below(width));
  Value norm = RmsNormOp::create(b, type, apart, weight, b.getF32FloatAttr(1e-6f), prefix,
                                 IntegerAttr(), b.getI64IntegerAttr(0), TypeAttr());
  if (refused && halves)
    norm = SiluAndMulOp::create(b, typeLike(norm, pickElement(), width / 2), norm,
                                FloatAttr(), TypeAttr());
  Value together = tensor::CollapseShapeOp::create(b, norm, groups);
  Value made =
      ResidualAddOp::create(b, together.getType(), together, pickLike(together));
  // Another reader, of each head, which leaves.
  if (random.oneIn(3))
    ResidualAddOp::create(b, norm.getType(), norm, norm);
  else if (width % 4 == 0 && random.oneIn(3))
    MulAndSiluOp::create(b, typeLike(norm, pickElement(), rowLength(norm.getType()) / 2),
                         norm, TypeAttr());
  return made;
}

/// Wide rows of which one op reads the halves and another the pairs.
Value Generator::makeHalvesAndPairs() {
  Value x = pickRows(2 * width);
  Value wide = ResidualAddOp::create(b, x.getType(), x, pickLike(x));
  Type type = typeLike(x, pickElement(), width);
  Value halves = SiluAndMulOp::create(b, type, wide, FloatAttr(), TypeAttr());
  Value pairs = SwigluOaiAndMulOp::create(b, type, wide, APFloat(1.702f), APFloat(7.0f),
                                          GateLayout::Interleaved, TypeAttr());
  return ResidualAddOp::create(b, type, halves, pairs);
}

/// A norm whose weight has another type than its rows, between neighbours.
Value Generator::makeMixedNorm() {
  Value x = pickRows(width);
  Type type = getElementTypeOrSelf(x.getType());
  Value sum = ResidualAddOp::create(b, x.getType(), x, pickLike(x));
  Value weight = addColumn(type.isF32() ? Type(b.getBF16Type()) : b.getF32Type());
  return RmsNormOp::create(b, x.getType(), sum, weight, b.getF32FloatAttr(1e-6f),
                           IntegerAttr(), IntegerAttr(),
                           b.getI64IntegerAttr(random.oneIn(2)), TypeAttr());
}

/// Rows quantized and read again, with an op in front.
Value Generator::makeRoundTrip() {
  Value x = pickRows(width);
  Value made = ResidualAddOp::create(b, x.getType(), x, pickLike(x));
  Value codes;
  if (random.oneIn(2)) {
    Type e4m3 = Float8E4M3FNType::get(b.getContext());
    codes = QuantizeOp::create(b, typeLike(x, e4m3), made, addTensorScalar());
  } else {
    Type stored = random.oneIn(2) ? Type(b.getI8Type())
                                  : Float8E4M3FNType::get(b.getContext());
    codes = QuantizeDynamicOp::create(b, typeLike(x, stored),
                                      typeLike(x, b.getF32Type(), 1), made, Value(),
                                      IntegerAttr(), UnitAttr())
                .getResult();
  }
  Type f32 = typeLike(x, b.getF32Type());
  if (isa<FloatType>(getElementTypeOrSelf(codes.getType())))
    return arith::ExtFOp::create(b, f32, codes);
  return arith::SIToFPOp::create(b, f32, codes);
}

/// Math on narrow rows, which no region takes.
Value Generator::makeNarrowMath() {
  Value x = pickRows(width, random.oneIn(2) ? Type(b.getBF16Type()) : b.getF16Type());
  Value made = ResidualAddOp::create(b, x.getType(), x, pickLike(x));
  return math::SqrtOp::create(b, made);
}

Value Generator::makePhrase() {
  // As often as each condition needs to be met.
  Value (Generator::*const phrases[])() = {
      &Generator::makeTangle,         &Generator::makeTangle,
      &Generator::makeDetour,         &Generator::makeWideChain,
      &Generator::makeWideChain,      &Generator::makeMixedNorm,
      &Generator::makeNarrowMath,     &Generator::makeOddGroups,
      &Generator::makeOddGroups,      &Generator::makeHalvesAndPairs,
      &Generator::makeHeads,          &Generator::makeHeads,
      &Generator::makeHeads,          &Generator::makeHeads};
  return (this->*random.pick(ArrayRef(phrases)))();
}
