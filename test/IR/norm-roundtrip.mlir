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

// CHECK-LABEL: @rms_norm_variance_size(
func.func @rms_norm_variance_size(%x: tensor<?x64xbf16>, %w: tensor<64xbf16>, %r: vector<7xf32>) {
  // CHECK: mortar.rms_norm %{{.*}} epsilon(5.000000e-01) variance_size(16) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %0 = mortar.rms_norm %x epsilon(0.5) variance_size(16) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  // CHECK: epsilon(5.000000e-01) variance_size(64) weight_offset(1) inner(bf16) :
  %1 = mortar.rms_norm %x weight(%w) epsilon(0.5) variance_size(64) weight_offset(1) inner(bf16)
    : (tensor<?x64xbf16>, tensor<64xbf16>) -> tensor<?x64xbf16>
  // CHECK: variance_size(1) : (vector<7xf32>) -> vector<7xf32>
  %2 = mortar.rms_norm %r epsilon(0.5) variance_size(1) : (vector<7xf32>) -> vector<7xf32>
  return
}

// Defaults aren't printed; swish stays as it is written.
// CHECK-LABEL: @gated_rms_norm(
func.func @gated_rms_norm(%x: tensor<?x64xbf16>, %z: tensor<?x64xf32>, %w: tensor<64xbf16>, %b: tensor<64xf16>,
                          %xr: vector<8xf32>, %zr: vector<8xf32>, %wr: vector<8xf32>) {
  // CHECK: mortar.gated_rms_norm %{{.*}} gate(%{{.*}}) weight(%{{.*}}) epsilon(5.000000e-01) : (tensor<?x64xbf16>, tensor<?x64xf32>, tensor<64xbf16>) -> tensor<?x64xf16>
  %0 = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(0.5) activation(silu) norm_before_gate(true) weight_offset(0)
    : (tensor<?x64xbf16>, tensor<?x64xf32>, tensor<64xbf16>) -> tensor<?x64xf16>
  // CHECK: bias(%{{.*}}) epsilon(5.000000e-01) activation(sigmoid) group_size(16) weight_offset(1) inner(bf16) weighted(f16) :
  %1 = mortar.gated_rms_norm %x gate(%z) weight(%w) bias(%b) epsilon(0.5) activation(sigmoid) group_size(16)
    weight_offset(1) inner(bf16) weighted(f16)
    : (tensor<?x64xbf16>, tensor<?x64xf32>, tensor<64xbf16>, tensor<64xf16>) -> tensor<?x64xf16>
  // CHECK: epsilon(5.000000e-01) activation(swish) norm_before_gate(false) group_size(64) : (tensor
  // CHECK: epsilon(5.000000e-01) activation(swish) : (vector<8xf32>
  %2 = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(0.5) activation(swish) norm_before_gate(false) group_size(64)
    : (tensor<?x64xbf16>, tensor<?x64xf32>, tensor<64xbf16>) -> tensor<?x64xf16>
  %3 = mortar.gated_rms_norm %xr gate(%zr) weight(%wr) epsilon(0.5) activation(swish)
    : (vector<8xf32>, vector<8xf32>, vector<8xf32>) -> vector<8xf32>
  return
}
