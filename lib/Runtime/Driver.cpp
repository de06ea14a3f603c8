//===- Driver.cpp ---------------------------------------------------------===//

#include "mortar/Runtime/Driver.h"

#include <dlfcn.h>

namespace mortar::runtime {

namespace {

/// Sets one member from the first of the symbols which the library has. A
/// symbol's version suffix is what cuda.h's macros add behind the user's back.
template <typename Function>
void resolve(void *library, Function &function,
             std::initializer_list<const char *> symbols,
             const char *&missing) {
  function = nullptr;
  for (const char *symbol : symbols)
    if (void *address = dlsym(library, symbol)) {
      function = reinterpret_cast<Function>(address);
      return;
    }
  if (!missing)
    missing = *symbols.begin();
}

const char *resolveAll(void *library, Driver &driver) {
  const char *missing = nullptr;
#define RESOLVE(NAME, ...) resolve(library, driver.NAME, {__VA_ARGS__}, missing)
  RESOLVE(cuInit, "cuInit");
  RESOLVE(cuDeviceGet, "cuDeviceGet");
  RESOLVE(cuDeviceGetCount, "cuDeviceGetCount");
  RESOLVE(cuDeviceGetAttribute, "cuDeviceGetAttribute");
  RESOLVE(cuDeviceGetName, "cuDeviceGetName");
  RESOLVE(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
  RESOLVE(cuCtxSetCurrent, "cuCtxSetCurrent");
  RESOLVE(cuCtxGetCurrent, "cuCtxGetCurrent");
  RESOLVE(cuCtxGetDevice, "cuCtxGetDevice");
  RESOLVE(cuModuleLoadDataEx, "cuModuleLoadDataEx");
  RESOLVE(cuModuleUnload, "cuModuleUnload");
  RESOLVE(cuModuleGetFunction, "cuModuleGetFunction");
  RESOLVE(cuFuncSetAttribute, "cuFuncSetAttribute");
  RESOLVE(cuLaunchKernelEx, "cuLaunchKernelEx");
  RESOLVE(cuMemAlloc, "cuMemAlloc_v2");
  RESOLVE(cuMemFree, "cuMemFree_v2");
  RESOLVE(cuMemcpyHtoD, "cuMemcpyHtoD_v2");
  RESOLVE(cuMemcpyDtoH, "cuMemcpyDtoH_v2");
  RESOLVE(cuStreamCreate, "cuStreamCreate");
  RESOLVE(cuStreamSynchronize, "cuStreamSynchronize");
  RESOLVE(cuStreamDestroy, "cuStreamDestroy_v2");
  RESOLVE(cuEventCreate, "cuEventCreate");
  RESOLVE(cuEventRecord, "cuEventRecord");
  RESOLVE(cuEventSynchronize, "cuEventSynchronize");
  RESOLVE(cuEventElapsedTime, "cuEventElapsedTime", "cuEventElapsedTime_v2");
  RESOLVE(cuEventDestroy, "cuEventDestroy_v2");
  RESOLVE(cuStreamBeginCapture, "cuStreamBeginCapture_v2");
  RESOLVE(cuStreamEndCapture, "cuStreamEndCapture");
  RESOLVE(cuThreadExchangeStreamCaptureMode, "cuThreadExchangeStreamCaptureMode");
  RESOLVE(cuGraphInstantiate, "cuGraphInstantiateWithFlags");
  RESOLVE(cuGraphLaunch, "cuGraphLaunch");
  RESOLVE(cuGraphExecDestroy, "cuGraphExecDestroy");
  RESOLVE(cuGraphDestroy, "cuGraphDestroy");
  RESOLVE(cuGetErrorString, "cuGetErrorString");
  RESOLVE(cuGetErrorName, "cuGetErrorName");
#undef RESOLVE
  const char *optional = nullptr;
  resolve(library, driver.cuFuncGetParamInfo, {"cuFuncGetParamInfo"}, optional);
  return missing;
}

Expected<const Driver *> loadDriver() {
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return Status::error("no CUDA driver: expected libcuda.so.1, found none (",
                         reason ? reason : "no reason given", ")");
  }

  // Neither the table nor the library is ever given up: executables with
  // static lifetime may outlive any order of destruction.
  auto *loaded = new Driver();
  if (const char *missing = resolveAll(library, *loaded))
    return Status::error("CUDA driver too old: expected ", missing,
                         " in libcuda.so.1 (CUDA 12 or later), found none");

  int result = loaded->cuInit(0);
  if (result == CUDA_ERROR_NO_DEVICE)
    return Status::error("no CUDA device: expected at least 1, found 0");
  if (Status status = loaded->check(result, "cuInit"); !status.ok())
    return status;
  int count = 0;
  if (Status status =
          loaded->check(loaded->cuDeviceGetCount(&count), "cuDeviceGetCount");
      !status.ok())
    return status;
  if (count < 1)
    return Status::error("no CUDA device: expected at least 1, found 0");
  return static_cast<const Driver *>(loaded);
}

} // namespace

Status Driver::check(int result, std::string_view what) const {
  if (result == CUDA_SUCCESS)
    return Status();
  const char *name = nullptr;
  const char *text = nullptr;
  cuGetErrorName(result, &name);
  cuGetErrorString(result, &text);
  if (!name)
    return Status::error(what, ": CUDA error ", result);
  return Status::error(what, ": ", name, " (", text ? text : "", ")");
}

Expected<const Driver *> driver() {
  static const auto *loaded = new Expected<const Driver *>(loadDriver());
  return *loaded;
}

Expected<CUcontext> currentOrPrimaryContext(const Driver &driver) {
  CUcontext context = nullptr;
  if (Status status =
          driver.check(driver.cuCtxGetCurrent(&context), "cuCtxGetCurrent");
      !status.ok())
    return status;
  if (context)
    return context;

  static const auto *primary = new Expected<CUcontext>([&driver] {
    CUdevice device = 0;
    CUcontext retained = nullptr;
    Status status = driver.check(driver.cuDeviceGet(&device, 0), "cuDeviceGet");
    if (status.ok())
      status = driver.check(driver.cuDevicePrimaryCtxRetain(&retained, device),
                            "cuDevicePrimaryCtxRetain");
    return status.ok() ? Expected<CUcontext>(retained)
                       : Expected<CUcontext>(status);
  }());
  if (!primary->ok())
    return primary->status();
  if (Status status =
          driver.check(driver.cuCtxSetCurrent(**primary), "cuCtxSetCurrent");
      !status.ok())
    return status;
  return **primary;
}

ScopedContext::ScopedContext(const Driver &driver, CUcontext context)
    : driver(driver) {
  problem = driver.check(driver.cuCtxGetCurrent(&before), "cuCtxGetCurrent");
  if (!problem.ok() || before == context)
    return;
  problem = driver.check(driver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
  changed = problem.ok();
}

ScopedContext::~ScopedContext() {
  if (changed)
    (void)driver.cuCtxSetCurrent(before);
}

} // namespace mortar::runtime
