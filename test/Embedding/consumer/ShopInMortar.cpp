// The dialect, and its op's external model of Mortar's interface: all that a foreign op
// needs to become part of Mortar's kernels.
#include "Shop.h"

#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

#include "ShopDialect.cpp.inc"
#define GET_OP_CLASSES
#include "Shop.cpp.inc"

void shop::ShopDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "Shop.cpp.inc"
      >();
}

namespace {
struct SquaredReluInMortar
    : mortar::FusionOpInterface::ExternalModel<SquaredReluInMortar,
                                               shop::SquaredReluOp> {
  /// The op's meaning, on a row: what every kernel, CPU and GPU alike, computes.
  LogicalResult decompose(Operation *op, RewriterBase &b) const {
    Location loc = op->getLoc();
    auto type = cast<VectorType>(op->getResult(0).getType());
    auto wide = type.clone(b.getF32Type());
    Value row = op->getOperand(0);
    if (row.getType() != wide)
      row = arith::ExtFOp::create(b, loc, wide, row);
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(wide));
    row = arith::MaximumFOp::create(b, loc, row, zero);
    row = arith::MulFOp::create(b, loc, row, row);
    if (row.getType() != type)
      row = arith::TruncFOp::create(b, loc, type, row);
    b.replaceOp(op, row);
    return success();
  }
};
} // namespace

void shop::registerMortarModels(DialectRegistry &registry) {
  registry.insert<ShopDialect>();
  registry.addExtension(+[](MLIRContext *context, ShopDialect *) {
    SquaredReluOp::attachInterface<SquaredReluInMortar>(*context);
  });
}
