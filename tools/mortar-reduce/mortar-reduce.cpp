//===- mortar-reduce.cpp - makes a failing program small ------------------===//
//
// mlir-reduce with Mortar's dialects and a pass that takes one thing away at a time.
//
//===----------------------------------------------------------------------===//

#include "ReduceSteps.h"

#include "mortar/InitAll.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mortar::registerAllDialects(registry);
  mortar::registerAllPasses();
  mortar::registerReduceSteps();
  registry.insert<mlir::scf::SCFDialect>();
  mlir::MLIRContext context(registry);
  return failed(mlir::mlirReduceMain(argc, argv, context));
}
