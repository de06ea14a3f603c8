/*===- tensors.c - DLPack's tensors as the runtime's ----------------------===*/

#include "launch.h"

#include <inttypes.h>
#include <stdio.h>

int mortarFail(const char *kind, const char *message) {
  TVMFFIErrorSetRaisedFromCStr(kind, message);
  return -1;
}

int mortarFailLaunch(void) {
  return mortarFail("mortar.LaunchError", mortarRuntimeLastError());
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

int mortarConvert(const Bound *bound, const DLTensor *from, MortarTensor *tensor) {
  int type = elementType(from->dtype), axis;
  if (type < 0 || !isOn(from->device, bound->device))
    return -1;
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

int mortarFailConversion(const Bound *bound, const DLTensor *from, uint32_t index) {
  char message[256], found[32], expected[32];
  if (!from)
    snprintf(message, sizeof message, "argument %" PRIu32 ": expected a tensor", index);
  else if (!isOn(from->device, bound->device))
    snprintf(message, sizeof message,
             "argument %" PRIu32 ": expected a tensor on %s, found one on %s", index,
             deviceName(bound->device, expected, sizeof expected),
             deviceName(from->device, found, sizeof found));
  else
    snprintf(message, sizeof message,
             "argument %" PRIu32 ": expected an element type that Mortar has, found "
             "DLPack's (code %d, %d bits, %d lanes)",
             index, from->dtype.code, from->dtype.bits, from->dtype.lanes);
  return mortarFail("mortar.LaunchError", message);
}
