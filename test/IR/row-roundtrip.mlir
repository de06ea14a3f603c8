// RUN: mortar-opt %s -verify-roundtrip | FileCheck %s
// RUN: mortar-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: @row_reduce(
func.func @row_reduce(%x: vector<4096xf32>) -> (f32, f32, vector<32xf32>, vector<1xf32>) {
  // CHECK: mortar.row_reduce <sum> %{{.*}} : vector<4096xf32> -> f32
  %sum = mortar.row_reduce <sum> %x : vector<4096xf32> -> f32
  // CHECK: mortar.row_reduce <max> %{{.*}} : vector<4096xf32> -> f32
  %max = mortar.row_reduce <max> %x : vector<4096xf32> -> f32
  // CHECK: mortar.row_reduce <max> %{{.*}} : vector<4096xf32> -> vector<32xf32>
  %groups = mortar.row_reduce <max> %x : vector<4096xf32> -> vector<32xf32>
  // CHECK: mortar.row_reduce <sum> %{{.*}} : vector<4096xf32> -> vector<1xf32>
  %one = mortar.row_reduce <sum> %x : vector<4096xf32> -> vector<1xf32>
  return %sum, %max, %groups, %one : f32, f32, vector<32xf32>, vector<1xf32>
}

// CHECK-LABEL: @row_broadcast(
func.func @row_broadcast(%s: f32, %g: vector<32xbf16>, %i: i32)
    -> (vector<4096xf32>, vector<4096xbf16>, vector<3xi32>) {
  // CHECK: mortar.row_broadcast %{{.*}} : f32 -> vector<4096xf32>
  %scalar = mortar.row_broadcast %s : f32 -> vector<4096xf32>
  // CHECK: mortar.row_broadcast %{{.*}} : vector<32xbf16> -> vector<4096xbf16>
  %groups = mortar.row_broadcast %g : vector<32xbf16> -> vector<4096xbf16>
  // CHECK: mortar.row_broadcast %{{.*}} : i32 -> vector<3xi32>
  %integer = mortar.row_broadcast %i : i32 -> vector<3xi32>
  return %scalar, %groups, %integer : vector<4096xf32>, vector<4096xbf16>, vector<3xi32>
}

// CHECK-LABEL: @row_half(
func.func @row_half(%x: vector<14xbf16>) -> (vector<7xbf16>, vector<7xbf16>) {
  // CHECK: mortar.row_half <first> %{{.*}} : vector<14xbf16> -> vector<7xbf16>
  %gate = mortar.row_half <first> %x : vector<14xbf16> -> vector<7xbf16>
  // CHECK: mortar.row_half <second> %{{.*}} : vector<14xbf16> -> vector<7xbf16>
  %up = mortar.row_half <second> %x : vector<14xbf16> -> vector<7xbf16>
  // CHECK: mortar.row_half <even> %{{.*}} : vector<14xbf16> -> vector<7xbf16>
  %even = mortar.row_half <even> %x : vector<14xbf16> -> vector<7xbf16>
  // CHECK: mortar.row_half <odd> %{{.*}} : vector<14xbf16> -> vector<7xbf16>
  %odd = mortar.row_half <odd> %x : vector<14xbf16> -> vector<7xbf16>
  return %gate, %up : vector<7xbf16>, vector<7xbf16>
}

// CHECK-LABEL: @row_prefix(
func.func @row_prefix(%x: vector<8xf32>) -> vector<8xf32> {
  // CHECK: mortar.row_prefix %{{.*}} length(3) fill(-0.000000e+00) : vector<8xf32>
  %y = mortar.row_prefix %x length(3) fill(-0.0) : vector<8xf32>
  return %y : vector<8xf32>
}

// A broadcast constant is a splat; a vector of groups is not.
// FOLD-LABEL: @row_broadcast_constant(
func.func @row_broadcast_constant() -> (vector<8xf32>, vector<8xf32>) {
  // FOLD-DAG: arith.constant dense<1.500000e+00> : vector<8xf32>
  // FOLD-DAG: %[[GROUPS:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]> : vector<2xf32>
  // FOLD: mortar.row_broadcast %[[GROUPS]] : vector<2xf32> -> vector<8xf32>
  // FOLD-NOT: mortar.row_broadcast
  %scalar = arith.constant 1.5 : f32
  %groups = arith.constant dense<[1.0, 2.0]> : vector<2xf32>
  %0 = mortar.row_broadcast %scalar : f32 -> vector<8xf32>
  %1 = mortar.row_broadcast %groups : vector<2xf32> -> vector<8xf32>
  return %0, %1 : vector<8xf32>, vector<8xf32>
}

// A weight of one head, for each.
// CHECK-LABEL: @row_repeat(
// FOLD-LABEL: @row_repeat(
func.func @row_repeat(%x: vector<8xbf16>) -> (vector<32xbf16>, vector<32xbf16>) {
  // CHECK: mortar.row_repeat %{{.*}} : vector<8xbf16> -> vector<32xbf16>
  // FOLD: arith.constant dense<5.000000e-01> : vector<32xbf16>
  %0 = mortar.row_repeat %x : vector<8xbf16> -> vector<32xbf16>
  %half = arith.constant dense<0.5> : vector<8xbf16>
  %1 = mortar.row_repeat %half : vector<8xbf16> -> vector<32xbf16>
  return %0, %1 : vector<32xbf16>, vector<32xbf16>
}
