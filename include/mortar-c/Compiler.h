/*===- Compiler.h - C API of the Mortar compiler --------------------------===*\
|*                                                                            *|
|* A module in, as text or bytecode; an artifact out, for the functions of    *|
|* mortar-c/Runtime.h, and remarks that say what fused and what didn't. No    *|
|* LLVM here: libmortar.so holds what it needs, and exports this header, the  *|
|* runtime's, and nothing else.                                               *|
|*                                                                            *|
|* As in the runtime: functions return MORTAR_RUNTIME_OK or                   *|
|* MORTAR_RUNTIME_ERROR, and after an error mortarRuntimeLastError says what  *|
|* was expected and what was found. Any argument may be null and any handle   *|
|* dead, made up or of another kind. All functions may be called from any     *|
|* thread; nothing is printed, and no signal handler stays behind.            *|
|*                                                                            *|
|* libmortar.so has all functions of libmortar_runtime.so: link one of them.  *|
|* With both, the functions of Runtime.h are those of the one that comes      *|
|* first: the small one runs no CPU's code, and knows no errors of this       *|
|* header's functions, for which there is mortarCompilerLastError.            *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef MORTAR_C_COMPILER_H
#define MORTAR_C_COMPILER_H

#include "mortar-c/Runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A compiled program: a number, never used again after mortarProgramDestroy; 0
   is none. */
typedef uint64_t MortarProgram;

enum {
  MORTAR_SEVERITY_NOTE = 0, /* belongs to the diagnostic before it */
  MORTAR_SEVERITY_WARNING = 1,
  MORTAR_SEVERITY_ERROR = 2,
  MORTAR_SEVERITY_REMARK = 3
};

/* Strings last until the callback returns. `file` is "" and the numbers are 0
   where the place isn't known. */
typedef struct MortarDiagnostic {
  uint32_t severity;
  uint32_t line;
  uint32_t column;
  const char *file;
  const char *message;
} MortarDiagnostic;

/* Called on the thread that compiles. It may call anything of Mortar's. */
typedef void (*MortarDiagnosticCallback)(const MortarDiagnostic *diagnostic,
                                         void *user);

enum {
  MORTAR_CACHE_BY_ENVIRONMENT = 0, /* $MORTAR_CACHE: 0, 1 or require; unset: on */
  MORTAR_CACHE_OFF = 1,
  MORTAR_CACHE_ON = 2,
  MORTAR_CACHE_REQUIRE = 3 /* what would have to be compiled is an error */
};

/* How to compile; all zeros but for the size are the defaults. Later versions
   add fields at the end, and know by the size which ones a caller has. */
typedef struct MortarCompileOptions {
  size_t size;        /* sizeof(MortarCompileOptions) */
  const char *target; /* "sm_80", "sm_90", …; "host", "x86-64-v3"; null: "sm_90" */
  const char *name;   /* of the module, in diagnostics; null: "module" */
  uint32_t noFuse;    /* 1: leave each op a kernel of its own, with the same bits */
  uint32_t mixedDtypes;    /* 1: fuse norms whose row and weight differ in type */
  uint32_t noCubin;        /* 1: leave out machine code though ptxas is there */
  uint32_t lineTables;     /* 1: note the module's lines in a GPU's code */
  uint32_t requireFusions; /* 1: a candidate that did not fuse is an error */
  uint32_t cache;          /* MORTAR_CACHE_… */
  const char *cacheFolder; /* null: $XDG_CACHE_HOME/mortar, ~/.cache/mortar */
  MortarDiagnosticCallback onDiagnostic; /* may be null */
  void *user;                            /* handed to it */
} MortarCompileOptions;

/* The versions of this API (1), of the artifacts it writes, and of the bits that
   programs give. */
MORTAR_RUNTIME_API int mortarCompilerVersion(uint32_t *api, uint32_t *format,
                                             uint32_t *numerics);

/* The message of the calling thread's last error in a function of this library, "" if
   there was none; until its next call here. */
MORTAR_RUNTIME_API const char *mortarCompilerLastError(void);

/* Compiles `size` bytes of MLIR, text or bytecode. `options` may be null. Bytecode is
   read in a child process; text is faster. Takes a stack of 8 MiB, as main threads have;
   threads of some languages' pools have less. A GPU's code for aligned operands and for
   others is generated in two threads, one of them Mortar's own, which has ended, and
   handled no signal of the host's, when this returns. */
MORTAR_RUNTIME_API int mortarCompile(const void *module, size_t size,
                                     const MortarCompileOptions *options,
                                     MortarProgram *program);

/* Frees the program; what was loaded from its artifact stays. */
MORTAR_RUNTIME_API int mortarProgramDestroy(MortarProgram program);

/* What was made; bytes and strings last as long as the program. The artifact is for
   mortarRuntimeLoadBytes. Remarks, kernels among them: JSON, described in README.md. The
   table is for people. */
MORTAR_RUNTIME_API int mortarProgramArtifact(MortarProgram program,
                                             const void **bytes, size_t *size);
MORTAR_RUNTIME_API int mortarProgramRemarks(MortarProgram program,
                                            const char **json);
MORTAR_RUNTIME_API int mortarProgramTable(MortarProgram program,
                                          const char **table);
/* 1 if it came from the cache, 0 if it was compiled. */
MORTAR_RUNTIME_API int mortarProgramWasCached(MortarProgram program,
                                              uint32_t *cached);

#ifdef __cplusplus
}
#endif

#endif /* MORTAR_C_COMPILER_H */
