// The slots of three sequences: 2, none and 1.
// RUN: printf "\223NUMPY\001\000\070\000{'descr': '<i4', 'fortran_order': False, 'shape': (3,)}\n\002\000\000\000\000\000\000\000\001\000\000\000" > %t.npy
// RUN: mortar-run %s --entry=norm_of_a_norm --input=6:%t.npy --device=emulate --compare=unfused,cpu,interpret | FileCheck %s
// RUN: mortar-run %s --entry=constant_query --input=5:%t.npy --device=emulate --compare=unfused,cpu,interpret | FileCheck %s
// CHECK-COUNT-6: 0 differ

// A row of keys that a reduction reads before it is spread over the state.
func.func @norm_of_a_norm(%q: tensor<3x2x8xf32>, %k: tensor<3x2x8xf32>, %v: tensor<3x4x16xf32>, %g: tensor<3x4xf32>, %b: tensor<3x4xf32>, %pool: tensor<5x4x16x8xf32>, %slots: tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>) {
  %kn = mortar.l2_norm %k epsilon(1.0e-6) : (tensor<3x2x8xf32>) -> tensor<3x2x8xf32>
  %qn = mortar.l2_norm %kn epsilon(0.5) : (tensor<3x2x8xf32>) -> tensor<3x2x8xf32>
  %o, %new = mortar.gated_delta_rule query(%qn) key(%kn) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
   : (tensor<3x2x8xf32>, tensor<3x2x8xf32>, tensor<3x4x16xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<5x4x16x8xf32>, tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>)
  return %o, %new : tensor<3x4x16xf32>, tensor<5x4x16x8xf32>
}

// A row that nothing but its length ties to keys.
func.func @constant_query(%k: tensor<3x2x8xf32>, %v: tensor<3x4x16xf32>, %g: tensor<3x4xf32>, %b: tensor<3x4xf32>, %pool: tensor<5x4x16x8xf32>, %slots: tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>) {
  %c0 = arith.constant 0 : index
  %c = arith.constant dense<2.0> : tensor<3x2x8xf32>
  %q = mortar.l2_norm %c epsilon(1.0e-6) : (tensor<3x2x8xf32>) -> tensor<3x2x8xf32>
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
   : (tensor<3x2x8xf32>, tensor<3x2x8xf32>, tensor<3x4x16xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<5x4x16x8xf32>, tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>)
  return %o, %new : tensor<3x4x16xf32>, tensor<5x4x16x8xf32>
}
