// The layer of deepseek-v3.mlir on fp8, by groups of 128 with f32 scales; one run has powers of two (ue8m0), as V3.1.
// The multiplications are foreign and hold their weights. The residual stream's bf16 rows leave the kernel that
// quantizes them normed, and the latent keys' and values' bf16 rows, which are cached, leave with their fp8 form.
// Eight kernels: add, norm and quantization, twice; the two latent norms with theirs, apart because their lengths
// differ; the quantization of attention's output; two gates with theirs; the sum of the two feed-forwards.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: sed 's/group_size(128)$/group_size(128) ue8m0/' %s | mortar-opt --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: sed 's/group_size(128)$/group_size(128) ue8m0/' %s | mortar-opt --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu | FileCheck %s --check-prefix=SAME
// RUN: sed 's/group_size(128)$/group_size(128) ue8m0/' %s | mortar-run - --rows=3 --compare=unfused | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-8: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: %[[A:.*]]:3 = mortar.fused ins(%{{.*}} = row %arg0, %{{.*}} = row %arg1,{{.*}} outs(row %{{.*}}, row %{{.*}}, group_scalar %{{.*}} : tensor<?x7168xbf16>, tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) : (vector<7168xbf16>, vector<7168xbf16>) -> vector<7168xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] group_size(128) : (vector<7168xbf16>) -> (vector<7168xf8E4M3FN>, vector<56xf32>)
// FUSE-NEXT: mortar.yield %[[S]], %[[Q]], %[[C]]
// FUSE: %[[L:.*]] = call @latent_projection(%[[A]]#1, %[[A]]#2)
// FUSE: %[[QL:.*]] = tensor.extract_slice %[[L]][0, 0]
// FUSE: %[[KV:.*]] = tensor.extract_slice %[[L]][0, 1536]
// FUSE: %[[QN:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[QL]],{{.*}} outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x1536xf8E4M3FN>, tensor<?x12xf32>)
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm {{.*}} : (vector<1536xbf16>, vector<1536xbf16>) -> vector<1536xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] group_size(128) : (vector<1536xbf16>) -> (vector<1536xf8E4M3FN>, vector<12xf32>)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[KVN:.*]]:3 = mortar.fused ins(%{{.*}} = row %[[KV]],{{.*}} outs(row %{{.*}}, row %{{.*}}, group_scalar %{{.*}} : tensor<?x512xbf16>, tensor<?x512xf8E4M3FN>, tensor<?x4xf32>)
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm {{.*}} : (vector<512xbf16>, vector<512xbf16>) -> vector<512xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] group_size(128) : (vector<512xbf16>) -> (vector<512xf8E4M3FN>, vector<4xf32>)
// FUSE-NEXT: mortar.yield %[[N]], %[[Q]], %[[C]]
// FUSE: %[[QP:.*]] = call @query_projection(%[[QN]]#0, %[[QN]]#1)
// FUSE: %[[KP:.*]] = call @key_value_projection(%[[KVN]]#1, %[[KVN]]#2)
// FUSE: %[[CONTEXT:.*]] = call @attention(%[[QP]], %[[KP]], %[[KVN]]#0, %{{.*}})
// FUSE: %[[O:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[CONTEXT]] : tensor<?x16384xbf16>) outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x16384xf8E4M3FN>, tensor<?x128xf32>)
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %{{.*}} group_size(128) : (vector<16384xbf16>) -> (vector<16384xf8E4M3FN>, vector<128xf32>)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[X:.*]] = call @out_projection(%[[O]]#0, %[[O]]#1)
// FUSE: %[[B:.*]]:3 = mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[A]]#0,{{.*}} outs(row %{{.*}}, row %{{.*}}, group_scalar %{{.*}} : tensor<?x7168xbf16>, tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) : (vector<7168xbf16>, vector<7168xbf16>) -> vector<7168xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] group_size(128) : (vector<7168xbf16>) -> (vector<7168xf8E4M3FN>, vector<56xf32>)
// FUSE-NEXT: mortar.yield %[[S]], %[[Q]], %[[C]]
// FUSE: %[[U:.*]] = call @gate_up_projection(%[[B]]#1, %[[B]]#2)
// FUSE: %[[Y1:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x36864xbf16>) outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x18432xf8E4M3FN>, tensor<?x144xf32>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (vector<36864xbf16>) -> vector<18432xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] group_size(128) : (vector<18432xbf16>) -> (vector<18432xf8E4M3FN>, vector<144xf32>)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[D:.*]] = call @down_projection(%[[Y1]]#0, %[[Y1]]#1)
// FUSE: %[[V:.*]] = call @shared_gate_up_projection(%[[B]]#1, %[[B]]#2)
// FUSE: %[[Y2:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[V]] : tensor<?x4096xbf16>) outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x2048xf8E4M3FN>, tensor<?x16xf32>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (vector<4096xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] group_size(128) : (vector<2048xbf16>) -> (vector<2048xf8E4M3FN>, vector<16xf32>)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[E:.*]] = call @shared_down_projection(%[[Y2]]#0, %[[Y2]]#1)
// FUSE: %[[OUT:.*]] = mortar.fused ins(%{{.*}} = row %[[D]], %{{.*}} = row %[[E]] :
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
// GAPS: func.func @layer_gap6(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @latent_projection(tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>) -> tensor<?x2112xbf16>
func.func private @query_projection(tensor<?x1536xf8E4M3FN>, tensor<?x12xf32>) -> tensor<?x24576xbf16>
func.func private @key_value_projection(tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) -> tensor<?x32768xbf16>
func.func private @attention(tensor<?x24576xbf16>, tensor<?x32768xbf16>, tensor<?x512xbf16>, tensor<?x64xbf16>) -> tensor<?x16384xbf16>
func.func private @out_projection(tensor<?x16384xf8E4M3FN>, tensor<?x128xf32>) -> tensor<?x7168xbf16>
func.func private @gate_up_projection(tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>) -> tensor<?x36864xbf16>
func.func private @down_projection(tensor<?x18432xf8E4M3FN>, tensor<?x144xf32>) -> tensor<?x7168xbf16>
func.func private @shared_gate_up_projection(tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>) -> tensor<?x4096xbf16>
func.func private @shared_down_projection(tensor<?x2048xf8E4M3FN>, tensor<?x16xf32>) -> tensor<?x7168xbf16>

func.func @layer(%hidden: tensor<?x7168xbf16>, %residual: tensor<?x7168xbf16>,
                 %w_input_norm: tensor<7168xbf16> {mortar.constant},
                 %w_post_norm: tensor<7168xbf16> {mortar.constant}, %w_q_norm: tensor<1536xbf16> {mortar.constant},
                 %w_kv_norm: tensor<512xbf16> {mortar.constant})
    -> (tensor<?x7168xbf16>, tensor<?x7168xbf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %hidden, %c0 : tensor<?x7168xbf16>

  %stream = mortar.residual_add %hidden, %residual : (tensor<?x7168xbf16>, tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-6)
    : (tensor<?x7168xbf16>, tensor<7168xbf16>) -> tensor<?x7168xbf16>
  %normed_q, %normed_q_scales = mortar.quantize_dynamic %normed group_size(128)
    : (tensor<?x7168xbf16>) -> (tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>)
  %latents = call @latent_projection(%normed_q, %normed_q_scales)
    : (tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>) -> tensor<?x2112xbf16>
  %q_latent = tensor.extract_slice %latents[0, 0] [%t, 1536] [1, 1] : tensor<?x2112xbf16> to tensor<?x1536xbf16>
  %kv_latent = tensor.extract_slice %latents[0, 1536] [%t, 512] [1, 1] : tensor<?x2112xbf16> to tensor<?x512xbf16>
  %k_rope = tensor.extract_slice %latents[0, 2048] [%t, 64] [1, 1] : tensor<?x2112xbf16> to tensor<?x64xbf16>
  %q_normed = mortar.rms_norm %q_latent weight(%w_q_norm) epsilon(1.0e-6)
    : (tensor<?x1536xbf16>, tensor<1536xbf16>) -> tensor<?x1536xbf16>
  %q_normed_q, %q_normed_q_scales = mortar.quantize_dynamic %q_normed group_size(128)
    : (tensor<?x1536xbf16>) -> (tensor<?x1536xf8E4M3FN>, tensor<?x12xf32>)
  %kv = mortar.rms_norm %kv_latent weight(%w_kv_norm) epsilon(1.0e-6)
    : (tensor<?x512xbf16>, tensor<512xbf16>) -> tensor<?x512xbf16>
  %kv_q, %kv_q_scales = mortar.quantize_dynamic %kv group_size(128)
    : (tensor<?x512xbf16>) -> (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>)
  %q = call @query_projection(%q_normed_q, %q_normed_q_scales)
    : (tensor<?x1536xf8E4M3FN>, tensor<?x12xf32>) -> tensor<?x24576xbf16>
  %k_and_v = call @key_value_projection(%kv_q, %kv_q_scales)
    : (tensor<?x512xf8E4M3FN>, tensor<?x4xf32>) -> tensor<?x32768xbf16>
  %context = call @attention(%q, %k_and_v, %kv, %k_rope)
    : (tensor<?x24576xbf16>, tensor<?x32768xbf16>, tensor<?x512xbf16>, tensor<?x64xbf16>) -> tensor<?x16384xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context group_size(128)
    : (tensor<?x16384xbf16>) -> (tensor<?x16384xf8E4M3FN>, tensor<?x128xf32>)
  %attended = call @out_projection(%context_q, %context_q_scales)
    : (tensor<?x16384xf8E4M3FN>, tensor<?x128xf32>) -> tensor<?x7168xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x7168xbf16>, tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-6)
    : (tensor<?x7168xbf16>, tensor<7168xbf16>) -> tensor<?x7168xbf16>
  %normed_1_q, %normed_1_q_scales = mortar.quantize_dynamic %normed_1 group_size(128)
    : (tensor<?x7168xbf16>) -> (tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>)
  %gate_up = call @gate_up_projection(%normed_1_q, %normed_1_q_scales)
    : (tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>) -> tensor<?x36864xbf16>
  %gated = mortar.silu_and_mul %gate_up limit(10.0) : (tensor<?x36864xbf16>) -> tensor<?x18432xbf16>
  %gated_q, %gated_q_scales = mortar.quantize_dynamic %gated group_size(128)
    : (tensor<?x18432xbf16>) -> (tensor<?x18432xf8E4M3FN>, tensor<?x144xf32>)
  %down = call @down_projection(%gated_q, %gated_q_scales)
    : (tensor<?x18432xf8E4M3FN>, tensor<?x144xf32>) -> tensor<?x7168xbf16>
  %shared_gate_up = call @shared_gate_up_projection(%normed_1_q, %normed_1_q_scales)
    : (tensor<?x7168xf8E4M3FN>, tensor<?x56xf32>) -> tensor<?x4096xbf16>
  %shared_gated = mortar.silu_and_mul %shared_gate_up limit(10.0) : (tensor<?x4096xbf16>) -> tensor<?x2048xbf16>
  %shared_gated_q, %shared_gated_q_scales = mortar.quantize_dynamic %shared_gated group_size(128)
    : (tensor<?x2048xbf16>) -> (tensor<?x2048xf8E4M3FN>, tensor<?x16xf32>)
  %shared_down = call @shared_down_projection(%shared_gated_q, %shared_gated_q_scales)
    : (tensor<?x2048xf8E4M3FN>, tensor<?x16xf32>) -> tensor<?x7168xbf16>
  %out = mortar.residual_add %down, %shared_down : (tensor<?x7168xbf16>, tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  return %out, %stream_1 : tensor<?x7168xbf16>, tensor<?x7168xbf16>
}
