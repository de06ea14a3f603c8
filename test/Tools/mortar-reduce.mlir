// One op, result, argument and attribute after another goes, as long as the test finds what
// it looks for.
// RUN: mortar-reduce %s --mortar-reduce-steps='test=not test-arg=FileCheck test-arg=%s test-arg=--check-prefix=KEEP test-arg=--input-file' -o - | FileCheck %s
// RUN: not mortar-reduce %s --mortar-reduce-steps='test=not test-arg=FileCheck test-arg=%s test-arg=--check-prefix=NONE test-arg=--input-file' -o - 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not mortar-reduce %s --mortar-reduce-steps='test=no-such-program' -o - 2>&1 | FileCheck %s --check-prefix=MISSING
// What a verifier puts back is no step.
// RUN: mortar-opt %s --mortar-fuse-rows -o %t.mlir
// RUN: mortar-reduce %t.mlir --mortar-reduce-steps='test=not test-arg=FileCheck test-arg=%s test-arg=--check-prefix=KEEP test-arg=--input-file' -o - | FileCheck %s --check-prefix=FUSED
// FUSED: mortar.fused
// FUSED-NEXT: mortar.silu_and_mul

// KEEP: mortar.silu_and_mul
// NONE: mortar.l2_norm
// ERROR: error: expected a program for which 'not' exits with 1, but it doesn't
// MISSING: error: expected a program for test=, but found no 'no-such-program'

// CHECK: module {
// CHECK-NEXT: func.func @f(%[[X:.*]]: tensor<?x128xbf16>) -> tensor<?x64xbf16> {
// CHECK-NEXT: %[[Y:.*]] = mortar.silu_and_mul %[[X]] : (tensor<?x128xbf16>) -> tensor<?x64xbf16>
// CHECK-NEXT: return %[[Y]] : tensor<?x64xbf16>
// CHECK-NEXT: }
// CHECK-NEXT: }
func.func private @foreign(tensor<?x128xbf16>) -> tensor<?x128xbf16>
func.func @f(%x: tensor<?x128xbf16>, %w: tensor<64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x1xf32>, tensor<?x64xbf16>) {
  %a = mortar.residual_add %x, %x : (tensor<?x128xbf16>, tensor<?x128xbf16>) -> tensor<?x128xbf16>
  %b = func.call @foreign(%a) : (tensor<?x128xbf16>) -> tensor<?x128xbf16>
  %c = mortar.silu_and_mul %b limit(7.0) : (tensor<?x128xbf16>) -> tensor<?x64xbf16>
  %d = mortar.rms_norm %c weight(%w) epsilon(1.0e-6) : (tensor<?x64xbf16>, tensor<64xbf16>) -> tensor<?x64xbf16>
  %q, %s = mortar.quantize_dynamic %d : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x1xf32>)
  return %q, %s, %d : tensor<?x64xf8E4M3FN>, tensor<?x1xf32>, tensor<?x64xbf16>
}
