// RUN: mortar-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect \
// RUN:   --mortar-decompose --convert-mortar-to-gpu
// RUN: mortar-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect \
// RUN:   --mortar-decompose --convert-mortar-to-cpu

func.func @not_a_primitive(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    // expected-error @+1 {{expected a primitive of a recurrence, but found 'math.exp'; run mortar-decompose first}}
    %b = math.exp %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @halves(%i0: memref<?x1x8xf32>, %i1: memref<?x2x5xf32>, %i2: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%k = key_row %i0, %a = value_row %i1, %s = slots %i2 : memref<?x1x8xf32>, memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %k2 = arith.addf %k, %k : vector<8xf32>
    // expected-error @+1 {{expected a primitive of a recurrence, but found 'mortar.row_half'}}
    %h = mortar.row_half <first> %k2 : vector<8xf32> -> vector<4xf32>
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @repeated(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    // expected-error @+1 {{expected a primitive of a recurrence, but found 'mortar.row_repeat'}}
    %h = mortar.row_repeat %a : vector<5xf32> -> vector<10xf32>
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @other_op(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    // expected-error @+1 {{expected a primitive of a recurrence, but found 'foreign.op'}}
    %h = "foreign.op"(%a) : (vector<5xf32>) -> vector<5xf32>
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @other_rows(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %c = arith.constant 1.0 : f32
    // expected-error @+1 {{expected rows of 8 keys or 5 values, and states of both, but found 'vector<4xf32>'}}
    %h = mortar.row_broadcast %c : f32 -> vector<4xf32>
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @other_column(%i0: memref<4xf32>, %i1: memref<?x2x5xf32>, %i2: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%w = column %i0, %a = value_row %i1, %s = slots %i2 : memref<4xf32>, memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    // expected-error @+1 {{expected rows of 8 keys or 5 values, and states of both, but found 'vector<4xf32>'}}
    %h = arith.addf %w, %w : vector<4xf32>
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @transposed(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    // expected-error @+1 {{expected rows of 8 keys or 5 values, and states of both, but found 'vector<8x5xf32>'}}
    %t = mortar.state_broadcast <keys> %a : vector<5xf32> -> vector<8x5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @constant_row(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    // expected-error @+1 {{expected a constant row to be a splat; pass other constants as a column operand}}
    %c = arith.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0]> : vector<5xf32>
    %b = arith.addf %a, %c : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @constant_state(%i0: memref<?x2x2xf32>, %i1: memref<?xi32>, %o0: memref<?x2x2xf32>, %o1: memref<?x2x2x1xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x2xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x2xf32>, memref<?x2x2x1xf32>) {
    %b = arith.addf %a, %a : vector<2xf32>
    // expected-error @+1 {{expected a constant row to be a splat}}
    %c = arith.constant dense<[[0.0], [1.0]]> : vector<2x1xf32>
    %n = arith.addf %st, %c : vector<2x1xf32>
    mortar.yield %b, %n : vector<2xf32>, vector<2x1xf32>
  }
  return
}

// -----

func.func @fastmath(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    // expected-error @+1 {{expected no fastmath flags in a region, but found fast}}
    %b = arith.addf %a, %a fastmath<fast> : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @rounding(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    // expected-error @+1 {{expected rounding to_nearest_even in a region, but found downward}}
    %t = arith.truncf %st downward : vector<5x8xf32> to vector<5x8xbf16>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

// Of groups of as many as there are keys.
func.func @groups(%i0: memref<?x2x4xf32>, %i1: memref<?xi32>, %o0: memref<?x2x4xf32>, %o1: memref<?x2x4x2xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x4xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x4xf32>, memref<?x2x4x2xf32>) {
    %c = arith.addf %a, %a : vector<4xf32>
    // expected-error @+1 {{expected a recurrence to reduce whole rows, but found groups}}
    %g = mortar.row_reduce <sum> %c : vector<4xf32> -> vector<2xf32>
    %n = arith.addf %st, %st : vector<4x2xf32>
    mortar.yield %c, %n : vector<4xf32>, vector<4x2xf32>
  }
  return
}

// -----

// With as many keys as values types alone don't tell them apart.
func.func @keys_are_no_values(%i0: memref<?x1x8xf32>, %i1: memref<?x2x8xf32>, %i2: memref<?xi32>, %o0: memref<?x2x8xf32>, %o1: memref<?x2x8x8xf32>) {
  mortar.fused recurrence ins(%k = key_row %i0, %a = value_row %i1, %s = slots %i2 : memref<?x1x8xf32>, memref<?x2x8xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x8xf32>, memref<?x2x8x8xf32>) {
    // expected-error @+1 {{expected a row to run along keys or along values, but it does both}}
    %b = arith.addf %k, %a : vector<8xf32>
    %n = arith.addf %st, %st : vector<8x8xf32>
    mortar.yield %b, %n : vector<8xf32>, vector<8x8xf32>
  }
  return
}

// -----

func.func @keys_returned(%i0: memref<?x1x8xf32>, %i1: memref<?x2x8xf32>, %i2: memref<?xi32>, %o0: memref<?x2x8xf32>, %o1: memref<?x2x8x8xf32>) {
  mortar.fused recurrence ins(%k = key_row %i0, %a = value_row %i1, %s = slots %i2 : memref<?x1x8xf32>, memref<?x2x8xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x8xf32>, memref<?x2x8x8xf32>) {
    // expected-error @+1 {{expected a row to run along keys or along values, but it does both}}
    %b = arith.addf %k, %k : vector<8xf32>
    %n = arith.addf %st, %st : vector<8x8xf32>
    mortar.yield %b, %n : vector<8xf32>, vector<8x8xf32>
  }
  return
}

// -----

func.func @keys_filled_by_values(%i0: memref<?x1x8xf32>, %i1: memref<?x2x8xf32>, %i2: memref<?xi32>, %o0: memref<?x2x8xf32>, %o1: memref<?x2x8x8xf32>) {
  mortar.fused recurrence ins(%k = key_row %i0, %a = value_row %i1, %s = slots %i2 : memref<?x1x8xf32>, memref<?x2x8xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x8xf32>, memref<?x2x8x8xf32>) {
    // expected-error @+1 {{expected a row to run along keys or along values, but it does both}}
    %m = mortar.state_broadcast <values> %k : vector<8xf32> -> vector<8x8xf32>
    %b = arith.addf %a, %a : vector<8xf32>
    %n = arith.addf %st, %m : vector<8x8xf32>
    mortar.yield %b, %n : vector<8xf32>, vector<8x8xf32>
  }
  return
}

// -----

func.func @sums_are_no_keys(%i0: memref<?x1x8xf32>, %i1: memref<?x2x8xf32>, %i2: memref<?xi32>, %o0: memref<?x2x8xf32>, %o1: memref<?x2x8x8xf32>) {
  mortar.fused recurrence ins(%k = key_row %i0, %a = value_row %i1, %s = slots %i2 : memref<?x1x8xf32>, memref<?x2x8xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x8xf32>, memref<?x2x8x8xf32>) {
    // expected-error @+1 {{expected a row to run along keys or along values, but it does both}}
    %b = mortar.state_reduce %st : vector<8x8xf32> -> vector<8xf32>
    %n = mortar.state_broadcast <keys> %b : vector<8xf32> -> vector<8x8xf32>
    mortar.yield %b, %n : vector<8xf32>, vector<8x8xf32>
  }
  return
}

// -----

func.func @returns_an_argument(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected result 0 of a recurrence to be computed, but it is argument 0}}
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %a, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @returns_the_state(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected result 1 of a recurrence to be computed, but it is argument 2}}
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    mortar.yield %b, %st : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

// A state whose keys aren't contiguous.
func.func @column_major(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32, strided<[80, 40, 1, 5]>>) {
  // expected-error @+1 {{expected operand 3 to be a memref whose rows are contiguous, but found}}
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32, strided<[80, 40, 1, 5]>>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @dynamic_last_stride(%i0: memref<?x2x5xf32, strided<[?, ?, ?], offset: ?>>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected operand 0 to be a memref whose rows are contiguous, but found}}
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32, strided<[?, ?, ?], offset: ?>>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @slots_with_strides(%i0: memref<?x2x5xf32>, %i1: memref<?xi32, strided<[2]>>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected operand 1 to be a memref whose rows are contiguous, but found}}
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32, strided<[2]>>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @no_strides(%i0: memref<?x2x5xf32, affine_map<(a, b, c) -> (a + b, b, c)>>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected operand 0 to be a memref whose rows are contiguous, but found}}
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32, affine_map<(a, b, c) -> (a + b, b, c)>>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @reads_its_slot(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    // expected-error @+1 {{expected no primitive of a recurrence to read an index, but found one that reads its slots}}
    %f = arith.sitofp %s : i32 to f32
    %r = mortar.row_broadcast %f : f32 -> vector<5xf32>
    %b = arith.addf %a, %r : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @reads_its_bound(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %i2: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1, %c = bounds %i2 : memref<?x2x5xf32>, memref<?xi32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    // expected-error @+1 {{expected no primitive of a recurrence to read an index, but found one that reads its bounds}}
    %f = arith.addi %c, %c : i32
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @parts_of_bytes(%i0: memref<?x1x8xi4>, %i1: memref<?x2x5xf32>, %i2: memref<?xi32>, %o0: memref<?x2x5xf32>, %o1: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected elements of whole bytes in operand 0, but found 'i4'}}
  mortar.fused recurrence ins(%k = key_row %i0, %a = value_row %i1, %s = slots %i2 : memref<?x1x8xi4>, memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %k2 = arith.sitofp %k : vector<8xi4> to vector<8xf32>
    %m = mortar.state_broadcast <keys> %k2 : vector<8xf32> -> vector<5x8xf32>
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %m : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @parts_of_bytes_made(%i0: memref<?x2x5xf32>, %i1: memref<?xi32>, %o0: memref<?x2x5xi1>, %o1: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected elements of whole bytes in operand 2, but found 'i1'}}
  mortar.fused recurrence ins(%a = value_row %i0, %s = slots %i1 : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o0, %st = state %o1 : memref<?x2x5xi1>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %t = arith.constant dense<1> : vector<5xi1>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %t, %n : vector<5xi1>, vector<5x8xf32>
  }
  return
}

// -----

func.func @one_buffer(%v: memref<?x2x5xf32>, %slots: memref<?xi32>, %pool: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected argument 0 of a recurrence to share its buffer with no other operand, but it is argument 0, too}}
  mortar.fused recurrence ins(%a = value_row %v, %s = slots %slots : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %v, %st = state %pool : memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %n : vector<5xf32>, vector<5x8xf32>
  }
  return
}

// -----

func.func @two_destinations_one_buffer(%v: memref<?x2x5xf32>, %slots: memref<?xi32>, %o: memref<?x2x5xf32>, %pool: memref<?x2x5x8xf32>) {
  // expected-error @+1 {{expected argument 2 of a recurrence to share its buffer with no other operand, but it is argument 2, too}}
  mortar.fused recurrence ins(%a = value_row %v, %s = slots %slots : memref<?x2x5xf32>, memref<?xi32>)
      outs(value_row %o, value_row %o, %st = state %pool : memref<?x2x5xf32>, memref<?x2x5xf32>, memref<?x2x5x8xf32>) {
    %b = arith.addf %a, %a : vector<5xf32>
    %n = arith.addf %st, %st : vector<5x8xf32>
    mortar.yield %b, %b, %n : vector<5xf32>, vector<5xf32>, vector<5x8xf32>
  }
  return
}
