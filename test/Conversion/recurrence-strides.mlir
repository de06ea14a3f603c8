// RUN: mortar-opt %s --mortar-fuse --mortar-to-gpu | FileCheck %s

// Of what a recurrence writes no two elements may lie at one place.
// CHECK-DAG: cf.assert %{{.*}}, "expected the elements of argument 5 to lie apart, but by its strides some share memory"
// CHECK-DAG: cf.assert %{{.*}}, "expected the elements of argument 7 to lie apart, but by its strides some share memory"
func.func @f(%q: tensor<3x2x8xf32>, %k: tensor<3x2x8xf32>, %v: tensor<3x4x16xf32>, %g: tensor<3x4xf32>, %b: tensor<3x4xf32>, %pool: tensor<5x4x16x8xf32>, %slots: tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>) {
  %kn = mortar.l2_norm %k epsilon(1.0e-6) : (tensor<3x2x8xf32>) -> tensor<3x2x8xf32>
  %qn = mortar.l2_norm %kn epsilon(0.5) : (tensor<3x2x8xf32>) -> tensor<3x2x8xf32>
  %o, %new = mortar.gated_delta_rule query(%qn) key(%kn) value(%v) decay(%g) beta(%b) state(%pool) slots(%slots)
   : (tensor<3x2x8xf32>, tensor<3x2x8xf32>, tensor<3x4x16xf32>, tensor<3x4xf32>, tensor<3x4xf32>, tensor<5x4x16x8xf32>, tensor<3xi32>) -> (tensor<3x4x16xf32>, tensor<5x4x16x8xf32>)
  return %o, %new : tensor<3x4x16xf32>, tensor<5x4x16x8xf32>
}
