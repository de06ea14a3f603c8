// REQUIRES: mortar-run
// Every mistake is one line, and exit 1.
// RUN: rm -rf %t && mkdir %t
// RUN: mortar-run %s --output=%t/
// RUN: not mortar-run %t/nothing.mlir 2>&1 | FileCheck %s --check-prefix=FILE
// RUN: not mortar-run %s --entry=nothing 2>&1 | FileCheck %s --check-prefix=ENTRY
// RUN: not mortar-run %s --rows=-1 2>&1 | FileCheck %s --check-prefix=ROWS
// RUN: not mortar-run %s --rows=4611686018427387904 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not mortar-run %s --rows=1,2 --output=%t/ 2>&1 | FileCheck %s --check-prefix=MANY
// RUN: not mortar-run %s --pad=-1 2>&1 | FileCheck %s --check-prefix=PAD
// RUN: not mortar-run %s --target=sm_90 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not mortar-run %s --target=pentium 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not mortar-run %s --input=%t/sum.0.npy 2>&1 | FileCheck %s --check-prefix=INPUT
// RUN: not mortar-run %s --input=2:%t/sum.0.npy 2>&1 | FileCheck %s --check-prefix=NUMBER
// RUN: not mortar-run %s --input=1:%t/sum.0.npy 2>&1 | FileCheck %s --check-prefix=DTYPE
// RUN: not mortar-run %s --input=0:%t/sum.0.npy --rows=5 2>&1 | FileCheck %s --check-prefix=UNEQUAL
// RUN: not mortar-run %s --output=%t/nowhere/ 2>&1 | FileCheck %s --check-prefix=OUTPUT
// RUN: head -c 30 %t/sum.0.npy > %t/header.npy
// RUN: not mortar-run %s --input=0:%t/header.npy 2>&1 | FileCheck %s --check-prefix=HEADER
// RUN: head -c 300 %t/sum.0.npy > %t/values.npy
// RUN: not mortar-run %s --input=0:%t/values.npy 2>&1 | FileCheck %s --check-prefix=VALUES
// RUN: not mortar-run %s --input=0:%s 2>&1 | FileCheck %s --check-prefix=FOREIGN
// RUN: sed -e 's/False/True /' %t/sum.0.npy > %t/order.npy
// RUN: not mortar-run %s --input=0:%t/order.npy 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: sed -e 's/17, 100/17, 050/' %t/sum.0.npy > %t/shape.npy
// RUN: not mortar-run %s --input=0:%t/shape.npy 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: printf MORTAR > %t/short.mortar
// RUN: not mortar-run %t/short.mortar 2>&1 | FileCheck %s --check-prefix=ARTIFACT
// RUN: not mortar-run %t/short.mortar --device=gpu --compare=unfused 2>&1 | FileCheck %s --check-prefix=COMPARE
// RUN: not mortar-run %t/short.mortar --device=gpu --target=sm_90 2>&1 | FileCheck %s --check-prefix=COMPILED
// RUN: not mortar-run %t/short.mortar --device=gpu 2>&1 | FileCheck %s --check-prefix=SHORT

// FILE: mortar-run: error: {{.*}}nothing.mlir: No such file or directory
// ENTRY: error: {{.*}}: expected an entry 'nothing', but found sum
// ROWS: error: expected --rows of at least 0, but found -1
// LARGE: error: expected tensors of at most {{[0-9]+}} MiB on this machine, but found f32 [4611686018427387904, 100]
// MANY: error: expected one --rows with --output, but found 2
// COMPILED: error: {{.*}}short.mortar: an artifact is compiled already: expected no --target, --mixed-dtypes or --few-rows
// PAD: error: expected --pad from 0 to 1048576, but found -1
// TARGET: error: expected a --target like host or x86-64-v3 for --device=cpu or interpret, but found 'sm_90'
// CPU: error: expected a CPU with FMA3 and F16C (x86-64-v3 or later), but 'pentium' has not both
// INPUT: error: expected --input=K:file.npy, but found
// NUMBER: error: expected --input for an argument that 'sum' reads, but found number 2
// DTYPE: error: entry 'sum': {{.*}}sum.0.npy: expected dtype <f2 for f16, but found <f4
// UNEQUAL: error: entry 'sum': expected argument 1 to have as many rows as the others, but its number differs
// OUTPUT: error: {{.*}}nowhere/sum.0.npy: No such file or directory
// HEADER: error: entry 'sum': {{.*}}header.npy: expected a header of 118 bytes, but found 20
// VALUES: values.npy: expected 6800 bytes of values for f32 [17, 100], but found 172
// FOREIGN: expected a .npy file, but it doesn't begin like one
// ORDER: order.npy: expected C order, but found Fortran order
// SHAPE: shape.npy: expected f32 [?, 100], but found f32 [17, 50]
// ARTIFACT: short.mortar: an artifact runs on a GPU only: expected --device=gpu
// COMPARE: short.mortar: an artifact can't be compiled another way: expected no --compare but aligned
// SHORT: short.mortar: expected at least 32 bytes, found 6

func.func @sum(%x: tensor<?x100xf32>, %r: tensor<?x100xf16>) -> tensor<?x100xf32> {
  %s = mortar.residual_add %x, %r
    : (tensor<?x100xf32>, tensor<?x100xf16>) -> tensor<?x100xf32>
  return %s : tensor<?x100xf32>
}
