//===- mortar-fuzz-corpus.cpp - what the fuzzers begin with ---------------===//
//
//   mortar-fuzz-corpus <folder of .mlir files> <output folder>
//
// Writes text/, bytecode/ and artifact/ from the valid files, and mortar.dict,
// the names of the dialect's ops and attributes.
//
//===----------------------------------------------------------------------===//

#include "Corpus.h"

#include "mortar/IR/Mortar.h"
#include "mortar/Pipelines/Compiler.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mortar::badinput;

static bool write(StringRef folder, StringRef sub, const Twine &name,
                  StringRef bytes) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, sub);
  std::error_code error = llvm::sys::fs::create_directories(path);
  llvm::sys::path::append(path, name);
  if (!error) {
    llvm::raw_fd_ostream os(path, error);
    os << bytes;
  }
  if (error)
    llvm::errs() << "mortar-fuzz-corpus: expected to write '" << path
                 << "', but: " << error.message() << "\n";
  return !error;
}

static std::string makeDictionary() {
  std::string text;
  auto context = makeContext(/*allowUnregistered=*/false);
  auto add = [&](StringRef word) { text += "\"" + word.str() + "\"\n"; };
  for (RegisteredOperationName name : context->getRegisteredOperations())
    if (name.getDialectNamespace() ==
        mortar::MortarDialect::getDialectNamespace()) {
      add(name.getStringRef());
      for (StringAttr attribute : name.getAttributeNames())
        add(attribute.getValue());
    }
  for (const char *word : {"mortar.constant",
                           "mortar.output",
                           "mortar.result",
                           "bufferization.writable",
                           "row",
                           "column",
                           "row_scalar",
                           "scalar",
                           "recurrence",
                           "weight",
                           "epsilon",
                           "inner",
                           "limit",
                           "ins",
                           "outs",
                           "tensor<",
                           "vector<",
                           "memref<",
                           "xbf16",
                           "xf32",
                           "?x",
                           "func.func",
                           "return"})
    add(word);
  return text;
}

/// As mortar-compile writes it; empty where it refuses.
static std::string makeArtifact(StringRef text) {
  auto context = makeContext(/*allowUnregistered=*/false);
  ScopedDiagnosticHandler silent(context.get(),
                                 [](Diagnostic &) { return success(); });
  auto module = parseSourceString<ModuleOp>(text, context.get());
  mortar::CompileOptions options;
  options.cubin = false;
  if (!module)
    return "";
  auto program = mortar::compileForGPU(*module, options);
  if (failed(program))
    return "";
  // A fuzzer learns nothing from thousands of lines of PTX.
  for (auto &image : program->artifact.images)
    image.bytes.resize(std::min<size_t>(64, image.bytes.size()));
  return mortar::runtime::serialize(program->artifact);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    llvm::errs()
        << "mortar-fuzz-corpus: expected a folder of .mlir files and one to "
           "write to, but found "
        << argc - 1 << " arguments\n";
    return 1;
  }
  StringRef folder = argv[2];
  bool written = write(folder, ".", "mortar.dict", makeDictionary());
  size_t number = 0, artifacts = 0;
  for (const Piece &piece : loadCorpus(argv[1])) {
    ++number;
    written &= write(folder, "text", Twine(number) + ".mlir", piece.text);
    auto context = makeContext(/*allowUnregistered=*/true);
    auto module = parseSourceString<ModuleOp>(piece.text, context.get());
    std::string bytes;
    llvm::raw_string_ostream os(bytes);
    if (succeeded(writeBytecodeToFile(*module, os)))
      written &= write(folder, "bytecode", Twine(number) + ".mlirbc", bytes);
    if (number % 4)
      continue; // a few dozen will do
    if (std::string artifact = makeArtifact(piece.text); !artifact.empty())
      written &=
          write(folder, "artifact", Twine(++artifacts) + ".mortar", artifact);
  }
  written &= write(folder, "calls", "0", std::string(64, '\1'));
  return written && artifacts ? 0 : 1;
}
