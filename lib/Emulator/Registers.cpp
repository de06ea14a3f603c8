//===- Registers.cpp - values in a warp's register file -------------------===//

#include "Translator.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinTypes.h"

#include <cstring>

using namespace mlir;
using namespace mortar::emulator;

static std::optional<LaneType> laneTypeOf(Type type) {
  if (type.isIndex())
    return LaneType::I64;
  if (type.isSignlessInteger(1))
    return LaneType::I1;
  // A code of f8E8M0FNU is only ever moved.
  if (type.isSignlessInteger(8) || isa<Float8E8M0FNUType>(type))
    return LaneType::I8;
  if (type.isSignlessInteger(16))
    return LaneType::I16;
  if (type.isSignlessInteger(32))
    return LaneType::I32;
  if (type.isSignlessInteger(64))
    return LaneType::I64;
  if (type.isF32())
    return LaneType::F32;
  if (type.isF16())
    return LaneType::F16;
  if (type.isBF16())
    return LaneType::BF16;
  if (isa<Float8E4M3FNType>(type))
    return LaneType::F8E4M3;
  return std::nullopt;
}

FailureOr<Register> Translator::registerFor(Type type, Operation &op) {
  Register made;
  auto vector = dyn_cast<VectorType>(type);
  auto lane = laneTypeOf(vector ? vector.getElementType() : type);
  if (!lane || (vector && (vector.getRank() > 1 || vector.isScalable())))
    return op.emitError()
           << "expected numbers of i1, i8, i16, i32, i64, index, f32, f16, "
              "bf16, f8E4M3FN or f8E8M0FNU, or vectors of them of rank 1, which the "
              "emulator knows, but found "
           << type;
  made.type = *lane;
  made.elements = vector ? vector.getNumElements() : 1;
  return made;
}

/// An op's position grows in program order; a loop reads what it reads until
/// its end, since its body comes again.
void Translator::findLastUses() {
  unsigned next = 0;
  std::function<void(Block &)> number = [&](Block &block) {
    for (Operation &op : block) {
      auto &[begin, end] = positions[&op];
      begin = end = next++;
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          number(inner);
      // The map may have grown.
      positions[&op].second =
          op.getNumRegions() ? next++ : positions[&op].first;
    }
  };
  number(func.getBody().front());
  auto note = [&](Value value, Operation *owner) {
    // A view is read at each access through it.
    bool staysForever = false;
    unsigned last = positions[owner].second;
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      staysForever |= isa<memref::ReinterpretCastOp>(user);
      last = std::max(last, isa<scf::ForOp>(user) ? positions[user].second
                                                  : positions[user].first);
      for (Operation *around = user->getParentOp();
           around != func && !around->isAncestor(owner) &&
           !around->isAncestor(value.getParentBlock()->getParentOp());
           around = around->getParentOp())
        if (isa<scf::ForOp>(around))
          last = std::max(last, positions[around].second);
    }
    if (!staysForever)
      lastUses[last].push_back(value);
  };
  func.walk([&](Operation *op) {
    for (Value result : op->getResults())
      note(result, op);
  });
}

uint32_t Translator::allocate(uint32_t bytes) {
  std::vector<uint32_t> &places = freePlaces[bytes];
  if (!places.empty()) {
    uint32_t place = places.back();
    places.pop_back();
    return place;
  }
  uint32_t place = program.registerBytes;
  program.registerBytes += (bytes + 63) & ~63u;
  return place;
}

void Translator::release(unsigned position) {
  for (Value value : lastUses.lookup(position))
    if (auto found = registers.find(value); found != registers.end()) {
      if (!found->second.isConstant)
        freePlaces[found->second.bytes()].push_back(found->second.place);
      registers.erase(found);
    }
}

FailureOr<Register> Translator::define(Value value, Operation &op) {
  FailureOr<Register> made = registerFor(value.getType(), op);
  if (failed(made))
    return failure();
  made->place = allocate(made->bytes());
  registers[value] = *made;
  return made;
}

Register Translator::use(Value value) { return registers.lookup(value); }

/// `elements` are each element's bytes, for one lane.
void Translator::addConstant(Register where, ArrayRef<char> elements) {
  unsigned size = laneBytes(where.type);
  Constant constant{where.place, std::vector<char>(where.bytes())};
  for (uint32_t element = 0; element < where.elements; ++element)
    for (unsigned lane = 0; lane < warpSize; ++lane)
      std::memcpy(&constant.bytes[(element * warpSize + lane) * size],
                  &elements[element * size], size);
  program.constants.push_back(std::move(constant));
}

Register Translator::constantIndex(int64_t value) {
  auto [found, isNew] = indexConstants.try_emplace(value);
  if (isNew) {
    Register &made = found->second;
    made.place = program.registerBytes;
    program.registerBytes += made.bytes();
    addConstant(
        made, ArrayRef(reinterpret_cast<const char *>(&value), sizeof(value)));
  }
  return found->second;
}

/// A constant's register is its own for ever: it is filled once, not for each
/// block.
LogicalResult Translator::define(Operation &op, TypedAttr attribute) {
  FailureOr<Register> made = registerFor(op.getResult(0).getType(), op);
  if (failed(made))
    return failure();
  made->place = program.registerBytes;
  program.registerBytes += (made->bytes() + 63) & ~63u;
  SmallVector<char> bytes;
  unsigned size = laneBytes(made->type);
  auto append = [&](const APInt &value) {
    uint64_t bits = value.zextOrTrunc(64).getZExtValue();
    if (size == 8)
      bits = value.sextOrTrunc(64).getZExtValue();
    const char *begin = reinterpret_cast<const char *>(&bits);
    bytes.append(begin, begin + size);
  };
  if (auto integer = dyn_cast<IntegerAttr>(attribute)) {
    append(integer.getValue());
  } else if (auto number = dyn_cast<FloatAttr>(attribute)) {
    append(number.getValue().bitcastToAPInt());
  } else if (auto dense = dyn_cast<DenseIntElementsAttr>(attribute)) {
    for (const APInt &value : dense.getValues<APInt>())
      append(value);
  } else if (auto dense = dyn_cast<DenseFPElementsAttr>(attribute)) {
    for (const APFloat &value : dense.getValues<APFloat>())
      append(value.bitcastToAPInt());
  } else {
    return op.emitError(
        "expected a constant of numbers, which the emulator knows, but "
        "found another");
  }
  addConstant(*made, bytes);
  made->isConstant = true;
  registers[op.getResult(0)] = *made;
  return success();
}
