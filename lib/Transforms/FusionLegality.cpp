//===- FusionLegality.cpp - what may fuse, and why not --------------------===//

#include "mortar/Transforms/Fusion.h"

#include "RowWidths.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mortar;

//===----------------------------------------------------------------------===//
// One op
//===----------------------------------------------------------------------===//

/// A row's length must be known; a rank-0 tensor has no row.
static bool hasStaticRow(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() > 0 && !ShapedType::isDynamic(type.getShape().back()) &&
         type.getShape().back() > 0;
}

static bool hasElementOfRows(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  return element.isF32() || element.isF16() || element.isBF16();
}

/// What is only stored, and widened before anything is computed with it. Which op makes it
/// is for that op's verifier to say; reading it back is a cast.
static bool mayHoldStorage(Operation *op, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  bool isFloat = isa<Float8E4M3FNType, Float8E8M0FNUType>(element);
  if (!isFloat && !element.isInteger(8))
    return false;
  if (cast<FusionOpInterface>(op).startsRegion())
    return true;
  return op->getNumOperands() == 1 && value == op->getOperand(0) &&
         (isFloat ? isa<arith::ExtFOp>(op) : isa<arith::SIToFPOp>(op));
}

std::optional<Refusal> mortar::whyNotWrapped(FusionOpInterface op) {
  // An attribute that changed the meaning must not be lost, so one that isn't known
  // to be harmless stops fusion. Upstream's fastmath would license other bits.
  for (NamedAttribute attr : op->getAttrs())
    if (!op.knowsAttribute(attr.getName()))
      return Refusal{"unknown-attribute",
                     ("the attribute '" + attr.getName().getValue() +
                      "' may change what the op means")
                         .str(),
                     "remove the attribute"};
  if (auto fastmath = dyn_cast<arith::ArithFastMathInterface>(op.getOperation()))
    if (auto flags = fastmath.getFastMathFlagsAttr();
        flags && flags.getValue() != arith::FastMathFlags::none)
      return Refusal{"unknown-attribute",
                     "fastmath flags would let bits depend on the schedule",
                     "remove the flags"};
  // A narrow fma rounds once where one through f32 rounds twice, and not every device
  // has both; a narrow square root is a library call on some.
  if (isa<math::MathDialect>(op->getDialect()) &&
      !getElementTypeOrSelf(op->getResult(0).getType()).isF32())
    return Refusal{"element-type",
                   "math ops join on f32 only, found " +
                       llvm::formatv("{0}", op->getResult(0).getType()).str(),
                   "widen the operands and round the result"};
  // Of a recurrence the op's verifier has seen to that.
  if (op.getIterationDomain() == IterationDomain::Recurrence)
    return std::nullopt;
  for (Value value : llvm::concat<Value>(SmallVector<Value>(op->getOperands()),
                                         SmallVector<Value>(op->getResults()))) {
    if (!hasStaticRow(value))
      return Refusal{"dynamic-row",
                     "a row's length must be static and at least 1, found " +
                         llvm::formatv("{0}", value.getType()).str(),
                     "make the last dimension static"};
    if (!hasElementOfRows(value) && !mayHoldStorage(op, value))
      return Refusal{"element-type",
                     "rows hold f32, f16 or bf16, found " +
                         llvm::formatv("{0}", value.getType()).str(),
                     ""};
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Two regions
//===----------------------------------------------------------------------===//

/// The op of `block` that holds `op`, or null.
static Operation *ancestorIn(Block *block, Operation *op) {
  return block->findAncestorOpInBlock(*op);
}

/// Whether a value goes from `producer` through something else into `consumer`.
static bool goesAround(FusedOp producer, FusedOp consumer) {
  Block *block = producer->getBlock();
  SmallVector<Operation *> worklist;
  llvm::SmallPtrSet<Operation *, 16> seen;
  auto pushUsers = [&](Operation *op) {
    for (Operation *user : op->getUsers())
      if (Operation *at = ancestorIn(block, user))
        if (seen.insert(at).second)
          worklist.push_back(at);
  };
  for (Operation *user : producer->getUsers())
    if (Operation *at = ancestorIn(block, user); at && at != consumer)
      if (seen.insert(at).second)
        worklist.push_back(at);
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val();
    if (op == consumer)
      return true;
    pushUsers(op);
  }
  return false;
}

/// Joining carries all that depends on `producer` past what stands before `consumer`
/// and doesn't. Whether that would swap two ops with side effects.
static bool swapsSideEffects(FusedOp producer, FusedOp consumer) {
  llvm::SmallPtrSet<Operation *, 16> dependent;
  bool movedAnEffect = false;
  for (Operation *op = producer->getNextNode(); op && op != consumer;
       op = op->getNextNode()) {
    bool depends = false;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *def = operand.getDefiningOp();
        depends |= def && (def == producer || dependent.contains(def));
      }
    });
    bool pure = isMemoryEffectFree(op);
    if (depends) {
      dependent.insert(op);
      movedAnEffect |= !pure;
    } else if (movedAnEffect && !pure) {
      return true;
    }
  }
  return false;
}

/// Lanes pair within groups that are a power of two of values; others are padded, and then
/// no other reduction finds its neighbours.
static std::optional<Refusal> checkGroups(ArrayRef<FusedOp> regions) {
  llvm::SmallSetVector<int64_t, 4> lengths; // 0: a whole row
  for (FusedOp region : regions)
    for (Operation &op : *region.getBodyBlock()) {
      auto fusible = dyn_cast<FusionOpInterface>(op);
      if (!fusible || !fusible.reducesRow())
        continue;
      lengths.insert(fusible.getReducedGroup());
    }
  if (lengths.size() > 1)
    for (int64_t length : lengths)
      if (length && !llvm::isPowerOf2_64(length))
        return Refusal{"odd-groups",
                       llvm::formatv("groups of {0} values are no power of two, and "
                                     "another reduction stands beside them",
                                     length),
                       ""};
  return std::nullopt;
}

bool mortar::isLegalAlone(FusedOp region, const FusionOptions &options) {
  return countLiveBytes(region) <= options.maxLiveBytes && !checkGroups(region);
}

/// Why a block can't hold the whole state of a head, as it must where a row of values is
/// reduced.
static std::optional<Refusal> checkState(FusedOp producer, FusedOp consumer) {
  int64_t elements = 0, values = 0, reductions = 0;
  for (FusedOp region : {producer, consumer})
    for (auto [i, init] : llvm::enumerate(region.getInits()))
      if (region.getInitMap(i) == RowMap::State) {
        auto type = cast<ShapedType>(init.getType());
        values = type.getDimSize(2);
        elements = values * type.getDimSize(3);
      }
  for (FusedOp region : {producer, consumer}) {
    bool ofValues = llvm::any_of(llvm::seq(region->getNumOperands()), [&](unsigned i) {
      return region.getOperandMap(i) == RowMap::ValueRow;
    });
    for (Operation &op : *region.getBodyBlock()) {
      auto fusible = dyn_cast<FusionOpInterface>(op);
      if (!ofValues || !fusible || !fusible.reducesRow())
        continue;
      auto argument = dyn_cast<BlockArgument>(op.getOperand(0));
      bool ofKeys = argument && region.getArgumentMap(argument) == RowMap::KeyRow;
      reductions += !ofKeys && rowLength(op.getOperand(0).getType()) == values;
    }
  }
  // 1024 threads of 32 elements, and 48 KiB of shared memory.
  if (reductions && (elements > 32768 || reductions * values > 12288))
    return Refusal{"budget",
                   llvm::formatv("a row of values is reduced, so that one block would hold "
                                 "all {0} elements of a head's state",
                                 elements),
                   ""};
  return std::nullopt;
}

std::optional<Refusal> mortar::whyNotMerged(FusedOp producer, FusedOp consumer,
                                            const FusionOptions &options) {
  if (producer->getBlock() != consumer->getBlock())
    return Refusal{"other-block", "the two stand in different blocks", ""};
  auto hasState = [](FusedOp region) {
    return llvm::any_of(region.getInitMaps().getAsRange<RowMapAttr>(),
                        [](RowMapAttr map) { return map.getValue() == RowMap::State; });
  };
  if (hasState(producer) && hasState(consumer))
    return Refusal{"domain", "both are recurrences, each with a state of its own", ""};
  for (auto [i, input] : llvm::enumerate(consumer.getInputs())) {
    auto result = dyn_cast<OpResult>(input);
    if (!result || result.getOwner() != producer)
      continue;
    RowMap read = consumer.getInputMap(i),
           made = producer.getInitMap(result.getResultNumber());
    if (read == made)
      continue;
    bool perRow = isPerRow(read);
    return Refusal{"not-by-row",
                   ("the consumer reads it as a " + stringifyRowMap(read) +
                    (perRow ? ", and the producer makes it as a " + stringifyRowMap(made)
                            : Twine(", which needs all rows of the producer first")))
                       .str(),
                   ""};
  }
  for (FusedOp region : {producer, consumer})
    for (NamedAttribute attr : region->getDiscardableAttrs())
      return Refusal{"unknown-attribute",
                     ("the attribute '" + attr.getName().getValue() +
                      "' may change what the region means")
                         .str(),
                     "remove the attribute"};
  if (options.mixedDtypes == MixedDtypes::Separate) {
    if (auto refusal = checkDtypeRule(producer))
      return refusal;
    if (auto refusal = checkDtypeRule(consumer))
      return refusal;
  }
  if (goesAround(producer, consumer))
    return Refusal{"convexity",
                   "a value leaves the producer, passes through an op that isn't "
                   "fused, and comes back into the consumer",
                   ""};
  if (swapsSideEffects(producer, consumer))
    return Refusal{"side-effects",
                   "joining would carry an op with side effects past another", ""};
  if (producer.isRecurrence())
    return checkState(producer, consumer);
  RowWidths widths;
  widths.add(producer);
  widths.add(consumer);
  if (widths.widest > 2 * widths.narrowest ||
      (widths.widest != widths.narrowest && widths.widest != 2 * widths.narrowest))
    return Refusal{"not-by-row",
                   llvm::formatv("rows of {0} and of {1} values don't share threads",
                                 widths.narrowest, widths.widest),
                   ""};
  if (widths.widest != widths.narrowest && widths.widestReduced == widths.widest)
    return Refusal{"wide-reduction",
                   llvm::formatv("a row of {0} values is reduced and then read by "
                                 "halves, which other threads hold",
                                 widths.widest),
                   ""};
  auto repeats = [](FusedOp region) { return !region.getOps<RowRepeatOp>().empty(); };
  if (widths.widest != widths.narrowest && (repeats(producer) || repeats(consumer)))
    return Refusal{"heads",
                   "a weight of one head isn't repeated over rows that are read by halves",
                   ""};
  if (widths.byHalves && widths.byPairs)
    return Refusal{"halves-and-pairs",
                   "one reads a wide row by halves, the other by pairs, and a thread "
                   "holds one or the other",
                   ""};
  if (auto refusal = checkGroups({producer, consumer}))
    return refusal;
  int64_t live = countLiveBytes({producer, consumer});
  if (live > options.maxLiveBytes)
    return Refusal{"budget",
                   llvm::formatv("{0} bytes of a row would be alive at once, and at "
                                 "most {1} may be",
                                 live, options.maxLiveBytes),
                   "raise max-live-bytes, or shorten the chain"};
  return std::nullopt;
}
