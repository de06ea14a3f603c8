// RUN: mortar-opt %s -split-input-file -verify-diagnostics

func.func @recurrence_syntax_argument_of_a_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+2 {{expected a state to have an argument, and no other destination, but found value_row with one}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%o = value_row %y0, %s = state %y1 : tensor<?x4x5xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> (tensor<?x4x5xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_syntax_state_without_an_argument(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+2 {{expected a state to have an argument, and no other destination, but found state without one}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_syntax_input_without_an_argument(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{expected SSA operand}}
  mortar.fused recurrence ins(value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_syntax_unknown_map(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{expected row, column, row_scalar, scalar, group_scalar or heads, or a map of a recurrence, but found 'query'}}
  mortar.fused recurrence ins(%a = query %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_syntax_state_without_equals(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+2 {{expected '='}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c1_row(%x0: tensor<?x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{'mortar.fused' op (C1) expected input 0 to have a map of recurrence, but found row}}
  mortar.fused recurrence ins(%a = row %x0, %i = slots %x1 : tensor<?x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c1_row_scalar(%x0: tensor<?x1xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of recurrence, but found row_scalar}}
  mortar.fused recurrence ins(%a = row_scalar %x0, %i = slots %x1 : tensor<?x1xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c1_group_scalar(%x0: tensor<?x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of recurrence, but found group_scalar}}
  mortar.fused recurrence ins(%a = group_scalar %x0, %i = slots %x1 : tensor<?x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c1_heads(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of recurrence, but found heads}}
  mortar.fused recurrence ins(%a = heads %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c1_state_as_input(%x0: tensor<?x4x5x8xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of recurrence, but found state}}
  mortar.fused recurrence ins(%a = state %x0, %i = slots %x1 : tensor<?x4x5x8xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c1_row_as_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x5xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by value_row, value_scalar, head_scalar or state, but found row}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(row %y0, %s = state %y1 : tensor<?x5xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<?x5xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c1_column_as_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<5xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by value_row, value_scalar, head_scalar or state, but found column}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(column %y0, %s = state %y1 : tensor<5xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<5xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c1_key_row_as_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x2x5xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by value_row, value_scalar, head_scalar or state, but found key_row}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(key_row %y0, %s = state %y1 : tensor<?x2x5xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<?x2x5xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c1_head_as_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<4xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by value_row, value_scalar, head_scalar or state, but found head}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(head %y0, %s = state %y1 : tensor<4xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<4xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c1_slots_as_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?xi32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by value_row, value_scalar, head_scalar or state, but found slots}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(slots %y0, %s = state %y1 : tensor<?xi32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<?xi32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c1_bounds_as_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?xi32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by value_row, value_scalar, head_scalar or state, but found bounds}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(bounds %y0, %s = state %y1 : tensor<?xi32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<?xi32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c1_accepted_as_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?xi32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by value_row, value_scalar, head_scalar or state, but found accepted}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(accepted %y0, %s = state %y1 : tensor<?xi32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<?xi32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c1_key_row_in_rows(%x0: tensor<?x2x8xf32>, %x1: tensor<?x5xf32>, %y0: tensor<?x5xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of rows, but found key_row}}
  mortar.fused ins(%a = key_row %x0, %b = row %x1 : tensor<?x2x8xf32>, tensor<?x5xf32>)
      outs(row %y0 : tensor<?x5xf32>) {
    mortar.yield %b : vector<5xf32>
  } -> tensor<?x5xf32>
  return
}

// -----

func.func @recurrence_c1_value_row_in_rows(%x0: tensor<?x4x5xf32>, %x1: tensor<?x5xf32>, %y0: tensor<?x5xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of rows, but found value_row}}
  mortar.fused ins(%a = value_row %x0, %b = row %x1 : tensor<?x4x5xf32>, tensor<?x5xf32>)
      outs(row %y0 : tensor<?x5xf32>) {
    mortar.yield %b : vector<5xf32>
  } -> tensor<?x5xf32>
  return
}

// -----

func.func @recurrence_c1_value_scalar_in_rows(%x0: tensor<?x4x1xf32>, %x1: tensor<?x5xf32>, %y0: tensor<?x5xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of rows, but found value_scalar}}
  mortar.fused ins(%a = value_scalar %x0, %b = row %x1 : tensor<?x4x1xf32>, tensor<?x5xf32>)
      outs(row %y0 : tensor<?x5xf32>) {
    mortar.yield %b : vector<5xf32>
  } -> tensor<?x5xf32>
  return
}

// -----

func.func @recurrence_c1_head_scalar_in_rows(%x0: tensor<?x4xf32>, %x1: tensor<?x5xf32>, %y0: tensor<?x5xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of rows, but found head_scalar}}
  mortar.fused ins(%a = head_scalar %x0, %b = row %x1 : tensor<?x4xf32>, tensor<?x5xf32>)
      outs(row %y0 : tensor<?x5xf32>) {
    mortar.yield %b : vector<5xf32>
  } -> tensor<?x5xf32>
  return
}

// -----

func.func @recurrence_c1_head_in_rows(%x0: tensor<4xf32>, %x1: tensor<?x5xf32>, %y0: tensor<?x5xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of rows, but found head}}
  mortar.fused ins(%a = head %x0, %b = row %x1 : tensor<4xf32>, tensor<?x5xf32>)
      outs(row %y0 : tensor<?x5xf32>) {
    mortar.yield %b : vector<5xf32>
  } -> tensor<?x5xf32>
  return
}

// -----

func.func @recurrence_c1_slots_in_rows(%x0: tensor<?xi32>, %x1: tensor<?x5xf32>, %y0: tensor<?x5xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of rows, but found slots}}
  mortar.fused ins(%a = slots %x0, %b = row %x1 : tensor<?xi32>, tensor<?x5xf32>)
      outs(row %y0 : tensor<?x5xf32>) {
    mortar.yield %b : vector<5xf32>
  } -> tensor<?x5xf32>
  return
}

// -----

func.func @recurrence_c1_bounds_in_rows(%x0: tensor<?xi32>, %x1: tensor<?x5xf32>, %y0: tensor<?x5xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of rows, but found bounds}}
  mortar.fused ins(%a = bounds %x0, %b = row %x1 : tensor<?xi32>, tensor<?x5xf32>)
      outs(row %y0 : tensor<?x5xf32>) {
    mortar.yield %b : vector<5xf32>
  } -> tensor<?x5xf32>
  return
}

// -----

func.func @recurrence_c1_accepted_in_rows(%x0: tensor<?xi32>, %x1: tensor<?x5xf32>, %y0: tensor<?x5xf32>) {
  // expected-error @+1 {{(C1) expected input 0 to have a map of rows, but found accepted}}
  mortar.fused ins(%a = accepted %x0, %b = row %x1 : tensor<?xi32>, tensor<?x5xf32>)
      outs(row %y0 : tensor<?x5xf32>) {
    mortar.yield %b : vector<5xf32>
  } -> tensor<?x5xf32>
  return
}

// -----

func.func @recurrence_c1_state_in_rows(%x0: tensor<?x5xf32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by row, heads, row_scalar or group_scalar, but found state}}
  mortar.fused ins(%a = row %x0 : tensor<?x5xf32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c1_value_row_as_destination_in_rows(%x0: tensor<?x5xf32>, %y0: tensor<?x4x5xf32>) {
  // expected-error @+1 {{(C1) expected destination 0 to be mapped by row, heads, row_scalar or group_scalar, but found value_row}}
  mortar.fused ins(%a = row %x0 : tensor<?x5xf32>)
      outs(value_row %y0 : tensor<?x4x5xf32>) {
    mortar.yield %a : vector<5xf32>
  } -> tensor<?x4x5xf32>
  return
}

// -----

func.func @recurrence_c2_key_row_rank(%x0: tensor<2x8xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map key_row with a static last dimension, but found 'tensor<2x8xf32>'}}
  mortar.fused recurrence ins(%a = key_row %x0, %i = slots %x1 : tensor<2x8xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_key_row_heads(%x0: tensor<?x?x8xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map key_row with a static last dimension, but found 'tensor<?x?x8xf32>'}}
  mortar.fused recurrence ins(%a = key_row %x0, %i = slots %x1 : tensor<?x?x8xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_key_row_length(%x0: tensor<?x2x?xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map key_row with a static last dimension, but found 'tensor<?x2x?xf32>'}}
  mortar.fused recurrence ins(%a = key_row %x0, %i = slots %x1 : tensor<?x2x?xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_key_row_empty(%x0: tensor<?x0x8xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map key_row with a static last dimension, but found 'tensor<?x0x8xf32>'}}
  mortar.fused recurrence ins(%a = key_row %x0, %i = slots %x1 : tensor<?x0x8xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_value_row_rank(%x0: tensor<4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map value_row with a static last dimension, but found 'tensor<4x5xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_value_row_heads(%x0: tensor<?x?x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map value_row with a static last dimension, but found 'tensor<?x?x5xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x?x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_value_row_length(%x0: tensor<?x4x?xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map value_row with a static last dimension, but found 'tensor<?x4x?xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x?xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_value_row_empty(%x0: tensor<?x4x0xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map value_row with a static last dimension, but found 'tensor<?x4x0xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x0xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_value_scalar_rank(%x0: tensor<?x1xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map value_scalar with a static last dimension, but found 'tensor<?x1xf32>'}}
  mortar.fused recurrence ins(%a = value_scalar %x0, %i = slots %x1 : tensor<?x1xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_value_scalar_length(%x0: tensor<?x4x2xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map value_scalar with a static last dimension, but found 'tensor<?x4x2xf32>'}}
  mortar.fused recurrence ins(%a = value_scalar %x0, %i = slots %x1 : tensor<?x4x2xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_value_scalar_heads(%x0: tensor<?x?x1xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map value_scalar with a static last dimension, but found 'tensor<?x?x1xf32>'}}
  mortar.fused recurrence ins(%a = value_scalar %x0, %i = slots %x1 : tensor<?x?x1xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_head_scalar_rank(%x0: tensor<4xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map head_scalar with a static last dimension, but found 'tensor<4xf32>'}}
  mortar.fused recurrence ins(%a = head_scalar %x0, %i = slots %x1 : tensor<4xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_head_scalar_heads(%x0: tensor<3x?xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map head_scalar with a static last dimension, but found 'tensor<3x?xf32>'}}
  mortar.fused recurrence ins(%a = head_scalar %x0, %i = slots %x1 : tensor<3x?xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_head_scalar_empty(%x0: tensor<?x0xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map head_scalar with a static last dimension, but found 'tensor<?x0xf32>'}}
  mortar.fused recurrence ins(%a = head_scalar %x0, %i = slots %x1 : tensor<?x0xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_head_rank(%x0: tensor<1x4xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map head with a static last dimension, but found 'tensor<1x4xf32>'}}
  mortar.fused recurrence ins(%a = head %x0, %i = slots %x1 : tensor<1x4xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_head_heads(%x0: tensor<?xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map head with a static last dimension, but found 'tensor<?xf32>'}}
  mortar.fused recurrence ins(%a = head %x0, %i = slots %x1 : tensor<?xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_head_of_no_dimensions(%x0: tensor<f32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map head with a static last dimension, but found 'tensor<f32>'}}
  mortar.fused recurrence ins(%a = head %x0, %i = slots %x1 : tensor<f32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_slots_rank(%x0: tensor<?x3x1xi32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map slots with a static last dimension, but found 'tensor<?x3x1xi32>'}}
  mortar.fused recurrence ins(%a = slots %x0, %i = slots %x1 : tensor<?x3x1xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_slots_columns(%x0: tensor<?x?xi32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map slots with a static last dimension, but found 'tensor<?x?xi32>'}}
  mortar.fused recurrence ins(%a = slots %x0, %i = slots %x1 : tensor<?x?xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_slots_no_columns(%x0: tensor<?x0xi32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map slots with a static last dimension, but found 'tensor<?x0xi32>'}}
  mortar.fused recurrence ins(%a = slots %x0, %i = slots %x1 : tensor<?x0xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_bounds_rank(%x0: tensor<?x1xi32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map bounds with a static last dimension, but found 'tensor<?x1xi32>'}}
  mortar.fused recurrence ins(%a = bounds %x0, %i = slots %x1 : tensor<?x1xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_accepted_rank(%x0: tensor<?x1xi32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected input 0 to fit the map accepted with a static last dimension, but found 'tensor<?x1xi32>'}}
  mortar.fused recurrence ins(%a = accepted %x0, %i = slots %x1 : tensor<?x1xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_state_rank(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<4x5x8xf32>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map state with a static last dimension, but found 'tensor<4x5x8xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<4x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_state_heads(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x?x5x8xf32>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map state with a static last dimension, but found 'tensor<?x?x5x8xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x?x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x?x5x8xf32>
  return
}

// -----

func.func @recurrence_c2_state_values(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x?x8xf32>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map state with a static last dimension, but found 'tensor<?x4x?x8xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x?x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x?x8xf32>
  return
}

// -----

func.func @recurrence_c2_state_keys(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x?xf32>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map state with a static last dimension, but found 'tensor<?x4x5x?xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x?xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x?xf32>
  return
}

// -----

func.func @recurrence_c2_state_empty(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x0x8xf32>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map state with a static last dimension, but found 'tensor<?x4x0x8xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x0x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x0x8xf32>
  return
}

// -----

// More elements than can be counted.
func.func @recurrence_c2_state_that_wraps(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x4611686018427387904x8xf32>) {
  // expected-error @+1 {{(C2) expected destination 0 to fit the map state with a static last dimension, but found 'tensor<?x4x4611686018427387904x8xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x4611686018427387904x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x4611686018427387904x8xf32>
  return
}

// -----

func.func @recurrence_c2_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{'mortar.fused' op (C2) expected destination 0 to fit the map value_scalar with a static last dimension, but found 'tensor<?x4x5xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(value_scalar %y0, %s = state %y1 : tensor<?x4x5xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<?x4x5xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c3_no_argument_for_the_state(%v: tensor<?x4x5xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x5x8xbf16>) {
  // expected-error @+1 {{'mortar.fused' op (C3) expected 3 block arguments, but found 2}}
  %0 = "mortar.fused"(%v, %slots, %pool) <{domain = #mortar<domain recurrence>, operandSegmentSizes = array<i32: 2, 1>,
      input_maps = [#mortar<map value_row>, #mortar<map slots>], init_maps = [#mortar<map state>]}> ({
  ^bb0(%a: vector<5xf32>, %i: i32):
    %s = mortar.state_broadcast <values> %a : vector<5xf32> -> vector<5x8xf32>
    mortar.yield %s : vector<5x8xf32>
  }) : (tensor<?x4x5xf32>, tensor<?xi32>, tensor<?x4x5x8xbf16>) -> tensor<?x4x5x8xbf16>
  return
}

// -----

func.func @recurrence_c3_state_of_the_pools_type(%v: tensor<?x4x5xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x5x8xbf16>) {
  // expected-error @+1 {{(C3) expected block argument 2 to be 'vector<5x8xf32>', but found 'vector<5x8xbf16>'}}
  %0 = "mortar.fused"(%v, %slots, %pool) <{domain = #mortar<domain recurrence>, operandSegmentSizes = array<i32: 2, 1>,
      input_maps = [#mortar<map value_row>, #mortar<map slots>], init_maps = [#mortar<map state>]}> ({
  ^bb0(%a: vector<5xf32>, %i: i32, %t: vector<5x8xbf16>):
    %s = arith.extf %t : vector<5x8xbf16> to vector<5x8xf32>
    mortar.yield %s : vector<5x8xf32>
  }) : (tensor<?x4x5xf32>, tensor<?xi32>, tensor<?x4x5x8xbf16>) -> tensor<?x4x5x8xbf16>
  return
}

// -----

func.func @recurrence_c3_state_first(%v: tensor<?x4x5xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x5x8xbf16>) {
  // expected-error @+1 {{(C3) expected block argument 0 to be 'vector<5xf32>', but found 'vector<5x8xf32>'}}
  %0 = "mortar.fused"(%v, %slots, %pool) <{domain = #mortar<domain recurrence>, operandSegmentSizes = array<i32: 2, 1>,
      input_maps = [#mortar<map value_row>, #mortar<map slots>], init_maps = [#mortar<map state>]}> ({
  ^bb0(%s: vector<5x8xf32>, %a: vector<5xf32>, %i: i32):
    mortar.yield %s : vector<5x8xf32>
  }) : (tensor<?x4x5xf32>, tensor<?xi32>, tensor<?x4x5x8xbf16>) -> tensor<?x4x5x8xbf16>
  return
}

// -----

func.func @recurrence_c3_slot(%v: tensor<?x4x5xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x5x8xbf16>) {
  // expected-error @+1 {{(C3) expected block argument 1 to be 'i32', but found 'index'}}
  %0 = "mortar.fused"(%v, %slots, %pool) <{domain = #mortar<domain recurrence>, operandSegmentSizes = array<i32: 2, 1>,
      input_maps = [#mortar<map value_row>, #mortar<map slots>], init_maps = [#mortar<map state>]}> ({
  ^bb0(%a: vector<5xf32>, %i: index, %s: vector<5x8xf32>):
    mortar.yield %s : vector<5x8xf32>
  }) : (tensor<?x4x5xf32>, tensor<?xi32>, tensor<?x4x5x8xbf16>) -> tensor<?x4x5x8xbf16>
  return
}

// -----

func.func @recurrence_c4_state_of_the_pools_type(%v: tensor<?x4x5xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x5x8xbf16>) {
  // expected-error @+1 {{(C4) expected yielded value 0 to be 'vector<5x8xf32>', but found 'vector<5x8xbf16>'}}
  %0 = "mortar.fused"(%v, %slots, %pool) <{domain = #mortar<domain recurrence>, operandSegmentSizes = array<i32: 2, 1>,
      input_maps = [#mortar<map value_row>, #mortar<map slots>], init_maps = [#mortar<map state>]}> ({
  ^bb0(%a: vector<5xf32>, %i: i32, %s: vector<5x8xf32>):
    %t = arith.truncf %s : vector<5x8xf32> to vector<5x8xbf16>
    mortar.yield %t : vector<5x8xbf16>
  }) : (tensor<?x4x5xf32>, tensor<?xi32>, tensor<?x4x5x8xbf16>) -> tensor<?x4x5x8xbf16>
  return
}

// -----

func.func @recurrence_c4_no_state(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C4) expected 2 yielded values, but found 1}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(value_row %y0, %s = state %y1 : tensor<?x4x5xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a : vector<5xf32>
  } -> (tensor<?x4x5xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c4_order(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C4) expected yielded value 0 to be 'vector<5xf32>', but found 'vector<5x8xf32>'}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(value_row %y0, %s = state %y1 : tensor<?x4x5xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %s, %a : vector<5x8xf32>, vector<5xf32>
  } -> (tensor<?x4x5xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c5_no_destination(%v: tensor<?x4x5xf32>, %slots: tensor<?xi32>) {
  // expected-error @+1 {{(C5) expected at least one destination, but found none}}
  mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : tensor<?x4x5xf32>, tensor<?xi32>) {
    mortar.yield
  }
  return
}

// -----

func.func @recurrence_c6_pool_in_memory(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: memref<?x4x5x8xf32>) {
  // expected-error @+1 {{(C6) expected all operands to be tensors, or all memrefs, but found both}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : memref<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  }
  return
}

// -----

func.func @recurrence_c7_two_slots(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %x2: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{'mortar.fused' op (C7) expected one operand of slots, but found two}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1, %j = slots %x2 : tensor<?x4x5xf32>, tensor<?xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_two_bounds(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %x2: tensor<?xi32>, %x3: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected one operand of bounds, but found two}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1, %b = bounds %x2, %c = bounds %x3 : tensor<?x4x5xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_two_accepted(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %x2: tensor<?xi32>, %x3: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected one operand of accepted, but found two}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1, %b = accepted %x2, %c = accepted %x3 : tensor<?x4x5xf32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_slots_type(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi64>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected slots of i32, but found tensor<?xi64>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi64>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_bounds_type(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %x2: tensor<?xf32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected bounds of i32, but found tensor<?xf32>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1, %b = bounds %x2 : tensor<?x4x5xf32>, tensor<?xi32>, tensor<?xf32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_accepted_type(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %x2: tensor<?xi8>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected accepted of i32, but found tensor<?xi8>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1, %b = accepted %x2 : tensor<?x4x5xf32>, tensor<?xi32>, tensor<?xi8>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_two_states(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected one state, but found two}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0, %t = state %y1 : tensor<?x4x5x8xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %s, %t : vector<5x8xf32>, vector<5x8xf32>
  } -> (tensor<?x4x5x8xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c7_no_state(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5xf32>) {
  // expected-error @+1 {{(C7) expected a state and its slots, but found none}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(value_row %y0 : tensor<?x4x5xf32>) {
    mortar.yield %a : vector<5xf32>
  } -> tensor<?x4x5xf32>
  return
}

// -----

func.func @recurrence_c7_no_slots(%x0: tensor<?x4x5xf32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected a state and its slots, but found none}}
  mortar.fused recurrence ins(%a = value_row %x0 : tensor<?x4x5xf32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_key_heads(%x0: tensor<?x3x8xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to fit the state, tensor<?x4x5x8xf32>, but found tensor<?x3x8xf32>}}
  mortar.fused recurrence ins(%a = key_row %x0, %i = slots %x1 : tensor<?x3x8xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_more_key_heads(%x0: tensor<?x8x8xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to fit the state, tensor<?x4x5x8xf32>, but found tensor<?x8x8xf32>}}
  mortar.fused recurrence ins(%a = key_row %x0, %i = slots %x1 : tensor<?x8x8xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_keys(%x0: tensor<?x2x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to fit the state, tensor<?x4x5x8xf32>, but found tensor<?x2x5xf32>}}
  mortar.fused recurrence ins(%a = key_row %x0, %i = slots %x1 : tensor<?x2x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_value_heads(%x0: tensor<?x2x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to fit the state, tensor<?x4x5x8xf32>, but found tensor<?x2x5xf32>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x2x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_values(%x0: tensor<?x4x8xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to fit the state, tensor<?x4x5x8xf32>, but found tensor<?x4x8xf32>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x8xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_heads_of_value_scalar(%x0: tensor<?x2x1xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to fit the state, tensor<?x4x5x8xf32>, but found tensor<?x2x1xf32>}}
  mortar.fused recurrence ins(%a = value_scalar %x0, %i = slots %x1 : tensor<?x2x1xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_heads_of_head_scalar(%x0: tensor<?x8xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to fit the state, tensor<?x4x5x8xf32>, but found tensor<?x8xf32>}}
  mortar.fused recurrence ins(%a = head_scalar %x0, %i = slots %x1 : tensor<?x8xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_heads_of_head(%x0: tensor<2xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to fit the state, tensor<?x4x5x8xf32>, but found tensor<2xf32>}}
  mortar.fused recurrence ins(%a = head %x0, %i = slots %x1 : tensor<2xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_values_of_a_destination(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>, %y1: tensor<?x4x8xf32>) {
  // expected-error @+1 {{(C7) expected destination 1 to fit the state, tensor<?x4x5x8xf32>, but found tensor<?x4x8xf32>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0, value_row %y1 : tensor<?x4x5x8xf32>, tensor<?x4x8xf32>) {
    mortar.yield %s, %a : vector<5x8xf32>, vector<5xf32>
  } -> (tensor<?x4x5x8xf32>, tensor<?x4x8xf32>)
  return
}

// -----

func.func @recurrence_c7_token_dimensions(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %x2: tensor<?x?x4xf32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 2 to have the same one or two dimensions of tokens as the others, but found tensor<?x?x4xf32>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1, %g = head_scalar %x2 : tensor<?x4x5xf32>, tensor<?xi32>, tensor<?x?x4xf32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_tokens(%x0: tensor<3x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<4x4x5xf32>, %y1: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected destination 0 to have the same one or two dimensions of tokens as the others, but found tensor<4x4x5xf32>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<3x4x5xf32>, tensor<?xi32>)
      outs(value_row %y0, %s = state %y1 : tensor<4x4x5xf32>, tensor<?x4x5x8xf32>) {
    mortar.yield %a, %s : vector<5xf32>, vector<5x8xf32>
  } -> (tensor<4x4x5xf32>, tensor<?x4x5x8xf32>)
  return
}

// -----

func.func @recurrence_c7_three_dimensions_of_tokens(%x0: tensor<?x?x?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected input 0 to have the same one or two dimensions of tokens as the others, but found tensor<?x?x?x4x5xf32>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x?x?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_no_tokens(%x0: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected an operand of tokens, but found none}}
  mortar.fused recurrence ins(%i = slots %x0 : tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_bounds_beside_two_dimensions(%x0: tensor<?x3x4x5xf32>, %x1: tensor<?xi32>, %x2: tensor<?xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected one dimension of tokens beside bounds, but found two}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1, %b = bounds %x2 : tensor<?x3x4x5xf32>, tensor<?xi32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_state_of_i32(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xi32>) {
  // expected-error @+1 {{(C7) expected a state of f32, bf16 or f16, but found tensor<?x4x5x8xi32>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xi32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xi32>
  return
}

// -----

func.func @recurrence_c7_state_of_i1(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xi1>) {
  // expected-error @+1 {{(C7) expected a state of f32, bf16 or f16, but found tensor<?x4x5x8xi1>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xi1>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xi1>
  return
}

// -----

func.func @recurrence_c7_state_of_f64(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf64>) {
  // expected-error @+1 {{(C7) expected a state of f32, bf16 or f16, but found tensor<?x4x5x8xf64>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf64>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf64>
  return
}

// -----

func.func @recurrence_c7_state_of_f8e4m3fn(%x0: tensor<?x4x5xf32>, %x1: tensor<?xi32>, %y0: tensor<?x4x5x8xf8E4M3FN>) {
  // expected-error @+1 {{(C7) expected a state of f32, bf16 or f16, but found tensor<?x4x5x8xf8E4M3FN>}}
  mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<?x4x5xf32>, tensor<?xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf8E4M3FN>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf8E4M3FN>
  return
}

// -----

func.func @recurrence_c7_slots_of_other_sequences(%x0: tensor<3x4x5xf32>, %x1: tensor<2xi32>, %y0: tensor<?x4x5x8xf32>) {
  // expected-error @+1 {{(C7) expected a row of slots for each sequence, tensor<2xi32>, but found 3 of them}}
  %0 = mortar.fused recurrence ins(%a = value_row %x0, %i = slots %x1 : tensor<3x4x5xf32>, tensor<2xi32>)
      outs(%s = state %y0 : tensor<?x4x5x8xf32>) {
    mortar.yield %s : vector<5x8xf32>
  } -> tensor<?x4x5x8xf32>
  return
}

// -----

func.func @recurrence_c7_long_rows_of_keys(%v: tensor<?x1x2xf32>, %slots: tensor<?xi32>, %pool: tensor<?x1x2x2049xf32>) -> (tensor<?x1x2xf32>, tensor<?x1x2x2049xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %v, %c0 : tensor<?x1x2xf32>
  %e = tensor.empty(%n) : tensor<?x1x2xf32>
  // expected-error @+1 {{(C7) expected at most 1024 keys, and 65536 elements in a head's state, but found tensor<?x1x2x2049xf32>}}
  %o, %new = mortar.fused recurrence ins(%a = value_row %v, %s = slots %slots : tensor<?x1x2xf32>, tensor<?xi32>) outs(value_row %e, %st = state %pool : tensor<?x1x2xf32>, tensor<?x1x2x2049xf32>) {
    %all = mortar.state_broadcast <values> %a : vector<2xf32> -> vector<2x2049xf32>
    %t = arith.addf %st, %all : vector<2x2049xf32>
    %r = mortar.state_reduce %t : vector<2x2049xf32> -> vector<2xf32>
    mortar.yield %r, %t : vector<2xf32>, vector<2x2049xf32>
  } -> (tensor<?x1x2xf32>, tensor<?x1x2x2049xf32>)
  return %o, %new : tensor<?x1x2xf32>, tensor<?x1x2x2049xf32>
}
