/*===- signature.c - Calls that are like an earlier one -------------------===*\
|*                                                                            *|
|* What Python finds out about a call of a fused function (which code it was  *|
|* compiled to, which arguments that takes, which results it overwrites) is   *|
|* the same for each call whose values look the same: tensors by element      *|
|* type, rank, device, and the extents that are compiled for, constants by    *|
|* their bits. A signature is one such look. It never changes, so that any    *|
|* threads may compare with it.                                               *|
|*                                                                            *|
|* It takes no check away: those of addresses, shapes, strides and overlap    *|
|* are the runtime's, at each launch.                                         *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "signature.h"

#include <string.h>

enum { MIN_RANK_WITH_HEADS = 3 };

Needs mortarNeeds;

static PyObject *typeOf(PyObject *object) {
  PyObject *type = PyObject_Type(object);
  Py_DecRef(type); /* the object keeps it */
  return type;
}

static int addTuple(PyObject *tuple, Call *call) {
  Py_ssize_t index, size = PyTuple_Size(tuple);
  if (size > MAX_VALUES - call->count)
    return 0;
  for (index = 0; index < size; ++index)
    call->values[call->count++] = PyTuple_GetItem(tuple, index);
  return 1;
}

static int addOut(PyObject *out, Call *call) {
  PyObject *type;
  int32_t before = call->count;
  call->outCount = -1;
  if (out == mortarNeeds.none)
    return 1;
  type = typeOf(out);
  if (type == mortarNeeds.listType) /* which another thread may change meanwhile */
    out = call->outs = PySequence_Tuple(out);
  if (!out)
    return 0;
  if (type == mortarNeeds.tupleType || type == mortarNeeds.listType) {
    if (!addTuple(out, call))
      return 0;
  } else if (call->count < MAX_VALUES)
    call->values[call->count++] = out;
  else
    return 0;
  call->outCount = call->count - before;
  return 1;
}

int mortarIsPlainTensor(PyObject *object) {
  return typeOf(object) == mortarNeeds.tensorType;
}

int mortarIsTensor(const Call *call, int32_t number) {
  return call->types[number] == mortarNeeds.tensorType ||
         call->types[number] == mortarNeeds.parameterType;
}

int mortarCollect(PyObject *args, PyObject *kwargs, PyObject *out, Call *call) {
  PyObject *name;
  Py_ssize_t position = 0;
  int32_t index;
  call->count = 0;
  call->outs = NULL;
  call->kwargs = PyDict_Size(kwargs) ? kwargs : NULL;
  if (!addTuple(args, call))
    return 0;
  if (call->kwargs) {
    if (PyDict_Size(kwargs) > MAX_VALUES - call->count)
      return 0;
    while (PyDict_Next(kwargs, &position, &name, &call->values[call->count]))
      ++call->count;
  }
  if (!addOut(out, call))
    return 0;
  for (index = 0; index < call->count; ++index)
    call->types[index] = typeOf(call->values[index]);
  return 1;
}

void mortarGiveUp(Call *call) { Py_DecRef(call->outs); }

int mortarReadTensors(Call *call) {
  int32_t index;
  for (index = 0; index < call->count; ++index)
    if (mortarIsTensor(call, index) &&
        mortarNeeds.exchange->dltensor_from_py_object_no_sync(call->values[index],
                                                              &call->tensors[index])) {
      PyErr_Clear(); /* without memory of its own, say */
      return 0;
    }
  return 1;
}

/* The first axis of a part of a row (_arrays.py's heads), 0 if there is none. */
static int32_t headsOf(const DLTensor *tensor) {
  int64_t even = 0; /* the distance that fits the axes inside */
  int32_t axis, inner = 0;
  if (tensor->ndim < MIN_RANK_WITH_HEADS || !tensor->strides)
    return 0;
  for (axis = tensor->ndim - 1; axis >= 0; --axis)
    if (!tensor->shape[axis])
      return 0;
  for (axis = tensor->ndim - 2; axis >= 0; --axis) {
    if (tensor->shape[axis] == 1) /* whose stride says nothing */
      continue;
    if (inner && tensor->strides[axis] != even)
      return inner;
    even = tensor->strides[axis] * tensor->shape[axis];
    inner = axis;
  }
  return 0;
}

int mortarLook(const Call *call, Signature *signature) {
  PyObject *name, *value;
  Py_ssize_t position = 0;
  int32_t index;
  for (index = 0; index < call->count; ++index) {
    const DLTensor *tensor = &call->tensors[index];
    Value *seen = &signature->values[index];
    Py_IncRef(seen->type = call->types[index]);
    signature->count = index + 1;
    if (mortarIsTensor(call, index)) {
      seen->element = tensor->dtype;
      seen->device = tensor->device;
      seen->rank = tensor->ndim;
      seen->heads = headsOf(tensor);
    } else
      Py_IncRef(seen->constant = call->values[index]);
  }
  signature->outCount = call->outCount;
  if (!call->kwargs)
    return 1;
  if (!(signature->names = PyTuple_New(PyDict_Size(call->kwargs))))
    return 0;
  for (index = 0; PyDict_Next(call->kwargs, &position, &name, &value); ++index) {
    Py_IncRef(name);
    if (PyTuple_SetItem(signature->names, index, name))
      return 0;
  }
  return 1;
}

/* Both are of the same type: one of those that _shortcuts.py takes for constants, whose
   objects don't change and whose comparison runs no code of the caller's. */
static int isSameConstant(const Value *expected, PyObject *found) {
  int isSame;
  if (found == expected->constant)
    return 1;
  if (expected->type == mortarNeeds.floatType) { /* 0.0 and -0.0 are two, a NaN is itself */
    double left = PyFloat_AsDouble(expected->constant), right = PyFloat_AsDouble(found);
    return !memcmp(&left, &right, sizeof left);
  }
  if ((isSame = PyObject_RichCompareBool(expected->constant, found, Py_EQ)) < 0)
    PyErr_Clear();
  return isSame > 0;
}

static int isLike(const Value *expected, const Call *call, int32_t number) {
  const DLTensor *found = &call->tensors[number];
  if (call->types[number] != expected->type)
    return 0;
  if (expected->constant)
    return isSameConstant(expected, call->values[number]);
  return found->ndim == expected->rank &&
         !memcmp(&found->dtype, &expected->element, sizeof found->dtype) &&
         found->device.device_type == expected->device.device_type &&
         found->device.device_id == expected->device.device_id &&
         headsOf(found) == expected->heads;
}

static int hasNames(const Signature *signature, const Call *call) {
  PyObject *name, *value;
  Py_ssize_t position = 0, index;
  if (!signature->names || !call->kwargs)
    return !signature->names && !call->kwargs;
  if (PyTuple_Size(signature->names) != PyDict_Size(call->kwargs))
    return 0;
  for (index = 0; PyDict_Next(call->kwargs, &position, &name, &value); ++index) {
    int isSame =
        PyObject_RichCompareBool(PyTuple_GetItem(signature->names, index), name, Py_EQ);
    if (isSame < 0)
      PyErr_Clear();
    if (isSame <= 0)
      return 0;
  }
  return 1;
}

int mortarHasSignature(const Signature *signature, const Call *call) {
  int32_t index;
  if (call->count != signature->count || call->outCount != signature->outCount ||
      !hasNames(signature, call))
    return 0;
  for (index = 0; index < call->count; ++index)
    if (!isLike(&signature->values[index], call, index))
      return 0;
  for (index = 0; index < signature->extentCount; ++index) {
    const Extent *expected = &signature->extents[index];
    if (call->tensors[expected->value].shape[expected->axis] != expected->extent)
      return 0;
  }
  return 1;
}
