/*===- Runtime.h - C API of the Mortar runtime ----------------------------===*\
|*                                                                            *|
|* Loads artifacts and launches their entries on CUDA streams. No LLVM, no    *|
|* CUDA headers; libmortar_runtime.so exports this and nothing else.          *|
|*                                                                            *|
|* Every function but mortarRuntimeLastError returns MORTAR_RUNTIME_OK or     *|
|* MORTAR_RUNTIME_ERROR; after an error, mortarRuntimeLastError says what was *|
|* expected and what was found, and outputs are as they were. Any argument    *|
|* may be null and any handle dead or made up: that is an error like others.  *|
|* All functions may be called from any thread.                               *|
|*                                                                            *|
|* Strings handed out belong to the executable and last as long as it does.   *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef MORTAR_C_RUNTIME_H
#define MORTAR_C_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MORTAR_RUNTIME_API __attribute__((visibility("default")))

enum { MORTAR_RUNTIME_OK = 0, MORTAR_RUNTIME_ERROR = 1 };

/* Element types and roles, as artifacts store them. */
enum {
  MORTAR_F32 = 0,
  MORTAR_F16 = 1,
  MORTAR_BF16 = 2,
  MORTAR_F8E4M3 = 3,
  MORTAR_I8 = 4,
  MORTAR_I32 = 5,
  MORTAR_I64 = 6,
  MORTAR_F8E8M0 = 7
};
enum { MORTAR_INPUT = 0, MORTAR_OUTPUT = 1, MORTAR_INOUT = 2 };

/* How to load: with the device code on the GPU, or to look only (and to ask
   for shapes and workspace), for which no GPU is needed. */
enum { MORTAR_LOAD_ON_DEVICE = 0, MORTAR_LOAD_TO_INSPECT = 1 };

/* A number, never used again after mortarRuntimeDestroy; 0 is none. */
typedef uint64_t MortarExecutable;

/* One argument. `data` is the address of element 0 (device memory), null only
   without elements; `shape` has `rank` extents; `strides` as many, in elements,
   or is null for dense row-major. */
typedef struct MortarTensor {
  void *data;
  const int64_t *shape;
  const int64_t *strides;
  uint32_t rank;
  uint32_t type; /* MORTAR_F32, … */
} MortarTensor;

/* The version of this API (1) and of the artifacts it reads. */
MORTAR_RUNTIME_API int mortarRuntimeVersion(uint32_t *api, uint32_t *format);

/* The message of this thread's last error, one line; "" if there was none.
   Valid until the thread's next call that fails. */
MORTAR_RUNTIME_API const char *mortarRuntimeLastError(void);

/* Loads an artifact; `mode` is MORTAR_LOAD_…. On the device: into the thread's
   current CUDA context (PyTorch's, say), else device 0's primary one; code for
   a CPU is linked, in libmortar. The bytes are copied. They hold code: load
   what you would run. */
MORTAR_RUNTIME_API int mortarRuntimeLoadFile(const char *path, int mode,
                                             MortarExecutable *executable);
MORTAR_RUNTIME_API int mortarRuntimeLoadBytes(const void *bytes, size_t size,
                                              int mode,
                                              MortarExecutable *executable);

/* Unloads. What was launched must have finished on the device; a call that
   another thread is still in finishes first. */
MORTAR_RUNTIME_API int mortarRuntimeDestroy(MortarExecutable executable);

/* The artifact as a whole. Remarks say what fused, what didn't and why: JSON,
   described in README.md, opaque here. The image is the device code in use,
   such as "sm_90 cubin"; "" when inspecting. */
MORTAR_RUNTIME_API int mortarRuntimeNumericsVersion(MortarExecutable executable,
                                                    uint32_t *version);
MORTAR_RUNTIME_API int mortarRuntimeProducer(MortarExecutable executable,
                                             const char **producer);
MORTAR_RUNTIME_API int mortarRuntimeRemarks(MortarExecutable executable,
                                            const char **json);
MORTAR_RUNTIME_API int mortarRuntimeImage(MortarExecutable executable,
                                          const char **image);

/* Entries are numbered from 0. */
MORTAR_RUNTIME_API int mortarRuntimeEntryCount(MortarExecutable executable,
                                               uint32_t *count);
MORTAR_RUNTIME_API int mortarRuntimeEntryName(MortarExecutable executable,
                                              uint32_t entry,
                                              const char **name);
MORTAR_RUNTIME_API int mortarRuntimeFindEntry(MortarExecutable executable,
                                              const char *name,
                                              uint32_t *entry);

/* Arguments of an entry, outputs among them. Dims: `capacity` is the room in
   `dims`, at least the rank; -1 stands for an extent known at run time. A
   constant argument (1) is never written while kernels run. */
MORTAR_RUNTIME_API int mortarRuntimeArgumentCount(MortarExecutable executable,
                                                  uint32_t entry,
                                                  uint32_t *count);
MORTAR_RUNTIME_API int mortarRuntimeArgumentName(MortarExecutable executable,
                                                 uint32_t entry, uint32_t arg,
                                                 const char **name);
MORTAR_RUNTIME_API int mortarRuntimeArgumentType(MortarExecutable executable,
                                                 uint32_t entry, uint32_t arg,
                                                 uint32_t *type);
MORTAR_RUNTIME_API int mortarRuntimeArgumentRole(MortarExecutable executable,
                                                 uint32_t entry, uint32_t arg,
                                                 uint32_t *role);
MORTAR_RUNTIME_API int
mortarRuntimeArgumentConstant(MortarExecutable executable, uint32_t entry,
                              uint32_t arg, uint32_t *constant);
MORTAR_RUNTIME_API int mortarRuntimeArgumentRank(MortarExecutable executable,
                                                 uint32_t entry, uint32_t arg,
                                                 uint32_t *rank);
MORTAR_RUNTIME_API int mortarRuntimeArgumentDims(MortarExecutable executable,
                                                 uint32_t entry, uint32_t arg,
                                                 int64_t *dims,
                                                 size_t capacity);

/* Result number `result` lies in argument number `*arg`, whose rank and type
   it has. */
MORTAR_RUNTIME_API int mortarRuntimeResultCount(MortarExecutable executable,
                                                uint32_t entry,
                                                uint32_t *count);
MORTAR_RUNTIME_API int mortarRuntimeResultArgument(MortarExecutable executable,
                                                   uint32_t entry,
                                                   uint32_t result,
                                                   uint32_t *arg);

/* The extents of all results, one result after the other. `args` has an
   element for every argument, but outputs' are not looked at, and no data. */
MORTAR_RUNTIME_API int mortarRuntimeResultShapes(MortarExecutable executable,
                                                 uint32_t entry,
                                                 const MortarTensor *args,
                                                 size_t numArgs, int64_t *dims,
                                                 size_t capacity);

/* Whether launches of the entry may take workspace: 0 saves asking how much. */
MORTAR_RUNTIME_API int mortarRuntimeTakesWorkspace(MortarExecutable executable,
                                                   uint32_t entry,
                                                   uint32_t *takes);

/* Bytes of workspace which a launch with these arguments takes. */
MORTAR_RUNTIME_API int mortarRuntimeWorkspaceBytes(MortarExecutable executable,
                                                   uint32_t entry,
                                                   const MortarTensor *args,
                                                   size_t numArgs,
                                                   size_t *bytes);

/* Enqueues the entry on `stream` (a CUstream; null: the default stream). Code
   for a CPU takes no stream, and has run when the call returns.
   `workspace` is device memory aligned to 256 bytes, null if none is taken.
   No allocation on the device, no synchronization: streams may be capturing. */
MORTAR_RUNTIME_API int mortarRuntimeLaunch(MortarExecutable executable,
                                           uint32_t entry,
                                           const MortarTensor *args,
                                           size_t numArgs, void *workspace,
                                           size_t workspaceBytes, void *stream);

#ifdef __cplusplus
}
#endif

#endif /* MORTAR_C_RUNTIME_H */
