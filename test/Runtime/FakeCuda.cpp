//===- FakeCuda.cpp - A libcuda.so.1 which remembers ----------------------===//
//
// Stands in for the driver on machines without one: device 0 is an sm_90 with
// 227 KiB of shared memory; "modules" are the PTX text handed in, and each
// kernel has as many 8-byte parameters as its name's last digit says.
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"

#include <cstring>
#include <utility>

using namespace mortar::runtime;

namespace {
thread_local CUcontext currentContext = nullptr;
FakeCudaState state;
std::string names[16];
size_t numNames = 0;
} // namespace

extern "C" {

FakeCudaState *fakeCudaState() { return &state; }

int cuInit(unsigned) { return 0; }
int cuDeviceGet(int *device, int ordinal) { return *device = ordinal, 0; }
int cuDeviceGetCount(int *count) { return *count = 1, 0; }
int cuDeviceGetAttribute(int *value, int attribute, int) {
  *value = attribute == 75 ? 9 : attribute == 97 ? 232448 : 0;
  return 0;
}
int cuDeviceGetName(char *name, int, int) {
  std::strcpy(name, "Fake H100");
  return 0;
}
int cuDevicePrimaryCtxRetain(CUcontext *context, int) {
  ++state.retained;
  return *context = reinterpret_cast<CUcontext>(&state), 0;
}
int cuCtxSetCurrent(CUcontext context) { return currentContext = context, 0; }
int cuCtxGetCurrent(CUcontext *context) { return *context = currentContext, 0; }
int cuCtxGetDevice(int *device) {
  return currentContext ? (*device = 0, 0) : 201;
}
int cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned numOptions,
                       int *options, void **values) {
  if (!currentContext)
    return 201;
  std::string text(static_cast<const char *>(image));
  if (text.find("broken") != text.npos) {
    if (numOptions == 2 && options[0] == 5 && options[1] == 6 &&
        reinterpret_cast<size_t>(values[1]) > 64)
      std::strcpy(static_cast<char *>(values[0]),
                  "line 1: bad\nline 2: worse\n");
    return 218;
  }
  if (state.captureMode != CU_STREAM_CAPTURE_MODE_RELAXED)
    return 900;
  ++state.modules;
  state.loaded += text + "\n";
  return *module = reinterpret_cast<CUmodule>(&state), 0;
}
int cuModuleUnload(CUmodule) {
  return --state.modules, currentContext ? 0 : 201;
}
int cuModuleGetFunction(CUfunction *function, CUmodule, const char *name) {
  if (std::strstr(name, "missing"))
    return 500;
  names[numNames % 16] = name;
  return *function = reinterpret_cast<CUfunction>(&names[numNames++ % 16]), 0;
}
int cuFuncSetAttribute(CUfunction, int attribute, int value) {
  ++state.attributesSet;
  state.dynamicShared = attribute == 8 ? value : -1;
  return 0;
}
int cuFuncGetParamInfo(CUfunction function, size_t index, size_t *offset,
                       size_t *bytes) {
  const std::string &name = *reinterpret_cast<std::string *>(function);
  if (index >= size_t(name.back() - '0'))
    return 1;
  *offset = 8 * index;
  *bytes = name.find("float") == name.npos ? 8 : 4;
  return 0;
}
int cuLaunchKernelEx(const LaunchConfig *config, CUfunction function,
                     void **params, void **) {
  if (!currentContext)
    return 201;
  const std::string &name = *reinterpret_cast<std::string *>(function);
  ++state.launches;
  state.context = currentContext;
  state.kernel = name;
  state.config = *config;
  state.attribute =
      config->numAttributes ? config->attributes[0] : LaunchAttribute{};
  state.params.clear();
  for (char param = '0'; param < name.back(); ++param)
    state.params.push_back(*static_cast<int64_t *>(params[param - '0']));
  return 0;
}
int cuThreadExchangeStreamCaptureMode(int *mode) {
  std::swap(*mode, state.captureMode);
  return 0;
}
int cuGetErrorName(int result, const char **text) {
  *text = result == 218 ? "CUDA_ERROR_INVALID_PTX" : "CUDA_ERROR_FAKE";
  return 0;
}
int cuGetErrorString(int result, const char **text) {
  *text = result == 218 ? "a PTX JIT compilation failed" : "fake";
  return 0;
}

// Looked up, never called here.
#define UNUSED(NAME)                                                           \
  int NAME() { return 999; }
UNUSED(cuMemAlloc_v2)
UNUSED(cuMemFree_v2)
UNUSED(cuMemcpyHtoD_v2)
UNUSED(cuMemcpyDtoH_v2)
UNUSED(cuStreamCreate)
UNUSED(cuStreamSynchronize)
UNUSED(cuStreamDestroy_v2)
UNUSED(cuEventCreate)
UNUSED(cuEventRecord)
UNUSED(cuEventSynchronize)
UNUSED(cuEventElapsedTime)
UNUSED(cuEventDestroy_v2)
UNUSED(cuStreamBeginCapture_v2)
UNUSED(cuStreamEndCapture)
UNUSED(cuGraphInstantiateWithFlags)
UNUSED(cuGraphLaunch)
UNUSED(cuGraphExecDestroy)
UNUSED(cuGraphDestroy)

} // extern "C"
