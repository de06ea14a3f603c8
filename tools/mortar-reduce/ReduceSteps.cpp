//===- ReduceSteps.cpp - a failing program, simpler step by step ----------===//
//
// Upstream's reduction tree takes an op away only if nobody uses it, and applies rewrites
// to many ops at once. Dataflow in one block asks for less: one change, one test, and it
// stays if the program still fails.
//
//===----------------------------------------------------------------------===//

#include "ReduceSteps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Reducer/Tester.h"

#include "llvm/Support/Program.h"

using namespace mlir;
using llvm::ErrorOr;

namespace {

/// Counts down the changes that a program allows, until one is to be made.
class Change {
public:
  explicit Change(size_t number) : left(number) {}
  bool isNext() { return left-- == 0; }

private:
  size_t left;
};

/// Ops without readers, arguments without readers and functions without callers.
void eraseDead(ModuleOp module) {
  for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>())) {
    if (function.isDeclaration()) {
      if (SymbolTable::symbolKnownUseEmpty(function, module))
        function.erase();
      continue;
    }
    for (Block &block : function.getBody())
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
        if (isOpTriviallyDead(&op))
          op.erase();
    llvm::BitVector unused(function.getNumArguments());
    for (BlockArgument argument : function.getArguments())
      if (argument.use_empty())
        unused.set(argument.getArgNumber());
    (void)function.eraseArguments(unused);
  }
}

bool returnLess(func::FuncOp function, Change &change) {
  Operation *end = function.getBody().back().getTerminator();
  for (unsigned i = end->getNumOperands(); i-- > 0;) {
    if (end->getNumOperands() < 2 || !change.isNext())
      continue;
    end->eraseOperand(i);
    (void)function.eraseResult(i);
    return true;
  }
  // Or what the last op read, not what it made.
  for (OpOperand &returned : end->getOpOperands())
    if (Operation *last = returned.get().getDefiningOp())
      for (Value operand : last->getOperands()) {
        if (!isa<RankedTensorType>(operand.getType()) || !change.isNext())
          continue;
        returned.set(operand);
        function.setType(FunctionType::get(function.getContext(),
                                           function.getArgumentTypes(),
                                           end->getOperandTypes()));
        return true;
      }
  return false;
}

/// What an op makes comes from outside, is one of its operands, or the op has one
/// attribute less.
bool simplify(func::FuncOp function, Operation &op, Change &change) {
  if (op.hasTrait<OpTrait::IsTerminator>() || op.getNumResults() == 0)
    return false;
  if (change.isNext()) {
    for (Value result : op.getResults()) {
      unsigned number = function.getNumArguments();
      if (failed(function.insertArgument(number, result.getType(), {}, op.getLoc())))
        return false;
      result.replaceAllUsesWith(function.getArgument(number));
    }
    op.erase();
    return true;
  }
  if (op.getNumResults() == 1)
    for (Value operand : op.getOperands())
      if (operand.getType() == op.getResult(0).getType() && change.isNext()) {
        op.getResult(0).replaceAllUsesWith(operand);
        op.erase();
        return true;
      }
  for (NamedAttribute attribute : op.getAttrs())
    if (change.isNext()) {
      op.removeAttr(attribute.getName());
      return true;
    }
  return false;
}

bool apply(ModuleOp module, Change change) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isDeclaration() || !function.getBody().hasOneBlock())
      continue;
    if (returnLess(function, change))
      return true;
    for (Operation &op : llvm::reverse(function.getBody().front()))
      if (simplify(function, op, change))
        return true;
  }
  return false;
}

std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream(text) << module;
  return text;
}

struct ReduceStepsPass : PassWrapper<ReduceStepsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ReduceStepsPass)

  ReduceStepsPass() = default;
  ReduceStepsPass(const ReduceStepsPass &other) : PassWrapper(other) {}

  StringRef getArgument() const override { return "mortar-reduce-steps"; }
  StringRef getDescription() const override {
    return "Takes away ops, results and attributes, one at a time, while the test still "
           "finds the program interesting";
  }

  void runOnOperation() override {
    SmallVector<std::string> testArguments(arguments.begin(), arguments.end());
    ErrorOr<std::string> program = llvm::sys::findProgramByName(test);
    if (!program) {
      getOperation().emitError() << "expected a program for test=, but found no '" << test
                                 << "'";
      return signalPassFailure();
    }
    Tester tester(*program, testArguments);
    auto isInteresting = [&](ModuleOp module) {
      return tester.isInteresting(module).first == Tester::Interestingness::True;
    };
    ModuleOp module = getOperation();
    if (!isInteresting(module)) {
      module.emitError() << "expected a program for which '" << test
                         << "' exits with 1, but it doesn't";
      return signalPassFailure();
    }
    // A change that fails now may be possible once others are made.
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t number = 0;;) {
        OwningOpRef<ModuleOp> smaller(module.clone());
        if (!apply(*smaller, Change(number)))
          break;
        eraseDead(*smaller);
        ScopedDiagnosticHandler silence(&getContext(), [](Diagnostic &) {});
        // A verifier may put back what a step took away.
        if (failed(verify(*smaller)) || print(*smaller) == print(module) ||
            !isInteresting(*smaller)) {
          ++number;
          continue;
        }
        module.getBodyRegion().takeBody(smaller->getBodyRegion());
        changed = true;
      }
    }
  }

  Option<std::string> test{*this, "test",
                           llvm::cl::desc("exits with 1 on what is still interesting")};
  ListOption<std::string> arguments{*this, "test-arg",
                                    llvm::cl::desc("what stands before the file's name")};
};
} // namespace

void mortar::registerReduceSteps() { PassRegistration<ReduceStepsPass>(); }
