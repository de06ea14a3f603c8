//===- IRMutator.h - the ways to change IR ----------------------*- C++ -*-===//
#ifndef MORTAR_TEST_BADINPUT_IRMUTATOR_H
#define MORTAR_TEST_BADINPUT_IRMUTATOR_H

#include "Mutators.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mortar::badinput {

/// Whatever an earlier mutation let read `op`, or what is in it, reads nothing
/// now: a verifier finds that.
void forget(mlir::Operation *op);

/// One mutation of a module, in MutateIR.cpp (ops and values) or
/// MutateFunctions.cpp.
class IRMutator {
public:
  IRMutator(mlir::ModuleOp module, Random &random)
      : module(module), random(random), context(module.getContext()) {
    module.walk([&](mlir::Operation *op) {
      if (op != module)
        ops.push_back(op);
    });
    module.walk([&](mlir::Block *block) {
      llvm::append_range(values, block->getArguments());
      for (mlir::Operation &op : *block)
        llvm::append_range(values, op.getResults());
    });
    llvm::append_range(functions, module.getOps<mlir::func::FuncOp>());
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

  mlir::Operation *anyOp() { return random.pick(ops); }
  /// One inside a function, whose parent has room for more.
  mlir::Operation *opInBody() {
    for (int i = 0; i < 8; ++i)
      if (mlir::Operation *op = anyOp();
          op->getParentOfType<mlir::func::FuncOp>())
        return op;
    return nullptr;
  }
  mlir::func::FuncOp anyFunction() {
    return functions.empty() ? mlir::func::FuncOp() : random.pick(functions);
  }
  mlir::Value valueLike(mlir::Value value);
  void say(const llvm::Twine &what) { said = what.str(); }

  mlir::ModuleOp module;
  Random &random;
  mlir::MLIRContext *context;
  llvm::SmallVector<mlir::Operation *> ops;
  llvm::SmallVector<mlir::Value> values;
  llvm::SmallVector<mlir::func::FuncOp> functions;
  std::string said;
};

} // namespace mortar::badinput

#endif // MORTAR_TEST_BADINPUT_IRMUTATOR_H
