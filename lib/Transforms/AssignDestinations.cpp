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

#include "DestinationAssigner.h"

#include "mortar/Transforms/Passes.h"

namespace mortar {
#define GEN_PASS_DEF_ASSIGNDESTINATIONSPASS
#include "mortar/Transforms/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

namespace {

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

/// Whether all that regions read and write of `tensor` is one value for each group.
static bool holdsGroupScalars(Value tensor) {
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

MemRefType mortar::getBufferType(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  if (!strides.empty() && !(strides.size() > 1 && holdsGroupScalars(tensor)))
    strides.back() = 1;
  auto layout =
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  return MemRefType::get(type.getShape(), type.getElementType(), layout);
}

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
