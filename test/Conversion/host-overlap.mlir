// RUN: mortar-opt %s --mortar-fuse --mortar-to-gpu | FileCheck %s

// A destination may share an input's rows exactly, lie apart, or interleave with them as
// another column range of one matrix: |distance| mod stride leaves room for both rows.
// CHECK-LABEL: func.func @norm(
// CHECK: %[[STRIDE:.*]] = arith.maxui
// CHECK: %[[AWAY:.*]] = arith.maxsi
// CHECK: %[[WITHIN:.*]] = arith.remui %[[AWAY]], %[[STRIDE]] : index
// CHECK: arith.cmpi uge, %[[WITHIN]], %c8192
// CHECK: %[[REST:.*]] = arith.subi %[[STRIDE]], %[[WITHIN]]
// CHECK: arith.cmpi uge, %[[REST]], %c8192
// CHECK: cf.assert {{.*}} "expected argument 1 to share no memory with argument 0
func.func @norm(%x: tensor<?x4096xbf16>) -> tensor<?x4096xbf16> {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  return %n : tensor<?x4096xbf16>
}
