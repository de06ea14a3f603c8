//===- mortar-run.cpp - runs a program's entries and compares bits --------===//

#include "Devices.h"
#include "Npy.h"

#include "mortar/InitAll.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

#include <map>

using namespace mortar;
using namespace mortar::run;
namespace cl = llvm::cl;
namespace rt = mortar::runtime;

static constexpr const char *overview = R"(Mortar's runner

  Compiles the functions of an .mlir file, runs each on made-up inputs (or your own) and
  prints a checksum of every result, so that two runs can be compared by eye. With
  --compare the machine compares them, bit for bit:

    mortar-run layer.mlir --rows=17 --compare=unfused
    mortar-run layer.mlir --device=gpu --values=hard --compare=unfused,cpu --time=100

  It exits with 1 on any error or difference.
)";

enum class Where { CPU, GPU };
enum class Reference { Unfused, CPU, Aligned };

static cl::OptionCategory category("mortar-run options");
static cl::opt<std::string> inputFile(cl::Positional, cl::Required,
                                      cl::desc("<file.mlir or file.mortar>"),
                                      cl::cat(category));
static cl::opt<std::string> entryName("entry", cl::desc("Run this entry only"),
                                      cl::value_desc("name"), cl::cat(category));
static cl::opt<Where> device(
    "device", cl::desc("Where to run:"),
    cl::values(clEnumValN(Where::CPU, "cpu", "this machine's CPU (default)"),
               clEnumValN(Where::GPU, "gpu", "its first GPU")),
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
               clEnumValN(Reference::Aligned, "aligned",
                          "without --offset and --pad")),
    cl::CommaSeparated, cl::cat(category));
static cl::opt<int64_t>
    offset("offset", cl::desc("Elements between an aligned address and each operand"),
           cl::value_desc("K"), cl::init(0), cl::cat(category));
static cl::opt<int64_t> pad("pad",
                            cl::desc("Elements between the rows of each operand"),
                            cl::value_desc("K"), cl::init(0), cl::cat(category));
static cl::opt<bool> mixedDtypes("mixed-dtypes", cl::desc("Fuse norms on mixed types too"),
                                 cl::cat(category));
static cl::opt<unsigned>
    timedRuns("time",
              cl::desc("Time N runs, caches warm: median and least, and the bytes of the "
                       "arguments. On a GPU a run is one of 20 launches of a CUDA graph"),
              cl::value_desc("N"), cl::init(0), cl::cat(category));
static cl::opt<bool> printSummary("summary", cl::desc("Print what was fused, and why not"),
                                  cl::cat(category));

/// False, with one line on stderr unless a diagnostic has said it.
static bool fail(const Status &status) {
  if (!status.message().empty())
    llvm::WithColor::error(llvm::errs(), "mortar-run") << status.message() << "\n";
  return false;
}

/// For who waits at a terminal.
static void say(const llvm::Twine &what) {
  if (llvm::sys::Process::StandardErrIsDisplayed())
    llvm::errs() << "mortar-run: " << what << " ...\n";
}

namespace {

/// One way to run the file.
struct Variant {
  std::string name;
  Program *program;
  Placement placement;
};

class Runner {
public:
  bool load();
  bool runAll();

private:
  bool parse();
  bool loadArtifact(llvm::StringRef bytes);
  Program *compile(Where where, llvm::StringRef chip, bool fuse);
  bool addReferences();
  bool chooseEntries(std::vector<size_t> &chosen);
  Expected<std::vector<Tensor>> makeInputs(const rt::Entry &entry, int64_t extent);
  bool runEntry(size_t number, int64_t extent);
  bool compareWith(const Variant &reference, const rt::Entry &entry,
                   const std::vector<Tensor> &arguments,
                   const std::vector<Tensor> &results);
  bool printTime(const Variant &variant, size_t entry,
                 const std::vector<Tensor> &arguments);
  bool writeResults();

  std::unique_ptr<llvm::MemoryBuffer> file;
  std::shared_ptr<llvm::SourceMgr> sources;
  std::unique_ptr<mlir::MLIRContext> context;
  std::optional<mlir::SourceMgrDiagnosticHandler> diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string chip;
  std::vector<std::unique_ptr<Program>> programs;
  Variant subject;
  std::vector<Variant> others;
  std::map<unsigned, std::string> files; // argument -> .npy
  std::vector<std::pair<std::string, std::string>> written; // path, bytes
  bool differs = false;
};

} // namespace

bool Runner::parse() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  context = std::make_unique<mlir::MLIRContext>(registry);
  context->printOpOnDiagnostic(false);
  sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  diagnostics.emplace(*sources, context.get());
  module = mlir::parseSourceFile<mlir::ModuleOp>(sources, context.get());
  return bool(module);
}

Program *Runner::compile(Where where, llvm::StringRef chip, bool fuse) {
  CompileOptions options;
  options.target = chip.str();
  options.fuse = fuse;
  options.mixedDtypes = mixedDtypes;
  say("compiling " + inputFile + " for " + chip + (fuse ? "" : ", unfused"));
  auto program = where == Where::CPU ? compileOnCPU(*module, options)
                                     : compileOnGPU(*module, options);
  if (!program) {
    fail(program.status());
    return nullptr;
  }
  programs.push_back(std::move(*program));
  return programs.back().get();
}

bool Runner::loadArtifact(llvm::StringRef bytes) {
  auto refuse = [&](const auto &...what) {
    return fail(Status::error(inputFile.getValue(), ": ", what...));
  };
  if (device == Where::CPU)
    return refuse("an artifact runs on a GPU only: expected --device=gpu");
  if (!target.empty() || mixedDtypes)
    return refuse("an artifact is compiled already: expected no --target or "
                  "--mixed-dtypes");
  for (Reference reference : references)
    if (reference != Reference::Aligned)
      return refuse("an artifact can't be compiled another way: expected no --compare "
                    "but aligned");
  auto artifact = rt::parseArtifact(bytes.data(), bytes.size());
  if (!artifact)
    return fail(artifact.status().in(inputFile.getValue()));
  if (printSummary)
    llvm::outs() << artifact->remarksJson << "\n";
  auto program = loadOnGPU(std::move(*artifact));
  if (!program)
    return fail(program.status());
  programs.push_back(std::move(*program));
  subject.program = programs.back().get();
  return true;
}

bool Runner::load() {
  for (auto [value, name] : {std::pair(offset.getValue(), "offset"), {pad, "pad"}})
    if (value < 0 || value > 1 << 20)
      return fail(Status::error("expected --", name, " from 0 to 1048576, but found ",
                                value));
  for (int64_t extent : rows)
    if (extent < 0)
      return fail(Status::error("expected --rows of at least 0, but found ", extent));
  if (rows.size() > 1 && !output.empty())
    return fail(Status::error("expected one --rows with --output, but found ",
                              rows.size()));
  for (llvm::StringRef input : inputs) {
    auto [number, path] = input.split(':');
    unsigned argument;
    if (number.getAsInteger(10, argument) || path.empty())
      return fail(Status::error("expected --input=K:file.npy, but found '",
                                input.str(), "'"));
    if (!files.emplace(argument, path.str()).second)
      return fail(Status::error("expected one --input for argument ", argument,
                                ", but found two"));
  }
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(inputFile);
  if (!buffer)
    return fail(Status::error(inputFile.getValue(), ": ", buffer.getError().message()));
  file = std::move(*buffer);
  subject = {"", nullptr, {offset, pad}};
  llvm::StringRef bytes = file->getBuffer(), path = inputFile;
  if (bytes.starts_with("MORTAR") || path.ends_with(".mortar")) {
    if (!loadArtifact(bytes))
      return false;
  } else {
    chip = target.empty() ? "host" : target.getValue();
    bool isGPU = device == Where::GPU;
    if (isGPU && target.empty()) {
      auto found = findGPU();
      if (!found)
        return fail(found.status());
      chip = *found;
    }
    if (isGPU != llvm::StringRef(chip).starts_with("sm_"))
      return fail(Status::error("expected a --target like ",
                                isGPU ? "sm_90 for --device=gpu"
                                      : "host or x86-64-v3 for --device=cpu",
                                ", but found '", chip, "'"));
    if (!parse() || !(subject.program = compile(device, chip, true)))
      return false;
    if (printSummary)
      subject.program->summary().print(llvm::outs());
  }
  return addReferences();
}

bool Runner::addReferences() {
  for (Reference reference : references) {
    Variant other{"aligned", subject.program, {}};
    if (reference == Reference::Unfused) {
      other = {"unfused", compile(device, chip, false), {}};
    } else if (reference == Reference::CPU) {
      bool isHost = device == Where::CPU && chip == "host";
      other = {"cpu", compile(Where::CPU, isHost ? "x86-64-v3" : "host", true), {}};
    }
    if (!other.program)
      return false;
    others.push_back(other);
  }
  return true;
}

bool Runner::chooseEntries(std::vector<size_t> &chosen) {
  const std::vector<rt::Entry> &entries = subject.program->entries();
  std::string names;
  for (size_t i = 0; i < entries.size(); ++i) {
    names += (i ? ", " : "") + entries[i].name;
    if (entryName.empty() || entryName == entries[i].name)
      chosen.push_back(i);
  }
  if (chosen.empty())
    return fail(Status::error(inputFile.getValue(), ": expected an entry '",
                              entryName.getValue(), "', but found ",
                              names.empty() ? "none" : names));
  return true;
}

Expected<std::vector<Tensor>> Runner::makeInputs(const rt::Entry &entry,
                                                int64_t extent) {
  std::map<unsigned, Tensor> read;
  for (auto &[number, path] : files) {
    if (number >= entry.args.size() || entry.args[number].role == rt::Argument::Output)
      return Status::error("expected --input for an argument that '", entry.name,
                           "' reads, but found number ", number);
    const rt::Argument &declared = entry.args[number];
    auto tensor = readNpy(path, declared.type, declared.shape);
    if (!tensor)
      return tensor.status().in("entry '", entry.name, "'");
    for (size_t i = 0; i < declared.shape.size() && extent < 0; ++i)
      if (declared.shape[i] < 0)
        extent = tensor->shape[i];
    read.emplace(number, std::move(*tensor));
  }
  std::vector<Tensor> made;
  for (size_t i = 0; i < entry.args.size(); ++i) {
    const rt::Argument &declared = entry.args[i];
    if (declared.role == rt::Argument::Output)
      continue;
    if (auto found = read.find(i); found != read.end()) {
      made.push_back(std::move(found->second));
      continue;
    }
    std::vector<int64_t> shape = declared.shape;
    for (int64_t &size : shape)
      size = size >= 0 ? size : extent >= 0 ? extent : 17;
    auto tensor = makeTensor(declared.type, shape, values, seed * 64 + i);
    if (!tensor)
      return tensor.status();
    made.push_back(std::move(*tensor));
  }
  return made;
}

bool Runner::compareWith(const Variant &reference, const rt::Entry &entry,
                         const std::vector<Tensor> &arguments,
                         const std::vector<Tensor> &results) {
  const std::vector<rt::Entry> &entries = reference.program->entries();
  auto found = llvm::find_if(entries, [&](const rt::Entry &e) { return e.name == entry.name; });
  if (found == entries.end())
    return fail(Status::error("expected an entry '", entry.name, "' in the program for ",
                              reference.name, ", but found none"));
  auto expected = reference.program->run(found - entries.begin(), arguments,
                                         reference.placement);
  if (!expected)
    return fail(expected.status().in(reference.name));
  if (expected->size() != results.size())
    return fail(Status::error("'", entry.name, "' has ", results.size(),
                              " results, but ", expected->size(), " in the program for ",
                              reference.name));
  for (size_t i = 0; i < results.size(); ++i) {
    const Tensor &result = results[i], &other = (*expected)[i];
    if (result.type != other.type || result.shape != other.shape)
      return fail(Status::error("result ", i, " of '", entry.name, "' is ",
                                describe(result.type, result.shape), ", but ",
                                describe(other.type, other.shape), " in the program for ",
                                reference.name));
    Difference difference = compare(result, other);
    llvm::outs() << llvm::formatv("  = {0,-8}  result {1}  {2,10} elements  {3,8} differ",
                                  reference.name, i, result.count(), difference.count);
    if (difference.count)
      llvm::outs() << "  first at " << place(result.shape, difference.first) << ": "
                   << describeElement(result, difference.first) << ", but "
                   << reference.name << " " << describeElement(other, difference.first);
    llvm::outs() << "\n";
    differs |= difference.count != 0;
  }
  return true;
}

bool Runner::printTime(const Variant &variant, size_t number,
                       const std::vector<Tensor> &arguments) {
  auto time = variant.program->time(number, arguments, variant.placement, timedRuns);
  if (!time)
    return fail(time.status());
  auto bytes = variant.program->bytesMoved(number, arguments);
  if (!bytes)
    return fail(bytes.status());
  llvm::outs() << llvm::formatv("  time: median {0:f2} us, least {1:f2} us of {2} runs, "
                                "{3} bytes, {4:f1} GB/s\n",
                                time->median, time->best, timedRuns.getValue(), *bytes,
                                double(*bytes) / time->median * 1e-3);
  return true;
}

bool Runner::runEntry(size_t number, int64_t extent) {
  const rt::Entry &entry = subject.program->entries()[number];
  say("running " + llvm::Twine(entry.name));
  auto arguments = makeInputs(entry, extent);
  if (!arguments)
    return fail(arguments.status());
  auto results = subject.program->run(number, *arguments, subject.placement);
  if (!results)
    return fail(results.status());
  llvm::outs() << entry.name << "\n";
  for (auto [i, result] : llvm::enumerate(*results)) {
    llvm::outs() << llvm::formatv("  result {0}  {1}  checksum {2}\n", i,
                                  describe(result.type, result.shape),
                                  llvm::format_hex_no_prefix(checksum(result), 16));
    if (!output.empty())
      written.emplace_back(output + entry.name + "." + std::to_string(i) + ".npy",
                           toNpy(result));
  }
  for (const Variant &other : others)
    if (!compareWith(other, entry, *arguments, *results))
      return false;
  return !timedRuns || printTime(subject, number, *arguments);
}

/// Everything is written beside its place first, then renamed.
bool Runner::writeResults() {
  std::vector<std::string> temporaries;
  Status problem;
  for (auto &[path, bytes] : written) {
    temporaries.push_back(path + ".tmp" + std::to_string(llvm::sys::Process::getProcessId()));
    std::error_code error;
    llvm::raw_fd_ostream os(temporaries.back(), error);
    if (!error) {
      os << bytes;
      os.close();
      error = os.error();
      os.clear_error();
    }
    if (error)
      problem = Status::error(path, ": ", error.message());
    if (!problem.ok())
      break;
  }
  for (size_t i = 0; i < temporaries.size() && problem.ok(); ++i)
    if (std::error_code error = llvm::sys::fs::rename(temporaries[i], written[i].first))
      problem = Status::error(written[i].first, ": ", error.message());
  if (problem.ok())
    return true;
  for (const std::string &temporary : temporaries)
    llvm::sys::fs::remove(temporary);
  return fail(problem);
}

bool Runner::runAll() {
  std::vector<size_t> chosen;
  if (!chooseEntries(chosen))
    return false;
  std::vector<int64_t> extents(rows.begin(), rows.end());
  if (extents.empty())
    extents.push_back(-1);
  for (size_t number : chosen)
    for (int64_t extent : extents)
      if (!runEntry(number, extent))
        return false;
  return writeResults() && !differs;
}

int main(int argc, char **argv) {
  llvm::InitLLVM start(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, overview);
  Runner runner;
  return runner.load() && runner.runAll() ? 0 : 1;
}
