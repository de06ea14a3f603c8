//===- FuseRows.cpp - row-wise neighbours become one kernel ---------------===//
//
//   a = f(x);  b = g(a, y)      ->      a, b = fused { a = f(x); b = g(a, y) }
//
// The plan: in program order, each region takes in what it reads, nearest first. So the
// result depends on the program and not on a worklist. What is legal is written in
// FusionLegality.cpp, how it is done in RegionMechanics.cpp.
//
//===----------------------------------------------------------------------===//

#include "mortar/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/EquivalenceClasses.h"

#include <map>
#include <tuple>

namespace mortar {
#define GEN_PASS_DEF_FUSEROWSPASS
#include "mortar/Transforms/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

namespace {

/// What a remark says: a kernel was made, or, with a refusal, wasn't.
struct Finding {
  Location loc;
  std::string ops;
  std::optional<Refusal> refusal;
};

/// Fuses one function.
class RowFuser {
public:
  RowFuser(func::FuncOp func, const FusionOptions &options)
      : func(func), options(options) {}

  LogicalResult run(bool merge);

private:
  void wrapAll(RewriterBase &rewriter);
  bool mergeAll(RewriterBase &rewriter);
  LogicalResult cleanUp();
  void reportAll(RewriterBase &rewriter, bool merge);
  void report(const Finding &finding);

  func::FuncOp func;
  const FusionOptions &options;
  /// For the report. While wrapping: the ops that can't be regions.
  SmallVector<Finding> findings;
};

/// A pass on modules, though functions don't depend on each other: a remark engine takes
/// remarks from one thread, and in program order.
struct FuseRowsPass : ::mortar::impl::FuseRowsPassBase<FuseRowsPass> {
  using FuseRowsPassBase::FuseRowsPassBase;

  void runOnOperation() override {
    FusionOptions options{mixedDtypes, maxLiveBytes};
    WalkResult result = getOperation().walk([&](func::FuncOp func) {
      return failed(RowFuser(func, options).run(merge)) ? WalkResult::interrupt()
                                                        : WalkResult::skip();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace

LogicalResult RowFuser::run(bool merge) {
  IRRewriter rewriter(func.getContext());
  wrapAll(rewriter);
  // Before merging: a size read from a region's result would tie to that region whatever
  // has this size.
  if (failed(cleanUp()))
    return failure();
  SmallVector<FusedOp> regions;
  func.walk([&](FusedOp region) { regions.push_back(region); });
  for (FusedOp region : regions)
    coarsenReader(rewriter, region, options);
  // A merge moves what stands in between, which may make room for one before it.
  while (merge && mergeAll(rewriter))
    ;
  if (failed(cleanUp()))
    return failure();
  reportAll(rewriter, merge);
  return success();
}

/// `value` before views that keep rows, or join or part their heads.
static Value lookThroughHeads(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isRowView(op) && !isHeadView(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// The ops that become regions: those that start one, and whatever hangs together with
/// them, by values that one makes and another reads, through views. An op that can't be a
/// region doesn't connect its neighbours.
static SmallVector<FusionOpInterface>
findJoining(func::FuncOp func, ArrayRef<FusionOpInterface> ops,
            const DenseMap<Operation *, Refusal> &refusals) {
  llvm::EquivalenceClasses<Operation *> connected;
  for (FusionOpInterface op : ops)
    connected.insert(op);
  func.walk([&](FusedOp region) { connected.insert(region); });
  SmallVector<std::pair<Operation *, Operation *>> borders; // one of the two is refused
  auto connectOperands = [&](Operation *op) {
    for (Value operand : op->getOperands()) {
      Operation *def = lookThroughHeads(operand).getDefiningOp();
      if (!def || connected.findLeader(def) == connected.member_end())
        continue;
      if (refusals.contains(op) || refusals.contains(def))
        borders.emplace_back(op, def);
      else
        connected.unionSets(op, def);
    }
  };
  llvm::DenseSet<Operation *> started; // leaders of what holds one that starts
  llvm::for_each(ops, connectOperands);
  func.walk([&](FusedOp region) {
    connectOperands(region);
    return WalkResult::skip();
  });
  for (FusionOpInterface op : ops)
    if (op.startsRegion() && !refusals.contains(op))
      started.insert(connected.getLeaderValue(op));
  func.walk([&](FusedOp region) { started.insert(connected.getLeaderValue(region)); });

  llvm::DenseSet<Operation *> neighbours; // refused ones, for the report
  for (auto [reader, maker] : borders)
    for (auto [op, other] : {std::pair(reader, maker), std::pair(maker, reader)})
      if (started.contains(connected.getLeaderValue(other)))
        neighbours.insert(op);
  return llvm::filter_to_vector(ops, [&](FusionOpInterface op) {
    if (refusals.contains(op))
      return op.startsRegion() || neighbours.contains(op);
    return started.contains(connected.getLeaderValue(op));
  });
}

void RowFuser::wrapAll(RewriterBase &rewriter) {
  SmallVector<FusionOpInterface> ops;
  DenseMap<Operation *, Refusal> refusals;
  func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<FusedOp>(op))
      return WalkResult::skip();
    if (auto fusible = dyn_cast<FusionOpInterface>(op))
      if (llvm::all_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>)) {
        ops.push_back(fusible);
        if (auto refusal = whyNotWrapped(fusible))
          refusals.insert({op, *refusal});
      }
    return WalkResult::advance();
  });
  for (FusionOpInterface op : findJoining(func, ops, refusals)) {
    if (auto refusal = refusals.find(op); refusal != refusals.end())
      findings.push_back(
          {op->getLoc(), op->getName().stripDialect().str(), refusal->second});
    else
      wrapInRegion(rewriter, op);
  }
}

/// The regions that `consumer` reads, nearest first.
static SmallVector<FusedOp> findProducers(FusedOp consumer) {
  llvm::SetVector<FusedOp> producers;
  for (Value input : consumer.getInputs())
    if (auto producer = input.getDefiningOp<FusedOp>())
      producers.insert(producer);
  SmallVector<FusedOp> nearestFirst(producers.begin(), producers.end());
  llvm::sort(nearestFirst, [](FusedOp a, FusedOp b) {
    if (a->getBlock() != b->getBlock())
      return a->getBlock() < b->getBlock();
    return b->isBeforeInBlock(a);
  });
  return nearestFirst;
}

/// One walk in program order; whether it merged anything.
bool RowFuser::mergeAll(RewriterBase &rewriter) {
  bool merged = false;
  SmallVector<FusedOp> inOrder;
  func.walk([&](FusedOp region) { inOrder.push_back(region); });
  for (FusedOp consumer : inOrder) {
    for (bool changed = true; changed;) {
      changed = false;
      for (FusedOp producer : findProducers(consumer)) {
        if (mergeOrSayWhyNot(rewriter, producer, consumer, options, /*merge=*/true))
          continue;
        changed = merged = true;
        break;
      }
    }
  }
  return merged;
}

/// Results that only the merged region read are gone, doubled operands are one, views
/// and sizes are taken from where they come from.
LogicalResult RowFuser::cleanUp() {
  RewritePatternSet patterns(func.getContext());
  FusedOp::getCanonicalizationPatterns(patterns, func.getContext());
  tensor::DimOp::getCanonicalizationPatterns(patterns, func.getContext());
  return applyPatternsGreedily(func, std::move(patterns));
}

void RowFuser::report(const Finding &finding) {
  auto opts = remark::RemarkOpts::name(finding.refusal ? finding.refusal->condition
                                                       : StringLiteral("kernel"))
                  .category("mortar-fusion")
                  .function(func.getName());
  if (!finding.refusal) {
    remark::passed(finding.loc, opts) << remark::add("one kernel of {0}", finding.ops);
    return;
  }
  auto remark = remark::missed(finding.loc, opts);
  remark << remark::add("{0} not fused", finding.ops)
         << remark::reason("{0}", finding.refusal->because);
  if (!finding.refusal->suggestion.empty())
    remark << remark::suggest("{0}", finding.refusal->suggestion);
}

/// Where the first of an op's sources stands. A diagnostic would find it by itself;
/// LLVM's writers of remarks don't look into fused locations.
static Location findPlace(Location loc) {
  auto place = loc->findInstanceOf<FileLineColLoc>();
  return place ? Location(place) : loc;
}

/// File, line and column; first comes what stands nowhere.
static std::tuple<StringRef, unsigned, unsigned> findPosition(Location place) {
  auto at = dyn_cast<FileLineColLoc>(place);
  return at ? std::tuple(at.getFilename().getValue(), at.getLine(), at.getColumn())
            : std::tuple(StringRef(), 0u, 0u);
}

/// One remark for each refusal and for each kernel, after everything has settled, in
/// the order of the text.
void RowFuser::reportAll(RewriterBase &rewriter, bool merge) {
  func.walk([&](FusedOp region) {
    for (FusedOp producer : merge ? findProducers(region) : SmallVector<FusedOp>())
      if (auto refusal =
              mergeOrSayWhyNot(rewriter, producer, region, options, /*merge=*/false))
        findings.push_back(
            {region.getLoc(),
             describeOps(producer, "+") + " -> " + describeOps(region, "+"), refusal});
    findings.push_back({region.getLoc(), describeOps(region, "+"), std::nullopt});
  });
  // Of one place, the refusals come before the kernel, as they were found.
  std::multimap<std::tuple<StringRef, unsigned, unsigned>, const Finding *> inOrder;
  for (Finding &finding : findings) {
    finding.loc = findPlace(finding.loc);
    inOrder.emplace(findPosition(finding.loc), &finding);
  }
  for (auto [position, finding] : inOrder)
    report(*finding);
}
