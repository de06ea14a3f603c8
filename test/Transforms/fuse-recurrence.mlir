// RUN: mortar-opt %s --mortar-fuse-rows -split-input-file | FileCheck %s
// Fusing a second time changes nothing.
// RUN: mortar-opt %s --mortar-fuse-rows -split-input-file -o %t.once
// RUN: mortar-opt %t.once --mortar-fuse-rows -split-input-file -o %t.twice
// RUN: diff %t.once %t.twice

// A decode step: what computes a head's rows does it in the program of a token and head; what
// computes each element of [.., HV] is a scalar there, and its weights are a head's.
// CHECK-LABEL: @decode(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x2x8xbf16>, %[[K:[a-z0-9]+]]: tensor<?x2x8xbf16>, %[[V:[a-z0-9]+]]: tensor<?x4x6xbf16>, %[[A:[a-z0-9]+]]: tensor<?x4xbf16>, %[[B:[a-z0-9]+]]: tensor<?x4xbf16>, %[[LOG:[a-z0-9]+]]: tensor<4xf32>, %[[DT:[a-z0-9]+]]: tensor<4xbf16>, %[[Z:[a-z0-9]+]]: tensor<?x4x6xbf16>, %[[W:[a-z0-9]+]]: tensor<6xbf16>, %[[POOL:[a-z0-9]+]]: tensor<?x4x6x8xf32>, %[[SLOTS:[a-z0-9]+]]: tensor<?xi32>)
func.func @decode(%q0: tensor<?x2x8xbf16>, %k0: tensor<?x2x8xbf16>, %v: tensor<?x4x6xbf16>, %a: tensor<?x4xbf16>, %b: tensor<?x4xbf16>,
                  %log: tensor<4xf32>, %dt: tensor<4xbf16>, %z: tensor<?x4x6xbf16>, %w: tensor<6xbf16>,
                  %pool: tensor<?x4x6x8xf32>, %slots: tensor<?xi32>) -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>) {
  // CHECK: %[[T:.*]] = tensor.dim %[[V]], %{{.*}}
  // CHECK: %[[E:.*]] = tensor.empty(%[[T]]) : tensor<?x4x6xbf16>
  // CHECK: %[[Y:.*]]:2 = mortar.fused recurrence ins(%[[a:.*]] = head_scalar %[[A]], %[[dt:.*]] = head %[[DT]], %[[log:.*]] = head %[[LOG]], %[[b:.*]] = head_scalar %[[B]], %[[q:.*]] = key_row %[[Q]], %[[k:.*]] = key_row %[[K]], %[[v:.*]] = value_row %[[V]], %[[i:.*]] = slots %[[SLOTS]], %[[z:.*]] = value_row %[[Z]], %[[w:.*]] = column %[[W]] :
  // CHECK-SAME: outs(%[[s:.*]] = state %[[POOL]], value_row %[[E]] :
  // CHECK-NEXT: %[[G:.*]], %[[BETA:.*]] = mortar.gdn_gating %[[a]] dt_bias(%[[dt]]) a_log(%[[log]]) beta(%[[b]]) : (bf16, bf16, f32, bf16) -> (f32, bf16)
  // CHECK-NEXT: %[[QN:.*]] = mortar.l2_norm %[[q]] epsilon(9.99999997E-7) : (vector<8xbf16>) -> vector<8xf32>
  // CHECK-NEXT: %[[KN:.*]] = mortar.l2_norm %[[k]] epsilon(9.99999997E-7) : (vector<8xbf16>) -> vector<8xbf16>
  // CHECK-NEXT: %[[O:.*]], %[[S:.*]] = mortar.gated_delta_rule query(%[[QN]]) key(%[[KN]]) value(%[[v]]) decay(%[[G]]) beta(%[[BETA]]) state(%[[s]]) slots(%[[i]]) scale(5.000000e-01) : (vector<8xf32>, vector<8xbf16>, vector<6xbf16>, f32, bf16, vector<6x8xf32>, i32) -> (vector<6xbf16>, vector<6x8xf32>)
  // CHECK-NEXT: %[[N:.*]] = mortar.gated_rms_norm %[[O]] gate(%[[z]]) weight(%[[w]]) epsilon(9.99999997E-7) activation(sigmoid) : (vector<6xbf16>, vector<6xbf16>, vector<6xbf16>) -> vector<6xbf16>
  // CHECK-NEXT: mortar.yield %[[S]], %[[N]] : vector<6x8xf32>, vector<6xbf16>
  // CHECK-NOT: mortar.fused
  // CHECK: return %[[Y]]#1, %[[Y]]#0
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, tensor<4xbf16>, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xbf16>)
  %q = mortar.l2_norm %q0 epsilon(1.0e-6) : (tensor<?x2x8xbf16>) -> tensor<?x2x8xf32>
  %k = mortar.l2_norm %k0 epsilon(1.0e-6) : (tensor<?x2x8xbf16>) -> tensor<?x2x8xbf16>
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%beta) state(%pool) slots(%slots) scale(0.5)
    : (tensor<?x2x8xf32>, tensor<?x2x8xbf16>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xbf16>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  %y = mortar.gated_rms_norm %o gate(%z) weight(%w) epsilon(1.0e-6) activation(sigmoid)
    : (tensor<?x4x6xbf16>, tensor<?x4x6xbf16>, tensor<6xbf16>) -> tensor<?x4x6xbf16>
  return %y, %new : tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>
}

// -----

// The rule alone is a region.
// CHECK-LABEL: @alone(
func.func @alone(%q: tensor<?x2x8xf32>, %v: tensor<?x4x6xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x6x8xbf16>, %slots: tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xbf16>) {
  // CHECK: mortar.fused recurrence ins(%[[Q:.*]] = key_row %{{.*}}, %[[V:.*]] = value_row %{{.*}}, %[[G:.*]] = head_scalar %{{.*}}, %{{.*}} = slots %{{.*}} : {{.*}}) outs(value_row %{{.*}}, %{{.*}} = state %{{.*}} : tensor<?x4x6xbf16>, tensor<?x4x6x8xbf16>) {
  // CHECK-NEXT: mortar.gated_delta_rule query(%[[Q]]) key(%[[Q]]) value(%[[V]]) decay(%[[G]]) beta(%[[G]])
  // CHECK-NEXT: mortar.yield
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xbf16>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xbf16>)
  return %o, %new : tensor<?x4x6xbf16>, tensor<?x4x6x8xbf16>
}

// -----

// Gating alone.
// CHECK-LABEL: @before(
func.func @before(%q: tensor<?x2x8xf32>, %v: tensor<?x4x6xbf16>, %a: tensor<?x4xf32>, %dt: tensor<4xf32>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>) {
  // CHECK: mortar.fused recurrence
  // CHECK-NEXT: mortar.gdn_gating {{.*}} : (f32, f32, f32, f32) -> (f32, f32)
  // CHECK-NEXT: mortar.gated_delta_rule
  // CHECK-NEXT: mortar.yield
  // CHECK-NOT: mortar.fused
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%dt) beta(%a)
    : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%beta) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  return %o, %new : tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>
}

// -----

// One norm of rows that are query and key.
// CHECK-LABEL: @one_norm(
func.func @one_norm(%q0: tensor<?x2x8xbf16>, %v: tensor<?x4x6xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>) {
  // CHECK: mortar.fused recurrence
  // CHECK-NEXT: %[[Q:.*]] = mortar.l2_norm
  // CHECK-NEXT: mortar.gated_delta_rule query(%[[Q]]) key(%[[Q]])
  // CHECK-NOT: mortar.fused
  %q = mortar.l2_norm %q0 epsilon(1.0e-6) : (tensor<?x2x8xbf16>) -> tensor<?x2x8xf32>
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  return %o, %new : tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>
}

// -----

// What follows joins, and its rows may be returned, too: a token of no sequence has its zeros
// from the recurrence. One value a head is a value_scalar. The tokens' dimensions are two.
// CHECK-LABEL: @after(
func.func @after(%q: tensor<2x3x2x8xf32>, %v: tensor<2x3x4x6xbf16>, %g: tensor<2x3x4xf32>, %z: tensor<2x3x4x6xbf16>, %w: tensor<6xbf16>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<2xi32>)
    -> (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xf8E4M3FN>, tensor<2x3x4x1xf32>, tensor<?x4x6x8xf32>) {
  // CHECK: %[[Y:.*]]:4 = mortar.fused recurrence
  // CHECK-SAME: outs(value_row %{{.*}}, %{{.*}} = state %{{.*}}, value_row %{{.*}}, value_scalar %{{.*}} : tensor<2x3x4x6xbf16>, tensor<?x4x6x8xf32>, tensor<2x3x4x6xf8E4M3FN>, tensor<2x3x4x1xf32>)
  // CHECK-NEXT: %[[O:.*]], %[[S:.*]] = mortar.gated_delta_rule
  // CHECK-NEXT: %[[N:.*]] = mortar.gated_rms_norm %[[O]]
  // CHECK-NEXT: %[[F:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<6xbf16>) -> (vector<6xf8E4M3FN>, f32)
  // CHECK-NEXT: mortar.yield %[[O]], %[[S]], %[[F]], %[[C]]
  // CHECK-NOT: mortar.fused
  // CHECK: return %[[Y]]#0, %[[Y]]#2, %[[Y]]#3, %[[Y]]#1
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<2x3x2x8xf32>, tensor<2x3x2x8xf32>, tensor<2x3x4x6xbf16>, tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<?x4x6x8xf32>, tensor<2xi32>)
    -> (tensor<2x3x4x6xbf16>, tensor<?x4x6x8xf32>)
  %y = mortar.gated_rms_norm %o gate(%z) weight(%w) epsilon(1.0e-6) : (tensor<2x3x4x6xbf16>, tensor<2x3x4x6xbf16>, tensor<6xbf16>) -> tensor<2x3x4x6xbf16>
  %f, %c = mortar.quantize_dynamic %y : (tensor<2x3x4x6xbf16>) -> (tensor<2x3x4x6xf8E4M3FN>, tensor<2x3x4x1xf32>)
  return %o, %f, %c, %new : tensor<2x3x4x6xbf16>, tensor<2x3x4x6xf8E4M3FN>, tensor<2x3x4x1xf32>, tensor<?x4x6x8xf32>
}

// -----

// Upstream's arith between the ops is elementwise work, on rows (a bias before the norm, a
// rounding after the rule) or on heads, where a constant of all is a scalar. Static scales are
// one number, an operand or a constant.
// CHECK-LABEL: @arith(
func.func @arith(%q0: tensor<3x2x8xbf16>, %k0: tensor<3x2x8xf32>, %kb: tensor<3x2x8xf32>, %v: tensor<3x4x6xbf16>, %a: tensor<3x4xbf16>,
                 %s: tensor<1xf32>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<3xi32>)
    -> (tensor<3x4x6xf8E4M3FN>, tensor<3x4x6xf8E4M3FN>, tensor<?x4x6x8xf32>) {
  // CHECK: mortar.fused recurrence
  // CHECK-SAME: %[[SCALE:[^ ]*]] = scalar
  // CHECK-SAME: outs(%{{.*}} = state %{{.*}}, value_row %{{.*}}, value_row %{{.*}} : tensor<?x4x6x8xf32>, tensor<3x4x6xf8E4M3FN>, tensor<3x4x6xf8E4M3FN>)
  // CHECK-DAG: %[[TWO:.*]] = arith.constant 2.000000e+00 : f32
  // CHECK-DAG: %[[B:.*]] = arith.addf %{{.*}}, %{{.*}} : vector<8xf32>
  // CHECK-DAG: %[[K:.*]] = mortar.l2_norm %[[B]] epsilon(9.99999997E-7) : (vector<8xf32>) -> vector<8xf32>
  // CHECK-DAG: %[[X:.*]] = arith.extf %{{.*}} : bf16 to f32
  // CHECK-DAG: %[[N:.*]] = arith.negf %[[X]] : f32
  // CHECK-DAG: %[[H:.*]] = arith.constant 5.000000e-01 : f32
  // CHECK-DAG: %[[G:.*]] = arith.mulf %[[N]], %[[H]] : f32
  // CHECK-DAG: %[[Q:.*]] = arith.extf %{{.*}} : vector<8xbf16> to vector<8xf32>
  // CHECK: %[[O:.*]], %{{.*}} = mortar.gated_delta_rule query(%[[Q]]) key(%[[K]]) value(%{{.*}}) decay(%[[G]])
  // CHECK: %[[R:.*]] = arith.truncf %[[O]] : vector<6xf32> to vector<6xbf16>
  // CHECK: mortar.quantize %[[R]] scale(%[[SCALE]]) : (vector<6xbf16>, f32) -> vector<6xf8E4M3FN>
  // CHECK: mortar.quantize %[[R]] scale(%[[TWO]]) : (vector<6xbf16>, f32) -> vector<6xf8E4M3FN>
  // CHECK: mortar.yield
  // CHECK-NOT: mortar.fused
  // CHECK-NOT: arith.{{.*}} : tensor<3
  // CHECK: return
  %kn = arith.addf %k0, %kb : tensor<3x2x8xf32>
  %k = mortar.l2_norm %kn epsilon(1.0e-6) : (tensor<3x2x8xf32>) -> tensor<3x2x8xf32>
  %q = arith.extf %q0 : tensor<3x2x8xbf16> to tensor<3x2x8xf32>
  %aw = arith.extf %a : tensor<3x4xbf16> to tensor<3x4xf32>
  %an = arith.negf %aw : tensor<3x4xf32>
  %half = arith.constant dense<0.5> : tensor<3x4xf32>
  %g = arith.mulf %an, %half : tensor<3x4xf32>
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%aw) state(%pool) slots(%slots)
    : (tensor<3x2x8xf32>, tensor<3x2x8xf32>, tensor<3x4x6xbf16>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<?x4x6x8xf32>, tensor<3xi32>)
    -> (tensor<3x4x6xf32>, tensor<?x4x6x8xf32>)
  %r = arith.truncf %o : tensor<3x4x6xf32> to tensor<3x4x6xbf16>
  %f0 = mortar.quantize %r scale(%s) : (tensor<3x4x6xbf16>, tensor<1xf32>) -> tensor<3x4x6xf8E4M3FN>
  %two = arith.constant dense<2.0> : tensor<1xf32>
  %f1 = mortar.quantize %r scale(%two) : (tensor<3x4x6xbf16>, tensor<1xf32>) -> tensor<3x4x6xf8E4M3FN>
  return %f0, %f1, %new : tensor<3x4x6xf8E4M3FN>, tensor<3x4x6xf8E4M3FN>, tensor<?x4x6x8xf32>
}

// -----

// Indices go along as they are: bounds, slots for each token, accepted counts. A constant
// table of slots is an input, and no constant of a token's program.
// CHECK-LABEL: @speculative(
// CHECK-SAME: %[[BOUNDS:[a-z0-9]+]]: tensor<?xi32>, %[[ACCEPTED:[a-z0-9]+]]: tensor<2xi32>)
func.func @speculative(%q0: tensor<?x2x8xbf16>, %v: tensor<?x4x6xbf16>, %g: tensor<?x4xf32>, %z: tensor<?x4x6xbf16>, %w: tensor<6xbf16>, %pool: tensor<?x4x6x8xf32>,
                       %bounds: tensor<?xi32>, %accepted: tensor<2xi32>) -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>) {
  // CHECK: %[[SLOTS:.*]] = arith.constant dense<1> : tensor<2x3xi32>
  // CHECK: mortar.fused recurrence
  // CHECK-SAME: %[[I:[^ ]*]] = slots %[[SLOTS]], %[[B:[^ ]*]] = bounds %[[BOUNDS]], %[[N:[^ ]*]] = accepted %[[ACCEPTED]]
  // CHECK-NEXT: %[[Q:.*]] = mortar.l2_norm
  // CHECK-NEXT: mortar.gated_delta_rule query(%[[Q]]) key(%[[Q]]) {{.*}} slots(%[[I]]) bounds(%[[B]]) accepted(%[[N]]) : (vector<8xf32>, vector<8xf32>, vector<6xbf16>, f32, f32, vector<6x8xf32>, i32, i32, i32)
  // CHECK-NEXT: mortar.gated_rms_norm
  // CHECK-NEXT: mortar.yield
  // CHECK-NOT: mortar.fused
  %q = mortar.l2_norm %q0 epsilon(1.0e-6) : (tensor<?x2x8xbf16>) -> tensor<?x2x8xf32>
  %slots = arith.constant dense<1> : tensor<2x3xi32>
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots) bounds(%bounds) accepted(%accepted)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<2x3xi32>, tensor<?xi32>, tensor<2xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  %y = mortar.gated_rms_norm %o gate(%z) weight(%w) epsilon(1.0e-6) : (tensor<?x4x6xbf16>, tensor<?x4x6xbf16>, tensor<6xbf16>) -> tensor<?x4x6xbf16>
  return %y, %new : tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>
}

// -----

// A rule whose result nobody reads changes the pool all the same.
// CHECK-LABEL: @only_the_state(
func.func @only_the_state(%q0: tensor<?x2x8xbf16>, %v: tensor<?x4x6xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<?xi32>) -> tensor<?x4x6x8xf32> {
  // CHECK: %[[Y:.*]] = mortar.fused recurrence {{.*}} outs(%{{.*}} = state %{{.*}} : tensor<?x4x6x8xf32>) {
  // CHECK: mortar.l2_norm
  // CHECK: %{{.*}}, %[[S:.*]] = mortar.gated_delta_rule
  // CHECK: mortar.yield %[[S]]
  // CHECK-NOT: mortar.fused
  %q = mortar.l2_norm %q0 epsilon(1.0e-6) : (tensor<?x2x8xbf16>) -> tensor<?x2x8xf32>
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  return %new : tensor<?x4x6x8xf32>
}

// -----

// The norm as frameworks call it, on rows [T·HV, V]: views that keep the rows don't stand between.
// CHECK-LABEL: @reshaped(
func.func @reshaped(%q: tensor<?x2x8xf32>, %v: tensor<?x4x6xbf16>, %g: tensor<?x4xf32>, %z: tensor<?x4x6xbf16>, %w: tensor<6xbf16>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>) {
  // CHECK: mortar.fused recurrence
  // CHECK: mortar.gated_delta_rule
  // CHECK-NEXT: mortar.gated_rms_norm
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %c0 = arith.constant 0 : index
  %t = tensor.dim %v, %c0 : tensor<?x4x6xbf16>
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  %of = tensor.collapse_shape %o [[0, 1], [2]] : tensor<?x4x6xbf16> into tensor<?x6xbf16>
  %zf = tensor.collapse_shape %z [[0, 1], [2]] : tensor<?x4x6xbf16> into tensor<?x6xbf16>
  %yf = mortar.gated_rms_norm %of gate(%zf) weight(%w) epsilon(1.0e-6) : (tensor<?x6xbf16>, tensor<?x6xbf16>, tensor<6xbf16>) -> tensor<?x6xbf16>
  %y = tensor.expand_shape %yf [[0, 1], [2]] output_shape [%t, 4, 6] : tensor<?x6xbf16> into tensor<?x4x6xbf16>
  return %y, %new : tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>
}
