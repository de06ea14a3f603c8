//===- OutlineGaps.cpp - cut functions at foreign ops ---------------------===//
//
//   %q = linalg.matmul ...; %a = fused ...; %b = linalg.matmul(%a)
// becomes
//   %q = linalg.matmul ...; %a = call @layer_gap0(%q, ...); %b = linalg.matmul(%a)
//
//===----------------------------------------------------------------------===//

#include "mortar/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mortar {
#define GEN_PASS_DEF_OUTLINEGAPSPASS
#include "mortar/Transforms/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

namespace {
/// The regions between two foreign ops, in order.
using Gap = SmallVector<FusedOp>;

struct OutlineGapsPass : ::mortar::impl::OutlineGapsPassBase<OutlineGapsPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto func : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!func.isExternal() && llvm::hasSingleElement(func.getBody()))
        outlineGapsOf(func, symbols);
  }

private:
  void outlineGapsOf(func::FuncOp func, SymbolTable &symbols);
  func::FuncOp outline(const Gap &gap, func::FuncOp func, unsigned number);
};
} // namespace

/// Ops that only say where a tensor lies or how large it is belong to no side.
static bool isGlue(Operation *op) {
  return isa<tensor::EmptyOp, tensor::DimOp, tensor::CastOp, tensor::CollapseShapeOp,
             tensor::ExpandShapeOp>(op) ||
         op->hasTrait<OpTrait::ConstantLike>() ||
         (isMemoryEffectFree(op) && op->getNumResults() &&
          llvm::all_of(op->getResultTypes(), llvm::IsaPred<IndexType>));
}

void OutlineGapsPass::outlineGapsOf(func::FuncOp func, SymbolTable &symbols) {
  SmallVector<Gap> gaps;
  bool startGap = true, anyForeign = false;
  for (Operation &op : func.front().without_terminator()) {
    if (auto fused = dyn_cast<FusedOp>(op)) {
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
  for (auto [i, gap] : llvm::enumerate(gaps))
    symbols.insert(outline(gap, func, i), ++Block::iterator(func));
}

/// What `gap` reads from outside, each once, in order.
static llvm::SetVector<Value> collectInputs(const Gap &gap) {
  llvm::SetVector<Value> inputs;
  for (FusedOp fused : gap)
    for (Value input : fused.getInputs())
      if (!llvm::is_contained(gap, input.getDefiningOp<FusedOp>()))
        inputs.insert(input);
  return inputs;
}

/// Whether nobody reads `value` after `gap`, and the function may overwrite it.
static bool diesIn(Value value, const Gap &gap, func::FuncOp func) {
  if (auto arg = dyn_cast<BlockArgument>(value))
    if (!func.getArgAttr(arg.getArgNumber(), "bufferization.writable"))
      return false;
  if (Operation *def = value.getDefiningOp())
    if (isGlue(def)) // a view or a constant: somebody else's memory
      return false;
  Operation *last = gap.back();
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    Operation *at = func.front().findAncestorOpInBlock(*user);
    return at == last || at->isBeforeInBlock(last);
  });
}

/// An operand of rank 2 has the rows of each destination of rank 2; else the sizes are
/// computed from outside as they were.
static Value rebuildEmpty(OpBuilder &b, FusedOp fused, tensor::EmptyOp empty,
                          IRMapping &mapping) {
  if (empty.getType().getRank() == 2)
    for (auto [i, input] : llvm::enumerate(fused.getInputs())) {
      auto type = cast<RankedTensorType>(input.getType());
      if (fused.getInputMap(i) != RowMap::Row || type.getRank() != 2)
        continue;
      SmallVector<Value> sizes;
      if (empty.getType().isDynamicDim(0))
        sizes.push_back(
            b.createOrFold<tensor::DimOp>(fused.getLoc(), mapping.lookup(input), 0));
      return tensor::EmptyOp::create(b, fused.getLoc(), empty.getType(), sizes);
    }
  return {};
}

/// Clones what computes `value` from tensors; those join `inputs`.
static void collectSizeSources(Value value, llvm::SetVector<Value> &inputs,
                               llvm::SetVector<Operation *> &slice) {
  Operation *def = value.getDefiningOp();
  if (!def || isa<TensorType>(value.getType())) {
    inputs.insert(value);
    return;
  }
  for (Value operand : def->getOperands())
    collectSizeSources(operand, inputs, slice);
  slice.insert(def);
}

func::FuncOp OutlineGapsPass::outline(const Gap &gap, func::FuncOp func,
                                      unsigned number) {
  llvm::SetVector<Value> inputs = collectInputs(gap);
  auto hasRankTwoRow = [](FusedOp fused) {
    for (auto [i, input] : llvm::enumerate(fused.getInputs()))
      if (fused.getInputMap(i) == RowMap::Row &&
          cast<RankedTensorType>(input.getType()).getRank() == 2)
        return true;
    return false;
  };
  llvm::SetVector<Operation *> slice;
  for (FusedOp fused : gap)
    for (Value init : fused.getInits()) {
      auto empty = init.getDefiningOp<tensor::EmptyOp>();
      if (!empty)
        inputs.insert(init);
      else if (empty.getType().getRank() != 2 || !hasRankTwoRow(fused))
        for (Value size : empty.getDynamicSizes())
          collectSizeSources(size, inputs, slice);
    }

  SmallVector<Value> results;
  for (FusedOp fused : gap)
    for (Value result : fused.getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !llvm::is_contained(gap, dyn_cast<FusedOp>(user)) &&
                   !isa<tensor::DimOp>(user);
          }))
        results.push_back(result);

  OpBuilder b(&getContext());
  Location loc = gap.front()->getLoc();
  auto type = b.getFunctionType(TypeRange(inputs.getArrayRef()), TypeRange(results));
  auto outlined = func::FuncOp::create(
      loc, (func.getName() + "_gap" + Twine(number)).str(), type);
  Block *entry = outlined.addEntryBlock();
  IRMapping mapping;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    mapping.map(input, entry->getArgument(i));
    auto arg = dyn_cast<BlockArgument>(input);
    if (arg && func.getArgAttr(arg.getArgNumber(), MortarDialect::constantAttr))
      outlined.setArgAttr(i, MortarDialect::constantAttr, b.getUnitAttr());
    if (diesIn(input, gap, func))
      outlined.setArgAttr(i, "bufferization.writable", b.getBoolAttr(true));
  }
  b.setInsertionPointToEnd(entry);
  for (Operation *op : slice)
    b.clone(*op, mapping);
  for (FusedOp fused : gap) {
    for (Value init : fused.getInits())
      if (auto empty = init.getDefiningOp<tensor::EmptyOp>())
        if (!mapping.contains(init)) {
          Value made = rebuildEmpty(b, fused, empty, mapping);
          if (made)
            mapping.map(init, made);
          else
            b.clone(*empty, mapping);
        }
    b.clone(*fused, mapping);
  }
  func::ReturnOp::create(b, loc, llvm::map_to_vector(results, [&](Value result) {
                           return mapping.lookup(result);
                         }));

  b.setInsertionPoint(gap.back());
  auto call = func::CallOp::create(b, loc, outlined, inputs.getArrayRef());
  for (auto [result, made] : llvm::zip_equal(results, call.getResults()))
    result.replaceAllUsesWith(made);
  // Sizes were taken from the regions' results here and there; the call has the same.
  for (FusedOp fused : llvm::reverse(gap)) {
    for (Value result : fused.getResults())
      for (Operation *user : llvm::make_early_inc_range(result.getUsers()))
        if (auto dim = dyn_cast<tensor::DimOp>(user)) {
          b.setInsertionPoint(dim);
          Value init = fused.getInits()[cast<OpResult>(result).getResultNumber()];
          dim.getSourceMutable().assign(init);
        }
    fused.erase();
  }
  return outlined;
}
