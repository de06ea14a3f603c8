// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @residual_add_c1_rhs(%x: tensor<4x64xbf16>, %r: tensor<5x64xbf16>) {
  // expected-error @+1 {{'mortar.residual_add' op (C1) expected rhs to have the shape of lhs, 'tensor<4x64xbf16>', but found 'tensor<5x64xbf16>'}}
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<5x64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @residual_add_c1_no_broadcast(%x: tensor<4x64xbf16>, %r: tensor<64xbf16>) {
  // expected-error @+1 {{(C1) expected rhs to have the shape of lhs, 'tensor<4x64xbf16>', but found 'tensor<64xbf16>'}}
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return
}

// -----

func.func @residual_add_c1_result(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C1) expected result to have the shape of lhs, 'tensor<4x64xbf16>', but found 'tensor<4x32xbf16>'}}
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x32xbf16>
  return
}

// -----

func.func @residual_add_c1_row(%x: tensor<64xbf16>, %r: vector<64xbf16>) {
  // expected-error @+1 {{(C1) expected rhs to have the shape of lhs, 'tensor<64xbf16>', but found 'vector<64xbf16>'}}
  %s = mortar.residual_add %x, %r : (tensor<64xbf16>, vector<64xbf16>) -> tensor<64xbf16>
  return
}

// -----

func.func @residual_add_element_type(%x: tensor<4x64xi32>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'tensor<4x64xi32>'}}
  %s = mortar.residual_add %x, %x : (tensor<4x64xi32>, tensor<4x64xi32>) -> tensor<4x64xi32>
  return
}

// -----

func.func @residual_add_no_row(%x: tensor<f32>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'tensor<f32>'}}
  %s = mortar.residual_add %x, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @residual_add_unranked(%x: tensor<*xf32>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'tensor<*xf32>'}}
  %s = mortar.residual_add %x, %x : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  return
}
