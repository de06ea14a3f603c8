/*===- learn.c - What Python makes a shortcut of --------------------------===*/

#include "signature.h"

#include <stdlib.h>
#include <string.h>

const char MORTAR_SHORTCUT[] = "mortar.shortcut";

/* The parts, as learn of _shortcuts.py gives them. */
enum {
  NEXT, /* the shortcut learned before, or None */
  ARGS,
  KWARGS,
  OUT,
  MAKE,     /* a function of the call's values, a tuple of tensors; or None */
  REFUSE,   /* raises what the runtime refused */
  INTEGERS, /* mortarBind's, how many tensors are made, whether results are a tuple */
  ARGUMENTS,
  EXTENTS, /* pairs of a value and its axis */
  RESULTS,
  WRITTEN,
  MAYBE_NEGATED,
  PARTS
};

static void destroy(Signature *signature) {
  int32_t index;
  for (index = 0; index < signature->count; ++index) {
    Py_DecRef(signature->values[index].type);
    Py_DecRef(signature->values[index].constant);
  }
  Py_DecRef(signature->names);
  Py_DecRef(signature->nextOwner);
  Py_DecRef(signature->make);
  Py_DecRef(signature->refuse);
  free(signature);
}

static void destroyCapsule(PyObject *capsule) {
  destroy(PyCapsule_GetPointer(capsule, MORTAR_SHORTCUT));
}

static int readIntegers(PyObject *tuple, Py_ssize_t from, int64_t *integers,
                        Py_ssize_t count) {
  Py_ssize_t index;
  for (index = 0; index < count; ++index)
    integers[index] = PyLong_AsLongLong(PyTuple_GetItem(tuple, from + index));
  return !PyErr_Occurred();
}

static int readNumbers(PyObject *tuple, int64_t limit, Numbers *numbers) {
  Py_ssize_t size = PyTuple_Size(tuple);
  int64_t number;
  if (size < 0 || size > MAX_ARGUMENTS)
    return 0;
  for (; numbers->count < size; ++numbers->count) {
    if (!readIntegers(tuple, numbers->count, &number, 1) || number < 0 || number >= limit)
      return 0;
    numbers->at[numbers->count] = (uint8_t)number;
  }
  return 1;
}

static int readExtents(PyObject *pairs, const Call *call, Signature *signature) {
  Py_ssize_t index, size = PyTuple_Size(pairs);
  int64_t pair[2];
  if (size < 0 || size > 2 * MAX_EXTENTS)
    return 0;
  for (index = 0; index + 1 < size; index += 2) {
    Extent *extent = &signature->extents[signature->extentCount++];
    if (!readIntegers(pairs, index, pair, 2) || pair[0] < 0 || pair[0] >= call->count ||
        !mortarIsTensor(call, (int32_t)pair[0]) || pair[1] < 0 ||
        pair[1] >= call->tensors[pair[0]].ndim)
      return 0;
    extent->value = (int32_t)pair[0];
    extent->axis = (int32_t)pair[1];
    extent->extent = call->tensors[pair[0]].shape[pair[1]];
  }
  return 1;
}

/* 0 if it can't be a signature, with something raised or without. */
static int readParts(PyObject *parts, const Call *call, Signature *signature) {
  int64_t integers[6], limit;
  int32_t index;
  if (!mortarLook(call, signature) ||
      !readIntegers(PyTuple_GetItem(parts, INTEGERS), 0, integers, 6) ||
      mortarBind(integers, &signature->bound) || integers[4] < 0 ||
      integers[4] > MAX_ARGUMENTS)
    return 0;
  limit = call->count + integers[4];
  signature->isTuple = integers[5] != 0;
  if (!readNumbers(PyTuple_GetItem(parts, ARGUMENTS), limit, &signature->arguments) ||
      !readExtents(PyTuple_GetItem(parts, EXTENTS), call, signature) ||
      !readNumbers(PyTuple_GetItem(parts, RESULTS), limit, &signature->results) ||
      !readNumbers(PyTuple_GetItem(parts, WRITTEN), call->count, &signature->written) ||
      !readNumbers(PyTuple_GetItem(parts, MAYBE_NEGATED), call->count,
                   &signature->maybeNegated) ||
      (uint32_t)signature->arguments.count != signature->bound.count)
    return 0;
  for (index = 0; index < signature->arguments.count; ++index)
    if (signature->arguments.at[index] < call->count &&
        !mortarIsTensor(call, signature->arguments.at[index]))
      return 0;
  signature->resultsAreWritten =
      !memcmp(&signature->results, &signature->written, sizeof signature->results);
  return 1;
}

static PyObject *keep(PyObject *object) {
  if (object == mortarNeeds.none)
    return NULL;
  Py_IncRef(object);
  return object;
}

/* The function, or None. */
static PyObject *toShortcut(PyObject *parts, const Call *call) {
  static PyMethodDef method = {"shortcut", mortarCallShortcut, METH_FASTCALL, NULL};
  PyObject *next = PyTuple_GetItem(parts, NEXT), *capsule, *function;
  Signature *signature = calloc(1, sizeof *signature);
  if (!signature)
    return PyErr_NoMemory();
  if (next != mortarNeeds.none) {
    signature->nextOwner = keep(PyCFunction_GetSelf(next));
    signature->next = PyCapsule_GetPointer(signature->nextOwner, MORTAR_SHORTCUT);
  }
  signature->make = keep(PyTuple_GetItem(parts, MAKE));
  signature->refuse = keep(PyTuple_GetItem(parts, REFUSE));
  if (!readParts(parts, call, signature)) {
    destroy(signature);
    Py_IncRef(mortarNeeds.none);
    return PyErr_Occurred() ? NULL : mortarNeeds.none;
  }
  if (!(capsule = PyCapsule_New(signature, MORTAR_SHORTCUT, destroyCapsule))) {
    destroy(signature);
    return NULL;
  }
  function = PyCFunction_NewEx(&method, capsule, NULL);
  Py_DecRef(capsule);
  return function;
}

/* parts of a call that went well -> the function that calls like it take, see
   mortarCallShortcut; None if it can't be one. By ctypes, from _shortcuts.py. */
TVM_FFI_DLL_EXPORT PyObject *mortarShortcut(PyObject *parts) {
  PyObject *shortcut = NULL;
  Call call;
  if (PyTuple_Size(parts) != PARTS)
    return NULL;
  if (mortarCollect(PyTuple_GetItem(parts, ARGS), PyTuple_GetItem(parts, KWARGS),
                    PyTuple_GetItem(parts, OUT), &call) &&
      mortarReadTensors(&call))
    shortcut = toShortcut(parts, &call);
  else if (!PyErr_Occurred())
    Py_IncRef(shortcut = mortarNeeds.none);
  mortarGiveUp(&call);
  return shortcut;
}

/* The members of Needs in their order, the first as DLPack's capsule. Once, before the
   first mortarShortcut; whether that is of use. */
TVM_FFI_DLL_EXPORT int mortarShortcutNeeds(PyObject *needs) {
  PyObject **members[] = {&mortarNeeds.missed,           &mortarNeeds.none,
                          &mortarNeeds.tupleType,        &mortarNeeds.listType,
                          &mortarNeeds.floatType,        &mortarNeeds.tensorType,
                          &mortarNeeds.parameterType,    &mortarNeeds.isGradEnabled,
                          &mortarNeeds.incrementVersion, &mortarNeeds.requiresGrad,
                          &mortarNeeds.isNeg};
  size_t index, count = sizeof members / sizeof *members;
  const DLPackExchangeAPI *exchange =
      PyCapsule_GetPointer(PyTuple_GetItem(needs, 0), "dlpack_exchange_api");
  if (!exchange || exchange->header.version.major != DLPACK_MAJOR_VERSION ||
      !exchange->dltensor_from_py_object_no_sync || !exchange->current_work_stream ||
      PyTuple_Size(needs) != (Py_ssize_t)count + 1)
    return 0;
  mortarNeeds.exchange = exchange;
  for (index = 0; index < count; ++index)
    Py_IncRef(*members[index] = PyTuple_GetItem(needs, (Py_ssize_t)index + 1));
  return 1;
}
