// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @unknown_map(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{expected row, column, row_scalar, scalar, group_scalar or heads, or a map of a recurrence, but found 'diagonal'}}
  mortar.fused ins(%a = diagonal %x : tensor<4x64xbf16>) outs(row %x : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return
}

// -----

func.func @no_argument(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{expected SSA operand}}
  mortar.fused ins(row %x : tensor<4x64xbf16>) outs(row %x : tensor<4x64xbf16>) {
  } -> tensor<4x64xbf16>
  return
}

// -----

func.func @too_few_types(%x: tensor<4x64xbf16>) {
  // expected-error @+1 {{number of operands and types do not match: got 2 operands and 1 types}}
  mortar.fused ins(%a = row %x, %b = row %x : tensor<4x64xbf16>) outs(row %x : tensor<4x64xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return
}

// -----

func.func @no_static_row(%x: tensor<4x?xbf16>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map row with a static last dimension, but found 'tensor<4x?xbf16>'}}
  mortar.fused ins(%a = row %x : tensor<4x?xbf16>) outs(row %x : tensor<4x?xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x?xbf16>
  return
}

// -----

func.func @no_row_at_all(%x: tensor<bf16>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map row with a static last dimension, but found 'tensor<bf16>'}}
  mortar.fused ins(%a = row %x : tensor<bf16>) outs(row %x : tensor<bf16>) {
    mortar.yield %a : bf16
  } -> tensor<bf16>
  return
}

// -----

func.func @empty_row(%x: tensor<4x0xbf16>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map row with a static last dimension, but found 'tensor<4x0xbf16>'}}
  mortar.fused ins(%a = row %x : tensor<4x0xbf16>) outs(row %x : tensor<4x0xbf16>) {
    mortar.yield %a : vector<64xbf16>
  } -> tensor<4x0xbf16>
  return
}

// -----

func.func @not_shaped(%x: f32) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map scalar with a static last dimension, but found 'f32'}}
  mortar.fused ins(%a = scalar %x : f32) outs(row %x : f32) {
    mortar.yield %a : f32
  }
  return
}

// -----

// The body sees its arguments alone.
func.func @isolated(%x: tensor<4x64xbf16>, %outside: vector<64xbf16>) {
  mortar.fused ins(%a = row %x : tensor<4x64xbf16>) outs(row %x : tensor<4x64xbf16>) {
    // expected-error @+1 {{use of undeclared SSA value name}}
    mortar.yield %outside : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return
}

// -----

func.func @yield_outside(%x: vector<64xbf16>) {
  // expected-error @+1 {{'mortar.yield' op expects parent op 'mortar.fused'}}
  mortar.yield %x : vector<64xbf16>
}
