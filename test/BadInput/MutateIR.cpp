//===- MutateIR.cpp - IR made odd -----------------------------------------===//

#include "IRMutator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mortar::badinput;

/// As the parser does: an attribute that an op can't hold is refused there
/// already.
static void setAttribute(Operation *op, StringAttr name, Attribute value) {
  if (!op->getInherentAttr(name)) {
    op->setDiscardableAttr(name, value);
    return;
  }
  // Everybody casts a function's type; verifiers do before they look.
  if (name == "function_type" &&
      (!isa_and_nonnull<TypeAttr>(value) ||
       !isa<FunctionType>(cast<TypeAttr>(value).getValue())))
    return;
  NamedAttrList all(cast<DictionaryAttr>(op->getPropertiesAsAttribute()));
  if (value)
    all.set(name, value);
  else
    all.erase(name);
  (void)op->setPropertiesFromAttribute(all.getDictionary(op->getContext()),
                                       [&] { return op->emitError(); });
}

void mortar::badinput::forget(Operation *op) {
  op->walk([](Operation *inner) {
    inner->dropAllUses();
    for (Region &region : inner->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          argument.dropAllUses();
  });
}

/// Of the same type, or once in a while of any.
Value IRMutator::valueLike(Value value) {
  for (int i = 0; i < 32; ++i) {
    Value other = random.pick(values);
    if (other.getType() == value.getType() && other != value)
      return other;
  }
  return random.pick(values);
}

void IRMutator::changeAttribute() {
  static constexpr const char *names[] = {"mortar.constant",
                                          "mortar.output",
                                          "mortar.result",
                                          "fastmath",
                                          "clamp",
                                          "label",
                                          "value",
                                          "sym_name",
                                          "function_type",
                                          "arg_attrs",
                                          "res_attrs",
                                          "sym_visibility",
                                          "mortar.programmatic_launch",
                                          "llvm.emit_c_interface",
                                          "bufferization.writable",
                                          "gpu.container_module",
                                          "operandSegmentSizes",
                                          "dlti.dl_spec",
                                          "llvm.data_layout",
                                          "llvm.target_triple",
                                          "rocdl.x",
                                          "nvvm.maxnreg",
                                          "no_inline",
                                          "alignment"};
  Operation *op = anyOp();
  SmallVector<NamedAttribute> known(op->getAttrs());
  for (StringAttr name : op->getName().getAttributeNames())
    if (!op->getAttr(name))
      known.emplace_back(name, UnitAttr::get(context));
  std::string name = random.pick(names);
  Attribute value = makeAttribute(context, random);
  if (!known.empty() && !random.oneIn(4)) {
    NamedAttribute old = random.pick(known);
    name = old.getName().str();
    if (!random.oneIn(3))
      value = tweakAttribute(old.getValue(), random);
  }
  say("set " + name + " of " + op->getName().getStringRef());
  setAttribute(op, StringAttr::get(context, name), value);
}

void IRMutator::removeAttribute() {
  Operation *op = anyOp();
  SmallVector<NamedAttribute> known(op->getAttrs());
  if (known.empty())
    return;
  StringAttr name = random.pick(known).getName();
  say("remove " + name.getValue() + " of " + op->getName().getStringRef());
  if (op->getInherentAttr(name))
    setAttribute(op, name, {});
  else
    op->removeDiscardableAttr(name);
}

void IRMutator::changeType() {
  if (values.empty())
    return;
  Value value = random.pick(values);
  Type old = value.getType();
  Type type =
      random.oneIn(3) ? makeType(context, random) : tweakType(old, random);
  // One value, or all of its type with the functions that take them: the latter
  // often verify.
  bool all = random.oneIn(2);
  for (Value other : values)
    if (other == value || (all && other.getType() == old))
      other.setType(type);
  for (func::FuncOp func : functions) {
    if (func.isExternal())
      continue;
    auto results = llvm::map_to_vector(func.getResultTypes(), [&](Type result) {
      return all && result == old ? type : result;
    });
    if (all || !random.oneIn(4))
      func.setFunctionType(FunctionType::get(
          context, func.getBody().getArgumentTypes(), results));
  }
  say("change a type");
}

void IRMutator::changeOperands() {
  Operation *op = anyOp();
  unsigned count = op->getNumOperands();
  if (!count || values.empty())
    return;
  unsigned i = random.below(count), k = random.below(count);
  Value old = op->getOperand(i);
  switch (random.below(5)) {
  case 0:
    op->setOperand(i, op->getOperand(k));
    op->setOperand(k, old);
    break;
  case 1:
    op->insertOperands(k, old);
    break;
  case 2:
    op->eraseOperand(i);
    break;
  default:
    op->setOperand(i, valueLike(old));
  }
  say("change operands of " + op->getName().getStringRef());
}

void IRMutator::eraseOp() {
  Operation *op = anyOp();
  say("erase " + op->getName().getStringRef());
  // What read it reads something else, which may stand behind it or nowhere
  // near.
  op->walk([&](Operation *inner) {
    for (Value result : inner->getResults()) {
      Value other;
      for (int i = 0; i < 64 && !other; ++i)
        if (Value candidate = valueLike(result); candidate.getParentRegion())
          if (!op->isAncestor(candidate.getParentRegion()->getParentOp()) &&
              candidate.getDefiningOp() != op)
            other = candidate;
      if (other)
        result.replaceAllUsesWith(other);
    }
  });
  forget(op);
  op->dropAllReferences();
  op->erase();
}

void IRMutator::cloneOp() {
  Operation *op = anyOp();
  say("clone " + op->getName().getStringRef());
  OpBuilder b(op);
  if (random.oneIn(2))
    b.setInsertionPointAfter(op);
  if (random.oneIn(4))
    if (Operation *other = opInBody(); other && !op->isAncestor(other))
      b.setInsertionPoint(other);
  Operation *copy = b.clone(*op);
  if (copy->getNumResults() == op->getNumResults() && random.oneIn(2))
    op->replaceAllUsesWith(copy->getResults());
}

void IRMutator::moveOp() {
  Operation *op = anyOp(), *to = anyOp();
  if (op->isAncestor(to))
    return;
  say("move " + op->getName().getStringRef() + " to " +
      to->getName().getStringRef());
  if (random.oneIn(3))
    if (Operation *next = op->getNextNode(); next && !next->isBeforeInBlock(op))
      to = next;
  if (random.oneIn(2) || to->hasTrait<OpTrait::IsTerminator>())
    op->moveBefore(to);
  else
    op->moveAfter(to);
}

void IRMutator::addForeignOp() {
  static constexpr const char *names[] = {
      "foreign.op",     "builtin.unrealized_conversion_cast",
      "arith.addf",     "mortar.residual_add",
      "mortar.yield",   "mortar.rms_norm",
      "tensor.cast",    "func.call",
      "scf.while",      "gpu.module",
      "mortar.unknown", "mortar.row_half"};
  Operation *at = opInBody();
  if (!at || values.empty())
    return;
  OperationState state(at->getLoc(), random.pick(names));
  for (size_t i = random.below(4); i; --i)
    state.addOperands(random.pick(values));
  for (size_t i = random.below(3); i; --i)
    state.addTypes(random.oneIn(2) ? random.pick(values).getType()
                                   : makeType(context, random));
  if (random.oneIn(4)) {
    Block &block = state.addRegion()->emplaceBlock();
    if (random.oneIn(2))
      block.addArgument(makeType(context, random), at->getLoc());
  }
  OpBuilder b(at);
  Operation *made = b.create(state);
  // Half of the time somebody reads it.
  if (made->getNumResults() && random.oneIn(2))
    if (Operation *reader = made->getNextNode();
        reader && reader->getNumOperands())
      reader->setOperand(random.below(reader->getNumOperands()),
                         made->getResult(0));
  say("add " + made->getName().getStringRef());
}

void IRMutator::wrapInControlFlow() {
  Operation *op = opInBody();
  if (!op || op->hasTrait<OpTrait::IsTerminator>())
    return;
  say("wrap " + op->getName().getStringRef() + " in control flow");
  OpBuilder b(op);
  Location loc = op->getLoc();
  if (random.oneIn(2)) {
    Value condition =
        arith::ConstantOp::create(b, loc, b.getBoolAttr(random.oneIn(2)));
    bool twice = random.oneIn(2);
    auto made = scf::IfOp::create(b, loc, op->getResultTypes(), condition,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
    op->replaceAllUsesWith(made.getResults());
    for (Block *block : {made.thenBlock(), made.elseBlock()}) {
      b.setInsertionPointToEnd(block);
      Operation *inner = b.clone(*op);
      if (twice)
        inner = b.clone(*inner);
      scf::YieldOp::create(b, loc, inner->getResults());
    }
    forget(op);
    op->erase();
    return;
  }
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value bound =
      arith::ConstantIndexOp::create(b, loc, random.oneIn(2) ? 4 : INT64_MAX);
  Value step = arith::ConstantIndexOp::create(b, loc, random.oneIn(4) ? 0 : 1);
  auto made = scf::ForOp::create(b, loc, zero, bound, step);
  op->moveBefore(made.getBody(), made.getBody()->begin());
}

void IRMutator::nest() {
  Operation *op = functions.empty() ? anyOp() : anyFunction().getOperation();
  say("nest " + op->getName().getStringRef());
  static constexpr size_t depths[] = {1, 2, 10, 100, 1000};
  for (size_t depth = random.pick(depths); depth; --depth) {
    OpBuilder b(op);
    auto made = ModuleOp::create(b, op->getLoc());
    op->moveBefore(made.getBody(), made.getBody()->begin());
    op = made;
  }
}

void IRMutator::addConstant() {
  Operation *at = opInBody();
  if (!at || values.empty())
    return;
  say("add a constant");
  OpBuilder b(at);
  Value like = random.pick(values);
  auto type = dyn_cast<ShapedType>(like.getType());
  if (!type || !type.hasStaticShape() ||
      !isa<FloatType>(type.getElementType()) || isa<MemRefType>(type))
    type = RankedTensorType::get({random.oneIn(2) ? 17 : 1l << 40, 4096},
                                 b.getF32Type());
  const double numbers[] = {
      0.0, -0.0, 1.0, 1e30, __builtin_nan(""), __builtin_inf()};
  auto element = b.getFloatAttr(type.getElementType(), random.pick(numbers));
  auto number = DenseElementsAttr::get(type, ArrayRef<Attribute>{element});
  if (type.getRank() && type.getShape() == ArrayRef<int64_t>{17, 4096} &&
      random.oneIn(2))
    number = DenseElementsAttr::get(
        type, ArrayRef(SmallVector<Attribute>(17 * 4096, element)));
  Value made = arith::ConstantOp::create(b, at->getLoc(), number);
  for (OpOperand &operand : at->getOpOperands())
    if (operand.get().getType() == made.getType())
      return operand.set(made);
}

void IRMutator::changeLocation() {
  Operation *op = anyOp();
  Builder b(context);
  const Location locations[] = {
      NameLoc::get(b.getStringAttr("a name")),
      NameLoc::get(b.getStringAttr(""), op->getLoc()),
      FileLineColLoc::get(context, "", 0, 0),
      FileLineColLoc::get(context, "no/such/file", 4294967295u, 4294967295u),
      CallSiteLoc::get(op->getLoc(), op->getLoc()),
      FusedLoc::get(context, {op->getLoc(), op->getLoc()}, b.getUnitAttr()),
      FusedLoc::get(context, {}, b.getStringAttr("of nothing")),
  };
  op->setLoc(random.pick(locations));
  say("change a location");
}

std::string IRMutator::run() {
  if (ops.empty())
    return "nothing to mutate";
  static constexpr std::pair<void (IRMutator::*)(), unsigned> mutations[] = {
      {&IRMutator::changeAttribute, 6},
      {&IRMutator::removeAttribute, 1},
      {&IRMutator::changeType, 6},
      {&IRMutator::changeOperands, 5},
      {&IRMutator::eraseOp, 3},
      {&IRMutator::cloneOp, 3},
      {&IRMutator::moveOp, 3},
      {&IRMutator::addForeignOp, 3},
      {&IRMutator::wrapInControlFlow, 3},
      {&IRMutator::nest, 1},
      {&IRMutator::changeFunctionType, 1},
      {&IRMutator::changeArgumentAttribute, 3},
      {&IRMutator::declare, 1},
      {&IRMutator::recurse, 2},
      {&IRMutator::changeReturn, 3},
      {&IRMutator::addConstant, 2},
      {&IRMutator::changeLocation, 1},
  };
  unsigned sum = 0;
  for (auto &[mutation, weight] : mutations)
    sum += weight;
  size_t chosen = random.below(sum);
  for (auto &[mutation, weight] : mutations) {
    if (chosen < weight) {
      (this->*mutation)();
      break;
    }
    chosen -= weight;
  }
  return said.empty() ? "nothing" : said;
}

std::string mortar::badinput::mutateIR(ModuleOp module, Random &random) {
  ScopedDiagnosticHandler silent(module.getContext(),
                                 [](Diagnostic &) { return success(); });
  return IRMutator(module, random).run();
}
