/*===- signature.c - Calls that are like an earlier one -------------------===*\
|*                                                                            *|
|* What Python finds out about a call of a fused function (which code it was  *|
|* compiled to, which arguments that takes, which results it overwrites) is   *|
|* the same for each call whose values look the same: tensors by element      *|
|* type, rank, device, and the extents that are compiled for, constants by    *|
|* their bits. A signature is one such look, as a function of a call's values *|
|* that launches where they have it, and asks the next signature where they   *|
|* have not. It never changes, so that any threads may call it.               *|
|*                                                                            *|
|* It takes no check away: those of addresses, shapes, strides and overlap    *|
|* are the runtime's, at each launch.                                         *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "launch.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 64, MAX_EXTENTS = 256, MIN_RANK_WITH_HEADS = 3 };

/* A constant, or what is looked at of a tensor. */
typedef struct Value {
  TVMFFIAny constant;
  DLDataType type;
  DLDevice device;
  int32_t rank; /* -1: a constant */
  int32_t heads;
} Value;

typedef struct Extent {
  int64_t value, axis, extent;
} Extent;

typedef struct Signature {
  Bound bound;
  TVMFFIObjectHandle next;
  int64_t number, launches, valueCount, extentCount;
  int64_t arguments[MAX_ARGUMENTS]; /* each the number of a value */
  Value values[MAX_VALUES];
  Extent extents[MAX_EXTENTS];
} Signature;

/* The first axis of a part of a row (_arrays.py's heads), 0 if there is none. */
static int32_t headsOf(const DLTensor *tensor) {
  int64_t dense = 1;
  int32_t axis, isDense = 1;
  if (tensor->ndim < MIN_RANK_WITH_HEADS || !tensor->strides)
    return 0;
  for (axis = tensor->ndim - 1; axis >= 0; --axis) {
    if (!tensor->shape[axis])
      return 0;
    isDense &= tensor->shape[axis] == 1 || tensor->strides[axis] == dense;
    dense *= tensor->shape[axis];
  }
  if (isDense)
    return 0;
  for (axis = tensor->ndim - MIN_RANK_WITH_HEADS; axis >= 0; --axis)
    if (tensor->shape[axis] > 1 &&
        tensor->strides[axis] != tensor->strides[axis + 1] * tensor->shape[axis + 1])
      return axis + 1;
  return 0;
}

static const TVMFFIByteArray *textOf(const TVMFFIAny *any) {
  return (const TVMFFIByteArray *)((const char *)any->v_obj + sizeof(TVMFFIObject));
}

/* 0 if the value isn't one that can be compared. */
static int look(const TVMFFIAny *any, Value *value) {
  const DLTensor *tensor = mortarTensorOf(any);
  value->rank = -1;
  value->constant = *any;
  if (tensor) {
    value->type = tensor->dtype;
    value->device = tensor->device;
    value->rank = tensor->ndim;
    value->heads = headsOf(tensor);
    return 1;
  }
  switch (any->type_index) {
  case kTVMFFINone:
  case kTVMFFIInt:
  case kTVMFFIBool:
  case kTVMFFIFloat:
  case kTVMFFIDataType:
  case kTVMFFISmallStr:
    return 1;
  case kTVMFFIStr:
    return !TVMFFIObjectIncRef(any->v_obj); /* the text is looked at again */
  default:
    return 0;
  }
}

static int isLike(const Value *expected, const TVMFFIAny *any) {
  const TVMFFIAny *constant = &expected->constant;
  if (expected->rank >= 0) {
    const DLTensor *found = mortarTensorOf(any);
    return found && found->ndim == expected->rank &&
           !memcmp(&found->dtype, &expected->type, sizeof found->dtype) &&
           found->device.device_type == expected->device.device_type &&
           found->device.device_id == expected->device.device_id &&
           headsOf(found) == expected->heads;
  }
  if (any->type_index != constant->type_index)
    return 0;
  switch (any->type_index) {
  case kTVMFFINone:
    return 1;
  case kTVMFFIDataType:
    return !memcmp(&any->v_dtype, &constant->v_dtype, sizeof any->v_dtype);
  case kTVMFFIStr:
    return textOf(any)->size == textOf(constant)->size &&
           !memcmp(textOf(any)->data, textOf(constant)->data, textOf(any)->size);
  case kTVMFFISmallStr:
    return any->small_str_len == constant->small_str_len &&
           !memcmp(any->v_bytes, constant->v_bytes, any->small_str_len);
  default: /* of a float too: its bits */
    return any->v_int64 == constant->v_int64;
  }
}

static int hasSignature(const Signature *signature, const TVMFFIAny *args, int32_t count) {
  int64_t index;
  if (count != signature->valueCount)
    return 0;
  for (index = 0; index < count; ++index)
    if (!isLike(&signature->values[index], &args[index]))
      return 0;
  for (index = 0; index < signature->extentCount; ++index) {
    const Extent *expected = &signature->extents[index];
    if (mortarTensorOf(&args[expected->value])->shape[expected->axis] != expected->extent)
      return 0;
  }
  return 1;
}

static int launch(const Signature *signature, const TVMFFIAny *args) {
  MortarTensor tensors[MAX_ARGUMENTS];
  uint32_t index;
  for (index = 0; index < signature->bound.count; ++index)
    if (mortarConvert(&signature->bound, &args[signature->arguments[index]], index,
                      &tensors[index]))
      return -1;
  return mortarLaunch(&signature->bound, tensors);
}

/* function of values -> None if no signature is theirs, else the signature's number; its
   complement where the runtime refused the launch. */
static int call(void *self, const TVMFFIAny *args, int32_t count, TVMFFIAny *result) {
  const Signature *signature = self;
  int status = MORTAR_RUNTIME_OK;
  if (!hasSignature(signature, args, count)) {
    if (signature->next)
      return TVMFFIFunctionCall(signature->next, (TVMFFIAny *)(uintptr_t)args, count,
                                result);
    return 0;
  }
  if (signature->launches)
    status = launch(signature, args);
  if (status < 0)
    return status;
  result->type_index = kTVMFFIInt;
  result->zero_padding = 0;
  result->v_int64 = status == MORTAR_RUNTIME_OK ? signature->number : ~signature->number;
  return 0;
}

static void destroy(void *self) {
  Signature *signature = self;
  int64_t index;
  for (index = 0; index < signature->valueCount; ++index)
    if (signature->values[index].rank < 0 &&
        signature->values[index].constant.type_index == kTVMFFIStr)
      TVMFFIObjectDecRef(signature->values[index].constant.v_obj);
  if (signature->next)
    TVMFFIObjectDecRef(signature->next);
  free(signature);
}

/* The signature's numbers: its own, whether it launches, those that bind() takes, the
   value that each argument is, then the value and the axis of each extent compiled for. */
static int readNumbers(const TVMFFIShapeCell *numbers, const TVMFFIAny *values,
                       int32_t valueCount, Signature *signature) {
  const int64_t *next = numbers->data + 6, *end = numbers->data + numbers->size;
  uint32_t index;
  if (numbers->size < 6 || mortarBind(numbers->data + 2, &signature->bound))
    return 0;
  signature->number = numbers->data[0];
  signature->launches = numbers->data[1];
  for (index = 0; signature->launches && index < signature->bound.count; ++index) {
    if (next == end || *next < 0 || *next >= valueCount)
      return 0;
    signature->arguments[index] = *next++;
  }
  for (; end - next >= 2; next += 2) {
    Extent *extent = &signature->extents[signature->extentCount];
    const DLTensor *tensor =
        next[0] < 0 || next[0] >= valueCount ? NULL : mortarTensorOf(&values[next[0]]);
    if (!tensor || next[1] < 0 || next[1] >= tensor->ndim ||
        signature->extentCount == MAX_EXTENTS)
      return 0;
    extent->value = next[0];
    extent->axis = next[1];
    extent->extent = tensor->shape[next[1]];
    ++signature->extentCount;
  }
  return next == end;
}

/* signature(numbers, next or None, values…) -> function of values; None if it can't be one
   for these. */
TVM_FFI_DLL_EXPORT int __tvm_ffi_signature(void *self, const TVMFFIAny *args,
                                           int32_t count, TVMFFIAny *result) {
  const TVMFFIAny *values = args + 2;
  int32_t valueCount = count - 2;
  Signature *signature;
  (void)self;
  if (count < 2 || args[0].type_index != kTVMFFIShape ||
      (args[1].type_index != kTVMFFINone && args[1].type_index != kTVMFFIFunction))
    return mortarFail("TypeError", "expected a shape, a function or None, and values");
  if (valueCount > MAX_VALUES)
    return 0;
  if (!(signature = calloc(1, sizeof *signature)))
    return mortarFail("MemoryError", "no memory for a signature");
  if (args[1].type_index == kTVMFFIFunction && !TVMFFIObjectIncRef(args[1].v_obj))
    signature->next = args[1].v_obj;
  for (; signature->valueCount < valueCount; ++signature->valueCount)
    if (!look(&values[signature->valueCount], &signature->values[signature->valueCount]))
      break;
  if (signature->valueCount < valueCount ||
      !readNumbers((const TVMFFIShapeCell *)((const char *)args[0].v_obj +
                                             sizeof(TVMFFIObject)),
                   values, valueCount, signature)) {
    destroy(signature);
    return 0;
  }
  if (TVMFFIFunctionCreate(signature, call, destroy, (TVMFFIObjectHandle *)&result->v_obj)) {
    destroy(signature);
    return -1;
  }
  result->type_index = kTVMFFIFunction;
  result->zero_padding = 0;
  return 0;
}
