//===- FusedOp.cpp - one region = one kernel ------------------------------===//

#include "mortar/IR/Mortar.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mortar;

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

static ArrayAttr buildMaps(Builder &b, ArrayRef<RowMap> maps) {
  return b.getArrayAttr(llvm::map_to_vector(maps, [&](RowMap map) -> Attribute {
    return RowMapAttr::get(b.getContext(), map);
  }));
}

/// The body's block is made with its arguments and without a terminator.
void FusedOp::build(OpBuilder &b, OperationState &state, ValueRange inputs,
                    ArrayRef<RowMap> inputMaps, ValueRange inits,
                    ArrayRef<RowMap> initMaps, IterationDomain domain) {
  state.addOperands(inputs);
  state.addOperands(inits);
  auto &props = state.getOrAddProperties<Properties>();
  props.setOperandSegmentSizes({int32_t(inputs.size()), int32_t(inits.size())});
  props.setInputMaps(buildMaps(b, inputMaps));
  props.setInitMaps(buildMaps(b, initMaps));
  props.setDomain(IterationDomainAttr::get(b.getContext(), domain));
  for (Value init : inits)
    if (isa<RankedTensorType>(init.getType()))
      state.addTypes(init.getType());
  Block &block = state.addRegion()->emplaceBlock();
  for (auto [input, map] : llvm::zip_equal(inputs, inputMaps))
    block.addArgument(getRowType(input.getType(), map), input.getLoc());
  for (auto [init, map] : llvm::zip_equal(inits, initMaps))
    if (map == RowMap::State)
      block.addArgument(getRowType(init.getType(), map), init.getLoc());
}

BlockArgument FusedOp::getStateArgument(unsigned i) {
  unsigned number = getInputs().size();
  for (unsigned before = 0; before < i; ++before)
    number += getInitMap(before) == RowMap::State;
  return getBody().getArgument(number);
}

Type FusedOp::getRowType(Type type, RowMap map) {
  auto shaped = dyn_cast<ShapedType>(type);
  // Asked before any verifier has run: elements may be what no vector holds.
  if (!shaped || !shaped.hasRank() || shaped.getRank() < 1 ||
      !VectorType::isValidElementType(shaped.getElementType()))
    return {};
  int64_t length = shaped.getShape().back();
  bool oneRow = shaped.getRank() == 1;
  auto isKnown = [](int64_t extent) { return extent >= 1; }; // nor dynamic
  switch (map) {
  case RowMap::Column:
    if (!oneRow)
      return {};
    [[fallthrough]];
  case RowMap::Row:
  case RowMap::GroupScalar:
    if (ShapedType::isDynamic(length) || length < 1)
      return {};
    return VectorType::get({length}, shaped.getElementType());
  case RowMap::Heads: {
    int64_t heads = oneRow ? 0 : shaped.getShape().end()[-2], row = 0;
    if (ShapedType::isDynamic(length) || length < 1 || heads < 1 ||
        llvm::MulOverflow(heads, length, row))
      return {};
    return VectorType::get({row}, shaped.getElementType());
  }
  case RowMap::Scalar:
    if (!oneRow)
      return {};
    [[fallthrough]];
  case RowMap::RowScalar:
    return length == 1 ? shaped.getElementType() : Type();
  case RowMap::KeyRow:
  case RowMap::ValueRow:
    if (shaped.getRank() < 3 || !llvm::all_of(shaped.getShape().take_back(2), isKnown))
      return {};
    return VectorType::get({length}, shaped.getElementType());
  case RowMap::ValueScalar:
    if (shaped.getRank() < 3 || length != 1 || !isKnown(shaped.getShape().end()[-2]))
      return {};
    return shaped.getElementType();
  case RowMap::HeadScalar:
    return shaped.getRank() >= 2 && isKnown(length) ? shaped.getElementType() : Type();
  case RowMap::Head:
    return oneRow && isKnown(length) ? shaped.getElementType() : Type();
  case RowMap::State: {
    ArrayRef<int64_t> matrix = shaped.getShape().take_back(2);
    int64_t elements = 0;
    if (shaped.getRank() != 4 || !llvm::all_of(shaped.getShape().take_back(3), isKnown) ||
        llvm::MulOverflow(matrix[0], matrix[1], elements))
      return {};
    return VectorType::get(matrix, Float32Type::get(type.getContext()));
  }
  case RowMap::Slots:
    if (shaped.getRank() == 2 && isKnown(length))
      return shaped.getElementType();
    [[fallthrough]];
  case RowMap::Bounds:
  case RowMap::Accepted:
    return oneRow ? shaped.getElementType() : Type();
  }
  llvm_unreachable("all maps are named above");
}

bool FusedOp::reducesRow() {
  return llvm::any_of(getBodyBlock()->without_terminator(), [](Operation &op) {
    if (isa<RowReduceOp>(op))
      return true;
    auto fusible = dyn_cast<FusionOpInterface>(op);
    return fusible && fusible.reducesRow();
  });
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

void FusedOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  static constexpr StringLiteral names[] = {"row", "column", "row_scalar", "scalar",
                                            "group_scalar", "heads", "key", "value",
                                            "scalar", "scalar", "head", "state", "slot",
                                            "bound", "accepted"};
  for (BlockArgument arg : region.getArguments())
    setName(arg, names[unsigned(getArgumentMap(arg))]);
}

void FusedOp::print(OpAsmPrinter &p) {
  if (getDomain() != IterationDomain::Rows)
    p << ' ' << stringifyIterationDomain(getDomain());
  // States come behind the inputs, and are named where they stand.
  unsigned state = getInputs().size();
  auto printOperands = [&](StringRef keyword, OperandRange operands, ArrayAttr maps,
                           bool withArguments) {
    if (operands.empty())
      return;
    p << ' ' << keyword << '(';
    for (auto [i, operand] : llvm::enumerate(operands)) {
      if (i)
        p << ", ";
      if (withArguments)
        p << getBody().getArgument(i) << " = ";
      else if (cast<RowMapAttr>(maps[i]).getValue() == RowMap::State)
        p << getBody().getArgument(state++) << " = ";
      p << stringifyRowMap(cast<RowMapAttr>(maps[i]).getValue()) << ' ' << operand;
    }
    p << " : ";
    llvm::interleaveComma(operands.getTypes(), p);
    p << ')';
  };
  printOperands("ins", getInputs(), getInputMaps(), /*withArguments=*/true);
  printOperands("outs", getInits(), getInitMaps(), /*withArguments=*/false);
  p.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(), {"operandSegmentSizes", "input_maps", "init_maps", "domain"});
  p << ' ';
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  p.printOptionalArrowTypeList(getResultTypes());
}

/// keyword ( [%arg =] map %operand, ... : type, ... )
/// An input has an argument; of destinations only a state may have one.
static ParseResult parseOperands(OpAsmParser &parser, StringRef keyword,
                                 OperationState &state, SmallVector<Attribute> &maps,
                                 SmallVectorImpl<OpAsmParser::Argument> &arguments,
                                 bool areInputs) {
  if (failed(parser.parseOptionalKeyword(keyword)))
    return success();
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types;
  SMLoc loc = parser.getCurrentLocation();
  auto parseOne = [&]() -> ParseResult {
    StringRef map;
    SMLoc mapLoc;
    OpAsmParser::Argument argument;
    OptionalParseResult named = parser.parseOptionalArgument(argument);
    if (named.has_value() ? failed(*named) || parser.parseEqual()
                          : areInputs && parser.parseArgument(argument))
      return failure();
    mapLoc = parser.getCurrentLocation();
    if (parser.parseKeyword(&map) || parser.parseOperand(operands.emplace_back()))
      return failure();
    auto symbol = symbolizeRowMap(map);
    if (!symbol)
      return parser.emitError(mapLoc)
             << "expected row, column, row_scalar, scalar, group_scalar or heads, or a map "
                "of a recurrence, but found '"
             << map << "'";
    if (!areInputs && named.has_value() != (*symbol == RowMap::State))
      return parser.emitError(mapLoc)
             << "expected a state to have an argument, and no other destination, but "
                "found "
             << map << (named.has_value() ? " with" : " without") << " one";
    if (named.has_value())
      arguments.push_back(argument);
    maps.push_back(RowMapAttr::get(parser.getContext(), *symbol));
    return success();
  };
  if (parser.parseLParen() || parser.parseCommaSeparatedList(parseOne) ||
      parser.parseColonTypeList(types) || parser.parseRParen())
    return failure();
  return parser.resolveOperands(operands, types, loc, state.operands);
}

ParseResult FusedOp::parse(OpAsmParser &parser, OperationState &state) {
  Builder &b = parser.getBuilder();
  auto &props = state.getOrAddProperties<Properties>();
  bool recurrence = succeeded(parser.parseOptionalKeyword("recurrence"));
  props.setDomain(IterationDomainAttr::get(
      b.getContext(), recurrence ? IterationDomain::Recurrence : IterationDomain::Rows));
  SmallVector<Attribute> inputMaps, initMaps;
  SmallVector<OpAsmParser::Argument> arguments;
  SMLoc loc = parser.getCurrentLocation();
  if (parseOperands(parser, "ins", state, inputMaps, arguments, true))
    return failure();
  int32_t numInputs = state.operands.size();
  if (parseOperands(parser, "outs", state, initMaps, arguments, false))
    return failure();
  props.setOperandSegmentSizes({numInputs, int32_t(state.operands.size()) - numInputs});
  props.setInputMaps(b.getArrayAttr(inputMaps));
  props.setInitMaps(b.getArrayAttr(initMaps));
  unsigned next = 0;
  for (auto [i, operand] : llvm::enumerate(state.operands)) {
    bool isInput = int32_t(i) < numInputs;
    unsigned number = isInput ? i : i - numInputs;
    RowMap map = cast<RowMapAttr>((isInput ? inputMaps : initMaps)[number]).getValue();
    if (!isInput && map != RowMap::State)
      continue;
    Type type = arguments[next++].type = getRowType(operand.getType(), map);
    if (!type)
      return parser.emitError(loc)
             << "(C2) expected " << (isInput ? "input " : "destination ") << number
             << " to fit the map " << stringifyRowMap(map)
             << " with a static last dimension, but found " << operand.getType();
  }
  Region *body = state.addRegion();
  if (parser.parseOptionalAttrDictWithKeyword(state.attributes) ||
      parser.parseRegion(*body, arguments, /*enableNameShadowing=*/true))
    return failure();
  ensureTerminator(*body, b, state.location);
  return parser.parseOptionalArrowTypeList(state.types);
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

/// The number of rows of `type` under `map`, or kDynamic.
static int64_t countRows(ShapedType type, RowMap map) {
  int64_t rows = 1;
  for (int64_t size : type.getShape().drop_back(map == RowMap::Heads ? 2 : 1)) {
    if (ShapedType::isDynamic(size))
      return ShapedType::kDynamic;
    // More than can be counted are as good as unknown; no memory holds them.
    if (llvm::MulOverflow(rows, size, rows))
      return ShapedType::kDynamic;
  }
  return rows;
}

LogicalResult FusedOp::verify() {
  // Bytecode can leave out what has a default.
  if (!getDomainAttr())
    return emitOpError("expected a domain, rows or recurrence, but found none");
  if (getInputMaps().size() != getInputs().size() ||
      getInitMaps().size() != getInits().size())
    return emitOpError() << "(C1) expected " << getInputs().size() << " input and "
                         << getInits().size() << " destination maps, but found "
                         << getInputMaps().size() << " and " << getInitMaps().size();
  for (unsigned i = 0; i < getInputs().size(); ++i)
    if (!isMapOf(getDomain(), getInputMap(i)) || getInputMap(i) == RowMap::State)
      return emitOpError() << "(C1) expected input " << i << " to have a map of "
                           << stringifyIterationDomain(getDomain()) << ", but found "
                           << stringifyRowMap(getInputMap(i));
  for (unsigned i = 0; i < getInits().size(); ++i)
    if (!isMapOf(getDomain(), getInitMap(i)) || !isWritten(getInitMap(i)))
      return emitOpError() << "(C1) expected destination " << i << " to be mapped by "
                           << (isRecurrence()
                                   ? "value_row, value_scalar, head_scalar or state"
                                   : "row, heads, row_scalar or group_scalar")
                           << ", but found " << stringifyRowMap(getInitMap(i));
  int64_t rows = ShapedType::kDynamic;
  auto checkOperand = [&](StringRef what, unsigned i, Type type,
                          RowMap map) -> LogicalResult {
    if (!getRowType(type, map))
      return emitOpError() << "(C2) expected " << what << ' ' << i
                           << " to fit the map " << stringifyRowMap(map)
                           << " with a static last dimension, but found " << type;
    if (!isPerRow(map) || isRecurrence())
      return success();
    int64_t found = countRows(cast<ShapedType>(type), map);
    if (ShapedType::isDynamic(found))
      return success();
    if (!ShapedType::isDynamic(rows) && rows != found)
      return emitOpError() << "(C5) expected " << what << ' ' << i << " to have "
                           << rows << " rows, but found " << found << " in " << type;
    rows = found;
    return success();
  };
  for (auto [i, input] : llvm::enumerate(getInputs()))
    if (failed(checkOperand("input", i, input.getType(), getInputMap(i))))
      return failure();
  for (auto [i, init] : llvm::enumerate(getInits()))
    if (failed(checkOperand("destination", i, init.getType(), getInitMap(i))))
      return failure();
  if (getInits().empty())
    return emitOpError("(C5) expected at least one destination, but found none");
  for (Value operand : getOperands())
    if (isa<MemRefType>(operand.getType()) != isa<MemRefType>(getInits()[0].getType()))
      return emitOpError("(C6) expected all operands to be tensors, or all memrefs, "
                         "but found both");
  return success(!isRecurrence() || succeeded(RecurrenceShape::get(*this)));
}

LogicalResult FusedOp::verifyRegions() {
  Block *body = getBodyBlock();
  SmallVector<Type> arguments;
  for (auto [i, input] : llvm::enumerate(getInputs()))
    arguments.push_back(getRowType(input.getType(), getInputMap(i)));
  for (auto [i, init] : llvm::enumerate(getInits()))
    if (getInitMap(i) == RowMap::State)
      arguments.push_back(getRowType(init.getType(), RowMap::State));
  if (body->getNumArguments() != arguments.size())
    return emitOpError() << "(C3) expected " << arguments.size()
                         << " block arguments, but found " << body->getNumArguments();
  for (auto [i, expected] : llvm::enumerate(arguments)) {
    Type found = body->getArgument(i).getType();
    if (expected != found)
      return emitOpError() << "(C3) expected block argument " << i << " to be "
                           << expected << ", but found " << found;
  }
  auto yield = dyn_cast<YieldOp>(body->getTerminator());
  if (!yield || yield.getNumOperands() != getInits().size())
    return emitOpError() << "(C4) expected " << getInits().size()
                         << " yielded values, but found "
                         << body->getTerminator()->getNumOperands();
  for (auto [i, init] : llvm::enumerate(getInits())) {
    Type expected = getRowType(init.getType(), getInitMap(i));
    Type found = yield.getOperand(i).getType();
    if (expected != found)
      return emitOpError() << "(C4) expected yielded value " << i << " to be "
                           << expected << ", but found " << found;
  }
  return success();
}

void FusedOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    bool written = isDpsInit(&operand);
    if (written)
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    if (!written || getInitMap(operand.getOperandNumber() - getInputs().size()) ==
                        RowMap::State)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}

void YieldOp::build(OpBuilder &, OperationState &) {}
