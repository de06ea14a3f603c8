//===- mortar-opt.cpp - Mortar's passes on .mlir files --------------------===//

#include "mortar/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mortar::registerAllDialects(registry);
  mortar::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Mortar's optimizer driver\n", registry));
}
