/*===- launch.h - What the ways of a launch share ---------------*- C -*-===*\
|*                                                                            *|
|* The caller's tensors come as DLTensors: PyTorch's by its C exchange API,   *|
|* to a function that TVM FFI calls (launch.c) or, where a call is like an    *|
|* earlier one, that CPython calls itself (shortcut.c); others' by            *|
|* __dlpack__. The stream is the framework's current one, and                 *|
|* mortarRuntimeLaunch does the rest. One binary is for every Python.         *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef MORTAR_PYTHON_LAUNCH_H
#define MORTAR_PYTHON_LAUNCH_H

#include "mortar-c/Runtime.h"

#include <tvm/ffi/c_api.h>

enum { MAX_ARGUMENTS = 64 };

/* An entry of an executable that is loaded on a device. */
typedef struct Bound {
  uint64_t executable;
  uint32_t entry;
  uint32_t count; /* of arguments, results among them */
  uint32_t takesWorkspace;
  DLDevice device;
} Bound;

/* An exception of Python's. -1, as what follows gives where it has raised one. */
int mortarFail(const char *kind, const char *message);
int mortarFailLaunch(void); /* mortarRuntimeLastError, as a mortar.LaunchError */

/* From four integers: the executable, the entry, the device's type and number. */
int mortarBind(const int64_t *numbers, Bound *bound);

/* As the runtime takes it; -1, and nothing raised, if it can't be an argument. */
int mortarConvert(const Bound *bound, const DLTensor *from, MortarTensor *tensor);
/* Raises why: of argument number `index`, null if that is no tensor. */
int mortarFailConversion(const Bound *bound, const DLTensor *from, uint32_t index);

/* MORTAR_RUNTIME_ERROR is the runtime's refusal, which isn't raised yet. */
int mortarLaunch(const Bound *bound, const MortarTensor *tensors, void *stream);

#endif /* MORTAR_PYTHON_LAUNCH_H */
