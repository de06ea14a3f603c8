// The layer of deepseek-v4.mlir on fp8, by groups of 128 with scales that are powers of two (ue8m0). Sizes of V4
// Flash: hidden 4096, 64 heads of 512 and one of keys and values, query rank 1024, output of 8 groups of rank 1024,
// experts of 2048 of which 6 and a shared one are taken; silu is clamped at 10 and nothing rounds within. Four
// residual streams (hyper-connections) are mixed into one and back by foreign ops, so no residual add meets a norm.
// The norm of q's heads has no weight. Rotation, compression, the indexer and the grouped half of the output's
// projection are in the foreign attention.
//
// Each multiplication on fp8 is foreign, holds its weights and takes the scales as f8E8M0FNU; one run has them as
// f32. The norms' bf16 rows leave beside their fp8 form where the router, the indexer or the compressor reads them.
// Nine kernels: two norms of 4096 and the norm of 1024, each with its quantization; the norm of 512; the norm of q's
// heads; the quantization of attention's output; two gates with theirs; the experts' sum.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: sed 's/f8E8M0FNU/f32/g' %s | mortar-opt --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: sed 's/f8E8M0FNU/f32/g' %s | mortar-opt --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu | FileCheck %s --check-prefix=SAME
// RUN: sed 's/f8E8M0FNU/f32/g' %s | mortar-run - --rows=3 --compare=unfused | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-9: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: %[[M:.*]] = call @mix_streams(%arg0)
// FUSE: %[[A:.*]]:3 = mortar.fused ins(%{{.*}} = row %[[M]],{{.*}} outs(row %{{.*}}, row %{{.*}}, group_scalar %{{.*}} : tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>)
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm {{.*}} : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] group_size(128) ue8m0 : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, vector<32xf8E8M0FNU>)
// FUSE-NEXT: mortar.yield %[[N]], %[[Q]], %[[C]]
// FUSE: %[[L:.*]] = call @latent_projection(%[[A]]#1, %[[A]]#2)
// FUSE: %[[QL:.*]] = tensor.extract_slice %[[L]][0, 0]
// FUSE: %[[KV:.*]] = tensor.extract_slice %[[L]][0, 1024]
// FUSE: %[[QN:.*]]:3 = mortar.fused ins(%{{.*}} = row %[[QL]],{{.*}} outs(row %{{.*}}, row %{{.*}}, group_scalar %{{.*}} : tensor<?x1024xbf16>, tensor<?x1024xf8E4M3FN>, tensor<?x8xf8E8M0FNU>)
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm {{.*}} : (vector<1024xbf16>, vector<1024xbf16>) -> vector<1024xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] group_size(128) ue8m0 : (vector<1024xbf16>) -> (vector<1024xf8E4M3FN>, vector<8xf8E8M0FNU>)
// FUSE-NEXT: mortar.yield %[[N]], %[[Q]], %[[C]]
// FUSE: %[[KVN:.*]] = mortar.fused ins(%{{.*}} = row %[[KV]],
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} : (vector<512xbf16>, vector<512xbf16>) -> vector<512xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[QR:.*]] = call @query_projection(%[[QN]]#1, %[[QN]]#2)
// FUSE: %[[QH:.*]] = tensor.expand_shape %[[QR]]
// FUSE: %[[H:.*]] = mortar.fused ins(%{{.*}} = row %[[QH]] :
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} : (vector<512xbf16>) -> vector<512xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[CONTEXT:.*]] = call @attention(%[[H]], %[[KVN]], %[[QN]]#0, %[[A]]#0)
// FUSE: %[[O:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[CONTEXT]] : tensor<?x8192xbf16>) outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x8192xf8E4M3FN>, tensor<?x64xf8E8M0FNU>)
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %{{.*}} group_size(128) ue8m0 : (vector<8192xbf16>) -> (vector<8192xf8E4M3FN>, vector<64xf8E8M0FNU>)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[X:.*]] = call @out_projection(%[[O]]#0, %[[O]]#1)
// FUSE: call @spread_streams(%[[X]],
// FUSE: %[[M:.*]] = call @mix_streams(%{{.*}})
// FUSE: %[[B:.*]]:3 = mortar.fused ins(%{{.*}} = row %[[M]],{{.*}} outs(row %{{.*}}, row %{{.*}}, group_scalar %{{.*}} : tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>)
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm {{.*}} : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] group_size(128) ue8m0 : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, vector<32xf8E8M0FNU>)
// FUSE-NEXT: mortar.yield %[[N]], %[[Q]], %[[C]]
// FUSE: %[[R:.*]]:2 = call @routed_gate_up(%[[B]]#0, %[[B]]#1, %[[B]]#2)
// FUSE: %[[RG:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[R]]#0 : tensor<?x4096xbf16>) outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x2048xf8E4M3FN>, tensor<?x16xf8E8M0FNU>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (vector<4096xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] group_size(128) ue8m0 : (vector<2048xbf16>) -> (vector<2048xf8E4M3FN>, vector<16xf8E8M0FNU>)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[RD:.*]] = call @routed_down(%[[RG]]#0, %[[RG]]#1, %[[R]]#1)
// FUSE: %[[U:.*]] = call @shared_gate_up_projection(%[[B]]#1, %[[B]]#2)
// FUSE: %[[SG:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x4096xbf16>) outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x2048xf8E4M3FN>, tensor<?x16xf8E8M0FNU>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (vector<4096xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] group_size(128) ue8m0 : (vector<2048xbf16>) -> (vector<2048xf8E4M3FN>, vector<16xf8E8M0FNU>)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[SD:.*]] = call @shared_down_projection(%[[SG]]#0, %[[SG]]#1)
// FUSE: %[[OUT:.*]] = mortar.fused ins(%{{.*}} = row %[[RD]], %{{.*}} = row %[[SD]] :
// FUSE-NEXT: %{{.*}} = mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: call @spread_streams(%[[OUT]],

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
// GAPS: func.func @layer_gap7(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @mix_streams(tensor<?x4x4096xbf16>) -> tensor<?x4096xbf16>
func.func private @latent_projection(tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>) -> tensor<?x1536xbf16>
func.func private @query_projection(tensor<?x1024xf8E4M3FN>, tensor<?x8xf8E8M0FNU>) -> tensor<?x32768xbf16>
func.func private @attention(tensor<?x64x512xbf16>, tensor<?x512xbf16>, tensor<?x1024xbf16>, tensor<?x4096xbf16>) -> tensor<?x8192xbf16>
func.func private @out_projection(tensor<?x8192xf8E4M3FN>, tensor<?x64xf8E8M0FNU>) -> tensor<?x4096xbf16>
func.func private @spread_streams(tensor<?x4096xbf16>, tensor<?x4x4096xbf16>) -> tensor<?x4x4096xbf16>
func.func private @routed_gate_up(tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>) -> (tensor<?x4096xbf16>, tensor<?x6xf32>)
func.func private @routed_down(tensor<?x2048xf8E4M3FN>, tensor<?x16xf8E8M0FNU>, tensor<?x6xf32>) -> tensor<?x4096xbf16>
func.func private @shared_gate_up_projection(tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>) -> tensor<?x4096xbf16>
func.func private @shared_down_projection(tensor<?x2048xf8E4M3FN>, tensor<?x16xf8E8M0FNU>) -> tensor<?x4096xbf16>

func.func @layer(%hidden: tensor<?x4x4096xbf16>, %w_attention_norm: tensor<4096xbf16> {mortar.constant},
                 %w_q_norm: tensor<1024xbf16> {mortar.constant}, %w_kv_norm: tensor<512xbf16> {mortar.constant},
                 %w_ffn_norm: tensor<4096xbf16> {mortar.constant})
    -> tensor<?x4x4096xbf16> {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %hidden, %c0 : tensor<?x4x4096xbf16>

  %mixed = call @mix_streams(%hidden)
    : (tensor<?x4x4096xbf16>) -> tensor<?x4096xbf16>
  %normed = mortar.rms_norm %mixed weight(%w_attention_norm) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  %normed_q, %normed_q_scales = mortar.quantize_dynamic %normed group_size(128) ue8m0
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>)
  %latents = call @latent_projection(%normed_q, %normed_q_scales)
    : (tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>) -> tensor<?x1536xbf16>
  %q_latent = tensor.extract_slice %latents[0, 0] [%t, 1024] [1, 1] : tensor<?x1536xbf16> to tensor<?x1024xbf16>
  %kv_latent = tensor.extract_slice %latents[0, 1024] [%t, 512] [1, 1] : tensor<?x1536xbf16> to tensor<?x512xbf16>
  %q_normed = mortar.rms_norm %q_latent weight(%w_q_norm) epsilon(1.0e-6)
    : (tensor<?x1024xbf16>, tensor<1024xbf16>) -> tensor<?x1024xbf16>
  %q_normed_q, %q_normed_q_scales = mortar.quantize_dynamic %q_normed group_size(128) ue8m0
    : (tensor<?x1024xbf16>) -> (tensor<?x1024xf8E4M3FN>, tensor<?x8xf8E8M0FNU>)
  %kv = mortar.rms_norm %kv_latent weight(%w_kv_norm) epsilon(1.0e-6)
    : (tensor<?x512xbf16>, tensor<512xbf16>) -> tensor<?x512xbf16>
  %q_rows = call @query_projection(%q_normed_q, %q_normed_q_scales)
    : (tensor<?x1024xf8E4M3FN>, tensor<?x8xf8E8M0FNU>) -> tensor<?x32768xbf16>
  %q_heads = tensor.expand_shape %q_rows [[0], [1, 2]] output_shape [%t, 64, 512]
    : tensor<?x32768xbf16> into tensor<?x64x512xbf16>
  %q = mortar.rms_norm %q_heads epsilon(1.0e-6) : (tensor<?x64x512xbf16>) -> tensor<?x64x512xbf16>
  %context = call @attention(%q, %kv, %q_normed, %normed)
    : (tensor<?x64x512xbf16>, tensor<?x512xbf16>, tensor<?x1024xbf16>, tensor<?x4096xbf16>) -> tensor<?x8192xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context group_size(128) ue8m0
    : (tensor<?x8192xbf16>) -> (tensor<?x8192xf8E4M3FN>, tensor<?x64xf8E8M0FNU>)
  %attended = call @out_projection(%context_q, %context_q_scales)
    : (tensor<?x8192xf8E4M3FN>, tensor<?x64xf8E8M0FNU>) -> tensor<?x4096xbf16>
  %streams = call @spread_streams(%attended, %hidden)
    : (tensor<?x4096xbf16>, tensor<?x4x4096xbf16>) -> tensor<?x4x4096xbf16>

  %mixed_1 = call @mix_streams(%streams)
    : (tensor<?x4x4096xbf16>) -> tensor<?x4096xbf16>
  %normed_1 = mortar.rms_norm %mixed_1 weight(%w_ffn_norm) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  %normed_1_q, %normed_1_q_scales = mortar.quantize_dynamic %normed_1 group_size(128) ue8m0
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>)
  // A row for each of a token's six experts.
  %routed_gate_up, %routing = call @routed_gate_up(%normed_1, %normed_1_q, %normed_1_q_scales)
    : (tensor<?x4096xbf16>, tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>) -> (tensor<?x4096xbf16>, tensor<?x6xf32>)
  %routed_gated = mortar.silu_and_mul %routed_gate_up limit(10.0) : (tensor<?x4096xbf16>) -> tensor<?x2048xbf16>
  %routed_gated_q, %routed_gated_q_scales = mortar.quantize_dynamic %routed_gated group_size(128) ue8m0
    : (tensor<?x2048xbf16>) -> (tensor<?x2048xf8E4M3FN>, tensor<?x16xf8E8M0FNU>)
  %routed = call @routed_down(%routed_gated_q, %routed_gated_q_scales, %routing)
    : (tensor<?x2048xf8E4M3FN>, tensor<?x16xf8E8M0FNU>, tensor<?x6xf32>) -> tensor<?x4096xbf16>
  %shared_gate_up = call @shared_gate_up_projection(%normed_1_q, %normed_1_q_scales)
    : (tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>) -> tensor<?x4096xbf16>
  %shared_gated = mortar.silu_and_mul %shared_gate_up limit(10.0) : (tensor<?x4096xbf16>) -> tensor<?x2048xbf16>
  %shared_gated_q, %shared_gated_q_scales = mortar.quantize_dynamic %shared_gated group_size(128) ue8m0
    : (tensor<?x2048xbf16>) -> (tensor<?x2048xf8E4M3FN>, tensor<?x16xf8E8M0FNU>)
  %shared_down = call @shared_down_projection(%shared_gated_q, %shared_gated_q_scales)
    : (tensor<?x2048xf8E4M3FN>, tensor<?x16xf8E8M0FNU>) -> tensor<?x4096xbf16>
  %out = mortar.residual_add %routed, %shared_down : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %streams_1 = call @spread_streams(%out, %streams)
    : (tensor<?x4096xbf16>, tensor<?x4x4096xbf16>) -> tensor<?x4x4096xbf16>
  return %streams_1 : tensor<?x4x4096xbf16>
}
