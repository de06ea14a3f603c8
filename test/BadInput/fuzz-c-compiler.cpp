//===- fuzz-c-compiler.cpp - the compiler's C API, called in any order ----===//
//
// The bytes are a module, and the first of them, in the seeds a comment's "// ", choose the
// options. Any pointer may be null, any handle dead, made up or of the other kind.
//
//===----------------------------------------------------------------------===//

#include "mortar-c/Compiler.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

static void check(int status) {
  if (status == MORTAR_RUNTIME_OK)
    return;
  if (status != MORTAR_RUNTIME_ERROR || !*mortarRuntimeLastError()) {
    fprintf(stderr, "an error without a word\n");
    abort();
  }
}

static void readDiagnostic(const MortarDiagnostic *diagnostic, void *user) {
  *static_cast<size_t *>(user) += strlen(diagnostic->message) + strlen(diagnostic->file);
}

/// Everything that takes a handle.
static void use(uint64_t handle, bool outputs) {
  const void *bytes = nullptr;
  const char *text = nullptr;
  size_t size = 0;
  uint32_t number = 0;
  check(mortarProgramArtifact(handle, outputs ? &bytes : nullptr, &size));
  check(mortarProgramRemarks(handle, outputs ? &text : nullptr));
  check(mortarProgramTable(handle, outputs ? &text : nullptr));
  check(mortarProgramWasCached(handle, outputs ? &number : nullptr));
  check(mortarRuntimeEntryCount(handle, outputs ? &number : nullptr));
  MortarExecutable executable = 0;
  check(mortarRuntimeLoadBytes(bytes, size, MORTAR_LOAD_TO_INSPECT, &executable));
  check(mortarProgramDestroy(executable)); // the other kind
  check(mortarRuntimeDestroy(executable));
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // '/' chooses the last.
  static constexpr const char *targets[] = {nullptr, "sm_",  "sm_80",     "host",
                                            "z80",   "",     "x86-64-v3", "sm_90"};
  if (size < 4)
    return 0;
  size_t said = 0;
  MortarCompileOptions options = {};
  options.size = data[0] % 32 ? sizeof(options) : data[0];
  options.target = targets[data[1] % 8];
  options.noFuse = data[2] & 1;
  options.mixedDtypes = data[2] >> 1 & 1;
  options.lineTables = data[2] >> 2 & 1;
  options.requireFusions = data[2] >> 3 & 1;
  options.noCubin = data[2] % 64 ? 1 : 7;
  options.cache = MORTAR_CACHE_OFF;
  options.onDiagnostic = data[3] & 1 ? readDiagnostic : nullptr;
  options.user = &said;
  MortarProgram program = 0;
  check(mortarCompile(data[3] % 32 ? data : nullptr, size,
                      data[3] % 16 ? &options : nullptr, data[3] % 8 ? &program : nullptr));
  use(program, data[3] & 2);
  check(mortarProgramDestroy(program));
  use(program, true); // dead, or never was
  return 0;
}
