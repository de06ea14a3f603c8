//===- Runner.cpp - compiles, makes inputs, runs --------------------------===//

#include "Runner.h"

#include "mortar/Execution/Npy.h"

#include "mortar/InitAll.h"
#include "mortar/Interpreter/Interpreter.h"
#include "mortar/Pipelines/ReadInput.h"

#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"

using namespace mortar;
using namespace mortar::run;
namespace rt = mortar::runtime;

bool mortar::run::fail(const Status &status) {
  if (!status.message().empty())
    llvm::WithColor::error(llvm::errs(), "mortar-run") << status.message() << "\n";
  return false;
}

void mortar::run::say(const llvm::Twine &what) {
  if (llvm::sys::Process::StandardErrIsDisplayed())
    llvm::errs() << "mortar-run: " << what << " ...\n";
}

bool Runner::parse() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  context = std::make_unique<mlir::MLIRContext>(registry);
  context->printOpOnDiagnostic(false);
  sources = std::make_shared<llvm::SourceMgr>();
  diagnostics.emplace(*sources, context.get());
  module = readInput(std::move(file), *sources, context.get());
  return bool(module);
}

Program *Runner::compile(Where where, llvm::StringRef chip, bool fuse) {
  CompileOptions options;
  options.target = chip.str();
  options.fuse = fuse;
  options.mixedDtypes = settings.mixedDtypes;
  options.fewRows = settings.fewRows.value_or(options.fewRows);
  say("compiling " + settings.inputFile + " for " + chip + (fuse ? "" : ", unfused"));
  auto program = where == Where::CPU   ? compileOnCPU(*module, options)
                  : where == Where::GPU ? compileOnGPU(*module, options)
                  : where == Where::Emulator
                      ? compileOnEmulator(*module, options, settings.order)
                      : interpreter::makeInterpretedProgram(*module, options);
  if (!program) {
    fail(program.status());
    return nullptr;
  }
  programs.push_back(std::move(*program));
  return programs.back().get();
}

bool Runner::loadArtifact(llvm::StringRef bytes) {
  auto refuse = [&](const auto &...what) {
    return fail(Status::error(settings.inputFile, ": ", what...));
  };
  if (settings.device != Where::GPU)
    return refuse("an artifact runs on a GPU only: expected --device=gpu");
  if (!settings.target.empty() || settings.mixedDtypes || settings.fewRows)
    return refuse("an artifact is compiled already: expected no --target, "
                  "--mixed-dtypes or --few-rows");
  for (Reference reference : settings.references)
    if (reference != Reference::Aligned)
      return refuse("an artifact can't be compiled another way: expected no --compare "
                    "but aligned");
  auto artifact = rt::parseArtifact(bytes.data(), bytes.size());
  if (!artifact)
    return fail(artifact.status().in(settings.inputFile));
  if (settings.printSummary)
    llvm::outs() << artifact->remarksJson;
  auto program = loadOnGPU(std::move(*artifact));
  if (!program)
    return fail(program.status());
  programs.push_back(std::move(*program));
  subject.program = programs.back().get();
  return true;
}

bool Runner::load() {
  for (auto [value, name] :
       {std::pair(settings.placement.offset, "offset"), {settings.placement.pad, "pad"}})
    if (value < 0 || value > 1 << 20)
      return fail(
          Status::error("expected --", name, " from 0 to 1048576, but found ", value));
  for (int64_t extent : settings.rows)
    if (extent < 0)
      return fail(Status::error("expected --rows of at least 0, but found ", extent));
  if (settings.device != Where::Emulator && settings.order)
    return fail(Status::error("expected --order for --device=emulate only"));
  if (settings.device == Where::CPU && settings.fewRows)
    return fail(Status::error("expected --few-rows for --device=gpu or emulate only"));
  if (settings.device == Where::Emulator && settings.timedRuns)
    return fail(Status::error("expected no --time for --device=emulate, whose time says "
                              "nothing of a GPU's; --summary counts what it does"));
  if (settings.rows.size() > 1 && !settings.output.empty())
    return fail(Status::error("expected one --rows with --output, but found ",
                              settings.rows.size()));
  for (llvm::StringRef input : settings.inputs) {
    auto [number, path] = input.split(':');
    unsigned argument;
    if (number.getAsInteger(10, argument) || path.empty())
      return fail(
          Status::error("expected --input=K:file.npy, but found '", input.str(), "'"));
    if (!files.emplace(argument, path.str()).second)
      return fail(Status::error("expected one --input for argument ", argument,
                                ", but found two"));
  }
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(settings.inputFile);
  if (!buffer)
    return fail(Status::error(settings.inputFile, ": ", buffer.getError().message()));
  file = std::move(*buffer);
  subject = {"", nullptr, settings.placement};
  llvm::StringRef bytes = file->getBuffer(), path = settings.inputFile;
  if (bytes.starts_with("MORTAR") || path.ends_with(".mortar")) {
    if (!loadArtifact(bytes))
      return false;
  } else {
    bool isGPU = settings.device == Where::GPU || settings.device == Where::Emulator;
    chip = !settings.target.empty() ? settings.target : isGPU ? "sm_90" : "host";
    if (settings.device == Where::GPU && settings.target.empty()) {
      auto found = findGPU();
      if (!found)
        return fail(found.status());
      chip = *found;
    }
    if (isGPU != llvm::StringRef(chip).starts_with("sm_"))
      return fail(Status::error("expected a --target like ",
                                settings.device == Where::GPU ? "sm_90 for --device=gpu"
                                : isGPU ? "sm_90 for --device=emulate"
                                        : "host or x86-64-v3 for --device=cpu or interpret",
                                ", but found '", chip, "'"));
    if (!parse() || !(subject.program = compile(settings.device, chip, true)))
      return false;
    if (settings.printSummary)
      subject.program->summary().print(llvm::outs());
  }
  return addReferences();
}

bool Runner::addReferences() {
  for (Reference reference : settings.references) {
    Variant other{"aligned", subject.program, {}};
    if (reference == Reference::Unfused) {
      other = {"unfused", compile(settings.device, chip, false), {}};
    } else if (reference == Reference::CPU) {
      bool isHost = settings.device == Where::CPU && chip == "host";
      other = {"cpu", compile(Where::CPU, isHost ? "x86-64-v3" : "host", true), {}};
    } else if (reference == Reference::Interpreter) {
      other = {"interpret", compile(Where::Interpreter, "the interpreter", true), {}};
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
    if (settings.entryName.empty() || settings.entryName == entries[i].name)
      chosen.push_back(i);
  }
  if (chosen.empty())
    return fail(Status::error(settings.inputFile, ": expected an entry '",
                              settings.entryName, "', but found ",
                              names.empty() ? "none" : names));
  return true;
}

Expected<std::vector<Tensor>> Runner::makeInputs(const rt::Entry &entry, int64_t extent) {
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
  size_t total = 0;
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
    // Each alone is no more than a quarter of the memory; nor may all together be.
    auto bytes = bytesOf(declared.type, shape);
    if (bytes && (total += *bytes) > memoryBytes() / 4)
      return Status::error("expected inputs of at most ", memoryBytes() >> 22,
                           " MiB on this machine, but '", entry.name, "' takes more");
    auto tensor =
        makeTensor(declared.type, shape, settings.values, settings.seed * 64 + i);
    if (!tensor)
      return tensor.status();
    made.push_back(std::move(*tensor));
  }
  return made;
}

bool Runner::runAll() {
  std::vector<size_t> chosen;
  if (!chooseEntries(chosen))
    return false;
  std::vector<int64_t> extents(settings.rows.begin(), settings.rows.end());
  if (extents.empty())
    extents.push_back(-1);
  for (size_t number : chosen)
    for (int64_t extent : extents)
      if (!runEntry(number, extent))
        return false;
  return writeResults() && !differs;
}
