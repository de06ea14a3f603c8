// The decoder layer of gpt-oss-20b.mlir on fp8: hidden 2880, 64 query and 8 key heads of 64, 32 experts of 2880 of
// which 4 are taken, with gates and values in pairs (alpha 1.702, limit 7). The norm's weight multiplies in f32, and
// swigluoai rounds once, as in vLLM's kernel. Projections are foreign, since each has a bias, and so are attention
// (with its sinks), the router and the experts' multiplications.
//
// What enters a projection or an expert is fp8 with one f32 scale a row (2880 isn't a multiple of 128, so groups of
// that don't fit); the router reads the bf16 rows. The released weights are of four bits: here the foreign ops hold
// them. Four kernels: add, norm and quantization, twice; the quantization of attention's output; swigluoai with its
// quantization.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-4: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: %[[A:.*]]:3 = mortar.fused ins(%{{.*}} = row %arg0, %{{.*}} = row %arg1,{{.*}} outs(row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x2880xbf16>, tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999974E-6) : (vector<2880xbf16>, vector<2880xbf16>) -> vector<2880xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<2880xbf16>) -> (vector<2880xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[S]], %[[Q]], %[[C]]
// FUSE: %[[QKV:.*]] = call @qkv_projection(%[[A]]#1, %[[A]]#2)
// FUSE: %[[CONTEXT:.*]] = call @attention(%[[QKV]])
// FUSE: %[[O:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[CONTEXT]] : tensor<?x4096xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %{{.*}} : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[X:.*]] = call @out_projection(%[[O]]#0, %[[O]]#1)
// FUSE: %[[B:.*]]:4 = mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[A]]#0,{{.*}} outs(row %{{.*}}, row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x2880xbf16>, tensor<?x2880xbf16>, tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999974E-6) : (vector<2880xbf16>, vector<2880xbf16>) -> vector<2880xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<2880xbf16>) -> (vector<2880xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[S]], %[[N]], %[[Q]], %[[C]]
// FUSE: %[[R:.*]]:2 = call @router(%[[B]]#1)
// FUSE: %[[U:.*]] = call @experts_gate_up(%[[B]]#2, %[[B]]#3, %[[R]]#0)
// FUSE: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x5760xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Y:.*]] = mortar.swigluoai_and_mul %{{.*}} : (vector<5760xbf16>) -> vector<2880xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] : (vector<2880xbf16>) -> (vector<2880xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[D:.*]] = call @experts_down(%[[G]]#0, %[[G]]#1, %[[R]]#0, %[[R]]#1)
// FUSE: return %[[D]], %[[B]]#0

// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap0(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap1(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap2(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap3(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @qkv_projection(tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x5120xbf16>
func.func private @attention(tensor<?x5120xbf16>) -> tensor<?x4096xbf16>
func.func private @out_projection(tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2880xbf16>
func.func private @router(tensor<?x2880xbf16>) -> (tensor<?x4xi32>, tensor<?x4xf32>)
func.func private @experts_gate_up(tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4xi32>) -> tensor<?x5760xbf16>
func.func private @experts_down(tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4xi32>, tensor<?x4xf32>) -> tensor<?x2880xbf16>

func.func @layer(%hidden: tensor<?x2880xbf16>, %residual: tensor<?x2880xbf16>,
                 %w_input_norm: tensor<2880xbf16> {mortar.constant},
                 %w_post_norm: tensor<2880xbf16> {mortar.constant})
    -> (tensor<?x2880xbf16>, tensor<?x2880xbf16>) {
  %stream = mortar.residual_add %hidden, %residual : (tensor<?x2880xbf16>, tensor<?x2880xbf16>) -> tensor<?x2880xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-5)
    : (tensor<?x2880xbf16>, tensor<2880xbf16>) -> tensor<?x2880xbf16>
  %normed_q, %normed_q_scales = mortar.quantize_dynamic %normed
    : (tensor<?x2880xbf16>) -> (tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>)
  %qkv = call @qkv_projection(%normed_q, %normed_q_scales)
    : (tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x5120xbf16>
  %context = call @attention(%qkv)
    : (tensor<?x5120xbf16>) -> tensor<?x4096xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  %attended = call @out_projection(%context_q, %context_q_scales)
    : (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2880xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x2880xbf16>, tensor<?x2880xbf16>) -> tensor<?x2880xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-5)
    : (tensor<?x2880xbf16>, tensor<2880xbf16>) -> tensor<?x2880xbf16>
  %normed_1_q, %normed_1_q_scales = mortar.quantize_dynamic %normed_1
    : (tensor<?x2880xbf16>) -> (tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>)
  // The router's choice and weights; then a row for each of a token's four experts.
  %experts, %weights = call @router(%normed_1)
    : (tensor<?x2880xbf16>) -> (tensor<?x4xi32>, tensor<?x4xf32>)
  %gate_up = call @experts_gate_up(%normed_1_q, %normed_1_q_scales, %experts)
    : (tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4xi32>) -> tensor<?x5760xbf16>
  %gated = mortar.swigluoai_and_mul %gate_up alpha(1.702) limit(7.0) : (tensor<?x5760xbf16>) -> tensor<?x2880xbf16>
  %gated_q, %gated_q_scales = mortar.quantize_dynamic %gated
    : (tensor<?x2880xbf16>) -> (tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>)
  %out = call @experts_down(%gated_q, %gated_q_scales, %experts, %weights)
    : (tensor<?x2880xf8E4M3FN>, tensor<?x1xf32>, tensor<?x4xi32>, tensor<?x4xf32>) -> tensor<?x2880xbf16>
  return %out, %stream_1 : tensor<?x2880xbf16>, tensor<?x2880xbf16>
}
