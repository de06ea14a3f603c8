//===- MutateFunctions.cpp - functions made odd ---------------------------===//

#include "IRMutator.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mortar::badinput;

void IRMutator::changeFunctionType() {
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

void IRMutator::changeArgumentAttribute() {
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

void IRMutator::declare() {
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

void IRMutator::recurse() {
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

void IRMutator::changeReturn() {
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
