// In a region of row primitives alone no op is counted, and none has joined another.
//
// REQUIRES: mortar-compile
// RUN: mortar-compile %s --target=host --emit=nothing
// RUN: not mortar-compile %s --target=host --emit=nothing --min-fusions=1 2>&1 \
// RUN:   | FileCheck %s
// CHECK: expected at least 1 ops to join another's kernel, but 0 did

func.func @no_nans(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%rows) : tensor<?x8xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x8xf32>) outs(row %e : tensor<?x8xf32>) {
    %c = arith.cmpf uno, %a, %a : vector<8xf32>
    %z = arith.constant dense<0.0> : vector<8xf32>
    %d = arith.select %c, %z, %a : vector<8xi1>, vector<8xf32>
    mortar.yield %d : vector<8xf32>
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
