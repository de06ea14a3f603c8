// The decoder layer of gemma3-27b.mlir on fp8, with one f32 scale a row: a norm or gelu is followed by the
// quantization of its bf16 rows, and the multiplications are foreign and hold their weights. gelu rounds to bf16
// before its product, as in transformers.
//
// The norms' weights are f32 and the rows bf16, so by the dtype rule a norm joins nothing, not even the quantization
// of its result: 12 kernels, each refusal a remark. gelu and its quantization are one kernel either way. Where the
// rule is lifted, each chain between two foreign ops is one kernel: 7, with the norms of q's and k's heads and the
// quantization of attention's output.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: mortar-opt %s --mortar-fuse-rows=mixed-dtypes=fuse | FileCheck %s --check-prefix=LIFTED
// RUN: mortar-opt %s --mortar-fuse-rows=mixed-dtypes=fuse | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows=mixed-dtypes=fuse | FileCheck %s --check-prefix=MIXED
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu --mixed-dtypes | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-12: mortar.fused
// COUNT-NOT: mortar.fused

// LIFTED-LABEL: func.func @layer(
// LIFTED-COUNT-7: mortar.fused
// LIFTED-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}} = mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} weight_offset(1) : (vector<5376xbf16>, vector<5376xf32>) -> vector<5376xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}}, %{{.*}} = mortar.quantize_dynamic
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused {{.*}} outs(row %{{.*}} : tensor<?x32x128xbf16>)
// FUSE-NEXT: %{{.*}} = mortar.rms_norm
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused {{.*}} outs(row %{{.*}} : tensor<?x16x128xbf16>)
// FUSE-NEXT: %{{.*}} = mortar.rms_norm
// FUSE-NEXT: mortar.yield
// FUSE: %[[CONTEXT:.*]] = call @attention
// FUSE: %[[O:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[CONTEXT]] : tensor<?x4096xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %{{.*}} : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} weight_offset(1) : (vector<5376xbf16>, vector<5376xf32>) -> vector<5376xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}} = mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} weight_offset(1) : (vector<5376xbf16>, vector<5376xf32>) -> vector<5376xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}}, %{{.*}} = mortar.quantize_dynamic
// FUSE-NEXT: mortar.yield
// FUSE: %[[U:.*]] = call @gate_up_projection
// FUSE: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x43008xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x21504xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Y:.*]] = mortar.gelu_and_mul %{{.*}} approximate(tanh) inner(bf16) : (vector<43008xbf16>) -> vector<21504xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] : (vector<21504xbf16>) -> (vector<21504xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} weight_offset(1) : (vector<5376xbf16>, vector<5376xf32>) -> vector<5376xbf16>
// FUSE-NEXT: mortar.yield

// MIXED-LABEL: func.func @layer(
// MIXED: %[[A:.*]]:3 = mortar.fused ins(%{{.*}} = row %arg0, %{{.*}} = row %arg1,{{.*}} outs(row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x5376xbf16>, tensor<?x5376xf8E4M3FN>, tensor<?x1xf32>)
// MIXED-NEXT: %[[S:.*]] = mortar.residual_add
// MIXED-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) weight_offset(1) : (vector<5376xbf16>, vector<5376xf32>) -> vector<5376xbf16>
// MIXED-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<5376xbf16>) -> (vector<5376xf8E4M3FN>, f32)
// MIXED-NEXT: mortar.yield %[[S]], %[[Q]], %[[C]]
// MIXED: %[[QKV:.*]] = call @qkv_projection(%[[A]]#1, %[[A]]#2)
// MIXED: %[[QN:.*]] = mortar.fused {{.*}} outs(row %{{.*}} : tensor<?x32x128xbf16>)
// MIXED-NEXT: %{{.*}} = mortar.rms_norm
// MIXED-NEXT: mortar.yield
// MIXED: %[[K:.*]] = mortar.fused {{.*}} outs(row %{{.*}} : tensor<?x16x128xbf16>)
// MIXED-NEXT: %{{.*}} = mortar.rms_norm
// MIXED-NEXT: mortar.yield
// MIXED: %[[CONTEXT:.*]] = call @attention(%[[QN]], %[[K]], %{{.*}})
// MIXED: %[[O:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[CONTEXT]] : tensor<?x4096xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// MIXED-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %{{.*}} : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// MIXED-NEXT: mortar.yield %[[Q]], %[[C]]
// MIXED: %[[X:.*]] = call @out_projection(%[[O]]#0, %[[O]]#1)
// MIXED: %[[B:.*]]:3 = mortar.fused ins({{.*}} = row %[[X]], {{.*}} = row %[[A]]#0,{{.*}} outs(row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x5376xbf16>, tensor<?x5376xf8E4M3FN>, tensor<?x1xf32>)
// MIXED-NEXT: %[[P:.*]] = mortar.rms_norm
// MIXED-NEXT: %[[S:.*]] = mortar.residual_add %[[P]],
// MIXED-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]]
// MIXED-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<5376xbf16>) -> (vector<5376xf8E4M3FN>, f32)
// MIXED-NEXT: mortar.yield %[[S]], %[[Q]], %[[C]]
// MIXED: %[[U:.*]] = call @gate_up_projection(%[[B]]#1, %[[B]]#2)
// MIXED: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x43008xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x21504xf8E4M3FN>, tensor<?x1xf32>)
// MIXED-NEXT: %[[Y:.*]] = mortar.gelu_and_mul %{{.*}} approximate(tanh) inner(bf16) : (vector<43008xbf16>) -> vector<21504xbf16>
// MIXED-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] : (vector<21504xbf16>) -> (vector<21504xf8E4M3FN>, f32)
// MIXED-NEXT: mortar.yield %[[Q]], %[[C]]
// MIXED: %[[D:.*]] = call @down_projection(%[[G]]#0, %[[G]]#1)
// MIXED: %[[OUT:.*]] = mortar.fused ins(%{{.*}} = row %[[D]],
// MIXED-NEXT: %{{.*}} = mortar.rms_norm
// MIXED-NEXT: mortar.yield
// MIXED: return %[[OUT]], %[[B]]#0

// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap0(
// GAPS-COUNT-3: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap1(
// GAPS-COUNT-2: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap2(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap3(
// GAPS-COUNT-4: mortar.fused
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

func.func private @qkv_projection(tensor<?x5376xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x8192xbf16>
func.func private @attention(tensor<?x32x128xbf16>, tensor<?x16x128xbf16>, tensor<?x2048xbf16>) -> tensor<?x4096xbf16>
func.func private @out_projection(tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x5376xbf16>
func.func private @gate_up_projection(tensor<?x5376xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x43008xbf16>
func.func private @down_projection(tensor<?x21504xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x5376xbf16>

func.func @layer(%hidden: tensor<?x5376xbf16>, %residual: tensor<?x5376xbf16>,
                 %w_input_norm: tensor<5376xf32> {mortar.constant},
                 %w_post_attention_norm: tensor<5376xf32> {mortar.constant},
                 %w_pre_ffn_norm: tensor<5376xf32> {mortar.constant},
                 %w_post_ffn_norm: tensor<5376xf32> {mortar.constant}, %w_q_norm: tensor<128xf32> {mortar.constant},
                 %w_k_norm: tensor<128xf32> {mortar.constant})
    -> (tensor<?x5376xbf16>, tensor<?x5376xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %hidden, %c0 : tensor<?x5376xbf16>

  %stream = mortar.residual_add %hidden, %residual : (tensor<?x5376xbf16>, tensor<?x5376xbf16>) -> tensor<?x5376xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x5376xbf16>, tensor<5376xf32>) -> tensor<?x5376xbf16>
  %normed_q, %normed_q_scales = mortar.quantize_dynamic %normed
    : (tensor<?x5376xbf16>) -> (tensor<?x5376xf8E4M3FN>, tensor<?x1xf32>)
  %qkv = call @qkv_projection(%normed_q, %normed_q_scales)
    : (tensor<?x5376xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x8192xbf16>

  %q_part = tensor.extract_slice %qkv[0, 0] [%t, 4096] [1, 1] : tensor<?x8192xbf16> to tensor<?x4096xbf16>
  %q_heads = tensor.expand_shape %q_part [[0], [1, 2]] output_shape [%t, 32, 128]
    : tensor<?x4096xbf16> into tensor<?x32x128xbf16>
  %k_part = tensor.extract_slice %qkv[0, 4096] [%t, 2048] [1, 1] : tensor<?x8192xbf16> to tensor<?x2048xbf16>
  %k_heads = tensor.expand_shape %k_part [[0], [1, 2]] output_shape [%t, 16, 128]
    : tensor<?x2048xbf16> into tensor<?x16x128xbf16>
  %q = mortar.rms_norm %q_heads weight(%w_q_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x32x128xbf16>, tensor<128xf32>) -> tensor<?x32x128xbf16>
  %k = mortar.rms_norm %k_heads weight(%w_k_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x16x128xbf16>, tensor<128xf32>) -> tensor<?x16x128xbf16>
  %v = tensor.extract_slice %qkv[0, 6144] [%t, 2048] [1, 1] : tensor<?x8192xbf16> to tensor<?x2048xbf16>
  %context = call @attention(%q, %k, %v)
    : (tensor<?x32x128xbf16>, tensor<?x16x128xbf16>, tensor<?x2048xbf16>) -> tensor<?x4096xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  %attended = call @out_projection(%context_q, %context_q_scales)
    : (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x5376xbf16>

  %post = mortar.rms_norm %attended weight(%w_post_attention_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x5376xbf16>, tensor<5376xf32>) -> tensor<?x5376xbf16>
  %stream_1 = mortar.residual_add %post, %stream : (tensor<?x5376xbf16>, tensor<?x5376xbf16>) -> tensor<?x5376xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_pre_ffn_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x5376xbf16>, tensor<5376xf32>) -> tensor<?x5376xbf16>
  %normed_1_q, %normed_1_q_scales = mortar.quantize_dynamic %normed_1
    : (tensor<?x5376xbf16>) -> (tensor<?x5376xf8E4M3FN>, tensor<?x1xf32>)
  %gate_up = call @gate_up_projection(%normed_1_q, %normed_1_q_scales)
    : (tensor<?x5376xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x43008xbf16>
  %gated = mortar.gelu_and_mul %gate_up approximate(tanh) inner(bf16) : (tensor<?x43008xbf16>) -> tensor<?x21504xbf16>
  %gated_q, %gated_q_scales = mortar.quantize_dynamic %gated
    : (tensor<?x21504xbf16>) -> (tensor<?x21504xf8E4M3FN>, tensor<?x1xf32>)
  %down = call @down_projection(%gated_q, %gated_q_scales)
    : (tensor<?x21504xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x5376xbf16>
  %out = mortar.rms_norm %down weight(%w_post_ffn_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x5376xbf16>, tensor<5376xf32>) -> tensor<?x5376xbf16>
  return %out, %stream_1 : tensor<?x5376xbf16>, tensor<?x5376xbf16>
}
