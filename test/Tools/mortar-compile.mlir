// What mortar-compile writes, and what it says when it can't.
// RUN: mortar-compile %s -o %t.mortar 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: mortar-compile %s --emit=nothing --min-fusions=1
// RUN: not mortar-compile %s --emit=nothing --min-fusions=2 2>&1 | FileCheck %s --check-prefix=REQUIRE
// RUN: mortar-compile %s --quiet --emit=nothing --remarks=- | FileCheck %s --check-prefix=JSON
// RUN: mortar-compile %s --quiet --target=x86-64-v3 --emit=header -o - | FileCheck %s --check-prefix=HEADER
// RUN: mortar-opt %s --emit-bytecode -o %t.bc && mortar-compile %t.bc --emit=nothing 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: not mortar-compile %s --target=sm_42 -o %t.no 2>&1 | FileCheck %s --check-prefix=CHIP
// RUN: not mortar-compile %s --target=potato --emit=object -o %t.no 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not mortar-compile %s --target=x86-64 --emit=object -o %t.no 2>&1 | FileCheck %s --check-prefix=OLD
// RUN: not mortar-compile %s --target=host -o %t.no 2>&1 | FileCheck %s --check-prefix=EMIT
// RUN: not mortar-compile %s 2>&1 | FileCheck %s --check-prefix=OUTPUT
// RUN: not mortar-compile %s -o %t.dir/no/such/folder 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not mortar-compile %s --emit=object -o %t.no 2>&1 | FileCheck %s --check-prefix=OBJECT
// RUN: not env CUDA_HOME= CUDA_PATH= CUDA_ROOT= PATH= %mortar-compile %s --quiet --emit=cubin -o %t.no 2>&1 | FileCheck %s --check-prefix=PTXAS
// RUN: not mortar-compile %t.absent -o %t.no 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not test -e %t.no

// TABLE: kernel {{ *}}ops  kernels  bytes/row was  bytes/row now
// TABLE: @add_norm
// TABLE: residual_add+rms_norm {{ *}}2 {{ *}}1 {{ *}}40960 {{ *}}32768
// REQUIRE: expected at least 2 ops to join another's kernel, but 1 did
// JSON: "kernels_before": 2
// HEADER: const char *_mlir_ciface_add_norm(
// HEADER: struct mortar_memref_2 * /* input, bf16 [rows, 4096] */
// CHIP: error: expected a chip of sm_80, sm_86, sm_87, sm_89, sm_90, sm_100, sm_103, sm_120 or sm_121, but found 'sm_42'
// CPU: error: expected a target like sm_90, host or x86-64-v3, but found 'potato'
// OLD: error: expected a CPU with FMA3 and F16C
// EMIT: expected --emit=object or header for the CPU target 'host'
// OUTPUT: expected -o <file> (or --emit=nothing for the table alone)
// OBJECT: expected --target=host or a CPU for --emit=object, but found 'sm_90'
// PTXAS: expected ptxas in $CUDA_HOME/bin or on the PATH for --emit=cubin, but found none
// FOLDER: expected to write
// ABSENT: No such file or directory

func.func @add_norm(%x: tensor<?x4096xbf16>, %r: tensor<?x4096xbf16>,
                    %w: tensor<4096xbf16> {mortar.constant})
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  %s = mortar.residual_add %x, %r : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %n, %s : tensor<?x4096xbf16>, tensor<?x4096xbf16>
}
