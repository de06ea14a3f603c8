// RUN: mortar-opt %s --mortar-fuse-rows --remarks-filter-passed='mortar-fusion' -verify-diagnostics -o /dev/null

// One remark a kernel, where its first op stands, with the ops it holds.
func.func @kernels(%x: tensor<4x64xf32>, %r: tensor<4x64xf32>, %w: tensor<64xf32>) -> (tensor<4x64xf32>, tensor<4x32xf32>) {
  // expected-remark @+1 {{[Passed] kernel | Category:mortar-fusion | Function=kernels | Remark="one kernel of residual_add+mulf+rms_norm"}}
  %s = mortar.residual_add %x, %r : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %m = arith.mulf %s, %s : tensor<4x64xf32>
  %n = mortar.rms_norm %m weight(%w) epsilon(1.0e-6) : (tensor<4x64xf32>, tensor<64xf32>) -> tensor<4x64xf32>
  // expected-remark @+1 {{[Passed] kernel | Category:mortar-fusion | Function=kernels | Remark="one kernel of silu_and_mul"}}
  %y = mortar.silu_and_mul %n : (tensor<4x64xf32>) -> tensor<4x32xf32>
  return %n, %y : tensor<4x64xf32>, tensor<4x32xf32>
}

// No kernel, no remark.
func.func @none(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %m = arith.mulf %x, %x : tensor<4x64xf32>
  return %m : tensor<4x64xf32>
}
