//===- mortar-compile.cpp - .mlir in, artifact or code out ----------------===//

#include "mortar/InitAll.h"
#include "mortar/Pipelines/ArtifactCache.h"
#include "mortar/Pipelines/CompileCached.h"
#include "mortar/Pipelines/ReadInput.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"

#include <chrono>

using namespace mlir;
namespace cl = llvm::cl;

static constexpr const char *overview =
    "compiles what lies between a model's matrix multiplications\n\n"
    "  Reads functions of Mortar's ops (text or bytecode), fuses each gap between\n"
    "  foreign ops into kernels, and writes an artifact that the Mortar runtime loads,\n"
    "  or PTX, a cubin, an object file. A table says what was fused.\n\n"
    "  mortar-compile layer.mlir -o layer.mortar\n"
    "  mortar-compile layer.mlir --target=host --emit=object -o layer.o\n";

static cl::OptionCategory category("Options");

static cl::opt<std::string> input(cl::Positional, cl::desc("<file.mlir>"),
                                  cl::init("-"), cl::cat(category));
static cl::opt<std::string> output("o", cl::desc("Where the result goes (- is stdout)"),
                                   cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string>
    target("target", cl::init("sm_90"), cl::cat(category),
           cl::desc("A GPU (sm_80, sm_90, sm_100) or a CPU (host, x86-64-v3)"));

enum class Emit { Artifact, PTX, Cubin, Object, Header, Nothing };
static cl::opt<Emit> emit(
    "emit", cl::desc("What to write"), cl::cat(category), cl::init(Emit::Artifact),
    cl::values(clEnumValN(Emit::Artifact, "artifact", "device code and launch plan"),
               clEnumValN(Emit::PTX, "ptx", "the kernels' PTX"),
               clEnumValN(Emit::Cubin, "cubin", "the kernels' machine code (ptxas)"),
               clEnumValN(Emit::Object, "object", "an object file, for a CPU target"),
               clEnumValN(Emit::Header, "header", "the object's C header"),
               clEnumValN(Emit::Nothing, "nothing", "only the table")));
static cl::opt<bool> noFuse("no-fuse", cl::cat(category),
                            cl::desc("Leave each op a kernel of its own (same bits)"));
static cl::opt<bool>
    mixedDtypes("mixed-dtypes", cl::cat(category),
                cl::desc("Fuse norms whose row and weight differ in type (same bits)"));
static cl::opt<bool> noCubin("no-cubin", cl::cat(category),
                             cl::desc("Leave out machine code though ptxas is there"));
static cl::opt<std::string> requireFusions(
    "require-fusions", cl::ValueOptional, cl::value_desc("except:CONDITION,..."),
    cl::cat(category),
    cl::desc("Fail if a candidate did not fuse, unless for a condition named here"));
static cl::opt<int64_t>
    minFusions("min-fusions", cl::value_desc("N"), cl::init(0), cl::cat(category),
               cl::desc("Fail unless at least N ops joined another's kernel"));
static cl::opt<std::string>
    remarks("remarks", cl::value_desc("file.json"), cl::cat(category),
            cl::desc("Write kernels and refusals as JSON (- is stdout)"));
static cl::opt<bool> noLines("no-line-tables", cl::cat(category),
                             cl::desc("Leave out which line of the input code is from"));
static cl::opt<std::string> cacheFolder(
    "cache", cl::ValueOptional, cl::value_desc("folder"), cl::cat(category),
    cl::desc("Keep artifacts in the folder ($XDG_CACHE_HOME/mortar), and find them there; "
             "$MORTAR_CACHE may be 0 or require"));
static cl::opt<bool> quiet("quiet", cl::cat(category), cl::desc("Print no table"));
static cl::opt<bool> verbose("ptxas-info", cl::cat(category),
                             cl::desc("Print what ptxas says of registers and spills"));

static cl::opt<unsigned>
    repetitions("time", cl::value_desc("N"), cl::init(0), cl::cat(category),
         cl::desc("Compile N times in this process and print how long it takes, from "
                  "text to what is emitted"));

static int fail(const llvm::Twine &message) {
  llvm::errs() << "mortar-compile: " << message << "\n";
  return 1;
}

/// Writes the whole file or none of it.
static bool write(StringRef path, StringRef bytes) {
  if (path == "-") {
    llvm::outs() << bytes;
    return true;
  }
  auto error = llvm::writeToOutput(path, [&](llvm::raw_ostream &os) {
    os << bytes;
    return llvm::Error::success();
  });
  if (!error)
    return true;
  fail("expected to write '" + path + "', but: " + llvm::toString(std::move(error)));
  return false;
}

static bool report(const mortar::Summary &summary) {
  if (!quiet)
    summary.print(llvm::errs());
  if (!remarks.empty() && !write(remarks, summary.toJSON()))
    return false;
  int64_t fusions = 0;
  for (const auto &function : summary.functions)
    for (const auto &kernel : function.kernels)
      fusions += std::max<int64_t>(0, kernel.opCount - 1); // 0 ops: row primitives only
  if (fusions >= minFusions)
    return true;
  fail("expected at least " + llvm::Twine(minFusions) +
       " ops to join another's kernel, but " + llvm::Twine(fusions) +
       " did; the refusals above say why");
  if (quiet)
    summary.print(llvm::errs());
  return false;
}

static int emitForCPU(ModuleOp module, const mortar::CompileOptions &options) {
  if (emit == Emit::PTX || emit == Emit::Cubin || emit == Emit::Artifact)
    return fail("expected --emit=object or header for the CPU target '" + target +
                "', since artifacts, ptx and cubin are for GPUs");
  auto program = mortar::compileForCPU(module, options);
  if (failed(program) || !report(program->summary))
    return 1;
  if (emit == Emit::Nothing)
    return 0;
  return !write(output, emit == Emit::Header ? program->code.header("MORTAR_OBJECT_H")
                                             : program->code.object());
}

static int emitForGPU(ModuleOp module, const mortar::CompileOptions &options) {
  if (emit == Emit::Object || emit == Emit::Header)
    return fail("expected --target=host or a CPU for --emit=object, but found '" +
                target + "'");
  auto program = mortar::compileForGPU(module, options);
  if (failed(program) || !report(program->summary))
    return 1;
  if (verbose)
    llvm::errs() << program->assemblerReport;
  switch (emit) {
  case Emit::Artifact:
    return !write(output, mortar::runtime::serialize(program->artifact));
  case Emit::PTX:
    return !write(output, program->artifact.images.front().bytes);
  case Emit::Cubin:
    for (const auto &image : program->artifact.images)
      if (image.kind == mortar::runtime::CodeImage::Cubin)
        return !write(output, image.bytes);
    return fail("expected ptxas in $CUDA_HOME/bin or on the PATH for --emit=cubin, but "
                "found none");
  default:
    return 0;
  }
}

/// The artifact, from the cache if it is there.
static int emitCached(ModuleOp module, const mortar::CompileOptions &options) {
  if (emit != Emit::Artifact || !mortar::isGPU(target))
    return fail("expected --emit=artifact and a GPU for --cache, which keeps nothing else");
  auto mode = mortar::cacheModeFromEnvironment();
  if (!mode)
    return fail(mode.message());
  std::string folder =
      cacheFolder.empty() ? mortar::ArtifactCache::defaultFolder() : cacheFolder;
  auto program = mortar::compileCached(module, options, *mode, folder);
  if (failed(program))
    return 1;
  auto artifact =
      mortar::runtime::parseArtifact(program->artifact.data(), program->artifact.size());
  auto summary = mortar::Summary::fromJSON(artifact ? artifact->remarksJson : "");
  if (!summary)
    return fail(summary.message());
  return !report(*summary) || !write(output, program->artifact);
}

/// Prints the median and the least milliseconds of `repetitions` compilations.
static int timeCompilation(const llvm::MemoryBuffer &file, MLIRContext &context,
                           const mortar::CompileOptions &options) {
  std::vector<double> milliseconds;
  for (unsigned i = 0; i < repetitions; ++i) {
    auto start = std::chrono::steady_clock::now();
    llvm::SourceMgr sources;
    SourceMgrDiagnosticHandler diagnostics(sources, &context);
    OwningOpRef<ModuleOp> module = mortar::readInput(
        llvm::MemoryBuffer::getMemBufferCopy(file.getBuffer(), input), sources, &context);
    if (!module || (mortar::isGPU(target) ? failed(mortar::compileForGPU(*module, options))
                                     : failed(mortar::compileForCPU(*module, options))))
      return 1;
    std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    milliseconds.push_back(taken.count());
  }
  llvm::sort(milliseconds);
  llvm::outs() << llvm::formatv("{0} compilations: median {1:F2} ms, least {2:F2} ms\n",
                                milliseconds.size(),
                                milliseconds[milliseconds.size() / 2], milliseconds[0]);
  return 0;
}

static bool parseRequireFusions(mortar::CompileOptions &options) {
  options.requireFusions = requireFusions.getNumOccurrences();
  StringRef conditions = requireFusions;
  if (conditions.empty())
    return true;
  if (!conditions.consume_front("except:") || conditions.empty()) {
    fail("expected --require-fusions or --require-fusions=except:budget,..., but found "
         "'" + requireFusions + "' (--min-fusions takes a number)");
    return false;
  }
  for (StringRef condition : llvm::split(conditions, ','))
    options.toleratedConditions.push_back(condition.str());
  return true;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, overview);
  if (output.empty() && emit != Emit::Nothing && !repetitions)
    return fail("expected -o <file> (or --emit=nothing for the table alone)");
  if (!remarks.empty() && remarks == output && emit != Emit::Nothing)
    return fail("expected -o and --remarks to be two files, but found '" + output +
                "' for both");

  DialectRegistry registry;
  mortar::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  std::string problem;
  auto file = openInputFile(input, &problem);
  if (!file)
    return fail(problem);
  mortar::CompileOptions options;
  options.target = target;
  options.fuse = !noFuse;
  options.mixedDtypes = mixedDtypes;
  if (!parseRequireFusions(options))
    return 1;
  options.lineTables = !noLines;
  options.onDemand = emit != Emit::PTX;
  options.cubin = !noCubin && emit != Emit::PTX && emit != Emit::Nothing;
  if (repetitions)
    return timeCompilation(*file, context, options);
  llvm::SourceMgr sources;
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  OwningOpRef<ModuleOp> module = mortar::readInput(std::move(file), sources, &context);
  if (!module)
    return 1;
  if (cacheFolder.getNumOccurrences())
    return emitCached(*module, options);
  return mortar::isGPU(target) ? emitForGPU(*module, options)
                               : emitForCPU(*module, options);
}
