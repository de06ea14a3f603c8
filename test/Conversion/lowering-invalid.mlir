// RUN: mortar-opt %s -split-input-file -verify-diagnostics \
// RUN:   --mortar-decompose --convert-mortar-to-gpu
// RUN: mortar-opt %s -split-input-file -verify-diagnostics \
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

func.func @groups(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf32>) {
    // expected-error @+1 {{reductions over groups have no lowering yet}}
    %g = mortar.row_reduce <sum> %a : vector<8xf32> -> vector<2xf32>
    %b = mortar.row_broadcast %g : vector<2xf32> -> vector<8xf32>
    mortar.yield %b : vector<8xf32>
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

func.func @recurrence(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  // expected-error @+1 {{expected the domain rows, but found a recurrence}}
  mortar.fused recurrence ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf32>) {
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

func.func @pairs(%x: memref<?x8xf32>, %y: memref<?x4xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x4xf32>) {
    // expected-error @+1 {{every other element of a row has no lowering yet}}
    %h = mortar.row_half <odd> %a : vector<8xf32> -> vector<4xf32>
    mortar.yield %h : vector<4xf32>
  }
  return
}

// -----

func.func @prefix(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf32>) {
    // expected-error @+1 {{a row's prefix has no lowering yet}}
    %p = mortar.row_prefix %a length(3) fill(0.0) : vector<8xf32>
    mortar.yield %p : vector<8xf32>
  }
  return
}

// -----

func.func @group_operand(%x: memref<?x8xf32>, %s: memref<?x2xf32>, %y: memref<?x8xf32>) {
  // expected-error @+1 {{operands by group have no lowering yet}}
  mortar.fused ins(%a = row %x, %g = group_scalar %s : memref<?x8xf32>, memref<?x2xf32>) outs(row %y : memref<?x8xf32>) {
    mortar.yield %a : vector<8xf32>
  }
  return
}

// -----

func.func @narrow_storage(%x: memref<?x8xf32>, %y: memref<?x8xf8E4M3FN>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf8E4M3FN>) {
    // expected-error @+1 {{elements of 'f8E4M3FN' have no lowering yet}}
    %q = arith.truncf %a : vector<8xf32> to vector<8xf8E4M3FN>
    mortar.yield %q : vector<8xf8E4M3FN>
  }
  return
}
