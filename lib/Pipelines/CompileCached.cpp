//===- CompileCached.cpp - Compiling, or finding what was compiled --------===//

#include "mortar/Pipelines/CompileCached.h"

#include "BuildId.h"
#include "mortar/Pipelines/ArtifactCache.h"
#include "mortar/Target/DeviceCode.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "llvm-c/Core.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SHA256.h"

#include <map>

using namespace mlir;
using namespace mortar;
using runtime::Expected;
using runtime::Status;

Expected<CacheMode> mortar::cacheModeFromEnvironment() {
  std::string said = llvm::sys::Process::GetEnv("MORTAR_CACHE").value_or("");
  if (said.empty() || said == "1")
    return CacheMode::On;
  if (said == "0")
    return CacheMode::Off;
  if (said == "require")
    return CacheMode::Require;
  return Status::error("expected MORTAR_CACHE to be 0, 1 or require, found '",
                       said, "'");
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

namespace {
/// Where a module's ops stand, as remarks say it. Ops are numbered in the order
/// of the text.
class Places {
public:
  explicit Places(ModuleOp module) {
    module->walk<WalkOrder::PreOrder>([&](Operation *op) {
      Place place{"", 0, 0};
      if (auto line = op->getLoc()->findInstanceOf<FileLineColLoc>())
        place = {line.getFilename(), line.getLine(), line.getColumn()};
      firstAt.try_emplace(place, places.size());
      places.push_back(place);
    });
  }

  /// For each op the first that stands where it does: what remarks can tell
  /// apart.
  std::string partition() const {
    std::string text;
    for (const Place &place : places)
      text += llvm::utostr(firstAt.at(place)) + " ";
    return text;
  }

  /// The files and lines themselves.
  std::string text() const {
    std::string text;
    for (const auto &[file, line, column] : places)
      text +=
          (file + ":" + llvm::Twine(line) + ":" + llvm::Twine(column) + "\n")
              .str();
    return text;
  }

  /// The number of the op that a remark stands at, or -1.
  int64_t find(const FusionRemark &remark) const {
    auto found = firstAt.find({remark.file, remark.line, remark.column});
    return found == firstAt.end() ? -1 : int64_t(found->second);
  }

  /// Puts a remark where op number `number` stands.
  void place(FusionRemark &remark, int64_t number) const {
    bool isKnown = number >= 0 && size_t(number) < places.size();
    auto [file, line, column] = isKnown ? places[number] : Place{"", 0, 0};
    remark.file = file.str();
    remark.line = line;
    remark.column = column;
  }

private:
  using Place =
      std::tuple<StringRef, unsigned, unsigned>; // names are the context's
  std::map<Place, size_t> firstAt;
  std::vector<Place> places;
};
} // namespace

//===----------------------------------------------------------------------===//
// Key
//===----------------------------------------------------------------------===//

namespace {
/// A hash of texts and numbers, each told apart from its neighbours.
class Digest {
public:
  Digest &operator<<(StringRef part) {
    uint64_t size = part.size();
    hash.update(
        ArrayRef(reinterpret_cast<const uint8_t *>(&size), sizeof(size)));
    hash.update(part);
    return *this;
  }
  Digest &operator<<(int64_t number) { return *this << llvm::itostr(number); }
  std::string hex() { return llvm::toHex(hash.final(), /*LowerCase=*/true); }

private:
  llvm::SHA256 hash;
};
} // namespace

/// Ops of these dialects mean what this build of Mortar, with its MLIR, makes
/// of them.
static bool isOurOwn(Operation *op) {
  static constexpr StringRef known[] = {"arith",  "builtin", "cf",     "func",
                                        "linalg", "math",    "memref", "scf",
                                        "tensor", "vector",  "mortar", "ub",
                                        "gpu",    "affine",  "index"};
  return llvm::is_contained(known, op->getName().getDialectNamespace());
}

/// Which ptxas would run: another version is another file.
static std::string assemblerId() {
  std::string path = findPtxas();
  llvm::sys::fs::file_status status;
  if (path.empty() || llvm::sys::fs::status(path, status))
    return path;
  return llvm::join_items(
      " ", path, llvm::utostr(status.getSize()),
      llvm::itostr(
          status.getLastModificationTime().time_since_epoch().count()));
}

/// The module without locations.
static std::string canonicalBytecode(ModuleOp module) {
  OwningOpRef<ModuleOp> bare(module.clone());
  Location nowhere = UnknownLoc::get(module.getContext());
  bare->walk([&](Operation *op) {
    op->setLoc(nowhere);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          argument.setLoc(nowhere);
  });
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  if (failed(
          writeBytecodeToFile(*bare, stream, BytecodeWriterConfig("mortar"))))
    return "";
  return bytes;
}

std::optional<std::string> mortar::cacheKey(ModuleOp module,
                                            const CompileOptions &options) {
  bool foreign = module
                     ->walk([](Operation *op) {
                       return isOurOwn(op) ? WalkResult::advance()
                                           : WalkResult::interrupt();
                     })
                     .wasInterrupted();
  // Remarks that went to a tool's own engine couldn't be stored, nor could it
  // be given any.
  bool hasEngine = module.getContext()->getRemarkEngine();
  std::string bytecode = foreign || hasEngine ? "" : canonicalBytecode(module);
  if (bytecode.empty() || buildId().empty())
    return std::nullopt;
  Places places(module);
  Digest digest;
  // libLLVM.so may be another than the one that this was linked with.
  unsigned major = 0, minor = 0, patch = 0;
  LLVMGetVersion(&major, &minor, &patch);
  digest << "mortar cache key 1" << buildId() << llvmBuildId() << major << minor << patch
         << runtime::artifactFormatVersion << numericsVersion;
  digest << bytecode << places.partition();
  digest << options.target << options.fuse << options.mixedDtypes
         << options.fewRows << options.cubin << options.onDemand << options.lineTables
         << options.requireFusions;
  for (const std::string &condition : options.toleratedConditions)
    digest << condition;
  if (!isGPU(options.target))
    digest << hostCPU(options.target);
  else if (options.cubin)
    digest << assemblerId();
  if (isGPU(options.target) && options.lineTables)
    digest << places.text();
  return digest.hex();
}

//===----------------------------------------------------------------------===//
// Entries: a line of JSON, then the artifact
//===----------------------------------------------------------------------===//

static std::string makeEntry(const CompiledProgram &program,
                             const Places &places, StringRef artifact) {
  llvm::json::Array numbers;
  for (const FusionRemark &remark : program.summary.remarks)
    numbers.push_back(places.find(remark));
  llvm::json::Value line =
      llvm::json::Object{{"places", Digest().operator<<(places.text()).hex()},
                         {"remarks", std::move(numbers)}};
  return (llvm::formatv("{0}\n", line) + artifact).str();
}

/// The artifact of an entry, its remarks at this module's ops.
static Expected<std::string> readEntry(StringRef entry, const Places &places) {
  auto [head, artifact] = entry.split('\n');
  auto parsed = llvm::json::parse(head);
  const llvm::json::Object *manifest = parsed ? parsed->getAsObject() : nullptr;
  auto stood = manifest ? manifest->getString("places") : std::nullopt;
  const auto *numbers = manifest ? manifest->getArray("remarks") : nullptr;
  if (!parsed)
    llvm::consumeError(parsed.takeError());
  if (!stood || !numbers)
    return Status::error("expected an entry of this version, found another");
  auto program = runtime::parseArtifact(artifact.data(), artifact.size());
  if (!program)
    return program.status();
  if (*stood == Digest().operator<<(places.text()).hex())
    return artifact.str();
  Expected<Summary> summary = Summary::fromJSON(program->remarksJson);
  if (!summary)
    return summary.status();
  if (summary->remarks.size() != numbers->size())
    return Status::error("expected ", summary->remarks.size(),
                         " places, found ", numbers->size());
  for (auto [remark, number] : llvm::zip(summary->remarks, *numbers))
    places.place(remark, number.getAsInteger().value_or(-1));
  program->remarksJson = summary->toJSON();
  return runtime::serialize(*program);
}

//===----------------------------------------------------------------------===//
// compileCached
//===----------------------------------------------------------------------===//

FailureOr<CachedProgram> mortar::compileCached(ModuleOp module,
                                               const CompileOptions &options,
                                               CacheMode mode,
                                               const std::string &folder) {
  std::optional<ArtifactCache> cache;
  std::string why = "the cache is off";
  if (mode != CacheMode::Off) {
    Expected<ArtifactCache> opened = ArtifactCache::open(folder);
    if (opened)
      cache.emplace(*std::move(opened));
    else if (why = opened.message(); mode == CacheMode::On && !folder.empty())
      module.emitWarning() << "compiling without a cache: " << why;
  }
  std::optional<std::string> key =
      cache ? cacheKey(module, options) : std::nullopt;
  if (cache && !key)
    why = "the module holds ops of foreign dialects, the context has a remark "
          "engine, or "
          "this program has no build id";
  Places places(module);
  if (key) {
    Expected<std::optional<std::string>> found = cache->find(*key);
    Expected<std::string> artifact = found.status();
    if (found && *found)
      artifact = readEntry(**found, places);
    if (artifact)
      return CachedProgram{*std::move(artifact), /*found=*/true};
    why = "no entry " + *key + " in '" + folder + "'";
    if (!found || *found)
      module.emitWarning() << "compiling again: " << artifact.message();
  }
  if (mode == CacheMode::Require)
    return module.emitError()
           << "expected a compiled program in the cache, as "
           << "MORTAR_CACHE=require has it, but found none: " << why;

  FailureOr<CompiledProgram> program = compile(module, options);
  if (failed(program))
    return failure();
  CachedProgram made{runtime::serialize(program->artifact), /*found=*/false};
  if (key)
    if (Status status =
            cache->store(*key, makeEntry(*program, places, made.artifact));
        !status.ok())
      module.emitWarning() << status.message();
  return made;
}
