// RUN: mortar-opt %s --mortar-assign-destinations -split-input-file -verify-diagnostics | FileCheck %s
// RUN: mortar-opt %s --mortar-bufferize -split-input-file -verify-diagnostics | FileCheck %s --check-prefix=BUFFER --implicit-check-not=memref.alloc --implicit-check-not=memref.copy

// A pool is updated where it lies, whether or not it is marked writable: the result is the
// argument, and has no output of its own.
// CHECK-LABEL: func.func @in_place(
// CHECK-SAME: %[[V:[a-z0-9]+]]: memref<?x4x6xf32, strided<[?, ?, 1], offset: ?>>, %[[I:[a-z0-9]+]]: memref<?xi32, strided<[1], offset: ?>>, %[[P:[a-z0-9]+]]: memref<?x4x6x8xbf16, strided<[?, ?, ?, 1], offset: ?>> {mortar.result = 1 : i64}, %[[O:[a-z0-9]+]]: memref<?x4x6xf32, strided<[?, ?, 1], offset: ?>> {mortar.output, mortar.result = 0 : i64})
// CHECK: %[[PT:.*]] = bufferization.to_tensor %[[P]] restrict writable
// CHECK: %[[Y:.*]]:2 = mortar.fused recurrence {{.*}} outs(value_row %{{.*}}, %{{.*}} = state %[[PT]] :
// CHECK: bufferization.materialize_in_destination %[[Y]]#1 in writable %[[P]]
// CHECK-LABEL: func.func private @in_place.shapes(
// CHECK-SAME: -> index
// BUFFER-LABEL: func.func @in_place(
// BUFFER-SAME: %[[P:[a-z0-9]+]]: memref<?x4x6x8xbf16, {{[^>]*>}}> {mortar.result = 1 : i64}, %[[O:[a-z0-9]+]]: memref
// BUFFER: mortar.fused recurrence {{.*}} outs(value_row %[[O]], %{{.*}} = state %[[P]] :
func.func @in_place(%v: tensor<?x4x6xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x6x8xbf16>) -> (tensor<?x4x6xf32>, tensor<?x4x6x8xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %v, %c0 : tensor<?x4x6xf32>
  %e = tensor.empty(%t) : tensor<?x4x6xf32>
  %0:2 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>)
      outs(value_row %e, %s = state %pool : tensor<?x4x6xf32>, tensor<?x4x6x8xbf16>) {
    %r = mortar.state_reduce %s : vector<6x8xf32> -> vector<6xf32>
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x8xf32>
    mortar.yield %r, %m : vector<6xf32>, vector<6x8xf32>
  } -> (tensor<?x4x6xf32>, tensor<?x4x6x8xbf16>)
  return %0#0, %0#1 : tensor<?x4x6xf32>, tensor<?x4x6x8xbf16>
}

// -----

// Two rules in a row on one pool, which nobody reads in between; a size of the pool may be
// asked for at any time.
// CHECK-LABEL: func.func @one_behind_the_other(
// CHECK-SAME: %[[P:[a-z0-9]+]]: memref<?x4x6x6xf32, strided<[?, ?, ?, 1], offset: ?>> {mortar.result = 0 : i64})
// CHECK: %[[PT:.*]] = bufferization.to_tensor %[[P]] restrict writable
// CHECK: %[[ONE:.*]] = mortar.fused recurrence {{.*}} outs(%{{.*}} = state %[[PT]] :
// CHECK: %[[TWO:.*]] = mortar.fused recurrence {{.*}} outs(%{{.*}} = state %[[ONE]] :
// CHECK: bufferization.materialize_in_destination %[[TWO]] in writable %[[P]]
// BUFFER-LABEL: func.func @one_behind_the_other(
// BUFFER-SAME: %[[P:[a-z0-9]+]]: memref<?x4x6x6xf32, {{[^>]*>}}> {mortar.result = 0 : i64})
// BUFFER: mortar.fused recurrence {{.*}} outs(%{{.*}} = state %[[P]] :
// BUFFER: mortar.fused recurrence {{.*}} outs(%{{.*}} = state %[[P]] :
func.func @one_behind_the_other(%v: tensor<?x4x6xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x6x6xf32>) -> tensor<?x4x6x6xf32> {
  %0 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>)
      outs(%s = state %pool : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    %n = arith.addf %s, %m : vector<6x6xf32>
    mortar.yield %n : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  %1 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>)
      outs(%s = state %0 : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    %n = arith.mulf %s, %m : vector<6x6xf32>
    mortar.yield %n : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  return %1 : tensor<?x4x6x6xf32>
}

// -----

// Two pools, each in its place; the order of results is the function's.
// CHECK-LABEL: func.func @two_pools(
// CHECK-SAME: memref<?x4x6x6xf32, strided<[?, ?, ?, 1], offset: ?>> {mortar.result = 1 : i64}, %{{.*}}: memref<?x4x6x6xf32, strided<[?, ?, ?, 1], offset: ?>> {mortar.result = 0 : i64})
// BUFFER-LABEL: func.func @two_pools(
// BUFFER-SAME: %[[P:[a-z0-9]+]]: memref<?x4x6x6xf32, {{[^>]*>}}> {mortar.result = 1 : i64}, %[[R:[a-z0-9]+]]: memref<?x4x6x6xf32, {{[^>]*>}}> {mortar.result = 0 : i64})
// BUFFER: outs(%{{.*}} = state %[[P]] :
// BUFFER: outs(%{{.*}} = state %[[R]] :
func.func @two_pools(%v: tensor<?x4x6xf32>, %slots: tensor<?xi32>, %p: tensor<?x4x6x6xf32>, %r: tensor<?x4x6x6xf32>) -> (tensor<?x4x6x6xf32>, tensor<?x4x6x6xf32>) {
  %0 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>) outs(%s = state %p : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  %1 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>) outs(%s = state %r : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <keys> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  return %1, %0 : tensor<?x4x6x6xf32>, tensor<?x4x6x6xf32>
}

// -----

// The old pool is a result, too: it would have to be copied.
func.func @returns_the_old_pool(%v: tensor<?x4x6xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x6x6xf32>) -> (tensor<?x4x6x6xf32>, tensor<?x4x6x6xf32>) {
  // expected-error @+1 {{expected the new state to take the place of the old one, but the old one is read afterwards}}
  %0 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>) outs(%s = state %pool : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  return %0, %pool : tensor<?x4x6x6xf32>, tensor<?x4x6x6xf32>
}

// -----

// Both begin with the pool as it was.
func.func @two_readers(%v: tensor<?x4x6xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x6x6xf32>) -> (tensor<?x4x6x6xf32>, tensor<?x4x6x6xf32>) {
  // expected-error @+1 {{expected the new state to take the place of the old one, but the old one is read afterwards}}
  %0 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>) outs(%s = state %pool : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  %1 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>) outs(%s = state %pool : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <keys> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  return %0, %1 : tensor<?x4x6x6xf32>, tensor<?x4x6x6xf32>
}

// -----

// The first's pool is returned, and changed by the second.
func.func @returned_in_between(%v: tensor<?x4x6xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x6x6xf32>) -> (tensor<?x4x6x6xf32>, tensor<?x4x6x6xf32>) {
  %0 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>) outs(%s = state %pool : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  // expected-error @+1 {{expected the new state to take the place of the old one, but the old one is read afterwards}}
  %1 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>) outs(%s = state %0 : tensor<?x4x6x6xf32>) {
    %m = mortar.state_broadcast <keys> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<?x4x6x6xf32>
  return %0, %1 : tensor<?x4x6x6xf32>, tensor<?x4x6x6xf32>
}

// -----

// One slot's tokens would read, as values, what others write.
func.func @pool_as_values(%slots: tensor<3xi32>, %pool: tensor<3x6x6x6xf32>) -> tensor<3x6x6x6xf32> {
  // expected-error @+1 {{expected the new state to take the place of the old one, but the region reads the old one as an input, too}}
  %0 = mortar.fused recurrence ins(%a = value_row %pool, %i = slots %slots : tensor<3x6x6x6xf32>, tensor<3xi32>) outs(%s = state %pool : tensor<3x6x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<3x6x6x6xf32>
  return %0 : tensor<3x6x6x6xf32>
}

// -----

func.func @pool_of_no_argument(%v: tensor<3x4x6xf32>, %slots: tensor<3xi32>) -> tensor<9x4x6x6xf32> {
  %pool = tensor.empty() : tensor<9x4x6x6xf32>
  // expected-error @+1 {{in place of the argument that holds the old one, but the old one is no argument}}
  %0 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<3x4x6xf32>, tensor<3xi32>) outs(%s = state %pool : tensor<9x4x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<9x4x6x6xf32>
  return %0 : tensor<9x4x6x6xf32>
}

// -----

// A pool that a region makes is none, either.
func.func @made_pool(%v: tensor<3x4x6xf32>, %p: tensor<9x4x6x6xf32>, %slots: tensor<3xi32>) -> tensor<9x4x6x6xf32> {
  %e = tensor.empty() : tensor<9x4x6x6xf32>
  %pool = mortar.fused ins(%a = row %p : tensor<9x4x6x6xf32>) outs(row %e : tensor<9x4x6x6xf32>) {
    %s = arith.addf %a, %a : vector<6xf32>
    mortar.yield %s : vector<6xf32>
  } -> tensor<9x4x6x6xf32>
  // expected-error @+1 {{in place of the argument that holds the old one, but the old one is no argument}}
  %0 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<3x4x6xf32>, tensor<3xi32>) outs(%s = state %pool : tensor<9x4x6x6xf32>) {
    %m = mortar.state_broadcast <values> %a : vector<6xf32> -> vector<6x6xf32>
    mortar.yield %m : vector<6x6xf32>
  } -> tensor<9x4x6x6xf32>
  return %0 : tensor<9x4x6x6xf32>
}

// -----

func.func @unread(%v: tensor<?x4x6xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x6x6xf32>) -> tensor<?x4x6xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %v, %c0 : tensor<?x4x6xf32>
  %e = tensor.empty(%t) : tensor<?x4x6xf32>
  // expected-error @+1 {{expected the new state to be returned by 'unread' in place of the argument that holds the old one, but it isn't returned}}
  %0:2 = mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x6xf32>, tensor<?xi32>)
      outs(value_row %e, %s = state %pool : tensor<?x4x6xf32>, tensor<?x4x6x6xf32>) {
    %r = mortar.state_reduce %s : vector<6x6xf32> -> vector<6xf32>
    mortar.yield %r, %s : vector<6xf32>, vector<6x6xf32>
  } -> (tensor<?x4x6xf32>, tensor<?x4x6x6xf32>)
  return %0#0 : tensor<?x4x6xf32>
}
