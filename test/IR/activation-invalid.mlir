// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @silu_and_mul_c1(%x: tensor<4x7xbf16>) {
  // expected-error @+1 {{'mortar.silu_and_mul' op (C1) expected an even last dimension of input, but found 7}}
  %y = mortar.silu_and_mul %x : (tensor<4x7xbf16>) -> tensor<4x3xbf16>
  return
}

// -----

func.func @silu_and_mul_c2(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C2) expected result to have the shape of input, 'tensor<4x8xbf16>', with half of its last dimension, but found 'tensor<4x8xbf16>'}}
  %y = mortar.silu_and_mul %x : (tensor<4x8xbf16>) -> tensor<4x8xbf16>
  return
}

// -----

func.func @silu_and_mul_c2_rows(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C2) expected result to have the shape of input, 'tensor<4x8xbf16>', with half of its last dimension, but found 'tensor<5x4xbf16>'}}
  %y = mortar.silu_and_mul %x : (tensor<4x8xbf16>) -> tensor<5x4xbf16>
  return
}

// -----

func.func @silu_and_mul_c2_tensor_to_row(%x: tensor<8xbf16>) {
  // expected-error @+1 {{(C2) expected result to have the shape of input, 'tensor<8xbf16>', with half of its last dimension, but found 'vector<4xbf16>'}}
  %y = mortar.silu_and_mul %x : (tensor<8xbf16>) -> vector<4xbf16>
  return
}

// -----

func.func @silu_and_mul_c3_zero(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a limit greater than 0, but found 0.000000e+00 : f32}}
  %y = mortar.silu_and_mul %x limit(0.0) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @silu_and_mul_c3_negative(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a limit greater than 0, but found -1.000000e+01 : f32}}
  %y = mortar.silu_and_mul %x limit(-10.0) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @silu_and_mul_c3_nan(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a limit greater than 0, but found 0x7FC00000 : f32}}
  %y = mortar.silu_and_mul %x limit(0x7FC00000) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @silu_and_mul_c4(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C4) expected inner type f32, f16 or bf16, but found 'i8'}}
  %y = mortar.silu_and_mul %x inner(i8) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @silu_and_mul_no_row(%x: tensor<bf16>) {
  // expected-error @+1 {{operand #0 must be a tensor of f32, f16 or bf16, or one row of it as a vector, but got 'tensor<bf16>'}}
  %y = mortar.silu_and_mul %x : (tensor<bf16>) -> tensor<bf16>
  return
}

// -----

func.func @mul_and_silu_c1(%x: tensor<4x7xbf16>) {
  // expected-error @+1 {{'mortar.mul_and_silu' op (C1) expected an even last dimension of input, but found 7}}
  %y = mortar.mul_and_silu %x : (tensor<4x7xbf16>) -> tensor<4x3xbf16>
  return
}

// -----

func.func @mul_and_silu_c2(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C2) expected result to have the shape of input, 'tensor<4x8xbf16>', with half of its last dimension, but found 'tensor<4x8xbf16>'}}
  %y = mortar.mul_and_silu %x : (tensor<4x8xbf16>) -> tensor<4x8xbf16>
  return
}

// -----

func.func @mul_and_silu_c3(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected inner type f32, f16 or bf16, but found 'i8'}}
  %y = mortar.mul_and_silu %x inner(i8) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @gelu_and_mul_c1(%x: tensor<4x7xbf16>) {
  // expected-error @+1 {{'mortar.gelu_and_mul' op (C1) expected an even last dimension of input, but found 7}}
  %y = mortar.gelu_and_mul %x : (tensor<4x7xbf16>) -> tensor<4x3xbf16>
  return
}

// -----

func.func @gelu_and_mul_c2(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C2) expected result to have the shape of input, 'tensor<4x8xbf16>', with half of its last dimension, but found 'tensor<4x8xbf16>'}}
  %y = mortar.gelu_and_mul %x : (tensor<4x8xbf16>) -> tensor<4x8xbf16>
  return
}

// -----

func.func @gelu_and_mul_c3(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected inner type f32, f16 or bf16, but found 'i8'}}
  %y = mortar.gelu_and_mul %x inner(i8) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c1(%x: tensor<4x7xbf16>) {
  // expected-error @+1 {{'mortar.swigluoai_and_mul' op (C1) expected an even last dimension of input, but found 7}}
  %y = mortar.swigluoai_and_mul %x : (tensor<4x7xbf16>) -> tensor<4x3xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c2(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C2) expected result to have the shape of input, 'tensor<4x8xbf16>', with half of its last dimension, but found 'tensor<4x8xbf16>'}}
  %y = mortar.swigluoai_and_mul %x : (tensor<4x8xbf16>) -> tensor<4x8xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c5(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C5) expected inner type f32, f16 or bf16, but found 'i8'}}
  %y = mortar.swigluoai_and_mul %x inner(i8) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swiglustep_and_mul_c1(%x: tensor<4x7xbf16>) {
  // expected-error @+1 {{'mortar.swiglustep_and_mul' op (C1) expected an even last dimension of input, but found 7}}
  %y = mortar.swiglustep_and_mul %x : (tensor<4x7xbf16>) -> tensor<4x3xbf16>
  return
}

// -----

func.func @swiglustep_and_mul_c2(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C2) expected result to have the shape of input, 'tensor<4x8xbf16>', with half of its last dimension, but found 'tensor<4x8xbf16>'}}
  %y = mortar.swiglustep_and_mul %x : (tensor<4x8xbf16>) -> tensor<4x8xbf16>
  return
}

// -----

func.func @swiglustep_and_mul_c4(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C4) expected inner type f32, f16 or bf16, but found 'i8'}}
  %y = mortar.swiglustep_and_mul %x inner(i8) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @fatrelu_and_mul_c1(%x: tensor<4x7xbf16>) {
  // expected-error @+1 {{'mortar.fatrelu_and_mul' op (C1) expected an even last dimension of input, but found 7}}
  %y = mortar.fatrelu_and_mul %x threshold(0.0) : (tensor<4x7xbf16>) -> tensor<4x3xbf16>
  return
}

// -----

func.func @fatrelu_and_mul_c2(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C2) expected result to have the shape of input, 'tensor<4x8xbf16>', with half of its last dimension, but found 'tensor<4x8xbf16>'}}
  %y = mortar.fatrelu_and_mul %x threshold(0.0) : (tensor<4x8xbf16>) -> tensor<4x8xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c3_zero(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a finite alpha greater than 0, but found 0.000000e+00 : f32}}
  %y = mortar.swigluoai_and_mul %x alpha(0.0) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c3_negative(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a finite alpha greater than 0, but found -1.000000e+00 : f32}}
  %y = mortar.swigluoai_and_mul %x alpha(-1.0) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c3_infinite(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a finite alpha greater than 0, but found 0x7F800000 : f32}}
  %y = mortar.swigluoai_and_mul %x alpha(0x7F800000) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c3_nan(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a finite alpha greater than 0, but found 0x7FC00000 : f32}}
  %y = mortar.swigluoai_and_mul %x alpha(0x7FC00000) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c4_zero(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C4) expected a limit greater than 0, but found 0.000000e+00 : f32}}
  %y = mortar.swigluoai_and_mul %x limit(0.0) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c4_negative(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C4) expected a limit greater than 0, but found -7.000000e+00 : f32}}
  %y = mortar.swigluoai_and_mul %x limit(-7.0) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_c4_nan(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C4) expected a limit greater than 0, but found 0x7FC00000 : f32}}
  %y = mortar.swigluoai_and_mul %x limit(0x7FC00000) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swiglustep_and_mul_c3_zero(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a limit greater than 0, but found 0.000000e+00 : f32}}
  %y = mortar.swiglustep_and_mul %x limit(0.0) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swiglustep_and_mul_c3_negative(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a limit greater than 0, but found -7.000000e+00 : f32}}
  %y = mortar.swiglustep_and_mul %x limit(-7.0) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swiglustep_and_mul_c3_nan(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a limit greater than 0, but found 0x7FC00000 : f32}}
  %y = mortar.swiglustep_and_mul %x limit(0x7FC00000) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @fatrelu_and_mul_c3(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{(C3) expected a threshold that is a number, but found 0x7FC00000 : f32}}
  %y = mortar.fatrelu_and_mul %x threshold(0x7FC00000) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @fatrelu_and_mul_no_threshold(%x: tensor<4x8xbf16>) {
  // expected-error @+1 {{expected 'threshold'}}
  %y = mortar.fatrelu_and_mul %x : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @gelu_and_mul_approximation(%x: tensor<4x8xbf16>) {
  // expected-error @+2 {{expected ::mortar::GeluApproximation to be one of: none, tanh}}
  // expected-error @+1 {{failed to parse}}
  %y = mortar.gelu_and_mul %x approximate(sigmoid) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}

// -----

func.func @swigluoai_and_mul_layout(%x: tensor<4x8xbf16>) {
  // expected-error @+2 {{expected ::mortar::GateLayout to be one of: interleaved, halves}}
  // expected-error @+1 {{failed to parse}}
  %y = mortar.swigluoai_and_mul %x layout(pairs) : (tensor<4x8xbf16>) -> tensor<4x4xbf16>
  return
}
