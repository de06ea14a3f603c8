// RUN: mortar-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @dead_result(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x64xbf16>, %[[R:[a-z0-9]+]]: tensor<4x64xbf16>
func.func @dead_result(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e0 = tensor.empty() : tensor<4x64xbf16>
  %e1 = tensor.empty() : tensor<4x64xf32>
  // CHECK: %[[Y:.*]] = mortar.fused ins(%[[A:.*]] = row %[[X]], %[[B:.*]] = row %[[R]] :
  // CHECK-SAME: outs(row %{{.*}} : tensor<4x64xbf16>) {
  // CHECK-NEXT: %[[S:.*]] = mortar.residual_add %[[A]], %[[B]]
  // CHECK-NEXT: mortar.yield %[[S]] : vector<64xbf16>
  // CHECK-NEXT: } -> tensor<4x64xbf16>
  // CHECK-NEXT: return %[[Y]]
  %0:2 = mortar.fused ins(%a = row %x, %b = row %r : tensor<4x64xbf16>, tensor<4x64xbf16>)
                      outs(row %e1, row %e0 : tensor<4x64xf32>, tensor<4x64xbf16>) {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    %n = mortar.rms_norm %s epsilon(1.0e-6) : (vector<64xbf16>) -> vector<64xf32>
    mortar.yield %n, %s : vector<64xf32>, vector<64xbf16>
  } -> (tensor<4x64xf32>, tensor<4x64xbf16>)
  return %0#1 : tensor<4x64xbf16>
}

// CHECK-LABEL: @dead_region(
func.func @dead_region(%x: tensor<4x64xbf16>) {
  // CHECK-NOT: mortar.fused
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return
}

// CHECK-LABEL: @doubled_input(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x64xbf16>)
func.func @doubled_input(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused ins(%[[A:.*]] = row %[[X]] : tensor<4x64xbf16>) outs
  // CHECK-NEXT: mortar.residual_add %[[A]], %[[A]]
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x, %b = row %x : tensor<4x64xbf16>, tensor<4x64xbf16>)
                    outs(row %e : tensor<4x64xbf16>) {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %s : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// One value as a row and as a column are two inputs.
// CHECK-LABEL: @doubled_input_of_other_map(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<64xbf16>)
func.func @doubled_input_of_other_map(%x: tensor<64xbf16>) -> tensor<64xbf16> {
  // CHECK: mortar.fused ins(%[[A:.*]] = row %[[X]], %[[B:.*]] = column %[[X]] : tensor<64xbf16>, tensor<64xbf16>) outs
  // CHECK-NEXT: mortar.residual_add %[[A]], %[[B]]
  %e = tensor.empty() : tensor<64xbf16>
  %0 = mortar.fused ins(%a = row %x, %b = column %x : tensor<64xbf16>, tensor<64xbf16>)
                    outs(row %e : tensor<64xbf16>) {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %s : vector<64xbf16>
  } -> tensor<64xbf16>
  return %0 : tensor<64xbf16>
}

// Label and attributes stay where an input goes.
// CHECK-LABEL: @unread_input(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x64xbf16>, %[[UNREAD:[a-z0-9]+]]: tensor<64xbf16>)
func.func @unread_input(%x: tensor<4x64xbf16>, %w: tensor<64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused ins(%[[A:.*]] = row %[[X]] : tensor<4x64xbf16>) outs(row %{{.*}} : tensor<4x64xbf16>)
  // CHECK-SAME: attributes {label = "kept", some.attribute} {
  // CHECK-NEXT: mortar.yield %[[A]]
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%b = column %w, %a = row %x : tensor<64xbf16>, tensor<4x64xbf16>)
                    outs(row %e : tensor<4x64xbf16>) attributes {label = "kept", some.attribute} {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// On memrefs the destinations are effects: nothing is dead.
// CHECK-LABEL: @memrefs(
func.func @memrefs(%x: memref<4x64xbf16>, %y: memref<4x64xbf16>) {
  // CHECK: mortar.fused ins(%{{.*}} = row %{{.*}} : memref<4x64xbf16>) outs(row %{{.*}} : memref<4x64xbf16>) {
  mortar.fused ins(%a = row %x : memref<4x64xbf16>) outs(row %y : memref<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  }
  return
}

// An input is read by row through a view that keeps rows; a weight isn't.
// CHECK-LABEL: @read_through_views(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x64xbf16>, %[[W:[a-z0-9]+]]: tensor<1x64xbf16>)
func.func @read_through_views(%x: tensor<2x3x64xbf16>, %w: tensor<1x64xbf16>) -> tensor<6x64xbf16> {
  // CHECK: %[[WEIGHT:.*]] = tensor.collapse_shape %[[W]]
  // CHECK: mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = column %[[WEIGHT]] : tensor<2x3x64xbf16>, tensor<64xbf16>)
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x3x64xbf16> into tensor<6x64xbf16>
  %weight = tensor.collapse_shape %w [[0, 1]] : tensor<1x64xbf16> into tensor<64xbf16>
  %e = tensor.empty() : tensor<6x64xbf16>
  %0 = mortar.fused ins(%a = row %flat, %b = column %weight : tensor<6x64xbf16>, tensor<64xbf16>)
                    outs(row %e : tensor<6x64xbf16>) {
    %n = mortar.rms_norm %a weight(%b) epsilon(1.0e-6) : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %n : vector<64xbf16>
  } -> tensor<6x64xbf16>
  return %0 : tensor<6x64xbf16>
}

// The columns of a row are no rows.
// CHECK-LABEL: @read_through_no_split(
func.func @read_through_no_split(%x: tensor<?x128xbf16>, %n: index) -> tensor<?x2x64xbf16> {
  // CHECK: %[[SPLIT:.*]] = tensor.expand_shape
  // CHECK: mortar.fused ins(%{{.*}} = row %[[SPLIT]] : tensor<?x2x64xbf16>)
  %split = tensor.expand_shape %x [[0], [1, 2]] output_shape [%n, 2, 64] : tensor<?x128xbf16> into tensor<?x2x64xbf16>
  %e = tensor.empty(%n) : tensor<?x2x64xbf16>
  %0 = mortar.fused ins(%a = row %split : tensor<?x2x64xbf16>) outs(row %e : tensor<?x2x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x2x64xbf16>
  return %0 : tensor<?x2x64xbf16>
}

// A view that is a result's only reader becomes the result.
// CHECK-LABEL: @absorb_collapse(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x3x64xbf16>, %[[N:.*]]: index
func.func @absorb_collapse(%x: tensor<?x3x64xbf16>, %n: index) -> tensor<?x64xbf16> {
  // CHECK: %[[ROWS:.*]] = arith.muli %[[N]], %{{.*}} : index
  // CHECK: %[[E:.*]] = tensor.empty(%[[ROWS]]) : tensor<?x64xbf16>
  // CHECK: %[[Y:.*]] = mortar.fused ins(%{{.*}} = row %[[X]] : tensor<?x3x64xbf16>) outs(row %[[E]] : tensor<?x64xbf16>)
  // CHECK: return %[[Y]]
  %e = tensor.empty(%n) : tensor<?x3x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<?x3x64xbf16>) outs(row %e : tensor<?x3x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x3x64xbf16>
  %flat = tensor.collapse_shape %0 [[0, 1], [2]] : tensor<?x3x64xbf16> into tensor<?x64xbf16>
  return %flat : tensor<?x64xbf16>
}

// The sizes that a view is given may be computed after the region.
// CHECK-LABEL: @absorb_expand(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xbf16>)
func.func @absorb_expand(%x: tensor<?x64xbf16>) -> tensor<?x3x64xbf16> {
  // CHECK: %[[HEADS:.*]] = arith.divui
  // CHECK: %[[E:.*]] = tensor.empty(%[[HEADS]]) : tensor<?x3x64xbf16>
  // CHECK: %[[Y:.*]] = mortar.fused ins(%{{.*}} = row %[[X]] : tensor<?x64xbf16>) outs(row %[[E]] : tensor<?x3x64xbf16>)
  // CHECK: return %[[Y]]
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %n = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %e = tensor.empty(%n) : tensor<?x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<?x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  %rows = tensor.dim %0, %c0 : tensor<?x64xbf16>
  %heads = arith.divui %rows, %c3 : index
  %split = tensor.expand_shape %0 [[0, 1], [2]] output_shape [%heads, 3, 64]
    : tensor<?x64xbf16> into tensor<?x3x64xbf16>
  return %split : tensor<?x3x64xbf16>
}

// A cast to a clearer type is the result's; one to a vaguer type stays behind it.
// CHECK-LABEL: @absorb_cast(
func.func @absorb_cast(%x: tensor<?x64xbf16>, %n: index) -> tensor<4x64xbf16> {
  // CHECK: %[[Y:.*]] = mortar.fused {{.*}} outs(row %{{.*}} : tensor<4x64xbf16>)
  // CHECK: return %[[Y]]
  %e = tensor.empty(%n) : tensor<?x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<?x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  %cast = tensor.cast %0 : tensor<?x64xbf16> to tensor<4x64xbf16>
  return %cast : tensor<4x64xbf16>
}

// CHECK-LABEL: @absorb_no_vague_cast(
func.func @absorb_no_vague_cast(%x: tensor<4x64xbf16>) -> tensor<?x64xbf16> {
  // CHECK: outs(row %{{.*}} : tensor<4x64xbf16>)
  // CHECK: %[[CAST:.*]] = tensor.cast
  // CHECK: return %[[CAST]]
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %cast = tensor.cast %0 : tensor<4x64xbf16> to tensor<?x64xbf16>
  return %cast : tensor<?x64xbf16>
}

// The caller's buffer is seen through the same view.
// CHECK-LABEL: @absorb_into_destination(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<6x64xbf16>, %[[D:[a-z0-9]+]]: tensor<6x64xbf16>)
func.func @absorb_into_destination(%x: tensor<6x64xbf16>, %d: tensor<6x64xbf16>) -> tensor<2x3x64xbf16> {
  // CHECK: %[[E:.*]] = tensor.expand_shape %[[D]]
  // CHECK: mortar.fused ins({{.*}}) outs(row %[[E]] : tensor<2x3x64xbf16>)
  %0 = mortar.fused ins(%a = row %x : tensor<6x64xbf16>) outs(row %d : tensor<6x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<6x64xbf16>
  %split = tensor.expand_shape %0 [[0, 1], [2]] output_shape [2, 3, 64] : tensor<6x64xbf16> into tensor<2x3x64xbf16>
  return %split : tensor<2x3x64xbf16>
}

// CHECK-LABEL: @absorb_not_with_other_readers(
func.func @absorb_not_with_other_readers(%x: tensor<6x64xbf16>) -> (tensor<2x3x64xbf16>, tensor<6x64xbf16>) {
  // CHECK: outs(row %{{.*}} : tensor<6x64xbf16>)
  // CHECK: tensor.expand_shape
  %e = tensor.empty() : tensor<6x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<6x64xbf16>) outs(row %e : tensor<6x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<6x64xbf16>
  %split = tensor.expand_shape %0 [[0, 1], [2]] output_shape [2, 3, 64] : tensor<6x64xbf16> into tensor<2x3x64xbf16>
  return %split, %0 : tensor<2x3x64xbf16>, tensor<6x64xbf16>
}

// CHECK-LABEL: @absorb_no_split_of_rows(
func.func @absorb_no_split_of_rows(%x: tensor<6x64xbf16>) -> tensor<6x2x32xbf16> {
  // CHECK: outs(row %{{.*}} : tensor<6x64xbf16>)
  // CHECK: tensor.expand_shape
  %e = tensor.empty() : tensor<6x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<6x64xbf16>) outs(row %e : tensor<6x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<6x64xbf16>
  %split = tensor.expand_shape %0 [[0], [1, 2]] output_shape [6, 2, 32] : tensor<6x64xbf16> into tensor<6x2x32xbf16>
  return %split : tensor<6x2x32xbf16>
}
