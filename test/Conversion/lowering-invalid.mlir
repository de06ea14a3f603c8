// RUN: mortar-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect \
// RUN:   --mortar-decompose --convert-mortar-to-gpu
// RUN: mortar-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect \
// RUN:   --mortar-decompose --convert-mortar-to-cpu

func.func @too_long(%x: memref<?x131072xf32>, %y: memref<?x131072xf32>) {
  // expected-error @+1 {{expected rows of at most 65536 elements}}
  mortar.fused ins(%a = row %x : memref<?x131072xf32>) outs(row %y : memref<?x131072xf32>) {
    %n = mortar.rms_norm %a epsilon(1.0e-6) : (vector<131072xf32>) -> vector<131072xf32>
    mortar.yield %n : vector<131072xf32>
  }
  return
}

// -----

func.func @not_a_primitive(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf32>) {
    // expected-error @+1 {{expected a row primitive, but found 'math.exp'}}
    %e = math.exp %a : vector<8xf32>
    mortar.yield %e : vector<8xf32>
  }
  return
}

// -----

func.func @column_major(%x: memref<?x8xf32, strided<[1, 8]>>, %y: memref<?x8xf32>) {
  // expected-error @+1 {{expected operand 0 to be a memref whose rows are contiguous}}
  mortar.fused ins(%a = row %x : memref<?x8xf32, strided<[1, 8]>>) outs(row %y : memref<?x8xf32>) {
    mortar.yield %a : vector<8xf32>
  }
  return
}

// -----

func.func @parts_of_bytes(%x: memref<?x8xi4>, %y: memref<?x8xi4>) {
  // expected-error @+1 {{expected elements of whole bytes in operand 0, but found 'i4'}}
  mortar.fused ins(%a = row %x : memref<?x8xi4>) outs(row %y : memref<?x8xi4>) {
    mortar.yield %a : vector<8xi4>
  }
  return
}

// -----

func.func @two_destinations_one_buffer(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  // expected-error @+1 {{expected destination 1 to share its buffer with no destination and no input but a row, but it is destination 0, too}}
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y, row %y : memref<?x8xf32>, memref<?x8xf32>) {
    mortar.yield %a, %a : vector<8xf32>, vector<8xf32>
  }
  return
}

// -----

func.func @narrow_fma(%x: memref<?x8xbf16>, %y: memref<?x8xbf16>) {
  mortar.fused ins(%a = row %x : memref<?x8xbf16>) outs(row %y : memref<?x8xbf16>) {
    // expected-error @+1 {{expected a row primitive, but found 'math.fma'}}
    %e = math.fma %a, %a, %a : vector<8xbf16>
    mortar.yield %e : vector<8xbf16>
  }
  return
}

// -----

func.func @toward_zero(%x: memref<4x8xf32>, %y: memref<4x8xbf16>) {
  mortar.fused ins(%a = row %x : memref<4x8xf32>) outs(row %y : memref<4x8xbf16>) {
    // expected-error @+1 {{expected rounding to_nearest_even in a region, but found toward_zero}}
    %b = arith.truncf %a toward_zero : vector<8xf32> to vector<8xbf16>
    mortar.yield %b : vector<8xbf16>
  }
  return
}

// -----

func.func @fastmath(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  mortar.fused ins(%a = row %x : memref<4x8xf32>) outs(row %y : memref<4x8xf32>) {
    // expected-error @+1 {{expected no fastmath flags in a region, but found contract}}
    %b = arith.addf %a, %a fastmath<contract> : vector<8xf32>
    mortar.yield %b : vector<8xf32>
  }
  return
}

// -----

func.func @parts_of_bytes(%x: memref<?x8xi4>, %y: memref<?x8xi4>) {
  // expected-error @+1 {{expected elements of whole bytes in operand 0, but found 'i4'}}
  mortar.fused ins(%a = row %x : memref<?x8xi4>) outs(row %y : memref<?x8xi4>) {
    mortar.yield %a : vector<8xi4>
  }
  return
}

// -----

func.func @two_destinations_one_buffer(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  // expected-error @+1 {{expected destination 1 to share its buffer with no destination and no input but a row, but it is destination 0, too}}
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y, row %y : memref<?x8xf32>, memref<?x8xf32>) {
    mortar.yield %a, %a : vector<8xf32>, vector<8xf32>
  }
  return
}

// -----

func.func @narrow_fma(%x: memref<?x8xbf16>, %y: memref<?x8xbf16>) {
  mortar.fused ins(%a = row %x : memref<?x8xbf16>) outs(row %y : memref<?x8xbf16>) {
    // expected-error @+1 {{expected a row primitive, but found 'math.fma'}}
    %e = math.fma %a, %a, %a : vector<8xbf16>
    mortar.yield %e : vector<8xbf16>
  }
  return
}

// -----

func.func @constant_row(%x: memref<?x2xf32>, %y: memref<?x2xf32>) {
  mortar.fused ins(%a = row %x : memref<?x2xf32>) outs(row %y : memref<?x2xf32>) {
    // expected-error @+1 {{expected a constant row to be a splat; pass other constants as a column operand}}
    %c = arith.constant dense<[1.0, 2.0]> : vector<2xf32>
    %s = arith.addf %a, %c : vector<2xf32>
    mortar.yield %s : vector<2xf32>
  }
  return
}

// -----

func.func @scalars_only(%x: memref<?x1xf32>, %y: memref<?x1xf32>) {
  // expected-error @+1 {{expected at least one row in the region, but found scalars only}}
  mortar.fused ins(%a = row_scalar %x : memref<?x1xf32>) outs(row_scalar %y : memref<?x1xf32>) {
    mortar.yield %a : f32
  }
  return
}

// -----

func.func @wide_reduction(%x: memref<?x8xf32>, %y: memref<?x4xf32>) {
  // expected-error @+1 {{expected reductions over rows of 4 values, but found one over 8}}
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x4xf32>) {
    %s = mortar.row_reduce <sum> %a : vector<8xf32> -> f32
    %r = mortar.row_broadcast %s : f32 -> vector<4xf32>
    mortar.yield %r : vector<4xf32>
  }
  return
}

// -----

// An op of no known dialect has none that could be asked.
func.func @unregistered(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf32>) {
    // expected-error @+1 {{expected a row primitive, but found 'foreign.op'; run mortar-decompose first}}
    "foreign.op"() : () -> ()
    mortar.yield %a : vector<8xf32>
  }
  return
}

// -----

// Rows within rows: a vector that is no row.
func.func @no_row(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf32>) {
    // expected-error @+1 {{expected rows to be vectors of rank 1 and static length, but found 'vector<f32>'}}
    %c = arith.constant dense<1.0> : vector<f32>
    mortar.yield %a : vector<8xf32>
  }
  return
}

// -----

func.func @halves_and_pairs(%x: memref<?x8xf32>, %y: memref<?x4xf32>, %z: memref<?x4xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y, row %z : memref<?x4xf32>, memref<?x4xf32>) {
    %b = mortar.row_half <first> %a : vector<8xf32> -> vector<4xf32>
    // expected-error @+1 {{expected wide rows to be read by halves or by pairs, but found both in a region}}
    %c = mortar.row_half <even> %a : vector<8xf32> -> vector<4xf32>
    mortar.yield %b, %c : vector<4xf32>, vector<4xf32>
  }
  return
}

// -----

func.func @repeated_row(%x: memref<?x8xf32>, %y: memref<?x16xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x16xf32>) {
    // expected-error @+1 {{expected row_repeat of a column argument, but found another value}}
    %b = mortar.row_repeat %a : vector<8xf32> -> vector<16xf32>
    mortar.yield %b : vector<16xf32>
  }
  return
}

// -----

func.func @repeated_beside_halves(%x: memref<?x16xf32>, %w: memref<4xf32>, %y: memref<?x8xf32>) {
  // expected-error @+1 {{expected no wide rows beside row_repeat, but found both in a region}}
  mortar.fused ins(%a = row %x, %b = column %w : memref<?x16xf32>, memref<4xf32>) outs(row %y : memref<?x8xf32>) {
    %c = mortar.row_repeat %b : vector<4xf32> -> vector<8xf32>
    %d = mortar.row_half <first> %a : vector<16xf32> -> vector<8xf32>
    %e = arith.addf %c, %d : vector<8xf32>
    mortar.yield %e : vector<8xf32>
  }
  return
}
