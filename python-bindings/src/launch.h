/*===- launch.h - What the ways of a launch share ---------------*- C -*-===*\
|*                                                                            *|
|* A launch from Python has no Python on its way: the caller's tensors come   *|
|* as DLTensors (from PyTorch by its C exchange API, from others by           *|
|* __dlpack__), the stream is the framework's current one as TVM FFI knows    *|
|* it, and mortarRuntimeLaunch does the rest. C and no CPython: one binary is *|
|* for every Python.                                                          *|
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
  DLDevice device;
} Bound;

/* An exception of Python's. -1, as what follows gives where it has raised one. */
int mortarFail(const char *kind, const char *message);
int mortarFailLaunch(void); /* mortarRuntimeLastError, as a mortar.LaunchError */

/* From four integers: the executable, the entry, the device's type and number. */
int mortarBind(const int64_t *numbers, Bound *bound);

/* The tensor that a value passes, or null. */
const DLTensor *mortarTensorOf(const TVMFFIAny *any);

/* Argument number `index`, as the runtime takes it. */
int mortarConvert(const Bound *bound, const TVMFFIAny *any, uint32_t index,
                  MortarTensor *tensor);

/* On the device's current stream. MORTAR_RUNTIME_ERROR is the runtime's refusal, which
   isn't raised yet. */
int mortarLaunch(const Bound *bound, const MortarTensor *tensors);

#endif /* MORTAR_PYTHON_LAUNCH_H */
