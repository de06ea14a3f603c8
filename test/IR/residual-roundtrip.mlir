// RUN: mortar-opt %s -verify-roundtrip | FileCheck %s

// CHECK-LABEL: @residual_add_tensors(
func.func @residual_add_tensors(%x: tensor<?x4096xbf16>, %r: tensor<?x4096xf32>)
    -> (tensor<?x4096xbf16>, tensor<?x4096xf32>) {
  // CHECK: mortar.residual_add %{{.*}}, %{{.*}} : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %rounded = mortar.residual_add %x, %x
    : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  // CHECK: mortar.residual_add %{{.*}}, %{{.*}} : (tensor<?x4096xbf16>, tensor<?x4096xf32>) -> tensor<?x4096xf32>
  %unrounded = mortar.residual_add %x, %r
    : (tensor<?x4096xbf16>, tensor<?x4096xf32>) -> tensor<?x4096xf32>
  return %rounded, %unrounded : tensor<?x4096xbf16>, tensor<?x4096xf32>
}

// CHECK-LABEL: @residual_add_shapes(
func.func @residual_add_shapes(%a: tensor<3x?xf16>, %b: tensor<?x64xf16>, %c: tensor<0x5x7xf32>)
    -> (tensor<3x64xf16>, tensor<0x5x7xf32>) {
  // CHECK: (tensor<3x?xf16>, tensor<?x64xf16>) -> tensor<3x64xf16>
  %0 = mortar.residual_add %a, %b : (tensor<3x?xf16>, tensor<?x64xf16>) -> tensor<3x64xf16>
  // CHECK: (tensor<0x5x7xf32>, tensor<0x5x7xf32>) -> tensor<0x5x7xf32>
  %1 = mortar.residual_add %c, %c : (tensor<0x5x7xf32>, tensor<0x5x7xf32>) -> tensor<0x5x7xf32>
  return %0, %1 : tensor<3x64xf16>, tensor<0x5x7xf32>
}

// CHECK-LABEL: @residual_add_rows(
func.func @residual_add_rows(%x: vector<111xbf16>, %r: vector<111xf16>) -> vector<111xf32> {
  // CHECK: mortar.residual_add %{{.*}}, %{{.*}} : (vector<111xbf16>, vector<111xf16>) -> vector<111xf32>
  %s = mortar.residual_add %x, %r : (vector<111xbf16>, vector<111xf16>) -> vector<111xf32>
  return %s : vector<111xf32>
}
