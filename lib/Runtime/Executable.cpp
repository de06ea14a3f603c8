//===- Executable.cpp - Loading and launching by the CUDA driver ----------===//

#include "mortar/Runtime/Executable.h"

namespace mortar::runtime {

namespace {

// More than this, static and dynamic together, a kernel must opt in to.
constexpr uint64_t defaultSharedBytes = 48 * 1024;

/// The driver's log is lines of text; a message is one.
std::string toOneLine(const char *log) {
  std::string line;
  for (; *log; ++log) {
    if (*log != '\n')
      line += *log;
    else if (!line.empty() && log[1])
      line += "; ";
  }
  return line;
}

std::string nameImage(const CodeImage &image) {
  return image.chip + " " + imageKindName(image.kind);
}

} // namespace

/// Lets runEntry launch on the device.
class Executable::StreamLauncher final : public Launcher {
public:
  explicit StreamLauncher(const Executable &executable)
      : executable(executable) {}
  Status launch(const Kernel &kernel, uint32_t kernelIndex,
                const LaunchDims &dims, const int64_t *params, size_t numParams,
                void *stream) override {
    return executable.launchKernel(kernel, kernelIndex, dims, params, numParams,
                                   static_cast<CUstream>(stream));
  }

private:
  const Executable &executable;
};

Expected<std::unique_ptr<Executable>> Executable::load(Artifact artifact) {
  if (Status status = validateArtifact(artifact); !status.ok())
    return status;
  Expected<const Driver *> loaded = runtime::driver();
  if (!loaded)
    return loaded.status();
  std::unique_ptr<Executable> executable(
      new Executable(std::move(artifact), **loaded));
  if (Status status = executable->loadOnDevice(); !status.ok())
    return status;
  return executable;
}

Executable::~Executable() {
  if (modules.empty())
    return;
  // At the end of the process the driver may be gone, which is just as well.
  ScopedContext scope(driver, context);
  if (scope.status().ok())
    for (CUmodule module : modules)
      (void)driver.cuModuleUnload(module);
}

Status Executable::loadOnDevice() {
  Expected<CUcontext> current = currentOrPrimaryContext(driver);
  if (!current)
    return current.status();
  context = *current;

  CUdevice device = 0;
  int major = 0, minor = 0;
  Status status =
      driver.check(driver.cuCtxGetDevice(&device), "cuCtxGetDevice");
  auto attribute = [&](int which, int &value) {
    if (status.ok())
      status = driver.check(driver.cuDeviceGetAttribute(&value, which, device),
                            "cuDeviceGetAttribute");
  };
  attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, major);
  attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, minor);
  attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
            maxSharedBytes);
  if (!status.ok())
    return status;

  if (status = chooseImages(major, minor); !status.ok()) {
    char name[128] = "";
    (void)driver.cuDeviceGetName(name, sizeof(name) - 1, device);
    return status.in("device ", device, " (", name, ")");
  }
  for (uint32_t kernel = 0; kernel < contents.kernels.size(); ++kernel)
    if (!contents.kernels[kernel].onDemand)
      if (status = loadKernel(kernel); !status.ok())
        return status;
  return Status();
}

Status Executable::chooseImages(int major, int minor) {
  functions = std::make_unique<Function[]>(contents.kernels.size());
  for (uint32_t kernel = 0; kernel < contents.kernels.size(); ++kernel) {
    Expected<size_t> chosen = chooseImage(contents.images, kernel, major, minor);
    if (!chosen)
      return chosen.status();
    const CodeImage &image = contents.images[*chosen];
    if (Status status = checkImage(image); !status.ok())
      return status;
    functions[kernel].image = *chosen;
    if (firstImage.empty())
      firstImage = nameImage(image);
  }
  return Status();
}

/// Loads the image with a kernel's code, once, into the current context.
Status Executable::loadKernel(uint32_t kernel) const {
  const Function &function = functions[kernel];
  std::lock_guard<std::mutex> lock(mutex);
  if (function.handle.load(std::memory_order_relaxed))
    return Status();
  // A thread whose stream is being captured may load code, but has to say that it
  // means it.
  int mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  (void)driver.cuThreadExchangeStreamCaptureMode(&mode);
  Status status = loadImage(function.image);
  (void)driver.cuThreadExchangeStreamCaptureMode(&mode);
  return status.in(nameImage(contents.images[function.image]));
}

Status Executable::loadImage(size_t number) const {
  // An option's value is a pointer or, here, a number in a pointer's place.
  std::string log(8192, '\0');
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
  CUmodule module = nullptr;
  int result = driver.cuModuleLoadDataEx(
      &module, contents.images[number].bytes.c_str(), 2, options, values);
  if (result != CUDA_SUCCESS) {
    Status status = driver.check(result, "cuModuleLoadDataEx");
    std::string line = toOneLine(log.c_str());
    return line.empty() ? status : Status::error(status.message(), ": ", line);
  }
  std::vector<CUfunction> handles(contents.kernels.size());
  Status status = findFunctions(number, module, handles);
  if (status.ok())
    status = checkLaunchParams(handles);
  if (!status.ok()) {
    (void)driver.cuModuleUnload(module);
    return status;
  }
  modules.push_back(module);
  for (size_t index = 0; index < handles.size(); ++index)
    if (handles[index])
      functions[index].handle.store(handles[index], std::memory_order_release);
  return Status();
}

/// Of the kernels that an image is used for.
Status Executable::findFunctions(size_t image, CUmodule module,
                                 std::vector<CUfunction> &handles) const {
  for (size_t index = 0; index < handles.size(); ++index) {
    const std::string &name = contents.kernels[index].name;
    if (functions[index].image != image)
      continue;
    if (Status status = driver.check(
            driver.cuModuleGetFunction(&handles[index], module, name.c_str()),
            "cuModuleGetFunction");
        !status.ok())
      return status.in("kernel '", name, "'");
  }
  return Status();
}

/// The driver reads as many parameters as the function has, however many it is
/// given. Where it can say how many these are, compare now. `handles`: of each
/// kernel, null for those of other images.
Status Executable::checkLaunchParams(ArrayView<CUfunction> handles) const {
  if (!driver.cuFuncGetParamInfo)
    return Status();
  std::vector<size_t> counts(handles.size());
  for (size_t kernel = 0; kernel < counts.size(); ++kernel) {
    size_t offset = 0, bytes = 0;
    while (handles[kernel] &&
           driver.cuFuncGetParamInfo(handles[kernel], counts[kernel], &offset,
                                     &bytes) == CUDA_SUCCESS) {
      if (bytes != sizeof(int64_t))
        return Status::error("kernel '", contents.kernels[kernel].name,
                             "': expected parameter ", counts[kernel],
                             " to have 8 bytes, found ", bytes);
      ++counts[kernel];
    }
  }
  for (const Entry &entry : contents.entries)
    for (const Instruction &instruction : entry.body.code) {
      const auto *launch = std::get_if<Launch>(&instruction);
      if (launch && handles[launch->kernel] &&
          launch->params.size() != counts[launch->kernel])
        return Status::error("entry '", entry.name, "': kernel '",
                             contents.kernels[launch->kernel].name,
                             "': expected ", counts[launch->kernel],
                             " parameters, found ", launch->params.size());
    }
  return Status();
}

Expected<size_t> Executable::workspaceBytes(size_t entry,
                                            ArrayView<TensorArg> args) const {
  return runtime::workspaceBytes(contents, entry, args);
}

Expected<std::vector<std::vector<int64_t>>>
Executable::resultShapes(size_t entry, ArrayView<TensorArg> args) const {
  return runtime::resultShapes(contents, entry, args);
}

Status Executable::launch(size_t entry, ArrayView<TensorArg> args,
                          void *workspace, size_t workspaceBytes,
                          CUstream stream) const {
  // The thread may have another context, or none, as a fresh one does.
  ScopedContext scope(driver, context);
  if (!scope.status().ok())
    return scope.status();
  StreamLauncher launcher(*this);
  return runEntry(contents, entry, args, workspace, workspaceBytes, launcher,
                  stream);
}

/// Once for a kernel, and then for all that the device has.
Status Executable::allowLargeShared(const Kernel &kernel,
                                    Function &function) const {
  std::lock_guard<std::mutex> lock(mutex);
  if (function.largeShared.load(std::memory_order_relaxed))
    return Status();
  int bytes = maxSharedBytes - int(kernel.staticSharedBytes);
  if (Status status = driver.check(
          driver.cuFuncSetAttribute(
              function.handle.load(), CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
              bytes),
          "cuFuncSetAttribute");
      !status.ok())
    return status.in("kernel '", kernel.name, "'");
  function.largeShared.store(true, std::memory_order_release);
  return Status();
}

Status Executable::launchKernel(const Kernel &kernel, uint32_t index,
                                const LaunchDims &dims, const int64_t *params,
                                size_t numParams, CUstream stream) const {
  Function &function = functions[index];
  CUfunction handle = function.handle.load(std::memory_order_acquire);
  if (!handle) {
    if (Status status = loadKernel(index); !status.ok())
      return status;
    handle = function.handle.load(std::memory_order_acquire);
  }
  uint64_t shared =
      uint64_t(kernel.staticSharedBytes) + dims.dynamicSharedBytes;
  if (shared > defaultSharedBytes) {
    if (shared > uint64_t(maxSharedBytes))
      return Status::error("kernel '", kernel.name, "': expected at most ",
                           maxSharedBytes,
                           " bytes of shared memory a block, found ", shared);
    if (!function.largeShared.load(std::memory_order_acquire))
      if (Status status = allowLargeShared(kernel, function); !status.ok())
        return status;
  }

  LaunchAttribute programmatic = {};
  programmatic.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
  programmatic.value.number = 1;

  LaunchConfig config = {};
  for (int axis = 0; axis < 3; ++axis) {
    config.grid[axis] = dims.grid[axis];
    config.block[axis] = dims.block[axis];
  }
  config.dynamicSharedBytes = dims.dynamicSharedBytes;
  config.stream = stream;
  config.attributes = kernel.programmaticLaunch ? &programmatic : nullptr;
  config.numAttributes = kernel.programmaticLaunch ? 1 : 0;

  void *addresses[maxLaunchParams];
  for (size_t param = 0; param < numParams; ++param)
    addresses[param] = const_cast<int64_t *>(&params[param]);
  return driver
      .check(
          driver.cuLaunchKernelEx(&config, handle, addresses, nullptr),
          "cuLaunchKernelEx")
      .in("kernel '", kernel.name, "'");
}

} // namespace mortar::runtime
