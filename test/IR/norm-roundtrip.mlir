// RUN: mortar-opt %s -verify-roundtrip | FileCheck %s

// CHECK-LABEL: @rms_norm_tensors(
func.func @rms_norm_tensors(%x: tensor<?x4096xbf16>, %w: tensor<4096xbf16>)
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  // CHECK: mortar.rms_norm %{{.*}} epsilon(9.99999997E-7) : (tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %plain = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  // CHECK: mortar.rms_norm %{{.*}} weight(%{{.*}}) epsilon(9.99999997E-7) : (
  %weighted = mortar.rms_norm %x weight(%w) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  // CHECK: mortar.rms_norm %{{.*}} weight(%{{.*}}) epsilon(5.000000e-01) weight_offset(1) inner(bf16) : (
  %all = mortar.rms_norm %x weight(%w) epsilon(0.5) weight_offset(1) inner(bf16)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %plain, %weighted, %all : tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xbf16>
}

// Input, weight and result may each have a type of their own.
// CHECK-LABEL: @rms_norm_mixed_types(
func.func @rms_norm_mixed_types(%x: tensor<?x?x128xf16>, %w: tensor<128xf32>) -> tensor<?x?x128xbf16> {
  // CHECK: inner(f32) : (tensor<?x?x128xf16>, tensor<128xf32>) -> tensor<?x?x128xbf16>
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) inner(f32)
    : (tensor<?x?x128xf16>, tensor<128xf32>) -> tensor<?x?x128xbf16>
  return %y : tensor<?x?x128xbf16>
}

// Static and dynamic sizes are compatible shapes, also of the row.
// CHECK-LABEL: @rms_norm_dynamic(
func.func @rms_norm_dynamic(%x: tensor<?x?xbf16>, %w: tensor<64xbf16>) -> tensor<3x64xbf16> {
  // CHECK: : (tensor<?x?xbf16>, tensor<64xbf16>) -> tensor<3x64xbf16>
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6)
    : (tensor<?x?xbf16>, tensor<64xbf16>) -> tensor<3x64xbf16>
  return %y : tensor<3x64xbf16>
}

// CHECK-LABEL: @rms_norm_rows(
func.func @rms_norm_rows(%x: vector<7xbf16>, %w: vector<7xf32>) -> (vector<7xf32>, vector<7xbf16>) {
  // CHECK: mortar.rms_norm %{{.*}} epsilon({{.*}}) : (vector<7xbf16>) -> vector<7xf32>
  %plain = mortar.rms_norm %x epsilon(1.0e-6) : (vector<7xbf16>) -> vector<7xf32>
  // CHECK: weight_offset(1) inner(f16) : (vector<7xbf16>, vector<7xf32>) -> vector<7xbf16>
  %all = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) weight_offset(1) inner(f16)
    : (vector<7xbf16>, vector<7xf32>) -> vector<7xbf16>
  return %plain, %all : vector<7xf32>, vector<7xbf16>
}

// CHECK-LABEL: @rms_norm_one_row(
func.func @rms_norm_one_row(%x: tensor<1xf32>) -> tensor<1xf32> {
  // CHECK: mortar.rms_norm {{.*}} {some.attribute} : (tensor<1xf32>) -> tensor<1xf32>
  %y = mortar.rms_norm %x epsilon(1.0e-6) {some.attribute} : (tensor<1xf32>) -> tensor<1xf32>
  return %y : tensor<1xf32>
}
