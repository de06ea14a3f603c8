//===- MutateIR.cpp - IR made odd -----------------------------------------===//

#include "Mutators.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
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

/// Whatever an earlier mutation let read this, reads nothing now: a verifier
/// finds that.
static void forget(Operation *op) {
  op->walk([](Operation *inner) {
    inner->dropAllUses();
    for (Region &region : inner->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          argument.dropAllUses();
  });
}

namespace {

class Mutator {
public:
  Mutator(ModuleOp module, Random &random)
      : module(module), random(random), context(module.getContext()) {
    module.walk([&](Operation *op) {
      if (op != module)
        ops.push_back(op);
    });
    module.walk([&](Block *block) {
      llvm::append_range(values, block->getArguments());
      for (Operation &op : *block)
        llvm::append_range(values, op.getResults());
    });
    llvm::append_range(functions, module.getOps<func::FuncOp>());
  }

  std::string run();

private:
  void changeAttribute();
  void removeAttribute();
  void changeType();
  void changeOperands();
  void eraseOp();
  void cloneOp();
  void moveOp();
  void addForeignOp();
  void wrapInControlFlow();
  void nest();
  void changeFunctionType();
  void changeArgumentAttribute();
  void declare();
  void recurse();
  void changeReturn();
  void addConstant();
  void changeLocation();

  Operation *anyOp() { return random.pick(ops); }
  /// One inside a function, whose parent has room for more.
  Operation *opInBody() {
    for (int i = 0; i < 8; ++i)
      if (Operation *op = anyOp(); op->getParentOfType<func::FuncOp>())
        return op;
    return nullptr;
  }
  func::FuncOp anyFunction() {
    return functions.empty() ? func::FuncOp() : random.pick(functions);
  }
  Value valueLike(Value value);
  void say(const Twine &what) { said = what.str(); }

  ModuleOp module;
  Random &random;
  MLIRContext *context;
  SmallVector<Operation *> ops;
  SmallVector<Value> values;
  SmallVector<func::FuncOp> functions;
  std::string said;
};

} // namespace

/// Of the same type, or once in a while of any.
Value Mutator::valueLike(Value value) {
  for (int i = 0; i < 32; ++i) {
    Value other = random.pick(values);
    if (other.getType() == value.getType() && other != value)
      return other;
  }
  return random.pick(values);
}

void Mutator::changeAttribute() {
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

void Mutator::removeAttribute() {
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

void Mutator::changeType() {
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

void Mutator::changeOperands() {
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

void Mutator::eraseOp() {
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

void Mutator::cloneOp() {
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

void Mutator::moveOp() {
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

void Mutator::addForeignOp() {
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

void Mutator::wrapInControlFlow() {
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

void Mutator::nest() {
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

void Mutator::changeFunctionType() {
  func::FuncOp func = anyFunction();
  if (!func)
    return;
  say("change the type of a function");
  SmallVector<Type> inputs(func.getArgumentTypes()),
      results(func.getResultTypes());
  SmallVector<Type> &changed = random.oneIn(2) ? inputs : results;
  if (changed.empty() || random.oneIn(2))
    changed.insert(changed.begin() + random.below(changed.size() + 1),
                   makeType(context, random));
  else
    changed.erase(changed.begin() + random.below(changed.size()));
  if (!func.isExternal() && random.oneIn(2)) {
    Type type = makeType(context, random);
    inputs.push_back(type);
    func.getBody().addArgument(type, func.getLoc());
  }
  func.setFunctionType(FunctionType::get(context, inputs, results));
}

void Mutator::changeArgumentAttribute() {
  static constexpr const char *names[] = {
      "mortar.constant", "mortar.output",
      "mortar.result",   "bufferization.writable",
      "llvm.noalias",    "llvm.align",
      "foreign.attr",    "bufferization.buffer_layout"};
  func::FuncOp func = anyFunction();
  // An earlier mutation may have left more or fewer than there are arguments.
  if (!func || !func.getNumArguments() ||
      (func.getArgAttrsAttr() &&
       func.getArgAttrsAttr().size() != func.getNumArguments()))
    return;
  say("set an attribute of an argument");
  static constexpr const char *values[] = {"unit", "true", "0 : i64", "7 : i64",
                                           "-1 : i64"};
  unsigned argument = random.below(func.getNumArguments());
  const char *name = random.pick(names);
  Attribute value = makeAttribute(context, random);
  Builder b(context);
  switch (random.below(std::size(values) + 1)) {
  case 0:
    value = b.getUnitAttr();
    break;
  case 1:
    value = b.getBoolAttr(true);
    break;
  case 2:
    value = b.getI64IntegerAttr(0);
    break;
  case 3:
    value = b.getI64IntegerAttr(7);
    break;
  case 4:
    value = b.getI64IntegerAttr(-1);
    break;
  default:
    break;
  }
  func.setArgAttr(argument, name, value);
}

void Mutator::declare() {
  func::FuncOp func = anyFunction();
  if (!func)
    return;
  say("take a function's body or visibility");
  if (random.oneIn(2) && !func.isExternal()) {
    forget(func);
    for (Block &block : func.getBody())
      block.dropAllReferences();
    func.getBody().getBlocks().clear();
  }
  if (random.oneIn(2))
    func.setPrivate();
  else if (random.oneIn(2))
    func.setPublic();
}

void Mutator::recurse() {
  func::FuncOp func = anyFunction(), callee = anyFunction();
  if (!func || func.isExternal() || func.getBody().getBlocks().empty())
    return;
  say("call a function");
  OpBuilder b = OpBuilder::atBlockBegin(&func.front());
  SmallVector<Value> operands;
  for (Type type : callee.getArgumentTypes()) {
    Value found;
    for (Value argument : func.getArguments())
      if (argument.getType() == type)
        found = argument;
    if (!found)
      return;
    operands.push_back(found);
  }
  auto call = func::CallOp::create(b, func.getLoc(), callee, operands);
  for (Value result : call.getResults())
    for (Value other : values)
      if (other.getType() == result.getType() && random.oneIn(2))
        return other.replaceAllUsesExcept(result, call);
}

void Mutator::changeReturn() {
  func::FuncOp func = anyFunction();
  if (!func || func.isExternal() || values.empty())
    return;
  auto *last = func.back().empty() ? nullptr : &func.back().back();
  if (!last)
    return;
  say("change what a function returns");
  SmallVector<Value> returned(last->getOperands());
  Value more = random.oneIn(2) && !returned.empty() ? random.pick(returned)
               : func.getNumArguments() && random.oneIn(2)
                   ? Value(func.getArgument(0))
                   : random.pick(values);
  if (returned.empty() || random.oneIn(2))
    returned.push_back(more);
  else if (random.oneIn(2))
    random.pick(returned) = more;
  else
    returned.pop_back();
  last->setOperands(returned);
  func.setFunctionType(FunctionType::get(context, func.getArgumentTypes(),
                                         ValueRange(returned).getTypes()));
}

void Mutator::addConstant() {
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

void Mutator::changeLocation() {
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

std::string Mutator::run() {
  if (ops.empty())
    return "nothing to mutate";
  static constexpr std::pair<void (Mutator::*)(), unsigned> mutations[] = {
      {&Mutator::changeAttribute, 6},
      {&Mutator::removeAttribute, 1},
      {&Mutator::changeType, 6},
      {&Mutator::changeOperands, 5},
      {&Mutator::eraseOp, 3},
      {&Mutator::cloneOp, 3},
      {&Mutator::moveOp, 3},
      {&Mutator::addForeignOp, 3},
      {&Mutator::wrapInControlFlow, 3},
      {&Mutator::nest, 1},
      {&Mutator::changeFunctionType, 1},
      {&Mutator::changeArgumentAttribute, 3},
      {&Mutator::declare, 1},
      {&Mutator::recurse, 2},
      {&Mutator::changeReturn, 3},
      {&Mutator::addConstant, 2},
      {&Mutator::changeLocation, 1},
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
  return Mutator(module, random).run();
}
