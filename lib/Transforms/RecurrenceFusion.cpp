//===- RecurrenceFusion.cpp - rows become a part of a recurrence ----------===//
//
//   g, b = gdn_gating(..);  k = l2_norm(..);  o, s = gated_delta_rule(q, k, v, g, b, s)
//   y = gated_rms_norm(o, z)
//
// A recurrence's program sees one token of one head. What computes the rows of heads does
// the same there, and what computes each element of a token's row by itself computes there
// the one of this head.
//
//===----------------------------------------------------------------------===//

#include "mortar/Transforms/Fusion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mortar;

namespace {
/// How a region of rows meets a recurrence.
struct Meeting {
  RowMap map;                // of the value between the two, in the recurrence
  ArrayRef<int64_t> extents; // of it: the tokens', the heads' and a row's
};
} // namespace

/// The value between `rows` and `recurrence`, or why they can't meet.
static std::pair<Meeting, std::optional<Refusal>> findMeeting(FusedOp rows,
                                                              FusedOp recurrence) {
  std::optional<Meeting> found;
  auto refuse = [](const Twine &because) {
    return std::pair(Meeting{}, std::optional(Refusal{"recurrence", because.str(), ""}));
  };
  auto meet = [&](RowMap map, Value value) {
    Meeting here{map, cast<RankedTensorType>(value.getType()).getShape()};
    bool same = !found || (found->map == here.map && found->extents == here.extents);
    found = here;
    return same;
  };
  for (auto [i, input] : llvm::enumerate(recurrence.getInputs()))
    if (input.getDefiningOp() == rows && !meet(recurrence.getInputMap(i), input))
      return refuse("the recurrence reads its results in two ways");
  for (auto [i, input] : llvm::enumerate(rows.getInputs())) {
    if (input.getDefiningOp() != recurrence)
      continue;
    RowMap map = recurrence.getInitMap(cast<OpResult>(input).getResultNumber());
    if (map == RowMap::State || rows.getInputMap(i) != RowMap::Row || !meet(map, input))
      return refuse("it reads the recurrence's " + stringifyRowMap(map) + " as a " +
                    stringifyRowMap(rows.getInputMap(i)));
  }
  bool mayEnter = found && (found->map == RowMap::KeyRow || found->map == RowMap::ValueRow ||
                            found->map == RowMap::HeadScalar);
  if (!mayEnter)
    return refuse("the recurrence reads it as " +
                  stringifyRowMap(found ? found->map : RowMap::State));
  return {*found, std::nullopt};
}

/// The map in a recurrence of an operand that `rows` has by `map`, or nothing.
static std::optional<RowMap> findMap(RowMap map, Type type, const Meeting &meeting) {
  ArrayRef<int64_t> extents = cast<RankedTensorType>(type).getShape();
  switch (map) {
  case RowMap::Row:
    return extents == meeting.extents ? std::optional(meeting.map) : std::nullopt;
  case RowMap::Column:
    return meeting.map == RowMap::HeadScalar ? RowMap::Head : RowMap::Column;
  case RowMap::Scalar:
    return RowMap::Scalar;
  case RowMap::RowScalar:
    if (meeting.map == RowMap::ValueRow &&
        extents.drop_back() == meeting.extents.drop_back())
      return RowMap::ValueScalar;
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

/// Whether `op` means the same on one head's rows, or as `asScalars` on one element.
static bool mayEnter(Operation &op, int64_t length, bool asScalars) {
  auto isOfLength = [&](Type type) {
    return !isa<VectorType>(type) || rowLength(type) == length;
  };
  if (!llvm::all_of(op.getOperandTypes(), isOfLength) ||
      !llvm::all_of(op.getResultTypes(), isOfLength))
    return false;
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return !isa<VectorType>(constant.getType()) ||
           isa<SplatElementsAttr>(constant.getValue());
  auto fusible = dyn_cast<FusionOpInterface>(op);
  if (!fusible)
    return false;
  return !asScalars || fusible.acceptsScalars();
}

/// A copy of `op`, with scalars for rows if the mapped operands are.
static void enterOp(OpBuilder &b, Operation &op, IRMapping &mapping, bool asScalars) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && asScalars)
    if (auto splat = dyn_cast<SplatElementsAttr>(constant.getValue())) {
      auto value = cast<TypedAttr>(splat.getSplatValue<Attribute>());
      mapping.map(constant.getResult(),
                  arith::ConstantOp::create(b, op.getLoc(), value).getResult());
      return;
    }
  Operation *made = b.clone(op, mapping);
  if (asScalars)
    for (Value result : made->getResults())
      result.setType(getElementTypeOrSelf(result.getType()));
}

ChangedRegion mortar::enterRecurrence(RewriterBase &rewriter, FusedOp rows,
                                      FusedOp other) {
  auto refuse = [](const Twine &because) {
    return ChangedRegion{{}, Refusal{"recurrence", because.str(), ""}};
  };
  auto [meeting, refusal] = findMeeting(rows, other);
  if (refusal)
    return {{}, refusal};
  if (!rows->getDiscardableAttrs().empty())
    return refuse("it has attributes that a recurrence might not keep");
  bool comesBefore = llvm::any_of(other.getInputs(), [&](Value input) {
    return input.getDefiningOp() == rows;
  });
  // A recurrence runs over the tokens of its sequences, and for each key head more than once.
  for (Operation *user : rows->getUsers())
    if (comesBefore && user != other)
      return refuse("its result is read outside the recurrence, too, which may not "
                    "run over all tokens");
  SmallVector<RowMap> inputMaps, initMaps;
  for (auto [i, input] : llvm::enumerate(rows.getInputs())) {
    auto map = findMap(rows.getInputMap(i), input.getType(), meeting);
    if (!map)
      return refuse("it reads a " + stringifyRowMap(rows.getInputMap(i)) +
                    " that isn't one token's, or one head's");
    inputMaps.push_back(*map);
  }
  for (auto [i, init] : llvm::enumerate(rows.getInits())) {
    auto map = findMap(rows.getInitMap(i), init.getType(), meeting);
    if (!map)
      return refuse("it makes a " + stringifyRowMap(rows.getInitMap(i)) +
                    " that isn't one token's, or one head's");
    initMaps.push_back(*map);
  }
  bool asScalars = meeting.map == RowMap::HeadScalar;
  for (Operation &op : rows.getBodyBlock()->without_terminator())
    if (auto fusible = dyn_cast<FusionOpInterface>(op);
        fusible && fusible.reducesRow() && fusible.getReducedGroup())
      return refuse("'" + op.getName().getStringRef() +
                    "' reduces groups of a head's row, which a recurrence has whole");
  for (Operation &op : rows.getBodyBlock()->without_terminator())
    if (!mayEnter(op, meeting.extents.back(), asScalars))
      return refuse("'" + op.getName().getStringRef() + "' needs more than one head's " +
                    (asScalars ? "element" : "row"));

  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(rows);
  auto region = FusedOp::create(rewriter, rows.getLoc(), rows.getInputs(), inputMaps,
                                rows.getInits(), initMaps, IterationDomain::Recurrence);
  if (auto label = rows.getLabelAttr())
    region.setLabelAttr(label);
  rewriter.setInsertionPointToEnd(region.getBodyBlock());
  IRMapping mapping;
  mapping.map(rows.getBodyBlock()->getArguments(), region.getBodyBlock()->getArguments());
  for (Operation &op : rows.getBodyBlock()->without_terminator())
    enterOp(rewriter, op, mapping, asScalars);
  SmallVector<Value> yielded;
  for (Value value : rows.getBodyBlock()->getTerminator()->getOperands())
    yielded.push_back(mapping.lookup(value));
  YieldOp::create(rewriter, rows.getLoc(), yielded);
  return {region, std::nullopt};
}
