// REQUIRES: ptxas
// Nothing is spilled, in any variant, on any chip.
// RUN: mortar-compile %s --target=sm_90 --ptxas-info --quiet -o %t 2>&1 | FileCheck %s
// RUN: mortar-compile %s --target=sm_80 --ptxas-info --quiet -o %t 2>&1 | FileCheck %s
// RUN: mortar-compile %s --target=sm_100 --ptxas-info --quiet -o %t 2>&1 | FileCheck %s

// CHECK-NOT: {{[1-9][0-9]*}} bytes spill
// CHECK: 0 bytes spill stores
// CHECK-NOT: {{[1-9][0-9]*}} bytes spill

func.func @long_rows(%x: tensor<?x16384xbf16>, %r: tensor<?x16384xbf16>,
                     %w: tensor<16384xbf16> {mortar.constant})
    -> (tensor<?x16384xbf16>, tensor<?x16384xbf16>) {
  %s = mortar.residual_add %x, %r : (tensor<?x16384xbf16>, tensor<?x16384xbf16>) -> tensor<?x16384xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<?x16384xbf16>, tensor<16384xbf16>) -> tensor<?x16384xbf16>
  return %n, %s : tensor<?x16384xbf16>, tensor<?x16384xbf16>
}
func.func @f32_rows(%x: tensor<?x8192xf32>, %r: tensor<?x8192xf32>, %w: tensor<8192xf32>)
    -> (tensor<?x8192xf32>, tensor<?x8192xf32>) {
  %s = mortar.residual_add %x, %r : (tensor<?x8192xf32>, tensor<?x8192xf32>) -> tensor<?x8192xf32>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<?x8192xf32>, tensor<8192xf32>) -> tensor<?x8192xf32>
  return %n, %s : tensor<?x8192xf32>, tensor<?x8192xf32>
}
