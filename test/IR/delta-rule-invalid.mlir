// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @gdn_gating_c1_b(%a: tensor<?x4xbf16>, %dt: tensor<4xbf16>, %log: tensor<4xf32>, %b: tensor<?x2xbf16>) {
  // expected-error @+1 {{'mortar.gdn_gating' op (C1) expected b to have the shape of a, 'tensor<?x4xbf16>', but found 'tensor<?x2xbf16>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, tensor<4xbf16>, tensor<4xf32>, tensor<?x2xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @gdn_gating_c1_rank(%a: tensor<?x4xbf16>, %dt: tensor<4xbf16>, %log: tensor<4xf32>, %b: tensor<1x?x4xbf16>) {
  // expected-error @+1 {{(C1) expected b to have the shape of a, 'tensor<?x4xbf16>', but found 'tensor<1x?x4xbf16>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, tensor<4xbf16>, tensor<4xf32>, tensor<1x?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @gdn_gating_c1_decay(%a: tensor<3x4xbf16>, %dt: tensor<4xbf16>, %log: tensor<4xf32>, %b: tensor<?x4xbf16>) {
  // expected-error @+1 {{(C1) expected decay to have the shape of a, 'tensor<3x4xbf16>', but found 'tensor<2x4xf32>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<3x4xbf16>, tensor<4xbf16>, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<2x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @gdn_gating_c1_strength(%a: tensor<?x4xbf16>, %dt: tensor<4xbf16>, %log: tensor<4xf32>, %b: tensor<?x4xbf16>) {
  // expected-error @+1 {{(C1) expected strength to have the shape of a, 'tensor<?x4xbf16>', but found 'tensor<?x8xf32>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, tensor<4xbf16>, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x8xf32>)
  return
}

// -----

func.func @gdn_gating_c1_tensor_to_row(%a: tensor<4xbf16>, %dt: tensor<4xbf16>, %log: tensor<4xf32>, %b: tensor<4xbf16>) {
  // expected-error @+1 {{(C1) expected strength to have the shape of a, 'tensor<4xbf16>', but found 'vector<4xf32>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<4xbf16>, tensor<4xbf16>, tensor<4xf32>, tensor<4xbf16>) -> (tensor<4xf32>, vector<4xf32>)
  return
}

// -----

func.func @gdn_gating_c1_scalar_to_row(%a: bf16, %dt: bf16, %log: bf16, %b: vector<1xbf16>) {
  // expected-error @+1 {{(C1) expected b to have the shape of a, 'bf16', but found 'vector<1xbf16>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (bf16, bf16, bf16, vector<1xbf16>) -> (f32, f32)
  return
}

// -----

func.func @gdn_gating_c1_row_to_scalar(%a: vector<1xbf16>, %dt: vector<1xbf16>, %log: vector<1xbf16>, %b: vector<1xbf16>) {
  // expected-error @+1 {{(C1) expected decay to have the shape of a, 'vector<1xbf16>', but found 'f32'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (vector<1xbf16>, vector<1xbf16>, vector<1xbf16>, vector<1xbf16>) -> (f32, f32)
  return
}

// -----

func.func @gdn_gating_c2_dt_bias(%a: tensor<?x4xbf16>, %dt: tensor<8xbf16>, %log: tensor<4xf32>, %b: tensor<?x4xbf16>) {
  // expected-error @+1 {{(C2) expected dt_bias to have rank 1 and one element for each head of a, 'tensor<?x4xbf16>', but found 'tensor<8xbf16>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, tensor<8xbf16>, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @gdn_gating_c2_a_log(%a: tensor<?x4xbf16>, %dt: tensor<4xbf16>, %log: tensor<2xf32>, %b: tensor<?x4xbf16>) {
  // expected-error @+1 {{(C2) expected a_log to have rank 1 and one element for each head of a, 'tensor<?x4xbf16>', but found 'tensor<2xf32>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, tensor<4xbf16>, tensor<2xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @gdn_gating_c2_rank(%a: tensor<?x4xbf16>, %dt: tensor<4xbf16>, %log: tensor<?x4xf32>, %b: tensor<?x4xbf16>) {
  // expected-error @+1 {{(C2) expected a_log to have rank 1 and one element for each head of a, 'tensor<?x4xbf16>', but found 'tensor<?x4xf32>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, tensor<4xbf16>, tensor<?x4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @gdn_gating_c2_scalar(%a: tensor<?x4xbf16>, %dt: bf16, %log: tensor<4xf32>, %b: tensor<?x4xbf16>) {
  // expected-error @+1 {{(C2) expected dt_bias to have rank 1 and one element for each head of a, 'tensor<?x4xbf16>', but found 'bf16'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, bf16, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @gdn_gating_c2_tensor_in_token(%a: bf16, %dt: bf16, %log: tensor<1xf32>, %b: bf16) {
  // expected-error @+1 {{(C2) expected a_log to have rank 1 and one element for each head of a, 'bf16', but found 'tensor<1xf32>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (bf16, bf16, tensor<1xf32>, bf16) -> (f32, f32)
  return
}

// -----

func.func @gdn_gating_element_type(%a: tensor<?x4xf64>, %dt: tensor<4xbf16>, %log: tensor<4xf32>, %b: tensor<?x4xbf16>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or a head's value of it, but got 'tensor<?x4xf64>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xf64>, tensor<4xbf16>, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @gdn_gating_rank_0(%a: tensor<bf16>, %dt: tensor<4xbf16>, %log: tensor<4xf32>, %b: tensor<?x4xbf16>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or a head's value of it, but got 'tensor<bf16>'}}
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<bf16>, tensor<4xbf16>, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  return
}

// -----

func.func @l2_norm_c1_shape(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{'mortar.l2_norm' op (C1) expected result to have the shape of input, 'tensor<4x64xbf16>', but found 'tensor<4x32xbf16>'}}
  %y = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x32xbf16>
  return
}

// -----

func.func @l2_norm_c1_rank(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C1) expected result to have the shape of input, 'tensor<4x64xbf16>', but found 'tensor<1x4x64xbf16>'}}
  %y = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<1x4x64xbf16>
  return
}

// -----

func.func @l2_norm_c1_tensor_to_row(%x: tensor<64xbf16>) {
  // expected-error @+1 {{(C1) expected result to have the shape of input, 'tensor<64xbf16>', but found 'vector<64xbf16>'}}
  %y = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<64xbf16>) -> vector<64xbf16>
  return
}

// -----

func.func @l2_norm_c2_zero(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{'mortar.l2_norm' op (C2) expected a finite epsilon greater than 0, but found 0.000000e+00 : f32}}
  %y = mortar.l2_norm %x epsilon(0.0) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @l2_norm_c2_negative(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C2) expected a finite epsilon greater than 0, but found -1.000000e+00 : f32}}
  %y = mortar.l2_norm %x epsilon(-1.0) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @l2_norm_c2_infinite(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C2) expected a finite epsilon greater than 0, but found 0x7F800000 : f32}}
  %y = mortar.l2_norm %x epsilon(0x7F800000) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @l2_norm_c2_nan(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C2) expected a finite epsilon greater than 0, but found 0x7FC00000 : f32}}
  %y = mortar.l2_norm %x epsilon(0x7FC00000) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @l2_norm_element_type(%x: tensor<4x64xi32>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'tensor<4x64xi32>'}}
  %y = mortar.l2_norm %x epsilon(1.0e-6) : (tensor<4x64xi32>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_delta_rule_c1_query_rank_2(%q: tensor<2x8xbf16>, %k: tensor<2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{'mortar.gated_delta_rule' op (C1) expected a query of shape [.., H, K] with one or two leading dimensions, and H and K static, but found 'tensor<2x8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<2x8xbf16>, tensor<2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_query_rank_5(%q: tensor<1x1x?x2x8xbf16>, %k: tensor<1x1x?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a query of shape [.., H, K] with one or two leading dimensions, and H and K static, but found 'tensor<1x1x?x2x8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<1x1x?x2x8xbf16>, tensor<1x1x?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_query_rank_1(%q: tensor<8xbf16>, %k: tensor<8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a query of shape [.., H, K] with one or two leading dimensions, and H and K static, but found 'tensor<8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<8xbf16>, tensor<8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_query_dynamic_heads(%q: tensor<?x?x8xbf16>, %k: tensor<?x?x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a query of shape [.., H, K] with one or two leading dimensions, and H and K static, but found 'tensor<?x?x8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x?x8xbf16>, tensor<?x?x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_query_dynamic_keys(%q: tensor<?x2x?xbf16>, %k: tensor<?x2x?xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a query of shape [.., H, K] with one or two leading dimensions, and H and K static, but found 'tensor<?x2x?xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x?xbf16>, tensor<?x2x?xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_query_no_heads(%q: tensor<?x0x8xbf16>, %k: tensor<?x0x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a query of shape [.., H, K] with one or two leading dimensions, and H and K static, but found 'tensor<?x0x8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x0x8xbf16>, tensor<?x0x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_query_no_keys(%q: tensor<?x2x0xbf16>, %k: tensor<?x2x0xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a query of shape [.., H, K] with one or two leading dimensions, and H and K static, but found 'tensor<?x2x0xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x0xbf16>, tensor<?x2x0xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_key_shape(%q: tensor<?x2x8xbf16>, %k: tensor<?x1x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a key of the query's shape, but found 'tensor<?x1x8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x1x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_key_rank(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8x1xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a key of the query's shape, but found 'tensor<?x2x8x1xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8x1xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_value_rank(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x1x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a value of shape [.., HV, V] with the query's leading dimensions, and HV and V static, but found 'tensor<?x1x4x5xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x1x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x1x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_value_tokens(%q: tensor<3x2x8xbf16>, %k: tensor<3x2x8xbf16>, %v: tensor<4x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a value of shape [.., HV, V] with the query's leading dimensions, and HV and V static, but found 'tensor<4x4x5xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<3x2x8xbf16>, tensor<3x2x8xbf16>, tensor<4x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<4x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_value_dynamic_heads(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x?x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a value of shape [.., HV, V] with the query's leading dimensions, and HV and V static, but found 'tensor<?x?x5xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x?x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x?x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_value_dynamic_length(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x?xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a value of shape [.., HV, V] with the query's leading dimensions, and HV and V static, but found 'tensor<?x4x?xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x?xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x?xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_value_of_no_values(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x0xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a value of shape [.., HV, V] with the query's leading dimensions, and HV and V static, but found 'tensor<?x4x0xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x0xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x0xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_heads(%q: tensor<?x3x8xbf16>, %k: tensor<?x3x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a number of value heads that is a multiple of the 3 key heads, but found 'tensor<?x4x5xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x3x8xbf16>, tensor<?x3x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c1_more_key_heads(%q: tensor<?x8x8xbf16>, %k: tensor<?x8x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C1) expected a number of value heads that is a multiple of the 8 key heads, but found 'tensor<?x4x5xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x8x8xbf16>, tensor<?x8x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c2_decay_heads(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x2xf32>, %b: tensor<?x2xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C2) expected decay to have the value's shape without its last dimension, but found 'tensor<?x2xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c2_decay_rank(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<4xf32>, %b: tensor<4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C2) expected decay to have the value's shape without its last dimension, but found 'tensor<4xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<4xf32>, tensor<4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c2_beta_per_value(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4x5xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C2) expected beta to have the value's shape without its last dimension, but found 'tensor<?x4x5xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4x5xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c2_beta_tokens(%q: tensor<3x2x8xbf16>, %k: tensor<3x2x8xbf16>, %v: tensor<3x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<2x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C2) expected beta to have the value's shape without its last dimension, but found 'tensor<2x4xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<3x2x8xbf16>, tensor<3x2x8xbf16>, tensor<3x4x5xbf16>, tensor<?x4xf32>, tensor<2x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<3x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c3_transposed(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x8x5xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C3) expected a state of shape [slots, 4, 5, 8], but found 'tensor<?x4x8x5xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x5xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x8x5xf32>)
  return
}

// -----

func.func @gated_delta_rule_c3_heads(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x2x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C3) expected a state of shape [slots, 4, 5, 8], but found 'tensor<?x2x5x8xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x2x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x2x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c3_rank(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C3) expected a state of shape [slots, 4, 5, 8], but found 'tensor<4x5x8xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c3_dynamic(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x?xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C3) expected a state of shape [slots, 4, 5, 8], but found 'tensor<?x4x5x?xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x?xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x?xf32>)
  return
}

// -----

func.func @gated_delta_rule_c3_rank_0(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<f32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C3) expected a state of shape [slots, 4, 5, 8], but found 'tensor<f32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<f32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<f32>)
  return
}

// -----

func.func @gated_delta_rule_c3_new_state_type(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C3) expected the new state to have the state's type, but found 'tensor<?x4x5x8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xbf16>)
  return
}

// -----

func.func @gated_delta_rule_c3_new_state_slots(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C3) expected the new state to have the state's type, but found 'tensor<7x4x5x8xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<7x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c3_new_state_matrix(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C3) expected the new state to have the state's type, but found 'vector<5x8xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c4_rank(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?x1x1xi32>) {
  // expected-error @+1 {{(C4) expected slots of shape [S] or [S, N], with N static and at least 1, but found 'tensor<?x1x1xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?x1x1xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c4_rank_0(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<i32>) {
  // expected-error @+1 {{(C4) expected slots of shape [S] or [S, N], with N static and at least 1, but found 'tensor<i32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<i32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c4_dynamic_columns(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?x?xi32>) {
  // expected-error @+1 {{(C4) expected slots of shape [S] or [S, N], with N static and at least 1, but found 'tensor<?x?xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?x?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c4_no_columns(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?x0xi32>) {
  // expected-error @+1 {{(C4) expected slots of shape [S] or [S, N], with N static and at least 1, but found 'tensor<?x0xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?x0xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c5_rank(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>, %bounds: tensor<?x1xi32>) {
  // expected-error @+1 {{(C5) expected bounds of rank 1, beside one leading dimension of tokens, but found 'tensor<?x1xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) bounds(%bounds)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>, tensor<?x1xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c5_two_dimensions_of_tokens(%q: tensor<?x3x2x8xbf16>, %k: tensor<?x3x2x8xbf16>, %v: tensor<?x3x4x5xbf16>, %g: tensor<?x3x4xf32>, %b: tensor<?x3x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>, %bounds: tensor<?xi32>) {
  // expected-error @+1 {{(C5) expected bounds of rank 1, beside one leading dimension of tokens, but found 'tensor<?xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) bounds(%bounds)
    : (tensor<?x3x2x8xbf16>, tensor<?x3x2x8xbf16>, tensor<?x3x4x5xbf16>, tensor<?x3x4xf32>, tensor<?x3x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>, tensor<?xi32>)
    -> (tensor<?x3x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c6_slots_without_columns(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>, %accepted: tensor<?xi32>) {
  // expected-error @+1 {{(C6) expected accepted of shape [S], beside slots of shape [S, N], but found 'tensor<?xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) accepted(%accepted)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c6_rank(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?x3xi32>, %accepted: tensor<?x3xi32>) {
  // expected-error @+1 {{(C6) expected accepted of shape [S], beside slots of shape [S, N], but found 'tensor<?x3xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) accepted(%accepted)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?x3xi32>, tensor<?x3xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c6_sequences(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<4x3xi32>, %accepted: tensor<5xi32>) {
  // expected-error @+1 {{(C6) expected accepted of shape [S], beside slots of shape [S, N], but found 'tensor<5xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) accepted(%accepted)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<4x3xi32>, tensor<5xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c7_zero(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C7) expected a finite scale greater than 0, but found 0.000000e+00 : f32}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) scale(0.0)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c7_negative_zero(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C7) expected a finite scale greater than 0, but found -0.000000e+00 : f32}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) scale(-0.0)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c7_negative(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C7) expected a finite scale greater than 0, but found -5.000000e-01 : f32}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) scale(-0.5)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c7_infinite(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C7) expected a finite scale greater than 0, but found 0x7F800000 : f32}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) scale(0x7F800000)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c7_nan(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C7) expected a finite scale greater than 0, but found 0x7FC00000 : f32}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) scale(0x7FC00000)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c8_shape(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C8) expected a result of the value's shape, but found 'tensor<?x4x8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x8xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c8_rank(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C8) expected a result of the value's shape, but found 'tensor<?x20xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x20xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c8_row(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C8) expected a result of the value's shape, but found 'vector<5xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (vector<5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_state_tensor(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: tensor<?x4x5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected the states of a token's program to be one matrix type, but found 'tensor<?x4x5x8xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, tensor<?x4x5x8xf32>, i32)
    -> (vector<5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_new_state(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected the states of a token's program to be one matrix type, but found 'vector<8x5xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i32)
    -> (vector<5xbf16>, vector<8x5xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_query(%q: vector<5xbf16>, %k: vector<5xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected query of a token's program to be a row of 8 keys, but found 'vector<5xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<5xbf16>, vector<5xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i32)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_key(%q: vector<8xbf16>, %k: vector<16xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected key of a token's program to be a row of 8 keys, but found 'vector<16xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<16xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i32)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_key_tensor(%q: vector<8xbf16>, %k: tensor<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected key of a token's program to be a row of 8 keys, but found 'tensor<8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, tensor<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i32)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_value(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<8xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected value of a token's program to be a row of 5 values, but found 'vector<8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<8xbf16>, f32, f32, vector<5x8xf32>, i32)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_result(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected result of a token's program to be a row of 5 values, but found 'vector<4xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i32)
    -> (vector<4xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_decay(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: vector<1xf32>, %b: f32, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected decay, beta and indices of a token's program to be scalars, but found 'vector<1xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, vector<1xf32>, f32, vector<5x8xf32>, i32)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_beta(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: tensor<1xf32>, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected decay, beta and indices of a token's program to be scalars, but found 'tensor<1xf32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, tensor<1xf32>, vector<5x8xf32>, i32)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_slots(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C9) expected decay, beta and indices of a token's program to be scalars, but found 'tensor<?xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, tensor<?xi32>)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_bounds(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32, %bounds: tensor<?xi32>) {
  // expected-error @+1 {{(C9) expected decay, beta and indices of a token's program to be scalars, but found 'tensor<?xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) bounds(%bounds)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i32, tensor<?xi32>)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_accepted(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32, %accepted: tensor<?xi32>) {
  // expected-error @+1 {{(C9) expected decay, beta and indices of a token's program to be scalars, but found 'tensor<?xi32>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) accepted(%accepted)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i32, tensor<?xi32>)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c7_in_a_token(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C7) expected a finite scale greater than 0, but found -1.000000e+00 : f32}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) scale(-1.0)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i32)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_scalar_decay(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: f32, %b: f32, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C9) expected all operands to be tensors, or parts of a token's program, but found 'f32'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, f32, f32, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_row_value(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: vector<5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C9) expected all operands to be tensors, or parts of a token's program, but found 'vector<5xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, vector<5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c9_scalar_slot(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: i32) {
  // expected-error @+1 {{(C9) expected all operands to be tensors, or parts of a token's program, but found 'i32'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, i32)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c10_keys(%q: tensor<?x1x1025xbf16>, %k: tensor<?x1x1025xbf16>, %v: tensor<?x1x1xbf16>, %g: tensor<?x1xf32>, %b: tensor<?x1xf32>, %s: tensor<?x1x1x1025xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C10) expected at most 1024 keys, and at most 65536 elements in a head's state, but found 1 times 1025}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x1x1025xbf16>, tensor<?x1x1025xbf16>, tensor<?x1x1xbf16>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1x1x1025xf32>, tensor<?xi32>)
    -> (tensor<?x1x1xbf16>, tensor<?x1x1x1025xf32>)
  return
}

// -----

func.func @gated_delta_rule_c10_elements(%q: tensor<?x1x256xbf16>, %k: tensor<?x1x256xbf16>, %v: tensor<?x1x257xbf16>, %g: tensor<?x1xf32>, %b: tensor<?x1xf32>, %s: tensor<?x1x257x256xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C10) expected at most 1024 keys, and at most 65536 elements in a head's state, but found 257 times 256}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x1x256xbf16>, tensor<?x1x256xbf16>, tensor<?x1x257xbf16>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1x257x256xf32>, tensor<?xi32>)
    -> (tensor<?x1x257xbf16>, tensor<?x1x257x256xf32>)
  return
}

// -----

func.func @gated_delta_rule_c10_one_key(%q: tensor<?x1x1xbf16>, %k: tensor<?x1x1xbf16>, %v: tensor<?x1x65537xbf16>, %g: tensor<?x1xf32>, %b: tensor<?x1xf32>, %s: tensor<?x1x65537x1xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C10) expected at most 1024 keys, and at most 65536 elements in a head's state, but found 65537 times 1}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x1x1xbf16>, tensor<?x1x1xbf16>, tensor<?x1x65537xbf16>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1x65537x1xf32>, tensor<?xi32>)
    -> (tensor<?x1x65537xbf16>, tensor<?x1x65537x1xf32>)
  return
}

// -----

// The product is 0 in 64 bits.
func.func @gated_delta_rule_c10_product_that_wraps(%q: tensor<?x1x8xbf16>, %k: tensor<?x1x8xbf16>, %v: tensor<?x1x4611686018427387904xbf16>, %g: tensor<?x1xf32>, %b: tensor<?x1xf32>, %s: tensor<?x1x4611686018427387904x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{(C10) expected at most 1024 keys, and at most 65536 elements in a head's state, but found 4611686018427387904 times 8}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x1x8xbf16>, tensor<?x1x8xbf16>, tensor<?x1x4611686018427387904xbf16>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1x4611686018427387904x8xf32>, tensor<?xi32>)
    -> (tensor<?x1x4611686018427387904xbf16>, tensor<?x1x4611686018427387904x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_c10_in_a_token(%q: vector<1024xf32>, %k: vector<1024xf32>, %v: vector<128xf32>, %g: f32, %b: f32, %s: vector<128x1024xf32>, %i: i32) {
  // expected-error @+1 {{(C10) expected at most 1024 keys, and at most 65536 elements in a head's state, but found 128 times 1024}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<1024xf32>, vector<1024xf32>, vector<128xf32>, f32, f32, vector<128x1024xf32>, i32)
    -> (vector<128xf32>, vector<128x1024xf32>)
  return
}

// -----

func.func @gated_delta_rule_index_type(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi64>) {
  // expected-error @+1 {{'mortar.gated_delta_rule' op operand #6 must be a tensor of i32, or an i32 in a token's program, but got 'tensor<?xi64>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi64>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_index_type_of_bounds(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>, %bounds: tensor<?xindex>) {
  // expected-error @+1 {{operand #7 must be a tensor of i32, or an i32 in a token's program, but got 'tensor<?xindex>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) bounds(%bounds)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>, tensor<?xindex>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_index_type_of_accepted(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?x2xi32>, %accepted: tensor<?xi16>) {
  // expected-error @+1 {{operand #7 must be a tensor of i32, or an i32 in a token's program, but got 'tensor<?xi16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i) accepted(%accepted)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?x2xi32>, tensor<?xi16>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_index_type_in_a_token(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xf32>, %i: i64) {
  // expected-error @+1 {{operand #6 must be a tensor of i32, or an i32 in a token's program, but got 'i64'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xf32>, i64)
    -> (vector<5xbf16>, vector<5x8xf32>)
  return
}

// -----

func.func @gated_delta_rule_state_type(%q: tensor<?x2x8xbf16>, %k: tensor<?x2x8xbf16>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf8E4M3FN>, %i: tensor<?xi32>) {
  // expected-error @+1 {{operand #5 must be a tensor of f32, f16 or bf16, or a matrix of f32, but got 'tensor<?x4x5x8xf8E4M3FN>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xbf16>, tensor<?x2x8xbf16>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf8E4M3FN>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf8E4M3FN>)
  return
}

// -----

func.func @gated_delta_rule_state_type_in_a_token(%q: vector<8xbf16>, %k: vector<8xbf16>, %v: vector<5xbf16>, %g: f32, %b: f32, %s: vector<5x8xbf16>, %i: i32) {
  // expected-error @+1 {{operand #5 must be a tensor of f32, f16 or bf16, or a matrix of f32, but got 'vector<5x8xbf16>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (vector<8xbf16>, vector<8xbf16>, vector<5xbf16>, f32, f32, vector<5x8xbf16>, i32)
    -> (vector<5xbf16>, vector<5x8xbf16>)
  return
}

// -----

func.func @gated_delta_rule_element_type(%q: tensor<?x2x8xi8>, %k: tensor<?x2x8xi8>, %v: tensor<?x4x5xbf16>, %g: tensor<?x4xf32>, %b: tensor<?x4xf32>, %s: tensor<?x4x5x8xf32>, %i: tensor<?xi32>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'tensor<?x2x8xi8>'}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%s) slots(%i)
    : (tensor<?x2x8xi8>, tensor<?x2x8xi8>, tensor<?x4x5xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xbf16>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @state_broadcast_c1_keys(%r: vector<5xf32>) {
  // expected-error @+1 {{'mortar.state_broadcast' op (C1) expected a row of 8 keys for 'vector<5x8xf32>', but found 'vector<5xf32>'}}
  %m = mortar.state_broadcast <keys> %r : vector<5xf32> -> vector<5x8xf32>
  return
}

// -----

func.func @state_broadcast_c1_values(%r: vector<8xf32>) {
  // expected-error @+1 {{(C1) expected a row of 5 values for 'vector<5x8xf32>', but found 'vector<8xf32>'}}
  %m = mortar.state_broadcast <values> %r : vector<8xf32> -> vector<5x8xf32>
  return
}

// -----

func.func @state_broadcast_element_type(%r: vector<8xbf16>) {
  // expected-error @+1 {{operand #0 must be fixed-length vector of 32-bit float values of ranks 1, but got 'vector<8xbf16>'}}
  %m = mortar.state_broadcast <keys> %r : vector<8xbf16> -> vector<5x8xf32>
  return
}

// -----

func.func @state_broadcast_rank(%r: vector<8xf32>) {
  // expected-error @+1 {{result #0 must be fixed-length vector of 32-bit float values of ranks 2, but got 'vector<2x5x8xf32>'}}
  %m = mortar.state_broadcast <keys> %r : vector<8xf32> -> vector<2x5x8xf32>
  return
}

// -----

func.func @state_broadcast_axis(%r: vector<8xf32>) {
  // expected-error @+2 {{expected ::mortar::StateAxis to be one of: keys, values}}
  // expected-error @+1 {{failed to parse Mortar_StateAxisAttr parameter}}
  %m = mortar.state_broadcast <heads> %r : vector<8xf32> -> vector<5x8xf32>
  return
}

// -----

func.func @state_reduce_c1(%m: vector<5x8xf32>) {
  // expected-error @+1 {{'mortar.state_reduce' op (C1) expected a result of 5 values for 'vector<5x8xf32>', but found 'vector<8xf32>'}}
  %r = mortar.state_reduce %m : vector<5x8xf32> -> vector<8xf32>
  return
}

// -----

func.func @state_reduce_to_scalar(%m: vector<5x8xf32>) {
  // expected-error @+1 {{'mortar.state_reduce' invalid kind of type specified: expected builtin.vector, but found 'f32'}}
  %r = mortar.state_reduce %m : vector<5x8xf32> -> f32
  return
}

// -----

func.func @state_reduce_of_row(%m: vector<8xf32>) {
  // expected-error @+1 {{operand #0 must be fixed-length vector of 32-bit float values of ranks 2, but got 'vector<8xf32>'}}
  %r = mortar.state_reduce %m : vector<8xf32> -> vector<8xf32>
  return
}

// -----

func.func @mask_padding_element_type(%r: vector<8xbf16>) {
  // expected-error @+1 {{'mortar.mask_padding' op operand #0 must be fixed-length vector of 32-bit float values of ranks 1, but got 'vector<8xbf16>'}}
  %m = mortar.mask_padding %r : vector<8xbf16>
  return
}

// -----

func.func @mask_padding_types(%r: vector<8xf32>) {
  // expected-error @+1 {{'mortar.mask_padding' op failed to verify that all of {input, result} have same type}}
  %m = "mortar.mask_padding"(%r) : (vector<8xf32>) -> vector<4xf32>
  return
}
