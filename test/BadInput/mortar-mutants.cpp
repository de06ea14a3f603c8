//===- mortar-mutants.cpp - bad input never crashes -----------------------===//

#include "Workers.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Signals.h"

#include <chrono>

using namespace mortar::badinput;
namespace cl = llvm::cl;

static constexpr const char *overview = R"(Mortar's mutants

  Takes the valid files of the tests, makes each odd in one to three ways (IR, text or
  bytecode) and takes it through parser, verifier, every pipeline and code generation.
  A crash, a hang, more than 1 GiB, an error that says nothing or not where: a finding.
  It exits with 1 if there is one.
)";

static cl::OptionCategory category("mortar-mutants options");
static cl::opt<std::string>
    corpusFolder("corpus", cl::Required, cl::cat(category),
                 cl::desc("The folder of the valid files"));
static cl::opt<uint64_t> count("count", cl::init(5000), cl::cat(category),
                               cl::desc("How many mutants"));
static cl::opt<uint64_t> first("first", cl::init(0), cl::cat(category),
                               cl::desc("The first mutant's number"));
static cl::opt<uint64_t> seed("seed", cl::init(1), cl::cat(category),
                              cl::desc("Another seed gives other mutants"));
static cl::opt<unsigned> jobs("jobs", cl::init(2), cl::cat(category),
                              cl::desc("Processes at a time"));
static cl::opt<int64_t>
    only("only", cl::init(-1), cl::cat(category),
         cl::desc("Run this mutant alone, in this process"));
static cl::opt<bool>
    printIt("print", cl::cat(category),
            cl::desc("With --only: print the mutant, don't run it"));
static cl::opt<std::string> findings("findings", cl::init("mutants"),
                                     cl::cat(category),
                                     cl::desc("The folder for findings"));

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, overview);
  Settings settings;
  settings.seed = seed;
  settings.first = first;
  settings.count = count;
  settings.jobs = std::max(1u, unsigned(jobs));
  settings.folder = findings;
  settings.program = std::string(argv[0]) + " --corpus=" + corpusFolder;
  std::vector<Piece> corpus = loadCorpus(corpusFolder);
  if (corpus.empty()) {
    llvm::errs() << "mortar-mutants: expected valid .mlir files in '"
                 << corpusFolder << "', but found none\n";
    return 1;
  }
  if (only >= 0) {
    llvm::sys::PrintStackTraceOnErrorSignal(argv[0]);
    runOne(corpus, settings, only, printIt);
    return 0;
  }
  if (llvm::sys::fs::create_directories(settings.folder)) {
    llvm::errs() << "mortar-mutants: expected to write to '" << settings.folder
                 << "', but can't\n";
    return 1;
  }
  auto start = std::chrono::steady_clock::now();
  Statistics found = runAll(corpus, settings);
  std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - start;
  llvm::outs() << llvm::formatv(
      "{0} mutants of {1} modules: {2} rejected by the parser, {3} by the "
      "verifier, {4} "
      "by a pipeline, {5} accepted; {6} findings; {7:F1} s\n",
      found.tried, corpus.size(), found.outcomes[0], found.outcomes[1],
      found.outcomes[2], found.outcomes[3], found.findings, taken.count());
  return found.findings ? 1 : 0;
}
