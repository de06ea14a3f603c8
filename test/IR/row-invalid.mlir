// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @row_reduce_c1_divides(%x: vector<10xf32>) {
  // expected-error @+1 {{'mortar.row_reduce' op (C1) expected a number of groups that divides 10 and is less than it, but found 3}}
  %y = mortar.row_reduce <sum> %x : vector<10xf32> -> vector<3xf32>
  return
}

// -----

func.func @row_reduce_c1_less(%x: vector<10xf32>) {
  // expected-error @+1 {{(C1) expected a number of groups that divides 10 and is less than it, but found 10}}
  %y = mortar.row_reduce <sum> %x : vector<10xf32> -> vector<10xf32>
  return
}

// -----

func.func @row_reduce_element_type(%x: vector<10xbf16>) {
  // expected-error @+1 {{operand #0 must be}}
  %y = mortar.row_reduce <sum> %x : vector<10xbf16> -> f32
  return
}

// -----

func.func @row_reduce_kind(%x: vector<10xf32>) {
  // expected-error @+2 {{expected ::mortar::ReductionKind to be one of: sum, max}}
  // expected-error @+1 {{failed to parse}}
  %y = mortar.row_reduce <product> %x : vector<10xf32> -> f32
  return
}

// -----

func.func @row_broadcast_c1_type(%x: bf16) {
  // expected-error @+1 {{'mortar.row_broadcast' op (C1) expected input of the result's element type, 'f32', but found 'bf16'}}
  %y = mortar.row_broadcast %x : bf16 -> vector<8xf32>
  return
}

// -----

func.func @row_broadcast_c1_divides(%x: vector<3xf32>) {
  // expected-error @+1 {{(C1) expected a number of groups that divides 8 and is less than it, but found 3}}
  %y = mortar.row_broadcast %x : vector<3xf32> -> vector<8xf32>
  return
}

// -----

func.func @row_half_c1_length(%x: vector<8xf32>) {
  // expected-error @+1 {{'mortar.row_half' op (C1) expected input with twice the elements of result, 'vector<3xf32>', but found 'vector<8xf32>'}}
  %y = mortar.row_half <first> %x : vector<8xf32> -> vector<3xf32>
  return
}

// -----

func.func @row_half_c1_type(%x: vector<8xf32>) {
  // expected-error @+1 {{(C1) expected input with twice the elements of result, 'vector<4xbf16>', but found 'vector<8xf32>'}}
  %y = mortar.row_half <second> %x : vector<8xf32> -> vector<4xbf16>
  return
}

// -----

func.func @row_prefix_c1_none(%x: vector<8xf32>) {
  // expected-error @+1 {{'mortar.row_prefix' op (C1) expected a length from 1 to 8, but found 0}}
  %y = mortar.row_prefix %x length(0) fill(-0.0) : vector<8xf32>
  return
}

// -----

func.func @row_prefix_c1_more(%x: vector<8xf32>) {
  // expected-error @+1 {{'mortar.row_prefix' op (C1) expected a length from 1 to 8, but found 9}}
  %y = mortar.row_prefix %x length(9) fill(-0.0) : vector<8xf32>
  return
}

// -----

func.func @row_prefix_c1_negative(%x: vector<8xf32>) {
  // expected-error @+1 {{'mortar.row_prefix' op (C1) expected a length from 1 to 8, but found -1}}
  %y = mortar.row_prefix %x length(-1) fill(-0.0) : vector<8xf32>
  return
}

// -----

func.func @row_half_which(%x: vector<8xf32>) {
  // expected-error @+2 {{expected ::mortar::RowHalf to be one of: first, second, even, odd}}
  // expected-error @+1 {{failed to parse}}
  %y = mortar.row_half <third> %x : vector<8xf32> -> vector<4xf32>
  return
}

// -----

func.func @row_repeat_c1_length(%x: vector<48xf32>) {
  // expected-error @+1 {{(C1) expected input of the result's element type, with a length that divides 128 and is less than it, but found 'vector<48xf32>'}}
  %y = mortar.row_repeat %x : vector<48xf32> -> vector<128xf32>
  return
}

// -----

func.func @row_repeat_c1_type(%x: vector<64xf16>) {
  // expected-error @+1 {{(C1) expected input of the result's element type, with a length that divides 128 and is less than it, but found 'vector<64xf16>'}}
  %y = mortar.row_repeat %x : vector<64xf16> -> vector<128xf32>
  return
}
