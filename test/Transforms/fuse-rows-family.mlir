// RUN: mortar-opt %s --mortar-fuse-rows -split-input-file | FileCheck %s
// A second run changes nothing.
// RUN: mortar-opt %s --mortar-fuse-rows -split-input-file -o %t.once
// RUN: mortar-opt %t.once --mortar-fuse-rows -split-input-file -o %t.twice
// RUN: diff %t.once %t.twice

// The stream, the norm and its fp8 form leave one kernel; the scale is read on the device.
// CHECK-LABEL: @add_norm_quantize(
func.func @add_norm_quantize(%x: tensor<?x4096xbf16>, %r: tensor<?x4096xbf16>, %w: tensor<4096xbf16>, %s: tensor<1xf32>)
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>) {
  // CHECK: %[[Y:.*]]:3 = mortar.fused ins(%{{.*}} = row %{{.*}}, %{{.*}} = row %{{.*}}, %{{.*}} = column %{{.*}}, %[[S:[a-z0-9_]+]] = scalar %arg3 :
  // CHECK-SAME: outs(row %{{.*}}, row %{{.*}}, row %{{.*}} : tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>) {
  // CHECK-NEXT: %[[A:.*]] = mortar.residual_add
  // CHECK-NEXT: %[[N:.*]] = mortar.rms_norm %[[A]]
  // CHECK-NEXT: %[[Q:.*]] = mortar.quantize %[[N]] scale(%[[S]]) : (vector<4096xbf16>, f32) -> vector<4096xf8E4M3FN>
  // CHECK-NEXT: mortar.yield %[[A]], %[[N]], %[[Q]]
  // CHECK-NOT: mortar.fused
  %a = mortar.residual_add %x, %r : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %n = mortar.rms_norm %a weight(%w) epsilon(1.0e-6) : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  %q = mortar.quantize %n scale(%s) : (tensor<?x4096xbf16>, tensor<1xf32>) -> tensor<?x4096xf8E4M3FN>
  return %a, %n, %q : tensor<?x4096xbf16>, tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>
}

// -----

// A scale a row.
// CHECK-LABEL: @norm_quantize_per_token(
func.func @norm_quantize_per_token(%x: tensor<?x64xbf16>, %u: tensor<1xf32>)
    -> (tensor<?x64xf8E4M3FN>, tensor<?x1xf32>, tensor<?x64xi8>, tensor<?x1xf32>) {
  // CHECK: mortar.fused ins(%{{.*}} = row %{{.*}}, %[[U:[a-z0-9_]+]] = scalar %arg1 : tensor<?x64xbf16>, tensor<1xf32>)
  // CHECK-SAME: outs(row %{{.*}}, row_scalar %{{.*}}, row %{{.*}}, row_scalar %{{[0-9]+}} :
  // CHECK-NEXT: %[[N:.*]] = mortar.rms_norm
  // CHECK-NEXT: mortar.quantize_dynamic %[[N]] upper_bound(%[[U]]) : (vector<64xf32>, f32) -> (vector<64xf8E4M3FN>, f32)
  // CHECK-NEXT: mortar.quantize_dynamic %[[N]] : (vector<64xf32>) -> (vector<64xi8>, f32)
  // CHECK-NOT: mortar.fused
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x64xbf16>) -> tensor<?x64xf32>
  %q, %s = mortar.quantize_dynamic %n upper_bound(%u) : (tensor<?x64xf32>, tensor<1xf32>) -> (tensor<?x64xf8E4M3FN>, tensor<?x1xf32>)
  %i, %t = mortar.quantize_dynamic %n : (tensor<?x64xf32>) -> (tensor<?x64xi8>, tensor<?x1xf32>)
  return %q, %s, %i, %t : tensor<?x64xf8E4M3FN>, tensor<?x1xf32>, tensor<?x64xi8>, tensor<?x1xf32>
}

// -----

// DeepSeek's feed-forward layer: a clamped gate, and a scale for each group.
// CHECK-LABEL: @silu_quantize_per_group(
func.func @silu_quantize_per_group(%x: tensor<?x8192xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>) {
  // CHECK: mortar.fused ins(%{{.*}} = row %{{.*}} : tensor<?x8192xbf16>) outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>)
  // CHECK-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} limit(1.000000e+01)
  // CHECK-NEXT: mortar.quantize_dynamic %[[Y]] group_size(128) ue8m0 : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, vector<32xf8E8M0FNU>)
  // CHECK-NOT: mortar.fused
  %y = mortar.silu_and_mul %x limit(10.0) : (tensor<?x8192xbf16>) -> tensor<?x4096xbf16>
  %q, %s = mortar.quantize_dynamic %y group_size(128) ue8m0 : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>)
  return %q, %s : tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>
}

// -----

// What is quantized is read again: widened, and scaled by what another region knows of
// each group.
// CHECK-LABEL: @dequantize(
func.func @dequantize(%x: tensor<4x64xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mortar.fused
  // CHECK-NEXT: %[[Q:.*]], %[[S:.*]] = mortar.quantize_dynamic
  // CHECK-NEXT: %[[F:.*]] = arith.extf %[[Q]] : vector<64xf8E4M3FN> to vector<64xf32>
  // CHECK-NEXT: %[[B:.*]] = mortar.row_broadcast %[[S]] : vector<8xf32> -> vector<64xf32>
  // CHECK-NEXT: arith.mulf %[[F]], %[[B]]
  // CHECK-NOT: mortar.fused
  %q, %s = mortar.quantize_dynamic %x group_size(8) : (tensor<4x64xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4x8xf32>)
  %f = arith.extf %q : tensor<4x64xf8E4M3FN> to tensor<4x64xf32>
  %y = mortar.fused ins(%a = row %f, %g = group_scalar %s : tensor<4x64xf32>, tensor<4x8xf32>) outs(row %e : tensor<4x64xf32>) {
    %b = mortar.row_broadcast %g : vector<8xf32> -> vector<64xf32>
    %m = arith.mulf %a, %b : vector<64xf32>
    mortar.yield %m : vector<64xf32>
  } -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

// CHECK-LABEL: @int8_back(
func.func @int8_back(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mortar.fused
  // CHECK-NEXT: %[[Q:.*]], %{{.*}} = mortar.quantize_dynamic
  // CHECK-NEXT: arith.sitofp %[[Q]] : vector<64xi8> to vector<64xf32>
  // CHECK-NOT: mortar.fused
  %q, %s = mortar.quantize_dynamic %x : (tensor<4x64xf32>) -> (tensor<4x64xi8>, tensor<4x1xf32>)
  %f = arith.sitofp %q : tensor<4x64xi8> to tensor<4x64xf32>
  return %f : tensor<4x64xf32>
}

// -----

// The gate keeps its own type and layout; the weight and the bias are columns.
// CHECK-LABEL: @gated(
func.func @gated(%x: tensor<?x16x128xbf16>, %z: tensor<?x16x128xf32>, %w: tensor<128xbf16>, %b: tensor<128xf32>)
    -> (tensor<?x16x128xf8E4M3FN>, tensor<?x16x1xf32>) {
  // CHECK: mortar.fused ins(%{{.*}} = row %{{.*}}, %{{.*}} = row %{{.*}}, %{{.*}} = column %{{.*}}, %{{.*}} = column %{{.*}} : tensor<?x16x128xbf16>, tensor<?x16x128xf32>, tensor<128xbf16>, tensor<128xf32>)
  // CHECK-NEXT: mortar.gated_rms_norm %{{.*}} gate(%{{.*}}) weight(%{{.*}}) bias(%{{.*}}) epsilon({{.*}}) activation(sigmoid) norm_before_gate(false) group_size(32) weight_offset(1) inner(bf16) :
  // CHECK-NEXT: mortar.quantize_dynamic
  // CHECK-NOT: mortar.fused
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) bias(%b) epsilon(1.0e-6) activation(sigmoid) norm_before_gate(false)
    group_size(32) weight_offset(1) inner(bf16)
    : (tensor<?x16x128xbf16>, tensor<?x16x128xf32>, tensor<128xbf16>, tensor<128xf32>) -> tensor<?x16x128xbf16>
  %q, %s = mortar.quantize_dynamic %y : (tensor<?x16x128xbf16>) -> (tensor<?x16x128xf8E4M3FN>, tensor<?x16x1xf32>)
  return %q, %s : tensor<?x16x128xf8E4M3FN>, tensor<?x16x1xf32>
}

// -----

// The kin of silu_and_mul, each between neighbours.
// CHECK-LABEL: @activations(
func.func @activations(%x: tensor<4x128xbf16>, %y: tensor<4x128xbf16>, %r: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused
  // CHECK-NEXT: %[[X:.*]] = mortar.residual_add
  // CHECK-NEXT: %[[A:.*]] = mortar.gelu_and_mul %[[X]] approximate(tanh)
  // CHECK-NEXT: %[[B:.*]] = mortar.swigluoai_and_mul %[[X]] alpha(1.500000e+00) limit(9.000000e+00) layout(halves)
  // CHECK-NEXT: %[[AB:.*]] = mortar.residual_add %[[A]], %[[B]]
  // CHECK-NEXT: %[[C:.*]] = mortar.swiglustep_and_mul %[[X]]
  // CHECK-NEXT: %[[ABC:.*]] = mortar.residual_add %[[AB]], %[[C]]
  // CHECK-NEXT: %[[D:.*]] = mortar.fatrelu_and_mul %[[X]]
  // CHECK-NEXT: %[[ABCD:.*]] = mortar.residual_add %[[ABC]], %[[D]]
  // CHECK-NEXT: %[[E:.*]] = mortar.mul_and_silu %[[X]]
  // CHECK-NEXT: mortar.residual_add %[[ABCD]], %[[E]]
  // CHECK-NOT: mortar.fused
  %s = mortar.residual_add %x, %y : (tensor<4x128xbf16>, tensor<4x128xbf16>) -> tensor<4x128xbf16>
  %a = mortar.gelu_and_mul %s approximate(tanh) : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  %b = mortar.swigluoai_and_mul %s alpha(1.5) limit(9.0) layout(halves) : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  %ab = mortar.residual_add %a, %b : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %c = mortar.swiglustep_and_mul %s : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  %abc = mortar.residual_add %ab, %c : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %d = mortar.fatrelu_and_mul %s threshold(0.5) : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  %abcd = mortar.residual_add %abc, %d : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %e = mortar.mul_and_silu %s : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  %f = mortar.residual_add %abcd, %e : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %f : tensor<4x64xbf16>
}
