//===- RecurrenceShape.cpp - what a recurrence runs over ------------------===//

#include "mortar/IR/Mortar.h"

#include "mlir/Support/DebugStringHelper.h"

using namespace mlir;
using namespace mortar;

/// How many dimensions of an operand of `map` belong to one token; of an operand that has
/// none for tokens, all of its own.
static unsigned countOwnDims(RowMap map) {
  switch (map) {
  case RowMap::KeyRow:
  case RowMap::ValueRow:
  case RowMap::ValueScalar:
    return 2;
  case RowMap::HeadScalar:
    return 1;
  default:
    return 0;
  }
}

unsigned RecurrenceShape::countTokenDims(ShapedType type, RowMap map) {
  unsigned own = countOwnDims(map);
  return own ? type.getRank() - own : 0;
}

FailureOr<RecurrenceShape> RecurrenceShape::get(FusedOp region) {
  RecurrenceShape shape;
  auto fail = [&](const Twine &expected, const Twine &found) {
    return region.emitOpError() << "(C7) expected " << expected << ", but found " << found;
  };
  for (auto [i, map] : llvm::enumerate(region.getInputMaps().getAsRange<RowMapAttr>())) {
    int *number = map.getValue() == RowMap::Slots      ? &shape.slots
                  : map.getValue() == RowMap::Bounds   ? &shape.bounds
                  : map.getValue() == RowMap::Accepted ? &shape.accepted
                                                       : nullptr;
    if (!number)
      continue;
    if (*number >= 0)
      return fail("one operand of " + stringifyRowMap(map.getValue()), "two");
    *number = i;
    Type type = region.getInputs()[i].getType();
    if (!getElementTypeOrSelf(type).isInteger(32))
      return fail(stringifyRowMap(map.getValue()) + " of i32", debugString(type));
  }
  for (auto [i, map] : llvm::enumerate(region.getInitMaps().getAsRange<RowMapAttr>()))
    if (map.getValue() == RowMap::State) {
      if (shape.state >= 0)
        return fail("one state", "two");
      shape.state = i;
    }
  if (shape.state < 0 || shape.slots < 0)
    return fail("a state and its slots", "none");
  auto pool = cast<ShapedType>(region.getInits()[shape.state].getType());
  if (Type element = pool.getElementType();
      !element.isF32() && !element.isBF16() && !element.isF16())
    return fail("a state of f32, bf16 or f16", debugString(Type(pool)));
  ArrayRef<int64_t> sizes = pool.getShape();
  shape.heads = sizes[1];
  shape.values = sizes[2];
  shape.keys = sizes[3];
  if (shape.keys > 1024 || shape.values > 65536 / shape.keys)
    return fail("at most 1024 keys, and 65536 elements in a head's state",
                debugString(Type(pool)));
  auto slots = cast<ShapedType>(region.getInputs()[shape.slots].getType());
  if (slots.getRank() == 2)
    shape.slotColumns = slots.getDimSize(1);

  ArrayRef<int64_t> tokens; // of the operand before
  for (auto [i, operand] : llvm::enumerate(region.getOperands())) {
    unsigned inputs = region.getInputs().size();
    RowMap map = i < inputs ? region.getInputMap(i) : region.getInitMap(i - inputs);
    auto type = cast<ShapedType>(operand.getType());
    ArrayRef<int64_t> own = type.getShape();
    std::string name = (i < inputs ? "input " + Twine(i) : "destination " + Twine(i - inputs)).str();
    bool fits = true;
    switch (map) {
    case RowMap::KeyRow:
      fits = shape.heads % own.end()[-2] == 0 && own.back() == shape.keys;
      break;
    case RowMap::ValueRow:
      fits = own.end()[-2] == shape.heads && own.back() == shape.values;
      break;
    case RowMap::ValueScalar:
      fits = own.end()[-2] == shape.heads;
      break;
    case RowMap::HeadScalar:
    case RowMap::Head:
      fits = own.back() == shape.heads;
      break;
    default:
      break;
    }
    if (!fits)
      return fail(name + " to fit the state, " + debugString(Type(pool)),
                  debugString(Type(type)));
    unsigned dims = countTokenDims(type, map);
    if (!dims)
      continue;
    if (!shape.tokenDims) {
      shape.tokenDims = dims;
      tokens = own.take_front(dims);
    }
    if (dims > 2 || failed(verifyCompatibleShape(tokens, own.take_front(dims))))
      return fail(name + " to have the same one or two dimensions of tokens as the others",
                  debugString(Type(type)));
  }
  if (!shape.tokenDims)
    return fail("an operand of tokens", "none");
  if (shape.bounds >= 0 && shape.tokenDims != 1)
    return fail("one dimension of tokens beside bounds", "two");
  if (shape.bounds < 0 &&
      failed(verifyCompatibleShape(tokens.take_front(), slots.getShape().take_front())))
    return fail("a row of slots for each sequence, " + debugString(Type(slots)),
                Twine(tokens.front()) + " of them");
  return shape;
}
