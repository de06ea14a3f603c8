// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @rms_norm_c1_shape(%x: tensor<4x64xbf16>) -> tensor<4x32xbf16> {
  // expected-error @+1 {{'mortar.rms_norm' op (C1) expected result to have the shape of input, 'tensor<4x64xbf16>', but found 'tensor<4x32xbf16>'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x32xbf16>
  return %y : tensor<4x32xbf16>
}

// -----

func.func @rms_norm_c1_rank(%x: tensor<4x64xbf16>) -> tensor<1x4x64xbf16> {
  // expected-error @+1 {{(C1) expected result to have the shape of input, 'tensor<4x64xbf16>', but found 'tensor<1x4x64xbf16>'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<1x4x64xbf16>
  return %y : tensor<1x4x64xbf16>
}

// -----

func.func @rms_norm_c1_tensor_to_row(%x: tensor<64xbf16>) -> vector<64xbf16> {
  // expected-error @+1 {{(C1) expected result to have the shape of input, 'tensor<64xbf16>', but found 'vector<64xbf16>'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<64xbf16>) -> vector<64xbf16>
  return %y : vector<64xbf16>
}

// -----

func.func @rms_norm_c2_zero(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C2) expected a finite epsilon greater than 0, but found 0.000000e+00 : f32}}
  %y = mortar.rms_norm %x epsilon(0.0) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_c2_negative(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C2) expected a finite epsilon greater than 0, but found -1.000000e+00 : f32}}
  %y = mortar.rms_norm %x epsilon(-1.0) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_c2_infinite(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C2) expected a finite epsilon greater than 0, but found 0x7F800000 : f32}}
  %y = mortar.rms_norm %x epsilon(0x7F800000) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_c2_nan(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C2) expected a finite epsilon greater than 0, but found 0x7FC00000 : f32}}
  %y = mortar.rms_norm %x epsilon(0x7FC00000) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_c3_length(%x: tensor<4x64xbf16>, %w: tensor<32xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C3) expected a weight of rank 1 with one element for each in the last dimension of input, 'tensor<4x64xbf16>', but found 'tensor<32xbf16>'}}
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6)
    : (tensor<4x64xbf16>, tensor<32xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_c3_rank(%x: tensor<4x64xbf16>, %w: tensor<1x64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C3) expected a weight of rank 1 with one element for each in the last dimension of input, 'tensor<4x64xbf16>', but found 'tensor<1x64xbf16>'}}
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6)
    : (tensor<4x64xbf16>, tensor<1x64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_c3_tensor_for_row(%x: vector<64xbf16>, %w: tensor<64xbf16>) -> vector<64xbf16> {
  // expected-error @+1 {{(C3) expected a weight of rank 1 with one element for each in the last dimension of input, 'vector<64xbf16>', but found 'tensor<64xbf16>'}}
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6)
    : (vector<64xbf16>, tensor<64xbf16>) -> vector<64xbf16>
  return %y : vector<64xbf16>
}

// -----

func.func @rms_norm_c4(%x: tensor<4x64xbf16>, %w: tensor<64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C4) expected weight_offset to be 0, or 1 with a weight, but found 2}}
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) weight_offset(2)
    : (tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_c4_no_weight(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C4) expected weight_offset to be 0, or 1 with a weight, but found 1 without a weight}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) weight_offset(1)
    : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_c5(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // expected-error @+1 {{(C5) expected inner type f32, f16 or bf16, but found 'f64'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) inner(f64) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

func.func @rms_norm_element_type(%x: tensor<4x64xf64>) -> tensor<4x64xf64> {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'tensor<4x64xf64>'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x64xf64>) -> tensor<4x64xf64>
  return %y : tensor<4x64xf64>
}

// -----

func.func @rms_norm_no_row(%x: tensor<bf16>) -> tensor<bf16> {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'tensor<bf16>'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<bf16>) -> tensor<bf16>
  return %y : tensor<bf16>
}

// -----

func.func @rms_norm_memref(%x: memref<4x64xbf16>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'memref<4x64xbf16>'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (memref<4x64xbf16>) -> memref<4x64xbf16>
  return
}

// -----

func.func @rms_norm_matrix(%x: vector<4x64xbf16>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'vector<4x64xbf16>'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (vector<4x64xbf16>) -> vector<4x64xbf16>
  return
}

// -----

func.func @rms_norm_no_epsilon(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{expected 'epsilon'}}
  %y = mortar.rms_norm %x : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @rms_norm_scalable(%x: vector<[4]xbf16>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'vector<[4]xbf16>'}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) : (vector<[4]xbf16>) -> vector<[4]xbf16>
  return
}

// -----

func.func @rms_norm_c6_more(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C6) expected a variance_size from 1 to 64, but found 65}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) variance_size(65) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @rms_norm_c6_none(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C6) expected a variance_size from 1 to 64, but found 0}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) variance_size(0) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @rms_norm_c6_dynamic(%x: tensor<4x?xbf16>) {
  // expected-error @+1 {{(C6) expected a variance_size of at least 1, but found -1}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) variance_size(-1) : (tensor<4x?xbf16>) -> tensor<4x?xbf16>
  return
}

// -----

func.func @gated_rms_norm_c1_gate(%x: tensor<4x64xbf16>, %z: tensor<4x32xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{'mortar.gated_rms_norm' op (C1) expected gate to have the shape of input, 'tensor<4x64xbf16>', but found 'tensor<4x32xbf16>'}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6)
    : (tensor<4x64xbf16>, tensor<4x32xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c1_result(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C1) expected result to have the shape of input, 'tensor<4x64xbf16>', but found 'tensor<3x64xbf16>'}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<3x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c1_row(%x: tensor<4x64xbf16>, %z: vector<64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C1) expected gate to have the shape of input, 'tensor<4x64xbf16>', but found 'vector<64xbf16>'}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6)
    : (tensor<4x64xbf16>, vector<64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c2(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C2) expected a finite epsilon greater than 0, but found 0.000000e+00 : f32}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(0.0)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c3_weight(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<32xbf16>) {
  // expected-error @+1 {{(C3) expected a weight of rank 1 with one element for each in the last dimension of input, 'tensor<4x64xbf16>', but found 'tensor<32xbf16>'}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<32xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c3_bias(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>, %b: tensor<1x64xf32>) {
  // expected-error @+1 {{(C3) expected a bias of rank 1 with one element for each in the last dimension of input, 'tensor<4x64xbf16>', but found 'tensor<1x64xf32>'}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) bias(%b) epsilon(1.0e-6)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>, tensor<1x64xf32>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c4_divides(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C4) expected a group_size of 64, or one that divides it and is greater than 1, but found 24}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) group_size(24)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c4_one(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C4) expected a group_size of 64, or one that divides it and is greater than 1, but found 1}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) group_size(1)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c4_more(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C4) expected a group_size of 64, or one that divides it and is greater than 1, but found 128}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) group_size(128)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c4_dynamic(%x: tensor<4x?xbf16>, %z: tensor<4x?xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C4) expected a group_size of at least 1, but found 0}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) group_size(0)
    : (tensor<4x?xbf16>, tensor<4x?xbf16>, tensor<64xbf16>) -> tensor<4x?xbf16>
  return
}

// -----

func.func @gated_rms_norm_c5(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C5) expected weight_offset to be 0 or 1, but found 2}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) weight_offset(2)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c6_inner(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C6) expected inner type f32, f16 or bf16, but found 'f64'}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) inner(f64)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c6_weighted(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C6) expected weighted type f32, f16 or bf16, but found 'i8'}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) weighted(i8)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_c7(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{(C7) expected no weighted type with norm_before_gate(false), but found 'bf16'; the result's type rounds there}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) norm_before_gate(false) weighted(bf16)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @gated_rms_norm_activation(%x: tensor<4x64xbf16>, %z: tensor<4x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+2 {{expected ::mortar::GateActivation to be one of: silu, swish, sigmoid}}
  // expected-error @+1 {{failed to parse}}
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) activation(relu)
    : (tensor<4x64xbf16>, tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @rms_norm_c7_divides(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C7) expected a group_size of 64, or one that divides it and is greater than 1, but found 48}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) group_size(48) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @rms_norm_c7_both(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C7) expected variance_size or group_size, but found both}}
  %y = mortar.rms_norm %x epsilon(1.0e-6) variance_size(16) group_size(32) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return
}
