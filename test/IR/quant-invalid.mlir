// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @quantize_c1_shape(%x: tensor<4x64xbf16>, %s: tensor<1xf32>) {
  // expected-error @+1 {{'mortar.quantize' op (C1) expected result to have the shape of input, 'tensor<4x64xbf16>', but found 'tensor<4x32xf8E4M3FN>'}}
  %y = mortar.quantize %x scale(%s) : (tensor<4x64xbf16>, tensor<1xf32>) -> tensor<4x32xf8E4M3FN>
  return
}

// -----

func.func @quantize_c1_type(%x: tensor<4x64xbf16>, %s: tensor<1xf32>) {
  // expected-error @+1 {{(C1) expected result to be of f8E4M3FN, but found 'tensor<4x64xi8>'}}
  %y = mortar.quantize %x scale(%s) : (tensor<4x64xbf16>, tensor<1xf32>) -> tensor<4x64xi8>
  return
}

// -----

func.func @quantize_c2_shape(%x: tensor<4x64xbf16>, %s: tensor<4xf32>) {
  // expected-error @+1 {{(C2) expected scale to be 'tensor<1xf32>', but found 'tensor<4xf32>'}}
  %y = mortar.quantize %x scale(%s) : (tensor<4x64xbf16>, tensor<4xf32>) -> tensor<4x64xf8E4M3FN>
  return
}

// -----

func.func @quantize_c2_scalar(%x: tensor<4x64xbf16>, %s: f32) {
  // expected-error @+1 {{(C2) expected scale to be 'tensor<1xf32>', but found 'f32'}}
  %y = mortar.quantize %x scale(%s) : (tensor<4x64xbf16>, f32) -> tensor<4x64xf8E4M3FN>
  return
}

// -----

func.func @quantize_c2_row(%x: vector<64xbf16>, %s: tensor<1xf32>) {
  // expected-error @+1 {{(C2) expected scale to be 'f32', but found 'tensor<1xf32>'}}
  %y = mortar.quantize %x scale(%s) : (vector<64xbf16>, tensor<1xf32>) -> vector<64xf8E4M3FN>
  return
}

// -----

func.func @quantize_scale_type(%x: tensor<4x64xbf16>, %s: tensor<1xbf16>) {
  // expected-error @+1 {{operand #1 must be a tensor of one f32, or an f32 in a row's program, but got 'tensor<1xbf16>'}}
  %y = mortar.quantize %x scale(%s) : (tensor<4x64xbf16>, tensor<1xbf16>) -> tensor<4x64xf8E4M3FN>
  return
}

// -----

func.func @quantize_result_type(%x: tensor<4x64xbf16>, %s: tensor<1xf32>) {
  // expected-error @+1 {{result #0 must be a tensor of f8E4M3FN or i8, or one row of it as a vector, but got 'tensor<4x64xf8E5M2>'}}
  %y = mortar.quantize %x scale(%s) : (tensor<4x64xbf16>, tensor<1xf32>) -> tensor<4x64xf8E5M2>
  return
}

// -----

func.func @quantize_dynamic_c1(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{'mortar.quantize_dynamic' op (C1) expected result to have the shape of input, 'tensor<4x64xbf16>', but found 'tensor<4x32xi8>'}}
  %y:2 = mortar.quantize_dynamic %x : (tensor<4x64xbf16>) -> (tensor<4x32xi8>, tensor<4x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c2_per_row(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C2) expected scales to be a tensor of the shape of input, 'tensor<4x64xbf16>', with 1 for the last dimension, but found 'tensor<4xf32>'}}
  %y:2 = mortar.quantize_dynamic %x : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4xf32>)
  return
}

// -----

func.func @quantize_dynamic_c2_per_group(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C2) expected scales to be a tensor of the shape of input, 'tensor<4x64xbf16>', with 4 for the last dimension, but found 'tensor<4x1xf32>'}}
  %y:2 = mortar.quantize_dynamic %x group_size(16) : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c2_column_major(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C2) expected scales to be a tensor of the shape of input, 'tensor<4x64xbf16>', with 4 for the last dimension, but found 'tensor<8x4xf32>'}}
  %y:2 = mortar.quantize_dynamic %x group_size(16) : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<8x4xf32>)
  return
}

// -----

func.func @quantize_dynamic_c2_dynamic(%x: tensor<4x?xbf16>) {
  // expected-error @+1 {{(C2) expected scales to be a tensor of the shape of input, 'tensor<4x?xbf16>', with N/group_size for the last dimension, but found 'tensor<5x?xf32>'}}
  %y:2 = mortar.quantize_dynamic %x group_size(16) : (tensor<4x?xbf16>) -> (tensor<4x?xi8>, tensor<5x?xf32>)
  return
}

// -----

func.func @quantize_dynamic_c2_row(%x: vector<64xbf16>) {
  // expected-error @+1 {{(C2) expected scales to be a scalar, but found 'vector<1xf32>'}}
  %y:2 = mortar.quantize_dynamic %x : (vector<64xbf16>) -> (vector<64xi8>, vector<1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c2_row_groups(%x: vector<64xbf16>) {
  // expected-error @+1 {{(C2) expected scales to be a vector of 4, but found 'f32'}}
  %y:2 = mortar.quantize_dynamic %x group_size(16) : (vector<64xbf16>) -> (vector<64xi8>, f32)
  return
}

// -----

func.func @quantize_dynamic_c3_divides(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C3) expected a group_size of 64, or one that divides it and is greater than 1, but found 48}}
  %y:2 = mortar.quantize_dynamic %x group_size(48) : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c3_one(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C3) expected a group_size of 64, or one that divides it and is greater than 1, but found 1}}
  %y:2 = mortar.quantize_dynamic %x group_size(1) : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c3_zero(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C3) expected a group_size of 64, or one that divides it and is greater than 1, but found 0}}
  %y:2 = mortar.quantize_dynamic %x group_size(0) : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c4_groups(%x: tensor<4x64xbf16>, %u: tensor<1xf32>) {
  // expected-error @+1 {{(C4) expected an upper_bound only for f8E4M3FN per row, but found it for 'f8E4M3FN' per group}}
  %y:2 = mortar.quantize_dynamic %x upper_bound(%u) group_size(16) : (tensor<4x64xbf16>, tensor<1xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4x4xf32>)
  return
}

// -----

func.func @quantize_dynamic_c4_int8(%x: tensor<4x64xbf16>, %u: tensor<1xf32>) {
  // expected-error @+1 {{(C4) expected an upper_bound only for f8E4M3FN per row, but found it for 'i8' per row}}
  %y:2 = mortar.quantize_dynamic %x upper_bound(%u) : (tensor<4x64xbf16>, tensor<1xf32>) -> (tensor<4x64xi8>, tensor<4x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c4_shape(%x: tensor<4x64xbf16>, %u: tensor<2xf32>) {
  // expected-error @+1 {{(C4) expected upper_bound to be 'tensor<1xf32>', but found 'tensor<2xf32>'}}
  %y:2 = mortar.quantize_dynamic %x upper_bound(%u) : (tensor<4x64xbf16>, tensor<2xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c5_per_row(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C5) expected ue8m0 only for f8E4M3FN per group, but found it for 'f8E4M3FN' per row}}
  %y:2 = mortar.quantize_dynamic %x ue8m0 : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x1xf32>)
  return
}

// -----

func.func @quantize_dynamic_c5_int8(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C5) expected ue8m0 only for f8E4M3FN per group, but found it for 'i8' per group}}
  %y:2 = mortar.quantize_dynamic %x group_size(16) ue8m0 : (tensor<4x64xbf16>) -> (tensor<4x64xi8>, tensor<4x4xf32>)
  return
}

// -----

func.func @quantize_dynamic_c6(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{(C6) expected scales of f32 without ue8m0, but found 'f8E8M0FNU'}}
  %y:2 = mortar.quantize_dynamic %x group_size(16) : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x4xf8E8M0FNU>)
  return
}

// -----

func.func @quantize_dynamic_scale_type(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{result #1 must be a tensor of f32 or f8E8M0FNU, or a row's part of it, but got 'tensor<4x1xbf16>'}}
  %y:2 = mortar.quantize_dynamic %x : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x1xbf16>)
  return
}
