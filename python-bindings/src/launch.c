/*===- launch.c - An entry of an executable as a function of tensors ------===*/

#include "launch.h"

#include <tvm/ffi/extra/c_env_api.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKSPACE_ALIGNMENT = 256 };

/* The caller's framework allocates; what it gives is free again for work that
   comes later on the same stream, as all its own temporaries are. */
static int launchWithWorkspace(const Bound *bound, const MortarTensor *tensors,
                               size_t bytes, void *stream) {
  int64_t extent = (int64_t)(bytes + WORKSPACE_ALIGNMENT);
  DLTensor prototype = {0};
  TVMFFIObjectHandle workspace = NULL;
  const DLTensor *made;
  uintptr_t address;
  int status;
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
  status = mortarRuntimeLaunch(bound->executable, bound->entry, tensors, bound->count,
                               (void *)(address / WORKSPACE_ALIGNMENT *
                                        WORKSPACE_ALIGNMENT),
                               bytes, stream);
  TVMFFIObjectDecRef(workspace);
  return status;
}

int mortarLaunch(const Bound *bound, const MortarTensor *tensors, void *stream) {
  size_t bytes = 0;
  if (bound->takesWorkspace) {
    if (mortarRuntimeWorkspaceBytes(bound->executable, bound->entry, tensors,
                                    bound->count, &bytes))
      return MORTAR_RUNTIME_ERROR;
    if (bytes)
      return launchWithWorkspace(bound, tensors, bytes, stream);
  }
  return mortarRuntimeLaunch(bound->executable, bound->entry, tensors, bound->count, NULL,
                             0, stream);
}

static const DLTensor *tensorOf(const TVMFFIAny *any) {
  if (any->type_index == kTVMFFITensor)
    return (const DLTensor *)((const char *)any->v_obj + sizeof(TVMFFIObject));
  return any->type_index == kTVMFFIDLTensorPtr ? (const DLTensor *)any->v_ptr : NULL;
}

static int call(void *self, const TVMFFIAny *args, int32_t count, TVMFFIAny *result) {
  const Bound *bound = self;
  const int isOnCPU = bound->device.device_type == kDLCPU;
  MortarTensor tensors[MAX_ARGUMENTS];
  void *stream = NULL;
  uint32_t index;
  int status;
  (void)result;
  if ((uint32_t)count != bound->count) {
    char message[96];
    snprintf(message, sizeof message,
             "expected %" PRIu32 " tensors, results among them, found %" PRId32,
             bound->count, count);
    return mortarFail("mortar.LaunchError", message);
  }
  for (index = 0; index < bound->count; ++index) {
    const DLTensor *from = tensorOf(&args[index]);
    if (args[index].type_index == kTVMFFIOpaquePtr && isOnCPU)
      tensors[index] = *(const MortarTensor *)args[index].v_ptr; /* NumPy's, of _arrays.py */
    else if (!from || mortarConvert(bound, from, &tensors[index]))
      return mortarFailConversion(bound, from, index);
  }
  if (!isOnCPU) /* whose code takes none */
    stream = TVMFFIEnvGetStream(bound->device.device_type, bound->device.device_id);
  status = mortarLaunch(bound, tensors, stream);
  return status == MORTAR_RUNTIME_ERROR ? mortarFailLaunch() : status;
}

int mortarBind(const int64_t *numbers, Bound *bound) {
  bound->executable = (uint64_t)numbers[0];
  bound->entry = (uint32_t)numbers[1];
  bound->device.device_type = (DLDeviceType)numbers[2];
  bound->device.device_id = (int32_t)numbers[3];
  if (mortarRuntimeArgumentCount(bound->executable, bound->entry, &bound->count) ||
      mortarRuntimeTakesWorkspace(bound->executable, bound->entry, &bound->takesWorkspace))
    return mortarFailLaunch();
  if (bound->count > MAX_ARGUMENTS)
    return mortarFail("mortar.LaunchError", "expected at most 64 arguments");
  return 0;
}

/* bind(executable, entry, device type, device number) -> function of tensors */
TVM_FFI_DLL_EXPORT int __tvm_ffi_bind(void *self, const TVMFFIAny *args, int32_t count,
                                      TVMFFIAny *result) {
  Bound *bound;
  TVMFFIObjectHandle function;
  int64_t numbers[4];
  int32_t index;
  (void)self;
  if (count != 4)
    return mortarFail("TypeError", "expected four integers");
  for (index = 0; index < count; ++index) {
    if (args[index].type_index != kTVMFFIInt)
      return mortarFail("TypeError", "expected four integers");
    numbers[index] = args[index].v_int64;
  }
  if (!(bound = malloc(sizeof *bound)))
    return mortarFail("MemoryError", "no memory for a function");
  if (mortarBind(numbers, bound) || TVMFFIFunctionCreate(bound, call, free, &function)) {
    free(bound);
    return -1;
  }
  result->type_index = kTVMFFIFunction;
  result->zero_padding = 0;
  result->v_obj = function;
  return 0;
}
