// The decoder layer of llama3-8b.mlir on fp8: what enters a matrix multiplication is f8E4M3FN with one f32 scale a
// row (per token). The multiplications are foreign, hold their weights and give bf16. The bf16 residual stream and
// the norm's fp8 form leave one kernel. Four kernels: add, norm and quantization, twice; attention's output, whose
// quantization has nothing to join; silu and quantization. The normalized value and silu's product round to bf16
// before, as in vLLM's unfused kernels.
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
// FUSE-SAME: %[[HIDDEN:[a-z0-9]+]]: tensor<?x4096xbf16>, %[[RESIDUAL:[a-z0-9]+]]: tensor<?x4096xbf16>,
// FUSE: %[[A:.*]]:3 = mortar.fused ins(%{{.*}} = row %[[HIDDEN]], %{{.*}} = row %[[RESIDUAL]],{{.*}} outs(row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999974E-6) inner(bf16) : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[S]], %[[Q]], %[[C]]
// FUSE: %[[QKV:.*]] = call @qkv_projection(%[[A]]#1, %[[A]]#2)
// FUSE: %[[CONTEXT:.*]] = call @attention(%[[QKV]])
// FUSE: %[[O:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[CONTEXT]] : tensor<?x4096xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %{{.*}} : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[X:.*]] = call @out_projection(%[[O]]#0, %[[O]]#1)
// FUSE: %[[B:.*]]:3 = mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[A]]#0,{{.*}} outs(row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999974E-6) inner(bf16) : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[S]], %[[Q]], %[[C]]
// FUSE: %[[U:.*]] = call @gate_up_projection(%[[B]]#1, %[[B]]#2)
// FUSE: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x28672xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x14336xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} inner(bf16) : (vector<28672xbf16>) -> vector<14336xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] : (vector<14336xbf16>) -> (vector<14336xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[D:.*]] = call @down_projection(%[[G]]#0, %[[G]]#1)
// FUSE: return %[[D]], %[[B]]#0

// The residual may be updated in place from the third gap on.
// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap0(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap1(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap2(%{{.*}}: tensor<?x4096xbf16> {bufferization.writable = true}, %{{.*}}: tensor<?x4096xbf16> {bufferization.writable = true}, %{{.*}}: tensor<4096xbf16> {mortar.constant}) -> (tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap3(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @qkv_projection(tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x6144xbf16>
func.func private @attention(tensor<?x6144xbf16>) -> tensor<?x4096xbf16>
func.func private @out_projection(tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x4096xbf16>
func.func private @gate_up_projection(tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x28672xbf16>
func.func private @down_projection(tensor<?x14336xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x4096xbf16>

func.func @layer(%hidden: tensor<?x4096xbf16>, %residual: tensor<?x4096xbf16>,
                 %w_input_norm: tensor<4096xbf16> {mortar.constant},
                 %w_post_norm: tensor<4096xbf16> {mortar.constant})
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  %stream = mortar.residual_add %hidden, %residual : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-5) inner(bf16)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  %normed_q, %normed_q_scales = mortar.quantize_dynamic %normed
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  %qkv = call @qkv_projection(%normed_q, %normed_q_scales)
    : (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x6144xbf16>
  %context = call @attention(%qkv)
    : (tensor<?x6144xbf16>) -> tensor<?x4096xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  %attended = call @out_projection(%context_q, %context_q_scales)
    : (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x4096xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-5) inner(bf16)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  %normed_1_q, %normed_1_q_scales = mortar.quantize_dynamic %normed_1
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  %gate_up = call @gate_up_projection(%normed_1_q, %normed_1_q_scales)
    : (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x28672xbf16>
  %gated = mortar.silu_and_mul %gate_up inner(bf16) : (tensor<?x28672xbf16>) -> tensor<?x14336xbf16>
  %gated_q, %gated_q_scales = mortar.quantize_dynamic %gated
    : (tensor<?x14336xbf16>) -> (tensor<?x14336xf8E4M3FN>, tensor<?x1xf32>)
  %down = call @down_projection(%gated_q, %gated_q_scales)
    : (tensor<?x14336xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x4096xbf16>
  return %down, %stream_1 : tensor<?x4096xbf16>, tensor<?x4096xbf16>
}
