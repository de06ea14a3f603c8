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
