//===- Recurrence.cpp - sequences, heads and tokens in order --------------===//

#include "mortar/Interpreter/Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mortar;
using namespace mortar::interpreter;

namespace {
/// A recurrence on its operands, as gated_delta_rule's description says.
class RecurrenceRun {
public:
  RecurrenceRun(FusedOp region, const RecurrenceShape &shape,
                std::vector<const Array *> inputs, std::vector<Array> &results)
      : region(region), shape(shape), inputs(std::move(inputs)), results(results) {}

  LogicalResult check();
  LogicalResult run();

private:
  int64_t readIndex(int input, int64_t at) const {
    return int32_t(inputs[input]->bits[at]);
  }
  int64_t clampToTokens(int64_t bound) const {
    return std::clamp<int64_t>(bound, 0, tokens);
  }
  /// The slot in row `sequence` and `column` of the slots, or -1 if it isn't valid.
  int64_t findSlot(int64_t sequence, int64_t column) const {
    int64_t slot = readIndex(shape.slots, sequence * shape.slotColumns + column);
    return slot > 0 && slot < numSlots ? slot : -1;
  }
  int64_t findFirstSlot(int64_t sequence) const;
  Array seeThrough(RowMap map, const Array &operand, int64_t token, int64_t head) const;
  void write(RowMap map, Array &result, const Array &value, int64_t token, int64_t head);
  Array loadState(int64_t slot, int64_t head);
  void storeState(const Array &state, int64_t slot, int64_t head);
  LogicalResult runToken(int64_t token, int64_t head, bool isPadding, Array &state);
  LogicalResult runSequence(int64_t sequence, int64_t head);

  FusedOp region;
  const RecurrenceShape &shape;
  std::vector<const Array *> inputs;
  std::vector<Array> &results;
  int64_t tokens = 0, sequences = 0, numSlots = 0;
};
} // namespace

LogicalResult RecurrenceRun::check() {
  auto countTokens = [&](RowMap map, const Array &array) {
    Type shaped = RankedTensorType::get(array.shape, array.elementType);
    int64_t count = 1;
    unsigned dims = RecurrenceShape::countTokenDims(cast<ShapedType>(shaped), map);
    for (int64_t extent : ArrayRef(array.shape).take_front(dims))
      count *= extent;
    return dims ? count : -1;
  };
  tokens = -1;
  for (unsigned i = 0; i < inputs.size() + results.size(); ++i) {
    bool isInput = i < inputs.size();
    int64_t found =
        isInput ? countTokens(region.getInputMap(i), *inputs[i])
                : countTokens(region.getInitMap(i - inputs.size()), results[i - inputs.size()]);
    if (found < 0)
      continue;
    if (tokens >= 0 && found != tokens)
      return region.emitError() << "expected operand " << i << " to have " << tokens
                                << " tokens, but found " << found;
    tokens = found;
  }
  sequences = inputs[shape.slots]->shape[0];
  numSlots = results[shape.state].shape[0];
  int64_t expected = shape.bounds >= 0        ? inputs[shape.bounds]->shape[0] - 1
                     : shape.tokenDims == 2 ? tokens / std::max<int64_t>(1, sequences)
                                            : tokens;
  if (shape.tokenDims == 2)
    expected = tokens && sequences ? (tokens % sequences ? -1 : sequences) : sequences;
  if (expected != sequences ||
      (shape.accepted >= 0 && inputs[shape.accepted]->shape[0] != sequences))
    return region.emitError() << "expected slots, bounds and accepted counts of " << expected
                              << " sequences, but found " << sequences << " rows of slots";
  return success();
}

int64_t RecurrenceRun::findFirstSlot(int64_t sequence) const {
  int64_t accepted = shape.accepted >= 0 ? readIndex(shape.accepted, sequence) : 1;
  if (accepted < 1 || accepted > shape.slotColumns)
    return -1;
  return findSlot(sequence, accepted - 1);
}

/// Where what `map` sees of one token and head begins, and how long it is.
static std::pair<int64_t, int64_t> locate(RowMap map, const Array &array, int64_t token,
                                          int64_t head, int64_t heads) {
  ArrayRef<int64_t> extents = array.shape;
  int64_t length = extents.back();
  switch (map) {
  case RowMap::KeyRow: {
    int64_t own = extents[extents.size() - 2];
    return {(token * own + head / (heads / own)) * length, length};
  }
  case RowMap::ValueRow:
  case RowMap::ValueScalar:
    return {(token * heads + head) * length, length};
  case RowMap::HeadScalar:
    return {token * heads + head, 1};
  case RowMap::Head:
    return {head, 1};
  case RowMap::Slots:
  case RowMap::Bounds:
  case RowMap::Accepted:
    return {0, 0}; // no primitive reads an index
  default:
    return {0, length};
  }
}

Array RecurrenceRun::seeThrough(RowMap map, const Array &operand, int64_t token,
                                int64_t head) const {
  auto [begin, length] = locate(map, operand, token, head, shape.heads);
  Array seen{operand.elementType, {}, {}};
  if (map == RowMap::KeyRow || map == RowMap::ValueRow || map == RowMap::Column)
    seen.shape = {length};
  seen.bits.assign(operand.bits.begin() + begin, operand.bits.begin() + begin + length);
  return seen;
}

void RecurrenceRun::write(RowMap map, Array &result, const Array &value, int64_t token,
                          int64_t head) {
  auto [begin, length] = locate(map, result, token, head, shape.heads);
  std::copy(value.bits.begin(), value.bits.end(), result.bits.begin() + begin);
}

/// By arith's own casts between the pool's type and f32.
static Array convert(const Array &from, Type to) {
  if (from.elementType == to)
    return from;
  Array made{to, from.shape, {}};
  const auto &source = cast<FloatType>(from.elementType).getFloatSemantics();
  const auto &target = cast<FloatType>(to).getFloatSemantics();
  for (uint64_t bits : from.bits) {
    APFloat value(source, APInt(llvm::APFloat::getSizeInBits(source), bits));
    bool lost;
    value.convert(target, APFloat::rmNearestTiesToEven, &lost);
    made.bits.push_back(value.bitcastToAPInt().getZExtValue());
  }
  return made;
}

Array RecurrenceRun::loadState(int64_t slot, int64_t head) {
  const Array &pool = results[shape.state];
  int64_t length = shape.values * shape.keys, begin = (slot * shape.heads + head) * length;
  Array state{pool.elementType, {shape.values, shape.keys}, {}};
  if (slot < 0)
    state.bits.assign(length, 0);
  else
    state.bits.assign(pool.bits.begin() + begin, pool.bits.begin() + begin + length);
  return convert(state, Float32Type::get(pool.elementType.getContext()));
}

void RecurrenceRun::storeState(const Array &state, int64_t slot, int64_t head) {
  Array &pool = results[shape.state];
  Array stored = convert(state, pool.elementType);
  std::copy(stored.bits.begin(), stored.bits.end(),
            pool.bits.begin() + (slot * shape.heads + head) * shape.values * shape.keys);
}

LogicalResult RecurrenceRun::runToken(int64_t token, int64_t head, bool isPadding,
                                      Array &state) {
  std::vector<Array> arguments;
  for (auto [i, input] : llvm::enumerate(inputs))
    arguments.push_back(seeThrough(region.getInputMap(i), *input, token, head));
  arguments.push_back(state);
  auto yielded = evaluateRow(region, std::move(arguments), isPadding);
  if (failed(yielded))
    return failure();
  for (auto [i, value] : llvm::enumerate(*yielded))
    if (int(i) == shape.state)
      state = value;
    else
      write(region.getInitMap(i), results[i], value, token, head);
  return success();
}

LogicalResult RecurrenceRun::runSequence(int64_t sequence, int64_t head) {
  int64_t begin = sequence, end = sequence + 1;
  if (shape.bounds >= 0) {
    begin = clampToTokens(readIndex(shape.bounds, sequence));
    end = clampToTokens(readIndex(shape.bounds, sequence + 1));
  } else if (shape.tokenDims == 2) {
    int64_t each = tokens / sequences;
    begin = sequence * each;
    end = begin + each;
  }
  int64_t first = findFirstSlot(sequence);
  Array state = loadState(first, head);
  for (int64_t token = begin; token < end; ++token) {
    int64_t slot =
        findSlot(sequence, std::min(token - begin, shape.slotColumns - 1));
    bool isPadding = first < 0 || slot < 0;
    if (failed(runToken(token, head, isPadding, state)))
      return failure();
    if (!isPadding)
      storeState(state, slot, head);
  }
  return success();
}

LogicalResult RecurrenceRun::run() {
  for (int64_t head = 0; head < shape.heads; ++head) {
    for (int64_t sequence = 0; sequence < sequences; ++sequence)
      if (failed(runSequence(sequence, head)))
        return failure();
    if (shape.bounds < 0)
      continue;
    // Tokens of no sequence.
    int64_t first = clampToTokens(readIndex(shape.bounds, 0));
    int64_t last = clampToTokens(readIndex(shape.bounds, sequences));
    for (int64_t token = 0; token < tokens; ++token) {
      if (token >= first && token < last)
        continue;
      Array none = loadState(-1, head);
      if (failed(runToken(token, head, /*isPadding=*/true, none)))
        return failure();
    }
  }
  return success();
}

LogicalResult interpreter::runRecurrence(FusedOp region, std::vector<const Array *> inputs,
                                         std::vector<Array> &results) {
  auto shape = RecurrenceShape::get(region);
  if (failed(shape))
    return failure();
  RecurrenceRun run(region, *shape, std::move(inputs), results);
  return success(succeeded(run.check()) && succeeded(run.run()));
}
