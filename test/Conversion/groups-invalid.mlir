// RUN: mortar-opt %s -verify-diagnostics --convert-mortar-to-gpu

// A sum of the whole row adds neighbours, which padded groups tear apart.
func.func @odd_groups_beside_a_sum(%x: memref<?x12xf32>, %y: memref<?x12xf32>) {
  // expected-error @+1 {{expected groups of a power of two of values beside other reductions, but found groups of 3}}
  mortar.fused ins(%a = row %x : memref<?x12xf32>) outs(row %y : memref<?x12xf32>) {
    %g = mortar.row_reduce <sum> %a : vector<12xf32> -> vector<4xf32>
    %b = mortar.row_broadcast %g : vector<4xf32> -> vector<12xf32>
    %s = mortar.row_reduce <sum> %b : vector<12xf32> -> f32
    %c = mortar.row_broadcast %s : f32 -> vector<12xf32>
    mortar.yield %c : vector<12xf32>
  }
  return
}
