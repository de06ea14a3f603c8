//===- HeadFusion.cpp - rows of heads meet rows of all of them ------------===//
//
//   y = gated_rms_norm(x : [T, 32, 128]);  q = quantize_dynamic(collapse(y) : [T, 4096])
//
// The finer rows are parts of the coarser. So the finer region can run on the coarser
// rows, where a norm of a head is one of a group. Views between the two are gone by then:
// what joins heads is the map `heads` of the coarser (FusedOpCanonicalization.cpp).
//
//===----------------------------------------------------------------------===//

#include "mortar/Transforms/Fusion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mortar;

/// What `op` of the finer row's program is in the coarser's, or null. A column stands in
/// `columns` once it is repeated.
static Operation *coarsenOp(OpBuilder &b, Operation &op, IRMapping &mapping, int64_t heads,
                            DenseMap<Value, Value> &columns) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto row = dyn_cast<VectorType>(constant.getType());
    auto splat = dyn_cast<SplatElementsAttr>(constant.getValue());
    if (row && !splat)
      return nullptr;
    if (!row)
      return b.clone(op);
    auto longer = VectorType::get({heads * row.getNumElements()}, row.getElementType());
    return arith::ConstantOp::create(b, op.getLoc(), splat.resizeSplat(longer));
  }
  auto fusible = dyn_cast<FusionOpInterface>(op);
  if (!fusible)
    return nullptr;
  SmallVector<Value> operands;
  for (Value operand : op.getOperands()) {
    Value mapped = mapping.lookup(operand);
    auto row = dyn_cast<VectorType>(mapped.getType());
    if (row && mapped.getType() == operand.getType()) { // a column
      Value &repeated = columns[mapped];
      if (!repeated)
        repeated = RowRepeatOp::create(
            b, op.getLoc(),
            VectorType::get({heads * row.getNumElements()}, row.getElementType()), mapped);
      mapped = repeated;
    }
    operands.push_back(mapped);
  }
  return fusible.coarsen(b, operands, heads);
}

/// Whether `input` is a region's result of which each row is taken apart.
static bool readsHeadsOfRegion(Value input) {
  auto view = input.getDefiningOp<tensor::ExpandShapeOp>();
  return view && isHeadView(view) && view.getSrc().getDefiningOp<FusedOp>();
}

ChangedRegion mortar::coarsen(RewriterBase &rewriter, FusedOp fine, int64_t heads) {
  auto refuse = [&](const Twine &because) {
    return ChangedRegion{{}, Refusal{"heads", because.str(), ""}};
  };
  if (fine.getDomain() != IterationDomain::Rows || !fine->getDiscardableAttrs().empty())
    return refuse("it has attributes that longer rows might not keep");
  SmallVector<Value> inputs, inits(fine.getInits());
  SmallVector<RowMap> inputMaps, initMaps(inits.size(), RowMap::Heads);
  auto fits = [&](Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return FusedOp::getRowType(type, RowMap::Heads) && type.getShape().end()[-2] == heads;
  };
  for (auto [i, input] : llvm::enumerate(fine.getInputs())) {
    RowMap map = fine.getInputMap(i);
    if (map == RowMap::Row) {
      map = RowMap::Heads;
      // Other views stay, so that a function around has the same arguments either way.
      if (readsHeadsOfRegion(input) && fits(input)) {
        input = input.getDefiningOp()->getOperand(0);
        map = RowMap::Row;
      } else if (!fits(input)) {
        return refuse("it reads rows that don't lie as " + Twine(heads) + " heads");
      }
    } else if (isPerRow(map)) {
      return refuse("it reads a " + stringifyRowMap(map) + ", one for each head");
    }
    inputs.push_back(input);
    inputMaps.push_back(map);
  }
  for (auto [i, init] : llvm::enumerate(inits))
    if (fine.getInitMap(i) != RowMap::Row || !fits(init))
      return refuse("it makes a " + stringifyRowMap(fine.getInitMap(i)) +
                    ", or rows that don't lie as " + Twine(heads) + " heads");

  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(fine);
  auto coarse =
      FusedOp::create(rewriter, fine.getLoc(), inputs, inputMaps, inits, initMaps);
  if (auto label = fine.getLabelAttr())
    coarse.setLabelAttr(label);
  rewriter.setInsertionPointToEnd(coarse.getBodyBlock());
  IRMapping mapping;
  mapping.map(fine.getBodyBlock()->getArguments(), coarse.getBodyBlock()->getArguments());
  DenseMap<Value, Value> columns;
  for (Operation &op : fine.getBodyBlock()->without_terminator()) {
    Operation *made = coarsenOp(rewriter, op, mapping, heads, columns);
    if (!made) {
      rewriter.eraseOp(coarse);
      return refuse(("'" + op.getName().getStringRef() +
                     "' on rows of several heads isn't the op on each")
                        .str());
    }
    mapping.map(op.getResults(), made->getResults());
  }
  SmallVector<Value> yielded;
  for (Value value : fine.getBodyBlock()->getTerminator()->getOperands())
    yielded.push_back(mapping.lookup(value));
  YieldOp::create(rewriter, fine.getLoc(), yielded);
  return {coarse, std::nullopt};
}

FusedOp mortar::coarsenReader(RewriterBase &rewriter, FusedOp region,
                              const FusionOptions &options) {
  for (auto [i, input] : llvm::enumerate(region.getInputs())) {
    if (region.getInputMap(i) != RowMap::Row || !readsHeadsOfRegion(input))
      continue;
    int64_t heads = cast<RankedTensorType>(input.getType()).getShape().end()[-2];
    auto [coarse, refusal] = coarsen(rewriter, region, heads);
    if (refusal)
      return region;
    if (!isLegalAlone(coarse, options)) {
      rewriter.eraseOp(coarse);
      return region;
    }
    rewriter.replaceOp(region, coarse->getResults());
    return coarse;
  }
  return region;
}

/// How many rows of a result of `producer`, made under the map `made`, are one that
/// `consumer` reads under `read`, or the reverse; 1 if it reads none so.
static int64_t countHeads(FusedOp producer, RowMap made, FusedOp consumer, RowMap read) {
  for (auto [i, input] : llvm::enumerate(consumer.getInputs())) {
    auto result = dyn_cast<OpResult>(input);
    if (result && result.getOwner() == producer && consumer.getInputMap(i) == read &&
        producer.getInitMap(result.getResultNumber()) == made)
      return cast<RankedTensorType>(input.getType()).getShape().end()[-2];
  }
  return 1;
}

std::optional<Refusal> mortar::mergeOrSayWhyNot(RewriterBase &rewriter, FusedOp producer,
                                                FusedOp &consumer,
                                                const FusionOptions &options, bool merge) {
  // One of the two runs otherwise beside the other: rows in a recurrence, or the finer on
  // the other's rows, the producer or a reader of heads that were joined for another reader.
  bool becomesRecurrent = producer.isRecurrence() != consumer.isRecurrence();
  bool changesReader = becomesRecurrent && producer.isRecurrence();
  int64_t heads = countHeads(producer, RowMap::Row, consumer, RowMap::Heads);
  if (heads == 1 && !becomesRecurrent) {
    heads = countHeads(producer, RowMap::Heads, consumer, RowMap::Row);
    changesReader = heads != 1;
  }
  if (heads == 1 && !becomesRecurrent) {
    auto refusal = whyNotMerged(producer, consumer, options);
    if (!refusal && merge)
      consumer = mergeRegions(rewriter, producer, consumer);
    return refusal;
  }
  FusedOp original = changesReader ? consumer : producer;
  FusedOp other = changesReader ? producer : consumer;
  auto [region, refused] = becomesRecurrent ? enterRecurrence(rewriter, original, other)
                                            : coarsen(rewriter, original, heads);
  if (refused)
    return refused;
  // Judged where it would stand, with all its readers.
  rewriter.replaceAllUsesWith(original->getResults(), region->getResults());
  FusedOp first = changesReader ? producer : region;
  FusedOp second = changesReader ? region : consumer;
  auto refusal = whyNotMerged(first, second, options);
  if (!refusal && merge) {
    rewriter.eraseOp(original);
    consumer = mergeRegions(rewriter, first, second);
    return std::nullopt;
  }
  rewriter.replaceAllUsesWith(region->getResults(), original->getResults());
  rewriter.eraseOp(region);
  return refusal;
}
