//===- OutlineGaps.cpp - cut functions at foreign ops ---------------------===//
//
//   %q = linalg.matmul ...; %a = fused ...; %b = linalg.matmul(%a)
// becomes
//   %q = linalg.matmul ...; %a = call @layer_gap0(%q, ...); %b = linalg.matmul(%a)
//
//===----------------------------------------------------------------------===//

#include "Gaps.h"

#include "mortar/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace mortar {
#define GEN_PASS_DEF_OUTLINEGAPSPASS
#include "mortar/Transforms/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

namespace {
/// The regions between two foreign ops, in order.
using Gap = SmallVector<FusedOp>;

/// One gap on its way into a function of its own.
class GapOutliner {
public:
  GapOutliner(const Gap &gap, func::FuncOp func) : gap(gap), func(func) {}

  void run(unsigned number, SymbolTable &symbols, Block::iterator before);

private:
  void takeSizesFromDestinations();
  void collectGlue();
  void collectOperands();
  void collectResults();
  void cloneBody(func::FuncOp outlined, Block *entry);
  Value findInputOfSameSizes(FusedOp fused, tensor::EmptyOp empty) const;

  bool isInGap(Operation *op) const {
    return op && llvm::is_contained(gap, dyn_cast<FusedOp>(op));
  }
  bool isOnlyReadInside(Operation *op) const;
  void collect(Value value);

  const Gap &gap;
  func::FuncOp func;
  /// Glue between the regions that depends on what they make, in order.
  llvm::SetVector<Operation *> dependentGlue;
  /// Glue that the regions need, and that goes with them.
  llvm::SmallPtrSet<Operation *, 16> inside;
  llvm::SetVector<Value> inputs;
  SmallVector<Value> results;
};

struct OutlineGapsPass : ::mortar::impl::OutlineGapsPassBase<OutlineGapsPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    // Of a gap's own function nobody would see who else reads a state.
    WalkResult result = getOperation().walk([](FusedOp region) {
      return failed(checkStatesAreUpdated(region)) ? WalkResult::interrupt()
                                                   : WalkResult::skip();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!func.isExternal() && llvm::hasSingleElement(func.getBody()))
        outlineGapsOf(func, symbols);
  }

private:
  void outlineGapsOf(func::FuncOp func, SymbolTable &symbols);
};
} // namespace

/// What `value` is a view of, or null if it is none. After fusing only views that split
/// or join rows are left: they belong to nobody's kernel.
static Value getViewed(Value value) {
  Value viewed;
  while (Operation *def = value.getDefiningOp()) {
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(def))
      break;
    viewed = value = def->getOperand(0);
  }
  return viewed;
}

void OutlineGapsPass::outlineGapsOf(func::FuncOp func, SymbolTable &symbols) {
  SmallVector<Gap> gaps;
  bool startGap = true, anyForeign = false;
  for (Operation &op : func.front().without_terminator()) {
    if (auto fused = dyn_cast<FusedOp>(op)) {
      SmallVector<Value> read(fused.getInputs());
      for (auto [i, init] : llvm::enumerate(fused.getInits()))
        if (fused.getInitMap(i) == RowMap::State)
          read.push_back(init);
      for (Value input : read)
        if (Value viewed = getViewed(input)) {
          anyForeign = true;
          startGap |= !gaps.empty() && llvm::is_contained(gaps.back(),
                                                          viewed.getDefiningOp<FusedOp>());
        }
      if (startGap)
        gaps.emplace_back();
      gaps.back().push_back(fused);
      startGap = false;
    } else if (!isGlue(&op)) {
      startGap = anyForeign = true;
    }
  }
  if (!anyForeign)
    return;
  auto behind = ++Block::iterator(func);
  for (auto [i, gap] : llvm::enumerate(gaps))
    GapOutliner(gap, func).run(i, symbols, behind);
  // Destinations and their sizes have gone with the gaps.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(func.front())))
    if (isGlue(&op) && isOpTriviallyDead(&op))
      op.erase();
}

/// Sizes were taken from the regions' results here and there; their destinations have
/// the same, and stay.
void GapOutliner::takeSizesFromDestinations() {
  for (FusedOp fused : llvm::reverse(gap))
    for (auto [result, init] : llvm::zip_equal(fused.getResults(), fused.getInits()))
      for (Operation *user : llvm::make_early_inc_range(result.getUsers()))
        if (auto dim = dyn_cast<tensor::DimOp>(user)) {
          auto empty = init.getDefiningOp<tensor::EmptyOp>();
          auto index = dim.getConstantIndex();
          // An index beyond the rank is legal IR and never evaluated.
          bool isInside =
              index && *index >= 0 && *index < cast<ShapedType>(init.getType()).getRank();
          if (empty && isInside && empty.getType().isDynamicDim(*index)) {
            dim.replaceAllUsesWith(empty.getDynamicSize(*index));
            dim.erase();
          } else {
            dim.getSourceMutable().assign(init);
          }
        }
}

void GapOutliner::collectGlue() {
  for (Operation *op = gap.front(); op != gap.back();
       op = op->getNextNode())
    if (!isa<FusedOp>(op) && llvm::any_of(op->getOperands(), [&](Value operand) {
          Operation *def = operand.getDefiningOp();
          return isInGap(def) || dependentGlue.contains(def);
        }))
      dependentGlue.insert(op);
}

/// What `value` is inside: a region's result, glue that goes with the regions, or an
/// argument.
void GapOutliner::collect(Value value) {
  Operation *def = value.getDefiningOp();
  if (isInGap(def) || inside.contains(def))
    return;
  bool goesAlong =
      def && def->getBlock() == gap.front()->getBlock() && isGlue(def) &&
      (!isa<TensorType>(value.getType()) || isa<tensor::EmptyOp>(def) ||
       dependentGlue.contains(def));
  if (!goesAlong) {
    inputs.insert(value);
    return;
  }
  for (Value operand : def->getOperands())
    collect(operand);
  inside.insert(def);
}

/// An input of `fused`, read by row and no view, from whose sizes those of its destination
/// `empty` follow, or null: both have the same number of rows, so if but one of the
/// leading sizes isn't known to agree, that one does, too.
Value GapOutliner::findInputOfSameSizes(FusedOp fused, tensor::EmptyOp empty) const {
  ArrayRef<int64_t> shape = empty.getType().getShape().drop_back();
  for (auto [i, input] : llvm::enumerate(fused.getInputs())) {
    auto type = cast<RankedTensorType>(input.getType());
    if ((!isWholeRow(fused.getInputMap(i)) && fused.getInputMap(i) != RowMap::ValueRow) ||
        type.getRank() != empty.getType().getRank() ||
        inside.contains(input.getDefiningOp()))
      continue;
    int64_t unknown = 0;
    for (auto [mine, its] : llvm::zip_equal(shape, type.getShape().drop_back()))
      unknown += ShapedType::isDynamic(mine) || mine != its;
    if (unknown <= 1 && !llvm::is_contained(shape, 0))
      return input;
  }
  return {};
}

void GapOutliner::collectOperands() {
  for (FusedOp fused : gap)
    for (Value input : fused.getInputs())
      collect(input);
  for (FusedOp fused : gap)
    for (Value init : fused.getInits()) {
      auto empty = init.getDefiningOp<tensor::EmptyOp>();
      if (!empty)
        collect(init);
      else if (!findInputOfSameSizes(fused, empty))
        for (Value size : empty.getDynamicSizes())
          collect(size);
    }
}

bool GapOutliner::isOnlyReadInside(Operation *op) const {
  return dependentGlue.contains(op) && llvm::all_of(op->getUsers(), [&](Operation *user) {
           return isInGap(user) || isOnlyReadInside(user);
         });
}

void GapOutliner::collectResults() {
  for (FusedOp fused : gap)
    for (Value result : fused.getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !isInGap(user) && !isOnlyReadInside(user);
          }))
        results.push_back(result);
}

/// Whether nobody reads `value` after `gap`, and the function may overwrite it.
static bool diesIn(Value value, const Gap &gap, func::FuncOp func) {
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    auto writable =
        func.getArgAttrOfType<BoolAttr>(arg.getArgNumber(), "bufferization.writable");
    if (!writable || !writable.getValue())
      return false;
  }
  if (Operation *def = value.getDefiningOp())
    // A view or a constant is somebody else's memory.
    if (isGlue(def) || isa<tensor::ExtractSliceOp>(def))
      return false;
  return !isReadAfter(value, gap.back());
}

void GapOutliner::cloneBody(func::FuncOp outlined, Block *entry) {
  IRMapping mapping;
  mapping.map(inputs.getArrayRef(), entry->getArguments());
  OpBuilder b = OpBuilder::atBlockEnd(entry);
  auto cloneDestination = [&](FusedOp fused, tensor::EmptyOp empty) {
    Value input = findInputOfSameSizes(fused, empty);
    if (!input) {
      b.clone(*empty, mapping);
      return;
    }
    SmallVector<Value> sizes;
    for (auto [dim, size] : llvm::enumerate(empty.getType().getShape()))
      if (ShapedType::isDynamic(size))
        sizes.push_back(b.createOrFold<tensor::DimOp>(fused.getLoc(),
                                                      mapping.lookup(input), dim));
    mapping.map(empty.getResult(), tensor::EmptyOp::create(b, fused.getLoc(),
                                                           empty.getType(), sizes));
  };
  for (Operation &op : *gap.front()->getBlock()) {
    if (inside.contains(&op)) {
      b.clone(op, mapping);
    } else if (isInGap(&op)) {
      auto fused = cast<FusedOp>(op);
      for (Value init : fused.getInits())
        if (auto empty = init.getDefiningOp<tensor::EmptyOp>();
            empty && !mapping.contains(init))
          cloneDestination(fused, empty);
      b.clone(op, mapping);
    }
  }
  func::ReturnOp::create(b, outlined.getLoc(),
                         llvm::map_to_vector(results, [&](Value result) {
                           return mapping.lookup(result);
                         }));
}

void GapOutliner::run(unsigned number, SymbolTable &symbols,
                      Block::iterator before) {
  takeSizesFromDestinations();
  collectGlue();
  collectOperands();
  collectResults();

  OpBuilder b(func.getContext());
  Location loc = gap.front()->getLoc();
  auto type = b.getFunctionType(TypeRange(inputs.getArrayRef()), TypeRange(results));
  auto outlined = func::FuncOp::create(
      loc, (func.getName() + "_gap" + Twine(number)).str(), type);
  // The name may change here.
  symbols.insert(outlined, before);
  Block *entry = outlined.addEntryBlock();
  for (auto [i, input] : llvm::enumerate(inputs)) {
    auto arg = dyn_cast<BlockArgument>(input);
    if (arg && func.getArgAttr(arg.getArgNumber(), MortarDialect::constantAttr))
      outlined.setArgAttr(i, MortarDialect::constantAttr, b.getUnitAttr());
    if (isa<TensorType>(input.getType()) && diesIn(input, gap, func))
      outlined.setArgAttr(i, "bufferization.writable", b.getBoolAttr(true));
  }
  cloneBody(outlined, entry);

  b.setInsertionPoint(gap.back());
  auto call = func::CallOp::create(b, loc, outlined, inputs.getArrayRef());
  for (auto [result, made] : llvm::zip_equal(results, call.getResults()))
    result.replaceAllUsesWith(made);
  // What is glued to a result stands behind the call now, or has gone with it.
  Operation *after = call;
  SmallVector<Operation *> gone;
  for (Operation *op : dependentGlue) {
    if (isOnlyReadInside(op)) {
      gone.push_back(op);
    } else {
      op->moveAfter(after);
      after = op;
    }
  }
  for (FusedOp fused : gap)
    fused->dropAllUses();
  for (Operation *op : gone)
    op->dropAllUses();
  for (Operation *op : gone)
    op->erase();
  for (FusedOp fused : gap)
    fused.erase();
}
