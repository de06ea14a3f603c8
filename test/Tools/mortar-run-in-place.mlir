// REQUIRES: mortar-run
// What may be updated in place is read before it is written, by one kernel and by several;
// an argument that holds no result is left alone, though it may be overwritten.
// RUN: mortar-run %s --rows=1,5 --offset=1 --pad=3 --compare=unfused,cpu | FileCheck %s

// CHECK-NOT: {{[1-9][0-9]*}} differ
// CHECK: gaps_gap1
// CHECK-NOT: {{[1-9][0-9]*}} differ
// CHECK: rank4
// CHECK-NOT: {{[1-9][0-9]*}} differ

func.func @swap(%x: tensor<?x64xf32> {bufferization.writable = true}, %r: tensor<?x64xf32> {bufferization.writable = true}, %w: tensor<64xf32>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  %s = mortar.residual_add %x, %r
    : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  %z = mortar.residual_add %y, %r
    : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %z, %y, %s : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}

func.func @square(%x: tensor<?x64xf32> {bufferization.writable = true}, %w: tensor<64xf32>) -> tensor<?x64xf32> {
  %s = mortar.residual_add %x, %x
    : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

func.func @gaps(%x: tensor<17x64xf32>, %r: tensor<17x64xf32>, %w: tensor<64xf32>, %m: tensor<64x64xf32>, %o: tensor<17x64xf32>)
    -> (tensor<17x64xf32>, tensor<17x64xf32>) {
  %s = mortar.residual_add %x, %r
    : (tensor<17x64xf32>, tensor<17x64xf32>) -> tensor<17x64xf32>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<17x64xf32>, tensor<64xf32>) -> tensor<17x64xf32>
  %g = linalg.matmul ins(%y, %m : tensor<17x64xf32>, tensor<64x64xf32>) outs(%o : tensor<17x64xf32>) -> tensor<17x64xf32>
  %t = mortar.residual_add %g, %s
    : (tensor<17x64xf32>, tensor<17x64xf32>) -> tensor<17x64xf32>
  %z = mortar.rms_norm %t weight(%w) epsilon(1.0e-6)
    : (tensor<17x64xf32>, tensor<64xf32>) -> tensor<17x64xf32>
  return %z, %t : tensor<17x64xf32>, tensor<17x64xf32>
}

func.func @rank4(%x: tensor<?x2x?x64xf16>, %w: tensor<64xf32>) -> tensor<?x2x?x64xf32> {
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6)
    : (tensor<?x2x?x64xf16>, tensor<64xf32>) -> tensor<?x2x?x64xf32>
  return %y : tensor<?x2x?x64xf32>
}
