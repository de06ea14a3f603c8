// RUN: mortar-opt %s --mortar-decompose | FileCheck %s
// A second run changes nothing.
// RUN: mortar-opt %s --mortar-decompose --mortar-decompose | FileCheck %s

// One rounding, to the result's type.
// CHECK-LABEL: @residual_add(
func.func @residual_add(%x: tensor<4x64xbf16>, %r: tensor<4x64xf32>, %e: tensor<4x64xf16>) -> tensor<4x64xf16> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}}, %[[R:.*]] = row %{{.*}} : {{.*}}) outs({{.*}}) attributes {label = "residual_add"} {
  // CHECK-NEXT: %[[W:.*]] = arith.extf %[[X]] : vector<64xbf16> to vector<64xf32>
  // CHECK-NEXT: %[[S:.*]] = arith.addf %[[W]], %[[R]] : vector<64xf32>
  // CHECK-NEXT: %[[Y:.*]] = arith.truncf %[[S]] : vector<64xf32> to vector<64xf16>
  // CHECK-NEXT: mortar.yield %[[Y]]
  %0 = mortar.fused ins(%a = row %x, %b = row %r : tensor<4x64xbf16>, tensor<4x64xf32>) outs(row %e : tensor<4x64xf16>) {
    %s = mortar.residual_add %a, %b : (vector<64xbf16>, vector<64xf32>) -> vector<64xf16>
    mortar.yield %s : vector<64xf16>
  } -> tensor<4x64xf16>
  return %0 : tensor<4x64xf16>
}

// The epsilon is added to the mean; the row is scaled, rounded to the inner type, then weighted;
// the weight's offset is added in f32.
// CHECK-LABEL: @rms_norm(
func.func @rms_norm(%x: tensor<4x64xbf16>, %w: tensor<64xbf16>, %e: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}}, %[[W:.*]] = column %{{.*}} : {{.*}} attributes {label = "rms_norm"} {
  // CHECK-NEXT: %[[XF:.*]] = arith.extf %[[X]]
  // CHECK-NEXT: %[[SQ:.*]] = arith.mulf %[[XF]], %[[XF]] : vector<64xf32>
  // CHECK-NEXT: %[[SUM:.*]] = mortar.row_reduce <sum> %[[SQ]] : vector<64xf32> -> f32
  // CHECK-NEXT: %[[COUNT:.*]] = arith.constant 6.400000e+01 : f32
  // CHECK-NEXT: %[[MEAN:.*]] = arith.divf %[[SUM]], %[[COUNT]] : f32
  // CHECK-NEXT: %[[EPS:.*]] = arith.constant 5.000000e-01 : f32
  // CHECK-NEXT: %[[SHIFTED:.*]] = arith.addf %[[MEAN]], %[[EPS]] : f32
  // CHECK-NEXT: %[[ROOT:.*]] = math.sqrt %[[SHIFTED]] : f32
  // CHECK-NEXT: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // CHECK-NEXT: %[[RSTD:.*]] = arith.divf %[[ONE]], %[[ROOT]] : f32
  // CHECK-NEXT: %[[SCALE:.*]] = mortar.row_broadcast %[[RSTD]] : f32 -> vector<64xf32>
  // CHECK-NEXT: %[[XHAT:.*]] = arith.mulf %[[XF]], %[[SCALE]]
  // CHECK-NEXT: %[[INNER:.*]] = arith.truncf %[[XHAT]] : vector<64xf32> to vector<64xbf16>
  // CHECK-NEXT: %[[WIDE:.*]] = arith.extf %[[INNER]]
  // CHECK-NEXT: %[[WF:.*]] = arith.extf %[[W]]
  // CHECK-NEXT: %[[ONES:.*]] = arith.constant dense<1.000000e+00> : vector<64xf32>
  // CHECK-NEXT: %[[GAMMA:.*]] = arith.addf %[[WF]], %[[ONES]] : vector<64xf32>
  // CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[WIDE]], %[[GAMMA]]
  // CHECK-NEXT: %[[YT:.*]] = arith.truncf %[[Y]]
  // CHECK-NEXT: mortar.yield %[[YT]]
  %0 = mortar.fused ins(%a = row %x, %b = column %w : tensor<4x64xbf16>, tensor<64xbf16>) outs(row %e : tensor<4x64xbf16>) {
    %n = mortar.rms_norm %a weight(%b) epsilon(0.5) weight_offset(1) inner(bf16) : (vector<64xbf16>, vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %n : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// Nothing rounds that no type says, and what isn't given isn't computed.
// CHECK-LABEL: @rms_norm_plain(
func.func @rms_norm_plain(%x: tensor<4x64xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mortar.fused
  // CHECK-NOT: arith.extf
  // CHECK-NOT: arith.truncf
  // CHECK: %[[SCALE:.*]] = mortar.row_broadcast
  // CHECK-NEXT: %[[Y:.*]] = arith.mulf %{{.*}}, %[[SCALE]] : vector<64xf32>
  // CHECK-NEXT: mortar.yield %[[Y]]
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xf32>) outs(row %e : tensor<4x64xf32>) {
    %n = mortar.rms_norm %a epsilon(0.5) : (vector<64xf32>) -> vector<64xf32>
    mortar.yield %n : vector<64xf32>
  } -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// The limit clamps the gate from above and the other half from both sides, in f32, before silu.
// CHECK-LABEL: @silu_and_mul(
func.func @silu_and_mul(%x: tensor<4x128xbf16>, %e: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row
  // CHECK-NEXT: %[[G:.*]] = mortar.row_half <first> %[[X]] : vector<128xbf16> -> vector<64xbf16>
  // CHECK-NEXT: %[[GF:.*]] = arith.extf %[[G]]
  // CHECK-NEXT: %[[U:.*]] = mortar.row_half <second> %[[X]]
  // CHECK-NEXT: %[[UF:.*]] = arith.extf %[[U]]
  // CHECK-DAG: %[[MOST:.*]] = arith.constant dense<1.000000e+01> : vector<64xf32>
  // CHECK-DAG: %[[LEAST:.*]] = arith.constant dense<-1.000000e+01> : vector<64xf32>
  // CHECK-DAG: arith.minimumf %[[GF]], %[[MOST]]
  // CHECK-DAG: %[[U1:.*]] = arith.minimumf %[[UF]], %[[MOST]]
  // CHECK: %[[U2:.*]] = arith.maximumf %[[U1]], %[[LEAST]]
  // The inner type rounds silu; then one product, rounded to the result's type.
  // CHECK: %[[INNER:.*]] = arith.truncf %{{.*}} : vector<64xf32> to vector<64xf16>
  // CHECK-NEXT: %[[WIDE:.*]] = arith.extf %[[INNER]]
  // CHECK-NEXT: %[[P:.*]] = arith.mulf %[[WIDE]], %[[U2]]
  // CHECK-NEXT: %[[Y:.*]] = arith.truncf %[[P]] : vector<64xf32> to vector<64xbf16>
  // CHECK-NEXT: mortar.yield %[[Y]]
  // CHECK-NOT: mortar.silu_and_mul
  %0 = mortar.fused ins(%a = row %x : tensor<4x128xbf16>) outs(row %e : tensor<4x64xbf16>) {
    %y = mortar.silu_and_mul %a limit(10.0) inner(f16) : (vector<128xbf16>) -> vector<64xbf16>
    mortar.yield %y : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// A label says what the region held; one that is given stays. Memrefs as well as tensors.
// CHECK-LABEL: @labels(
func.func @labels(%x: memref<4x64xf32>, %y: memref<4x64xf32>) {
  // CHECK: attributes {label = "residual_add_negf_rms_norm"}
  // CHECK: arith.negf
  mortar.fused ins(%a = row %x : memref<4x64xf32>) outs(row %y : memref<4x64xf32>) {
    %s = mortar.residual_add %a, %a : (vector<64xf32>, vector<64xf32>) -> vector<64xf32>
    %m = arith.negf %s : vector<64xf32>
    %n = mortar.rms_norm %m epsilon(0.5) : (vector<64xf32>) -> vector<64xf32>
    mortar.yield %n : vector<64xf32>
  }
  // CHECK: attributes {label = "given"}
  mortar.fused ins(%a = row %x : memref<4x64xf32>) outs(row %y : memref<4x64xf32>) attributes {label = "given"} {
    %n = mortar.rms_norm %a epsilon(0.5) : (vector<64xf32>) -> vector<64xf32>
    mortar.yield %n : vector<64xf32>
  }
  return
}

// The same with the halves the other way round.
// CHECK-LABEL: @mul_and_silu(
func.func @mul_and_silu(%x: tensor<4x128xbf16>, %e: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row
  // CHECK-NEXT: %[[U:.*]] = mortar.row_half <first> %[[X]]
  // CHECK-NEXT: %[[UF:.*]] = arith.extf %[[U]]
  // CHECK-NEXT: %[[G:.*]] = mortar.row_half <second> %[[X]]
  // CHECK-NEXT: %[[GF:.*]] = arith.extf %[[G]]
  // CHECK: arith.bitcast %[[GF]]
  // CHECK: %[[INNER:.*]] = arith.truncf %{{.*}} : vector<64xf32> to vector<64xf16>
  // CHECK-NEXT: %[[WIDE:.*]] = arith.extf %[[INNER]]
  // CHECK-NEXT: %[[P:.*]] = arith.mulf %[[WIDE]], %[[UF]]
  // CHECK-NEXT: %[[Y:.*]] = arith.truncf %[[P]]
  // CHECK-NEXT: mortar.yield %[[Y]]
  %0 = mortar.fused ins(%a = row %x : tensor<4x128xbf16>) outs(row %e : tensor<4x64xbf16>) {
    %y = mortar.mul_and_silu %a inner(f16) : (vector<128xbf16>) -> vector<64xbf16>
    mortar.yield %y : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %0 : tensor<4x64xbf16>
}

// (g·0.5)·(1 + erf(g·sqrt(1/2))).
// CHECK-LABEL: @gelu_and_mul(
func.func @gelu_and_mul(%x: tensor<4x128xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: %[[G:.*]] = mortar.row_half <first>
  // CHECK-NEXT: %[[U:.*]] = mortar.row_half <second>
  // CHECK-NEXT: %[[ROOT:.*]] = arith.constant dense<0.707106769> : vector<64xf32>
  // CHECK-NEXT: %[[ARGUMENT:.*]] = arith.mulf %[[G]], %[[ROOT]]
  // CHECK-DAG: %[[HALF:.*]] = arith.constant dense<5.000000e-01> : vector<64xf32>
  // CHECK-DAG: %[[PHI:.*]] = arith.addf %{{.*}}, %{{.*}} : vector<64xf32>
  // CHECK: %[[HALVED:.*]] = arith.mulf %[[G]], %[[HALF]]
  // CHECK-NEXT: %[[GELU:.*]] = arith.mulf %[[HALVED]], %{{.*}}
  // CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[GELU]], %[[U]]
  // CHECK-NEXT: mortar.yield %[[Y]]
  %0 = mortar.fused ins(%a = row %x : tensor<4x128xf32>) outs(row %e : tensor<4x64xf32>) {
    %y = mortar.gelu_and_mul %a : (vector<128xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// g·sigmoid(2·sqrt(2/π)·(g + 0.044715·g³)).
// CHECK-LABEL: @gelu_tanh(
func.func @gelu_tanh(%x: tensor<4x128xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: %[[G:.*]] = mortar.row_half <first>
  // CHECK: %[[SQUARE:.*]] = arith.mulf %[[G]], %[[G]]
  // CHECK-NEXT: %[[CUBE:.*]] = arith.mulf %[[SQUARE]], %[[G]]
  // CHECK-NEXT: %[[C:.*]] = arith.constant dense<4.471500e-02>
  // CHECK-NEXT: %[[TERM:.*]] = arith.mulf %[[C]], %[[CUBE]]
  // CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[G]], %[[TERM]]
  // CHECK-NEXT: %[[K:.*]] = arith.constant dense<1.59576917>
  // CHECK-NEXT: arith.mulf %[[K]], %[[SUM]]
  %0 = mortar.fused ins(%a = row %x : tensor<4x128xf32>) outs(row %e : tensor<4x64xf32>) {
    %y = mortar.gelu_and_mul %a approximate(tanh) : (vector<128xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// Pairs; the clamp before the sigmoid; u + 1 in f32.
// CHECK-LABEL: @swigluoai_and_mul(
func.func @swigluoai_and_mul(%x: tensor<4x128xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: %[[G:.*]] = mortar.row_half <even>
  // CHECK-NEXT: %[[U:.*]] = mortar.row_half <odd>
  // CHECK: %[[G1:.*]] = arith.minimumf %[[G]], %{{.*}}
  // CHECK-DAG: %[[U1:.*]] = arith.minimumf %[[U]], %{{.*}}
  // CHECK-DAG: %[[LEAST:.*]] = arith.constant dense<-7.000000e+00>
  // CHECK: %[[U2:.*]] = arith.maximumf %[[U1]], %[[LEAST]]
  // CHECK-NEXT: %[[ALPHA:.*]] = arith.constant dense<1.702000e+00>
  // CHECK-NEXT: arith.mulf %[[ALPHA]], %[[G1]]
  // CHECK: %[[ACTIVATED:.*]] = arith.mulf %[[G1]], %{{.*}}
  // CHECK-NEXT: %[[ONE:.*]] = arith.constant dense<1.000000e+00>
  // CHECK-NEXT: %[[U3:.*]] = arith.addf %[[U2]], %[[ONE]]
  // CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[U3]], %[[ACTIVATED]]
  // CHECK-NEXT: mortar.yield %[[Y]]
  // CHECK: mortar.row_half <first>
  // CHECK-NEXT: mortar.row_half <second>
  %0:2 = mortar.fused ins(%a = row %x : tensor<4x128xf32>) outs(row %e, row %e : tensor<4x64xf32>, tensor<4x64xf32>) {
    %y = mortar.swigluoai_and_mul %a : (vector<128xf32>) -> vector<64xf32>
    mortar.yield %y, %y : vector<64xf32>, vector<64xf32>
  } -> (tensor<4x64xf32>, tensor<4x64xf32>)
  %1 = mortar.fused ins(%a = row %x : tensor<4x128xf32>) outs(row %e : tensor<4x64xf32>) {
    %y = mortar.swigluoai_and_mul %a layout(halves) : (vector<128xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  return %0#0 : tensor<4x64xf32>
}

// The clamp after silu.
// CHECK-LABEL: @swiglustep_and_mul(
func.func @swiglustep_and_mul(%x: tensor<4x128xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: %[[G:.*]] = mortar.row_half <first>
  // CHECK-NOT: arith.minimumf %[[G]]
  // CHECK: %[[MOST:.*]] = arith.constant dense<7.000000e+00>
  // CHECK-NEXT: %[[S:.*]] = arith.minimumf %{{.*}}, %[[MOST]]
  // CHECK: %[[INNER:.*]] = arith.truncf %[[S]] : vector<64xf32> to vector<64xbf16>
  %0 = mortar.fused ins(%a = row %x : tensor<4x128xf32>) outs(row %e : tensor<4x64xf32>) {
    %y = mortar.swiglustep_and_mul %a inner(bf16) : (vector<128xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// A comparison that a NaN doesn't pass leaves it where it is.
// CHECK-LABEL: @fatrelu_and_mul(
func.func @fatrelu_and_mul(%x: tensor<4x128xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: %[[G:.*]] = mortar.row_half <first>
  // CHECK-NEXT: %[[U:.*]] = mortar.row_half <second>
  // CHECK-NEXT: %[[T:.*]] = arith.constant dense<5.000000e-01>
  // CHECK-NEXT: %[[BELOW:.*]] = arith.cmpf ole, %[[G]], %[[T]]
  // CHECK-NEXT: %[[ZERO:.*]] = arith.constant dense<0.000000e+00>
  // CHECK-NEXT: %[[KEPT:.*]] = arith.select %[[BELOW]], %[[ZERO]], %[[G]]
  // CHECK-NEXT: arith.mulf %[[KEPT]], %[[U]]
  %0 = mortar.fused ins(%a = row %x : tensor<4x128xf32>) outs(row %e : tensor<4x64xf32>) {
    %y = mortar.fatrelu_and_mul %a threshold(0.5) : (vector<128xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// Statistics over a prefix: what is filled in changes no sum, and f32(V) is divided by.
// CHECK-LABEL: @rms_norm_variance_size(
func.func @rms_norm_variance_size(%x: tensor<4x64xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row
  // CHECK-NEXT: %[[SQ:.*]] = arith.mulf %[[X]], %[[X]]
  // CHECK-NEXT: %[[HEAD:.*]] = mortar.row_prefix %[[SQ]] length(48) fill(-0.000000e+00) : vector<64xf32>
  // CHECK-NEXT: %[[SUM:.*]] = mortar.row_reduce <sum> %[[HEAD]]
  // CHECK-NEXT: %[[COUNT:.*]] = arith.constant 4.800000e+01 : f32
  // CHECK-NEXT: arith.divf %[[SUM]], %[[COUNT]]
  // CHECK: arith.mulf %[[X]], %{{.*}} : vector<64xf32>
  // CHECK: mortar.fused
  // CHECK-NOT: mortar.row_prefix
  // CHECK: return
  %0 = mortar.fused ins(%a = row %x : tensor<4x64xf32>) outs(row %e : tensor<4x64xf32>) {
    %y = mortar.rms_norm %a epsilon(0.5) variance_size(48) : (vector<64xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  %1 = mortar.fused ins(%a = row %0 : tensor<4x64xf32>) outs(row %e : tensor<4x64xf32>) {
    %y = mortar.rms_norm %a epsilon(0.5) variance_size(64) : (vector<64xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  return %1 : tensor<4x64xf32>
}

// Statistics a group; rounded before the weight and after the bias, gated last.
// CHECK-LABEL: @gated_rms_norm(
func.func @gated_rms_norm(%x: tensor<4x64xf32>, %z: tensor<4x64xbf16>, %w: tensor<64xf32>, %b: tensor<64xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}}, %[[Z:.*]] = row %{{.*}}, %[[W:.*]] = column %{{.*}}, %[[B:.*]] = column %arg3 :
  // CHECK-NEXT: %[[ZF:.*]] = arith.extf %[[Z]]
  // CHECK-NEXT: %[[SQ:.*]] = arith.mulf %[[X]], %[[X]]
  // CHECK-NEXT: %[[SUM:.*]] = mortar.row_reduce <sum> %[[SQ]] : vector<64xf32> -> vector<4xf32>
  // CHECK-NEXT: %[[COUNT:.*]] = arith.constant dense<1.600000e+01> : vector<4xf32>
  // CHECK-NEXT: %[[MEAN:.*]] = arith.divf %[[SUM]], %[[COUNT]] : vector<4xf32>
  // CHECK-NEXT: %[[EPS:.*]] = arith.constant dense<5.000000e-01> : vector<4xf32>
  // CHECK-NEXT: %[[SHIFTED:.*]] = arith.addf %[[MEAN]], %[[EPS]]
  // CHECK-NEXT: %[[ROOT:.*]] = math.sqrt %[[SHIFTED]] : vector<4xf32>
  // CHECK-NEXT: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : vector<4xf32>
  // CHECK-NEXT: %[[R:.*]] = arith.divf %[[ONE]], %[[ROOT]]
  // CHECK-NEXT: %[[SCALE:.*]] = mortar.row_broadcast %[[R]] : vector<4xf32> -> vector<64xf32>
  // CHECK-NEXT: %[[XHAT:.*]] = arith.mulf %[[X]], %[[SCALE]]
  // CHECK-NEXT: %[[INNER:.*]] = arith.truncf %[[XHAT]] : vector<64xf32> to vector<64xbf16>
  // CHECK-NEXT: %[[WIDE:.*]] = arith.extf %[[INNER]]
  // CHECK-NEXT: %[[WEIGHED:.*]] = arith.mulf %[[WIDE]], %[[W]]
  // CHECK-NEXT: %[[BIASED:.*]] = arith.addf %[[WEIGHED]], %[[B]]
  // CHECK-NEXT: %[[ROUNDED:.*]] = arith.truncf %[[BIASED]] : vector<64xf32> to vector<64xf16>
  // CHECK-NEXT: %[[N:.*]] = arith.extf %[[ROUNDED]]
  // CHECK-NEXT: %{{.*}} = arith.bitcast %[[ZF]]
  // CHECK: %[[Y:.*]] = arith.mulf %[[N]], %{{.*}}
  // CHECK-NEXT: mortar.yield %[[Y]]
  %0 = mortar.fused ins(%a = row %x, %g = row %z, %v = column %w, %c = column %b : tensor<4x64xf32>, tensor<4x64xbf16>, tensor<64xf32>, tensor<64xf32>)
                    outs(row %e : tensor<4x64xf32>) {
    %y = mortar.gated_rms_norm %a gate(%g) weight(%v) bias(%c) epsilon(0.5) group_size(16) inner(bf16) weighted(f16)
      : (vector<64xf32>, vector<64xbf16>, vector<64xf32>, vector<64xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// The gate first; one group is the row.
// CHECK-LABEL: @gated_rms_norm_gate_first(
func.func @gated_rms_norm_gate_first(%x: tensor<4x64xf32>, %z: tensor<4x64xf32>, %w: tensor<64xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}}, %[[Z:.*]] = row %{{.*}}, %[[W:.*]] = column %arg2 :
  // CHECK-NEXT: %{{.*}} = arith.bitcast %[[Z]]
  // CHECK: %[[V:.*]] = arith.mulf %[[X]], %{{.*}}
  // CHECK-NEXT: %[[SQ:.*]] = arith.mulf %[[V]], %[[V]]
  // CHECK-NEXT: mortar.row_reduce <sum> %[[SQ]] : vector<64xf32> -> f32
  // CHECK: %[[XHAT:.*]] = arith.mulf %[[V]], %{{.*}}
  // CHECK-NEXT: %[[ONES:.*]] = arith.constant dense<1.000000e+00> : vector<64xf32>
  // CHECK-NEXT: %[[GAMMA:.*]] = arith.addf %[[W]], %[[ONES]]
  // CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[XHAT]], %[[GAMMA]]
  // CHECK-NEXT: mortar.yield %[[Y]]
  %0 = mortar.fused ins(%a = row %x, %g = row %z, %v = column %w : tensor<4x64xf32>, tensor<4x64xf32>, tensor<64xf32>)
                    outs(row %e : tensor<4x64xf32>) {
    %y = mortar.gated_rms_norm %a gate(%g) weight(%v) epsilon(0.5) activation(sigmoid) norm_before_gate(false) group_size(64) weight_offset(1)
      : (vector<64xf32>, vector<64xf32>, vector<64xf32>) -> vector<64xf32>
    mortar.yield %y : vector<64xf32>
  } -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// A division, then a product: not a division by the scale.
// CHECK-LABEL: @quantize(
func.func @quantize(%x: tensor<4x64xbf16>, %s: tensor<1xf32>, %e: tensor<4x64xf8E4M3FN>) -> tensor<4x64xf8E4M3FN> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}}, %[[S:.*]] = scalar %arg1 :
  // CHECK-NEXT: %[[XF:.*]] = arith.extf %[[X]]
  // CHECK-NEXT: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // CHECK-NEXT: %[[R:.*]] = arith.divf %[[ONE]], %[[S]] : f32
  // CHECK-NEXT: %[[F:.*]] = mortar.row_broadcast %[[R]]
  // CHECK-NEXT: %[[P:.*]] = arith.mulf %[[XF]], %[[F]]
  // CHECK-DAG: %[[MOST:.*]] = arith.constant dense<4.480000e+02>
  // CHECK-DAG: %[[C:.*]] = arith.minimumf %[[P]], %[[MOST]]
  // CHECK-DAG: %[[LEAST:.*]] = arith.constant dense<-4.480000e+02>
  // CHECK: %[[D:.*]] = arith.maximumf %[[C]], %[[LEAST]]
  // CHECK-NEXT: %[[Q:.*]] = arith.truncf %[[D]] : vector<64xf32> to vector<64xf8E4M3FN>
  // CHECK-NEXT: mortar.yield %[[Q]]
  %0 = mortar.fused ins(%a = row %x, %t = scalar %s : tensor<4x64xbf16>, tensor<1xf32>) outs(row %e : tensor<4x64xf8E4M3FN>) {
    %q = mortar.quantize %a scale(%t) : (vector<64xbf16>, f32) -> vector<64xf8E4M3FN>
    mortar.yield %q : vector<64xf8E4M3FN>
  } -> tensor<4x64xf8E4M3FN>
  return %0 : tensor<4x64xf8E4M3FN>
}

// Per row: the bound before the division, the least scale after it. x is divided by it as
// five instructions do, after a clamp, since with a bound a quotient may be any number.
// CHECK-LABEL: @quantize_dynamic_per_row(
func.func @quantize_dynamic_per_row(%x: tensor<4x64xf32>, %u: tensor<1xf32>, %e: tensor<4x64xf8E4M3FN>, %f: tensor<4x1xf32>) -> tensor<4x64xf8E4M3FN> {
  // CHECK: mortar.fused ins(%[[X:.*]] = row %{{.*}}, %[[U:.*]] = scalar %arg1 :
  // CHECK: %[[A:.*]] = mortar.row_reduce <max> %{{.*}} : vector<64xf32> -> f32
  // CHECK-NEXT: %[[B:.*]] = arith.minimumf %[[A]], %[[U]] : f32
  // CHECK-NEXT: %[[C:.*]] = arith.constant 4.480000e+02 : f32
  // CHECK-NEXT: %[[D:.*]] = arith.divf %[[B]], %[[C]] : f32
  // CHECK-NEXT: %[[LEAST:.*]] = arith.constant 4.35965421E-6 : f32
  // CHECK-NEXT: %[[S:.*]] = arith.maximumf %[[D]], %[[LEAST]] : f32
  // CHECK-NEXT: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // CHECK-NEXT: %[[R:.*]] = arith.divf %[[ONE]], %[[S]] : f32
  // CHECK-NEXT: %[[INF:.*]] = arith.constant 0x7F800000 : f32
  // CHECK-NEXT: %[[ISINF:.*]] = arith.cmpf oeq, %[[S]], %[[INF]] : f32
  // CHECK-NEXT: %[[FIVE:.*]] = arith.constant 5.000000e+02 : f32
  // CHECK-NEXT: %[[L0:.*]] = arith.mulf %[[S]], %[[FIVE]] : f32
  // CHECK-NEXT: %[[MAX:.*]] = arith.constant 3.40282347E+38 : f32
  // CHECK-NEXT: %[[L1:.*]] = arith.minimumf %[[L0]], %[[MAX]] : f32
  // CHECK-NEXT: %[[L2:.*]] = arith.select %[[ISINF]], %[[INF]], %[[L1]] : f32
  // CHECK-NEXT: %[[L:.*]] = mortar.row_broadcast %[[L2]]
  // CHECK-NEXT: %[[X1:.*]] = arith.minimumf %[[X]], %[[L]]
  // CHECK-NEXT: %[[NL:.*]] = arith.negf %[[L]]
  // CHECK-NEXT: %[[X2:.*]] = arith.maximumf %[[X1]], %[[NL]]
  // CHECK-NEXT: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK-NEXT: %[[D0:.*]] = arith.select %[[ISINF]], %[[ZERO]], %[[S]] : f32
  // CHECK-DAG: %[[D:.*]] = mortar.row_broadcast %[[D0]]
  // CHECK-DAG: %[[RB:.*]] = mortar.row_broadcast %[[R]]
  // CHECK: %[[Q0:.*]] = arith.mulf %[[X2]], %[[RB]]
  // CHECK-NEXT: %[[NX:.*]] = arith.negf %[[X2]]
  // CHECK-NEXT: %[[E0:.*]] = math.fma %[[Q0]], %[[D]], %[[NX]]
  // CHECK-NEXT: %[[NE0:.*]] = arith.negf %[[E0]]
  // CHECK-NEXT: %[[Q1:.*]] = math.fma %[[NE0]], %[[RB]], %[[Q0]]
  // CHECK: %[[E1:.*]] = math.fma %[[Q1]], %[[D]]
  // CHECK-NEXT: %[[NE1:.*]] = arith.negf %[[E1]]
  // CHECK-NEXT: math.fma %[[NE1]], %[[RB]], %[[Q1]]
  // CHECK: %[[Q:.*]] = arith.truncf %{{.*}} : vector<64xf32> to vector<64xf8E4M3FN>
  // CHECK-NEXT: mortar.yield %[[Q]], %[[S]] :
  %0:2 = mortar.fused ins(%a = row %x, %t = scalar %u : tensor<4x64xf32>, tensor<1xf32>) outs(row %e, row_scalar %f : tensor<4x64xf8E4M3FN>, tensor<4x1xf32>) {
    %q:2 = mortar.quantize_dynamic %a upper_bound(%t) : (vector<64xf32>, f32) -> (vector<64xf8E4M3FN>, f32)
    mortar.yield %q#0, %q#1 : vector<64xf8E4M3FN>, f32
  } -> (tensor<4x64xf8E4M3FN>, tensor<4x1xf32>)
  return %0#0 : tensor<4x64xf8E4M3FN>
}

// Per group: the least magnitude before the division; powers of two by their bits, whose
// reciprocals are exact.
// CHECK-LABEL: @quantize_dynamic_per_group(
func.func @quantize_dynamic_per_group(%x: tensor<4x64xf32>, %e: tensor<4x64xf8E4M3FN>, %f: tensor<4x4xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN> {
  // CHECK: %[[A:.*]] = mortar.row_reduce <max> %{{.*}} : vector<64xf32> -> vector<4xf32>
  // CHECK-NEXT: %[[LEAST:.*]] = arith.constant dense<1.000000e-10> : vector<4xf32>
  // CHECK-NEXT: %[[B:.*]] = arith.maximumf %[[A]], %[[LEAST]]
  // CHECK-NEXT: %[[C:.*]] = arith.constant dense<4.480000e+02> : vector<4xf32>
  // CHECK-NEXT: %[[D:.*]] = arith.divf %[[B]], %[[C]]
  // CHECK: arith.constant dense<8388607> : vector<4xi32>
  // CHECK: arith.andi
  // CHECK: %[[P:.*]] = arith.bitcast %{{.*}} : vector<4xi32> to vector<4xf32>
  // CHECK-NEXT: %[[NAN:.*]] = arith.cmpf uno, %[[D]], %[[D]]
  // CHECK-NEXT: %[[S:.*]] = arith.select %[[NAN]], %[[D]], %[[P]]
  // CHECK-NEXT: %[[ONE:.*]] = arith.constant dense<1.000000e+00> : vector<4xf32>
  // CHECK-NEXT: %[[R:.*]] = arith.divf %[[ONE]], %[[S]] : vector<4xf32>
  // CHECK-NEXT: %[[RB:.*]] = mortar.row_broadcast %[[R]] : vector<4xf32> -> vector<64xf32>
  // CHECK-NEXT: arith.mulf %{{.*}}, %[[RB]]
  // CHECK-NOT: math.fma
  // CHECK: %[[Q:.*]] = arith.truncf %{{.*}} to vector<64xf8E4M3FN>
  // CHECK-NEXT: arith.bitcast %[[S]] : vector<4xf32> to vector<4xi32>
  // CHECK: arith.shrui
  // CHECK-NEXT: arith.trunci %{{.*}} : vector<4xi32> to vector<4xi8>
  // CHECK-NEXT: %[[CODE:.*]] = arith.bitcast %{{.*}} : vector<4xi8> to vector<4xf8E8M0FNU>
  // CHECK-NEXT: mortar.yield %[[Q]], %[[CODE]]
  %0:2 = mortar.fused ins(%a = row %x : tensor<4x64xf32>) outs(row %e, group_scalar %f : tensor<4x64xf8E4M3FN>, tensor<4x4xf8E8M0FNU>) {
    %q:2 = mortar.quantize_dynamic %a group_size(16) ue8m0 : (vector<64xf32>) -> (vector<64xf8E4M3FN>, vector<4xf8E8M0FNU>)
    mortar.yield %q#0, %q#1 : vector<64xf8E4M3FN>, vector<4xf8E8M0FNU>
  } -> (tensor<4x64xf8E4M3FN>, tensor<4x4xf8E8M0FNU>)
  return %0#0 : tensor<4x64xf8E4M3FN>
}

// NaN to 0, clamped, rounded by adding 1.5·2^23.
// CHECK-LABEL: @quantize_dynamic_int8(
func.func @quantize_dynamic_int8(%x: tensor<4x64xf32>, %e: tensor<4x64xi8>, %f: tensor<4x1xf32>) -> tensor<4x64xi8> {
  // CHECK: %[[A:.*]] = mortar.row_reduce <max>
  // CHECK-NEXT: %[[C:.*]] = arith.constant 1.270000e+02 : f32
  // CHECK-NEXT: %[[S:.*]] = arith.divf %[[A]], %[[C]] : f32
  // CHECK-NEXT: %[[ROW:.*]] = mortar.row_broadcast %[[S]]
  // CHECK-NEXT: %[[V:.*]] = arith.divf %{{.*}}, %[[ROW]]
  // CHECK-DAG: arith.constant dense<1.270000e+02>
  // CHECK-DAG: arith.constant dense<-1.280000e+02>
  // CHECK-DAG: %[[NAN:.*]] = arith.cmpf uno, %[[V]], %[[V]]
  // CHECK-DAG: %[[N:.*]] = arith.select %[[NAN]], %{{.*}}, %{{.*}}
  // CHECK-DAG: %[[MAGIC:.*]] = arith.constant dense<0x4B400000>
  // CHECK: %[[SUM:.*]] = arith.addf %[[N]], %[[MAGIC]]
  // CHECK: %[[Q:.*]] = arith.trunci %{{.*}} : vector<64xi32> to vector<64xi8>
  // CHECK-NEXT: mortar.yield %[[Q]], %[[S]] :
  %0:2 = mortar.fused ins(%a = row %x : tensor<4x64xf32>) outs(row %e, row_scalar %f : tensor<4x64xi8>, tensor<4x1xf32>) {
    %q:2 = mortar.quantize_dynamic %a : (vector<64xf32>) -> (vector<64xi8>, f32)
    mortar.yield %q#0, %q#1 : vector<64xi8>, f32
  } -> (tensor<4x64xi8>, tensor<4x1xf32>)
  return %0#0 : tensor<4x64xi8>
}
