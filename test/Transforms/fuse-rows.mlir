// RUN: mortar-opt %s --mortar-fuse-rows -split-input-file | FileCheck %s
// A second run changes nothing.
// RUN: mortar-opt %s --mortar-fuse-rows -split-input-file -o %t.once
// RUN: mortar-opt %t.once --mortar-fuse-rows -split-input-file -o %t.twice
// RUN: diff %t.once %t.twice

// CHECK-LABEL: @add_norm(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4096xbf16>, %[[R:[a-z0-9]+]]: tensor<?x4096xbf16>, %[[W:[a-z0-9]+]]: tensor<4096xbf16>)
func.func @add_norm(%x: tensor<?x4096xbf16>, %r: tensor<?x4096xbf16>, %w: tensor<4096xbf16>)
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  // The residual leaves the region; sizes come from an argument.
  // CHECK: %[[T:.*]] = tensor.dim %[[X]]
  // CHECK: %[[Y:.*]]:2 = mortar.fused ins(%[[A:.*]] = row %[[X]], %[[B:.*]] = row %[[R]], %[[C:.*]] = column %[[W]] :
  // CHECK-NEXT: %[[S:.*]] = mortar.residual_add %[[A]], %[[B]] : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
  // CHECK-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%[[C]]) epsilon({{.*}}) inner(bf16) : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
  // CHECK-NEXT: mortar.yield %[[S]], %[[N]]
  // CHECK-NEXT: } -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>)
  // CHECK-NEXT: return %[[Y]]#1, %[[Y]]#0
  %s = mortar.residual_add %x, %r : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) inner(bf16) : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %n, %s : tensor<?x4096xbf16>, tensor<?x4096xbf16>
}

// -----

// An op that nobody joins is a region of its own; attributes are carried along.
// CHECK-LABEL: @alone(
func.func @alone(%x: tensor<?x128xbf16>) -> tensor<?x64xf16> {
  // CHECK: mortar.fused
  // CHECK-NEXT: mortar.silu_and_mul %{{.*}} limit(7.000000e+00) inner(f16) : (vector<128xbf16>) -> vector<64xf16>
  // CHECK-NEXT: mortar.yield
  %y = mortar.silu_and_mul %x limit(7.0) inner(f16) : (tensor<?x128xbf16>) -> tensor<?x64xf16>
  return %y : tensor<?x64xf16>
}

// -----

// Either operand of an add may come from the region.
// CHECK-LABEL: @commuted(
func.func @commuted(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %q: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused
  // CHECK-NEXT: %[[S:.*]] = mortar.residual_add
  // CHECK-NEXT: %[[T:.*]] = mortar.residual_add %{{.*}}, %[[S]]
  // CHECK-NEXT: %[[U:.*]] = mortar.residual_add %[[T]], %[[S]]
  // CHECK-NEXT: mortar.yield %[[U]]
  // CHECK-NOT: mortar.fused
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %t = mortar.residual_add %q, %s : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %u = mortar.residual_add %t, %s : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %u : tensor<4x64xbf16>
}

// -----

// A value that two want is made once; both join.
// CHECK-LABEL: @several_readers(
func.func @several_readers(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>)
    -> (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<4x64xf32>) {
  // CHECK: mortar.fused
  // CHECK-NEXT: %[[S:.*]] = mortar.residual_add
  // CHECK-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] epsilon(9.99
  // CHECK-NEXT: %[[P:.*]] = mortar.residual_add %[[N]], %[[S]]
  // CHECK-NEXT: %[[M:.*]] = mortar.rms_norm %[[S]] epsilon(5.0
  // CHECK-NEXT: mortar.yield
  // CHECK-NOT: mortar.fused
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %p = mortar.residual_add %n, %s : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %m = mortar.rms_norm %s epsilon(0.5) : (tensor<4x64xbf16>) -> tensor<4x64xf32>
  return %n, %p, %m : tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<4x64xf32>
}

// -----

// A value read by an op of the region and by a foreign one leaves it.
// CHECK-LABEL: @leaves_the_region(
func.func private @foreign(tensor<4x64xbf16>)
func.func @leaves_the_region(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: %[[Y:.*]]:2 = mortar.fused
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK: call @foreign(%[[Y]]#0)
  // CHECK-NEXT: return %[[Y]]#1
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  call @foreign(%s) : (tensor<4x64xbf16>) -> ()
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// -----

// A foreign op between two that it doesn't link stays in front or goes behind.
// CHECK-LABEL: @foreign_between(
func.func private @matmul(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @foreign_between(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>)
    -> (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<4x64xbf16>) {
  // CHECK: %[[M:.*]] = call @matmul(%{{.*}})
  // CHECK: %[[Y:.*]]:2 = mortar.fused
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK: %[[K:.*]] = linalg.copy ins(%[[Y]]#0
  // CHECK: return %[[Y]]#1, %[[M]], %[[K]]
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %e = tensor.empty() : tensor<4x64xbf16>
  %k = linalg.copy ins(%s : tensor<4x64xbf16>) outs(%e : tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %m = call @matmul(%x) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %n, %m, %k : tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<4x64xbf16>
}

// -----

// Users of users move behind the region too, in order.
// CHECK-LABEL: @users_stand_between(
func.func @users_stand_between(%x: tensor<4x64xf32>, %r: tensor<4x64xf32>, %e: tensor<4x64xf32>)
    -> (tensor<4x64xf32>, tensor<4x64xf32>, tensor<4x64xf32>) {
  // CHECK: %[[Y:.*]]:3 = mortar.fused
  // CHECK: %[[K:.*]] = linalg.copy ins(%[[Y]]#0
  // CHECK: %[[L:.*]] = linalg.abs ins(%[[K]]
  // CHECK: return %[[Y]]#1, %[[L]], %[[Y]]#2
  // CHECK-NOT: mortar.fused
  %s = mortar.residual_add %x, %r : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %k = linalg.copy ins(%s : tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xf32>) -> tensor<4x64xf32>
  %l = linalg.abs ins(%k : tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %m = mortar.rms_norm %n epsilon(1.0e-5) : (tensor<4x64xf32>) -> tensor<4x64xf32>
  return %n, %l, %m : tensor<4x64xf32>, tensor<4x64xf32>, tensor<4x64xf32>
}

// -----

// A use inside another op's region counts as that op's.
// CHECK-LABEL: @used_inside_a_loop(
func.func private @use(tensor<4x64xbf16>)
func.func @used_inside_a_loop(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %n: index) -> tensor<4x64xbf16> {
  // CHECK: %[[Y:.*]]:2 = mortar.fused
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK: scf.for
  // CHECK-NEXT: call @use(%[[Y]]#0)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  scf.for %i = %c0 to %n step %c1 {
    func.call @use(%s) : (tensor<4x64xbf16>) -> ()
  }
  %y = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

// Ops in a loop's body fuse there, and the next iteration's value is a result.
// CHECK-LABEL: @inside_a_loop(
func.func @inside_a_loop(%x: tensor<4x64xbf16>, %n: index) -> tensor<4x64xbf16> {
  // CHECK: scf.for {{.*}} iter_args(%[[ITER:.*]] = %{{.*}})
  // CHECK: %[[Y:.*]] = mortar.fused ins(%{{.*}} = row %[[ITER]] :
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK: scf.yield %[[Y]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %z = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<4x64xbf16> {
    %s = mortar.residual_add %a, %a : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
    %y = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
    scf.yield %y : tensor<4x64xbf16>
  }
  return %z : tensor<4x64xbf16>
}

// -----

// Views that keep the last dimension are seen through, whatever the sizes are.
// CHECK-LABEL: @through_collapse(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8x128xbf16>)
func.func @through_collapse(%x: tensor<?x8x128xbf16>) -> tensor<?x128xbf16> {
  // CHECK: mortar.fused ins(%{{.*}} = row %[[X]] : tensor<?x8x128xbf16>) outs(row %{{.*}} : tensor<?x128xbf16>)
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK-NOT: mortar.fused
  // CHECK-NOT: tensor.collapse_shape
  %s = mortar.residual_add %x, %x : (tensor<?x8x128xbf16>, tensor<?x8x128xbf16>) -> tensor<?x8x128xbf16>
  %flat = tensor.collapse_shape %s [[0, 1], [2]] : tensor<?x8x128xbf16> into tensor<?x128xbf16>
  %n = mortar.rms_norm %flat epsilon(1.0e-6) : (tensor<?x128xbf16>) -> tensor<?x128xbf16>
  return %n : tensor<?x128xbf16>
}

// -----

// CHECK-LABEL: @through_expand(
func.func @through_expand(%x: tensor<?x128xbf16>, %t: index) -> tensor<?x8x128xbf16> {
  // CHECK: mortar.fused {{.*}} outs(row %{{.*}} : tensor<?x8x128xbf16>)
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK-NOT: mortar.fused
  %s = mortar.residual_add %x, %x : (tensor<?x128xbf16>, tensor<?x128xbf16>) -> tensor<?x128xbf16>
  %heads = tensor.expand_shape %s [[0, 1], [2]] output_shape [%t, 8, 128] : tensor<?x128xbf16> into tensor<?x8x128xbf16>
  %n = mortar.rms_norm %heads epsilon(1.0e-6) : (tensor<?x8x128xbf16>) -> tensor<?x8x128xbf16>
  return %n : tensor<?x8x128xbf16>
}

// -----

// CHECK-LABEL: @through_cast_and_reshapes(
func.func @through_cast_and_reshapes(%x: tensor<4x128xbf16>) -> (tensor<?x128xbf16>, tensor<2x2x128xbf16>) {
  // CHECK: mortar.fused
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK-NEXT: mortar.rms_norm
  // CHECK-NOT: mortar.fused
  %s = mortar.residual_add %x, %x : (tensor<4x128xbf16>, tensor<4x128xbf16>) -> tensor<4x128xbf16>
  %cast = tensor.cast %s : tensor<4x128xbf16> to tensor<?x128xbf16>
  %n = mortar.rms_norm %cast epsilon(1.0e-6) : (tensor<?x128xbf16>) -> tensor<?x128xbf16>
  %split = tensor.expand_shape %s [[0, 1], [2]] output_shape [2, 2, 128] : tensor<4x128xbf16> into tensor<2x2x128xbf16>
  %m = mortar.rms_norm %split epsilon(1.0e-5) : (tensor<2x2x128xbf16>) -> tensor<2x2x128xbf16>
  return %n, %m : tensor<?x128xbf16>, tensor<2x2x128xbf16>
}

// -----

// Rows that are split are heads of a row. Their sizes are not read from the region.
// CHECK-LABEL: @split_rows(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x256xbf16>, %[[T:[a-z0-9]+]]: index
func.func @split_rows(%x: tensor<?x256xbf16>, %t: index) -> tensor<?x2x128xbf16> {
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]]) : tensor<?x2x128xbf16>
  // CHECK: mortar.fused ins(%{{.*}} = row %[[X]] : {{.*}} outs(heads %[[E]] :
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm {{.*}} group_size(128)
  %s = mortar.residual_add %x, %x : (tensor<?x256xbf16>, tensor<?x256xbf16>) -> tensor<?x256xbf16>
  %split = tensor.expand_shape %s [[0], [1, 2]] output_shape [%t, 2, 128] : tensor<?x256xbf16> into tensor<?x2x128xbf16>
  %n = mortar.rms_norm %split epsilon(1.0e-6) : (tensor<?x2x128xbf16>) -> tensor<?x2x128xbf16>
  return %n : tensor<?x2x128xbf16>
}

// -----

// A weight's view has another rank and stays where it is.
// CHECK-LABEL: @weight_is_a_view(
func.func @weight_is_a_view(%x: tensor<4x128xbf16>, %w: tensor<1x128xbf16>) -> tensor<4x128xbf16> {
  // CHECK: %[[W:.*]] = tensor.collapse_shape
  // CHECK: mortar.fused ins(%{{.*}}, %{{.*}} = column %[[W]] :
  %flat = tensor.collapse_shape %w [[0, 1]] : tensor<1x128xbf16> into tensor<128xbf16>
  %n = mortar.rms_norm %x weight(%flat) epsilon(1.0e-6) : (tensor<4x128xbf16>, tensor<128xbf16>) -> tensor<4x128xbf16>
  return %n : tensor<4x128xbf16>
}

// -----

// A size read from a region's result is that of its destination: it ties nothing.
// CHECK-LABEL: @size_of_a_result(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xbf16>,
func.func private @matmul_into(tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
func.func @size_of_a_result(%x: tensor<?x64xbf16>, %z: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  // CHECK: tensor.dim %[[X]]
  // CHECK: %[[M:.*]] = call @matmul_into
  // CHECK: mortar.fused {{.*}} = row %[[M]]
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NOT: mortar.fused
  %c0 = arith.constant 0 : index
  %s = mortar.residual_add %x, %x : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %t = tensor.dim %s, %c0 : tensor<?x64xbf16>
  %e = tensor.empty(%t) : tensor<?x64xbf16>
  %m = call @matmul_into(%z, %e) : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %u = mortar.residual_add %m, %s : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  return %u : tensor<?x64xbf16>
}

// -----

// Elementwise ops of arith and math join, on either side; a splat constant needs no operand.
// CHECK-LABEL: @arith_joins(
func.func @arith_joins(%x: tensor<4x64xbf16>, %r: tensor<4x64xf32>, %bias: tensor<4x64xf32>)
    -> (tensor<4x64xbf16>, tensor<4x64xf32>) {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}}, %[[R:.*]] = row %{{.*}}, %[[BIAS:.*]] = row %{{.*}} : tensor<4x64xbf16>, tensor<4x64xf32>, tensor<4x64xf32>)
  // CHECK-DAG: %[[TWO:.*]] = arith.constant dense<2.000000e+00> : vector<64xf32>
  // CHECK-DAG: %[[WIDE:.*]] = arith.extf %[[X]] : vector<64xbf16> to vector<64xf32>
  // CHECK: %[[SUM:.*]] = mortar.residual_add %[[WIDE]], %[[R]]
  // CHECK: %[[NORM:.*]] = mortar.rms_norm %[[SUM]]
  // CHECK: %[[BIASED:.*]] = arith.addf %[[NORM]], %[[BIAS]] : vector<64xf32>
  // CHECK: %[[SCALED:.*]] = arith.mulf %[[BIASED]], %[[TWO]] : vector<64xf32>
  // CHECK: %[[ROOT:.*]] = math.sqrt %[[SCALED]] : vector<64xf32>
  // CHECK: arith.truncf %[[ROOT]] : vector<64xf32> to vector<64xbf16>
  // CHECK: mortar.yield
  // CHECK-NOT: mortar.fused
  %two = arith.constant dense<2.0> : tensor<4x64xf32>
  %wide = arith.extf %x : tensor<4x64xbf16> to tensor<4x64xf32>
  %s = mortar.residual_add %wide, %r : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xf32>) -> tensor<4x64xf32>
  %biased = arith.addf %n, %bias : tensor<4x64xf32>
  %scaled = arith.mulf %biased, %two : tensor<4x64xf32>
  %abs = math.sqrt %scaled : tensor<4x64xf32>
  %y = arith.truncf %abs : tensor<4x64xf32> to tensor<4x64xbf16>
  return %y, %s : tensor<4x64xbf16>, tensor<4x64xf32>
}

// -----

// An arith op joins through others that join, and through views.
// CHECK-LABEL: @arith_joins_from_afar(
func.func @arith_joins_from_afar(%x: tensor<4x64xbf16>) -> tensor<2x2x64xf32> {
  // CHECK: mortar.fused
  // CHECK-NEXT: arith.extf
  // CHECK-NEXT: arith.negf
  // CHECK-NEXT: mortar.rms_norm
  // CHECK-NOT: mortar.fused
  %wide = arith.extf %x : tensor<4x64xbf16> to tensor<4x64xf32>
  %neg = arith.negf %wide : tensor<4x64xf32>
  %split = tensor.expand_shape %neg [[0, 1], [2]] output_shape [2, 2, 64] : tensor<4x64xf32> into tensor<2x2x64xf32>
  %n = mortar.rms_norm %split epsilon(1.0e-6) : (tensor<2x2x64xf32>) -> tensor<2x2x64xf32>
  return %n : tensor<2x2x64xf32>
}

// -----

// Without a neighbour they stay upstream's.
// CHECK-LABEL: @arith_alone(
func.func @arith_alone(%x: tensor<4x64xf32>, %y: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK-NEXT: arith.addf
  // CHECK-NEXT: arith.mulf
  // CHECK-NEXT: return
  %s = arith.addf %x, %y : tensor<4x64xf32>
  %m = arith.mulf %s, %y : tensor<4x64xf32>
  return %m : tensor<4x64xf32>
}

// -----

// A constant that isn't a splat is an operand like any other; so are rows of all ranks.
// CHECK-LABEL: @constants(
func.func @constants(%x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK-DAG: %[[C:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}}, %[[W:.*]] = column %[[C]] : tensor<2xf32>, tensor<2xf32>) outs(row %{{.*}} : tensor<2xf32>)
  // CHECK: mortar.rms_norm %[[X]] weight(%[[W]])
  // CHECK: mortar.rms_norm %{{.*}} weight(%{{cst.*}}) epsilon({{.*}}) weight_offset(1)
  // CHECK-NOT: mortar.fused
  %w = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %v = arith.constant dense<0.5> : tensor<2xf32>
  %n = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %m = mortar.rms_norm %n weight(%v) epsilon(1.0e-6) weight_offset(1) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %m : tensor<2xf32>
}

// -----

// A splat may stand in front of an operand.
// CHECK-LABEL: @splat_in_front(
// CHECK-SAME: %[[T:[a-z0-9]+]]: tensor<4x64xf32>)
func.func @splat_in_front(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %[[T]] : tensor<4x64xf32>)
  // CHECK: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : vector<64xf32>
  // CHECK: arith.subf %[[ONE]], %[[X]] : vector<64xf32>
  %one = arith.constant dense<1.0> : tensor<4x64xf32>
  %d = arith.subf %one, %x : tensor<4x64xf32>
  %n = mortar.rms_norm %d epsilon(1.0e-6) : (tensor<4x64xf32>) -> tensor<4x64xf32>
  return %n : tensor<4x64xf32>
}

// -----

// A region of constants only has no input.
// CHECK-LABEL: @no_input(
func.func @no_input() -> tensor<4x64xf32> {
  // CHECK: mortar.fused outs(
  %one = arith.constant dense<1.0> : tensor<4x64xf32>
  %two = arith.constant dense<2.0> : tensor<4x64xf32>
  %s = mortar.residual_add %one, %two : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  return %s : tensor<4x64xf32>
}

// -----

// One weight for two norms is one operand; a value that is a row here and a weight there is two.
// CHECK-LABEL: @shared_operands(
func.func @shared_operands(%x: tensor<64xf32>, %w: tensor<64xf32>) -> tensor<64xf32> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %[[XT:.*]], %[[W:.*]] = column %{{.*}}, %[[XC:.*]] = column %[[XT]] :
  // CHECK-NEXT: mortar.rms_norm %[[X]] weight(%[[W]])
  // CHECK-NEXT: mortar.rms_norm %{{.*}} weight(%[[W]])
  // CHECK-NEXT: mortar.rms_norm %{{.*}} weight(%[[XC]])
  %a = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  %b = mortar.rms_norm %a weight(%w) epsilon(1.0e-6) : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  %c = mortar.rms_norm %b weight(%x) epsilon(1.0e-6) : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  return %c : tensor<64xf32>
}

// -----

// As long as the budget allows, a chain of any length is one kernel.
// CHECK-LABEL: @long_chain(
func.func @long_chain(%x: tensor<?x8192xbf16>, %r: tensor<?x4096xbf16>) -> tensor<?x4096xbf16> {
  // CHECK-COUNT-1: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %0 = mortar.silu_and_mul %x : (tensor<?x8192xbf16>) -> tensor<?x4096xbf16>
  %1 = mortar.residual_add %0, %r : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xf32>
  %2 = mortar.rms_norm %1 epsilon(1.0e-6) : (tensor<?x4096xf32>) -> tensor<?x4096xf32>
  %3 = mortar.residual_add %2, %r : (tensor<?x4096xf32>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %4 = mortar.rms_norm %3 epsilon(1.0e-6) : (tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %5 = mortar.residual_add %4, %0 : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %6 = mortar.rms_norm %5 epsilon(1.0e-6) : (tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %7 = mortar.residual_add %6, %1 : (tensor<?x4096xbf16>, tensor<?x4096xf32>) -> tensor<?x4096xbf16>
  %8 = mortar.rms_norm %7 epsilon(1.0e-6) : (tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  return %8 : tensor<?x4096xbf16>
}

// -----

// A region written by hand joins named ops on both sides, and keeps its label.
// CHECK-LABEL: @partly_fused(
func.func @partly_fused(%x: tensor<4x64xf32>) -> tensor<2x2x64xf32> {
  // CHECK: mortar.fused {{.*}} attributes {label = "residual_add_by_hand_rms_norm"} {
  // CHECK-NEXT: %[[S:.*]] = mortar.residual_add
  // CHECK-NEXT: %[[D:.*]] = arith.addf %[[S]], %[[S]]
  // CHECK-NEXT: mortar.rms_norm %[[D]]
  // CHECK-NEXT: mortar.yield
  // CHECK-NOT: mortar.fused
  %s = mortar.residual_add %x, %x : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %view = tensor.expand_shape %s [[0, 1], [2]] output_shape [2, 2, 64] : tensor<4x64xf32> into tensor<2x2x64xf32>
  %e = tensor.empty() : tensor<2x2x64xf32>
  %f = mortar.fused ins(%a = row %view : tensor<2x2x64xf32>) outs(row %e : tensor<2x2x64xf32>)
      attributes {label = "by_hand"} {
    %d = arith.addf %a, %a : vector<64xf32>
    mortar.yield %d : vector<64xf32>
  } -> tensor<2x2x64xf32>
  %n = mortar.rms_norm %f epsilon(1.0e-6) : (tensor<2x2x64xf32>) -> tensor<2x2x64xf32>
  return %n : tensor<2x2x64xf32>
}

// -----

// Two regions written by hand.
// CHECK-LABEL: @regions_by_hand(
func.func @regions_by_hand(%x: tensor<4x64xf32>) -> (tensor<4x1xf32>, tensor<4x64xf32>) {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}} : tensor<4x64xf32>) outs(row_scalar %{{.*}}, row %{{.*}} : tensor<4x1xf32>, tensor<4x64xf32>)
  // CHECK-NEXT: %[[M:.*]] = mortar.row_reduce <max> %[[X]]
  // CHECK-NEXT: %[[B:.*]] = mortar.row_broadcast %[[M]]
  // CHECK-NEXT: %[[D:.*]] = arith.divf %[[X]], %[[B]]
  // CHECK-NEXT: mortar.yield %[[M]], %[[D]]
  // CHECK-NOT: mortar.fused
  %e0 = tensor.empty() : tensor<4x1xf32>
  %e1 = tensor.empty() : tensor<4x64xf32>
  %max = mortar.fused ins(%a = row %x : tensor<4x64xf32>) outs(row_scalar %e0 : tensor<4x1xf32>) {
    %m = mortar.row_reduce <max> %a : vector<64xf32> -> f32
    mortar.yield %m : f32
  } -> tensor<4x1xf32>
  %y = mortar.fused ins(%a = row %x, %m = row_scalar %max : tensor<4x64xf32>, tensor<4x1xf32>) outs(row %e1 : tensor<4x64xf32>) {
    %b = mortar.row_broadcast %m : f32 -> vector<64xf32>
    %d = arith.divf %a, %b : vector<64xf32>
    mortar.yield %d : vector<64xf32>
  } -> tensor<4x64xf32>
  return %max, %y : tensor<4x1xf32>, tensor<4x64xf32>
}

// -----

// Each block is a world of its own, and an op that nobody reads makes no kernel.
// CHECK-LABEL: @several_blocks(
func.func @several_blocks(%x: tensor<4x64xbf16>, %c: i1) -> tensor<4x64xbf16> {
  // CHECK: cf.cond_br
  // CHECK: ^bb1:
  // CHECK: mortar.fused
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK: ^bb2:
  // CHECK-NOT: mortar.fused
  cf.cond_br %c, ^bb1, ^bb2
^bb1:
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
^bb2:
  %dead = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %x : tensor<4x64xbf16>
}

// -----

// Rows (vectors), memrefs and declarations are left as they are.
// CHECK-LABEL: @rows_and_memrefs(
func.func private @declaration(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @rows_and_memrefs(%x: vector<64xbf16>, %m: memref<4x64xbf16>) -> vector<64xbf16> {
  // CHECK-NEXT: mortar.fused
  // CHECK-NEXT: mortar.rms_norm
  // CHECK-NEXT: mortar.yield
  // CHECK-NEXT: }
  // CHECK-NEXT: mortar.residual_add
  mortar.fused ins(%a = row %m : memref<4x64xbf16>) outs(row %m : memref<4x64xbf16>) {
    %n = mortar.rms_norm %a epsilon(1.0e-6) : (vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %n : vector<64xbf16>
  }
  %s = mortar.residual_add %x, %x : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
  return %s : vector<64xbf16>
}

// -----

// No rows is a number of rows.
// CHECK-LABEL: @no_rows(
func.func @no_rows(%x: tensor<0x64xbf16>) -> tensor<0x64xbf16> {
  // CHECK: mortar.fused
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  %s = mortar.residual_add %x, %x : (tensor<0x64xbf16>, tensor<0x64xbf16>) -> tensor<0x64xbf16>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<0x64xbf16>) -> tensor<0x64xbf16>
  return %n : tensor<0x64xbf16>
}
