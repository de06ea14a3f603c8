// RUN: mortar-opt %s -verify-roundtrip | FileCheck %s

// CHECK-LABEL: @gdn_gating(
func.func @gdn_gating(%a: tensor<?x32xbf16>, %dt: tensor<32xbf16>, %log: tensor<32xf32>, %b: tensor<?x32xbf16>)
    -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  // CHECK: %{{.*}}, %{{.*}} = mortar.gdn_gating %{{.*}} dt_bias(%{{.*}}) a_log(%{{.*}}) beta(%{{.*}}) : (tensor<?x32xbf16>, tensor<32xbf16>, tensor<32xf32>, tensor<?x32xbf16>) -> (tensor<?x32xf32>, tensor<?x32xf32>)
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x32xbf16>, tensor<32xbf16>, tensor<32xf32>, tensor<?x32xbf16>) -> (tensor<?x32xf32>, tensor<?x32xf32>)
  return %g, %beta : tensor<?x32xf32>, tensor<?x32xf32>
}

// Each operand and result may have a type of its own; the decay and the strength are rounded to theirs.
// CHECK-LABEL: @gdn_gating_mixed_types(
func.func @gdn_gating_mixed_types(%a: tensor<2x?x4xf16>, %dt: tensor<4xf32>, %log: tensor<4xbf16>, %b: tensor<2x?x4xf32>)
    -> (tensor<2x?x4xbf16>, tensor<2x?x4xf16>) {
  // CHECK: : (tensor<2x?x4xf16>, tensor<4xf32>, tensor<4xbf16>, tensor<2x?x4xf32>) -> (tensor<2x?x4xbf16>, tensor<2x?x4xf16>)
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<2x?x4xf16>, tensor<4xf32>, tensor<4xbf16>, tensor<2x?x4xf32>) -> (tensor<2x?x4xbf16>, tensor<2x?x4xf16>)
  return %g, %beta : tensor<2x?x4xbf16>, tensor<2x?x4xf16>
}

// One token's heads, a row of them, and one head.
// CHECK-LABEL: @gdn_gating_rows(
func.func @gdn_gating_rows(%t: tensor<4xf32>, %r: vector<4xbf16>, %s: f16) {
  // CHECK: mortar.gdn_gating {{.*}} : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  %t0, %t1 = mortar.gdn_gating %t dt_bias(%t) a_log(%t) beta(%t)
    : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>)
  // CHECK: mortar.gdn_gating {{.*}} : (vector<4xbf16>, vector<4xbf16>, vector<4xbf16>, vector<4xbf16>) -> (vector<4xf32>, vector<4xbf16>)
  %r0, %r1 = mortar.gdn_gating %r dt_bias(%r) a_log(%r) beta(%r)
    : (vector<4xbf16>, vector<4xbf16>, vector<4xbf16>, vector<4xbf16>) -> (vector<4xf32>, vector<4xbf16>)
  // CHECK: mortar.gdn_gating {{.*}} : (f16, f16, f16, f16) -> (f32, f16)
  %s0, %s1 = mortar.gdn_gating %s dt_bias(%s) a_log(%s) beta(%s) : (f16, f16, f16, f16) -> (f32, f16)
  return
}

// CHECK-LABEL: @l2_norm(
func.func @l2_norm(%x: tensor<?x16x128xbf16>, %r: vector<7xf16>) -> (tensor<?x16x128xf32>, vector<7xf16>) {
  // CHECK: mortar.l2_norm %{{.*}} epsilon(9.99999997E-7) : (tensor<?x16x128xbf16>) -> tensor<?x16x128xf32>
  %y = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<?x16x128xbf16>) -> tensor<?x16x128xf32>
  // CHECK: mortar.l2_norm %{{.*}} epsilon(5.000000e-01) : (vector<7xf16>) -> vector<7xf16>
  %s = mortar.l2_norm %r epsilon(0.5) : (vector<7xf16>) -> vector<7xf16>
  return %y, %s : tensor<?x16x128xf32>, vector<7xf16>
}

// Plain decoding: each token is a sequence.
// CHECK-LABEL: @decode(
func.func @decode(%q: tensor<?x16x128xbf16>, %k: tensor<?x16x128xbf16>, %v: tensor<?x32x64xbf16>, %g: tensor<?x32xf32>,
                  %beta: tensor<?x32xbf16>, %pool: tensor<?x32x64x128xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x32x64xbf16>, tensor<?x32x64x128xf32>) {
  // CHECK: %{{.*}}, %{{.*}} = mortar.gated_delta_rule query(%{{.*}}) key(%{{.*}}) value(%{{.*}}) decay(%{{.*}}) beta(%{{.*}}) state(%{{.*}}) slots(%{{.*}}) : (tensor<?x16x128xbf16>, tensor<?x16x128xbf16>, tensor<?x32x64xbf16>, tensor<?x32xf32>, tensor<?x32xbf16>, tensor<?x32x64x128xf32>, tensor<?xi32>) -> (tensor<?x32x64xbf16>, tensor<?x32x64x128xf32>)
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%beta) state(%pool) slots(%slots)
    : (tensor<?x16x128xbf16>, tensor<?x16x128xbf16>, tensor<?x32x64xbf16>, tensor<?x32xf32>, tensor<?x32xbf16>, tensor<?x32x64x128xf32>, tensor<?xi32>)
    -> (tensor<?x32x64xbf16>, tensor<?x32x64x128xf32>)
  return %o, %new : tensor<?x32x64xbf16>, tensor<?x32x64x128xf32>
}

// Sequences of as many tokens each, with a scale; no two types alike, but for the pools.
// CHECK-LABEL: @uniform(
func.func @uniform(%q: tensor<2x5x2x8xf16>, %k: tensor<2x5x2x8xf32>, %v: tensor<2x5x6x3xbf16>, %g: tensor<2x5x6xf16>,
                   %beta: tensor<2x5x6xf32>, %pool: tensor<9x6x3x8xbf16>, %slots: tensor<2xi32>)
    -> (tensor<2x5x6x3xf32>, tensor<9x6x3x8xbf16>) {
  // CHECK: slots(%{{.*}}) scale(2.500000e-01) : (tensor<2x5x2x8xf16>, tensor<2x5x2x8xf32>, tensor<2x5x6x3xbf16>, tensor<2x5x6xf16>, tensor<2x5x6xf32>, tensor<9x6x3x8xbf16>, tensor<2xi32>) -> (tensor<2x5x6x3xf32>, tensor<9x6x3x8xbf16>)
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%beta) state(%pool) slots(%slots) scale(0.25)
    : (tensor<2x5x2x8xf16>, tensor<2x5x2x8xf32>, tensor<2x5x6x3xbf16>, tensor<2x5x6xf16>, tensor<2x5x6xf32>, tensor<9x6x3x8xbf16>, tensor<2xi32>)
    -> (tensor<2x5x6x3xf32>, tensor<9x6x3x8xbf16>)
  return %o, %new : tensor<2x5x6x3xf32>, tensor<9x6x3x8xbf16>
}

// Prefill: sequences of any lengths, one slot each.
// CHECK-LABEL: @varlen(
func.func @varlen(%q: tensor<?x2x8xbf16>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf16>,
                  %slots: tensor<?xi32>, %bounds: tensor<?xi32>) -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf16>) {
  // CHECK: slots(%{{.*}}) bounds(%{{.*}}) : ({{.*}}, tensor<?xi32>, tensor<?xi32>) ->
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots) bounds(%bounds)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf16>, tensor<?xi32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf16>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf16>
}

// Speculative decoding: a slot for each token, and which to begin with.
// CHECK-LABEL: @speculative(
func.func @speculative(%q: tensor<?x2x8xbf16>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>,
                       %slots: tensor<?x3xi32>, %bounds: tensor<?xi32>, %accepted: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: slots(%{{.*}}) bounds(%{{.*}}) accepted(%{{.*}}) scale(1.000000e+00) {some.attribute} :
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool)
    slots(%slots) bounds(%bounds) accepted(%accepted) scale(1.0) {some.attribute}
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?x3xi32>, tensor<?xi32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// Drafts of as many tokens each: accepted counts beside two dimensions of tokens. Slots that
// lie in a table without counts begin with its first column.
// CHECK-LABEL: @drafts(
func.func @drafts(%q: tensor<?x3x2x8xbf16>, %v: tensor<?x3x4x8xbf16>, %g: tensor<?x3x4xf32>, %pool: tensor<?x4x8x8xf32>,
                  %slots: tensor<?x3xi32>, %accepted: tensor<?xi32>) -> (tensor<?x3x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: slots(%{{.*}}) accepted(%{{.*}}) :
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots) accepted(%accepted)
    : (tensor<?x3x2x8xbf16>, tensor<?x3x2x8xbf16>, tensor<?x3x4x8xbf16>, tensor<?x3x4xf32>, tensor<?x3x4xf32>, tensor<?x4x8x8xf32>, tensor<?x3xi32>, tensor<?xi32>)
    -> (tensor<?x3x4x8xbf16>, tensor<?x4x8x8xf32>)
  // CHECK: slots(%{{.*}}) :
  %p, %newer = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%new) slots(%slots)
    : (tensor<?x3x2x8xbf16>, tensor<?x3x2x8xbf16>, tensor<?x3x4x8xbf16>, tensor<?x3x4xf32>, tensor<?x3x4xf32>, tensor<?x4x8x8xf32>, tensor<?x3xi32>)
    -> (tensor<?x3x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %p, %newer : tensor<?x3x4x8xbf16>, tensor<?x4x8x8xf32>
}

// The largest state, and the smallest.
// CHECK-LABEL: @extents(
func.func @extents(%q: tensor<1x1x1024xf32>, %v: tensor<1x1x64xf32>, %g: tensor<1x1xf32>, %pool: tensor<2x1x64x1024xf32>,
                   %x: tensor<1x1x1xf32>, %y: tensor<1x1x1x1xf32>, %slots: tensor<1xi32>) {
  // CHECK: tensor<2x1x64x1024xf32>
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<1x1x1024xf32>, tensor<1x1x1024xf32>, tensor<1x1x64xf32>, tensor<1x1xf32>, tensor<1x1xf32>, tensor<2x1x64x1024xf32>, tensor<1xi32>)
    -> (tensor<1x1x64xf32>, tensor<2x1x64x1024xf32>)
  // CHECK: tensor<1x1x1x1xf32>
  %p, %newer = mortar.gated_delta_rule query(%x) key(%x) value(%x) decay(%g) beta(%g) state(%y) slots(%slots)
    : (tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1x1xf32>, tensor<1x1xf32>, tensor<1x1x1x1xf32>, tensor<1xi32>)
    -> (tensor<1x1x1xf32>, tensor<1x1x1x1xf32>)
  return
}

// One token of one head.
// CHECK-LABEL: @token(
func.func @token(%q: vector<8xbf16>, %k: vector<8xf32>, %v: vector<5xbf16>, %g: f32, %beta: bf16, %s: vector<5x8xf32>, %i: i32)
    -> (vector<5xbf16>, vector<5x8xf32>) {
  // CHECK: mortar.gated_delta_rule query(%{{.*}}) key(%{{.*}}) value(%{{.*}}) decay(%{{.*}}) beta(%{{.*}}) state(%{{.*}}) slots(%{{.*}}) : (vector<8xbf16>, vector<8xf32>, vector<5xbf16>, f32, bf16, vector<5x8xf32>, i32) -> (vector<5xf32>, vector<5x8xf32>)
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%beta) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xf32>, vector<5xbf16>, f32, bf16, vector<5x8xf32>, i32) -> (vector<5xf32>, vector<5x8xf32>)
  // CHECK: slots(%{{.*}}) bounds(%{{.*}}) accepted(%{{.*}}) scale(5.000000e-01) : ({{.*}}, i32, i32, i32) -> (vector<5xbf16>, vector<5x8xf32>)
  %p, %newer = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%beta) state(%new) slots(%i) bounds(%i) accepted(%i) scale(0.5)
    : (vector<8xbf16>, vector<8xf32>, vector<5xbf16>, f32, bf16, vector<5x8xf32>, i32, i32, i32) -> (vector<5xbf16>, vector<5x8xf32>)
  return %p, %newer : vector<5xbf16>, vector<5x8xf32>
}

// CHECK-LABEL: @state_primitives(
func.func @state_primitives(%k: vector<8xf32>, %v: vector<5xf32>) -> vector<5xf32> {
  // CHECK: %[[K:.*]] = mortar.state_broadcast <keys> %{{.*}} : vector<8xf32> -> vector<5x8xf32>
  %0 = mortar.state_broadcast <keys> %k : vector<8xf32> -> vector<5x8xf32>
  // CHECK: %[[V:.*]] = mortar.state_broadcast <values> %{{.*}} : vector<5xf32> -> vector<5x8xf32>
  %1 = mortar.state_broadcast <values> %v : vector<5xf32> -> vector<5x8xf32>
  // CHECK: %[[F:.*]] = math.fma %[[K]], %[[V]], %[[K]] : vector<5x8xf32>
  %2 = math.fma %0, %1, %0 : vector<5x8xf32>
  // CHECK: %[[S:.*]] = mortar.state_reduce %[[F]] : vector<5x8xf32> -> vector<5xf32>
  %3 = mortar.state_reduce %2 : vector<5x8xf32> -> vector<5xf32>
  // CHECK: mortar.mask_padding %[[S]] : vector<5xf32>
  %4 = mortar.mask_padding %3 : vector<5xf32>
  return %4 : vector<5xf32>
}
