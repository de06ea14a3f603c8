//===- Hygiene.cpp - fusing twice, and on the way through files -----------===//

#include "Checker.h"

#include "mortar/Transforms/Passes.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mortar;
using namespace mortar::proof;

static std::string print(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream(text) << module;
  return text;
}

/// Whether `module` is the same after a trip through text, and through bytecode.
static bool survivesFiles(ModuleOp module) {
  std::string text = print(module), bytes;
  llvm::raw_string_ostream os(bytes);
  if (failed(writeBytecodeToFile(module, os)))
    return false;
  for (StringRef file : {StringRef(text), StringRef(bytes)}) {
    auto read = parseSourceString<ModuleOp>(file, ParserConfig(module.getContext()));
    if (!read || print(*read) != text)
      return false;
  }
  return true;
}

static LogicalResult fuseRows(ModuleOp module, const Fusion &fusion) {
  FuseRowsPassOptions options;
  options.merge = fusion.merge;
  options.mixedDtypes = fusion.mixedDtypes ? MixedDtypes::Fuse : MixedDtypes::Separate;
  options.maxLiveBytes = fusion.maxLiveBytes;
  PassManager pm(module.getContext());
  auto tidy = [&] {
    pm.addNestedPass<func::FuncOp>(createCSEPass());
    pm.addNestedPass<func::FuncOp>(createCanonicalizerPass());
    pm.addNestedPass<func::FuncOp>(createCSEPass());
  };
  tidy();
  pm.addPass(createFuseRowsPass(options));
  tidy();
  return pm.run(module);
}

bool Checker::checkHygiene(const Lowered &lowered, const Fusion &fusion) {
  ++statistics.checks["hygiene"];
  if (!survivesFiles(program))
    return fail("hygiene: the program is another after a trip through a file");
  if (!survivesFiles(*lowered.fused))
    return fail("hygiene: fused, the program is another after a trip through a file");
  // Without cutting at foreign ops: in a function of its own a norm can't see any more
  // what its row was made of, and the dtype rule may allow more.
  OwningOpRef<ModuleOp> twice(program.clone());
  std::string once;
  for (int time = 0; time < 2; ++time) {
    if (mlir::failed(fuseRows(*twice, fusion)))
      return fail("hygiene: fusing failed");
    if (time == 0)
      once = print(*twice);
  }
  if (print(*twice) != once)
    return fail("hygiene: fusing a second time changes the program");
  return true;
}
