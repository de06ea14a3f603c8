//===- AssignDestinations.cpp - results get their callers' buffers --------===//
//
//   func @f(%x: tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
// becomes
//   func @f(%x: memref<?x4096xbf16, strided>, %y: memref<?x4096xbf16, strided>
//             {mortar.output, mortar.result = 0})
//
// After it, bufferization has nothing left to decide: every region's destination is a
// caller's buffer, a dead input's, or a temporary.
//
//===----------------------------------------------------------------------===//

#include "Gaps.h"

#include "mortar/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

namespace mortar {
#define GEN_PASS_DEF_ASSIGNDESTINATIONSPASS
#include "mortar/Transforms/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

namespace {

/// Whether all that regions read and write of `tensor` is one value for each group.
bool holdsGroupScalars(Value tensor) {
  bool isUsed = false;
  if (auto region = tensor.getDefiningOp<FusedOp>()) {
    isUsed = region.getInitMap(cast<OpResult>(tensor).getResultNumber()) ==
             RowMap::GroupScalar;
    if (!isUsed)
      return false;
  }
  for (OpOperand &use : tensor.getUses()) {
    if (isa<tensor::DimOp, func::ReturnOp>(use.getOwner()))
      continue;
    auto region = dyn_cast<FusedOp>(use.getOwner());
    if (!region || region.getOperandMap(use.getOperandNumber()) != RowMap::GroupScalar)
      return false;
    isUsed = true;
  }
  return isUsed;
}

/// The caller's buffer for `tensor`. Rows may lie at any distance; a row's own values are
/// next to each other. But the scales of groups may be row- or column-major.
MemRefType getBufferType(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  if (!strides.empty() && !(strides.size() > 1 && holdsGroupScalars(tensor)))
    strides.back() = 1;
  auto layout =
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  return MemRefType::get(type.getShape(), type.getElementType(), layout);
}

/// One function's rewrite.
class DestinationAssigner {
public:
  explicit DestinationAssigner(func::FuncOp func)
      : func(func), entry(func.front()), b(func.getContext()) {}

  LogicalResult run();

private:
  LogicalResult checkFunction();
  void copySharedResults();
  LogicalResult checkResults();
  LogicalResult checkArguments();
  LogicalResult findStates();
  Value findDeadInput(FusedOp fused, unsigned result, bool isReturned);
  void reuseDeadInputs();
  LogicalResult buildShapes();
  Value cloneDim(Value tensor, int64_t index, OpBuilder &into, Block &args,
                 IRMapping &mapping);
  Value cloneSize(Value size, OpBuilder &into, Block &args, IRMapping &mapping);
  void takeBuffers();
  void giveDestinations();

  func::FuncOp func;
  Block &entry;
  OpBuilder b;
  /// What the function returns, and where each is to be written: an argument's
  /// number, or -1 for a new one.
  SmallVector<OpResult> returned;
  SmallVector<int> home;
  /// What holds a later result already.
  llvm::SmallDenseSet<Value> overwritten;
};

struct AssignDestinationsPass
    : ::mortar::impl::AssignDestinationsPassBase<AssignDestinationsPass> {
  void runOnOperation() override {
    for (auto func :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      bool hasRegions = false;
      func.walk([&](FusedOp fused) { hasRegions |= fused->getNumResults() > 0; });
      if (hasRegions && failed(DestinationAssigner(func).run()))
        return signalPassFailure();
    }
  }
};

} // namespace

LogicalResult DestinationAssigner::run() {
  if (failed(checkFunction()) || failed(checkArguments()))
    return failure();
  copySharedResults();
  if (failed(checkResults()))
    return failure();
  home.assign(returned.size(), -1);
  if (failed(findStates()))
    return failure();
  reuseDeadInputs();
  if (failed(buildShapes()))
    return failure();
  takeBuffers();
  giveDestinations();
  return success();
}

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

/// `value` before casts and reshapes, which share its buffer.
static Value getBase(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// An input of `fused` with the type of its result number `result`, read by row, that
/// nobody reads afterwards and that may be overwritten: an argument for a result that is
/// returned, a temporary for another. An argument is declared as written only where it
/// holds a result.
Value DestinationAssigner::findDeadInput(FusedOp fused, unsigned result,
                                         bool isReturned) {
  Type type = fused.getResult(result).getType();
  for (auto [i, input] : llvm::enumerate(fused.getInputs())) {
    if (input.getType() != type || !isWholeRow(fused.getInputMap(i)) ||
        fused.getInputMap(i) != fused.getInitMap(result) ||
        overwritten.contains(input))
      continue;
    if (auto arg = dyn_cast<BlockArgument>(input)) {
      auto writable =
          func.getArgAttrOfType<BoolAttr>(arg.getArgNumber(), "bufferization.writable");
      if (!isReturned || !writable || !writable.getValue() ||
          llvm::is_contained(home, int(arg.getArgNumber())))
        continue;
    } else if (isReturned || !input.getDefiningOp<FusedOp>()) {
      continue;
    }
    bool isReadOnce = llvm::count_if(fused.getInputs(), [base = input](Value other) {
                        return getBase(other) == base;
                      }) == 1;
    if (isReadOnce && !isReadAfter(input, fused))
      return input;
  }
  return {};
}

void DestinationAssigner::reuseDeadInputs() {
  for (auto fused : entry.getOps<FusedOp>())
    for (OpResult result : fused->getResults()) {
      unsigned number = result.getResultNumber();
      if (!fused.getInits()[number].getDefiningOp<tensor::EmptyOp>())
        continue;
      auto *at = llvm::find(returned, result);
      bool isReturned = at != returned.end();
      Value dead = findDeadInput(fused, number, isReturned);
      if (!dead)
        continue;
      overwritten.insert(dead);
      if (isReturned)
        home[at - returned.begin()] = cast<BlockArgument>(dead).getArgNumber();
      else
        fused.getInitsMutable()[number].assign(dead);
    }
}

/// The size of dimension `index` of `tensor` in the shapes function, where sizes of
/// arguments are sizes of memrefs.
Value DestinationAssigner::cloneDim(Value tensor, int64_t index, OpBuilder &into,
                                    Block &args, IRMapping &mapping) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || index < 0 || index >= type.getRank())
    return {};
  if (!type.isDynamicDim(index))
    return arith::ConstantIndexOp::create(into, tensor.getLoc(),
                                          type.getDimSize(index));
  if (auto arg = dyn_cast<BlockArgument>(tensor))
    return memref::DimOp::create(into, tensor.getLoc(),
                                 args.getArgument(arg.getArgNumber()), index);
  if (auto fused = tensor.getDefiningOp<FusedOp>())
    return cloneDim(fused.getInits()[cast<OpResult>(tensor).getResultNumber()], index,
                    into, args, mapping);
  if (auto cast = tensor.getDefiningOp<tensor::CastOp>())
    return cloneDim(cast.getSource(), index, into, args, mapping);
  if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>())
    return cloneSize(empty.getDynamicSize(index), into, args, mapping);
  return {};
}

/// Clones the computation of `size` into the shapes function.
Value DestinationAssigner::cloneSize(Value size, OpBuilder &into, Block &args,
                                     IRMapping &mapping) {
  if (Value done = mapping.lookupOrNull(size))
    return done;
  Operation *def = size.getDefiningOp();
  if (auto dim = dyn_cast_or_null<tensor::DimOp>(def)) {
    auto index = dim.getConstantIndex();
    Value made = index ? cloneDim(dim.getSource(), *index, into, args, mapping) : Value();
    if (made)
      mapping.map(size, made);
    return made;
  }
  if (!def || def->getNumRegions() || def->getNumResults() != 1)
    return {};
  for (Value operand : def->getOperands()) {
    if (!isa<IndexType>(operand.getType()))
      return {};
    Value made = cloneSize(operand, into, args, mapping);
    if (!made)
      return {};
    mapping.map(operand, made);
  }
  return into.clone(*def, mapping)->getResult(0);
}

LogicalResult DestinationAssigner::buildShapes() {
  SmallVector<Type> argTypes = llvm::map_to_vector(
      entry.getArguments(), [](Value arg) -> Type { return getBufferType(arg); });
  b.setInsertionPointAfter(func);
  auto shapes = func::FuncOp::create(b, func.getLoc(),
                                     (func.getName() + ".shapes").str(),
                                     b.getFunctionType(argTypes, {}));
  shapes.setPrivate();
  Block *body = shapes.addEntryBlock();
  OpBuilder into = OpBuilder::atBlockEnd(body);
  IRMapping mapping;
  SmallVector<Value> sizes;
  for (auto [result, argument] : llvm::zip_equal(returned, home)) {
    if (argument >= 0)
      continue;
    auto fused = cast<FusedOp>(result.getOwner());
    auto empty =
        fused.getInits()[result.getResultNumber()].getDefiningOp<tensor::EmptyOp>();
    if (!empty)
      return fused.emitError("expected the destination of a returned result to be a "
                             "tensor.empty, but found another tensor");
    for (Value size : empty.getDynamicSizes()) {
      Value made = cloneSize(size, into, *body, mapping);
      if (!made)
        return empty.emitError("expected the result's size to be computed from the "
                               "arguments' sizes alone, but found another op");
      sizes.push_back(made);
    }
  }
  func::ReturnOp::create(into, func.getLoc(), sizes);
  shapes.setFunctionType(b.getFunctionType(argTypes, ValueRange(sizes).getTypes()));
  return success();
}

/// Arguments become memrefs; the body goes on with tensors of them.
void DestinationAssigner::takeBuffers() {
  b.setInsertionPointToStart(&entry);
  for (BlockArgument arg : entry.getArguments()) {
    auto type = cast<RankedTensorType>(arg.getType());
    bool writable = llvm::is_contained(home, int(arg.getArgNumber()));
    if (auto attr = func.getArgAttrOfType<BoolAttr>(arg.getArgNumber(),
                                                    "bufferization.writable"))
      writable |= attr.getValue();
    arg.setType(getBufferType(arg));
    auto tensor = bufferization::ToTensorOp::create(b, func.getLoc(), type, arg,
                                                    /*restrict=*/true, writable);
    arg.replaceAllUsesExcept(tensor, tensor);
    func.removeArgAttr(arg.getArgNumber(), "bufferization.writable");
  }
}

void DestinationAssigner::giveDestinations() {
  for (auto [i, result, argument] : llvm::enumerate(returned, home)) {
    auto fused = cast<FusedOp>(result.getOwner());
    auto type = cast<RankedTensorType>(result.getType());
    Value destination;
    if (argument >= 0) {
      for (Operation *user : entry.getArgument(argument).getUsers())
        if (auto tensor = dyn_cast<bufferization::ToTensorOp>(user))
          destination = tensor;
    } else {
      argument = entry.getNumArguments();
      auto attrs = b.getDictionaryAttr(
          b.getNamedAttr(MortarDialect::outputAttr, b.getUnitAttr()));
      entry.addArgument(getBufferType(result), fused.getLoc());
      func.setFunctionType(b.getFunctionType(entry.getArgumentTypes(),
                                             func.getResultTypes()));
      SmallVector<Attribute> all;
      if (ArrayAttr old = func.getAllArgAttrs())
        llvm::append_range(all, old.getValue());
      all.resize(argument, b.getDictionaryAttr({}));
      all.push_back(attrs);
      func.setAllArgAttrs(b.getArrayAttr(all));
      b.setInsertionPointToStart(&entry);
      destination = bufferization::ToTensorOp::create(
          b, fused.getLoc(), type, entry.getArgument(argument), /*restrict=*/true,
          /*writable=*/true);
    }
    func.setArgAttr(argument, MortarDialect::resultAttr, b.getI64IntegerAttr(i));
    if (fused.getInitMap(result.getResultNumber()) != RowMap::State)
      fused.getInitsMutable()[result.getResultNumber()].assign(destination);
    b.setInsertionPoint(entry.getTerminator());
    bufferization::MaterializeInDestinationOp::create(
        b, fused.getLoc(), /*result=*/Type(), result, entry.getArgument(argument),
        /*restrict=*/false, /*writable=*/true);
  }
  entry.getTerminator()->setOperands({});
  func.setFunctionType(b.getFunctionType(entry.getArgumentTypes(), {}));
  if (func.getAllResultAttrs())
    func.removeResAttrsAttr();
}
