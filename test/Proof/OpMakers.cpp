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

static FloatAttr pickEpsilon(Generator &g) {
  static const float epsilons[] = {1e-6f, 1e-5f, 1e-12f, 0.5f, 3.0e38f, 1e-40f};
  return g.b.getF32FloatAttr(g.random.pick(llvm::ArrayRef(epsilons)));
}

/// A whole row, or a divisor of it.
static IntegerAttr pickGroupSize(Generator &g, int64_t length) {
  SmallVector<int64_t> sizes{length};
  for (int64_t size = 2; size < length; ++size)
    if (length % size == 0)
      sizes.push_back(size);
  return g.b.getI64IntegerAttr(g.random.pick(llvm::ArrayRef(sizes)));
}

static Value makeRmsNorm(Generator &g) {
  Value x = g.pickRows(g.pickRowWidth());
  Value weight;
  bool narrow = rowLength(x.getType()) == g.width;
  if (narrow && !g.random.oneIn(4)) // mostly of the rows' type, as in a model
    weight = g.addColumn(g.random.oneIn(3) ? g.pickElement()
                                           : getElementTypeOrSelf(x.getType()));
  IntegerAttr varianceSize;
  IntegerAttr groupSize;
  if (g.random.oneIn(4))
    varianceSize = g.b.getI64IntegerAttr(1 + g.random.below(rowLength(x.getType())));
  else if (g.random.oneIn(4))
    groupSize = pickGroupSize(g, rowLength(x.getType()));
  return RmsNormOp::create(
      g.b, g.typeLike(x, g.pickElement()), x, weight, pickEpsilon(g), varianceSize,
      groupSize, g.b.getI64IntegerAttr(weight && g.random.oneIn(3)), pickInner(g));
}

static Value makeGatedRmsNorm(Generator &g) {
  static const GateActivation activations[] = {
      GateActivation::Silu, GateActivation::Silu, GateActivation::Sigmoid,
      GateActivation::Swish};
  Value x = g.pickRows(g.width), z = g.pickLike(x);
  Value weight = g.addColumn(g.random.oneIn(3) ? g.pickElement()
                                               : getElementTypeOrSelf(x.getType()));
  Value bias = g.random.oneIn(4) ? g.addColumn(g.pickElement()) : Value();
  bool normFirst = !g.random.oneIn(3);
  auto activation = g.random.pick(llvm::ArrayRef(activations));
  return GatedRmsNormOp::create(
      g.b, g.typeLike(x, g.pickElement()), x, z, weight, bias, pickEpsilon(g),
      GateActivationAttr::get(g.b.getContext(), activation), g.b.getBoolAttr(normFirst),
      g.random.oneIn(2) ? pickGroupSize(g, g.width) : IntegerAttr(),
      g.b.getI64IntegerAttr(g.random.oneIn(3)), pickInner(g),
      normFirst ? pickInner(g) : TypeAttr());
}

/// What gates one part of a row by the other: its operand and its result's type.
static std::pair<Value, Type> pickGated(Generator &g) {
  // Now and then on a row that is wide twice over, which no kernel holds with a narrow one.
  int64_t half = g.random.oneIn(6) ? 2 * g.width : g.width;
  Value x = g.pickRows(2 * half);
  return {x, g.typeLike(x, g.pickElement(), half)};
}

static FloatAttr pickLimit(Generator &g) {
  static const float limits[] = {10.0f, 7.0f, 1.5f, 3.3f, 1e-3f, 1e30f};
  return g.b.getF32FloatAttr(g.random.pick(llvm::ArrayRef(limits)));
}

static Value makeSiluAndMul(Generator &g) {
  auto [x, type] = pickGated(g);
  FloatAttr limit = g.random.oneIn(2) ? pickLimit(g) : FloatAttr();
  return SiluAndMulOp::create(g.b, type, x, limit, pickInner(g));
}

static Value makeMulAndSilu(Generator &g) {
  auto [x, type] = pickGated(g);
  return MulAndSiluOp::create(g.b, type, x, pickInner(g));
}

static Value makeGeluAndMul(Generator &g) {
  auto [x, type] = pickGated(g);
  auto approximation =
      g.random.oneIn(2) ? GeluApproximation::None : GeluApproximation::Tanh;
  return GeluAndMulOp::create(
      g.b, type, x, GeluApproximationAttr::get(g.b.getContext(), approximation),
      pickInner(g));
}

static Value makeSwigluOai(Generator &g) {
  static const float alphas[] = {1.702f, 1.0f, 0.3f, 1e30f};
  auto [x, type] = pickGated(g);
  auto layout = g.random.oneIn(3) ? GateLayout::Halves : GateLayout::Interleaved;
  return SwigluOaiAndMulOp::create(
      g.b, type, x, g.b.getF32FloatAttr(g.random.pick(llvm::ArrayRef(alphas))),
      pickLimit(g), GateLayoutAttr::get(g.b.getContext(), layout), pickInner(g));
}

static Value makeSwigluStep(Generator &g) {
  auto [x, type] = pickGated(g);
  return SwigluStepAndMulOp::create(g.b, type, x, pickLimit(g), pickInner(g));
}

static Value makeFatrelu(Generator &g) {
  static const float thresholds[] = {0.0f, -0.0f, 0.01f, 1.0f, -0.5f, -1e30f};
  auto [x, type] = pickGated(g);
  return FatreluAndMulOp::create(
      g.b, type, x, g.b.getF32FloatAttr(g.random.pick(llvm::ArrayRef(thresholds))));
}

//===----------------------------------------------------------------------===//
// Quantizing
//===----------------------------------------------------------------------===//

static Value makeQuantize(Generator &g) {
  Value x = g.pickRows(g.pickRowWidth());
  Value scale = g.addTensorScalar();
  Type e4m3 = Float8E4M3FNType::get(g.b.getContext());
  return QuantizeOp::create(g.b, g.typeLike(x, e4m3), x, scale);
}

static Value makeQuantizeDynamic(Generator &g) {
  MLIRContext *context = g.b.getContext();
  Value x = g.pickRows(g.width);
  bool isE4M3 = !g.random.oneIn(3), grouped = g.random.oneIn(2);
  bool ue8m0 = isE4M3 && grouped && g.random.oneIn(2);
  IntegerAttr groupSize = grouped ? pickGroupSize(g, g.width) : IntegerAttr();
  int64_t groups = grouped ? g.width / groupSize.getInt() : 1;
  Value bound = isE4M3 && !grouped && g.random.oneIn(2) ? g.addTensorScalar() : Value();
  Type element = isE4M3 ? Type(Float8E4M3FNType::get(context)) : g.b.getI8Type();
  Type scaleElement = ue8m0 && g.random.oneIn(2)
                          ? Type(Float8E8M0FNUType::get(context))
                          : g.b.getF32Type();
  return QuantizeDynamicOp::create(g.b, g.typeLike(x, element),
                                   g.typeLike(x, scaleElement, groups), x, bound,
                                   groupSize, ue8m0 ? g.b.getUnitAttr() : UnitAttr())
      .getResult();
}

static Value makeL2Norm(Generator &g) {
  Value x = g.pickRows(g.pickRowWidth());
  return L2NormOp::create(g.b, g.typeLike(x, g.pickElement()), x, pickEpsilon(g));
}

static Value makeGdnGating(Generator &g) {
  Value a = g.pickRows(g.width), b = g.pickLike(a);
  Value bias = g.addColumn(g.pickElement()), log = g.addColumn(g.pickElement());
  auto made = GdnGatingOp::create(g.b, g.typeLike(a, g.pickElement()),
                                  g.typeLike(a, g.pickElement()), a, bias, log, b);
  return g.random.oneIn(2) ? made.getDecay() : made.getStrength();
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
  Type types[] = {g.b.getBF16Type(), g.b.getF16Type(),
                  Float8E4M3FNType::get(g.b.getContext())};
  Type narrow = g.random.pick(llvm::ArrayRef(types));
  Value x = g.pickRows(g.width, narrow);
  return arith::ExtFOp::create(g.b, g.typeLike(x, g.b.getF32Type()), x, pickFlags(g));
}

/// Dequantizes, but for the scale.
static Value makeFloat(Generator &g) {
  Value x = g.pickRows(g.width, g.b.getI8Type());
  return arith::SIToFPOp::create(g.b, g.typeLike(x, g.b.getF32Type()), x);
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
static constexpr StringLiteral normAttributes[] = {
    "epsilon", "variance_size", "group_size", "weight_offset", "inner_type"};
static constexpr StringLiteral epsilon[] = {"epsilon"};
static constexpr StringLiteral gatedNormAttributes[] = {
    "epsilon",       "activation", "norm_before_gate", "group_size",
    "weight_offset", "inner_type", "weighted_type"};
static constexpr StringLiteral dynamicAttributes[] = {"group_size", "ue8m0"};
static constexpr StringLiteral inner[] = {"inner_type"};
static constexpr StringLiteral limitAndInner[] = {"limit", "inner_type"};
static constexpr StringLiteral geluAttributes[] = {"approximate", "inner_type"};
static constexpr StringLiteral swigluOaiAttributes[] = {"alpha", "limit", "layout",
                                                        "inner_type"};
static constexpr StringLiteral threshold[] = {"threshold"};

ArrayRef<OpMaker> proof::getOpMakers() {
  static const OpMaker makers[] = {
      {"mortar.residual_add", {}, 12, makeResidualAdd},
      {"mortar.rms_norm", normAttributes, 14, makeRmsNorm},
      {"mortar.gated_rms_norm", gatedNormAttributes, 10, makeGatedRmsNorm},
      {"mortar.quantize", {}, 5, makeQuantize},
      {"mortar.quantize_dynamic", dynamicAttributes, 9, makeQuantizeDynamic},
      {"mortar.l2_norm", epsilon, 7, makeL2Norm},
      {"mortar.gdn_gating", {}, 6, makeGdnGating},
      {"mortar.silu_and_mul", limitAndInner, 8, makeSiluAndMul},
      {"mortar.mul_and_silu", inner, 6, makeMulAndSilu},
      {"mortar.gelu_and_mul", geluAttributes, 6, makeGeluAndMul},
      {"mortar.swigluoai_and_mul", swigluOaiAttributes, 6, makeSwigluOai},
      {"mortar.swiglustep_and_mul", limitAndInner, 6, makeSwigluStep},
      {"mortar.fatrelu_and_mul", threshold, 6, makeFatrelu},
      {"arith.addf", fastmath, 8, makeBinary<arith::AddFOp>},
      {"arith.subf", fastmath, 8, makeBinary<arith::SubFOp>},
      {"arith.mulf", fastmath, 8, makeBinary<arith::MulFOp>},
      {"arith.divf", fastmath, 8, makeBinary<arith::DivFOp>},
      {"arith.maximumf", fastmath, 12, makeBinary<arith::MaximumFOp>},
      {"arith.minimumf", fastmath, 12, makeBinary<arith::MinimumFOp>},
      {"arith.negf", fastmath, 8, makeUnary<arith::NegFOp>},
      {"arith.extf", fastmath, 12, makeWider},
      {"arith.sitofp", {}, 8, makeFloat},
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
    // The programs of recurrences are another script's: test/Numerics/delta-rule.py.
    if (!op.hasInterface<FusionOpInterface>() ||
        op.getStringRef() == GatedDeltaRuleOp::getOperationName())
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
