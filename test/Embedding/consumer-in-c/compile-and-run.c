/* A C program that compiles a layer's gap and runs it on this CPU. */
#include "mortar-c/Compiler.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 3, COLUMNS = 8 };

static const char layer[] =
    "func.func @layer(%x: tensor<?x8xf32>, %r: tensor<?x8xf32>, %w: tensor<8xf32>)\n"
    "    -> (tensor<?x8xf32>, tensor<?x8xf32>) {\n"
    "  %s = mortar.residual_add %x, %r\n"
    "    : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>\n"
    "  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)\n"
    "    : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>\n"
    "  return %s, %n : tensor<?x8xf32>, tensor<?x8xf32>\n"
    "}\n";

static void print(const MortarDiagnostic *diagnostic, void *user) {
  fprintf((FILE *)user, "%s:%u:%u: %s\n", diagnostic->file, (unsigned)diagnostic->line,
          (unsigned)diagnostic->column, diagnostic->message);
}

static int failed(int status, const char *what) {
  if (status == MORTAR_RUNTIME_OK)
    return 0;
  fprintf(stderr, "%s: %s\n", what, mortarRuntimeLastError());
  return 1;
}

int main(void) {
  MortarCompileOptions options = {0};
  MortarProgram program = 0;
  MortarExecutable executable = 0;
  const void *artifact = NULL;
  const char *remarks = NULL, *table = NULL;
  size_t size = 0;
  uint32_t entry = 0;
  float x[ROWS][COLUMNS], r[ROWS][COLUMNS], w[COLUMNS];
  float sum[ROWS][COLUMNS], norm[ROWS][COLUMNS];
  const int64_t matrix[] = {ROWS, COLUMNS}, row[] = {COLUMNS};
  MortarTensor args[5] = {{0}};
  int i, j;

  options.size = sizeof options;
  options.target = "host";
  options.onDiagnostic = print;
  options.user = stderr;
  if (failed(mortarCompile(layer, sizeof layer - 1, &options, &program), "compile") ||
      failed(mortarProgramRemarks(program, &remarks), "remarks") ||
      failed(mortarProgramTable(program, &table), "table") ||
      failed(mortarProgramArtifact(program, &artifact, &size), "artifact") ||
      failed(mortarRuntimeLoadBytes(artifact, size, MORTAR_LOAD_ON_DEVICE, &executable),
             "load") ||
      failed(mortarRuntimeFindEntry(executable, "layer", &entry), "entry"))
    return 1;
  if (!strstr(remarks, "\"ops\": \"residual_add+rms_norm\"")) {
    fprintf(stderr, "expected one kernel, found %s\n", remarks);
    return 1;
  }
  printf("%s", table);

  for (i = 0; i < ROWS; ++i)
    for (j = 0; j < COLUMNS; ++j) {
      x[i][j] = (float)(i + 1) * 0.5f;
      r[i][j] = (float)(j - 3);
      w[j] = 1.0f + (float)j;
    }
  for (i = 0; i < 5; ++i) {
    float *data[] = {x[0], r[0], w, sum[0], norm[0]};
    args[i].data = data[i];
    args[i].shape = i == 2 ? row : matrix;
    args[i].rank = i == 2 ? 1 : 2;
    args[i].type = MORTAR_F32;
  }
  if (failed(mortarRuntimeLaunch(executable, entry, args, 5, NULL, 0, NULL), "launch"))
    return 1;
  for (i = 0; i < ROWS; ++i) {
    double squares = 0;
    for (j = 0; j < COLUMNS; ++j) {
      if (sum[i][j] != x[i][j] + r[i][j])
        return 1;
      squares += (double)sum[i][j] * sum[i][j];
    }
    for (j = 0; j < COLUMNS; ++j) {
      double expected = sum[i][j] / sqrt(squares / COLUMNS + 1e-6) * w[j];
      if (fabs(norm[i][j] - expected) > 1e-6 * (1 + fabs(expected))) {
        fprintf(stderr, "row %d, column %d: expected %g, found %g\n", i, j, expected,
                norm[i][j]);
        return 1;
      }
    }
  }
  if (failed(mortarRuntimeDestroy(executable), "destroy") ||
      failed(mortarProgramDestroy(program), "destroy"))
    return 1;
  puts("as expected");
  return 0;
}
