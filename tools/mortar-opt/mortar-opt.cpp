//===- mortar-opt.cpp - Mortar's passes on .mlir files --------------------===//

#include "mortar/InitAll.h"
#include "mortar/Pipelines/ReadInput.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;

static int fail(const std::string &problem) {
  llvm::errs() << "mortar-opt: " << problem << "\n";
  return 1;
}

/// MlirOptMain, but that the input is checked before it is read.
int main(int argc, char **argv) {
  llvm::InitLLVM start(argc, argv);
  DialectRegistry registry;
  mortar::registerAllDialects(registry);
  mortar::registerAllPasses();
  auto [inputName, outputName] = registerAndParseCLIOptions(
      argc, argv, "Mortar's optimizer driver\n", registry);
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return asMainReturnCode(
        MlirOptMain(argc, argv, inputName, outputName, registry));

  std::string problem;
  auto file = openInputFile(inputName, &problem);
  if (!file)
    return fail(problem);
  {
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    context.allowUnregisteredDialects(config.shouldAllowUnregisteredDialects());
    llvm::SourceMgr sources;
    SourceMgrDiagnosticHandler diagnostics(sources, &context);
    file = mortar::toSafeText(std::move(file), &context);
    if (!file)
      return 1;
  }
  auto output = openOutputFile(outputName, &problem);
  if (!output)
    return fail(problem);
  if (failed(MlirOptMain(output->os(), std::move(file), registry, config)))
    return 1;
  output->keep();
  return 0;
}
