//===- OpMakers.cpp - one op of a random program --------------------------===//
//
// A new op gets a maker here and a line in the table; without it the tests fail.
//
//===----------------------------------------------------------------------===//

#include "Generator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mortar;
using namespace mortar::proof;

/// `inner`: absent, or one of the three types.
static TypeAttr pickInner(Generator &g) {
  return g.random.oneIn(2) ? TypeAttr() : TypeAttr::get(g.pickElement());
}

//===----------------------------------------------------------------------===//
// Mortar
//===----------------------------------------------------------------------===//

static Value makeResidualAdd(Generator &g) {
  Value x = g.pickRows(g.pickRowWidth());
  Value r = g.pickLike(x);
  if (g.random.oneIn(2))
    std::swap(x, r);
  return ResidualAddOp::create(g.b, g.typeLike(x, g.pickElement()), x, r);
}

static Value makeRmsNorm(Generator &g) {
  static const float epsilons[] = {1e-6f, 1e-5f, 1e-12f, 0.5f, 3.0e38f, 1e-40f};
  Value x = g.pickRows(g.pickRowWidth());
  Value weight;
  bool narrow = rowLength(x.getType()) == g.width;
  if (narrow && !g.random.oneIn(4)) // mostly of the rows' type, as in a model
    weight = g.addColumn(g.random.oneIn(3) ? g.pickElement()
                                           : getElementTypeOrSelf(x.getType()));
  return RmsNormOp::create(
      g.b, g.typeLike(x, g.pickElement()), x, weight,
      g.b.getF32FloatAttr(g.random.pick(llvm::ArrayRef(epsilons))),
      g.b.getI64IntegerAttr(weight && g.random.oneIn(3)), pickInner(g));
}

static Value makeSiluAndMul(Generator &g) {
  static const float limits[] = {10.0f, 1.5f, 3.3f, 1e-3f, 1e30f};
  // Now and then on a row that is wide twice over, which no kernel holds with a narrow one.
  int64_t half = g.random.oneIn(6) ? 2 * g.width : g.width;
  Value x = g.pickRows(2 * half);
  FloatAttr limit;
  if (g.random.oneIn(2))
    limit = g.b.getF32FloatAttr(g.random.pick(llvm::ArrayRef(limits)));
  return SiluAndMulOp::create(g.b, g.typeLike(x, g.pickElement(), half), x, limit,
                              pickInner(g));
}

//===----------------------------------------------------------------------===//
// Elementwise ops of arith and math
//===----------------------------------------------------------------------===//

/// A second operand: another value, the same one, or a constant if the shape is known.
static Value pickSecond(Generator &g, Value x) {
  static const double constants[] = {0.0, -0.0, 1.0, 0.5, -3.0, 1e-3, 65504.0};
  auto type = cast<RankedTensorType>(x.getType());
  if (g.random.oneIn(8))
    return x;
  if (type.hasStaticShape() && g.random.oneIn(3)) {
    auto number =
        FloatAttr::get(type.getElementType(), g.random.pick(llvm::ArrayRef(constants)));
    return arith::ConstantOp::create(g.b, DenseElementsAttr::get(type, Attribute(number)));
  }
  return g.pickLike(x, type.getElementType());
}

/// Sometimes flags, which fusion must not accept.
static arith::FastMathFlagsAttr pickFlags(Generator &g) {
  auto flags = g.random.oneIn(32) ? arith::FastMathFlags::contract
                                  : arith::FastMathFlags::none;
  return arith::FastMathFlagsAttr::get(g.b.getContext(), flags);
}

template <typename ConcreteOp> static Value makeUnary(Generator &g) {
  Value x = g.pickRows(g.pickRowWidth());
  return ConcreteOp::create(g.b, x.getType(), x, pickFlags(g));
}

template <typename ConcreteOp> static Value makeBinary(Generator &g) {
  Value x = g.pickRows(g.pickRowWidth());
  Value y = pickSecond(g, x);
  if (g.random.oneIn(2))
    std::swap(x, y);
  return ConcreteOp::create(g.b, x.getType(), x, y, pickFlags(g));
}

/// Casts: from and to the types that differ in width the right way.
static Value makeWider(Generator &g) {
  Type narrow = g.random.oneIn(2) ? g.b.getBF16Type() : Type(g.b.getF16Type());
  Value x = g.pickRows(g.width, narrow);
  return arith::ExtFOp::create(g.b, g.typeLike(x, g.b.getF32Type()), x, pickFlags(g));
}

static Value makeNarrower(Generator &g) {
  Type narrow = g.random.oneIn(2) ? g.b.getBF16Type() : Type(g.b.getF16Type());
  Value x = g.pickRows(g.width, g.b.getF32Type());
  // To nearest even, written out: fusion takes only what it knows.
  arith::RoundingModeAttr mode;
  if (g.random.oneIn(12))
    mode = arith::RoundingModeAttr::get(g.b.getContext(),
                                        arith::RoundingMode::to_nearest_even);
  return arith::TruncFOp::create(g.b, g.typeLike(x, narrow), x, mode, pickFlags(g));
}

/// Math on f32; sometimes a root of narrow rows, which stays apart.
static Value makeSqrt(Generator &g) {
  Value x = g.pickRows(g.width, g.random.oneIn(3) ? Type() : g.b.getF32Type());
  return math::SqrtOp::create(g.b, x.getType(), x, pickFlags(g));
}

static Value makeFma(Generator &g) {
  Value x = g.pickRows(g.width, g.b.getF32Type());
  return math::FmaOp::create(g.b, x.getType(), x, pickSecond(g, x), pickSecond(g, x),
                             pickFlags(g));
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static constexpr StringLiteral fastmath[] = {"fastmath"};
static constexpr StringLiteral truncation[] = {"fastmath", "roundingmode"};
static constexpr StringLiteral normAttributes[] = {"epsilon", "weight_offset",
                                                   "inner_type"};
static constexpr StringLiteral siluAttributes[] = {"limit", "inner_type"};

ArrayRef<OpMaker> proof::getOpMakers() {
  static const OpMaker makers[] = {
      {"mortar.residual_add", {}, 20, makeResidualAdd},
      {"mortar.rms_norm", normAttributes, 20, makeRmsNorm},
      {"mortar.silu_and_mul", siluAttributes, 18, makeSiluAndMul},
      {"arith.addf", fastmath, 8, makeBinary<arith::AddFOp>},
      {"arith.subf", fastmath, 8, makeBinary<arith::SubFOp>},
      {"arith.mulf", fastmath, 8, makeBinary<arith::MulFOp>},
      {"arith.divf", fastmath, 8, makeBinary<arith::DivFOp>},
      {"arith.maximumf", fastmath, 12, makeBinary<arith::MaximumFOp>},
      {"arith.minimumf", fastmath, 12, makeBinary<arith::MinimumFOp>},
      {"arith.negf", fastmath, 8, makeUnary<arith::NegFOp>},
      {"arith.extf", fastmath, 12, makeWider},
      {"arith.truncf", truncation, 12, makeNarrower},
      {"math.sqrt", fastmath, 13, makeSqrt},
      {"math.fma", fastmath, 8, makeFma},
  };
  return makers;
}

LogicalResult proof::checkMakersAreComplete(MLIRContext *context) {
  bool complete = true;
  auto lacks = [&](const Twine &what) {
    emitError(UnknownLoc::get(context))
        << "expected " << what.str() << " in test/Proof/OpMakers.cpp, found none";
    complete = false;
  };
  for (RegisteredOperationName op : context->getRegisteredOperations()) {
    if (!op.hasInterface<FusionOpInterface>())
      continue;
    auto maker = llvm::find_if(getOpMakers(), [&](const OpMaker &maker) {
      return maker.name == op.getStringRef();
    });
    if (maker == getOpMakers().end()) {
      lacks("a maker of '" + op.getStringRef() + "'");
      continue;
    }
    for (StringAttr attribute : op.getAttributeNames())
      if (!llvm::is_contained(maker->attributes, attribute.getValue()))
        lacks("the attribute '" + attribute.getValue() + "' of '" + maker->name + "'");
  }
  return success(complete);
}
