// RUN: mortar-opt %s --canonicalize | FileCheck %s

// Nobody in the body reads an index: the recurrence does. Other inputs go when they are unread.
// CHECK-LABEL: @unread_inputs(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x2x8xf32>, %[[V:[a-z0-9]+]]: tensor<?x4x5xf32>, %[[I:[a-z0-9]+]]: tensor<?x3xi32>, %[[B:[a-z0-9]+]]: tensor<?xi32>, %[[N:[a-z0-9]+]]: tensor<?xi32>, %[[P:[a-z0-9]+]]: tensor<?x4x5x8xf32>)
func.func @unread_inputs(%q: tensor<?x2x8xf32>, %v: tensor<?x4x5xf32>, %slots: tensor<?x3xi32>, %bounds: tensor<?xi32>,
                         %accepted: tensor<?xi32>, %pool: tensor<?x4x5x8xf32>) -> tensor<?x4x5x8xf32> {
  // CHECK: mortar.fused recurrence ins(%[[A:.*]] = value_row %[[V]], %{{.*}} = slots %[[I]], %{{.*}} = bounds %[[B]], %{{.*}} = accepted %[[N]] : {{.*}}) outs(%[[S:.*]] = state %[[P]] :
  // CHECK-NEXT: %[[M:.*]] = mortar.state_broadcast <values> %[[A]]
  // CHECK-NEXT: %[[T:.*]] = arith.addf %[[S]], %[[M]]
  // CHECK-NEXT: mortar.yield %[[T]]
  %0 = mortar.fused recurrence
      ins(%k = key_row %q, %a = value_row %v, %i = slots %slots, %b = bounds %bounds, %n = accepted %accepted
          : tensor<?x2x8xf32>, tensor<?x4x5xf32>, tensor<?x3xi32>, tensor<?xi32>, tensor<?xi32>)
      outs(%s = state %pool : tensor<?x4x5x8xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<5xf32> -> vector<5x8xf32>
    %t = arith.addf %s, %m : vector<5x8xf32>
    mortar.yield %t : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return %0 : tensor<?x4x5x8xf32>
}

// The pool is changed whether or not its result is read; another destination that is unread
// goes, and with it what it is computed from.
// CHECK-LABEL: @unread_results(
// CHECK-SAME: %[[V:[a-z0-9]+]]: tensor<?x4x5xf32>, %[[I:[a-z0-9]+]]: tensor<?xi32>, %[[P:[a-z0-9]+]]: tensor<?x4x5x8xf32>, %[[E:[a-z0-9]+]]: tensor<?x4x5xf32>)
func.func @unread_results(%v: tensor<?x4x5xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x5x8xf32>, %e: tensor<?x4x5xf32>) -> tensor<?x4x5xf32> {
  // CHECK: %[[Y:.*]]:2 = mortar.fused recurrence ins(%[[A:.*]] = value_row %[[V]], %{{.*}} = slots %[[I]] : {{.*}}) outs(%[[S:.*]] = state %[[P]], value_row %[[E]] :
  // CHECK-SAME: attributes {label = "kept", some.attribute}
  // CHECK-NEXT: %[[R:.*]] = mortar.state_reduce %[[S]]
  // CHECK-NEXT: %[[M:.*]] = mortar.state_broadcast <values> %[[A]]
  // CHECK-NEXT: mortar.yield %[[M]], %[[R]] : vector<5x8xf32>, vector<5xf32>
  // CHECK: return %[[Y]]#1
  %0:3 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(value_row %e, %s = state %pool, value_row %e : tensor<?x4x5xf32>, tensor<?x4x5x8xf32>, tensor<?x4x5xf32>)
      attributes {label = "kept", some.attribute} {
    %d = arith.mulf %a, %a : vector<5xf32>
    %r = mortar.state_reduce %s : vector<5x8xf32> -> vector<5xf32>
    %m = mortar.state_broadcast <values> %a : vector<5xf32> -> vector<5x8xf32>
    mortar.yield %d, %m, %r : vector<5xf32>, vector<5x8xf32>, vector<5xf32>
  } -> (tensor<?x4x5xf32>, tensor<?x4x5x8xf32>, tensor<?x4x5xf32>)
  return %0#2 : tensor<?x4x5xf32>
}

// On tensors nothing is changed that nobody reads.
// CHECK-LABEL: @unread_region(
func.func @unread_region(%v: tensor<?x4x5xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x5x8xf32>) {
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %0:2 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %pool, value_row %v : tensor<?x4x5x8xf32>, tensor<?x4x5xf32>) {
    %r = mortar.state_reduce %s : vector<5x8xf32> -> vector<5xf32>
    mortar.yield %s, %r : vector<5x8xf32>, vector<5xf32>
  } -> (tensor<?x4x5x8xf32>, tensor<?x4x5xf32>)
  return
}

// In memory it is.
// CHECK-LABEL: @memory(
func.func @memory(%v: memref<?x4x5xf32>, %slots: memref<?xi32>, %pool: memref<?x4x5x8xf32>) {
  // CHECK: mortar.fused recurrence ins(%{{.*}} = value_row %{{.*}}, %{{.*}} = slots
  mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : memref<?x4x5xf32>, memref<?xi32>)
      outs(%s = state %pool : memref<?x4x5x8xf32>) {
    %t = arith.addf %s, %s : vector<5x8xf32>
    mortar.yield %t : vector<5x8xf32>
  }
  return
}

// One value by one map is one input; by another map it isn't: with as many keys as values
// query and value may be one tensor. Nor are slots what bounds are.
// CHECK-LABEL: @doubled_inputs(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4x8xf32>, %[[I:[a-z0-9]+]]: tensor<?xi32>, %[[P:[a-z0-9]+]]: tensor<?x4x8x8xf32>)
func.func @doubled_inputs(%x: tensor<?x4x8xf32>, %i: tensor<?xi32>, %pool: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  // CHECK: mortar.fused recurrence ins(%[[A:.*]] = key_row %[[X]], %[[C:.*]] = value_row %[[X]], %{{.*}} = slots %[[I]], %{{.*}} = bounds %[[I]] : tensor<?x4x8xf32>, tensor<?x4x8xf32>, tensor<?xi32>, tensor<?xi32>)
  // CHECK-NEXT: %[[K:.*]] = arith.addf %[[A]], %[[A]]
  // CHECK-NEXT: mortar.state_broadcast <keys> %[[K]]
  // CHECK-NEXT: mortar.state_broadcast <values> %[[C]]
  %0 = mortar.fused recurrence
      ins(%a = key_row %x, %b = key_row %x, %c = value_row %x, %s = slots %i, %d = bounds %i
          : tensor<?x4x8xf32>, tensor<?x4x8xf32>, tensor<?x4x8xf32>, tensor<?xi32>, tensor<?xi32>)
      outs(%t = state %pool : tensor<?x4x8x8xf32>) {
    %k = arith.addf %a, %b : vector<8xf32>
    %m = mortar.state_broadcast <keys> %k : vector<8xf32> -> vector<8x8xf32>
    %n = mortar.state_broadcast <values> %c : vector<8xf32> -> vector<8x8xf32>
    %u = math.fma %m, %n, %t : vector<8x8xf32>
    mortar.yield %u : vector<8x8xf32>
  } -> tensor<?x4x8x8xf32>
  return %0 : tensor<?x4x8x8xf32>
}

// A state goes from region to region.
// CHECK-LABEL: @two_regions(
func.func @two_regions(%x: tensor<?x4x8xf32>, %i: tensor<?xi32>, %pool: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  // CHECK: %[[ONE:.*]] = mortar.fused recurrence {{.*}} outs(%{{.*}} = state %{{.*}} :
  // CHECK: mortar.fused recurrence {{.*}} outs(%{{.*}} = state %[[ONE]] :
  %0 = mortar.fused recurrence ins(%c = value_row %x, %s = slots %i : tensor<?x4x8xf32>, tensor<?xi32>)
      outs(%t = state %pool : tensor<?x4x8x8xf32>) {
    %n = mortar.state_broadcast <values> %c : vector<8xf32> -> vector<8x8xf32>
    mortar.yield %n : vector<8x8xf32>
  } -> tensor<?x4x8x8xf32>
  %1 = mortar.fused recurrence ins(%c = value_row %x, %s = slots %i : tensor<?x4x8xf32>, tensor<?xi32>)
      outs(%t = state %0 : tensor<?x4x8x8xf32>) {
    %n = mortar.state_broadcast <values> %c : vector<8xf32> -> vector<8x8xf32>
    %u = arith.addf %n, %t : vector<8x8xf32>
    mortar.yield %u : vector<8x8xf32>
  } -> tensor<?x4x8x8xf32>
  return %1 : tensor<?x4x8x8xf32>
}

// A view may not change which dimensions are tokens, and which heads: neither those of inputs
// are looked through, nor do those of results move into the region. Casts go, as everywhere.
// CHECK-LABEL: @views(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x3x4x8xf32>,
func.func @views(%x: tensor<2x3x4x8xf32>, %i: tensor<?xi32>, %pool: tensor<?x4x8x8xf32>, %e: tensor<?x4x8xf32>)
    -> (tensor<?x32xf32>, tensor<?x4x8x8xf32>) {
  // CHECK: %[[F:.*]] = tensor.collapse_shape %[[X]]
  // CHECK: %[[Y:.*]]:2 = mortar.fused recurrence ins(%{{.*}} = value_row %[[F]], %{{.*}} = slots
  // CHECK-SAME: outs(value_row %{{.*}}, %{{.*}} = state %{{.*}} : tensor<?x4x8xf32>, tensor<?x4x8x8xf32>)
  // CHECK: %[[R:.*]] = tensor.collapse_shape %[[Y]]#0
  // CHECK: return %[[R]], %[[Y]]#1
  %f = tensor.collapse_shape %x [[0, 1], [2], [3]] : tensor<2x3x4x8xf32> into tensor<6x4x8xf32>
  %d = tensor.cast %f : tensor<6x4x8xf32> to tensor<?x4x8xf32>
  %0:2 = mortar.fused recurrence ins(%c = value_row %d, %s = slots %i : tensor<?x4x8xf32>, tensor<?xi32>)
      outs(value_row %e, %t = state %pool : tensor<?x4x8xf32>, tensor<?x4x8x8xf32>) {
    %n = mortar.state_broadcast <values> %c : vector<8xf32> -> vector<8x8xf32>
    %u = arith.addf %c, %c : vector<8xf32>
    mortar.yield %u, %n : vector<8xf32>, vector<8x8xf32>
  } -> (tensor<?x4x8xf32>, tensor<?x4x8x8xf32>)
  %r = tensor.collapse_shape %0#0 [[0], [1, 2]] : tensor<?x4x8xf32> into tensor<?x32xf32>
  return %r, %0#1 : tensor<?x32xf32>, tensor<?x4x8x8xf32>
}

// An unread result stays if it alone has tokens.
// CHECK-LABEL: @tokens_of_the_result(
func.func @tokens_of_the_result(%pool: tensor<5x4x16x8xf32>, %slots: tensor<3xi32>) -> tensor<5x4x16x8xf32> {
  // CHECK: mortar.fused recurrence ins(%{{.*}} = slots %{{.*}}) outs(value_row %{{.*}}, %{{.*}} = state %{{.*}}) {
  %e = tensor.empty() : tensor<3x4x16xf32>
  %o, %new = mortar.fused recurrence ins(%i = slots %slots : tensor<3xi32>)
      outs(value_row %e, %s = state %pool : tensor<3x4x16xf32>, tensor<5x4x16x8xf32>) {
    %t = arith.addf %s, %s : vector<16x8xf32>
    %r = mortar.state_reduce %t : vector<16x8xf32> -> vector<16xf32>
    mortar.yield %r, %t : vector<16xf32>, vector<16x8xf32>
  } -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>)
  return %new : tensor<5x4x16x8xf32>
}
