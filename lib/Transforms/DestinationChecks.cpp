//===- DestinationChecks.cpp - what can have its caller's buffers ---------===//

#include "DestinationAssigner.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace mortar;

LogicalResult DestinationAssigner::checkArguments() {
  for (BlockArgument arg : entry.getArguments())
    if (!isa<RankedTensorType>(arg.getType()))
      return func.emitError() << "expected argument " << arg.getArgNumber() << " of '"
                              << func.getName()
                              << "' to be a ranked tensor, but found "
                              << arg.getType();
  return success();
}

/// Nobody calls the function, whose type changes, and it holds regions alone.
LogicalResult DestinationAssigner::checkFunction() {
  Operation *module = func->getParentOp();
  auto uses = SymbolTable::getSymbolUses(func, module);
  if (!uses || !uses->empty())
    return func.emitError() << "expected '" << func.getName()
                            << "', whose arguments become memrefs, not to be called "
                               "in the module, but found "
                            << (uses ? uses->begin()->getUser()->getName().getStringRef()
                                     : StringRef("an unknown use"));
  std::string shapes = (func.getName() + ".shapes").str();
  if (SymbolTable::lookupSymbolIn(module, shapes))
    return func.emitError() << "expected the name '" << shapes
                            << "' to be free for the results' sizes, but found a "
                               "symbol of that name";
  if (!llvm::hasSingleElement(func.getBody()))
    return func.emitError() << "expected '" << func.getName()
                            << "' to be one block, but found "
                            << func.getBody().getBlocks().size();
  for (Operation &op : entry.without_terminator())
    if (!isa<FusedOp>(op) && !isGlue(&op))
      return op.emitError() << "expected '" << func.getName()
                            << "' to hold mortar.fused regions only, but found a "
                               "foreign op; run mortar-outline-gaps first";
  return success();
}

/// `value` with the shape that is known best.
static Value lookThroughCasts(Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  return value;
}

/// Each result has a buffer of its own: an argument that is returned, a value that is
/// returned twice, or one whose heads were joined or taken apart by nobody but a view, is
/// copied by a region.
void DestinationAssigner::copySharedResults() {
  llvm::SmallDenseSet<Value> seen;
  for (OpOperand &operand : entry.getTerminator()->getOpOperands()) {
    Value value = lookThroughCasts(operand.get());
    auto type = dyn_cast<RankedTensorType>(value.getType());
    bool shared = isa<BlockArgument>(value) || !seen.insert(value).second;
    Value source = value;
    RowMap read = RowMap::Row, written = RowMap::Row;
    if (Operation *view = value.getDefiningOp(); isHeadView(view)) {
      source = view->getOperand(0);
      (isa<tensor::CollapseShapeOp>(view) ? read : written) = RowMap::Heads;
      shared = true;
    }
    if (!shared || !FusedOp::getRowType(type, written) ||
        !FusedOp::getRowType(source.getType(), read))
      continue;
    b.setInsertionPoint(entry.getTerminator());
    Location loc = func.getLoc();
    auto region = source.getDefiningOp<FusedOp>();
    auto init = region ? region.getInits()[cast<OpResult>(source).getResultNumber()]
                             .getDefiningOp<tensor::EmptyOp>()
                       : tensor::EmptyOp();
    SmallVector<OpFoldResult> sizes =
        init ? init.getMixedSizes() : tensor::getMixedSizes(b, loc, source);
    if (source != value)
      sizes = getViewSizes(b, value.getDefiningOp(), sizes);
    Value empty = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
    auto copy = FusedOp::create(b, loc, source, read, empty, written);
    copy.setLabel("copy");
    b.setInsertionPointToEnd(copy.getBodyBlock());
    YieldOp::create(b, loc, copy.getBodyBlock()->getArguments());
    operand.set(copy.getResult(0));
    // Of a buffer with any strides it would be another copy.
    if (Operation *view = value.getDefiningOp(); source != value && view->use_empty())
      view->erase();
  }
}

LogicalResult DestinationAssigner::checkResults() {
  for (auto [i, value] : llvm::enumerate(entry.getTerminator()->getOperands())) {
    value = lookThroughCasts(value);
    auto result = dyn_cast<OpResult>(value);
    if (!result || !isa<FusedOp>(result.getOwner()))
      return func.emitError() << "expected result " << i << " of '" << func.getName()
                              << "' to be made by a mortar.fused region, but it is "
                              << (result ? "made by " + result.getOwner()
                                                            ->getName()
                                                            .getStringRef()
                                         : Twine("an argument"))
                                     .str();
    returned.push_back(result);
  }
  return success();
}

/// A pool of states is an argument that is updated in place: a copy would cost more than all
/// that is computed. So the new one is returned, or goes on into another region, and nobody
/// reads the old one afterwards.
LogicalResult DestinationAssigner::findStates() {
  for (auto fused : entry.getOps<FusedOp>())
    for (OpResult result : fused->getResults()) {
      unsigned number = result.getResultNumber();
      if (fused.getInitMap(number) != RowMap::State)
        continue;
      Value pool = fused.getInits()[number];
      auto error = [&] {
        return fused.emitError() << "expected the new state to be returned by '"
                                 << func.getName()
                                 << "' in place of the argument that holds the old one, but ";
      };
      if (failed(checkStatesAreUpdated(fused)))
        return failure();
      while (auto before = pool.getDefiningOp<FusedOp>()) {
        unsigned made = cast<OpResult>(pool).getResultNumber();
        if (before.getInitMap(made) != RowMap::State)
          break;
        pool = before.getInits()[made];
      }
      auto argument = dyn_cast<BlockArgument>(pool);
      if (!argument)
        return error() << "the old one is no argument";
      if (func.getArgAttr(argument.getArgNumber(), MortarDialect::constantAttr))
        return error() << "that argument is constant";
      auto *at = llvm::find(returned, result);
      bool goesOn = llvm::any_of(result.getUses(), [](OpOperand &use) {
        auto next = dyn_cast<FusedOp>(use.getOwner());
        return next && next.isDpsInit(&use);
      });
      if (at != returned.end())
        home[at - returned.begin()] = argument.getArgNumber();
      else if (!goesOn)
        return error() << "it isn't returned";
    }
  return success();
}
