/*===- signature.h - What calls of a function have in common ----*- C -*-===*/

#ifndef MORTAR_PYTHON_SIGNATURE_H
#define MORTAR_PYTHON_SIGNATURE_H

#include "cpython.h"
#include "launch.h"

enum { MAX_VALUES = 64, MAX_EXTENTS = 256 };

/* What is asked of Python and PyTorch, the same in all calls; owned for good. */
typedef struct Needs {
  const DLPackExchangeAPI *exchange;
  PyObject *missed; /* what a call gives that is like none */
  PyObject *none, *tupleType, *listType, *floatType, *tensorType, *parameterType;
  PyObject *isGradEnabled, *incrementVersion;
  PyObject *requiresGrad, *isNeg; /* names */
} Needs;

/* The values of a call in a row, by position, by name, given as out; all borrowed. */
typedef struct Call {
  PyObject *values[MAX_VALUES];
  PyObject *types[MAX_VALUES];
  DLTensor tensors[MAX_VALUES]; /* of values that are some */
  PyObject *kwargs;
  PyObject *outs; /* its own tuple where out is a list, else null */
  int32_t count, outCount; /* -1 where there is no out */
} Call;

/* A constant, or what is looked at of a tensor. */
typedef struct Value {
  PyObject *type;     /* of either */
  PyObject *constant; /* null: a tensor */
  DLDataType element;
  DLDevice device;
  int32_t rank, heads;
} Value;

typedef struct Extent {
  int64_t extent;
  int32_t value, axis;
} Extent;

/* Of the call's values, and behind them those that are made, numbers. */
typedef struct Numbers {
  int32_t count;
  uint8_t at[MAX_ARGUMENTS];
} Numbers;

typedef struct Signature {
  const struct Signature *next;
  Value values[MAX_VALUES];
  int32_t count, outCount;
  int32_t extentCount;
  Extent extents[MAX_EXTENTS];
  PyObject *names;     /* of values passed by name */
  PyObject *nextOwner; /* the capsule that keeps next */

  Bound bound;
  Numbers arguments, results, written, maybeNegated;
  int32_t isTuple, resultsAreWritten;
  PyObject *make;   /* values -> a tuple of tensors, or null */
  PyObject *refuse; /* raises what the runtime refused */
} Signature;

extern Needs mortarNeeds;

extern const char MORTAR_SHORTCUT[]; /* what capsules of signatures are called */
/* Of args, kwargs and out; its self is the capsule of a signature. */
PyObject *mortarCallShortcut(PyObject *self, PyObject *const *given, Py_ssize_t count);

/* A call's values and their types; 0 if there are too many. What is collected is given up
   in the end, also then. */
int mortarCollect(PyObject *args, PyObject *kwargs, PyObject *out, Call *call);
void mortarGiveUp(Call *call);
int mortarIsPlainTensor(PyObject *object);
int mortarIsTensor(const Call *call, int32_t number); /* of PyTorch, by its type */
/* Looks at the tensors; 0, and nothing raised, if one can't be passed. */
int mortarReadTensors(Call *call);

/* Makes the signature that of a call; 0 if it can't be compared. */
int mortarLook(const Call *call, Signature *signature);
int mortarHasSignature(const Signature *signature, const Call *call);

#endif /* MORTAR_PYTHON_SIGNATURE_H */
