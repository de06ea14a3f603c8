//===- mortar-run.cpp - runs a program's entries and compares bits --------===//

#include "Runner.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

using namespace mortar::run;
namespace cl = llvm::cl;

static constexpr const char *overview = R"(Mortar's runner

  Compiles the functions of an .mlir file, runs each on made-up inputs (or your own) and
  prints a checksum of every result, so that two runs can be compared by eye. With
  --compare the machine compares them, bit for bit:

    mortar-run layer.mlir --rows=17 --compare=unfused
    mortar-run layer.mlir --device=gpu --values=hard --compare=unfused,cpu --time=100

  It exits with 1 on any error or difference.
)";

static cl::OptionCategory category("mortar-run options");
static cl::opt<std::string> inputFile(cl::Positional, cl::Required,
                                      cl::desc("<file.mlir or file.mortar>"),
                                      cl::cat(category));
static cl::opt<std::string> entryName("entry", cl::desc("Run this entry only"),
                                      cl::value_desc("name"), cl::cat(category));
static cl::opt<Where>
    device("device", cl::desc("Where to run:"),
           cl::values(clEnumValN(Where::CPU, "cpu", "this machine's CPU (default)"),
                      clEnumValN(Where::GPU, "gpu", "its first GPU"),
                      clEnumValN(Where::Emulator, "emulate",
                                 "an emulated GPU, which checks every access"),
                      clEnumValN(Where::Interpreter, "interpret",
                                 "the interpreter that defines the bits: slow, and "
                                 "without any lowering")),
           cl::init(Where::CPU), cl::cat(category));
static cl::opt<std::string>
    target("target",
           cl::desc("What to compile for: host or x86-64-v3, or sm_90 and the like "
                    "(default: what is there)"),
           cl::value_desc("name"), cl::cat(category));
static cl::list<int64_t>
    rows("rows",
         cl::desc("Every dynamic size (default: 17, or what the first --input has); with "
                  "more than one, each entry runs with each"),
         cl::value_desc("M,..."), cl::CommaSeparated, cl::cat(category));
static cl::opt<uint64_t> seed("seed", cl::desc("Another seed gives other values"),
                              cl::init(0), cl::cat(category));
static cl::opt<Values> values(
    "values", cl::desc("What inputs hold:"),
    cl::values(clEnumValN(Values::Random, "random", "normal, of variance 1 (default)"),
               clEnumValN(Values::Hard, "hard",
                          "rows with -0, infinities, NaN, subnormals, the largest "
                          "number, nothing but zeros, one huge element")),
    cl::init(Values::Random), cl::cat(category));
static cl::list<std::string>
    inputs("input",
           cl::desc("Take argument K of each entry from a .npy file (bf16 as uint16, fp8 "
                    "as uint8)"),
           cl::value_desc("K:file.npy"), cl::cat(category));
static cl::opt<std::string>
    output("output", cl::desc("Write PREFIX<entry>.<result>.npy: all of them or none"),
           cl::value_desc("PREFIX"), cl::cat(category));
static cl::list<Reference> references(
    "compare",
    cl::desc("Run it another way on the same inputs too, and compare bit for bit (any "
             "NaN equals any NaN):"),
    cl::values(clEnumValN(Reference::Unfused, "unfused", "each op a kernel of its own"),
               clEnumValN(Reference::CPU, "cpu",
                          "on the CPU; for a run on the host's CPU, as x86-64-v3"),
               clEnumValN(Reference::Interpreter, "interpret", "on the interpreter"),
               clEnumValN(Reference::Aligned, "aligned",
                          "without --offset, --pad and --column-major")),
    cl::CommaSeparated, cl::cat(category));
static cl::opt<int64_t>
    offset("offset", cl::desc("Elements between an aligned address and each operand"),
           cl::value_desc("K"), cl::init(0), cl::cat(category));
static cl::opt<int64_t> pad("pad", cl::desc("Elements between the rows of each operand"),
                            cl::value_desc("K"), cl::init(0), cl::cat(category));
static cl::opt<bool> columnMajor(
    "column-major",
    cl::desc("Lay out by column what may be: the scales of groups; then --pad is between "
             "their columns"),
    cl::cat(category));
static cl::opt<bool> mixedDtypes("mixed-dtypes",
                                 cl::desc("Fuse norms on mixed types too"),
                                 cl::cat(category));
static cl::opt<unsigned>
    timedRuns("time",
              cl::desc("Time N runs, caches warm: median and least, and the bytes of the "
                       "arguments. On a GPU a run is one of 20 launches of a CUDA graph"),
              cl::value_desc("N"), cl::init(0), cl::cat(category));
static cl::opt<bool> printSummary("summary",
                                  cl::desc("Print what was fused, and why not; on the "
                                           "emulator also what each access touched"),
                                  cl::cat(category));
static cl::opt<int64_t>
    fewRows("few-rows",
            cl::desc("On a GPU, up to M rows take the schedule for few (default: 1024)"),
            cl::value_desc("M"), cl::cat(category));
static cl::opt<uint64_t>
    order("order",
          cl::desc("On the emulator, another number than 0 gives another order of blocks "
                   "and warps"),
          cl::value_desc("N"), cl::init(0), cl::cat(category));

int main(int argc, char **argv) {
  llvm::InitLLVM start(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, overview);
  Settings settings;
  settings.inputFile = inputFile;
  settings.entryName = entryName;
  settings.target = target;
  settings.output = output;
  settings.device = device;
  settings.rows = {rows.begin(), rows.end()};
  settings.seed = seed;
  settings.values = values;
  settings.inputs = {inputs.begin(), inputs.end()};
  settings.references = {references.begin(), references.end()};
  settings.placement = {offset, pad, 0, columnMajor};
  settings.mixedDtypes = mixedDtypes;
  settings.printSummary = printSummary;
  settings.timedRuns = timedRuns;
  settings.order = order;
  if (fewRows.getNumOccurrences())
    settings.fewRows = fewRows;
  Runner runner(std::move(settings));
  return runner.load() && runner.runAll() ? 0 : 1;
}
