// REQUIRES: mortar-run
// The interpreter as a device; mortar-run.mlir compares another with it.
// RUN: mortar-run %s --device=interpret --compare=unfused --values=hard --rows=0,1,17 | FileCheck %s
// RUN: not mortar-run %s --device=interpret --entry=int8 --time=1 2>&1 | FileCheck %s --check-prefix=TIME

// CHECK: int8
// CHECK: result 0  i8 [17, 64]  checksum [[#%x,]]
// CHECK-NEXT: result 1  f32 [17, 1]  checksum [[#%x,]]
// CHECK-NEXT: = unfused   result 0        1088 elements         0 differ
// CHECK: fp8
// CHECK: result 0  f8e4m3 [17, 64]  checksum [[#%x,]]
// CHECK-NEXT: result 1  f8e8m0 [17, 4]  checksum [[#%x,]]
// CHECK-NEXT: = unfused   result 0        1088 elements         0 differ
// CHECK-NEXT: = unfused   result 1          68 elements         0 differ
// TIME: error: the interpreter can't be timed

func.func @int8(%x: tensor<?x128xbf16>, %z: tensor<?x64xf32>, %w: tensor<64xbf16>)
    -> (tensor<?x64xi8>, tensor<?x1xf32>) {
  %a = mortar.gelu_and_mul %x approximate(tanh) : (tensor<?x128xbf16>) -> tensor<?x64xbf16>
  %y = mortar.gated_rms_norm %a gate(%z) weight(%w) epsilon(1.0e-6) activation(sigmoid)
    : (tensor<?x64xbf16>, tensor<?x64xf32>, tensor<64xbf16>) -> tensor<?x64xbf16>
  %q, %s = mortar.quantize_dynamic %y : (tensor<?x64xbf16>) -> (tensor<?x64xi8>, tensor<?x1xf32>)
  return %q, %s : tensor<?x64xi8>, tensor<?x1xf32>
}

func.func @fp8(%x: tensor<?x128xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x4xf8E8M0FNU>) {
  %y = mortar.swigluoai_and_mul %x : (tensor<?x128xbf16>) -> tensor<?x64xbf16>
  %q, %s = mortar.quantize_dynamic %y group_size(16) ue8m0
    : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x4xf8E8M0FNU>)
  return %q, %s : tensor<?x64xf8E4M3FN>, tensor<?x4xf8E8M0FNU>
}
