// Rows of heads meet rows of all of them: one kernel on the longer rows, where a norm of a
// head is one of a group.
// RUN: mortar-opt %s --mortar-fuse-rows --split-input-file --verify-diagnostics --remarks-filter-missed='mortar.*' | FileCheck %s
// RUN: mortar-run %s --rows=1,3,17 --values=hard --compare=unfused,aligned --pad=3 --offset=1 | FileCheck %s --check-prefix=SAME
// RUN: mortar-run %s --rows=1,3,17 --values=hard --compare=cpu,unfused,aligned --pad=8 --offset=8 --device=emulate | FileCheck %s --check-prefix=SAME
// RUN: mortar-run %s --rows=1,3,17 --values=hard --compare=cpu --device=interpret | FileCheck %s --check-prefix=SAME
// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

// CHECK-LABEL: @gated_norm_then_quantize(
// CHECK: mortar.fused ins(%[[X:.*]] = heads %arg0, %[[Z:.*]] = heads %arg1, %[[W:.*]] = column %arg2 :
// CHECK-SAME: outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// CHECK-NEXT: %[[WW:.*]] = mortar.row_repeat %[[W]] : vector<128xbf16> -> vector<4096xbf16>
// CHECK-NEXT: %[[N:.*]] = mortar.gated_rms_norm %[[X]] gate(%[[Z]]) weight(%[[WW]]) {{.*}} group_size(128)
// CHECK-NEXT: mortar.quantize_dynamic %[[N]] : (vector<4096xbf16>)
// CHECK-NOT: mortar.fused
func.func @gated_norm_then_quantize(%x: tensor<?x32x128xbf16>, %z: tensor<?x32x128xbf16>, %w: tensor<128xbf16> {mortar.constant}) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) {
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) : (tensor<?x32x128xbf16>, tensor<?x32x128xbf16>, tensor<128xbf16>) -> tensor<?x32x128xbf16>
  %c = tensor.collapse_shape %y [[0], [1, 2]] : tensor<?x32x128xbf16> into tensor<?x4096xbf16>
  %q, %s = mortar.quantize_dynamic %c : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  return %q, %s : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>
}

// The other way round; a bias between, a group of its own, and both results leave.
// CHECK-LABEL: @add_then_norm_of_heads(
// CHECK: mortar.fused ins(%[[X:.*]] = row %arg0, %[[R:.*]] = row %arg1, %[[W:.*]] = column %arg2 :
// CHECK-SAME: outs(row %{{.*}}, heads %{{.*}} : tensor<?x512xbf16>, tensor<?x8x64xbf16>)
// CHECK-NEXT: %[[S:.*]] = mortar.residual_add %[[X]], %[[R]]
// CHECK: mortar.rms_norm %[[S]] weight(%{{.*}}) {{.*}} group_size(32)
// CHECK-NOT: mortar.fused
func.func @add_then_norm_of_heads(%x: tensor<?x512xbf16>, %r: tensor<?x512xbf16>, %w: tensor<64xbf16> {mortar.constant}) -> (tensor<?x512xbf16>, tensor<?x8x64xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x512xbf16>
  %y = mortar.residual_add %x, %r : (tensor<?x512xbf16>, tensor<?x512xbf16>) -> tensor<?x512xbf16>
  %h = tensor.expand_shape %y [[0], [1, 2]] output_shape [%t, 8, 64] : tensor<?x512xbf16> into tensor<?x8x64xbf16>
  %n = mortar.rms_norm %h weight(%w) epsilon(1.0e-6) group_size(32) : (tensor<?x8x64xbf16>, tensor<64xbf16>) -> tensor<?x8x64xbf16>
  return %y, %n : tensor<?x512xbf16>, tensor<?x8x64xbf16>
}

// An elementwise op between, with a constant.
// CHECK-LABEL: @norm_of_heads_scaled(
// CHECK: mortar.fused
// CHECK-NOT: mortar.fused
// CHECK: return
func.func @norm_of_heads_scaled(%x: tensor<?x4x32xf32>) -> tensor<?x128xf32> {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x4x32xf32>) -> tensor<?x4x32xf32>
  %d = arith.negf %n : tensor<?x4x32xf32>
  %c = tensor.collapse_shape %d [[0], [1, 2]] : tensor<?x4x32xf32> into tensor<?x128xf32>
  %e = arith.addf %c, %c : tensor<?x128xf32>
  return %e : tensor<?x128xf32>
}

// What isn't the same on longer rows stays apart, and reads the heads without a copy.
// CHECK-LABEL: @no_fuse_heads(
// CHECK: mortar.fused ins(%{{.*}} = row %arg0 : tensor<?x8x64xbf16>)
// CHECK: mortar.fused ins(%{{.*}} = heads %{{.*}} : tensor<?x8x32xbf16>)
func.func @no_fuse_heads(%x: tensor<?x8x64xbf16>) -> tensor<?x256xbf16> {
  %y = mortar.silu_and_mul %x : (tensor<?x8x64xbf16>) -> tensor<?x8x32xbf16>
  %c = tensor.collapse_shape %y [[0], [1, 2]] : tensor<?x8x32xbf16> into tensor<?x256xbf16>
  // expected-remark @+1 {{[Missed] heads | Category:mortar-fusion | Function=no_fuse_heads | Reason="'mortar.silu_and_mul' on rows of several heads isn't the op on each", Remark="silu_and_mul -> rms_norm not fused"}}
  %n = mortar.rms_norm %c epsilon(1.0e-6) : (tensor<?x256xbf16>) -> tensor<?x256xbf16>
  return %n : tensor<?x256xbf16>
}

// Nor the scale of a head, which is another than that of its group would be.
// CHECK-LABEL: @no_fuse_heads_scales(
// CHECK-COUNT-2: mortar.fused
func.func @no_fuse_heads_scales(%x: tensor<?x8x64xf32>) -> (tensor<?x512xf32>, tensor<?x8x1xf32>) {
  %q, %s = mortar.quantize_dynamic %x : (tensor<?x8x64xf32>) -> (tensor<?x8x64xi8>, tensor<?x8x1xf32>)
  %f = arith.sitofp %q : tensor<?x8x64xi8> to tensor<?x8x64xf32>
  %c = tensor.collapse_shape %f [[0], [1, 2]] : tensor<?x8x64xf32> into tensor<?x512xf32>
  // expected-remark @+1 {{[Missed] heads | Category:mortar-fusion | Function=no_fuse_heads_scales | Reason="it makes a row_scalar, or rows that don't lie as 8 heads", Remark="quantize_dynamic+sitofp -> rms_norm not fused"}}
  %n = mortar.rms_norm %c epsilon(1.0e-6) : (tensor<?x512xf32>) -> tensor<?x512xf32>
  return %n, %s : tensor<?x512xf32>, tensor<?x8x1xf32>
}

// Nor what has a number of its own for each head.
// CHECK-LABEL: @no_fuse_heads_scalar(
// CHECK-COUNT-2: mortar.fused
func.func @no_fuse_heads_scalar(%x: tensor<?x8x64xf32>, %f: tensor<?x8x1xf32>) -> tensor<?x512xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8x64xf32>
  %e = tensor.empty(%t) : tensor<?x8x64xf32>
  %y = mortar.fused ins(%a = row %x, %g = row_scalar %f : tensor<?x8x64xf32>, tensor<?x8x1xf32>) outs(row %e : tensor<?x8x64xf32>) {
    %b = mortar.row_broadcast %g : f32 -> vector<64xf32>
    %s = mortar.residual_add %a, %b : (vector<64xf32>, vector<64xf32>) -> vector<64xf32>
    mortar.yield %s : vector<64xf32>
  } -> tensor<?x8x64xf32>
  %c = tensor.collapse_shape %y [[0], [1, 2]] : tensor<?x8x64xf32> into tensor<?x512xf32>
  // expected-remark @+1 {{[Missed] heads | Category:mortar-fusion | Function=no_fuse_heads_scalar | Reason="it reads a row_scalar, one for each head", Remark="residual_add -> rms_norm not fused"}}
  %n = mortar.rms_norm %c epsilon(1.0e-6) : (tensor<?x512xf32>) -> tensor<?x512xf32>
  return %n : tensor<?x512xf32>
}

// Nor a region that says something nobody knows.
// CHECK-LABEL: @no_fuse_heads_attribute(
// CHECK-COUNT-2: mortar.fused
func.func @no_fuse_heads_attribute(%x: tensor<?x8x64xf32>) -> tensor<?x512xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8x64xf32>
  %e = tensor.empty(%t) : tensor<?x8x64xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x8x64xf32>) outs(row %e : tensor<?x8x64xf32>) attributes {vendor.hint} {
    %s = mortar.residual_add %a, %a : (vector<64xf32>, vector<64xf32>) -> vector<64xf32>
    mortar.yield %s : vector<64xf32>
  } -> tensor<?x8x64xf32>
  %c = tensor.collapse_shape %y [[0], [1, 2]] : tensor<?x8x64xf32> into tensor<?x512xf32>
  // expected-remark @+1 {{[Missed] heads | Category:mortar-fusion | Function=no_fuse_heads_attribute | Reason="it has attributes that longer rows might not keep", Remark="residual_add -> rms_norm not fused"}}
  %n = mortar.rms_norm %c epsilon(1.0e-6) : (tensor<?x512xf32>) -> tensor<?x512xf32>
  return %n : tensor<?x512xf32>
}

// Heads that nobody computes with joined leave by a copy.
func.func @returned(%x: tensor<?x8x64xbf16>) -> tensor<?x512xbf16> {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x8x64xbf16>) -> tensor<?x8x64xbf16>
  %c = tensor.collapse_shape %n [[0], [1, 2]] : tensor<?x8x64xbf16> into tensor<?x512xbf16>
  return %c : tensor<?x512xbf16>
}

// q and k in one qkv: rows that aren't evenly spaced, read where they are.
// CHECK-LABEL: @norms_in_qkv(
// CHECK: mortar.fused ins(%{{.*}} = row %{{.*}} : tensor<?x16x256xbf16>
// CHECK: mortar.fused ins(%{{.*}} = row %{{.*}} : tensor<?x2x256xbf16>
func.func @norms_in_qkv(%qkv: tensor<?x5120xbf16>, %w: tensor<256xbf16> {mortar.constant}) -> (tensor<?x16x256xbf16>, tensor<?x2x256xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %qkv, %c0 : tensor<?x5120xbf16>
  %q = tensor.extract_slice %qkv[0, 0] [%t, 4096] [1, 1] : tensor<?x5120xbf16> to tensor<?x4096xbf16>
  %k = tensor.extract_slice %qkv[0, 4096] [%t, 512] [1, 1] : tensor<?x5120xbf16> to tensor<?x512xbf16>
  %qh = tensor.expand_shape %q [[0], [1, 2]] output_shape [%t, 16, 256] : tensor<?x4096xbf16> into tensor<?x16x256xbf16>
  %kh = tensor.expand_shape %k [[0], [1, 2]] output_shape [%t, 2, 256] : tensor<?x512xbf16> into tensor<?x2x256xbf16>
  %qn = mortar.rms_norm %qh weight(%w) epsilon(1.0e-6) : (tensor<?x16x256xbf16>, tensor<256xbf16>) -> tensor<?x16x256xbf16>
  %kn = mortar.rms_norm %kh weight(%w) epsilon(1.0e-6) : (tensor<?x2x256xbf16>, tensor<256xbf16>) -> tensor<?x2x256xbf16>
  return %qn, %kn : tensor<?x16x256xbf16>, tensor<?x2x256xbf16>
}

// A weight of one head beside halves of the row.
// CHECK-LABEL: @no_fuse_heads_halves(
// CHECK-COUNT-2: mortar.fused
func.func @no_fuse_heads_halves(%x: tensor<?x2x128xf32>, %w: tensor<128xf32>) -> tensor<?x128xf32> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x2x128xf32>
  %e = tensor.empty(%t) : tensor<?x2x128xf32>
  %y = mortar.fused ins(%a = row %x, %g = column %w : tensor<?x2x128xf32>, tensor<128xf32>) outs(row %e : tensor<?x2x128xf32>) {
    %s = mortar.residual_add %a, %g : (vector<128xf32>, vector<128xf32>) -> vector<128xf32>
    mortar.yield %s : vector<128xf32>
  } -> tensor<?x2x128xf32>
  %c = tensor.collapse_shape %y [[0], [1, 2]] : tensor<?x2x128xf32> into tensor<?x256xf32>
  // expected-remark @+1 {{[Missed] heads | Category:mortar-fusion | Function=no_fuse_heads_halves | Reason="a weight of one head isn't repeated over rows that are read by halves", Remark="residual_add -> swigluoai_and_mul not fused"}}
  %n = mortar.swigluoai_and_mul %c : (tensor<?x256xf32>) -> tensor<?x128xf32>
  return %n : tensor<?x128xf32>
}

// Both forms of one value leave, and a view of an argument; a constant scale.
// CHECK-LABEL: @returned_both(
func.func @returned_both(%x: tensor<?x8x64xbf16>) -> (tensor<?x8x64xbf16>, tensor<?x512xbf16>, tensor<?x512xbf16>, tensor<?x512xf8E4M3FN>) {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x8x64xbf16>) -> tensor<?x8x64xbf16>
  %c = tensor.collapse_shape %n [[0], [1, 2]] : tensor<?x8x64xbf16> into tensor<?x512xbf16>
  %d = tensor.collapse_shape %x [[0], [1, 2]] : tensor<?x8x64xbf16> into tensor<?x512xbf16>
  %s = arith.constant dense<0.5> : tensor<1xf32>
  %q = mortar.quantize %c scale(%s) : (tensor<?x512xbf16>, tensor<1xf32>) -> tensor<?x512xf8E4M3FN>
  return %n, %c, %d, %q : tensor<?x8x64xbf16>, tensor<?x512xbf16>, tensor<?x512xbf16>, tensor<?x512xf8E4M3FN>
}

// Heads of a row that no kernel holds stay rows of their own.
// CHECK-LABEL: @long_row(
// CHECK: mortar.rms_norm {{.*}} : (vector<128xbf16>) -> vector<128xbf16>
func.func @long_row(%x: tensor<?x262144xbf16>) -> tensor<?x2048x128xbf16> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x262144xbf16>
  %y = mortar.residual_add %x, %x : (tensor<?x262144xbf16>, tensor<?x262144xbf16>) -> tensor<?x262144xbf16>
  %h = tensor.expand_shape %y [[0], [1, 2]] output_shape [%t, 2048, 128] : tensor<?x262144xbf16> into tensor<?x2048x128xbf16>
  %n = mortar.rms_norm %h epsilon(1.0e-6) : (tensor<?x2048x128xbf16>) -> tensor<?x2048x128xbf16>
  return %n : tensor<?x2048x128xbf16>
}

// What was joined for one reader has another, which runs on the longer rows, too.
// CHECK-LABEL: @second_reader(
// CHECK: mortar.fused ins(%[[X:.*]] = heads %arg0 : tensor<?x4x64xbf16>)
// CHECK-SAME: outs(row %{{.*}}, row_scalar %{{.*}}, heads %{{.*}} : tensor<?x256xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4x64xbf16>)
// CHECK-NEXT: %[[N:.*]] = mortar.rms_norm %[[X]] {{.*}} group_size(64)
// CHECK-NEXT: mortar.quantize_dynamic %[[N]]
// CHECK-NEXT: mortar.residual_add %[[N]], %[[N]]
// CHECK-NOT: mortar.fused
func.func @second_reader(%x: tensor<?x4x64xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4x64xbf16>) {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x4x64xbf16>) -> tensor<?x4x64xbf16>
  %c = tensor.collapse_shape %n [[0], [1, 2]] : tensor<?x4x64xbf16> into tensor<?x256xbf16>
  %q, %s = mortar.quantize_dynamic %c : (tensor<?x256xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?x1xf32>)
  %d = mortar.residual_add %n, %n : (tensor<?x4x64xbf16>, tensor<?x4x64xbf16>) -> tensor<?x4x64xbf16>
  return %q, %s, %d : tensor<?x256xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4x64xbf16>
}

// CHECK-LABEL: @no_fuse_heads_second_reader(
// CHECK-COUNT-2: mortar.fused
// CHECK-NOT: mortar.fused
func.func @no_fuse_heads_second_reader(%x: tensor<?x4x64xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4x32xbf16>) {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x4x64xbf16>) -> tensor<?x4x64xbf16>
  %c = tensor.collapse_shape %n [[0], [1, 2]] : tensor<?x4x64xbf16> into tensor<?x256xbf16>
  %q, %s = mortar.quantize_dynamic %c : (tensor<?x256xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?x1xf32>)
  // expected-remark @+1 {{[Missed] heads | Category:mortar-fusion | Function=no_fuse_heads_second_reader | Reason="'mortar.silu_and_mul' on rows of several heads isn't the op on each", Remark="rms_norm+quantize_dynamic -> silu_and_mul not fused"}}
  %g = mortar.silu_and_mul %n : (tensor<?x4x64xbf16>) -> tensor<?x4x32xbf16>
  return %q, %s, %g : tensor<?x256xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4x32xbf16>
}
