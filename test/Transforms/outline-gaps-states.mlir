// RUN: mortar-opt %s --mortar-fuse -split-input-file -verify-diagnostics
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps -split-input-file -verify-diagnostics

// A gap's function updates its pool in place. Who reads the old one beyond the gap, only the
// function around can tell.
func.func private @foreign(tensor<?x4x6xbf16>) -> tensor<?x4x6xbf16>
func.func @f(%q: tensor<?x2x8xf32>, %v: tensor<?x4x6xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x6x8xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>, tensor<?x4x6x8xf32>) {
  // expected-error @+1 {{expected the new state to take the place of the old one, but the old one is read afterwards}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  %f = call @foreign(%o) : (tensor<?x4x6xbf16>) -> tensor<?x4x6xbf16>
  %p, %newer = mortar.gated_delta_rule query(%q) key(%q) value(%f) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x8xf32>, tensor<?x2x8xf32>, tensor<?x4x6xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x6x8xf32>, tensor<?xi32>)
    -> (tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>)
  return %p, %new, %newer : tensor<?x4x6xbf16>, tensor<?x4x6x8xf32>, tensor<?x4x6x8xf32>
}

// -----

// A pool that is packed beside something, all of which is read afterwards.
func.func @packed(%q: tensor<3x2x8xf32>, %k: tensor<3x2x8xf32>, %v: tensor<3x4x16xf32>, %g: tensor<3x4xf32>, %b: tensor<3x4xf32>, %pool: tensor<5x600xf32>, %slots: tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>, tensor<5x600xf32>) {
  %s = tensor.extract_slice %pool[0, 0] [5, 512] [1, 1] : tensor<5x600xf32> to tensor<5x512xf32>
  %p4 = tensor.expand_shape %s [[0],[1,2,3]] output_shape [5,4,16,8] : tensor<5x512xf32> into tensor<5x4x16x8xf32>
  // expected-error @+1 {{expected the new state to take the place of the old one, but the old one is read afterwards}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%p4) slots(%slots)
   : (tensor<3x2x8xf32>, tensor<3x2x8xf32>, tensor<3x4x16xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<5x4x16x8xf32>, tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>)
  %n = mortar.l2_norm %pool epsilon(1.0) : (tensor<5x600xf32>) -> tensor<5x600xf32>
  return %o, %new, %n : tensor<3x4x16xf32>, tensor<5x4x16x8xf32>, tensor<5x600xf32>
}
