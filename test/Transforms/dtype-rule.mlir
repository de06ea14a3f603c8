// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s
// RUN: mortar-opt %s --mortar-fuse-rows=mixed-dtypes=separate | FileCheck %s
// RUN: mortar-opt %s --mortar-fuse-rows=mixed-dtypes=fuse | FileCheck %s --check-prefix=FUSE
// FUSE-COUNT-14: mortar.fused
// FUSE-NOT: mortar.fused

// The four of the design's page, in its order.

// CHECK-LABEL: @bf16_bf16_to_f32_weight_bf16(
func.func @bf16_bf16_to_f32_weight_bf16(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %w: tensor<64xbf16>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-1: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xf32>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<4x64xf32>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// CHECK-LABEL: @bf16_f32_to_f32_weight_bf16(
func.func @bf16_f32_to_f32_weight_bf16(%x: tensor<4x64xbf16>, %r: tensor<4x64xf32>, %w: tensor<64xbf16>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-2: mortar.fused
  // CHECK: return
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<4x64xf32>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// CHECK-LABEL: @bf16_to_bf16_weight_f32(
func.func @bf16_to_bf16_weight_f32(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %w: tensor<64xf32>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-2: mortar.fused
  // CHECK: return
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<64xf32>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// A rounding cast stops the walk: what it makes is bf16, whatever it was made of.
// CHECK-LABEL: @f32_truncf_bf16_weight_bf16(
func.func @f32_truncf_bf16_weight_bf16(%x: tensor<4x64xf32>, %w: tensor<64xbf16>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-1: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %s = mortar.residual_add %x, %x : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %t = arith.truncf %s : tensor<4x64xf32> to tensor<4x64xbf16>
  %n = mortar.rms_norm %t weight(%w) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// Without a weight the rule holds.
// CHECK-LABEL: @no_weight(
func.func @no_weight(%x: tensor<4x64xbf16>, %r: tensor<4x64xf32>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-1: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xf32>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// A widening cast is walked through.
// CHECK-LABEL: @through_extf(
func.func @through_extf(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %w: tensor<64xbf16>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-1: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %wide = arith.extf %x : tensor<4x64xbf16> to tensor<4x64xf32>
  %s = mortar.residual_add %wide, %r : (tensor<4x64xf32>, tensor<4x64xbf16>) -> tensor<4x64xf32>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<4x64xf32>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// CHECK-LABEL: @extf_and_weight_f32(
func.func @extf_and_weight_f32(%x: tensor<4x64xbf16>, %w: tensor<64xf32>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-2: mortar.fused
  // CHECK: return
  %wide = arith.extf %x : tensor<4x64xbf16> to tensor<4x64xf32>
  %n = mortar.rms_norm %wide weight(%w) epsilon(1.0e-6) : (tensor<4x64xf32>, tensor<64xf32>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// Any other op stops the walk, with the type of what it makes.
// CHECK-LABEL: @stops_at_mulf(
func.func @stops_at_mulf(%x: tensor<4x64xbf16>, %w: tensor<64xf32>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-1: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %wide = arith.extf %x : tensor<4x64xbf16> to tensor<4x64xf32>
  %m = arith.mulf %wide, %wide : tensor<4x64xf32>
  %n = mortar.rms_norm %m weight(%w) epsilon(1.0e-6) : (tensor<4x64xf32>, tensor<64xf32>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// The walk goes through views, through a chain of adds and past what fused already.
// CHECK-LABEL: @far_away(
func.func @far_away(%x: tensor<2x2x64xf32>, %r: tensor<4x64xbf16>, %w: tensor<64xbf16>) -> (tensor<4x64xbf16>, tensor<4x64xf32>) {
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.yield
  // CHECK: mortar.rms_norm
  // CHECK: return
  %0 = mortar.residual_add %x, %x : (tensor<2x2x64xf32>, tensor<2x2x64xf32>) -> tensor<2x2x64xbf16>
  %1 = tensor.collapse_shape %0 [[0, 1], [2]] : tensor<2x2x64xbf16> into tensor<4x64xbf16>
  %2 = mortar.residual_add %1, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xf32>
  %n = mortar.rms_norm %2 weight(%w) epsilon(1.0e-6) : (tensor<4x64xf32>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %n, %2 : tensor<4x64xbf16>, tensor<4x64xf32>
}

// Norms of two kinds in a chain: the one that breaks the rule stands alone, the others join.
// CHECK-LABEL: @one_of_two(
func.func @one_of_two(%x: tensor<4x64xbf16>, %w: tensor<64xbf16>, %v: tensor<64xf32>) -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm {{.*}} (vector<64xbf16>, vector<64xbf16>)
  // CHECK-NEXT: mortar.yield
  // CHECK: mortar.rms_norm {{.*}} (vector<64xbf16>, vector<64xf32>)
  // CHECK-NEXT: mortar.yield
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s weight(%v) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<64xf32>) -> tensor<4x64xbf16>
  %m = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %n, %m : tensor<4x64xbf16>, tensor<4x64xbf16>
}

// f16 is no bf16, and both are no one type.
// CHECK-LABEL: @f16_and_bf16(
func.func @f16_and_bf16(%x: tensor<4x64xbf16>, %r: tensor<4x64xf16>, %w: tensor<64xbf16>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-2: mortar.fused
  // CHECK: return
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xf16>) -> tensor<4x64xf32>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<4x64xf32>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// The result's and the inner type don't enter.
// CHECK-LABEL: @result_type(
func.func @result_type(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %w: tensor<64xbf16>) -> tensor<4x64xf32> {
  // CHECK-COUNT-1: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) inner(f16) : (tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xf32>
  return %n : tensor<4x64xf32>
}

// A consumer keeps away from such a norm, too.
// CHECK-LABEL: @consumer(
func.func @consumer(%x: tensor<4x64xbf16>, %w: tensor<64xf32>) -> tensor<4x64xbf16> {
  // CHECK: mortar.rms_norm
  // CHECK-NEXT: mortar.yield
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.yield
  %n = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<64xf32>) -> tensor<4x64xbf16>
  %s = mortar.residual_add %n, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %s : tensor<4x64xbf16>
}

// A norm alone is a kernel, whatever its types.
// CHECK-LABEL: @alone(
func.func @alone(%x: tensor<4x64xbf16>, %w: tensor<64xf32>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused
  // CHECK-NEXT: mortar.rms_norm
  %n = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<64xf32>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}
