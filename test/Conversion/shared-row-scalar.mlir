// RUN: mortar-opt %s --convert-mortar-to-gpu | FileCheck %s

// All threads of a row read its scalar, in several blocks maybe, and one of them writes:
// unlike a row, it can't be updated in place.
// CHECK-LABEL: func.func @scaled(
// CHECK: cf.assert {{.*}} "expected argument 2 to share no memory with argument 0, or all of it with the same strides, but they overlap"
// CHECK: cf.assert {{.*}} "expected argument 3 to share no memory with argument 1, but they overlap"
func.func @scaled(%x: memref<?x8xf32>, %s: memref<?x1xf32>,
                  %y: memref<?x8xf32>, %t: memref<?x1xf32>) {
  mortar.fused ins(%a = row %x, %b = row_scalar %s : memref<?x8xf32>, memref<?x1xf32>)
               outs(row %y, row_scalar %t : memref<?x8xf32>, memref<?x1xf32>) {
    %c = arith.addf %b, %b : f32
    %d = mortar.row_broadcast %c : f32 -> vector<8xf32>
    %e = arith.mulf %a, %d : vector<8xf32>
    mortar.yield %e, %c : vector<8xf32>, f32
  }
  return
}
