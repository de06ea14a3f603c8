//===- FusedOpCanonicalization.cpp - dead and doubled operands, views ------===//

#include "mortar/IR/Mortar.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mortar;

namespace {

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
      if (body->getArgument(i).use_empty() && !isIndex(op.getInputMap(i)))
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

    // A state is changed as long as anything is computed of it.
    SmallVector<unsigned> keptResults;
    for (OpResult result : op->getResults())
      if (!result.use_empty() ||
          op.getInitMap(result.getResultNumber()) == RowMap::State)
        keptResults.push_back(result.getResultNumber());
    if (op->use_empty()) {
      rewriter.eraseOp(op);
      return success();
    }
    keepTokens(op, inputs, inputMaps, keptResults);
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
        FusedOp::create(rewriter, op.getLoc(), inputs, inputMaps, inits, initMaps,
                        op.getDomain());
    fused.setLabelAttr(op.getLabelAttr());
    fused->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    Block *newBody = fused.getBodyBlock();
    SmallVector<Value> arguments;
    for (auto [i, k] : llvm::enumerate(newIndex)) {
      // An unread argument has no uses to replace; any value will do.
      arguments.push_back(k >= 0 ? Value(newBody->getArgument(k))
                                 : Value(body->getArgument(i)));
    }
    llvm::append_range(arguments, newBody->getArguments().drop_front(inputs.size()));
    rewriter.modifyOpInPlace(yield, [&] { yield->setOperands(yielded); });
    rewriter.mergeBlocks(body, newBody, arguments);
    for (auto [k, i] : llvm::enumerate(keptResults))
      rewriter.replaceAllUsesWith(op->getResult(i), fused->getResult(k));
    rewriter.eraseOp(op);
    return success();
  }

private:
  static void keepTokens(FusedOp op, ArrayRef<Value> inputs, ArrayRef<RowMap> inputMaps,
                         SmallVector<unsigned> &keptResults);
};

/// A recurrence runs over the tokens that some operand of it has.
void DropDeadAndDoubledOperands::keepTokens(FusedOp op, ArrayRef<Value> inputs,
                                            ArrayRef<RowMap> inputMaps,
                                            SmallVector<unsigned> &keptResults) {
  auto hasTokens = [](Value operand, RowMap map) {
    return RecurrenceShape::countTokenDims(cast<ShapedType>(operand.getType()), map) > 0;
  };
  bool found = !op.isRecurrence();
  for (auto [input, map] : llvm::zip_equal(inputs, inputMaps))
    found |= hasTokens(input, map);
  for (unsigned i : keptResults)
    found |= hasTokens(op.getInits()[i], op.getInitMap(i));
  for (unsigned i = 0; i < op.getNumResults() && !found; ++i) {
    found = hasTokens(op.getInits()[i], op.getInitMap(i));
    if (found)
      keptResults.push_back(i);
  }
  llvm::sort(keptResults);
}

/// Reads an input's rows where they come from, past views that keep them, or that join the
/// heads of each.
struct ReadThroughViews : OpRewritePattern<FusedOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FusedOp op, PatternRewriter &rewriter) const override {
    // Which dimensions are tokens, and which heads, a view may not change.
    if (op.isRecurrence())
      return failure();
    bool changed = false;
    for (OpOperand &input : op.getInputsMutable()) {
      Value source = lookThroughViews(input.get());
      // A weight has rank 1: what it is a view of may not be a column.
      if (source == input.get() ||
          !FusedOp::getRowType(source.getType(),
                               op.getInputMap(input.getOperandNumber())))
        continue;
      rewriter.modifyOpInPlace(op, [&] { input.set(source); });
      changed = true;
    }
    for (OpOperand &input : op.getInputsMutable()) {
      auto join = input.get().getDefiningOp<tensor::CollapseShapeOp>();
      unsigned number = input.getOperandNumber();
      if (!join || !isHeadView(join) || op.getInputMap(number) != RowMap::Row)
        continue;
      SmallVector<Attribute> maps(op.getInputMaps().getValue());
      maps[number] = RowMapAttr::get(op.getContext(), RowMap::Heads);
      rewriter.modifyOpInPlace(op, [&] {
        input.set(join.getSrc());
        op.setInputMapsAttr(rewriter.getArrayAttr(maps));
      });
      changed = true;
    }
    return success(changed);
  }
};

/// A view that is a result's only reader, and keeps its rows, becomes the result:
/// the same view of the destination is written instead.
struct AbsorbViewOfResult : OpRewritePattern<FusedOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(FusedOp op, PatternRewriter &rewriter) const override {
    if (op.isRecurrence())
      return failure();
    for (OpResult result : op->getResults())
      if (result.hasOneUse() && isRowView(*result.user_begin()) &&
          succeeded(absorb(op, result, *result.user_begin(), rewriter)))
        return success();
    return failure();
  }

private:
  static LogicalResult absorb(FusedOp op, OpResult result, Operation *view,
                              PatternRewriter &rewriter) {
    // Upstream folds a cast to a vaguer type the other way.
    auto vague = [](Value value) {
      return cast<RankedTensorType>(value.getType()).getNumDynamicDims();
    };
    if (isa<tensor::CastOp>(view) && vague(view->getResult(0)) >= vague(result))
      return failure();
    // The sizes that an expand_shape is given must be known before the region.
    if (failed(moveValueDefinitions(rewriter, view->getOperands().drop_front(), op)))
      return failure();
    OpOperand &init = op.getInitsMutable()[result.getResultNumber()];
    rewriter.setInsertionPoint(op);
    Value destination;
    if (auto empty = init.get().getDefiningOp<tensor::EmptyOp>()) {
      SmallVector<Value> dynamicSizes;
      auto type = cast<RankedTensorType>(view->getResult(0).getType());
      for (auto [size, extent] :
           llvm::zip_equal(getViewSizes(rewriter, view, empty.getMixedSizes()),
                           type.getShape()))
        if (ShapedType::isDynamic(extent))
          dynamicSizes.push_back(
              getValueOrCreateConstantIndexOp(rewriter, view->getLoc(), size));
      destination = tensor::EmptyOp::create(rewriter, empty.getLoc(), type, dynamicSizes);
    } else {
      IRMapping mapping;
      mapping.map(result, init.get());
      destination = rewriter.clone(*view, mapping)->getResult(0);
    }
    rewriter.modifyOpInPlace(op, [&] {
      init.set(destination);
      result.setType(destination.getType());
    });
    rewriter.replaceOp(view, result);
    return success();
  }
};

} // namespace

void FusedOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<DropDeadAndDoubledOperands, ReadThroughViews, AbsorbViewOfResult>(
      context);
}
