// RUN: mortar-opt %s -verify-roundtrip | FileCheck %s

// CHECK-LABEL: @silu_and_mul_tensors(
func.func @silu_and_mul_tensors(%x: tensor<?x28672xbf16>)
    -> (tensor<?x14336xbf16>, tensor<?x14336xbf16>, tensor<?x14336xf32>) {
  // CHECK: mortar.silu_and_mul %{{.*}} : (tensor<?x28672xbf16>) -> tensor<?x14336xbf16>
  %plain = mortar.silu_and_mul %x : (tensor<?x28672xbf16>) -> tensor<?x14336xbf16>
  // CHECK: mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (
  %limit = mortar.silu_and_mul %x limit(10.0) : (tensor<?x28672xbf16>) -> tensor<?x14336xbf16>
  // CHECK: mortar.silu_and_mul %{{.*}} limit(0x7F800000) inner(bf16) : (tensor<?x28672xbf16>) -> tensor<?x14336xf32>
  %all = mortar.silu_and_mul %x limit(0x7F800000) inner(bf16)
    : (tensor<?x28672xbf16>) -> tensor<?x14336xf32>
  return %plain, %limit, %all
    : tensor<?x14336xbf16>, tensor<?x14336xbf16>, tensor<?x14336xf32>
}

// CHECK-LABEL: @silu_and_mul_shapes(
func.func @silu_and_mul_shapes(%a: tensor<2x3x?xf16>, %b: tensor<2xf32>)
    -> (tensor<2x3x?xf16>, tensor<1xf32>) {
  // CHECK: (tensor<2x3x?xf16>) -> tensor<2x3x?xf16>
  %0 = mortar.silu_and_mul %a : (tensor<2x3x?xf16>) -> tensor<2x3x?xf16>
  // CHECK: (tensor<2xf32>) -> tensor<1xf32>
  %1 = mortar.silu_and_mul %b : (tensor<2xf32>) -> tensor<1xf32>
  return %0, %1 : tensor<2x3x?xf16>, tensor<1xf32>
}

// CHECK-LABEL: @silu_and_mul_rows(
func.func @silu_and_mul_rows(%x: vector<14xf16>) -> (vector<7xf16>, vector<7xbf16>) {
  // CHECK: mortar.silu_and_mul %{{.*}} : (vector<14xf16>) -> vector<7xf16>
  %plain = mortar.silu_and_mul %x : (vector<14xf16>) -> vector<7xf16>
  // CHECK: mortar.silu_and_mul %{{.*}} limit(7.000000e+00) inner(f32) : (vector<14xf16>) -> vector<7xbf16>
  %all = mortar.silu_and_mul %x limit(7.0) inner(f32) : (vector<14xf16>) -> vector<7xbf16>
  return %plain, %all : vector<7xf16>, vector<7xbf16>
}

// CHECK-LABEL: @mul_and_silu(
func.func @mul_and_silu(%x: tensor<?x16xbf16>, %r: vector<14xf16>) {
  // CHECK: mortar.mul_and_silu %{{.*}} : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %0 = mortar.mul_and_silu %x : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.mul_and_silu %{{.*}} inner(bf16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %1 = mortar.mul_and_silu %x inner(bf16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.mul_and_silu %{{.*}} inner(bf16) : (vector<14xf16>) -> vector<7xbf16>
  %row = mortar.mul_and_silu %r inner(bf16) : (vector<14xf16>) -> vector<7xbf16>
  return
}

// A default isn't printed.
// CHECK-LABEL: @gelu_and_mul(
func.func @gelu_and_mul(%x: tensor<?x16xbf16>, %r: vector<14xf16>) {
  // CHECK: mortar.gelu_and_mul %{{.*}} : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %0 = mortar.gelu_and_mul %x approximate(none) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.gelu_and_mul %{{.*}} approximate(tanh) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %1 = mortar.gelu_and_mul %x approximate(tanh) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.gelu_and_mul %{{.*}} inner(f16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %2 = mortar.gelu_and_mul %x inner(f16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.gelu_and_mul %{{.*}} approximate(tanh) inner(bf16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %3 = mortar.gelu_and_mul %x approximate(tanh) inner(bf16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.gelu_and_mul %{{.*}} approximate(tanh) inner(bf16) : (vector<14xf16>) -> vector<7xbf16>
  %row = mortar.gelu_and_mul %r approximate(tanh) inner(bf16) : (vector<14xf16>) -> vector<7xbf16>
  return
}

// CHECK-LABEL: @swigluoai_and_mul(
func.func @swigluoai_and_mul(%x: tensor<?x16xbf16>, %r: vector<14xf16>) {
  // CHECK: mortar.swigluoai_and_mul %{{.*}} : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %0 = mortar.swigluoai_and_mul %x alpha(1.702) limit(7.0) layout(interleaved) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.swigluoai_and_mul %{{.*}} alpha(5.000000e-01) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %1 = mortar.swigluoai_and_mul %x alpha(0.5) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.swigluoai_and_mul %{{.*}} limit(0x7F800000) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %2 = mortar.swigluoai_and_mul %x limit(0x7F800000) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.swigluoai_and_mul %{{.*}} layout(halves) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %3 = mortar.swigluoai_and_mul %x layout(halves) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.swigluoai_and_mul %{{.*}} alpha(5.000000e-01) limit(2.000000e+00) layout(halves) inner(bf16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %4 = mortar.swigluoai_and_mul %x alpha(0.5) limit(2.0) layout(halves) inner(bf16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.swigluoai_and_mul %{{.*}} alpha(5.000000e-01) limit(2.000000e+00) layout(halves) inner(bf16) : (vector<14xf16>) -> vector<7xbf16>
  %row = mortar.swigluoai_and_mul %r alpha(0.5) limit(2.0) layout(halves) inner(bf16) : (vector<14xf16>) -> vector<7xbf16>
  return
}

// CHECK-LABEL: @swiglustep_and_mul(
func.func @swiglustep_and_mul(%x: tensor<?x16xbf16>, %r: vector<14xf16>) {
  // CHECK: mortar.swiglustep_and_mul %{{.*}} : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %0 = mortar.swiglustep_and_mul %x limit(7.0) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.swiglustep_and_mul %{{.*}} limit(1.000000e+01) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %1 = mortar.swiglustep_and_mul %x limit(10.0) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.swiglustep_and_mul %{{.*}} limit(1.000000e+01) inner(bf16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %2 = mortar.swiglustep_and_mul %x limit(10.0) inner(bf16) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.swiglustep_and_mul %{{.*}} limit(1.000000e+01) inner(bf16) : (vector<14xf16>) -> vector<7xbf16>
  %row = mortar.swiglustep_and_mul %r limit(10.0) inner(bf16) : (vector<14xf16>) -> vector<7xbf16>
  return
}

// CHECK-LABEL: @fatrelu_and_mul(
func.func @fatrelu_and_mul(%x: tensor<?x16xbf16>, %r: vector<14xf16>) {
  // CHECK: mortar.fatrelu_and_mul %{{.*}} threshold(0.000000e+00) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %0 = mortar.fatrelu_and_mul %x threshold(0.0) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.fatrelu_and_mul %{{.*}} threshold(-1.000000e+00) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  %1 = mortar.fatrelu_and_mul %x threshold(-1.0) : (tensor<?x16xbf16>) -> tensor<?x8xf32>
  // CHECK: mortar.fatrelu_and_mul %{{.*}} threshold(-1.000000e+00) : (vector<14xf16>) -> vector<7xbf16>
  %row = mortar.fatrelu_and_mul %r threshold(-1.0) : (vector<14xf16>) -> vector<7xbf16>
  return
}
