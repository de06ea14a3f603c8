//===- Translator.cpp - a gpu.func and its control flow -------------------===//

#include "Translator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mortar::emulator;

std::string mortar::emulator::describeLocation(Location location) {
  std::string text;
  unsigned found = 0;
  location->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file)
      return WalkResult::advance();
    if (++found > 3) {
      text += " …";
      return WalkResult::interrupt();
    }
    text += (found > 1 ? " + " : "") + file.getFilename().str() + ":" +
            std::to_string(file.getLine()) + ":" +
            std::to_string(file.getColumn());
    return WalkResult::advance();
  });
  return found ? text : "unknown location";
}

void Translator::nameOp(Operation &op) {
  currentOp = program.ops.size();
  isFirst = true;
  program.ops.push_back({("'" + op.getName().getStringRef() + "' (op " +
                          Twine(currentOp) + " of @" + func.getName() + ")")
                             .str(),
                         describeLocation(op.getLoc()), ""});
}

Instruction &Translator::emit(Step step) {
  Instruction &made = program.code.emplace_back();
  made.step = step;
  made.op = currentOp;
  made.countsOp = isFirst;
  isFirst = false;
  return made;
}

Instruction &Translator::emitCopy(Register to, Register from, bool activeOnly) {
  Instruction &copy = emit(activeOnly ? Step::CopyActive : Step::Lanes);
  copy.function = findLaneFunction(LaneOp::Copy, to.type);
  copy.size = laneBytes(to.type);
  copy.count = to.elements * warpSize;
  copy.result = to.place;
  copy.a = from.place;
  return copy;
}

/// An attribute may change what an op means: each that is let through is known
/// either to be read by the translation or to change no value.
LogicalResult Translator::checkAttributes(Operation &op) {
  static const llvm::StringSet<> read = {
      "value",          "predicate",           "alignment",      "mode",
      "dimension",      "static_position",     "static_offsets", "static_sizes",
      "static_strides", "operandSegmentSizes", "mask",           "kind",
      "unsignedCmp",    "mask_dim_sizes",      "offsets",        "sizes",
      "strides"};
  static const llvm::StringSet<> harmless = {
      "nontemporal", "isWrite", "localityHint", "isDataCache", "upper_bound"};
  for (NamedAttribute attribute : op.getAttrs()) {
    StringRef name = attribute.getName();
    if (read.contains(name) || harmless.contains(name))
      continue;
    std::string printed;
    llvm::raw_string_ostream(printed) << attribute.getValue();
    if (name == "fastmath" && printed == "#arith.fastmath<none>")
      continue;
    auto narrowing = dyn_cast<arith::TruncFOp>(op);
    if (name == "roundingmode" && narrowing &&
        narrowing.getRoundingmode() == arith::RoundingMode::to_nearest_even)
      continue;
    if (name == "overflowFlags" && printed == "#arith.overflow<none>")
      continue;
    return op.emitError()
           << "expected attributes that the emulator knows, but found '" << name
           << "' = " << printed;
  }
  return success();
}

LogicalResult Translator::addParameters() {
  for (BlockArgument argument : func.getArguments()) {
    if (argument.getArgNumber() >= func.getNumArguments())
      break;
    Parameter parameter;
    if (isa<MemRefType>(argument.getType())) {
      FailureOr<View> view = viewOfArgument(argument);
      if (failed(view))
        return failure();
      parameter.isPointer = true;
      parameter.isConstant =
          func.getArgAttr(argument.getArgNumber(), "llvm.readonly") &&
          func.getArgAttr(argument.getArgNumber(), "llvm.noalias");
      views[argument] = *view;
    } else {
      FailureOr<Register> made = define(argument, *func);
      if (failed(made))
        return failure();
      parameter.place = made->place;
      parameter.size = laneBytes(made->type);
      if (made->elements > 1)
        return func.emitError()
               << "expected parameters of memrefs and numbers, which the "
                  "emulator knows, but found "
               << argument.getType();
    }
    program.parameters.push_back(parameter);
  }
  return success();
}

LogicalResult Translator::addWorkgroupBuffers() {
  if (!func.getPrivateAttributions().empty())
    return func.emitError(
        "expected no private memory, which the emulator doesn't know, "
        "but found some");
  for (BlockArgument argument : func.getWorkgroupAttributions()) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (!type || !type.hasStaticShape() || !type.getLayout().isIdentity())
      return func.emitError()
             << "expected workgroup memory of static shape, but found "
             << argument.getType();
    FailureOr<View> view = viewOfArgument(argument);
    if (failed(view))
      return failure();
    view->isWorkgroup = true;
    view->number = program.workgroup.size();
    views[argument] = *view;
    program.workgroup.push_back(
        {"workgroup buffer " + std::to_string(view->number),
         uint32_t(type.getNumElements() * view->elementBytes)});
  }
  return success();
}

FailureOr<Program> Translator::translate() {
  program.name = func.getName().str();
  if (!llvm::hasSingleElement(func.getBody()))
    return func.emitError()
           << "expected one block with structured control flow (scf), but "
              "found "
           << func.getBody().getBlocks().size() << " blocks";
  program.programmaticLaunch =
      bool(func->getAttr("mortar.programmatic_launch"));
  if (auto size = func.getKnownBlockSizeAttr())
    for (unsigned i = 0; i < 3; ++i)
      program.requiredBlock[i] = size[i];
  nameOp(*func);
  findLastUses();
  if (failed(addParameters()) || failed(addWorkgroupBuffers()) ||
      failed(addBlock(func.getBody().front())))
    return failure();
  // What is known of a place is lost once its bits name an op of an event.
  if (program.ops.size() > UINT16_MAX)
    return func.emitError() << "expected a kernel of at most " << UINT16_MAX
                            << " ops, but found " << program.ops.size();
  return std::move(program);
}

LogicalResult Translator::addBlock(Block &block) {
  for (Operation &op : block) {
    if (isa<scf::YieldOp>(op)) // its if or loop reads it
      break;
    nameOp(op);
    if (failed(checkAttributes(op)))
      return failure();
    LogicalResult added = success();
    if (auto branch = dyn_cast<scf::IfOp>(op))
      added = addIf(branch);
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      added = addFor(loop);
    else
      added = addOp(op);
    if (failed(added))
      return failure();
    release(positions[&op].first);
    release(positions[&op].second);
  }
  // What only the yield read.
  if (Operation *last = &block.back(); isa<scf::YieldOp>(last))
    lastUses[positions[last->getParentOp()].second].append(
        lastUses.lookup(positions[last].first));
  return success();
}

LogicalResult Translator::addIf(scf::IfOp op) {
  std::vector<Register> results;
  for (Value result : op.getResults()) {
    FailureOr<Register> made = define(result, *op);
    if (failed(made))
      return failure();
    results.push_back(*made);
  }
  size_t begin = program.code.size();
  emit(Step::If).a = use(op.getCondition()).place;
  uint32_t own = currentOp;
  auto addArm = [&](Region &region) -> LogicalResult {
    if (region.empty())
      return success();
    if (failed(addBlock(region.front())))
      return failure();
    currentOp = own;
    isFirst = false;
    auto yield = cast<scf::YieldOp>(region.front().getTerminator());
    for (auto [to, from] : llvm::zip_equal(results, yield.getOperands()))
      emitCopy(to, use(from), /*activeOnly=*/true);
    return success();
  };
  if (failed(addArm(op.getThenRegion())))
    return failure();
  currentOp = own;
  isFirst = false;
  program.code[begin].target = program.code.size();
  size_t middle = program.code.size();
  emit(Step::Else);
  if (failed(addArm(op.getElseRegion())))
    return failure();
  currentOp = own;
  isFirst = false;
  program.code[middle].target = program.code.size();
  emit(Step::EndIf);
  return success();
}

/// The loop's own registers hold what it carries; lanes that have left keep
/// theirs.
LogicalResult Translator::addFor(scf::ForOp op) {
  uint32_t own = currentOp;
  // Any other might never end.
  if (auto step = getConstantIntValue(op.getStep()); !step || *step <= 0)
    return op.emitError(
        "expected a loop whose step is a positive constant, but found "
        "another");
  emit(Step::For);
  FailureOr<Register> induction = define(op.getInductionVar(), *op);
  if (failed(induction))
    return failure();
  emitCopy(*induction, use(op.getLowerBound()), /*activeOnly=*/true);
  std::vector<Register> carried;
  for (auto [result, argument, initial] : llvm::zip_equal(
           op.getResults(), op.getRegionIterArgs(), op.getInitArgs())) {
    FailureOr<Register> made = define(result, *op);
    if (failed(made))
      return failure();
    registers[argument] = *made;
    carried.push_back(*made);
    emitCopy(*made, use(initial), /*activeOnly=*/true);
  }
  size_t head = program.code.size();
  Instruction &test = emit(Step::ForTest);
  test.a = induction->place;
  test.b = use(op.getUpperBound()).place;
  test.size = laneBytes(induction->type);
  test.isSigned = !op.getUnsignedCmp();
  if (failed(addBlock(*op.getBody())))
    return failure();
  currentOp = own;
  isFirst = false;
  // A yielded value may be another's argument: all are read before one is
  // written.
  auto yield = cast<scf::YieldOp>(op.getBody()->getTerminator());
  std::vector<Register> next;
  for (Value value : yield.getOperands()) {
    Register copy = use(value);
    copy.place = allocate(copy.bytes());
    emitCopy(copy, use(value), /*activeOnly=*/false);
    next.push_back(copy);
  }
  for (auto [to, from] : llvm::zip_equal(carried, next)) {
    emitCopy(to, from, /*activeOnly=*/true);
    freePlaces[from.bytes()].push_back(from.place);
  }
  Register sum = *induction;
  sum.place = allocate(sum.bytes());
  Instruction &step = emit(Step::Lanes);
  step.function = findLaneFunction(LaneOp::AddI, sum.type);
  step.count = warpSize;
  step.result = sum.place;
  step.a = induction->place;
  step.b = use(op.getStep()).place;
  emitCopy(*induction, sum, /*activeOnly=*/true);
  freePlaces[sum.bytes()].push_back(sum.place);
  emit(Step::Next).target = head;
  program.code[head].target = program.code.size();
  emit(Step::EndFor);
  return success();
}
