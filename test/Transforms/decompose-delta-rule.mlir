// RUN: mortar-opt %s --mortar-decompose | FileCheck %s
// A second run changes nothing.
// RUN: mortar-opt %s --mortar-decompose --mortar-decompose | FileCheck %s

// Decays, sums over keys, corrects, reads; each product is rounded before its sum, and only the
// update is one fma. The scale, K^-1/2, is 0.25 of 16 keys; it multiplies the query before
// anything is summed.
// CHECK-LABEL: @gated_delta_rule(
func.func @gated_delta_rule(%q: tensor<?x2x16xbf16>, %k: tensor<?x2x16xf32>, %v: tensor<?x4x6xf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xbf16>,
                            %pool: tensor<?x4x6x16xbf16>, %slots: tensor<?xi32>, %e: tensor<?x4x6xbf16>) -> (tensor<?x4x6xbf16>, tensor<?x4x6x16xbf16>) {
  // CHECK: mortar.fused recurrence ins(%[[Q:[^ ]*]] = key_row %{{.*}}, %[[K:[^ ]*]] = key_row %{{.*}}, %[[V:[^ ]*]] = value_row %{{.*}}, %[[G:[^ ]*]] = head_scalar %{{.*}}, %[[B:[^ ]*]] = head_scalar %{{.*}}, %{{[^ ]*}} = slots %{{.*}} : {{.*}}) outs(value_row %{{.*}}, %[[S:[^ ]*]] = state %{{.*}} : {{.*}}) attributes {label = "gated_delta_rule"} {
  // CHECK-NEXT: %[[QF:.*]] = arith.extf %[[Q]] : vector<16xbf16> to vector<16xf32>
  // CHECK-NEXT: %[[SCALE:.*]] = arith.constant dense<2.500000e-01> : vector<16xf32>
  // CHECK-NEXT: %[[QS:.*]] = arith.mulf %[[QF]], %[[SCALE]] : vector<16xf32>
  // CHECK-NEXT: %[[VF:.*]] = arith.extf %[[V]] : vector<6xf16> to vector<6xf32>
  // exp, pinned.
  // CHECK-NOT: mortar.
  // CHECK: math.fma {{.*}} : f32
  // CHECK-NOT: mortar.
  // CHECK: %[[D:.*]] = mortar.row_broadcast %{{.*}} : f32 -> vector<6xf32>
  // CHECK-NEXT: %[[DS:.*]] = mortar.state_broadcast <values> %[[D]] : vector<6xf32> -> vector<6x16xf32>
  // CHECK-NEXT: %[[S1:.*]] = arith.mulf %[[S]], %[[DS]] : vector<6x16xf32>
  // CHECK-NEXT: %[[KS:.*]] = mortar.state_broadcast <keys> %[[K]] : vector<16xf32> -> vector<6x16xf32>
  // CHECK-NEXT: %[[SK:.*]] = arith.mulf %[[S1]], %[[KS]] : vector<6x16xf32>
  // CHECK-NEXT: %[[P:.*]] = mortar.state_reduce %[[SK]] : vector<6x16xf32> -> vector<6xf32>
  // CHECK-NEXT: %[[M:.*]] = arith.subf %[[VF]], %[[P]] : vector<6xf32>
  // CHECK-NEXT: %[[BF:.*]] = arith.extf %[[B]] : bf16 to f32
  // CHECK-NEXT: %[[BB:.*]] = mortar.row_broadcast %[[BF]] : f32 -> vector<6xf32>
  // CHECK-NEXT: %[[U:.*]] = arith.mulf %[[BB]], %[[M]] : vector<6xf32>
  // CHECK-DAG: %[[US:.*]] = mortar.state_broadcast <values> %[[U]] : vector<6xf32> -> vector<6x16xf32>
  // CHECK-DAG: %[[KT:.*]] = mortar.state_broadcast <keys> %[[K]] : vector<16xf32> -> vector<6x16xf32>
  // CHECK: %[[S2:.*]] = math.fma %[[US]], %[[KT]], %[[S1]] : vector<6x16xf32>
  // CHECK-NEXT: %[[QQ:.*]] = mortar.state_broadcast <keys> %[[QS]] : vector<16xf32> -> vector<6x16xf32>
  // CHECK-NEXT: %[[SQ:.*]] = arith.mulf %[[S2]], %[[QQ]] : vector<6x16xf32>
  // CHECK-NEXT: %[[R:.*]] = mortar.state_reduce %[[SQ]] : vector<6x16xf32> -> vector<6xf32>
  // Padding is zero before the result is rounded, and before what follows reads it.
  // CHECK-NEXT: %[[Z:.*]] = mortar.mask_padding %[[R]] : vector<6xf32>
  // CHECK-NEXT: %[[O:.*]] = arith.truncf %[[Z]] : vector<6xf32> to vector<6xbf16>
  // The state goes on in f32, though the pool holds bf16.
  // CHECK-NEXT: mortar.yield %[[O]], %[[S2]] : vector<6xbf16>, vector<6x16xf32>
  %0:2 = mortar.fused recurrence
      ins(%a0 = key_row %q, %a1 = key_row %k, %a2 = value_row %v, %a3 = head_scalar %g, %a4 = head_scalar %b, %i = slots %slots
          : tensor<?x2x16xbf16>, tensor<?x2x16xf32>, tensor<?x4x6xf16>, tensor<?x4xf32>, tensor<?x4xbf16>, tensor<?xi32>)
      outs(value_row %e, %s = state %pool : tensor<?x4x6xbf16>, tensor<?x4x6x16xbf16>) {
    %o, %t = mortar.gated_delta_rule query(%a0) key(%a1) value(%a2) decay(%a3) beta(%a4) state(%s) slots(%i)
      : (vector<16xbf16>, vector<16xf32>, vector<6xf16>, f32, bf16, vector<6x16xf32>, i32) -> (vector<6xbf16>, vector<6x16xf32>)
    mortar.yield %o, %t : vector<6xbf16>, vector<6x16xf32>
  } -> (tensor<?x4x6xbf16>, tensor<?x4x6x16xbf16>)
  return %0#0, %0#1 : tensor<?x4x6xbf16>, tensor<?x4x6x16xbf16>
}

// The scale that is given, and none of 128 keys: 128^-1/2, rounded once from f64.
// CHECK-LABEL: @scale(
func.func @scale(%x: tensor<?x4x128xf32>, %g: tensor<?x4xf32>, %pool: tensor<?x4x128x128xf32>, %slots: tensor<?xi32>, %e: tensor<?x4x128xf32>) -> tensor<?x4x128x128xf32> {
  // CHECK: arith.constant dense<3.000000e-01> : vector<128xf32>
  // CHECK: arith.constant dense<0.0883883461> : vector<128xf32>
  %0:3 = mortar.fused recurrence
      ins(%q = key_row %x, %v = value_row %x, %d = head_scalar %g, %i = slots %slots : tensor<?x4x128xf32>, tensor<?x4x128xf32>, tensor<?x4xf32>, tensor<?xi32>)
      outs(value_row %e, value_row %e, %s = state %pool : tensor<?x4x128xf32>, tensor<?x4x128xf32>, tensor<?x4x128x128xf32>) {
    %o, %t = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%d) beta(%d) state(%s) slots(%i) scale(0.3)
      : (vector<128xf32>, vector<128xf32>, vector<128xf32>, f32, f32, vector<128x128xf32>, i32) -> (vector<128xf32>, vector<128x128xf32>)
    %p, %u = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%d) beta(%d) state(%t) slots(%i)
      : (vector<128xf32>, vector<128xf32>, vector<128xf32>, f32, f32, vector<128x128xf32>, i32) -> (vector<128xf32>, vector<128x128xf32>)
    mortar.yield %o, %p, %u : vector<128xf32>, vector<128xf32>, vector<128x128xf32>
  } -> (tensor<?x4x128xf32>, tensor<?x4x128xf32>, tensor<?x4x128x128xf32>)
  return %0#2 : tensor<?x4x128x128xf32>
}

// The bias is added in f32 and the softplus multiplied by the rate before the sign; nothing is
// rounded but where a result's type says so.
// CHECK-LABEL: @gdn_gating(
func.func @gdn_gating(%x: tensor<?x6xbf16>, %dt: tensor<6xf16>, %log: tensor<6xf32>, %b: tensor<?x6xbf16>, %e: tensor<?x6xf32>, %f: tensor<?x6xbf16>) -> (tensor<?x6xf32>, tensor<?x6xbf16>) {
  // CHECK: mortar.fused ins(%[[A:[^ ]*]] = row %{{.*}}, %[[DT:[^ ]*]] = column %{{.*}}, %[[LOG:[^ ]*]] = column %{{.*}}, %[[B:[^ ]*]] = row %{{.*}} : {{.*}} attributes {label = "gdn_gating"} {
  // CHECK-DAG: %[[AF:.*]] = arith.extf %[[A]] : vector<6xbf16> to vector<6xf32>
  // CHECK-DAG: %[[DF:.*]] = arith.extf %[[DT]] : vector<6xf16> to vector<6xf32>
  // CHECK: %[[X:.*]] = arith.addf %[[AF]], %[[DF]] : vector<6xf32>
  // CHECK: %[[TWENTY:.*]] = arith.constant dense<2.000000e+01> : vector<6xf32>
  // CHECK-NEXT: %[[LARGE:.*]] = arith.cmpf olt, %[[TWENTY]], %[[X]] : vector<6xf32>
  // CHECK: %[[SP:.*]] = arith.select %[[LARGE]], %[[X]], %{{.*}} : vector<6xi1>, vector<6xf32>
  // CHECK: %[[M:.*]] = arith.mulf %{{.*}}, %[[SP]] : vector<6xf32>
  // CHECK-NEXT: %[[G:.*]] = arith.negf %[[M]] : vector<6xf32>
  // CHECK-NEXT: arith.extf %[[B]] : vector<6xbf16> to vector<6xf32>
  // CHECK-NOT: mortar.
  // CHECK: %[[S:.*]] = arith.truncf %{{.*}} : vector<6xf32> to vector<6xbf16>
  // CHECK-NEXT: mortar.yield %[[G]], %[[S]] : vector<6xf32>, vector<6xbf16>
  %0:2 = mortar.fused ins(%r = row %x, %c = column %dt, %d = column %log, %s = row %b : tensor<?x6xbf16>, tensor<6xf16>, tensor<6xf32>, tensor<?x6xbf16>)
                      outs(row %e, row %f : tensor<?x6xf32>, tensor<?x6xbf16>) {
    %g, %beta = mortar.gdn_gating %r dt_bias(%c) a_log(%d) beta(%s) : (vector<6xbf16>, vector<6xf16>, vector<6xf32>, vector<6xbf16>) -> (vector<6xf32>, vector<6xbf16>)
    mortar.yield %g, %beta : vector<6xf32>, vector<6xbf16>
  } -> (tensor<?x6xf32>, tensor<?x6xbf16>)
  return %0#0, %0#1 : tensor<?x6xf32>, tensor<?x6xbf16>
}

// The softplus is what it is given above 20.
// CHECK-LABEL: @gdn_gating_of_a_head(
func.func @gdn_gating_of_a_head(%x: tensor<?x4x6xf32>, %g: tensor<?x4xf32>, %dt: tensor<4xf32>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<?xi32>, %e: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4x6x8xf32>) {
  // CHECK: mortar.fused recurrence
  // CHECK-NOT: mortar.
  // CHECK: %[[X:.*]] = arith.addf %{{.*}}, %{{.*}} : f32
  // CHECK: %[[TWENTY:.*]] = arith.constant 2.000000e+01 : f32
  // CHECK: %[[LARGE:.*]] = arith.cmpf olt, %[[TWENTY]], %[[X]] : f32
  // CHECK: arith.select %[[LARGE]], %[[X]], %{{.*}} : f32
  // CHECK-NOT: mortar.
  // CHECK: mortar.yield %{{.*}}, %{{.*}} : f32, vector<6x8xf32>
  %0:2 = mortar.fused recurrence ins(%r = head_scalar %g, %c = head %dt, %i = slots %slots : tensor<?x4xf32>, tensor<4xf32>, tensor<?xi32>)
                      outs(head_scalar %e, %s = state %pool : tensor<?x4xf32>, tensor<?x4x6x8xf32>) {
    %d, %beta = mortar.gdn_gating %r dt_bias(%c) a_log(%c) beta(%r) : (f32, f32, f32, f32) -> (f32, f32)
    %t = arith.addf %s, %s : vector<6x8xf32>
    mortar.yield %d, %t : f32, vector<6x8xf32>
  } -> (tensor<?x4xf32>, tensor<?x4x6x8xf32>)
  return %0#0, %0#1 : tensor<?x4xf32>, tensor<?x4x6x8xf32>
}

// No mean: epsilon is added to the sum; one is divided by the root, and the row multiplied.
// CHECK-LABEL: @l2_norm(
func.func @l2_norm(%x: tensor<4x64xbf16>, %e: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}} : {{.*}} attributes {label = "l2_norm"} {
  // CHECK-NEXT: %[[XF:.*]] = arith.extf %[[X]]
  // CHECK-NEXT: %[[SQ:.*]] = arith.mulf %[[XF]], %[[XF]] : vector<64xf32>
  // CHECK-NEXT: %[[SUM:.*]] = mortar.row_reduce <sum> %[[SQ]] : vector<64xf32> -> f32
  // CHECK-DAG: %[[EPS:.*]] = arith.constant 5.000000e-01 : f32
  // CHECK-DAG: %[[SHIFTED:.*]] = arith.addf %[[SUM]], %[[EPS]] : f32
  // CHECK-DAG: %[[ROOT:.*]] = math.sqrt %[[SHIFTED]] : f32
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // CHECK: %[[R:.*]] = arith.divf %[[ONE]], %[[ROOT]] : f32
  // CHECK-NEXT: %[[RR:.*]] = mortar.row_broadcast %[[R]] : f32 -> vector<64xf32>
  // CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[XF]], %[[RR]] : vector<64xf32>
  // CHECK-NEXT: %[[YT:.*]] = arith.truncf %[[Y]] : vector<64xf32> to vector<64xbf16>
  // CHECK-NEXT: mortar.yield %[[YT]]
  %0 = mortar.fused ins(%r = row %x : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    %y = mortar.l2_norm %r epsilon(0.5) : (vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %y : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}
