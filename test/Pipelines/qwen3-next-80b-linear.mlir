// A linear-attention layer of Qwen3-Next 80B (gated delta rule): hidden 2048, 16 key and 32 value heads of 128, a
// shared expert of 512 beside the routed ones. The delta rule with its convolution is foreign, as are the routed
// experts, the shared expert's own gate, and the split of the projection, whose heads lie interleaved. The layer's
// norms are zero-centred and get 1 added; the gated norm of each value head is not, and rounds as in transformers
// (PRESETS.md, hf_gated). Five kernels: two residual adds with their norms, the gated norm of heads, silu, and the
// experts' sum. The gated norm's rows stay [T, 32, 128], and are [T, 4096] to the projection by a view.
//
// @sigmoid_variant is the end of Kimi's delta attention (hidden 2304, heads as above): the norm of FusedRMSNormGated
// with a sigmoid gate, rounded once. One kernel.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-5: mortar.fused
// COUNT-NOT: mortar.fused

// COUNT-LABEL: func.func @sigmoid_variant(
// COUNT-COUNT-1: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: %[[A:.*]]:2 = mortar.fused ins(%{{.*}} = row %arg0, %{{.*}} = row %arg1,
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) weight_offset(1) : (vector<2048xbf16>, vector<2048xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: linalg.matmul ins(%[[A]]#1,
// FUSE: linalg.matmul ins(%[[A]]#1,
// FUSE: %[[Z:.*]]:2 = call @split_heads
// FUSE: %[[O:.*]] = call @gated_delta_rule(%[[Z]]#0,
// FUSE: %[[G:.*]] = mortar.fused ins(%{{.*}} = row %[[O]], %{{.*}} = row %[[Z]]#1, %{{.*}} = column %{{.*}} : tensor<?x32x128xbf16>, tensor<?x32x128xbf16>, tensor<128xbf16>) outs(row %{{.*}} : tensor<?x32x128xbf16>)
// FUSE-NEXT: %{{.*}} = mortar.gated_rms_norm {{.*}} epsilon(9.99999997E-7) inner(bf16) weighted(bf16) : (vector<128xbf16>, vector<128xbf16>, vector<128xbf16>) -> vector<128xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[CONTEXT:.*]] = tensor.collapse_shape %[[G]]
// FUSE: %[[X:.*]] = linalg.matmul ins(%[[CONTEXT]],
// FUSE: %[[B:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[A]]#0,
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) weight_offset(1) : (vector<2048xbf16>, vector<2048xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: %[[R:.*]] = call @routed_experts(%[[B]]#1)
// FUSE: %[[U:.*]] = linalg.matmul ins(%[[B]]#1,
// FUSE: %[[Y1:.*]] = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x1024xbf16>) outs(row %{{.*}} : tensor<?x512xbf16>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} inner(bf16) : (vector<1024xbf16>) -> vector<512xbf16>
// FUSE-NEXT: mortar.yield %[[Y]]
// FUSE: linalg.matmul ins(%[[Y1]],
// FUSE: %[[D:.*]] = call @gate_shared_expert({{.*}}, %[[B]]#1)
// FUSE: %[[OUT:.*]] = mortar.fused ins(%{{.*}} = row %[[R]], %{{.*}} = row %[[D]] :
// FUSE-NEXT: %{{.*}} = mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: return %[[OUT]], %[[B]]#0
// FUSE-LABEL: func.func @sigmoid_variant(
// FUSE: mortar.fused
// FUSE-NEXT: %{{.*}} = mortar.gated_rms_norm {{.*}} epsilon(9.99999997E-7) activation(sigmoid) : (vector<128xbf16>, vector<128xbf16>, vector<128xbf16>) -> vector<128xbf16>
// FUSE-NEXT: mortar.yield

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
// GAPS: func.func @layer_gap4(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: @layer_gap5
// GAPS-LABEL: func.func @sigmoid_variant(
// GAPS-NOT: mortar.fused
// GAPS: func.func @sigmoid_variant_gap0(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @split_heads(tensor<?x12288xbf16>) -> (tensor<?x8192xbf16>, tensor<?x32x128xbf16>)
func.func private @gated_delta_rule(tensor<?x8192xbf16>, tensor<?x64xbf16>) -> tensor<?x32x128xbf16>
func.func private @routed_experts(tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
func.func private @gate_shared_expert(tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>

func.func @layer(%hidden: tensor<?x2048xbf16>, %residual: tensor<?x2048xbf16>,
                 %w_input_norm: tensor<2048xbf16> {mortar.constant},
                 %w_post_norm: tensor<2048xbf16> {mortar.constant},
                 %w_delta_norm: tensor<128xbf16> {mortar.constant}, %w_qkvz: tensor<2048x12288xbf16>,
                 %w_ba: tensor<2048x64xbf16>, %w_o: tensor<4096x2048xbf16>,
                 %w_shared_gate_up: tensor<2048x1024xbf16>, %w_shared_down: tensor<512x2048xbf16>)
    -> (tensor<?x2048xbf16>, tensor<?x2048xbf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  %t = tensor.dim %hidden, %c0 : tensor<?x2048xbf16>

  %stream = mortar.residual_add %hidden, %residual : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x2048xbf16>, tensor<2048xbf16>) -> tensor<?x2048xbf16>
  %qkvz_e = tensor.empty(%t) : tensor<?x12288xbf16>
  %qkvz_0 = linalg.fill ins(%zero : bf16) outs(%qkvz_e : tensor<?x12288xbf16>) -> tensor<?x12288xbf16>
  %qkvz = linalg.matmul ins(%normed, %w_qkvz : tensor<?x2048xbf16>, tensor<2048x12288xbf16>)
                  outs(%qkvz_0 : tensor<?x12288xbf16>) -> tensor<?x12288xbf16>
  %ba_e = tensor.empty(%t) : tensor<?x64xbf16>
  %ba_0 = linalg.fill ins(%zero : bf16) outs(%ba_e : tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %ba = linalg.matmul ins(%normed, %w_ba : tensor<?x2048xbf16>, tensor<2048x64xbf16>)
                  outs(%ba_0 : tensor<?x64xbf16>) -> tensor<?x64xbf16>

  // Queries, keys, values and gates lie interleaved by key head.
  %qkv, %z = call @split_heads(%qkvz)
    : (tensor<?x12288xbf16>) -> (tensor<?x8192xbf16>, tensor<?x32x128xbf16>)
  %recalled = call @gated_delta_rule(%qkv, %ba)
    : (tensor<?x8192xbf16>, tensor<?x64xbf16>) -> tensor<?x32x128xbf16>
  %gated_heads = mortar.gated_rms_norm %recalled gate(%z) weight(%w_delta_norm) epsilon(1.0e-6)
    activation(silu) inner(bf16) weighted(bf16)
    : (tensor<?x32x128xbf16>, tensor<?x32x128xbf16>, tensor<128xbf16>) -> tensor<?x32x128xbf16>
  %context = tensor.collapse_shape %gated_heads [[0], [1, 2]] : tensor<?x32x128xbf16> into tensor<?x4096xbf16>
  %attended_e = tensor.empty(%t) : tensor<?x2048xbf16>
  %attended_0 = linalg.fill ins(%zero : bf16) outs(%attended_e : tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %attended = linalg.matmul ins(%context, %w_o : tensor<?x4096xbf16>, tensor<4096x2048xbf16>)
                  outs(%attended_0 : tensor<?x2048xbf16>) -> tensor<?x2048xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x2048xbf16>, tensor<2048xbf16>) -> tensor<?x2048xbf16>
  %routed = call @routed_experts(%normed_1)
    : (tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %shared_gate_up_e = tensor.empty(%t) : tensor<?x1024xbf16>
  %shared_gate_up_0 = linalg.fill ins(%zero : bf16) outs(%shared_gate_up_e : tensor<?x1024xbf16>) -> tensor<?x1024xbf16>
  %shared_gate_up = linalg.matmul ins(%normed_1, %w_shared_gate_up : tensor<?x2048xbf16>, tensor<2048x1024xbf16>)
                  outs(%shared_gate_up_0 : tensor<?x1024xbf16>) -> tensor<?x1024xbf16>
  %shared_gated = mortar.silu_and_mul %shared_gate_up inner(bf16) : (tensor<?x1024xbf16>) -> tensor<?x512xbf16>
  %shared_down_e = tensor.empty(%t) : tensor<?x2048xbf16>
  %shared_down_0 = linalg.fill ins(%zero : bf16) outs(%shared_down_e : tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %shared_down = linalg.matmul ins(%shared_gated, %w_shared_down : tensor<?x512xbf16>, tensor<512x2048xbf16>)
                  outs(%shared_down_0 : tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %shared = call @gate_shared_expert(%shared_down, %normed_1)
    : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %out = mortar.residual_add %routed, %shared : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  return %out, %stream_1 : tensor<?x2048xbf16>, tensor<?x2048xbf16>
}

func.func @sigmoid_variant(%recalled: tensor<?x32x128xbf16>, %gate: tensor<?x4096xbf16>,
                           %w_norm: tensor<128xbf16> {mortar.constant}, %w_o: tensor<4096x2304xbf16>)
    -> tensor<?x2304xbf16> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  %t = tensor.dim %gate, %c0 : tensor<?x4096xbf16>
  %z = tensor.expand_shape %gate [[0], [1, 2]] output_shape [%t, 32, 128]
    : tensor<?x4096xbf16> into tensor<?x32x128xbf16>
  %gated_heads = mortar.gated_rms_norm %recalled gate(%z) weight(%w_norm) epsilon(1.0e-6)
    activation(sigmoid)
    : (tensor<?x32x128xbf16>, tensor<?x32x128xbf16>, tensor<128xbf16>) -> tensor<?x32x128xbf16>
  %context = tensor.collapse_shape %gated_heads [[0], [1, 2]] : tensor<?x32x128xbf16> into tensor<?x4096xbf16>
  %attended_e = tensor.empty(%t) : tensor<?x2304xbf16>
  %attended_0 = linalg.fill ins(%zero : bf16) outs(%attended_e : tensor<?x2304xbf16>) -> tensor<?x2304xbf16>
  %attended = linalg.matmul ins(%context, %w_o : tensor<?x4096xbf16>, tensor<4096x2304xbf16>)
                  outs(%attended_0 : tensor<?x2304xbf16>) -> tensor<?x2304xbf16>
  return %attended : tensor<?x2304xbf16>
}
