// RUN: mortar-opt %s --mortar-fuse --mortar-bufferize -split-input-file -verify-diagnostics

func.func @reads_a_view_of_the_old_pool(%q: tensor<3x2x8xf32>, %k: tensor<3x2x8xf32>, %v: tensor<3x4x16xf32>, %g: tensor<3x4xf32>, %b: tensor<3x4xf32>, %pool: tensor<5x4x16x8xf32>, %slots: tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>, tensor<5x512xf32>) {
  %view = tensor.collapse_shape %pool [[0],[1,2,3]] : tensor<5x4x16x8xf32> into tensor<5x512xf32>
  // expected-error @+1 {{expected the new state to take the place of the old one, but the old one is read afterwards}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
   : (tensor<3x2x8xf32>, tensor<3x2x8xf32>, tensor<3x4x16xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<5x4x16x8xf32>, tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>)
  %n = mortar.l2_norm %view epsilon(1.0e-6) : (tensor<5x512xf32>) -> tensor<5x512xf32>
  return %o, %new, %n : tensor<3x4x16xf32>, tensor<5x4x16x8xf32>, tensor<5x512xf32>
}

// -----

func.func @reads_and_drops_the_new_pool(%q: tensor<3x2x8xf32>, %k: tensor<3x2x8xf32>, %v: tensor<3x4x16xf32>, %g: tensor<3x4xf32>, %b: tensor<3x4xf32>, %pool: tensor<5x4x16x8xf32>, %slots: tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>) {
  // expected-error @+1 {{expected the new state to be returned by 'reads_and_drops_the_new_pool' in place of the argument that holds the old one, but it isn't returned}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
   : (tensor<3x2x8xf32>, tensor<3x2x8xf32>, tensor<3x4x16xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<5x4x16x8xf32>, tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>)
  %n = mortar.l2_norm %new epsilon(1.0e-6) : (tensor<5x4x16x8xf32>) -> tensor<5x4x16x8xf32>
  return %o, %n : tensor<3x4x16xf32>, tensor<5x4x16x8xf32>
}

// -----

func.func @constant_pool(%q: tensor<3x2x8xf32>, %k: tensor<3x2x8xf32>, %v: tensor<3x4x16xf32>, %g: tensor<3x4xf32>, %b: tensor<3x4xf32>, %pool: tensor<5x4x16x8xf32> {mortar.constant}, %slots: tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>) {
  // expected-error @+1 {{expected the new state to be returned by 'constant_pool' in place of the argument that holds the old one, but that argument is constant}}
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
   : (tensor<3x2x8xf32>, tensor<3x2x8xf32>, tensor<3x4x16xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<5x4x16x8xf32>, tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>)
  return %o, %new : tensor<3x4x16xf32>, tensor<5x4x16x8xf32>
}
