// RUN: mortar-opt %s --mortar-fuse-rows --remarks-filter-missed='mortar.*' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s
// -verify-diagnostics refuses a remark that comes twice or where none is expected.

// With bounds a recurrence runs over the tokens of its sequences alone.
// CHECK-LABEL: @no_fuse_read_outside(
func.func @no_fuse_read_outside(%x: tensor<?x2x8xbf16>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>, tensor<?x2x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %n = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<?x2x8xbf16>) -> tensor<?x2x8xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_read_outside | Reason="its result is read outside the recurrence, too, which may not run over all tokens", Remark="l2_norm -> gated_delta_rule not fused"}}
  %o, %new = mortar.gated_delta_rule query(%n) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new, %n : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>, tensor<?x2x8xf32>
}

// -----

// Rows that are keys and values run along both sides of a state.
// CHECK-LABEL: @no_fuse_two_ways(
func.func @no_fuse_two_ways(%x: tensor<?x4x8xf32>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %n = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<?x4x8xf32>) -> tensor<?x4x8xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_two_ways | Reason="the recurrence reads its results in two ways", Remark="l2_norm -> gated_delta_rule not fused"}}
  %o, %new = mortar.gated_delta_rule query(%n) key(%n) value(%n) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x4x8xf32>, tensor<?x4x8xf32>, tensor<?x4x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// The new pool is whole when the last sequence is done.
// CHECK-LABEL: @no_fuse_pool_as_rows(
func.func @no_fuse_pool_as_rows(%d: tensor<?x4x8x8xf32>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: mortar.fused ins
  // CHECK-NOT: mortar.fused
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_pool_as_rows | Reason="it reads the recurrence's state as a row", Remark="gated_delta_rule -> residual_add not fused"}}
  %y = mortar.residual_add %new, %d : (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
  return %o, %y, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>
}

// -----

// A scale for all heads of a token needs the other heads, which other blocks hold.
// CHECK-LABEL: @no_fuse_all_heads(
func.func @no_fuse_all_heads(%q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x32xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: mortar.fused ins
  // CHECK-NOT: mortar.fused
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  %c = tensor.collapse_shape %o [[0], [1, 2]] : tensor<?x4x8xbf16> into tensor<?x32xbf16>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_all_heads | Reason="it reads the recurrence's value_row as a heads", Remark="gated_delta_rule -> quantize_dynamic not fused"}}
  %f, %s = mortar.quantize_dynamic %c : (tensor<?x32xbf16>) -> (tensor<?x32xf8E4M3FN>, tensor<?x1xf32>)
  return %f, %s, %new : tensor<?x32xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4x8x8xf32>
}

// -----

// What every token reads is one row for all.
// CHECK-LABEL: @no_fuse_weight(
func.func @no_fuse_weight(%z: tensor<?x4x8xbf16>, %w: tensor<8xbf16>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused
  // CHECK: mortar.fused recurrence
  // CHECK: mortar.gated_delta_rule
  // CHECK-NEXT: mortar.gated_rms_norm
  // CHECK-NOT: mortar.fused
  %u = mortar.residual_add %w, %w : (tensor<8xbf16>, tensor<8xbf16>) -> tensor<8xbf16>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_weight | Reason="the recurrence reads it as column", Remark="residual_add -> gated_delta_rule+gated_rms_norm not fused"}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  %y = mortar.gated_rms_norm %o gate(%z) weight(%u) epsilon(1.0e-6) : (tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<8xbf16>) -> tensor<?x4x8xbf16>
  return %y, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// CHECK-LABEL: @no_fuse_weight_of_heads(
func.func @no_fuse_weight_of_heads(%w: tensor<4xf32>, %a: tensor<?x4xbf16>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused
  // CHECK: mortar.fused recurrence
  // CHECK: mortar.gdn_gating
  // CHECK-NOT: mortar.fused
  %u = mortar.residual_add %w, %w : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_weight_of_heads | Reason="the recurrence reads it as head", Remark="residual_add -> gdn_gating+gated_delta_rule not fused"}}
  %h, %i = mortar.gdn_gating %a dt_bias(%u) a_log(%w) beta(%a) : (tensor<?x4xbf16>, tensor<4xf32>, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%h) beta(%i) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// CHECK-LABEL: @no_fuse_attribute(
func.func @no_fuse_attribute(%x: tensor<?x2x8xbf16>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x2x8xbf16>
  %e = tensor.empty(%t) : tensor<?x2x8xf32>
  %n = mortar.fused ins(%r = row %x : tensor<?x2x8xbf16>) outs(row %e : tensor<?x2x8xf32>) attributes {some.attribute} {
    %y = mortar.l2_norm %r epsilon(1.0e-6) : (vector<8xbf16>) -> vector<8xf32>
    mortar.yield %y : vector<8xf32>
  } -> tensor<?x2x8xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_attribute | Reason="it has attributes that a recurrence might not keep", Remark="l2_norm -> gated_delta_rule not fused"}}
  %o, %new = mortar.gated_delta_rule query(%n) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// Wider rows than a head's values.
// CHECK-LABEL: @no_fuse_other_rows(
func.func @no_fuse_other_rows(%x: tensor<?x4x16xbf16>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %n = mortar.silu_and_mul %x : (tensor<?x4x16xbf16>) -> tensor<?x4x8xbf16>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_other_rows | Reason="it reads a row that isn't one token's, or one head's", Remark="silu_and_mul -> gated_delta_rule not fused"}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%n) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// CHECK-LABEL: @no_fuse_other_leading_dimensions(
func.func @no_fuse_other_leading_dimensions(%x: tensor<?x8xf32>, %y: tensor<?x2x8xf32>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %c0 = arith.constant 0 : index
  %t = tensor.dim %q, %c0 : tensor<?x2x8xf32>
  %r = tensor.expand_shape %x [[0, 1], [2]] output_shape [%t, 2, 8] : tensor<?x8xf32> into tensor<?x2x8xf32>
  %n = mortar.residual_add %r, %y : (tensor<?x2x8xf32>, tensor<?x2x8xf32>) -> tensor<?x2x8xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_other_leading_dimensions | Reason="it reads a row that isn't one token's, or one head's", Remark="residual_add -> gated_delta_rule not fused"}}
  %o, %new = mortar.gated_delta_rule query(%n) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// A recurrence has no scalars of key heads.
// CHECK-LABEL: @no_fuse_scalar_of_a_key_row(
func.func @no_fuse_scalar_of_a_key_row(%x: tensor<?x2x8xf8E4M3FN>, %s: tensor<?x2x1xf32>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x2x8xf8E4M3FN>
  %e = tensor.empty(%t) : tensor<?x2x8xf32>
  %n = mortar.fused ins(%r = row %x, %c = row_scalar %s : tensor<?x2x8xf8E4M3FN>, tensor<?x2x1xf32>) outs(row %e : tensor<?x2x8xf32>) {
    %w = arith.extf %r : vector<8xf8E4M3FN> to vector<8xf32>
    %d = mortar.row_broadcast %c : f32 -> vector<8xf32>
    %y = arith.mulf %w, %d : vector<8xf32>
    mortar.yield %y : vector<8xf32>
  } -> tensor<?x2x8xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_scalar_of_a_key_row | Reason="it reads a row_scalar that isn't one token's, or one head's"}}
  %o, %new = mortar.gated_delta_rule query(%n) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// CHECK-LABEL: @no_fuse_shorter_rows(
func.func @no_fuse_shorter_rows(%q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x4xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: mortar.fused ins
  // CHECK-NOT: mortar.fused
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_shorter_rows | Reason="it makes a row that isn't one token's, or one head's", Remark="gated_delta_rule -> silu_and_mul not fused"}}
  %y = mortar.silu_and_mul %o : (tensor<?x4x8xbf16>) -> tensor<?x4x4xbf16>
  return %y, %new : tensor<?x4x4xbf16>, tensor<?x4x8x8xf32>
}

// -----

// CHECK-LABEL: @no_fuse_group_scalars(
func.func @no_fuse_group_scalars(%q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xf8E4M3FN>, tensor<?x4x2xf32>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: mortar.fused ins
  // CHECK-NOT: mortar.fused
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_group_scalars | Reason="it makes a group_scalar that isn't one token's, or one head's", Remark="gated_delta_rule -> quantize_dynamic not fused"}}
  %f, %s = mortar.quantize_dynamic %o group_size(4) : (tensor<?x4x8xbf16>) -> (tensor<?x4x8xf8E4M3FN>, tensor<?x4x2xf32>)
  return %f, %s, %new : tensor<?x4x8xf8E4M3FN>, tensor<?x4x2xf32>, tensor<?x4x8x8xf32>
}

// -----

// A norm of groups of a head's values.
// CHECK-LABEL: @no_fuse_groups(
func.func @no_fuse_groups(%z: tensor<?x4x8xbf16>, %w: tensor<8xbf16>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: mortar.fused ins
  // CHECK-NOT: mortar.fused
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_groups | Reason="'mortar.gated_rms_norm' reduces groups of a head's row, which a recurrence has whole", Remark="gated_delta_rule -> gated_rms_norm not fused"}}
  %y = mortar.gated_rms_norm %o gate(%z) weight(%w) epsilon(1.0e-6) group_size(4) : (tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<8xbf16>) -> tensor<?x4x8xbf16>
  return %y, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// The decays of a token normed together.
// CHECK-LABEL: @no_fuse_norm_of_heads(
func.func @no_fuse_norm_of_heads(%x: tensor<?x4xf32>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %n = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_norm_of_heads | Reason="'mortar.l2_norm' needs more than one head's element", Remark="l2_norm -> gated_delta_rule not fused"}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%n) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// Of Mortar's own ops only the gating knows scalars; arith.addf would join.
// CHECK-LABEL: @no_fuse_add_of_heads(
func.func @no_fuse_add_of_heads(%x: tensor<?x4xf32>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %n = mortar.residual_add %x, %b : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_add_of_heads | Reason="'mortar.residual_add' needs more than one head's element", Remark="residual_add -> gated_delta_rule not fused"}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%n) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// A constant row whose values differ.
// CHECK-LABEL: @no_fuse_constant_row(
func.func @no_fuse_constant_row(%x: tensor<3x1x2xf32>, %v: tensor<3x1x2xf32>, %g: tensor<3x1xf32>, %pool: tensor<?x1x2x2xf32>, %slots: tensor<3xi32>)
    -> (tensor<3x1x2xf32>, tensor<?x1x2x2xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %e = tensor.empty() : tensor<3x1x2xf32>
  %n = mortar.fused ins(%r = row %x : tensor<3x1x2xf32>) outs(row %e : tensor<3x1x2xf32>) {
    %c = arith.constant dense<[1.0, 2.0]> : vector<2xf32>
    %y = arith.mulf %r, %c : vector<2xf32>
    mortar.yield %y : vector<2xf32>
  } -> tensor<3x1x2xf32>
  // expected-remark @+1 {{[Missed] recurrence | Category:mortar-fusion | Function=no_fuse_constant_row | Reason="'arith.constant' needs more than one head's row"}}
  %o, %new = mortar.gated_delta_rule query(%n) key(%n) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<3x1x2xf32>, tensor<3x1x2xf32>, tensor<3x1x2xf32>, tensor<3x1xf32>, tensor<3x1xf32>, tensor<?x1x2x2xf32>, tensor<3xi32>)
    -> (tensor<3x1x2xf32>, tensor<?x1x2x2xf32>)
  return %o, %new : tensor<3x1x2xf32>, tensor<?x1x2x2xf32>
}

// -----

// CHECK-LABEL: @no_fuse_two_recurrences(
func.func @no_fuse_two_recurrences(%q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: mortar.fused recurrence ins
  // CHECK-NOT: mortar.fused
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  // expected-remark @+1 {{[Missed] domain | Category:mortar-fusion | Function=no_fuse_two_recurrences | Reason="both are recurrences, each with a state of its own", Remark="gated_delta_rule -> gated_delta_rule not fused"}}
  %p, %newer = mortar.gated_delta_rule query(%q) key(%k) value(%o) decay(%g) beta(%b) state(%new) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %p, %newer : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// What a foreign op makes of the result comes back behind the recurrence.
// CHECK-LABEL: @no_fuse_convexity(
func.func private @foreign(tensor<?x4x8xbf16>) -> tensor<?x4x8xbf16>
func.func @no_fuse_convexity(%w: tensor<8xbf16>, %q: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: call @foreign
  // CHECK: mortar.fused ins
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  %z = call @foreign(%o) : (tensor<?x4x8xbf16>) -> tensor<?x4x8xbf16>
  // expected-remark @+1 {{[Missed] convexity | Category:mortar-fusion | Function=no_fuse_convexity | Reason="a value leaves the producer, passes through an op that isn't fused, and comes back into the consumer", Remark="gated_delta_rule -> gated_rms_norm not fused"}}
  %y = mortar.gated_rms_norm %o gate(%z) weight(%w) epsilon(1.0e-6) : (tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<8xbf16>) -> tensor<?x4x8xbf16>
  return %y, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// CHECK-LABEL: @no_fuse_dtype_rule(
func.func @no_fuse_dtype_rule(%z: tensor<?x4x8xbf16>, %w: tensor<8xf32>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: mortar.fused ins
  // CHECK-NOT: mortar.fused
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  // expected-remark @+1 {{[Missed] dtype-rule | Category:mortar-fusion | Function=no_fuse_dtype_rule | Reason="the norm's row is made of bf16, and its weight is f32"}}
  %y = mortar.gated_rms_norm %o gate(%z) weight(%w) epsilon(1.0e-6) : (tensor<?x4x8xbf16>, tensor<?x4x8xbf16>, tensor<8xf32>) -> tensor<?x4x8xbf16>
  return %y, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// A rule that may mean something else stays an op.
// CHECK-LABEL: @no_fuse_unknown_attribute(
func.func @no_fuse_unknown_attribute(%x: tensor<?x2x8xbf16>, %q: tensor<?x2x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x4x8xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %pool: tensor<?x4x8x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>) {
  // CHECK: mortar.fused ins
  // CHECK: mortar.gated_delta_rule {{.*}} {some.attribute}
  // CHECK-NOT: mortar.fused
  %n = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<?x2x8xbf16>) -> tensor<?x2x8xf32>
  // expected-remark @+1 {{[Missed] unknown-attribute | Category:mortar-fusion | Function=no_fuse_unknown_attribute | Reason="the attribute 'some.attribute' may change what the op means"}}
  %o, %new = mortar.gated_delta_rule query(%n) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots) {some.attribute}
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x8xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>)
  return %o, %new : tensor<?x4x8xbf16>, tensor<?x4x8x8xf32>
}

// -----

// CHECK-LABEL: @no_fuse_state_of_a_block(
func.func @no_fuse_state_of_a_block(%q: tensor<1x1x256xf32>, %k: tensor<1x1x256xf32>, %v: tensor<1x2x256xf32>, %g: tensor<1x2xf32>, %b: tensor<1x2xf32>, %pool: tensor<2x2x256x256xf32>, %slots: tensor<1xi32>, %w: tensor<256xf32>) -> (tensor<1x2x256xf32>, tensor<2x2x256x256xf32>) {
  // CHECK: mortar.fused recurrence ins
  // CHECK: mortar.fused ins
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
   : (tensor<1x1x256xf32>, tensor<1x1x256xf32>, tensor<1x2x256xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<2x2x256x256xf32>, tensor<1xi32>) -> (tensor<1x2x256xf32>, tensor<2x2x256x256xf32>)
  // expected-remark @+1 {{[Missed] budget | Category:mortar-fusion | Function=no_fuse_state_of_a_block | Reason="a row of values is reduced, so that one block would hold all 65536 elements of a head's state", Remark="gated_delta_rule -> rms_norm not fused"}}
  %n = mortar.rms_norm %o weight(%w) epsilon(1.0e-6) : (tensor<1x2x256xf32>, tensor<256xf32>) -> tensor<1x2x256xf32>
  return %n, %new : tensor<1x2x256xf32>, tensor<2x2x256x256xf32>
}
