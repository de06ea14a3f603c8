//===- Driver.h - The CUDA driver, found at run time ------------*- C++ -*-===//
//
// Nothing of CUDA is linked or included: the few types and functions used are
// declared here and looked up in libcuda.so.1 when first asked for, so that a
// program holding the runtime also starts on a machine without a driver. The
// type names are the driver's own, and mix with cuda.h where a user has it.
//
//===----------------------------------------------------------------------===//

#ifndef MORTAR_RUNTIME_DRIVER_H
#define MORTAR_RUNTIME_DRIVER_H

#include "mortar/Runtime/Status.h"

#include <cstdint>

struct CUctx_st;
struct CUmod_st;
struct CUfunc_st;
struct CUstream_st;
struct CUevent_st;
struct CUgraph_st;
struct CUgraphExec_st;

namespace mortar::runtime {

using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = ::CUctx_st *;
using CUmodule = ::CUmod_st *;
using CUfunction = ::CUfunc_st *;
using CUstream = ::CUstream_st *;
using CUevent = ::CUevent_st *;
using CUgraph = ::CUgraph_st *;
using CUgraphExec = ::CUgraphExec_st *;

/// CUlaunchAttribute: an id and a union padded to 64 bytes, of which only the
/// int members are needed here.
struct LaunchAttribute {
  uint32_t id;
  uint32_t padding;
  union {
    char bytes[64];
    int number;
    uint64_t alignment; // the union in cuda.h holds pointers
  } value;
};
static_assert(sizeof(LaunchAttribute) == 72 && alignof(LaunchAttribute) == 8,
              "CUlaunchAttribute of cuda.h (CUDA 12 and 13)");

/// CUlaunchConfig.
struct LaunchConfig {
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t dynamicSharedBytes;
  CUstream stream;
  LaunchAttribute *attributes;
  uint32_t numAttributes;
};
static_assert(sizeof(LaunchConfig) == 56 &&
                  offsetof(LaunchConfig, stream) == 32 &&
                  offsetof(LaunchConfig, attributes) == 40,
              "CUlaunchConfig of cuda.h (CUDA 12 and 13)");

// Enumerators of cuda.h, by their names there.
constexpr int CUDA_SUCCESS = 0;
constexpr int CUDA_ERROR_NO_DEVICE = 100;
constexpr int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75;
constexpr int CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76;
constexpr int CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97;
constexpr int CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;
constexpr int CU_JIT_ERROR_LOG_BUFFER = 5;
constexpr int CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6;
constexpr int CU_STREAM_CAPTURE_MODE_THREAD_LOCAL = 1;
constexpr int CU_STREAM_CAPTURE_MODE_RELAXED = 2;
constexpr uint32_t CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION = 6;

/// The driver's functions; each returns a CUresult, 0 being success.
struct Driver {
  int (*cuInit)(unsigned flags);
  int (*cuDeviceGet)(CUdevice *device, int ordinal);
  int (*cuDeviceGetCount)(int *count);
  int (*cuDeviceGetAttribute)(int *value, int attribute, CUdevice device);
  int (*cuDeviceGetName)(char *name, int size, CUdevice device);
  int (*cuDevicePrimaryCtxRetain)(CUcontext *context, CUdevice device);
  int (*cuCtxSetCurrent)(CUcontext context);
  int (*cuCtxGetCurrent)(CUcontext *context);
  int (*cuCtxGetDevice)(CUdevice *device);
  int (*cuModuleLoadDataEx)(CUmodule *module, const void *image,
                            unsigned numOptions, int *options, void **values);
  int (*cuModuleUnload)(CUmodule module);
  int (*cuModuleGetFunction)(CUfunction *function, CUmodule module,
                             const char *name);
  int (*cuFuncSetAttribute)(CUfunction function, int attribute, int value);
  int (*cuLaunchKernelEx)(const LaunchConfig *config, CUfunction function,
                          void **params, void **extra);
  int (*cuMemAlloc)(CUdeviceptr *address, size_t bytes);
  int (*cuMemFree)(CUdeviceptr address);
  int (*cuMemcpyHtoD)(CUdeviceptr to, const void *from, size_t bytes);
  int (*cuMemcpyDtoH)(void *to, CUdeviceptr from, size_t bytes);
  int (*cuStreamCreate)(CUstream *stream, unsigned flags);
  int (*cuStreamSynchronize)(CUstream stream);
  int (*cuStreamDestroy)(CUstream stream);
  int (*cuEventCreate)(CUevent *event, unsigned flags);
  int (*cuEventRecord)(CUevent event, CUstream stream);
  int (*cuEventSynchronize)(CUevent event);
  int (*cuEventElapsedTime)(float *milliseconds, CUevent from, CUevent to);
  int (*cuEventDestroy)(CUevent event);
  int (*cuStreamBeginCapture)(CUstream stream, int mode);
  int (*cuStreamEndCapture)(CUstream stream, CUgraph *graph);
  int (*cuThreadExchangeStreamCaptureMode)(int *mode);
  int (*cuGraphInstantiate)(CUgraphExec *exec, CUgraph graph,
                            unsigned long long flags);
  int (*cuGraphLaunch)(CUgraphExec exec, CUstream stream);
  int (*cuGraphExecDestroy)(CUgraphExec exec);
  int (*cuGraphDestroy)(CUgraph graph);
  int (*cuGetErrorString)(int result, const char **text);
  int (*cuGetErrorName)(int result, const char **text);
  /// Null before CUDA 12.4.
  int (*cuFuncGetParamInfo)(CUfunction function, size_t index, size_t *offset,
                            size_t *bytes);

  /// Success, or "what: CUDA_ERROR_… (the driver's sentence)".
  Status check(int result, std::string_view what) const;
};

/// The loaded and initialized driver, with at least one device. Loaded once;
/// a failure stays. Safe from any thread.
Expected<const Driver *> driver();

/// The calling thread's context (PyTorch's, say); where it has none, the
/// primary context of device 0, which then becomes and stays the thread's
/// current one and is never released, as the CUDA runtime does it.
Expected<CUcontext> currentOrPrimaryContext(const Driver &driver);

/// Makes a context current for a scope, and then the one before.
class ScopedContext {
public:
  ScopedContext(const Driver &driver, CUcontext context);
  ~ScopedContext();
  ScopedContext(const ScopedContext &) = delete;
  ScopedContext &operator=(const ScopedContext &) = delete;

  /// Whether the context is current.
  const Status &status() const { return problem; }

private:
  const Driver &driver;
  CUcontext before = nullptr;
  bool changed = false;
  Status problem;
};

} // namespace mortar::runtime

#endif // MORTAR_RUNTIME_DRIVER_H
