// RUN: mortar-opt %s --mortar-outline-gaps -split-input-file | FileCheck %s
// A second run changes nothing.
// RUN: mortar-opt %s --mortar-outline-gaps --mortar-outline-gaps -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @layer(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xbf16>, %[[R:[a-z0-9]+]]: tensor<?x64xbf16> {bufferization.writable = true}, %[[W:[a-z0-9]+]]: tensor<64xbf16> {mortar.constant})
// CHECK: %[[G:.*]]:2 = call @layer_gap0(%[[X]], %[[R]], %[[W]])
// CHECK: %[[F:.*]] = call @foreign(%[[G]]#1)
// CHECK: %[[H:.*]] = call @layer_gap1(%[[F]], %[[G]]#0)
// CHECK: return %[[H]]
// The caller may read %x again; the writable residual is read by nobody else; a weight is constant.
// CHECK: func.func @layer_gap0(%[[A:[a-z0-9]+]]: tensor<?x64xbf16>, %{{.*}}: tensor<?x64xbf16> {bufferization.writable = true}, %{{.*}}: tensor<64xbf16> {mortar.constant}) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
// CHECK: %[[D:.*]] = tensor.dim %[[A]]
// CHECK: tensor.empty(%[[D]])
// CHECK: mortar.residual_add
// CHECK-NEXT: mortar.rms_norm
// What comes from foreign ops and other gaps dies here.
// CHECK: func.func @layer_gap1(%{{.*}}: tensor<?x64xbf16> {bufferization.writable = true}, %{{.*}}: tensor<?x64xbf16> {bufferization.writable = true}) -> tensor<?x64xbf16> {
// CHECK: mortar.residual_add
// CHECK-NOT: func.func @{{.*}}gap
func.func private @foreign(tensor<?x64xbf16>) -> tensor<?x64xbf16>
func.func @layer(%x: tensor<?x64xbf16>, %r: tensor<?x64xbf16> {bufferization.writable = true}, %w: tensor<64xbf16> {mortar.constant})
    -> tensor<?x64xbf16> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %e = tensor.empty(%t) : tensor<?x64xbf16>
  %0:2 = mortar.fused ins(%a = row %x, %b = row %r, %c = column %w : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<64xbf16>)
                      outs(row %e, row %e : tensor<?x64xbf16>, tensor<?x64xbf16>) {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    %n = mortar.rms_norm %s weight(%c) epsilon(1.0e-6) : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %s, %n : vector<64xbf16>, vector<64xbf16>
  } -> (tensor<?x64xbf16>, tensor<?x64xbf16>)
  %f = call @foreign(%0#1) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %1 = mortar.fused ins(%a = row %f, %b = row %0#0 : tensor<?x64xbf16>, tensor<?x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %s : vector<64xbf16>
  } -> tensor<?x64xbf16>
  return %1 : tensor<?x64xbf16>
}

// -----

// Without foreign ops there is nothing to cut.
// CHECK-LABEL: func.func @whole(
// CHECK-NOT: call
// CHECK: mortar.fused
// CHECK-NOT: _gap
func.func @whole(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// -----

// A declaration, and a function without regions.
// CHECK-LABEL: func.func private @foreign(
// CHECK-LABEL: func.func @only_foreign(
// CHECK-NEXT: call @foreign
// CHECK-NOT: func.func @only_foreign
func.func private @foreign(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @only_foreign(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %f = call @foreign(%x) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %f : tensor<4x64xbf16>
}

// -----

// A name that is taken: call the right function.
// CHECK-LABEL: func.func @named(
// CHECK: call @[[NAME:named_gap0_.*]](%{{.*}})
// CHECK: func.func @[[NAME]](
// CHECK: mortar.fused
func.func private @named_gap0(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @named(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %f = call @named_gap0(%x) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %f : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// -----

// A view of a result stands before the last region, where the call will be: it moves behind.
// CHECK-LABEL: func.func @view_of_a_result(
// CHECK: %[[F:.*]] = call @foreign
// CHECK: %[[G:.*]]:2 = call @view_of_a_result_gap0(%[[F]])
// CHECK: %[[V:.*]] = tensor.expand_shape %[[G]]#0
// CHECK: %[[U:.*]] = tensor.cast %[[V]]
// CHECK: return %[[U]], %[[G]]#1
// CHECK: func.func @view_of_a_result_gap0(
// CHECK-NOT: tensor.expand_shape
func.func private @foreign(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @view_of_a_result(%x: tensor<4x64xbf16>) -> (tensor<?x2x32xbf16>, tensor<4x64xbf16>) {
  %f = call @foreign(%x) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %f : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %v = tensor.expand_shape %0 [[0], [1, 2]] output_shape [4, 2, 32] : tensor<4x64xbf16> into tensor<4x2x32xbf16>
  %u = tensor.cast %v : tensor<4x2x32xbf16> to tensor<?x2x32xbf16>
  %1 = mortar.fused ins(%a = row %f : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %u, %1 : tensor<?x2x32xbf16>, tensor<4x64xbf16>
}

// -----

// A view of one region's result that the next one reads ends the gap.
// CHECK-LABEL: func.func @view_between_regions(
// CHECK: %[[F:.*]] = call @foreign
// CHECK: %[[G:.*]] = call @view_between_regions_gap0(%[[F]])
// CHECK: %[[V:.*]] = tensor.expand_shape %[[G]]
// CHECK: %[[H:.*]] = call @view_between_regions_gap1(%[[V]])
// CHECK-NEXT: return %[[H]]
// CHECK: func.func @view_between_regions_gap0(%{{.*}}: tensor<?x64xbf16> {bufferization.writable = true}) -> tensor<?x64xbf16>
// CHECK: func.func @view_between_regions_gap1(%{{.*}}: tensor<?x2x32xbf16>) -> tensor<?x2x32xbf16>
// CHECK: tensor.dim %arg0
// CHECK: mortar.fused ins(%{{.*}} = row %arg0
func.func private @foreign(tensor<?x64xbf16>) -> tensor<?x64xbf16>
func.func @view_between_regions(%x: tensor<?x64xbf16>) -> tensor<?x2x32xbf16> {
  %f = call @foreign(%x) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %c0 = arith.constant 0 : index
  %t = tensor.dim %f, %c0 : tensor<?x64xbf16>
  %e = tensor.empty(%t) : tensor<?x64xbf16>
  %0 = mortar.fused ins(%a = row %f : tensor<?x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  %u = tensor.dim %0, %c0 : tensor<?x64xbf16>
  %v = tensor.expand_shape %0 [[0], [1, 2]] output_shape [%u, 2, 32] : tensor<?x64xbf16> into tensor<?x2x32xbf16>
  %e1 = tensor.empty(%u) : tensor<?x2x32xbf16>
  %1 = mortar.fused ins(%a = row %v : tensor<?x2x32xbf16>) outs(row %e1 : tensor<?x2x32xbf16>) {
    mortar.yield %a : vector<32xbf16>
  } -> tensor<?x2x32xbf16>
  return %1 : tensor<?x2x32xbf16>
}

// -----

// A view that the next gap and others read stands between.
// CHECK-LABEL: func.func @view_for_both(
// CHECK: %[[G:.*]] = call @view_for_both_gap0
// CHECK: %[[V:.*]] = tensor.expand_shape %[[G]]
// CHECK: %[[H:.*]] = call @view_for_both_gap1(%[[V]])
// CHECK-NEXT: return %[[V]], %[[H]]
func.func private @foreign(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @view_for_both(%x: tensor<4x64xbf16>) -> (tensor<4x2x32xbf16>, tensor<4x2x32xbf16>) {
  %f = call @foreign(%x) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %f : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %v = tensor.expand_shape %0 [[0], [1, 2]] output_shape [4, 2, 32] : tensor<4x64xbf16> into tensor<4x2x32xbf16>
  %e1 = tensor.empty() : tensor<4x2x32xbf16>
  %1 = mortar.fused ins(%a = row %v : tensor<4x2x32xbf16>) outs(row %e1 : tensor<4x2x32xbf16>) {
    mortar.yield %a : vector<32xbf16>
  } -> tensor<4x2x32xbf16>
  return %v, %1 : tensor<4x2x32xbf16>, tensor<4x2x32xbf16>
}

// -----

// A size of a result is that of its destination, on either side of the call.
// CHECK-LABEL: func.func @size_of_a_result(
// CHECK: %[[T:.*]] = tensor.dim %[[X:.*]], %{{.*}} : tensor<?x64xbf16>
// CHECK: %[[G:.*]]:2 = call @size_of_a_result_gap0(%{{[0-9a-z]+}}) :
// CHECK: return %[[G]]#0, %[[G]]#1, %[[T]] : tensor<?x64xbf16>, tensor<?x64xbf16>, index
func.func private @foreign(tensor<?x64xbf16>) -> tensor<?x64xbf16>
func.func @size_of_a_result(%x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>, index) {
  %f = call @foreign(%x) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %e = tensor.empty(%t) : tensor<?x64xbf16>
  %0 = mortar.fused ins(%a = row %f : tensor<?x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  %n = tensor.dim %0, %c0 : tensor<?x64xbf16>
  %e1 = tensor.empty(%n) : tensor<?x64xbf16>
  %1 = mortar.fused ins(%a = row %f : tensor<?x64xbf16>) outs(row %e1 : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  return %0, %1, %n : tensor<?x64xbf16>, tensor<?x64xbf16>, index
}

// -----

// Nothing is writable that is read later, be it through a view or through an op that may
// hand it on; nor what the function says it may not write; nor a constant.
// CHECK-LABEL: func.func @read_later_gap0(
// CHECK-NOT: writable
// CHECK: return
func.func private @foreign(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @read_later(%p: tensor<4x64xbf16> {bufferization.writable = false},
                      %q: tensor<4x64xbf16> {bufferization.writable = true},
                      %r: tensor<4x64xbf16> {bufferization.writable = true},
                      %s: tensor<4x64xbf16> {bufferization.writable = true})
    -> (tensor<4x64xbf16>, tensor<2x2x64xbf16>, tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %f = call @foreign(%r) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %k = arith.constant dense<1.0> : tensor<4x64xbf16>
  %v = tensor.expand_shape %q [[0, 1], [2]] output_shape [2, 2, 64] : tensor<4x64xbf16> into tensor<2x2x64xbf16>
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %p, %b = row %q, %c = row %r, %d = row %s, %g = row %k
                        : tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<4x64xbf16>)
                    outs(row %e : tensor<4x64xbf16>) {
    %t = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    %u = mortar.residual_add %t, %c : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    %w = mortar.residual_add %u, %d : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    %z = mortar.residual_add %w, %g : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %z : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0, %v, %f, %s : tensor<4x64xbf16>, tensor<2x2x64xbf16>, tensor<4x64xbf16>, tensor<4x64xbf16>
}

// -----

// A matmul's operand may die although its product lives; its destination lives on in the product.
// CHECK-LABEL: func.func @operand_and_destination_gap0(
// CHECK-SAME: %{{.*}}: tensor<4x4xf32> {bufferization.writable = true}, %{{.*}}: tensor<4x4xf32>)
func.func @operand_and_destination(%p: tensor<4x4xf32> {bufferization.writable = true},
                                   %q: tensor<4x4xf32> {bufferization.writable = true})
    -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %m = linalg.matmul ins(%p, %p : tensor<4x4xf32>, tensor<4x4xf32>) outs(%q : tensor<4x4xf32>) -> tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %0 = mortar.fused ins(%a = row %p, %b = row %q : tensor<4x4xf32>, tensor<4x4xf32>) outs(row %e : tensor<4x4xf32>) {
    %t = mortar.residual_add %a, %b : (vector<4xf32>, vector<4xf32>) -> vector<4xf32>
    mortar.yield %t : vector<4xf32>
  } -> tensor<4x4xf32>
  return %0, %m : tensor<4x4xf32>, tensor<4x4xf32>
}

// -----

// The same result twice, and a loop as the foreign op that reads it.
// CHECK-LABEL: func.func @twice_and_in_a_loop(
// CHECK: %[[G:.*]] = call @twice_and_in_a_loop_gap0
// CHECK: scf.for
// CHECK: func.call @use(%[[G]])
// CHECK: return %[[G]], %[[G]]
func.func private @use(tensor<4x64xbf16>)
func.func @twice_and_in_a_loop(%x: tensor<4x64xbf16>, %n: index) -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  scf.for %i = %c0 to %n step %c1 {
    func.call @use(%0) : (tensor<4x64xbf16>) -> ()
  }
  return %0, %0 : tensor<4x64xbf16>, tensor<4x64xbf16>
}

// -----

// The size of a dimension that isn't there is legal IR and is left as it is.
// CHECK-LABEL: func.func @no_such_dimension(
// CHECK: call @no_such_dimension_gap0
// CHECK: tensor.dim
func.func private @foreign_op(tensor<?x64xbf16>) -> tensor<?x64xbf16>
func.func @no_such_dimension(%x: tensor<?x64xbf16>, %n: index) -> index {
  %f = call @foreign_op(%x) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %c7 = arith.constant 7 : index
  %e = tensor.empty(%n) : tensor<?x64xbf16>
  %0 = mortar.fused ins(%a = row %f : tensor<?x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  %d = tensor.dim %0, %c7 : tensor<?x64xbf16>
  %g = call @foreign_op(%0) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  return %d : index
}
