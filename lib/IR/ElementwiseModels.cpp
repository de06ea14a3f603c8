//===- ElementwiseModels.cpp - arith and math ops join fusion -------------===//
//
// Elementwise ops of arith and math are row primitives already: they accept a vector
// where they accept a tensor. They join a neighbour and never start a region.
//
//===----------------------------------------------------------------------===//

#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mortar;

namespace {
template <typename ConcreteOp>
struct Elementwise
    : FusionOpInterface::ExternalModel<Elementwise<ConcreteOp>, ConcreteOp> {
  bool startsRegion(Operation *) const { return false; }
  bool acceptsScalars(Operation *) const { return true; }
  /// Not truncf's rounding mode: everything rounds to nearest. Whether fastmath flags
  /// are set is for fusion to see.
  bool knowsAttribute(Operation *, StringRef name) const { return name == "fastmath"; }
  bool isTransparentToDtypeRule(Operation *) const {
    return std::is_same_v<ConcreteOp, arith::ExtFOp>;
  }
};

template <typename... ConcreteOps>
void attach(MLIRContext *context) {
  (ConcreteOps::template attachInterface<Elementwise<ConcreteOps>>(*context), ...);
}
} // namespace

void mortar::registerElementwiseFusionModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, arith::ArithDialect *) {
    attach<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp,
           arith::MaximumFOp, arith::MinimumFOp,
           arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp>(context);
  });
  registry.addExtension(+[](MLIRContext *context, math::MathDialect *) {
    attach<math::FmaOp, math::SqrtOp>(context);
  });
}
