/*===- cpython.h - What a call takes of CPython -----------------*- C -*-===*\
|*                                                                            *|
|* Functions of its stable ABI since 3.10, declared here and found in the     *|
|* process: neither its headers nor the layout of its objects, so that one    *|
|* binary is for every Python. References are its usual ones: new where not   *|
|* said to be borrowed.                                                       *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef MORTAR_PYTHON_CPYTHON_H
#define MORTAR_PYTHON_CPYTHON_H

#include <stddef.h>

typedef ptrdiff_t Py_ssize_t;
typedef struct _object PyObject;

enum { METH_FASTCALL = 0x0080 };
typedef PyObject *(*PyCFunctionFast)(PyObject *self, PyObject *const *args,
                                     Py_ssize_t count);
typedef struct PyMethodDef {
  const char *ml_name;
  PyCFunctionFast ml_meth;
  int ml_flags;
  const char *ml_doc;
} PyMethodDef;

void Py_IncRef(PyObject *object);
void Py_DecRef(PyObject *object); /* null is fine with both */

PyObject *PyObject_Type(PyObject *object);
PyObject *PyObject_GetAttr(PyObject *object, PyObject *name);
PyObject *PyObject_CallNoArgs(PyObject *callable);
PyObject *PyObject_CallFunctionObjArgs(PyObject *callable, ...); /* a null at the end */
PyObject *PyObject_CallMethodObjArgs(PyObject *object, PyObject *name, ...);
int PyObject_IsTrue(PyObject *object);
int PyObject_RichCompareBool(PyObject *left, PyObject *right, int operation);
enum { Py_EQ = 2 };

PyObject *PyTuple_New(Py_ssize_t size);
Py_ssize_t PyTuple_Size(PyObject *tuple);
PyObject *PyTuple_GetItem(PyObject *tuple, Py_ssize_t index); /* borrowed */
int PyTuple_SetItem(PyObject *tuple, Py_ssize_t index, PyObject *item); /* takes item */
PyObject *PySequence_Tuple(PyObject *sequence);
Py_ssize_t PyDict_Size(PyObject *dict);
int PyDict_Next(PyObject *dict, Py_ssize_t *position, PyObject **key,
                PyObject **value); /* borrowed */
long long PyLong_AsLongLong(PyObject *number);
double PyFloat_AsDouble(PyObject *number);

PyObject *PyCapsule_New(void *pointer, const char *name, void (*destroy)(PyObject *));
void *PyCapsule_GetPointer(PyObject *capsule, const char *name);
/* The function's self is `self`; no more of a module is needed. */
PyObject *PyCFunction_NewEx(PyMethodDef *method, PyObject *self, PyObject *module);
PyObject *PyCFunction_GetSelf(PyObject *function); /* borrowed */

void PyErr_Clear(void);
PyObject *PyErr_Occurred(void); /* borrowed */
PyObject *PyErr_NoMemory(void);

typedef struct _ts PyThreadState;
PyThreadState *PyEval_SaveThread(void);
void PyEval_RestoreThread(PyThreadState *state);

#endif /* MORTAR_PYTHON_CPYTHON_H */
