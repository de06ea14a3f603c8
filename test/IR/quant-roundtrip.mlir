// RUN: mortar-opt %s -verify-roundtrip | FileCheck %s

// CHECK-LABEL: @quantize(
func.func @quantize(%x: tensor<?x64xbf16>, %s: tensor<1xf32>, %r: vector<7xf32>, %t: f32) {
  // CHECK: mortar.quantize %{{.*}} scale(%{{.*}}) : (tensor<?x64xbf16>, tensor<1xf32>) -> tensor<?x64xf8E4M3FN>
  %0 = mortar.quantize %x scale(%s) : (tensor<?x64xbf16>, tensor<1xf32>) -> tensor<?x64xf8E4M3FN>
  // CHECK: mortar.quantize %{{.*}} scale(%{{.*}}) : (vector<7xf32>, f32) -> vector<7xf8E4M3FN>
  %1 = mortar.quantize %r scale(%t) : (vector<7xf32>, f32) -> vector<7xf8E4M3FN>
  return
}

// CHECK-LABEL: @quantize_dynamic_per_row(
func.func @quantize_dynamic_per_row(%x: tensor<?x3x64xbf16>, %u: tensor<1xf32>, %r: vector<7xf16>, %v: f32) {
  // CHECK: %{{.*}}, %{{.*}} = mortar.quantize_dynamic %{{.*}} : (tensor<?x3x64xbf16>) -> (tensor<?x3x64xf8E4M3FN>, tensor<?x3x1xf32>)
  %0:2 = mortar.quantize_dynamic %x : (tensor<?x3x64xbf16>) -> (tensor<?x3x64xf8E4M3FN>, tensor<?x3x1xf32>)
  // CHECK: mortar.quantize_dynamic %{{.*}} upper_bound(%{{.*}}) : (tensor<?x3x64xbf16>, tensor<1xf32>) ->
  %1:2 = mortar.quantize_dynamic %x upper_bound(%u)
    : (tensor<?x3x64xbf16>, tensor<1xf32>) -> (tensor<?x3x64xf8E4M3FN>, tensor<?x3x1xf32>)
  // CHECK: mortar.quantize_dynamic %{{.*}} : (tensor<?x3x64xbf16>) -> (tensor<?x3x64xi8>, tensor<?x3x1xf32>)
  %2:2 = mortar.quantize_dynamic %x : (tensor<?x3x64xbf16>) -> (tensor<?x3x64xi8>, tensor<?x3x1xf32>)
  // CHECK: mortar.quantize_dynamic %{{.*}} upper_bound(%{{.*}}) : (vector<7xf16>, f32) -> (vector<7xf8E4M3FN>, f32)
  %3:2 = mortar.quantize_dynamic %r upper_bound(%v) : (vector<7xf16>, f32) -> (vector<7xf8E4M3FN>, f32)
  return
}

// CHECK-LABEL: @quantize_dynamic_per_group(
func.func @quantize_dynamic_per_group(%x: tensor<?x64xbf16>, %d: tensor<?x?xf32>, %r: vector<8xf16>) {
  // CHECK: mortar.quantize_dynamic %{{.*}} group_size(16) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x4xf32>)
  %0:2 = mortar.quantize_dynamic %x group_size(16) : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x4xf32>)
  // CHECK: mortar.quantize_dynamic %{{.*}} group_size(16) ue8m0 : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x4xf8E8M0FNU>)
  %1:2 = mortar.quantize_dynamic %x group_size(16) ue8m0 : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x4xf8E8M0FNU>)
  // One group is one value a row, and dynamic rows have dynamically many groups.
  // CHECK: group_size(64) ue8m0 : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x1xf32>)
  %2:2 = mortar.quantize_dynamic %x group_size(64) ue8m0 : (tensor<?x64xbf16>) -> (tensor<?x64xf8E4M3FN>, tensor<?x1xf32>)
  // CHECK: group_size(16) : (tensor<?x?xf32>) -> (tensor<?x?xi8>, tensor<?x?xf32>)
  %3:2 = mortar.quantize_dynamic %d group_size(16) : (tensor<?x?xf32>) -> (tensor<?x?xi8>, tensor<?x?xf32>)
  // CHECK: group_size(4) : (vector<8xf16>) -> (vector<8xi8>, vector<2xf32>)
  %4:2 = mortar.quantize_dynamic %r group_size(4) : (vector<8xf16>) -> (vector<8xi8>, vector<2xf32>)
  // CHECK: group_size(8) ue8m0 : (vector<8xf16>) -> (vector<8xf8E4M3FN>, f8E8M0FNU)
  %5:2 = mortar.quantize_dynamic %r group_size(8) ue8m0 : (vector<8xf16>) -> (vector<8xf8E4M3FN>, f8E8M0FNU)
  return
}
