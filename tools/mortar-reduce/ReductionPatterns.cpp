//===- ReductionPatterns.cpp - simpler programs of the same kind ----------===//

#include "ReductionPatterns.h"

#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Reducer/ReductionPatternInterface.h"

using namespace mlir;
using namespace mortar;

namespace {

/// Only ops of rows, and only outside of regions.
bool isReducible(Operation *op) {
  return isa<FusionOpInterface>(op) && !op->getParentOfType<FusedOp>();
}

/// op(x, y) -> x, where the types allow it.
struct TakeOperand : RewritePattern {
  explicit TakeOperand(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/2, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isReducible(op))
      return failure();
    for (Value operand : op->getOperands())
      if (operand.getType() == op->getResult(0).getType()) {
        rewriter.replaceOp(op, operand);
        return success();
      }
    return failure();
  }
};

/// op(x, y) -> an argument of the function.
struct TakeArgument : RewritePattern {
  explicit TakeArgument(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    auto function = op->getParentOfType<func::FuncOp>();
    if (!function || !isReducible(op))
      return failure();
    for (BlockArgument argument : function.getArguments())
      if (argument.getType() == op->getResult(0).getType()) {
        rewriter.replaceOp(op, argument);
        return success();
      }
    return failure();
  }
};

/// A function returns one value less.
struct ReturnLess : OpRewritePattern<func::ReturnOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(func::ReturnOp op,
                                PatternRewriter &rewriter) const override {
    auto function = op->getParentOfType<func::FuncOp>();
    if (op.getNumOperands() < 2 || !function)
      return failure();
    rewriter.modifyOpInPlace(function, [&] {
      function.setFunctionType(rewriter.getFunctionType(
          function.getArgumentTypes(), function.getResultTypes().drop_back()));
    });
    rewriter.modifyOpInPlace(
        op, [&] { op->setOperands(op.getOperands().drop_back()); });
    return success();
  }
};

struct MortarReductionPatterns : DialectReductionPatternInterface {
  explicit MortarReductionPatterns(Dialect *dialect)
      : DialectReductionPatternInterface(dialect) {}

  void populateReductionPatterns(RewritePatternSet &patterns) const override {
    patterns.add<TakeOperand, TakeArgument, ReturnLess>(patterns.getContext());
  }
};
} // namespace

void mortar::registerReductionPatterns(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, MortarDialect *dialect) {
    dialect->addInterfaces<MortarReductionPatterns>();
  });
}
