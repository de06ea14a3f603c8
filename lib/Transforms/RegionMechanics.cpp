//===- RegionMechanics.cpp - wrap an op, join two regions -----------------===//

#include "mortar/Transforms/Fusion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace mortar;

/// Sizes of `value`, found without reading a result that fusing may remove.
static SmallVector<OpFoldResult> getSizes(RewriterBase &rewriter, Value value) {
  if (auto region = value.getDefiningOp<FusedOp>()) {
    Value init = region.getInits()[cast<OpResult>(value).getResultNumber()];
    if (auto empty = init.getDefiningOp<tensor::EmptyOp>())
      return empty.getMixedSizes();
    return getSizes(rewriter, init);
  }
  if (Operation *view = value.getDefiningOp();
      isa_and_nonnull<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(
          view))
    return getViewSizes(rewriter, view, getSizes(rewriter, view->getOperand(0)));
  return tensor::getMixedSizes(rewriter, value.getLoc(), value);
}

/// A splat constant needs no operand: it is a constant of the row's program.
static DenseElementsAttr getSplat(Value value) {
  DenseElementsAttr attr;
  if (matchPattern(value, m_Constant(&attr)) && attr.isSplat())
    return attr;
  return {};
}

FusedOp mortar::wrapInRegion(RewriterBase &rewriter, FusionOpInterface op) {
  Location loc = op->getLoc();
  rewriter.setInsertionPoint(op);
  SmallVector<Value> inputs, inits;
  SmallVector<RowMap> inputMaps, initMaps;
  IterationDomain domain = op.getIterationDomain();
  Value rows; // an operand with a result's leading dimensions
  Value state;
  for (OpOperand &operand : op->getOpOperands()) {
    RowMap map = op.getOperandMap(operand.getOperandNumber());
    if (!rows && (map == RowMap::Row || map == RowMap::ValueRow))
      rows = operand.get();
    if (map == RowMap::State)
      state = operand.get(); // the destination of the new one
    if (map == RowMap::State || (getSplat(operand.get()) && !isIndex(map)))
      continue;
    // A weight has rank 1: what it is a view of may not be a column.
    Value source = lookThroughViews(operand.get());
    bool fits = domain == IterationDomain::Rows &&
                bool(FusedOp::getRowType(source.getType(), map));
    inputs.push_back(fits ? source : operand.get());
    inputMaps.push_back(map);
  }
  for (OpResult result : op->getResults()) {
    auto type = cast<RankedTensorType>(result.getType());
    initMaps.push_back(op.getResultMap(result.getResultNumber()));
    if (initMaps.back() == RowMap::State) {
      inits.push_back(state);
      continue;
    }
    SmallVector<Value> dynamicSizes;
    for (auto [size, extent] :
         llvm::zip_equal(getSizes(rewriter, rows), type.getShape()))
      if (ShapedType::isDynamic(extent))
        dynamicSizes.push_back(getValueOrCreateConstantIndexOp(rewriter, loc, size));
    inits.push_back(tensor::EmptyOp::create(rewriter, loc, type, dynamicSizes));
  }
  auto region =
      FusedOp::create(rewriter, loc, inputs, inputMaps, inits, initMaps, domain);

  OpBuilder::InsertionGuard guard(rewriter);
  Block *body = region.getBodyBlock();
  rewriter.setInsertionPointToEnd(body);
  // By operand and not by value: one value may be read by two maps.
  SmallVector<Value> operands;
  unsigned next = 0;
  for (OpOperand &operand : op->getOpOperands()) {
    RowMap map = op.getOperandMap(operand.getOperandNumber());
    if (map == RowMap::State) {
      operands.push_back(body->getArguments().back());
    } else if (auto splat = getSplat(operand.get()); splat && !isIndex(map)) {
      Type type = FusedOp::getRowType(operand.get().getType(), map);
      auto value = splat.getSplatValue<TypedAttr>();
      if (auto row = dyn_cast<VectorType>(type))
        value = DenseElementsAttr::get(row, Attribute(value));
      operands.push_back(arith::ConstantOp::create(rewriter, loc, value));
    } else {
      operands.push_back(body->getArgument(next++));
    }
  }
  Operation *inner = rewriter.clone(*op);
  inner->setOperands(operands);
  for (auto [result, init, map] : llvm::zip_equal(inner->getResults(), inits, initMaps))
    result.setType(FusedOp::getRowType(init.getType(), map));
  YieldOp::create(rewriter, loc, inner->getResults());
  rewriter.replaceOp(op, region->getResults());
  return region;
}

/// Carries what depends on `producer` and stands before `consumer` behind it, in order.
static void moveDependentsBehind(RewriterBase &rewriter, FusedOp producer,
                                 FusedOp consumer) {
  llvm::SmallPtrSet<Operation *, 16> dependent;
  SmallVector<Operation *> inOrder;
  for (Operation *op = producer->getNextNode(); op != consumer;
       op = op->getNextNode()) {
    bool depends = false;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *def = operand.getDefiningOp();
        depends |= def && (def == producer || dependent.contains(def));
      }
    });
    if (depends && dependent.insert(op).second)
      inOrder.push_back(op);
  }
  Operation *after = consumer;
  for (Operation *op : inOrder) {
    rewriter.moveOpAfter(op, after);
    after = op;
  }
}

FusedOp mortar::mergeRegions(RewriterBase &rewriter, FusedOp producer,
                             FusedOp consumer) {
  moveDependentsBehind(rewriter, producer, consumer);

  SmallVector<Value> inputs(producer.getInputs()), inits(producer.getInits());
  SmallVector<RowMap> inputMaps, initMaps;
  for (unsigned i = 0; i < inputs.size(); ++i)
    inputMaps.push_back(producer.getInputMap(i));
  for (unsigned i = 0; i < inits.size(); ++i)
    initMaps.push_back(producer.getInitMap(i));
  auto madeByProducer = [&](Value input) -> OpResult {
    auto result = dyn_cast<OpResult>(input);
    return result && result.getOwner() == producer ? result : OpResult();
  };
  for (auto [i, input] : llvm::enumerate(consumer.getInputs())) {
    if (madeByProducer(input))
      continue;
    inputs.push_back(input);
    inputMaps.push_back(consumer.getInputMap(i));
  }
  for (auto [i, init] : llvm::enumerate(consumer.getInits())) {
    inits.push_back(init);
    initMaps.push_back(consumer.getInitMap(i));
  }

  rewriter.setInsertionPoint(consumer);
  Location loc = rewriter.getFusedLoc({producer.getLoc(), consumer.getLoc()});
  auto merged = FusedOp::create(rewriter, loc, inputs, inputMaps, inits, initMaps,
                                consumer.getDomain());
  auto nameOf = [](FusedOp region) {
    return region.getLabel() ? region.getLabel()->str() : describeOps(region, "_");
  };
  if (producer.getLabel() || consumer.getLabel())
    merged.setLabel(nameOf(producer) + "_" + nameOf(consumer));
  Block *body = merged.getBodyBlock();
  Operation *made = producer.getBodyBlock()->getTerminator();
  SmallVector<Value> yielded(made->getOperands());
  llvm::append_range(yielded, consumer.getBodyBlock()->getTerminator()->getOperands());

  unsigned numProducerInputs = producer.getInputs().size();
  SmallVector<Value> arguments;
  unsigned next = numProducerInputs;
  for (Value input : consumer.getInputs()) {
    if (OpResult result = madeByProducer(input))
      arguments.push_back(made->getOperand(result.getResultNumber()));
    else
      arguments.push_back(body->getArgument(next++));
  }
  // States come behind the inputs: the producer's, then the consumer's.
  SmallVector<Value> producerArguments(
      body->getArguments().take_front(numProducerInputs));
  Block::BlockArgListType states = body->getArguments().drop_front(inputs.size());
  size_t producerStates =
      producer.getBodyBlock()->getNumArguments() - numProducerInputs;
  llvm::append_range(producerArguments, states.take_front(producerStates));
  llvm::append_range(arguments, states.drop_front(producerStates));
  rewriter.eraseOp(consumer.getBodyBlock()->getTerminator());
  // `yielded` and `arguments` may name the producer's arguments: follow them.
  IRMapping moved;
  for (auto [old, now] : llvm::zip(producer.getBodyBlock()->getArguments(),
                                   producerArguments))
    moved.map(old, now);
  rewriter.eraseOp(made);
  rewriter.mergeBlocks(producer.getBodyBlock(), body, producerArguments);
  for (Value &argument : arguments)
    argument = moved.lookupOrDefault(argument);
  for (auto [old, now] :
       llvm::zip(consumer.getBodyBlock()->getArguments(), arguments))
    moved.map(old, now);
  rewriter.mergeBlocks(consumer.getBodyBlock(), body, arguments);
  for (Value &value : yielded)
    value = moved.lookupOrDefault(value);
  rewriter.setInsertionPointToEnd(body);
  YieldOp::create(rewriter, loc, yielded);

  rewriter.replaceOp(consumer,
                     merged->getResults().take_back(consumer->getNumResults()));
  rewriter.replaceOp(producer,
                     merged->getResults().take_front(producer->getNumResults()));
  return merged;
}

std::string mortar::describeOps(FusedOp region, StringRef separator) {
  std::string text;
  for (Operation &op : region.getBodyBlock()->without_terminator()) {
    if (!isa<FusionOpInterface>(op))
      continue;
    if (!text.empty())
      text += separator;
    text += op.getName().stripDialect();
  }
  return text;
}
