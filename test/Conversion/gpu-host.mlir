// RUN: mortar-opt %s --mortar-fuse --mortar-to-gpu | FileCheck %s

// The host code counts rows, checks, chooses a variant and launches: upstream ops only.
func.func @norm(%x: tensor<?x4096xbf16>, %w: tensor<4096xbf16> {mortar.constant})
    -> tensor<?x4096xbf16> {
  %n = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %n : tensor<?x4096xbf16>
}
// CHECK: module attributes {gpu.container_module}
// CHECK-LABEL: func.func @norm(
// CHECK-SAME: {mortar.output, mortar.result = 0 : i64}
// CHECK: cf.assert {{.*}} "expected argument 2 to have as many rows as the others, but its number differs"
// CHECK: cf.assert {{.*}} "expected argument 2 to share no memory with argument 0, or all of it with the same strides, but they overlap"
// CHECK: cf.assert {{.*}} "expected argument 2 to share no memory with argument 1, but they overlap"
// CHECK: %[[ANY:.*]] = arith.cmpi ne
// CHECK: scf.if %[[ANY]] {
// CHECK:   scf.if
// CHECK:     gpu.launch_func @mortar_kernels::@rms_norm_4096_bf16_x8
// CHECK:   } else {
// CHECK:     gpu.launch_func @mortar_kernels::@rms_norm_4096_bf16_x1
// CHECK-NOT: memref.copy
// CHECK: gpu.module @mortar_kernels
// CHECK: gpu.func @rms_norm_4096_bf16_x8
// CHECK-SAME: kernel

// A row that 16-byte accesses don't fill has the one variant; there is nothing to choose.
func.func @odd(%x: tensor<?x111xbf16>) -> tensor<?x111xbf16> {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x111xbf16>) -> tensor<?x111xbf16>
  return %n : tensor<?x111xbf16>
}
// CHECK: gpu.func @rms_norm_111_bf16_x1
// CHECK-NOT: rms_norm_111_bf16_x8
