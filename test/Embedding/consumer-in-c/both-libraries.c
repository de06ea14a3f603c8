/* libmortar and libmortar_runtime in one process: the runtime's functions are those of the
   one that was linked first, and know nothing of the compiler's errors and handles. */
#include "mortar-c/Compiler.h"

#include <stdio.h>
#include <string.h>

static const char module[] =
    "func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {\n"
    "  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x8xf32>) -> tensor<?x8xf32>\n"
    "  return %n : tensor<?x8xf32>\n"
    "}\n";

int main(void) {
  MortarCompileOptions options = {0};
  MortarProgram program = 0;
  MortarExecutable executable = 0;
  const void *bytes = NULL;
  size_t size = 0;
  options.size = sizeof options;
  options.target = "z80";
  if (mortarCompile(module, sizeof module - 1, &options, &program) !=
          MORTAR_RUNTIME_ERROR ||
      !strstr(mortarCompilerLastError(), "found 'z80'"))
    return fprintf(stderr, "expected an error of z80, found '%s'\n",
                   mortarCompilerLastError());
  options.target = "sm_90";
  options.noCubin = 1;
  if (mortarCompile(module, sizeof module - 1, &options, &program) != MORTAR_RUNTIME_OK ||
      mortarProgramArtifact(program, &bytes, &size) != MORTAR_RUNTIME_OK)
    return fprintf(stderr, "%s\n", mortarCompilerLastError());
  if (mortarRuntimeLoadBytes(bytes, size, MORTAR_LOAD_TO_INSPECT, &executable) !=
      MORTAR_RUNTIME_OK)
    return fprintf(stderr, "%s\n", mortarRuntimeLastError());
  if (executable == program || mortarRuntimeDestroy(program) != MORTAR_RUNTIME_ERROR ||
      mortarProgramDestroy(executable) != MORTAR_RUNTIME_ERROR)
    return fprintf(stderr, "expected handles of two kinds, found them confused\n");
  return mortarProgramDestroy(program) || mortarRuntimeDestroy(executable);
}
