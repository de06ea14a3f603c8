//===- mortar-reduce.cpp - makes a failing program small ------------------===//
//
// mlir-reduce that knows Mortar's ops and how to simplify rows.
//
//===----------------------------------------------------------------------===//

#include "ReductionPatterns.h"

#include "mortar/InitAll.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mortar::registerAllDialects(registry);
  mortar::registerAllPasses();
  registry.insert<mlir::scf::SCFDialect>();
  mortar::registerReductionPatterns(registry);
  mlir::MLIRContext context(registry);
  return failed(mlir::mlirReduceMain(argc, argv, context));
}
