// The second time the artifact is found; remarks and table are as if it had been compiled.

// RUN: rm -rf %t && mkdir %t
// RUN: mortar-compile %s --no-cubin -o %t/plain --remarks=%t/plain.json
// RUN: mortar-compile %s --no-cubin --cache=%t/cache -o %t/cold --remarks=%t/cold.json
// RUN: env MORTAR_CACHE=require mortar-compile %s --no-cubin --cache=%t/cache -o %t/warm \
// RUN:   --remarks=%t/warm.json 2>&1 | FileCheck %s
// RUN: cmp %t/plain %t/cold
// RUN: cmp %t/plain %t/warm
// RUN: cmp %t/plain.json %t/warm.json

// With line tables (the default) a program that stands elsewhere is another one; without,
// it is the same.
// RUN: sed 1d %s > %t/moved.mlir
// RUN: env MORTAR_CACHE=require not mortar-compile %t/moved.mlir --no-cubin --cache=%t/cache \
// RUN:   -o %t/none 2>&1 | FileCheck %s --check-prefix=MISS
// RUN: mortar-compile %s --no-cubin --no-line-tables --cache=%t/cache -o %t/lineless
// RUN: env MORTAR_CACHE=require mortar-compile %t/moved.mlir --no-cubin --no-line-tables \
// RUN:   --cache=%t/cache -o %t/moved 2>&1 | FileCheck %s

// A cache in vain.
// RUN: not mortar-compile %s --emit=ptx --cache=%t/cache -o - 2>&1 | FileCheck %s --check-prefix=PTX
// RUN: not env MORTAR_CACHE=perhaps mortar-compile %s --cache=%t/cache -o - 2>&1 \
// RUN:   | FileCheck %s --check-prefix=MODE
// RUN: env MORTAR_CACHE=0 mortar-compile %s --no-cubin --cache=%t/off -o %t/uncached
// RUN: not ls %t/off

// CHECK: residual_add+rms_norm
// MISS: error: expected a compiled program in the cache, as MORTAR_CACHE=require has it, but found none: no entry
// PTX: mortar-compile: expected --emit=artifact and a GPU for --cache, which keeps nothing else
// MODE: mortar-compile: expected MORTAR_CACHE to be 0, 1 or require, found 'perhaps'
func.func @layer(%x: tensor<?x256xbf16>, %r: tensor<?x256xbf16>) -> tensor<?x256xbf16> {
  %s = mortar.residual_add %x, %r
    : (tensor<?x256xbf16>, tensor<?x256xbf16>) -> tensor<?x256xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<?x256xbf16>) -> tensor<?x256xbf16>
  return %n : tensor<?x256xbf16>
}
