/*===- launch.c - Launches through the TVM FFI ABI ------------------------===*\
|*                                                                            *|
|* The way of a launch from Python has no Python on it: the caller's tensors  *|
|* come as DLTensors (from PyTorch by its C exchange API, from others by      *|
|* __dlpack__), the stream is the framework's current one as TVM FFI knows    *|
|* it, and mortarRuntimeLaunch does the rest. C and no CPython: one binary is *|
|* for every Python.                                                          *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "mortar-c/Runtime.h"

#include <tvm/ffi/c_api.h>
#include <tvm/ffi/extra/c_env_api.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARGUMENTS = 64, WORKSPACE_ALIGNMENT = 256 };

/* An entry of an executable that is loaded on a device. */
typedef struct Bound {
  uint64_t executable;
  uint32_t entry;
  uint32_t count;
  DLDevice device;
} Bound;

static int fail(const char *kind, const char *message) {
  TVMFFIErrorSetRaisedFromCStr(kind, message);
  return -1;
}

static int failLaunch(void) {
  return fail("mortar.LaunchError", mortarRuntimeLastError());
}

static const char *deviceName(DLDevice device, char *buffer, size_t size) {
  const char *kind = device.device_type == kDLCPU          ? "cpu"
                     : device.device_type == kDLCUDA        ? "cuda"
                     : device.device_type == kDLCUDAHost    ? "cuda_host"
                     : device.device_type == kDLCUDAManaged ? "cuda_managed"
                                                            : "device type ";
  if (device.device_type == kDLCPU)
    snprintf(buffer, size, "%s", kind);
  else if (*kind == 'd')
    snprintf(buffer, size, "%s%d:%d", kind, (int)device.device_type,
             (int)device.device_id);
  else
    snprintf(buffer, size, "%s:%d", kind, (int)device.device_id);
  return buffer;
}

/* Memory that both can reach counts as either's. */
static int isOn(DLDevice found, DLDevice expected) {
  if (expected.device_type == kDLCPU)
    return found.device_type == kDLCPU || found.device_type == kDLCUDAHost ||
           found.device_type == kDLCUDAManaged;
  return (found.device_type == kDLCUDA || found.device_type == kDLCUDAManaged) &&
         found.device_id == expected.device_id;
}

/* -1 if Mortar has no such element type. */
static int elementType(DLDataType type) {
  if (type.lanes != 1)
    return -1;
  switch (type.code << 8 | type.bits) {
  case kDLFloat << 8 | 32:
    return MORTAR_F32;
  case kDLFloat << 8 | 16:
    return MORTAR_F16;
  case kDLBfloat << 8 | 16:
    return MORTAR_BF16;
  case kDLFloat8_e4m3fn << 8 | 8:
    return MORTAR_F8E4M3;
  case kDLFloat8_e8m0fnu << 8 | 8:
    return MORTAR_F8E8M0;
  case kDLInt << 8 | 8:
    return MORTAR_I8;
  case kDLInt << 8 | 32:
    return MORTAR_I32;
  case kDLInt << 8 | 64:
    return MORTAR_I64;
  default:
    return -1;
  }
}

static int convert(const Bound *bound, const TVMFFIAny *any, uint32_t index,
                   MortarTensor *tensor) {
  const DLTensor *from;
  char message[256], found[32], expected[32];
  int type, axis;
  if (any->type_index == kTVMFFITensor) {
    from = (const DLTensor *)((const char *)any->v_obj + sizeof(TVMFFIObject));
  } else if (any->type_index == kTVMFFIDLTensorPtr) {
    from = (const DLTensor *)any->v_ptr;
  } else if (any->type_index == kTVMFFIOpaquePtr &&
             bound->device.device_type == kDLCPU) {
    *tensor = *(const MortarTensor *)any->v_ptr; /* made by _arrays.py, for NumPy */
    return 0;
  } else {
    snprintf(message, sizeof message, "argument %" PRIu32 ": expected a tensor", index);
    return fail("mortar.LaunchError", message);
  }
  if (!isOn(from->device, bound->device)) {
    snprintf(message, sizeof message,
             "argument %" PRIu32 ": expected a tensor on %s, found one on %s", index,
             deviceName(bound->device, expected, sizeof expected),
             deviceName(from->device, found, sizeof found));
    return fail("mortar.LaunchError", message);
  }
  if ((type = elementType(from->dtype)) < 0) {
    snprintf(message, sizeof message,
             "argument %" PRIu32 ": expected an element type that Mortar has, found "
             "DLPack's (code %d, %d bits, %d lanes)",
             index, from->dtype.code, from->dtype.bits, from->dtype.lanes);
    return fail("mortar.LaunchError", message);
  }
  tensor->data = from->data ? (char *)from->data + from->byte_offset : NULL;
  tensor->shape = from->shape;
  tensor->strides = from->strides;
  for (axis = 0; axis < from->ndim; ++axis)
    if (!from->shape[axis])
      tensor->strides = NULL; /* without elements they say nothing */
  tensor->rank = (uint32_t)from->ndim;
  tensor->type = (uint32_t)type;
  return 0;
}

/* The caller's framework allocates; what it gives is free again for work that
   comes later on the same stream, as all its own temporaries are. */
static int launchWithWorkspace(const Bound *bound, const MortarTensor *tensors,
                               size_t bytes, void *stream) {
  int64_t extent = (int64_t)(bytes + WORKSPACE_ALIGNMENT);
  DLTensor prototype = {0};
  TVMFFIObjectHandle workspace = NULL;
  const DLTensor *made;
  uintptr_t address;
  int failed;
  prototype.device = bound->device;
  prototype.ndim = 1;
  prototype.dtype.code = kDLUInt;
  prototype.dtype.bits = 8;
  prototype.dtype.lanes = 1;
  prototype.shape = &extent;
  if (TVMFFIEnvTensorAlloc(&prototype, &workspace))
    return -1;
  made = (const DLTensor *)((const char *)workspace + sizeof(TVMFFIObject));
  address = (uintptr_t)made->data + made->byte_offset + WORKSPACE_ALIGNMENT - 1;
  failed = mortarRuntimeLaunch(bound->executable, bound->entry, tensors, bound->count,
                               (void *)(address / WORKSPACE_ALIGNMENT *
                                        WORKSPACE_ALIGNMENT),
                               bytes, stream);
  TVMFFIObjectDecRef(workspace);
  return failed ? failLaunch() : 0;
}

static int launch(void *self, const TVMFFIAny *args, int32_t count, TVMFFIAny *result) {
  const Bound *bound = self;
  MortarTensor tensors[MAX_ARGUMENTS];
  size_t bytes = 0;
  void *stream = NULL;
  uint32_t index;
  (void)result;
  if ((uint32_t)count != bound->count) {
    char message[96];
    snprintf(message, sizeof message,
             "expected %" PRIu32 " tensors, results among them, found %" PRId32,
             bound->count, count);
    return fail("mortar.LaunchError", message);
  }
  for (index = 0; index < bound->count; ++index)
    if (convert(bound, &args[index], index, &tensors[index]))
      return -1;
  if (bound->device.device_type != kDLCPU)
    stream = TVMFFIEnvGetStream(bound->device.device_type, bound->device.device_id);
  if (mortarRuntimeWorkspaceBytes(bound->executable, bound->entry, tensors,
                                  bound->count, &bytes))
    return failLaunch();
  if (bytes)
    return launchWithWorkspace(bound, tensors, bytes, stream);
  if (mortarRuntimeLaunch(bound->executable, bound->entry, tensors, bound->count, NULL, 0,
                          stream))
    return failLaunch();
  return 0;
}

/* bind(executable, entry, device type, device id) -> function of tensors */
TVM_FFI_DLL_EXPORT int __tvm_ffi_bind(void *self, const TVMFFIAny *args, int32_t count,
                                      TVMFFIAny *result) {
  Bound *bound;
  TVMFFIObjectHandle function;
  uint32_t arguments;
  int32_t index;
  (void)self;
  if (count != 4)
    return fail("TypeError", "expected four integers");
  for (index = 0; index < count; ++index)
    if (args[index].type_index != kTVMFFIInt)
      return fail("TypeError", "expected four integers");
  if (mortarRuntimeArgumentCount((uint64_t)args[0].v_int64, (uint32_t)args[1].v_int64,
                                 &arguments))
    return failLaunch();
  if (arguments > MAX_ARGUMENTS)
    return fail("mortar.LaunchError", "expected at most 64 arguments");
  if (!(bound = malloc(sizeof *bound)))
    return fail("MemoryError", "no memory for a function");
  bound->executable = (uint64_t)args[0].v_int64;
  bound->entry = (uint32_t)args[1].v_int64;
  bound->count = arguments;
  bound->device.device_type = (DLDeviceType)args[2].v_int64;
  bound->device.device_id = (int32_t)args[3].v_int64;
  if (TVMFFIFunctionCreate(bound, launch, free, &function)) {
    free(bound);
    return -1;
  }
  result->type_index = kTVMFFIFunction;
  result->zero_padding = 0;
  result->v_obj = function;
  return 0;
}
