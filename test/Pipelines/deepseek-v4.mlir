// A decoder layer of DeepSeek V4 Flash, as in its published configuration and its reference: hidden 4096, 64 heads of
// 512 and one of keys and values, query rank 1024, output of 8 groups of rank 1024, experts of 2048 of which 6 and a
// shared one are taken; silu is clamped at 10 and nothing rounds within. Four residual streams (hyper-connections)
// are mixed into one and back by foreign ops, so no residual add meets a norm. The norm of q's heads has no weight.
// Rotation, compression, the indexer and the grouped half of the output's projection are in the foreign attention.
//
// Eight kernels: four norms of rows (two of them of slices of one projection), the norm of q's heads, two gates, and
// the experts' sum.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-8: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: %[[M:.*]] = call @mix_streams(%arg0)
// FUSE: %[[A:.*]] = mortar.fused ins(%{{.*}} = row %[[M]],
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[L:.*]] = linalg.matmul ins(%[[A]],
// FUSE: %[[QL:.*]] = tensor.extract_slice %[[L]][0, 0]
// FUSE: %[[KV:.*]] = tensor.extract_slice %[[L]][0, 1024]
// FUSE: %[[QN:.*]] = mortar.fused ins(%{{.*}} = row %[[QL]],
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} : (vector<1024xbf16>, vector<1024xbf16>) -> vector<1024xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[KVN:.*]] = mortar.fused ins(%{{.*}} = row %[[KV]],
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} : (vector<512xbf16>, vector<512xbf16>) -> vector<512xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[QR:.*]] = linalg.matmul ins(%[[QN]],
// FUSE: %[[QH:.*]] = tensor.expand_shape %[[QR]]
// FUSE: %[[H:.*]] = mortar.fused ins(%{{.*}} = row %[[QH]] :
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} : (vector<512xbf16>) -> vector<512xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[CONTEXT:.*]] = call @attention(%[[H]], %[[KVN]], %[[QN]], %[[A]])
// FUSE: %[[X:.*]] = linalg.matmul ins(%[[CONTEXT]],
// FUSE: call @spread_streams(%[[X]],
// FUSE: %[[M:.*]] = call @mix_streams(%{{.*}})
// FUSE: %[[B:.*]] = mortar.fused ins(%{{.*}} = row %[[M]],
// FUSE-NEXT: %{{.*}} = mortar.rms_norm {{.*}} : (vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[R:.*]]:2 = call @routed_gate_up(%[[B]])
// FUSE: %[[RG:.*]] = mortar.fused ins(%{{.*}} = row %[[R]]#0 : tensor<?x4096xbf16>) outs(row %{{.*}} : tensor<?x2048xbf16>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (vector<4096xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: mortar.yield %[[Y]]
// FUSE: %[[RD:.*]] = call @routed_down(%[[RG]], %[[R]]#1)
// FUSE: %[[U:.*]] = linalg.matmul ins(%[[B]],
// FUSE: %[[SG:.*]] = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x4096xbf16>) outs(row %{{.*}} : tensor<?x2048xbf16>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (vector<4096xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: mortar.yield %[[Y]]
// FUSE: %[[SD:.*]] = linalg.matmul ins(%[[SG]],
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
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @mix_streams(tensor<?x4x4096xbf16>) -> tensor<?x4096xbf16>
func.func private @attention(tensor<?x64x512xbf16>, tensor<?x512xbf16>, tensor<?x1024xbf16>, tensor<?x4096xbf16>) -> tensor<?x8192xbf16>
func.func private @spread_streams(tensor<?x4096xbf16>, tensor<?x4x4096xbf16>) -> tensor<?x4x4096xbf16>
func.func private @routed_gate_up(tensor<?x4096xbf16>) -> (tensor<?x4096xbf16>, tensor<?x6xf32>)
func.func private @routed_down(tensor<?x2048xbf16>, tensor<?x6xf32>) -> tensor<?x4096xbf16>

func.func @layer(%hidden: tensor<?x4x4096xbf16>, %w_attention_norm: tensor<4096xbf16> {mortar.constant},
                 %w_q_norm: tensor<1024xbf16> {mortar.constant}, %w_kv_norm: tensor<512xbf16> {mortar.constant},
                 %w_ffn_norm: tensor<4096xbf16> {mortar.constant}, %w_a: tensor<4096x1536xbf16>,
                 %w_q_b: tensor<1024x32768xbf16>, %w_o_b: tensor<8192x4096xbf16>,
                 %w_shared_gate_up: tensor<4096x4096xbf16>, %w_shared_down: tensor<2048x4096xbf16>)
    -> tensor<?x4x4096xbf16> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  %t = tensor.dim %hidden, %c0 : tensor<?x4x4096xbf16>

  %mixed = call @mix_streams(%hidden)
    : (tensor<?x4x4096xbf16>) -> tensor<?x4096xbf16>
  %normed = mortar.rms_norm %mixed weight(%w_attention_norm) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  %latents_e = tensor.empty(%t) : tensor<?x1536xbf16>
  %latents_0 = linalg.fill ins(%zero : bf16) outs(%latents_e : tensor<?x1536xbf16>) -> tensor<?x1536xbf16>
  %latents = linalg.matmul ins(%normed, %w_a : tensor<?x4096xbf16>, tensor<4096x1536xbf16>)
                  outs(%latents_0 : tensor<?x1536xbf16>) -> tensor<?x1536xbf16>
  %q_latent = tensor.extract_slice %latents[0, 0] [%t, 1024] [1, 1] : tensor<?x1536xbf16> to tensor<?x1024xbf16>
  %kv_latent = tensor.extract_slice %latents[0, 1024] [%t, 512] [1, 1] : tensor<?x1536xbf16> to tensor<?x512xbf16>
  %q_normed = mortar.rms_norm %q_latent weight(%w_q_norm) epsilon(1.0e-6)
    : (tensor<?x1024xbf16>, tensor<1024xbf16>) -> tensor<?x1024xbf16>
  %kv = mortar.rms_norm %kv_latent weight(%w_kv_norm) epsilon(1.0e-6)
    : (tensor<?x512xbf16>, tensor<512xbf16>) -> tensor<?x512xbf16>
  %q_rows_e = tensor.empty(%t) : tensor<?x32768xbf16>
  %q_rows_0 = linalg.fill ins(%zero : bf16) outs(%q_rows_e : tensor<?x32768xbf16>) -> tensor<?x32768xbf16>
  %q_rows = linalg.matmul ins(%q_normed, %w_q_b : tensor<?x1024xbf16>, tensor<1024x32768xbf16>)
                  outs(%q_rows_0 : tensor<?x32768xbf16>) -> tensor<?x32768xbf16>
  %q_heads = tensor.expand_shape %q_rows [[0], [1, 2]] output_shape [%t, 64, 512]
    : tensor<?x32768xbf16> into tensor<?x64x512xbf16>
  %q = mortar.rms_norm %q_heads epsilon(1.0e-6) : (tensor<?x64x512xbf16>) -> tensor<?x64x512xbf16>
  %context = call @attention(%q, %kv, %q_normed, %normed)
    : (tensor<?x64x512xbf16>, tensor<?x512xbf16>, tensor<?x1024xbf16>, tensor<?x4096xbf16>) -> tensor<?x8192xbf16>
  %attended_e = tensor.empty(%t) : tensor<?x4096xbf16>
  %attended_0 = linalg.fill ins(%zero : bf16) outs(%attended_e : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %attended = linalg.matmul ins(%context, %w_o_b : tensor<?x8192xbf16>, tensor<8192x4096xbf16>)
                  outs(%attended_0 : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %streams = call @spread_streams(%attended, %hidden)
    : (tensor<?x4096xbf16>, tensor<?x4x4096xbf16>) -> tensor<?x4x4096xbf16>

  %mixed_1 = call @mix_streams(%streams)
    : (tensor<?x4x4096xbf16>) -> tensor<?x4096xbf16>
  %normed_1 = mortar.rms_norm %mixed_1 weight(%w_ffn_norm) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  // A row for each of a token's six experts.
  %routed_gate_up, %routing = call @routed_gate_up(%normed_1)
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xbf16>, tensor<?x6xf32>)
  %routed_gated = mortar.silu_and_mul %routed_gate_up limit(10.0) : (tensor<?x4096xbf16>) -> tensor<?x2048xbf16>
  %routed = call @routed_down(%routed_gated, %routing)
    : (tensor<?x2048xbf16>, tensor<?x6xf32>) -> tensor<?x4096xbf16>
  %shared_gate_up_e = tensor.empty(%t) : tensor<?x4096xbf16>
  %shared_gate_up_0 = linalg.fill ins(%zero : bf16) outs(%shared_gate_up_e : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %shared_gate_up = linalg.matmul ins(%normed_1, %w_shared_gate_up : tensor<?x4096xbf16>, tensor<4096x4096xbf16>)
                  outs(%shared_gate_up_0 : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %shared_gated = mortar.silu_and_mul %shared_gate_up limit(10.0) : (tensor<?x4096xbf16>) -> tensor<?x2048xbf16>
  %shared_down_e = tensor.empty(%t) : tensor<?x4096xbf16>
  %shared_down_0 = linalg.fill ins(%zero : bf16) outs(%shared_down_e : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %shared_down = linalg.matmul ins(%shared_gated, %w_shared_down : tensor<?x2048xbf16>, tensor<2048x4096xbf16>)
                  outs(%shared_down_0 : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %out = mortar.residual_add %routed, %shared_down : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %streams_1 = call @spread_streams(%out, %streams)
    : (tensor<?x4096xbf16>, tensor<?x4x4096xbf16>) -> tensor<?x4x4096xbf16>
  return %streams_1 : tensor<?x4x4096xbf16>
}
