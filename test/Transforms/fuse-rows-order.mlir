// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s

// Three orders of the same ops: the same two kernels, the same values out of them.

// CHECK-LABEL: @in_order(
// CHECK: mortar.fused
// CHECK-COUNT-2: mortar.residual_add
// CHECK: mortar.rms_norm
// CHECK: mortar.residual_add
// CHECK: mortar.fused
// CHECK-NEXT: mortar.silu_and_mul
// CHECK-NOT: mortar.fused
// CHECK: return
func.func @in_order(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %g: tensor<4x128xbf16>)
    -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %t = mortar.residual_add %r, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %p = mortar.residual_add %n, %t : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %y = mortar.silu_and_mul %g : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  return %p, %y : tensor<4x64xbf16>, tensor<4x64xbf16>
}

// CHECK-LABEL: @gate_first(
// CHECK: mortar.fused
// CHECK-NEXT: mortar.silu_and_mul
// CHECK: mortar.fused
// CHECK-DAG: mortar.rms_norm
// CHECK-DAG: mortar.residual_add
// CHECK-DAG: mortar.residual_add
// CHECK-DAG: mortar.residual_add
// CHECK-NOT: mortar.fused
// CHECK: return
func.func @gate_first(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %g: tensor<4x128xbf16>)
    -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %y = mortar.silu_and_mul %g : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %t = mortar.residual_add %r, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %p = mortar.residual_add %n, %t : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %p, %y : tensor<4x64xbf16>, tensor<4x64xbf16>
}

// CHECK-LABEL: @gate_between(
// CHECK: mortar.fused
// CHECK-NEXT: mortar.silu_and_mul
// CHECK: mortar.fused
// CHECK-DAG: mortar.rms_norm
// CHECK-DAG: mortar.residual_add
// CHECK-DAG: mortar.residual_add
// CHECK-DAG: mortar.residual_add
// CHECK-NOT: mortar.fused
// CHECK: return
func.func @gate_between(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %g: tensor<4x128xbf16>)
    -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %t = mortar.residual_add %r, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %y = mortar.silu_and_mul %g : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %p = mortar.residual_add %n, %t : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %p, %y : tensor<4x64xbf16>, tensor<4x64xbf16>
}
