//===- CheckInput.cpp - what MLIR's passes can't take ---------------------===//
//
// Begins every pipeline. What is refused here is legal IR that upstream's code
// would crash on, loop over or silently get wrong.
//
//===----------------------------------------------------------------------===//

#include "mortar/Transforms/Passes.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace mortar {
#define GEN_PASS_DEF_CHECKINPUTPASS
#include "mortar/Transforms/Passes.h.inc"
} // namespace mortar

using namespace mlir;
using namespace mortar;

// Walks recurse once a level.
static constexpr size_t maxDepth = 256;
// Strides and sizes in bytes must fit the 48 bits of an address.
static constexpr int64_t maxBytes = int64_t(1) << 47;

/// Why a value may not have this type, or nothing. Bytecode can hold types that
/// text and builders would refuse.
static StringRef whyRefused(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped)
    return "";
  Type element = shaped.getElementType();
  bool fits = TypeSwitch<Type, bool>(type)
                  .Case<RankedTensorType, UnrankedTensorType>([&](Type) {
                    return TensorType::isValidElementType(element);
                  })
                  .Case([&](VectorType) {
                    return VectorType::isValidElementType(element);
                  })
                  .Case<MemRefType, UnrankedMemRefType>([&](Type) {
                    return BaseMemRefType::isValidElementType(element);
                  })
                  .Default(true);
  if (!fits)
    return "an element type that it may have";
  if (!shaped.hasRank())
    return "";
  int64_t bytes = element.isIntOrFloat()
                      ? llvm::divideCeil(element.getIntOrFloatBitWidth(), 8)
                      : 1;
  bool isEmpty = llvm::is_contained(shaped.getShape(), 0);
  for (int64_t extent : shaped.getShape()) {
    if (ShapedType::isDynamic(extent) || isEmpty)
      continue;
    if (extent < 0)
      return "extents of 0 or more";
    if (llvm::MulOverflow(bytes, extent, bytes) || bytes > maxBytes)
      return "at most 2^47 bytes";
  }
  return "";
}

static LogicalResult checkTypes(Operation *op) {
  auto check = [&](Type type, const Twine &what) -> LogicalResult {
    StringRef expected = whyRefused(type);
    if (expected.empty())
      return success();
    return op->emitOpError() << "expected " << what << " to have " << expected
                             << ", but found " << type;
  };
  for (OpResult result : op->getResults())
    if (failed(check(result.getType(),
                     "result " + Twine(result.getResultNumber()))))
      return failure();
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument arg : block.getArguments())
        if (failed(
                check(arg.getType(), "argument " + Twine(arg.getArgNumber()))))
          return failure();
  return success();
}

static LogicalResult checkName(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
  if (name && name.empty() && isa<SymbolOpInterface>(op))
    return op->emitOpError(
        "expected a symbol's name of at least one character, but "
        "found an empty one");
  return success();
}

/// Such ops print one type for all their operands and results, while their
/// verifier lets a static extent stand beside a dynamic one.
static LogicalResult checkOneType(Operation *op) {
  if (!op->hasTrait<OpTrait::SameOperandsAndResultType>())
    return success();
  Type expected = op->getResult(0).getType();
  for (Value operand : op->getOperands())
    if (operand.getType() != expected)
      return op->emitOpError()
             << "expected operands of the result's type, " << expected
             << ", but found " << operand.getType()
             << "; tensor.cast changes an extent to or from a dynamic one";
  return success();
}

namespace {
struct CheckInputPass : ::mortar::impl::CheckInputPassBase<CheckInputPass> {
  void runOnOperation() override {
    // Not by a walk, which would recurse.
    SmallVector<std::pair<Operation *, size_t>> worklist{{getOperation(), 0}};
    while (!worklist.empty()) {
      auto [op, depth] = worklist.pop_back_val();
      if (depth > maxDepth) {
        op->emitOpError() << "expected at most " << maxDepth
                          << " ops within each other, but found more";
        return signalPassFailure();
      }
      if (failed(checkTypes(op)) || failed(checkName(op)) ||
          failed(checkOneType(op)))
        return signalPassFailure();
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (Operation &inner : block)
            worklist.emplace_back(&inner, depth + 1);
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
