//===- Runner.h - one file, run as the options say --------------*- C++ -*-===//
#ifndef MORTAR_RUN_RUNNER_H
#define MORTAR_RUN_RUNNER_H

#include "mortar/Execution/Programs.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

#include <map>
#include <optional>

namespace mortar::run {

using namespace execution;

enum class Where { CPU, GPU, Emulator };
enum class Reference { Unfused, CPU, Aligned };

/// The command line.
struct Settings {
  std::string inputFile, entryName, target, output;
  Where device = Where::CPU;
  std::vector<int64_t> rows;
  uint64_t seed = 0;
  Values values = Values::Random;
  std::vector<std::string> inputs; // "K:file.npy"
  std::vector<Reference> references;
  Placement placement;
  bool mixedDtypes = false, printSummary = false;
  std::optional<int64_t> fewRows;
  uint64_t order = 0;
  unsigned timedRuns = 0;
};

/// One way to run the file.
struct Variant {
  std::string name;
  Program *program;
  Placement placement;
};

class Runner {
public:
  explicit Runner(Settings settings) : settings(std::move(settings)) {}
  /// Reads and compiles. Every error has been reported where these return false.
  bool load();
  /// Runs and compares; a difference is false, too.
  bool runAll();

private:
  bool parse();
  bool loadArtifact(llvm::StringRef bytes);
  Program *compile(Where where, llvm::StringRef chip, bool fuse);
  bool addReferences();
  bool chooseEntries(std::vector<size_t> &chosen);
  Expected<std::vector<Tensor>> makeInputs(const runtime::Entry &entry, int64_t extent);
  bool runEntry(size_t number, int64_t extent);
  bool compareWith(const Variant &reference, const runtime::Entry &entry,
                   const std::vector<Tensor> &arguments,
                   const std::vector<Tensor> &results);
  bool printTime(const Variant &variant, size_t entry,
                 const std::vector<Tensor> &arguments);
  bool writeResults();

  const Settings settings;
  std::unique_ptr<llvm::MemoryBuffer> file;
  std::shared_ptr<llvm::SourceMgr> sources;
  std::unique_ptr<mlir::MLIRContext> context;
  std::optional<mlir::SourceMgrDiagnosticHandler> diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string chip;
  std::vector<std::unique_ptr<Program>> programs;
  Variant subject;
  std::vector<Variant> others;
  std::map<unsigned, std::string> files;                    // argument -> .npy
  std::vector<std::pair<std::string, std::string>> written; // path, bytes
  bool differs = false;
};

/// False, with one line on stderr unless a diagnostic has said it.
bool fail(const Status &status);
/// For who waits at a terminal.
void say(const llvm::Twine &what);

} // namespace mortar::run

#endif // MORTAR_RUN_RUNNER_H
