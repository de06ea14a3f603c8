// RUN: mortar-opt %s --mortar-fuse-rows --mortar-assign-destinations --one-shot-bufferize --canonicalize | FileCheck %s

// A chain needs no buffer but its caller's, and copies nothing.
// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x64xbf16, strided<[?, 1], offset: ?>>, %[[R:[a-z0-9]+]]: memref<?x64xbf16, strided<[?, 1], offset: ?>>, %[[W:[a-z0-9]+]]: memref<64xbf16, strided<[1], offset: ?>>, %[[N:[a-z0-9]+]]: memref<?x64xbf16, {{.*}}> {mortar.output, mortar.result = 0 : i64}, %[[S:[a-z0-9]+]]: memref<?x64xbf16, {{.*}}> {mortar.output, mortar.result = 1 : i64})
// CHECK-NEXT: mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[R]], %{{.*}} = column %[[W]] :
// CHECK-SAME: outs(row %[[S]], row %[[N]] :
// CHECK-NEXT: mortar.residual_add
// CHECK-NEXT: mortar.rms_norm
// CHECK-NEXT: mortar.yield
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @chain(%x: tensor<?x64xbf16>, %r: tensor<?x64xbf16>, %w: tensor<64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %s = mortar.residual_add %x, %r : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<?x64xbf16>, tensor<64xbf16>) -> tensor<?x64xbf16>
  return %n, %s : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// In place, too.
// CHECK-LABEL: func.func @in_place(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<{{.*}}>, %[[R:[a-z0-9]+]]: memref<{{.*}}> {mortar.result = 1 : i64}, %[[N:[a-z0-9]+]]: memref<{{.*}}> {mortar.output, mortar.result = 0 : i64})
// CHECK-NEXT: mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[R]] : {{.*}}) outs(row %[[R]], row %[[N]] :
// CHECK-NEXT: mortar.residual_add
// CHECK-NEXT: mortar.rms_norm
// CHECK-NEXT: mortar.yield
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @in_place(%x: tensor<?x64xbf16>, %r: tensor<?x64xbf16> {bufferization.writable = true}) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %s = mortar.residual_add %x, %r : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  return %n, %s : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// Where a chain is cut, one temporary goes from kernel to kernel.
// CHECK-LABEL: func.func @two_kernels(
// CHECK-COUNT-1: memref.alloc
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: return
func.func @two_kernels(%x: tensor<4x128xbf16>) -> tensor<4x64xbf16> {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x128xbf16>) -> tensor<4x128xbf16>
  %y = mortar.silu_and_mul %n : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// Three kernels, as where a norm must stay apart: what lies between the first two is the one temporary.
// CHECK-LABEL: func.func @three_kernels(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<{{.*}}>, %[[R:[a-z0-9]+]]: memref<{{.*}}> {mortar.result = 1 : i64}, %[[W:[a-z0-9]+]]: memref<{{.*}}>, %[[N:[a-z0-9]+]]: memref<{{.*}}> {mortar.output, mortar.result = 0 : i64})
// CHECK: %[[T:.*]] = memref.alloc
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: mortar.fused ins(%{{.*}} = row %[[X]], {{.*}} outs(row %[[T]] :
// CHECK: mortar.fused ins(%{{.*}} = row %[[T]], %{{.*}} = row %[[R]] : {{.*}} outs(row %[[R]] :
// CHECK: mortar.fused ins(%{{.*}} = row %[[R]], {{.*}} outs(row %[[N]] :
// CHECK-NOT: memref.copy
// CHECK: return
func.func @three_kernels(%x: tensor<?x64xbf16>, %r: tensor<?x64xbf16> {bufferization.writable = true}, %w: tensor<64xf32>)
    -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %p = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) weight_offset(1) : (tensor<?x64xbf16>, tensor<64xf32>) -> tensor<?x64xbf16>
  %s = mortar.residual_add %p, %r : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) weight_offset(1) : (tensor<?x64xbf16>, tensor<64xf32>) -> tensor<?x64xbf16>
  return %n, %s : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// A view of the input and one of the result cost nothing.
// CHECK-LABEL: func.func @views(
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: mortar.fused ins(%{{.*}} = row %{{.*}} : memref<?x8x128xbf16, {{.*}}>) outs(row %{{.*}} : memref<?x128xbf16, {{.*}}>)
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: return
func.func @views(%x: tensor<?x8x128xbf16>) -> tensor<?x128xbf16> {
  %s = mortar.residual_add %x, %x : (tensor<?x8x128xbf16>, tensor<?x8x128xbf16>) -> tensor<?x8x128xbf16>
  %v = tensor.collapse_shape %s [[0, 1], [2]] : tensor<?x8x128xbf16> into tensor<?x128xbf16>
  return %v : tensor<?x128xbf16>
}

// A destination is written whole: where it can't be the one asked for, nothing is copied from that.
// CHECK-LABEL: func.func @destination_is_not_read(
// CHECK-COUNT-2: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: return
func.func @destination_is_not_read(%x: tensor<4x64xbf16>, %r: tensor<4x64xf32>, %c: tensor<4x64xbf16>) -> tensor<4x64xf32> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) attributes {keep.apart} {
    %s = mortar.residual_add %a, %a : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %s : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %1 = mortar.fused ins(%a = row %c : tensor<4x64xbf16>) outs(row %0 : tensor<4x64xbf16>) attributes {keep.apart} {
    %s = mortar.residual_add %a, %a : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %s : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %f = tensor.empty() : tensor<4x64xf32>
  %2 = mortar.fused ins(%a = row %0, %b = row %1 : tensor<4x64xbf16>, tensor<4x64xbf16>) outs(row %f : tensor<4x64xf32>) attributes {keep.apart} {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xf32>
    mortar.yield %s : vector<64xf32>
  } -> tensor<4x64xf32>
  return %2 : tensor<4x64xf32>
}

// The label goes along.
// CHECK-LABEL: func.func @attributes(
// CHECK: mortar.fused ins({{.*}}) outs({{.*}}) attributes {label = "kept"}
func.func @attributes(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) attributes {label = "kept"} {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}
