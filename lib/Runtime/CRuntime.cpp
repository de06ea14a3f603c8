//===- CRuntime.cpp - The C API over Executable ---------------------------===//

#include "mortar-c/Runtime.h"

#include "Scratch.h"
#include "mortar/Runtime/Executable.h"
#include "mortar/Runtime/Handles.h"
#include "mortar/Runtime/HostProgram.h"

#include <algorithm>

using namespace mortar::runtime;

static_assert(MORTAR_F8E8M0 == int(ElementType::F8E8M0) &&
              MORTAR_F8E8M0 + 1 == numElementTypes);
static_assert(MORTAR_INPUT == int(Argument::Input) &&
              MORTAR_OUTPUT == int(Argument::Output) &&
              MORTAR_INOUT == int(Argument::InOut));

namespace {

/// What a handle stands for: on the device, or the artifact alone, or with it
/// what runs on this CPU.
struct Loaded {
  std::unique_ptr<Executable> executable;
  std::unique_ptr<HostProgram> host;
  Artifact inspected;

  const Artifact &artifact() const {
    return executable ? executable->artifact() : inspected;
  }
};

using Executables = HandleTable<Loaded>;

/// Runs the body on what the handle stands for.
template <typename Body> int withLoaded(MortarExecutable handle, Body body) {
  return guarded([&]() -> Status {
    std::shared_ptr<const Loaded> loaded = Executables::get().find(handle);
    if (!loaded)
      return Status::error("expected a live executable, found handle ", handle);
    return body(*loaded);
  });
}

/// Runs the body on an entry and the place for what it hands out.
template <typename Out, typename Body>
int withEntry(MortarExecutable handle, uint32_t entry, Out *out, Body body) {
  return withLoaded(handle, [&](const Loaded &loaded) -> Status {
    const std::vector<Entry> &entries = loaded.artifact().entries;
    if (entry >= entries.size())
      return Status::error("expected an entry below ", entries.size(),
                           ", found ", entry);
    if (Status status = expectNonNull(out, "out"); !status.ok())
      return status;
    return body(entries[entry], *out);
  });
}

/// The same for an argument of an entry.
template <typename Out, typename Body>
int withArgument(MortarExecutable handle, uint32_t entry, uint32_t arg,
                 Out *out, Body body) {
  return withEntry(handle, entry, out,
                   [&](const Entry &found, Out &value) -> Status {
                     if (arg >= found.args.size())
                       return Status::error("entry '", found.name,
                                            "': expected an argument below ",
                                            found.args.size(), ", found ", arg);
                     return body(found.args[arg], value);
                   });
}

/// Hands out what `get` gives for an entry, an argument, the whole.
template <typename Out, typename Get>
int getFromEntry(MortarExecutable handle, uint32_t entry, Out *out, Get get) {
  return withEntry(handle, entry, out, [&](const Entry &found, Out &value) {
    value = get(found);
    return Status();
  });
}
template <typename Out, typename Get>
int getFromArgument(MortarExecutable handle, uint32_t entry, uint32_t arg,
                    Out *out, Get get) {
  return withArgument(handle, entry, arg, out,
                      [&](const Argument &found, Out &value) {
                        value = get(found);
                        return Status();
                      });
}
template <typename Out, typename Get>
int getFromLoaded(MortarExecutable handle, Out *out, Get get) {
  return withLoaded(handle, [&](const Loaded &loaded) -> Status {
    if (Status status = expectNonNull(out, "out"); !status.ok())
      return status;
    *out = get(loaded);
    return Status();
  });
}

/// Runs the body with arguments in the C++ API's struct.
template <typename Body>
Status withTensors(const MortarTensor *args, size_t numArgs, Body body) {
  // More than any entry has; keeps a wild count from being allocated.
  constexpr size_t limit = 1 << 16;
  if (numArgs > limit)
    return Status::error("expected at most ", limit, " arguments, found ",
                         numArgs);
  if (numArgs)
    if (Status status = expectNonNull(args, "args"); !status.ok())
      return status;
  Scratch<TensorArg, 32> tensors(numArgs);
  for (size_t index = 0; index < numArgs; ++index) {
    tensors[index].data = args[index].data;
    tensors[index].shape = args[index].shape;
    tensors[index].strides = args[index].strides;
    tensors[index].rank = args[index].rank;
    tensors[index].type = static_cast<ElementType>(args[index].type);
  }
  return body(ArrayView<TensorArg>(tensors.data(), numArgs));
}

Status registerLoaded(Expected<Artifact> artifact, int mode,
                      MortarExecutable *executable) {
  if (!artifact)
    return artifact.status();
  auto loaded = std::make_shared<Loaded>();
  if (mode == MORTAR_LOAD_TO_INSPECT) {
    loaded->inspected = *std::move(artifact);
  } else if (isForHost(*artifact)) {
    Expected<std::unique_ptr<HostProgram>> onHost = loadOnHost(*artifact);
    if (!onHost)
      return onHost.status();
    loaded->host = *std::move(onHost);
    loaded->inspected = *std::move(artifact);
  } else {
    Expected<std::unique_ptr<Executable>> onDevice =
        Executable::load(*std::move(artifact));
    if (!onDevice)
      return onDevice.status();
    loaded->executable = *std::move(onDevice);
  }
  *executable = Executables::get().add(std::move(loaded));
  return Status();
}

Status checkLoadArguments(int mode, const MortarExecutable *executable) {
  if (mode != MORTAR_LOAD_ON_DEVICE && mode != MORTAR_LOAD_TO_INSPECT)
    return Status::error("expected load mode 0 (on device) or 1 (to inspect), "
                         "found ",
                         mode);
  return expectNonNull(executable, "executable");
}

} // namespace

std::string &mortar::runtime::lastError() {
  static thread_local std::string message;
  return message;
}

int mortarRuntimeVersion(uint32_t *api, uint32_t *format) {
  return guarded([&]() -> Status {
    if (Status status = expectNonNull(api, "api"); !status.ok())
      return status;
    if (Status status = expectNonNull(format, "format"); !status.ok())
      return status;
    *api = 1;
    *format = artifactFormatVersion;
    return Status();
  });
}

const char *mortarRuntimeLastError(void) { return lastError().c_str(); }

int mortarRuntimeLoadFile(const char *path, int mode,
                          MortarExecutable *executable) {
  return guarded([&]() -> Status {
    if (Status status = expectNonNull(path, "path"); !status.ok())
      return status;
    if (Status status = checkLoadArguments(mode, executable); !status.ok())
      return status;
    return registerLoaded(readArtifactFile(path), mode, executable);
  });
}

int mortarRuntimeLoadBytes(const void *bytes, size_t size, int mode,
                           MortarExecutable *executable) {
  return guarded([&]() -> Status {
    if (Status status = expectNonNull(bytes, "bytes"); !status.ok())
      return status;
    if (Status status = checkLoadArguments(mode, executable); !status.ok())
      return status;
    return registerLoaded(parseArtifact(bytes, size), mode, executable);
  });
}

int mortarRuntimeDestroy(MortarExecutable executable) {
  return guarded([&]() -> Status {
    if (!Executables::get().remove(executable))
      return Status::error("expected a live executable, found handle ",
                           executable);
    return Status();
  });
}

int mortarRuntimeNumericsVersion(MortarExecutable executable,
                                 uint32_t *version) {
  return getFromLoaded(executable, version, [](const Loaded &loaded) {
    return loaded.artifact().numericsVersion;
  });
}

int mortarRuntimeProducer(MortarExecutable executable, const char **producer) {
  return getFromLoaded(executable, producer, [](const Loaded &loaded) {
    return loaded.artifact().producer.c_str();
  });
}

int mortarRuntimeRemarks(MortarExecutable executable, const char **json) {
  return getFromLoaded(executable, json, [](const Loaded &loaded) {
    return loaded.artifact().remarksJson.c_str();
  });
}

int mortarRuntimeImage(MortarExecutable executable, const char **image) {
  return getFromLoaded(executable, image, [](const Loaded &loaded) {
    return loaded.executable ? loaded.executable->imageName().c_str()
           : loaded.host     ? "host object"
                             : "";
  });
}

int mortarRuntimeEntryCount(MortarExecutable executable, uint32_t *count) {
  return getFromLoaded(executable, count, [](const Loaded &loaded) {
    return uint32_t(loaded.artifact().entries.size());
  });
}

int mortarRuntimeEntryName(MortarExecutable executable, uint32_t entry,
                           const char **name) {
  return getFromEntry(executable, entry, name,
                      [](const Entry &found) { return found.name.c_str(); });
}

int mortarRuntimeFindEntry(MortarExecutable executable, const char *name,
                           uint32_t *entry) {
  return withLoaded(executable, [&](const Loaded &loaded) -> Status {
    if (Status status = expectNonNull(name, "name"); !status.ok())
      return status;
    if (Status status = expectNonNull(entry, "entry"); !status.ok())
      return status;
    Expected<size_t> found = findEntry(loaded.artifact(), name);
    if (!found)
      return found.status();
    *entry = uint32_t(*found);
    return Status();
  });
}

int mortarRuntimeArgumentCount(MortarExecutable executable, uint32_t entry,
                               uint32_t *count) {
  return getFromEntry(executable, entry, count, [](const Entry &found) {
    return uint32_t(found.args.size());
  });
}

int mortarRuntimeArgumentName(MortarExecutable executable, uint32_t entry,
                              uint32_t arg, const char **name) {
  return getFromArgument(
      executable, entry, arg, name,
      [](const Argument &found) { return found.name.c_str(); });
}

int mortarRuntimeArgumentType(MortarExecutable executable, uint32_t entry,
                              uint32_t arg, uint32_t *type) {
  return getFromArgument(
      executable, entry, arg, type,
      [](const Argument &found) { return uint32_t(found.type); });
}

int mortarRuntimeArgumentRole(MortarExecutable executable, uint32_t entry,
                              uint32_t arg, uint32_t *role) {
  return getFromArgument(
      executable, entry, arg, role,
      [](const Argument &found) { return uint32_t(found.role); });
}

int mortarRuntimeArgumentConstant(MortarExecutable executable, uint32_t entry,
                                  uint32_t arg, uint32_t *constant) {
  return getFromArgument(
      executable, entry, arg, constant,
      [](const Argument &found) { return found.constant ? 1u : 0u; });
}

int mortarRuntimeArgumentRank(MortarExecutable executable, uint32_t entry,
                              uint32_t arg, uint32_t *rank) {
  return getFromArgument(
      executable, entry, arg, rank,
      [](const Argument &found) { return uint32_t(found.shape.size()); });
}

int mortarRuntimeArgumentDims(MortarExecutable executable, uint32_t entry,
                              uint32_t arg, int64_t *dims, size_t capacity) {
  int64_t none; // a rank of 0 needs no room
  return withArgument(executable, entry, arg, capacity ? dims : &none,
                      [&](const Argument &found, int64_t &) {
                        if (capacity < found.shape.size())
                          return Status::error("expected room for ",
                                               found.shape.size(),
                                               " extents, found ", capacity);
                        std::copy(found.shape.begin(), found.shape.end(), dims);
                        return Status();
                      });
}

int mortarRuntimeResultCount(MortarExecutable executable, uint32_t entry,
                             uint32_t *count) {
  return getFromEntry(executable, entry, count, [](const Entry &found) {
    return uint32_t(found.results.size());
  });
}

int mortarRuntimeResultArgument(MortarExecutable executable, uint32_t entry,
                                uint32_t result, uint32_t *arg) {
  return withEntry(
      executable, entry, arg, [&](const Entry &found, uint32_t &value) {
        if (result >= found.results.size())
          return Status::error("entry '", found.name,
                               "': expected a result below ",
                               found.results.size(), ", found ", result);
        value = found.results[result].argument;
        return Status();
      });
}

int mortarRuntimeResultShapes(MortarExecutable executable, uint32_t entry,
                              const MortarTensor *args, size_t numArgs,
                              int64_t *dims, size_t capacity) {
  return withLoaded(executable, [&](const Loaded &loaded) {
    return withTensors(args, numArgs, [&](ArrayView<TensorArg> tensors) {
      auto shapes = resultShapes(loaded.artifact(), entry, tensors);
      if (!shapes)
        return shapes.status();
      size_t needed = 0;
      for (const std::vector<int64_t> &shape : *shapes)
        needed += shape.size();
      if (capacity < needed)
        return Status::error("expected room for ", needed, " extents, found ",
                             capacity);
      if (needed)
        if (Status status = expectNonNull(dims, "dims"); !status.ok())
          return status;
      for (const std::vector<int64_t> &shape : *shapes)
        dims = std::copy(shape.begin(), shape.end(), dims);
      return Status();
    });
  });
}

int mortarRuntimeTakesWorkspace(MortarExecutable executable, uint32_t entry,
                                uint32_t *takes) {
  return getFromEntry(executable, entry, takes, [](const Entry &found) {
    const std::vector<Instruction> &code = found.body.code;
    return uint32_t(std::any_of(
        code.begin(), code.end(), [](const Instruction &instruction) {
          return std::holds_alternative<Workspace>(instruction);
        }));
  });
}

int mortarRuntimeWorkspaceBytes(MortarExecutable executable, uint32_t entry,
                                const MortarTensor *args, size_t numArgs,
                                size_t *bytes) {
  return withLoaded(executable, [&](const Loaded &loaded) -> Status {
    if (Status status = expectNonNull(bytes, "bytes"); !status.ok())
      return status;
    return withTensors(args, numArgs, [&](ArrayView<TensorArg> tensors) {
      Expected<size_t> needed =
          workspaceBytes(loaded.artifact(), entry, tensors);
      if (needed)
        *bytes = *needed;
      return needed.status();
    });
  });
}

int mortarRuntimeLaunch(MortarExecutable executable, uint32_t entry,
                        const MortarTensor *args, size_t numArgs,
                        void *workspace, size_t workspaceBytes, void *stream) {
  return withLoaded(executable, [&](const Loaded &loaded) -> Status {
    if (!loaded.executable && !loaded.host)
      return Status::error("expected an executable loaded on a device, found "
                           "one loaded to inspect");
    if (loaded.host && stream)
      return Status::error(
          "expected no stream for code of a CPU, which has run "
          "when the call returns, found one");
    return withTensors(args, numArgs, [&](ArrayView<TensorArg> tensors) {
      if (loaded.host)
        return loaded.host->run(entry, tensors);
      return loaded.executable->launch(entry, tensors, workspace,
                                       workspaceBytes,
                                       static_cast<CUstream>(stream));
    });
  });
}
