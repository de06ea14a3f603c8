//===- Corpus.cpp - the valid files that bad input is made of -------------===//

#include "Corpus.h"

#include "mortar/InitAll.h"
#include "mortar/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>

using namespace mlir;
using namespace mortar::badinput;

std::unique_ptr<MLIRContext>
mortar::badinput::makeContext(bool allowUnregistered) {
  DialectRegistry registry;
  registerAllDialects(registry);
  auto context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->allowUnregisteredDialects(allowUnregistered);
  context->printOpOnDiagnostic(false);
  // A dialect's verifier runs only where it is loaded.
  context->loadAllAvailableDialects();
  return context;
}

static bool isValid(StringRef text) {
  auto context = makeContext(/*allowUnregistered=*/true);
  ScopedDiagnosticHandler silent(context.get(),
                                 [](Diagnostic &) { return success(); });
  auto module = parseSourceString<ModuleOp>(text, context.get());
  PassManager pm(context.get());
  pm.addPass(mortar::createCheckInputPass());
  return module && succeeded(pm.run(*module));
}

/// Cuts at lines that begin with a separator.
static std::vector<std::string> cut(StringRef text) {
  std::vector<std::string> parts(1);
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (StringRef line : lines) {
    if (line.starts_with("// -----") || line.starts_with("//--- "))
      parts.emplace_back();
    else
      (parts.back() += line) += '\n';
  }
  return parts;
}

std::vector<Piece> mortar::badinput::loadCorpus(StringRef folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (llvm::sys::fs::recursive_directory_iterator file(folder, error), end;
       file != end && !error; file.increment(error))
    if (StringRef(file->path()).ends_with(".mlir"))
      paths.push_back(file->path());
  std::sort(paths.begin(), paths.end());
  std::vector<Piece> corpus;
  for (const std::string &path : paths) {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer)
      continue;
    std::string name = path.substr(folder.size());
    for (auto [i, part] : llvm::enumerate(cut((*buffer)->getBuffer())))
      if (StringRef(part).contains(" = ") && isValid(part))
        corpus.push_back({(name + "#" + Twine(i)).str(), part});
  }
  return corpus;
}
