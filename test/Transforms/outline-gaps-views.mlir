// RUN: mortar-opt %s --mortar-fuse | FileCheck %s
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu

// A view that splits rows, for what can't be computed on them whole, ends the gap, also
// where nothing else is foreign.
// CHECK-LABEL: func.func @split_by_view(
// CHECK: %[[A:.*]] = call @split_by_view_gap0(%arg0)
// CHECK: %[[V:.*]] = tensor.expand_shape %[[A]]
// CHECK: call @split_by_view_gap1(%[[V]])
func.func @split_by_view(%x: tensor<?x256xbf16>) -> tensor<?x2x64xbf16> {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?x256xbf16>
  %0 = mortar.residual_add %x, %x : (tensor<?x256xbf16>, tensor<?x256xbf16>) -> tensor<?x256xbf16>
  %v = tensor.expand_shape %0 [[0], [1, 2]] output_shape [%d, 2, 128] : tensor<?x256xbf16> into tensor<?x2x128xbf16>
  %1 = mortar.silu_and_mul %v : (tensor<?x2x128xbf16>) -> tensor<?x2x64xbf16>
  return %1 : tensor<?x2x64xbf16>
}

// So does a view of an argument: a kernel takes what it views.
// CHECK-LABEL: func.func @view_of_argument(
// CHECK: %[[V:.*]] = tensor.expand_shape %arg0
// CHECK: call @view_of_argument_gap0(%[[V]])
func.func @view_of_argument(%x: tensor<?x256xbf16>) -> tensor<?x2x128xbf16> {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?x256xbf16>
  %v = tensor.expand_shape %x [[0], [1, 2]] output_shape [%d, 2, 128] : tensor<?x256xbf16> into tensor<?x2x128xbf16>
  %1 = mortar.rms_norm %v epsilon(1.0e-6) : (tensor<?x2x128xbf16>) -> tensor<?x2x128xbf16>
  return %1 : tensor<?x2x128xbf16>
}
