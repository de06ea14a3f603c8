// REQUIRES: mortar-run
// RUN: mortar-run %s | FileCheck %s
// RUN: mortar-run %s --rows=0,1,257 --compare=unfused,cpu,aligned --offset=3 --pad=5 --values=hard | FileCheck %s --check-prefix=COMPARE
// RUN: mortar-run %s --entry=halves --summary --time=3 | FileCheck %s --check-prefix=TIME
// RUN: mortar-run %s --compare=interpret --values=hard | FileCheck %s --check-prefix=INTERPRET
// RUN: rm -rf %t && mkdir %t
// RUN: mortar-run %s --entry=layer --output=%t/a. --seed=3 && mortar-run %s --entry=layer --output=%t/b. --seed=3 --target=x86-64-v3
// RUN: cmp %t/a.layer.0.npy %t/b.layer.0.npy && cmp %t/a.layer.1.npy %t/b.layer.1.npy
// A result read back as an input: bf16 is uint16 to NumPy.
// RUN: mortar-run %s --entry=layer --input=0:%t/a.layer.0.npy --input=1:%t/a.layer.1.npy | FileCheck %s --check-prefix=READ

// CHECK: layer
// CHECK-NEXT: result 0  bf16 [17, 128]  checksum [[#%x,]]
// CHECK-NEXT: result 1  bf16 [17, 128]  checksum [[#%x,]]
// CHECK-NEXT: halves
// CHECK-NEXT: result 0  f32 [17, 64]
// COMPARE-COUNT-3: layer
// COMPARE-NOT: {{[1-9][0-9]*}} differ
// COMPARE: halves
// COMPARE: result 0  f32 [257, 64]
// COMPARE-NEXT: = unfused   result 0       16448 elements         0 differ
// COMPARE-NEXT: = cpu       result 0       16448 elements         0 differ
// COMPARE-NEXT: = aligned   result 0       16448 elements         0 differ
// INTERPRET: = interpret  result 0        2176 elements         0 differ
// INTERPRET: halves
// INTERPRET: = interpret  result 0        1088 elements         0 differ
// TIME: silu_and_mul
// TIME-NOT: layer
// TIME: time: median {{[0-9.]+}} us, least {{[0-9.]+}} us of 3 runs, 8704 bytes
// READ: result 0  bf16 [17, 128]

func.func @layer(%x: tensor<?x128xbf16>,
                 %r: tensor<?x128xbf16> {bufferization.writable = true},
                 %w: tensor<128xbf16>) -> (tensor<?x128xbf16>, tensor<?x128xbf16>) {
  %s = mortar.residual_add %x, %r
    : (tensor<?x128xbf16>, tensor<?x128xbf16>) -> tensor<?x128xbf16>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x128xbf16>, tensor<128xbf16>) -> tensor<?x128xbf16>
  return %y, %s : tensor<?x128xbf16>, tensor<?x128xbf16>
}

func.func @halves(%x: tensor<?x128xbf16>) -> tensor<?x64xf32> {
  %y = mortar.silu_and_mul %x : (tensor<?x128xbf16>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
