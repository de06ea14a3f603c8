// RUN: mortar-opt %s -verify-roundtrip | FileCheck %s
// RUN: mortar-opt %s --emit-bytecode | mortar-opt | FileCheck %s
// RUN: mortar-opt %s --mlir-print-op-generic | mortar-opt | FileCheck %s

// CHECK-LABEL: @all_maps(
func.func @all_maps(%x: tensor<?x64xbf16>, %w: tensor<64xf32>, %s: tensor<?x1xf32>, %t: tensor<1xf32>,
                    %e0: tensor<?x64xbf16>, %e1: tensor<?x1xf32>) -> (tensor<?x64xbf16>, tensor<?x1xf32>) {
  // CHECK: %{{.*}}:2 = mortar.fused ins(%[[ROW:row]] = row %{{.*}}, %[[COLUMN:column]] = column %{{.*}}, %[[ROW_SCALAR:row_scalar]] = row_scalar %{{.*}}, %[[SCALAR:scalar]] = scalar %{{.*}} : tensor<?x64xbf16>, tensor<64xf32>, tensor<?x1xf32>, tensor<1xf32>)
  // CHECK-SAME: outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x64xbf16>, tensor<?x1xf32>) {
  %0:2 = mortar.fused ins(%a = row %x, %b = column %w, %c = row_scalar %s, %d = scalar %t
                          : tensor<?x64xbf16>, tensor<64xf32>, tensor<?x1xf32>, tensor<1xf32>)
                      outs(row %e0, row_scalar %e1 : tensor<?x64xbf16>, tensor<?x1xf32>) {
    // CHECK: mortar.rms_norm %[[ROW]] weight(%[[COLUMN]])
    %n = mortar.rms_norm %a weight(%b) epsilon(1.0e-6) : (vector<64xbf16>, vector<64xf32>) -> vector<64xbf16>
    // CHECK: arith.addf %[[ROW_SCALAR]], %[[SCALAR]] : f32
    %m = arith.addf %c, %d : f32
    // CHECK: mortar.yield %{{.*}}, %{{.*}} : vector<64xbf16>, f32
    mortar.yield %n, %m : vector<64xbf16>, f32
  // CHECK: } -> (tensor<?x64xbf16>, tensor<?x1xf32>)
  } -> (tensor<?x64xbf16>, tensor<?x1xf32>)
  return %0#0, %0#1 : tensor<?x64xbf16>, tensor<?x1xf32>
}

// CHECK-LABEL: @memrefs(
func.func @memrefs(%x: memref<?x64xbf16, strided<[?, 1], offset: ?>>, %y: memref<?x64xbf16>) {
  // CHECK: mortar.fused ins(%{{.*}} = row %{{.*}} : memref<?x64xbf16, strided<[?, 1], offset: ?>>) outs(row %{{.*}} : memref<?x64xbf16>) {
  mortar.fused ins(%a = row %x : memref<?x64xbf16, strided<[?, 1], offset: ?>>)
               outs(row %y : memref<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  // CHECK: }{{$}}
  }
  return
}

// CHECK-LABEL: @attributes(
func.func @attributes(%x: tensor<64xbf16>) -> (tensor<64xbf16>, tensor<64xbf16>) {
  // CHECK: mortar.fused ins(%{{.*}} = row %{{.*}} : tensor<64xbf16>) outs(row %{{.*}} : tensor<64xbf16>) {
  %0 = mortar.fused ins(%a = row %x : tensor<64xbf16>) outs(row %x : tensor<64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<64xbf16>
  // CHECK: outs(row %{{.*}} : tensor<64xbf16>) attributes {label = "copy", some.attribute} {
  %1 = mortar.fused ins(%a = row %x : tensor<64xbf16>) outs(row %x : tensor<64xbf16>)
      attributes {label = "copy", some.attribute} {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<64xbf16>
  return %0, %1 : tensor<64xbf16>, tensor<64xbf16>
}

// Operands of different rank are views of the same rows; a region may read nothing.
// CHECK-LABEL: @ranks(
func.func @ranks(%x: tensor<2x3x64xbf16>, %e: tensor<6x64xbf16>) -> (tensor<6x64xbf16>, tensor<6x64xbf16>) {
  // CHECK: ins(%{{.*}} = row %{{.*}} : tensor<2x3x64xbf16>) outs(row %{{.*}} : tensor<6x64xbf16>)
  %0 = mortar.fused ins(%a = row %x : tensor<2x3x64xbf16>) outs(row %e : tensor<6x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<6x64xbf16>
  // CHECK: mortar.fused outs(row %{{.*}} : tensor<6x64xbf16>) {
  %1 = mortar.fused outs(row %e : tensor<6x64xbf16>) {
    %c = arith.constant dense<1.0> : vector<64xbf16>
    mortar.yield %c : vector<64xbf16>
  } -> tensor<6x64xbf16>
  return %0, %1 : tensor<6x64xbf16>, tensor<6x64xbf16>
}

// CHECK-LABEL: @fused_group_scalar(
func.func @fused_group_scalar(%x: tensor<?x64xf32>, %s: tensor<?x8xf32>, %e: tensor<?x64xf8E4M3FN>, %c: tensor<?x8xf8E8M0FNU>)
    -> (tensor<?x64xf8E4M3FN>, tensor<?x8xf8E8M0FNU>) {
  // CHECK: mortar.fused ins(%{{.*}} = row %{{.*}}, %[[S:group_scalar]] = group_scalar %{{.*}} : tensor<?x64xf32>, tensor<?x8xf32>)
  // CHECK-SAME: outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x64xf8E4M3FN>, tensor<?x8xf8E8M0FNU>) {
  // CHECK: mortar.row_broadcast %[[S]] : vector<8xf32> -> vector<64xf32>
  %0:2 = mortar.fused ins(%a = row %x, %g = group_scalar %s : tensor<?x64xf32>, tensor<?x8xf32>)
                      outs(row %e, group_scalar %c : tensor<?x64xf8E4M3FN>, tensor<?x8xf8E8M0FNU>) {
    %b = mortar.row_broadcast %g : vector<8xf32> -> vector<64xf32>
    %m = arith.mulf %a, %b : vector<64xf32>
    %q, %t = mortar.quantize_dynamic %m group_size(8) ue8m0
      : (vector<64xf32>) -> (vector<64xf8E4M3FN>, vector<8xf8E8M0FNU>)
    mortar.yield %q, %t : vector<64xf8E4M3FN>, vector<8xf8E8M0FNU>
  } -> (tensor<?x64xf8E4M3FN>, tensor<?x8xf8E8M0FNU>)
  return %0#0, %0#1 : tensor<?x64xf8E4M3FN>, tensor<?x8xf8E8M0FNU>
}

// A row in two dimensions.
// CHECK-LABEL: @heads(
func.func @heads(%x: tensor<?x4x32xf32>, %e: tensor<?x128xf32>) -> tensor<?x128xf32> {
  // CHECK: mortar.fused ins(%[[ROW:.*]] = heads %{{.*}} : tensor<?x4x32xf32>) outs(row %{{.*}} : tensor<?x128xf32>) {
  // CHECK-NEXT: mortar.yield %[[ROW]] : vector<128xf32>
  %y = mortar.fused ins(%a = heads %x : tensor<?x4x32xf32>) outs(row %e : tensor<?x128xf32>) {
    mortar.yield %a : vector<128xf32>
  } -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}
