// The full-attention layer of qwen3-next-80b.mlir on fp8, with one f32 scale a row. The multiplications are foreign
// and hold their weights; the router reads the second norm's bf16 rows, the experts their fp8 form, and both leave
// the kernel that also writes the residual stream. Seven kernels: add, norm and quantization, twice; the norms of q's
// and k's heads; the quantization of attention's output (whose sigmoid gate is part of the foreign attention); silu
// and quantization; the experts' sum.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-7: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: %[[A:.*]]:3 = mortar.fused ins(%{{.*}} = row %arg0, %{{.*}} = row %arg1,{{.*}} outs(row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x2048xbf16>, tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) weight_offset(1) : (vector<2048xbf16>, vector<2048xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<2048xbf16>) -> (vector<2048xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[S]], %[[Q]], %[[C]]
// FUSE: %[[QKV:.*]] = call @qkv_projection(%[[A]]#1, %[[A]]#2)
// FUSE: %[[QN:.*]] = mortar.fused {{.*}} outs(row %{{.*}} : tensor<?x16x256xbf16>)
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} weight_offset(1) : (vector<256xbf16>, vector<256xbf16>) -> vector<256xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[K:.*]] = mortar.fused {{.*}} outs(row %{{.*}} : tensor<?x2x256xbf16>)
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} weight_offset(1) : (vector<256xbf16>, vector<256xbf16>) -> vector<256xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[CONTEXT:.*]] = call @attention(%[[QN]], %[[K]], %{{.*}})
// FUSE: %[[O:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[CONTEXT]] : tensor<?x4096xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %{{.*}} : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[X:.*]] = call @out_projection(%[[O]]#0, %[[O]]#1)
// FUSE: %[[B:.*]]:4 = mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[A]]#0,{{.*}} outs(row %{{.*}}, row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x2048xbf16>, tensor<?x2048xbf16>, tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) weight_offset(1) : (vector<2048xbf16>, vector<2048xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<2048xbf16>) -> (vector<2048xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[S]], %[[N]], %[[Q]], %[[C]]
// FUSE: %[[R:.*]] = call @routed_experts(%[[B]]#1, %[[B]]#2, %[[B]]#3)
// FUSE: %[[U:.*]] = call @shared_gate_up_projection(%[[B]]#2, %[[B]]#3)
// FUSE: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x1024xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x512xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} inner(bf16) : (vector<1024xbf16>) -> vector<512xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] : (vector<512xbf16>) -> (vector<512xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[D:.*]] = call @shared_down_projection(%[[G]]#0, %[[G]]#1)
// FUSE: %[[OUT:.*]] = mortar.fused ins(%{{.*}} = row %[[R]], %{{.*}} = row %[[D]] :
// FUSE-NEXT: %{{.*}} = mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: return %[[OUT]], %[[B]]#0

// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap0(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap1(
// GAPS-COUNT-2: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap2(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap3(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap4(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap5(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @qkv_projection(tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x5120xbf16>
func.func private @attention(tensor<?x16x256xbf16>, tensor<?x2x256xbf16>, tensor<?x512xbf16>) -> tensor<?x4096xbf16>
func.func private @out_projection(tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>
func.func private @routed_experts(tensor<?x2048xbf16>, tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>
func.func private @shared_gate_up_projection(tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x1024xbf16>
func.func private @shared_down_projection(tensor<?x512xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>

func.func @layer(%hidden: tensor<?x2048xbf16>, %residual: tensor<?x2048xbf16>,
                 %w_input_norm: tensor<2048xbf16> {mortar.constant},
                 %w_post_norm: tensor<2048xbf16> {mortar.constant}, %w_q_norm: tensor<256xbf16> {mortar.constant},
                 %w_k_norm: tensor<256xbf16> {mortar.constant})
    -> (tensor<?x2048xbf16>, tensor<?x2048xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %hidden, %c0 : tensor<?x2048xbf16>

  %stream = mortar.residual_add %hidden, %residual : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x2048xbf16>, tensor<2048xbf16>) -> tensor<?x2048xbf16>
  %normed_q, %normed_q_scales = mortar.quantize_dynamic %normed
    : (tensor<?x2048xbf16>) -> (tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>)
  %qkv = call @qkv_projection(%normed_q, %normed_q_scales)
    : (tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x5120xbf16>

  %q_part = tensor.extract_slice %qkv[0, 0] [%t, 4096] [1, 1] : tensor<?x5120xbf16> to tensor<?x4096xbf16>
  %q_heads = tensor.expand_shape %q_part [[0], [1, 2]] output_shape [%t, 16, 256]
    : tensor<?x4096xbf16> into tensor<?x16x256xbf16>
  %k_part = tensor.extract_slice %qkv[0, 4096] [%t, 512] [1, 1] : tensor<?x5120xbf16> to tensor<?x512xbf16>
  %k_heads = tensor.expand_shape %k_part [[0], [1, 2]] output_shape [%t, 2, 256]
    : tensor<?x512xbf16> into tensor<?x2x256xbf16>
  %q = mortar.rms_norm %q_heads weight(%w_q_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x16x256xbf16>, tensor<256xbf16>) -> tensor<?x16x256xbf16>
  %k = mortar.rms_norm %k_heads weight(%w_k_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x2x256xbf16>, tensor<256xbf16>) -> tensor<?x2x256xbf16>
  %v = tensor.extract_slice %qkv[0, 4608] [%t, 512] [1, 1] : tensor<?x5120xbf16> to tensor<?x512xbf16>
  %context = call @attention(%q, %k, %v)
    : (tensor<?x16x256xbf16>, tensor<?x2x256xbf16>, tensor<?x512xbf16>) -> tensor<?x4096xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  %attended = call @out_projection(%context_q, %context_q_scales)
    : (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x2048xbf16>, tensor<2048xbf16>) -> tensor<?x2048xbf16>
  %normed_1_q, %normed_1_q_scales = mortar.quantize_dynamic %normed_1
    : (tensor<?x2048xbf16>) -> (tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>)
  %routed = call @routed_experts(%normed_1, %normed_1_q, %normed_1_q_scales)
    : (tensor<?x2048xbf16>, tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>
  %shared_gate_up = call @shared_gate_up_projection(%normed_1_q, %normed_1_q_scales)
    : (tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x1024xbf16>
  %shared_gated = mortar.silu_and_mul %shared_gate_up inner(bf16) : (tensor<?x1024xbf16>) -> tensor<?x512xbf16>
  %shared_gated_q, %shared_gated_q_scales = mortar.quantize_dynamic %shared_gated
    : (tensor<?x512xbf16>) -> (tensor<?x512xf8E4M3FN>, tensor<?x1xf32>)
  %shared_down = call @shared_down_projection(%shared_gated_q, %shared_gated_q_scales)
    : (tensor<?x512xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>
  %out = mortar.residual_add %routed, %shared_down : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  return %out, %stream_1 : tensor<?x2048xbf16>, tensor<?x2048xbf16>
}
