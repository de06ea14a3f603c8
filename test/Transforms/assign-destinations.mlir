// RUN: mortar-opt %s --mortar-assign-destinations -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @results(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x64xbf16, strided<[?, 1], offset: ?>>, %[[R:[a-z0-9]+]]: memref<?x64xbf16, strided<[?, 1], offset: ?>>, %[[W:[a-z0-9]+]]: memref<64xbf16, strided<[1], offset: ?>> {mortar.constant},
// CHECK-SAME: %[[S:[a-z0-9]+]]: memref<?x64xbf16, strided<[?, 1], offset: ?>> {mortar.output, mortar.result = 0 : i64}, %[[N:[a-z0-9]+]]: memref<?x64xf32, strided<[?, 1], offset: ?>> {mortar.output, mortar.result = 1 : i64}) {
// CHECK-DAG: %[[ST:.*]] = bufferization.to_tensor %[[S]] restrict writable
// CHECK-DAG: %[[NT:.*]] = bufferization.to_tensor %[[N]] restrict writable
// CHECK-DAG: %[[XT:.*]] = bufferization.to_tensor %[[X]] restrict :
// CHECK: %[[Y:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[XT]],
// CHECK-SAME: outs(row %[[ST]], row %[[NT]] :
// CHECK: bufferization.materialize_in_destination %[[Y]]#0 in writable %[[S]]
// CHECK: bufferization.materialize_in_destination %[[Y]]#1 in writable %[[N]]
// CHECK: return{{$}}
// CHECK-LABEL: func.func private @results.shapes(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x64xbf16, strided<[?, 1], offset: ?>>,
// CHECK-SAME: -> (index, index)
// CHECK: %[[T:.*]] = memref.dim %[[X]], %{{.*}}
// CHECK: return %[[T]], %[[T]]
func.func @results(%x: tensor<?x64xbf16>, %r: tensor<?x64xbf16>, %w: tensor<64xbf16> {mortar.constant})
    -> (tensor<?x64xbf16>, tensor<?x64xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %e0 = tensor.empty(%t) : tensor<?x64xbf16>
  %e1 = tensor.empty(%t) : tensor<?x64xf32>
  %0:2 = mortar.fused ins(%a = row %x, %b = row %r, %c = column %w : tensor<?x64xbf16>, tensor<?x64xbf16>, tensor<64xbf16>)
                      outs(row %e0, row %e1 : tensor<?x64xbf16>, tensor<?x64xf32>) {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    %n = mortar.rms_norm %s weight(%c) epsilon(1.0e-6) : (vector<64xbf16>, vector<64xbf16>) -> vector<64xf32>
    mortar.yield %s, %n : vector<64xbf16>, vector<64xf32>
  } -> (tensor<?x64xbf16>, tensor<?x64xf32>)
  return %0#0, %0#1 : tensor<?x64xbf16>, tensor<?x64xf32>
}

// -----

// The residual, writable and dead, is updated in place.
// CHECK-LABEL: func.func @in_place(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<4x64xbf16, strided<[?, 1], offset: ?>>, %[[R:[a-z0-9]+]]: memref<4x64xbf16, strided<[?, 1], offset: ?>> {mortar.result = 0 : i64})
// CHECK: %[[RT:.*]] = bufferization.to_tensor %[[R]] restrict writable
// CHECK: %[[Y:.*]] = mortar.fused {{.*}} outs(row %[[RT]] :
// CHECK: bufferization.materialize_in_destination %[[Y]] in writable %[[R]]
func.func @in_place(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16> {bufferization.writable = true}) -> tensor<4x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x, %b = row %r : tensor<4x64xbf16>, tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %s : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// -----

// Two results never share an argument.
// CHECK-LABEL: func.func @one_argument_one_result(
// CHECK-SAME: %{{.*}}: memref<{{.*}}> {mortar.result = 0 : i64}, %{{.*}}: memref<{{.*}}> {mortar.output, mortar.result = 1 : i64})
func.func @one_argument_one_result(%x: tensor<4x64xbf16> {bufferization.writable = true}) -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %e0 = tensor.empty() : tensor<4x64xbf16>
  %e1 = tensor.empty() : tensor<4x64xbf16>
  %0:2 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e0, row %e1 : tensor<4x64xbf16>, tensor<4x64xbf16>) {
    %s = mortar.residual_add %a, %a : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %s, %a : vector<64xbf16>, vector<64xbf16>
  } -> (tensor<4x64xbf16>, tensor<4x64xbf16>)
  return %0#0, %0#1 : tensor<4x64xbf16>, tensor<4x64xbf16>
}

// -----

// Not in place: another type; another map; read later; read later through a view; not writable;
// read twice by the region; not writable in so many words.
// CHECK-LABEL: func.func @not_in_place(
// CHECK-NOT: {mortar.result
// CHECK: mortar.output, mortar.result = 0
// CHECK-NOT: {mortar.result
// CHECK: mortar.output, mortar.result = 1
// CHECK-NOT: {mortar.result
// CHECK: {
func.func @not_in_place(%type: tensor<1x64xf32> {bufferization.writable = true},
                        %map: tensor<64xbf16> {bufferization.writable = true},
                        %later: tensor<1x64xbf16> {bufferization.writable = true},
                        %view: tensor<1x64xbf16> {bufferization.writable = true},
                        %kept: tensor<1x64xbf16>,
                        %twice: tensor<1x64xbf16> {bufferization.writable = true},
                        %not: tensor<1x64xbf16> {bufferization.writable = false}) -> (tensor<1x64xbf16>, tensor<64xbf16>) {
  %e = tensor.empty() : tensor<1x64xbf16>
  %e1 = tensor.empty() : tensor<64xbf16>
  %v = tensor.collapse_shape %view [[0, 1]] : tensor<1x64xbf16> into tensor<64xbf16>
  %u = tensor.collapse_shape %twice [[0, 1]] : tensor<1x64xbf16> into tensor<64xbf16>
  %0 = mortar.fused ins(%a = row %type, %b = column %map, %c = row %later, %d = row %view, %f = row %kept, %g = row %twice, %h = column %u, %i = row %not
                        : tensor<1x64xf32>, tensor<64xbf16>, tensor<1x64xbf16>, tensor<1x64xbf16>, tensor<1x64xbf16>, tensor<1x64xbf16>, tensor<64xbf16>, tensor<1x64xbf16>)
                    outs(row %e : tensor<1x64xbf16>) {
    mortar.yield %c : vector<64xbf16>
  } -> tensor<1x64xbf16>
  %1 = mortar.fused ins(%a = row %v, %b = row %later, %c = column %map : tensor<64xbf16>, tensor<1x64xbf16>, tensor<64xbf16>) outs(row %e1 : tensor<64xbf16>) {
    mortar.yield %c : vector<64xbf16>
  } -> tensor<64xbf16>
  return %0, %1 : tensor<1x64xbf16>, tensor<64xbf16>
}

// -----

// A temporary takes over what is dead: here %1 the place of %0.
// CHECK-LABEL: func.func @temporaries(
// CHECK: %[[E:.*]] = tensor.empty() : tensor<4x64xbf16>
// CHECK: %[[A:.*]] = mortar.fused {{.*}} outs(row %[[E]] :
// CHECK: %[[B:.*]] = mortar.fused ins(%{{.*}} = row %[[A]] : {{.*}}) outs(row %[[A]] :
// CHECK: %[[C:.*]] = mortar.fused ins(%{{.*}} = row %[[B]] : {{.*}}) outs(row %{{.*}} :
// CHECK: bufferization.materialize_in_destination %[[C]]
func.func @temporaries(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  %e0 = tensor.empty() : tensor<4x64xbf16>
  %e1 = tensor.empty() : tensor<4x64xbf16>
  %e2 = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e0 : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %1 = mortar.fused ins(%a = row %0 : tensor<4x64xbf16>) outs(row %e1 : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %2 = mortar.fused ins(%a = row %1 : tensor<4x64xbf16>) outs(row %e2 : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %2 : tensor<4x64xbf16>
}

// -----

// A size may be that of a temporary that takes over another's place.
// CHECK-LABEL: func.func private @size_of_a_temporary.shapes(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x64xbf16, {{.*}}>) -> index
// CHECK: %[[T:.*]] = memref.dim %[[X]], %{{.*}}
// CHECK: return %[[T]]
func.func @size_of_a_temporary(%x: tensor<?x64xbf16>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %e0 = tensor.empty(%t) : tensor<?x64xbf16>
  %e1 = tensor.empty(%t) : tensor<?x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<?x64xbf16>) outs(row %e0 : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  %1 = mortar.fused ins(%a = row %0 : tensor<?x64xbf16>) outs(row %e1 : tensor<?x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<?x64xbf16>
  %u = tensor.dim %1, %c0 : tensor<?x64xbf16>
  %e2 = tensor.empty(%u) : tensor<?x64xf32>
  %2 = mortar.fused ins(%a = row %1 : tensor<?x64xbf16>) outs(row %e2 : tensor<?x64xf32>) {
    %b = arith.extf %a : vector<64xbf16> to vector<64xf32>
    mortar.yield %b : vector<64xf32>
  } -> tensor<?x64xf32>
  return %2 : tensor<?x64xf32>
}

// -----

// A returned cast says less of the shape than the buffer does.
// CHECK-LABEL: func.func @returned_cast(
// CHECK-SAME: memref<4x64xbf16, strided<[?, 1], offset: ?>> {mortar.output, mortar.result = 0 : i64})
func.func @returned_cast(%x: tensor<4x64xbf16>) -> tensor<?x64xbf16> {
  %e = tensor.empty() : tensor<4x64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  %c = tensor.cast %0 : tensor<4x64xbf16> to tensor<?x64xbf16>
  return %c : tensor<?x64xbf16>
}

// -----

// Functions without regions on tensors are left alone.
// CHECK-LABEL: func.func private @declaration(tensor<4x64xbf16>)
func.func private @declaration(tensor<4x64xbf16>)
// CHECK-LABEL: func.func @foreign(
// CHECK-SAME: tensor<4x64xbf16>) {
func.func @foreign(%x: tensor<4x64xbf16>) {
  call @declaration(%x) : (tensor<4x64xbf16>) -> ()
  return
}
// CHECK-LABEL: func.func @memrefs(
// CHECK-SAME: index, %{{.*}}: memref<4x64xbf16>)
func.func @memrefs(%n: index, %x: memref<4x64xbf16>) {
  mortar.fused ins(%a = row %x : memref<4x64xbf16>) outs(row %x : memref<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  }
  return
}

// -----

// Each result has a buffer of its own.
// CHECK-LABEL: @returns_an_argument(
// CHECK-SAME: %[[X:.*]]: memref<?x64xbf16, strided<[?, 1], offset: ?>>,
// CHECK-SAME: %[[Y:.*]]: memref<?x64xbf16, strided<[?, 1], offset: ?>> {mortar.output, mortar.result = 0 : i64}
func.func @returns_an_argument(%x: tensor<?x64xbf16>) -> (tensor<?x64xbf16>, tensor<?x64xbf16>) {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x64xbf16>
  %e = tensor.empty(%rows) : tensor<?x64xbf16>
  // CHECK: mortar.fused
  %0 = mortar.fused ins(%a = row %x : tensor<?x64xbf16>) outs(row %e : tensor<?x64xbf16>) {
    %b = arith.negf %a : vector<64xbf16>
    mortar.yield %b : vector<64xbf16>
  } -> tensor<?x64xbf16>
  // CHECK: mortar.fused ins(%[[A:.*]] = row %{{.*}} attributes {label = "copy"}
  // CHECK-NEXT: mortar.yield %[[A]]
  return %0, %x : tensor<?x64xbf16>, tensor<?x64xbf16>
}

// CHECK-LABEL: @returns_twice(
func.func @returns_twice(%x: tensor<4x64xbf16>) -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  %e = tensor.empty() : tensor<4x64xbf16>
  // CHECK: %[[ONCE:.*]] = mortar.fused
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    %b = arith.negf %a : vector<64xbf16>
    mortar.yield %b : vector<64xbf16>
  } -> tensor<4x64xbf16>
  // CHECK: mortar.fused ins(%{{.*}} = row %[[ONCE]] : {{.*}} attributes {label = "copy"}
  return %0, %0 : tensor<4x64xbf16>, tensor<4x64xbf16>
}

// -----

// The scales of groups may lie at any distance from each other: row- or column-major, where
// nobody reads them as rows.
// CHECK-LABEL: func.func @scales_of_groups(
// CHECK-SAME: memref<?x4xf32, strided<[?, ?], offset: ?>>,
// CHECK-SAME: memref<?x64xf32, strided<[?, 1], offset: ?>> {mortar.output, mortar.result = 0 : i64},
// CHECK-SAME: memref<?x8xf32, strided<[?, ?], offset: ?>> {mortar.output, mortar.result = 1 : i64})
func.func @scales_of_groups(%x: tensor<?x64xf32>, %s: tensor<?x4xf32>) -> (tensor<?x64xf32>, tensor<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %s, %c0 : tensor<?x4xf32>
  %e0 = tensor.empty(%t) : tensor<?x64xf32>
  %e1 = tensor.empty(%t) : tensor<?x8xf32>
  %0:2 = mortar.fused ins(%a = row %x, %g = group_scalar %s : tensor<?x64xf32>, tensor<?x4xf32>)
                      outs(row %e0, group_scalar %e1 : tensor<?x64xf32>, tensor<?x8xf32>) {
    %b = mortar.row_broadcast %g : vector<4xf32> -> vector<64xf32>
    %p = arith.mulf %a, %b : vector<64xf32>
    %m = mortar.row_reduce <max> %p : vector<64xf32> -> vector<8xf32>
    mortar.yield %p, %m : vector<64xf32>, vector<8xf32>
  } -> (tensor<?x64xf32>, tensor<?x8xf32>)
  return %0#0, %0#1 : tensor<?x64xf32>, tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @scales_as_rows(
// CHECK-SAME: memref<?x4xf32, strided<[?, 1], offset: ?>>,
// CHECK-SAME: memref<?x8xf32, strided<[?, 1], offset: ?>> {mortar.output, mortar.result = 0 : i64},
func.func @scales_as_rows(%x: tensor<?x64xf32>, %s: tensor<?x4xf32>) -> (tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %s, %c0 : tensor<?x4xf32>
  %e0 = tensor.empty(%t) : tensor<?x8xf32>
  %e1 = tensor.empty(%t) : tensor<?x4xf32>
  %e2 = tensor.empty(%t) : tensor<?x8xf32>
  %0 = mortar.fused ins(%a = row %x, %g = group_scalar %s : tensor<?x64xf32>, tensor<?x4xf32>)
                    outs(group_scalar %e0 : tensor<?x8xf32>) {
    %b = mortar.row_broadcast %g : vector<4xf32> -> vector<64xf32>
    %p = arith.mulf %a, %b : vector<64xf32>
    %m = mortar.row_reduce <max> %p : vector<64xf32> -> vector<8xf32>
    mortar.yield %m : vector<8xf32>
  } -> tensor<?x8xf32>
  %1 = mortar.fused ins(%a = row %s : tensor<?x4xf32>) outs(row %e1 : tensor<?x4xf32>) {
    %n = arith.negf %a : vector<4xf32>
    mortar.yield %n : vector<4xf32>
  } -> tensor<?x4xf32>
  %2 = mortar.fused ins(%a = row %0 : tensor<?x8xf32>) outs(row %e2 : tensor<?x8xf32>) {
    %n = arith.negf %a : vector<8xf32>
    mortar.yield %n : vector<8xf32>
  } -> tensor<?x8xf32>
  return %0, %1, %2 : tensor<?x8xf32>, tensor<?x4xf32>, tensor<?x8xf32>
}
