/*===- shortcut.c - From a call in Python to the launch -------------------===*\
|*                                                                            *|
|* A function of a call's arguments (a tuple, a dict, and out) that launches  *|
|* where they have its signature, and gives the call's results. Where not it  *|
|* tries the signatures that were learned before. Whatever is amiss makes it  *|
|* a miss: Python's long way (_call_anew of fuse.py) says what it is.         *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "signature.h"

#include <tvm/ffi/extra/c_env_api.h>

static PyObject *missed(void) {
  Py_IncRef(mortarNeeds.missed);
  return mortarNeeds.missed;
}

/* The truth of what a call gave, which is given up; -1 where it gave nothing. */
static int isTrue(PyObject *object) {
  int found = object ? PyObject_IsTrue(object) : -1;
  Py_DecRef(object);
  return found;
}

/* Without derivatives a tensor that wants one is refused. Also where asking fails. */
static int wantsGradient(const Call *call) {
  int32_t index;
  int found = isTrue(PyObject_CallNoArgs(mortarNeeds.isGradEnabled));
  if (found <= 0)
    return found;
  for (index = 0; index < call->count; ++index)
    if (mortarIsTensor(call, index) &&
        (found = isTrue(PyObject_GetAttr(call->values[index], mortarNeeds.requiresGrad))))
      return found;
  return 0;
}

/* .imag of something, say, whose elements are stored negated. */
static int isNegated(const Signature *signature, const Call *call) {
  int32_t index;
  int found;
  for (index = 0; index < signature->maybeNegated.count; ++index)
    if ((found = isTrue(PyObject_CallMethodObjArgs(
             call->values[signature->maybeNegated.at[index]], mortarNeeds.isNeg, NULL))))
      return found;
  return 0;
}

static PyObject *toTuple(const Numbers *numbers, const Call *call, PyObject *made) {
  PyObject *tuple = PyTuple_New(numbers->count);
  int32_t index;
  for (index = 0; tuple && index < numbers->count; ++index) {
    int32_t number = numbers->at[index];
    PyObject *item = number < call->count ? call->values[number]
                                          : PyTuple_GetItem(made, number - call->count);
    Py_IncRef(item);
    if (!item || PyTuple_SetItem(tuple, index, item)) {
      Py_DecRef(tuple);
      return NULL;
    }
  }
  return tuple;
}

/* What mortarRuntimeLaunch gives, or -1 where it isn't reached. */
static int launch(const Signature *signature, const Call *call, PyObject *made) {
  const Bound *bound = &signature->bound;
  const DLPackExchangeAPI *exchange = mortarNeeds.exchange;
  MortarTensor tensors[MAX_ARGUMENTS];
  DLPackManagedTensorAllocator before = NULL;
  PyThreadState *thread;
  void *stream = NULL;
  uint32_t index;
  int status;
  for (index = 0; index < bound->count; ++index) {
    int32_t number = signature->arguments.at[index];
    const DLTensor *from = &call->tensors[number];
    DLTensor fresh;
    if (number >= call->count) {
      PyObject *one = PyTuple_GetItem(made, number - call->count);
      /* A mode of PyTorch's may have made something else. */
      if (!one || !mortarIsPlainTensor(one) ||
          exchange->dltensor_from_py_object_no_sync(one, &fresh))
        return -1;
      from = &fresh;
    }
    if (mortarConvert(bound, from, &tensors[index]))
      return -1;
  }
  if (bound->device.device_type != kDLCPU &&
      exchange->current_work_stream(bound->device.device_type, bound->device.device_id,
                                    &stream))
    return -1;
  if (bound->takesWorkspace &&
      TVMFFIEnvSetDLPackManagedTensorAllocator(exchange->managed_tensor_allocator, 0,
                                               &before))
    return -1;
  thread = PyEval_SaveThread(); /* a kernel on a CPU may take its time */
  status = mortarLaunch(bound, tensors, stream);
  PyEval_RestoreThread(thread);
  if (bound->takesWorkspace)
    (void)TVMFFIEnvSetDLPackManagedTensorAllocator(before, 0, NULL);
  return status;
}

/* The call's results; null where something is raised. What was overwritten counts as
   changed, so that autograd refuses to go back through it. */
static PyObject *finish(const Signature *signature, const Call *call, PyObject *made) {
  PyObject *written = NULL, *noted, *results;
  results = toTuple(&signature->results, call, made);
  if (results && signature->written.count) {
    written = signature->resultsAreWritten ? results
                                           : toTuple(&signature->written, call, made);
    noted = written ? PyObject_CallFunctionObjArgs(mortarNeeds.incrementVersion, written,
                                                   NULL)
                    : NULL;
    if (written != results)
      Py_DecRef(written);
    Py_DecRef(noted);
    if (!noted) {
      Py_DecRef(results);
      return NULL;
    }
  }
  if (results && !signature->isTuple) {
    PyObject *only = PyTuple_GetItem(results, 0);
    Py_IncRef(only);
    Py_DecRef(results);
    return only;
  }
  return results;
}

static PyObject *run(const Signature *signature, const Call *call) {
  PyObject *made = NULL, *results;
  int status;
  if (signature->make) {
    static const Numbers none;
    Numbers every = none;
    PyObject *values;
    for (; every.count < call->count; ++every.count)
      every.at[every.count] = (uint8_t)every.count;
    if (!(values = toTuple(&every, call, NULL)))
      return NULL;
    made = PyObject_CallFunctionObjArgs(signature->make, values, NULL);
    Py_DecRef(values);
    if (!made)
      return NULL;
  }
  status = launch(signature, call, made);
  if (status == MORTAR_RUNTIME_OK)
    results = finish(signature, call, made);
  else if (status == MORTAR_RUNTIME_ERROR)
    results = PyObject_CallNoArgs(signature->refuse);
  else {
    PyErr_Clear();
    results = missed();
  }
  Py_DecRef(made);
  return results;
}

PyObject *mortarCallShortcut(PyObject *self, PyObject *const *given, Py_ssize_t count) {
  const Signature *signature = PyCapsule_GetPointer(self, MORTAR_SHORTCUT);
  PyObject *results = NULL;
  Call call;
  (void)count; /* three, by Fused alone */
  if (!signature)
    return NULL;
  if (mortarCollect(given[0], given[1], given[2], &call) && !wantsGradient(&call) &&
      mortarReadTensors(&call)) {
    while (signature && !mortarHasSignature(signature, &call))
      signature = signature->next;
    if (signature && !isNegated(signature, &call)) {
      results = run(signature, &call);
      mortarGiveUp(&call);
      return results;
    }
  }
  mortarGiveUp(&call);
  PyErr_Clear();
  return missed();
}
