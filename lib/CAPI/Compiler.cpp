//===- Compiler.cpp - The C API over Compiler.h ---------------------------===//

#include "mortar-c/Compiler.h"

#include "mortar/InitAll.h"
#include "mortar/Pipelines/ArtifactCache.h"
#include "mortar/Pipelines/CompileCached.h"
#include "mortar/Pipelines/ReadInput.h"
#include "mortar/Runtime/Handles.h"
#include "mortar/Target/HostCode.h"

#include "mlir/IR/MLIRContext.h"

using namespace mlir;
using namespace mortar;
using runtime::Expected;
using runtime::expectNonNull;
using runtime::guarded;
using runtime::Status;

namespace {

/// What a handle stands for.
struct Compiled {
  std::string artifact;
  std::string remarks;
  std::string table;
  bool wasCached = false;
};
using Programs = runtime::HandleTable<Compiled>;

/// Hands diagnostics on, and keeps the first error for mortarRuntimeLastError.
class Diagnostics {
public:
  Diagnostics(MLIRContext *context, const MortarCompileOptions &options)
      : options(options), handler(context, [this](Diagnostic &diagnostic) {
          report(diagnostic);
          return success();
        }) {}

  const std::string &firstError() const { return error; }

private:
  void report(Diagnostic &diagnostic);

  const MortarCompileOptions &options;
  std::string error;
  ScopedDiagnosticHandler handler;
};

/// Reads the options that the caller has, and checks each.
Expected<MortarCompileOptions> readOptions(const MortarCompileOptions *given) {
  MortarCompileOptions options = {};
  options.size = sizeof(options);
  if (given) {
    // The first version had all of these.
    if (given->size != sizeof(options))
      return Status::error("expected options of size ", sizeof(options), ", found ",
                           given->size);
    options = *given;
  }
  const std::pair<const char *, uint32_t> switches[] = {
      {"noFuse", options.noFuse},
      {"mixedDtypes", options.mixedDtypes},
      {"noCubin", options.noCubin},
      {"lineTables", options.lineTables},
      {"requireFusions", options.requireFusions}};
  for (auto [name, value] : switches)
    if (value > 1)
      return Status::error("expected option '", name, "' to be 0 or 1, found ", value);
  if (options.cache > MORTAR_CACHE_REQUIRE)
    return Status::error("expected option 'cache' to be 0 to 3 (MORTAR_CACHE_...), found ",
                         options.cache);
  if (!options.target)
    options.target = "sm_90";
  if (!options.name)
    options.name = "module";
  return options;
}

Expected<CacheMode> chooseCacheMode(uint32_t asked) {
  switch (asked) {
  case MORTAR_CACHE_OFF:
    return CacheMode::Off;
  case MORTAR_CACHE_ON:
    return CacheMode::On;
  case MORTAR_CACHE_REQUIRE:
    return CacheMode::Require;
  default:
    return cacheModeFromEnvironment();
  }
}

CompileOptions toCompileOptions(const MortarCompileOptions &options) {
  CompileOptions made;
  made.target = options.target;
  made.fuse = !options.noFuse;
  made.mixedDtypes = options.mixedDtypes;
  made.cubin = !options.noCubin;
  made.lineTables = options.lineTables;
  made.requireFusions = options.requireFusions;
  return made;
}

/// Registered once: what a context costs is mostly this.
const DialectRegistry &registry() {
  static const auto *all = [] {
    auto *made = new DialectRegistry();
    registerAllDialects(*made);
    return made;
  }();
  return *all;
}

/// With the compiler in the process, the runtime's functions run a CPU's code, too.
const bool hostLoaderIsSet = (runtime::setHostLoader(&HostCode::load), true);

Expected<Compiled> compileText(StringRef text, const MortarCompileOptions &options) {
  Expected<CacheMode> mode = chooseCacheMode(options.cache);
  if (!mode)
    return mode.status();
  MLIRContext context(registry(), MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  Diagnostics diagnostics(&context, options);
  auto failed = [&] {
    return Status::error(diagnostics.firstError().empty()
                             ? "expected a module that compiles, found one that doesn't"
                             : diagnostics.firstError());
  };
  llvm::SourceMgr sources;
  auto copy = llvm::MemoryBuffer::getMemBufferCopy(text, options.name);
  if (!copy)
    return Status::error("expected a module of which a copy fits into memory, found one of ",
                         text.size(), " bytes");
  OwningOpRef<ModuleOp> module = readInput(std::move(copy), sources, &context);
  if (!module)
    return failed();
  std::string folder =
      options.cacheFolder ? options.cacheFolder : ArtifactCache::defaultFolder();
  auto program = compileCached(*module, toCompileOptions(options), *mode, folder);
  if (mlir::failed(program))
    return failed();

  Compiled compiled;
  compiled.artifact = std::move(program->artifact);
  compiled.wasCached = program->found;
  Expected<runtime::Artifact> artifact =
      runtime::parseArtifact(compiled.artifact.data(), compiled.artifact.size());
  if (!artifact)
    return artifact.status();
  compiled.remarks = std::move(artifact->remarksJson);
  Expected<Summary> summary = Summary::fromJSON(compiled.remarks);
  if (!summary)
    return summary.status();
  llvm::raw_string_ostream table(compiled.table);
  summary->print(table);
  return compiled;
}

/// Runs the body on what the handle stands for.
template <typename Body> int withProgram(MortarProgram handle, Body body) {
  return guarded([&]() -> Status {
    std::shared_ptr<const Compiled> compiled = Programs::get().find(handle);
    if (!compiled)
      return Status::error("expected a live program, found handle ", handle);
    return body(*compiled);
  });
}

template <typename Out, typename Get>
int getFromProgram(MortarProgram handle, Out *out, Get get) {
  return withProgram(handle, [&](const Compiled &compiled) -> Status {
    if (Status status = expectNonNull(out, "out"); !status.ok())
      return status;
    *out = get(compiled);
    return Status();
  });
}

} // namespace

static uint32_t toSeverity(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return MORTAR_SEVERITY_NOTE;
  case DiagnosticSeverity::Warning:
    return MORTAR_SEVERITY_WARNING;
  case DiagnosticSeverity::Error:
    return MORTAR_SEVERITY_ERROR;
  case DiagnosticSeverity::Remark:
    return MORTAR_SEVERITY_REMARK;
  }
  return MORTAR_SEVERITY_ERROR;
}

void Diagnostics::report(Diagnostic &diagnostic) {
  std::string message = diagnostic.str(), file;
  MortarDiagnostic out = {toSeverity(diagnostic.getSeverity()), 0, 0, "",
                          message.c_str()};
  if (auto place = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>()) {
    file = place.getFilename().str();
    out.file = file.c_str();
    out.line = place.getLine();
    out.column = place.getColumn();
  }
  if (out.severity == MORTAR_SEVERITY_ERROR && error.empty())
    error = file.empty() ? message
                         : file + ":" + std::to_string(out.line) + ":" +
                               std::to_string(out.column) + ": " + message;
  if (options.onDiagnostic)
    options.onDiagnostic(&out, options.user);
  for (Diagnostic &note : diagnostic.getNotes())
    report(note);
}

int mortarCompilerVersion(uint32_t *api, uint32_t *format, uint32_t *numerics) {
  return guarded([&]() -> Status {
    const std::pair<const char *, uint32_t *> places[] = {
        {"api", api}, {"format", format}, {"numerics", numerics}};
    for (auto [name, place] : places)
      if (Status status = expectNonNull(place, name); !status.ok())
        return status;
    *api = 1;
    *format = runtime::artifactFormatVersion;
    *numerics = numericsVersion;
    return Status();
  });
}

const char *mortarCompilerLastError(void) { return runtime::lastError().c_str(); }

int mortarCompile(const void *module, size_t size, const MortarCompileOptions *options,
                  MortarProgram *program) {
  return guarded([&]() -> Status {
    if (Status status = expectNonNull(module, "module"); !status.ok())
      return status;
    if (Status status = expectNonNull(program, "program"); !status.ok())
      return status;
    Expected<MortarCompileOptions> read = readOptions(options);
    if (!read)
      return read.status();
    Expected<Compiled> compiled =
        compileText(StringRef(static_cast<const char *>(module), size), *read);
    if (!compiled)
      return compiled.status();
    *program =
        Programs::get().add(std::make_shared<const Compiled>(*std::move(compiled)));
    return Status();
  });
}

int mortarProgramDestroy(MortarProgram program) {
  return guarded([&]() -> Status {
    if (!Programs::get().remove(program))
      return Status::error("expected a live program, found handle ", program);
    return Status();
  });
}

int mortarProgramArtifact(MortarProgram program, const void **bytes, size_t *size) {
  return withProgram(program, [&](const Compiled &compiled) -> Status {
    if (Status status = expectNonNull(bytes, "bytes"); !status.ok())
      return status;
    if (Status status = expectNonNull(size, "size"); !status.ok())
      return status;
    *bytes = compiled.artifact.data();
    *size = compiled.artifact.size();
    return Status();
  });
}

int mortarProgramRemarks(MortarProgram program, const char **json) {
  return getFromProgram(program, json, [](const Compiled &compiled) {
    return compiled.remarks.c_str();
  });
}

int mortarProgramTable(MortarProgram program, const char **table) {
  return getFromProgram(program, table, [](const Compiled &compiled) {
    return compiled.table.c_str();
  });
}

int mortarProgramWasCached(MortarProgram program, uint32_t *cached) {
  return getFromProgram(program, cached, [](const Compiled &compiled) {
    return compiled.wasCached ? 1u : 0u;
  });
}
