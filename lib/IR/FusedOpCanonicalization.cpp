//===- FusedOpCanonicalization.cpp - dead and doubled operands ------------===//

#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mortar;

namespace {

static SmallVector<RowMap> readMaps(ArrayAttr maps) {
  return llvm::map_to_vector(maps, [](Attribute map) {
    return cast<RowMapAttr>(map).getValue();
  });
}

/// Drops inputs that the body doesn't read, joins inputs that are the same value by
/// the same map, and drops results that nobody reads.
struct DropDeadAndDoubledOperands : OpRewritePattern<FusedOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FusedOp op, PatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getInits()[0].getType()))
      return failure();
    Block *body = op.getBodyBlock();

    SmallVector<Value> inputs;
    SmallVector<RowMap> inputMaps;
    SmallVector<int64_t> newIndex; // of each old input, -1 when it is unread
    for (auto [i, input] : llvm::enumerate(op.getInputs())) {
      newIndex.push_back(-1);
      if (body->getArgument(i).use_empty())
        continue;
      for (auto [k, kept] : llvm::enumerate(inputs))
        if (kept == input && inputMaps[k] == op.getInputMap(i))
          newIndex.back() = k;
      if (newIndex.back() >= 0)
        continue;
      newIndex.back() = inputs.size();
      inputs.push_back(input);
      inputMaps.push_back(op.getInputMap(i));
    }

    SmallVector<unsigned> keptResults;
    for (OpResult result : op->getResults())
      if (!result.use_empty())
        keptResults.push_back(result.getResultNumber());
    if (keptResults.empty()) {
      rewriter.eraseOp(op);
      return success();
    }
    if (inputs.size() == op.getInputs().size() &&
        keptResults.size() == op.getNumResults())
      return failure();

    SmallVector<Value> inits, yielded;
    SmallVector<RowMap> initMaps;
    Operation *yield = body->getTerminator();
    for (unsigned i : keptResults) {
      inits.push_back(op.getInits()[i]);
      initMaps.push_back(op.getInitMap(i));
      yielded.push_back(yield->getOperand(i));
    }
    auto fused =
        FusedOp::create(rewriter, op.getLoc(), inputs, inputMaps, inits, initMaps);
    fused.setDomainAttr(op.getDomainAttr());
    fused.setLabelAttr(op.getLabelAttr());
    fused->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    Block *newBody = fused.getBodyBlock();
    SmallVector<Value> arguments;
    for (auto [i, k] : llvm::enumerate(newIndex)) {
      // An unread argument has no uses to replace; any value will do.
      arguments.push_back(k >= 0 ? Value(newBody->getArgument(k))
                                 : Value(body->getArgument(i)));
    }
    rewriter.modifyOpInPlace(yield, [&] { yield->setOperands(yielded); });
    rewriter.mergeBlocks(body, newBody, arguments);
    for (auto [k, i] : llvm::enumerate(keptResults))
      rewriter.replaceAllUsesWith(op->getResult(i), fused->getResult(k));
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void FusedOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<DropDeadAndDoubledOperands>(context);
}
