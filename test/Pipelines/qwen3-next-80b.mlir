// A full-attention layer of Qwen3-Next 80B: hidden 2048, 16 query and 2 key heads of 256, a shared expert of 512 beside the
// routed ones (foreign here). All norms are zero-centred, their bf16 weights get 1 added. Six kernels: two
// residual adds with their norms, the norms of q's and k's heads, the gate, and the experts' sum.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-6: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: %[[A:.*]]:2 = mortar.fused
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) weight_offset(1) : (vector<2048xbf16>, vector<2048xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: %[[QH:.*]] = tensor.expand_shape {{.*}} into tensor<?x16x256xbf16>
// FUSE: %[[KH:.*]] = tensor.expand_shape {{.*}} into tensor<?x2x256xbf16>
// FUSE-NOT: tensor.collapse_shape
// FUSE: %[[Q:.*]] = mortar.fused ins(%{{.*}} = row %[[QH]], {{.*}} outs(row %{{.*}} : tensor<?x16x256xbf16>)
// FUSE-NEXT: mortar.rms_norm {{.*}} weight_offset(1) : (vector<256xbf16>, vector<256xbf16>) -> vector<256xbf16>
// FUSE-NEXT: mortar.yield
// FUSE-NOT: tensor.collapse_shape
// FUSE: %[[K:.*]] = mortar.fused ins(%{{.*}} = row %[[KH]], {{.*}} outs(row %{{.*}} : tensor<?x2x256xbf16>)
// FUSE-NEXT: mortar.rms_norm
// FUSE-NEXT: mortar.yield
// FUSE-NOT: tensor.expand_shape
// FUSE: call @attention(%[[Q]], %[[K]],
// FUSE: %[[B:.*]]:2 = mortar.fused ins(%{{.*}} = row %{{.*}}, %{{.*}} = row %[[A]]#0,
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] {{.*}} weight_offset(1)
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: mortar.fused
// FUSE-NEXT: mortar.silu_and_mul %{{.*}} inner(bf16) : (vector<1024xbf16>) -> vector<512xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[C:.*]] = mortar.fused
// FUSE-NEXT: mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: return %[[C]], %[[B]]#0

// The heads come in as [T, heads, 256] and leave as such; a gap's results have the callers' sizes.
// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap0(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap1(%{{[a-z0-9]+}}: tensor<?x16x256xbf16>, %{{[a-z0-9]+}}: tensor<256xbf16> {mortar.constant}, %{{[a-z0-9]+}}: tensor<?x2x256xbf16>, %{{[a-z0-9]+}}: tensor<256xbf16> {mortar.constant}) -> (tensor<?x16x256xbf16>, tensor<?x2x256xbf16>)
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
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @attention(tensor<?x16x256xbf16>, tensor<?x2x256xbf16>, tensor<?x512xbf16>) -> tensor<?x4096xbf16>
func.func private @routed_experts(tensor<?x2048xbf16>) -> tensor<?x2048xbf16>

func.func @layer(%hidden: tensor<?x2048xbf16>, %residual: tensor<?x2048xbf16>,
                 %w_input_norm: tensor<2048xbf16> {mortar.constant}, %w_post_norm: tensor<2048xbf16> {mortar.constant},
                 %w_q_norm: tensor<256xbf16> {mortar.constant}, %w_k_norm: tensor<256xbf16> {mortar.constant},
                 %w_qkv: tensor<2048x5120xbf16>, %w_o: tensor<4096x2048xbf16>,
                 %w_shared_gate_up: tensor<2048x1024xbf16>, %w_shared_down: tensor<512x2048xbf16>)
    -> (tensor<?x2048xbf16>, tensor<?x2048xbf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  %t = tensor.dim %hidden, %c0 : tensor<?x2048xbf16>

  %stream = mortar.residual_add %hidden, %residual : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x2048xbf16>, tensor<2048xbf16>) -> tensor<?x2048xbf16>
  %qkv_e = tensor.empty(%t) : tensor<?x5120xbf16>
  %qkv_0 = linalg.fill ins(%zero : bf16) outs(%qkv_e : tensor<?x5120xbf16>) -> tensor<?x5120xbf16>
  %qkv = linalg.matmul ins(%normed, %w_qkv : tensor<?x2048xbf16>, tensor<2048x5120xbf16>)
                  outs(%qkv_0 : tensor<?x5120xbf16>) -> tensor<?x5120xbf16>

  %q_part = tensor.extract_slice %qkv[0, 0] [%t, 4096] [1, 1] : tensor<?x5120xbf16> to tensor<?x4096xbf16>
  %q_heads = tensor.expand_shape %q_part [[0], [1, 2]] output_shape [%t, 16, 256]
    : tensor<?x4096xbf16> into tensor<?x16x256xbf16>
  %k_part = tensor.extract_slice %qkv[0, 4096] [%t, 512] [1, 1] : tensor<?x5120xbf16> to tensor<?x512xbf16>
  %k_heads = tensor.expand_shape %k_part [[0], [1, 2]] output_shape [%t, 2, 256]
    : tensor<?x512xbf16> into tensor<?x2x256xbf16>
  %v = tensor.extract_slice %qkv[0, 4608] [%t, 512] [1, 1] : tensor<?x5120xbf16> to tensor<?x512xbf16>
  %q_rows = tensor.collapse_shape %q_heads [[0, 1], [2]] : tensor<?x16x256xbf16> into tensor<?x256xbf16>
  %q_normed = mortar.rms_norm %q_rows weight(%w_q_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x256xbf16>, tensor<256xbf16>) -> tensor<?x256xbf16>
  %q = tensor.expand_shape %q_normed [[0, 1], [2]] output_shape [%t, 16, 256]
    : tensor<?x256xbf16> into tensor<?x16x256xbf16>
  %k_rows = tensor.collapse_shape %k_heads [[0, 1], [2]] : tensor<?x2x256xbf16> into tensor<?x256xbf16>
  %k_normed = mortar.rms_norm %k_rows weight(%w_k_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x256xbf16>, tensor<256xbf16>) -> tensor<?x256xbf16>
  %k = tensor.expand_shape %k_normed [[0, 1], [2]] output_shape [%t, 2, 256]
    : tensor<?x256xbf16> into tensor<?x2x256xbf16>
  %context = call @attention(%q, %k, %v)
    : (tensor<?x16x256xbf16>, tensor<?x2x256xbf16>, tensor<?x512xbf16>) -> tensor<?x4096xbf16>
  %attended_e = tensor.empty(%t) : tensor<?x2048xbf16>
  %attended_0 = linalg.fill ins(%zero : bf16) outs(%attended_e : tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %attended = linalg.matmul ins(%context, %w_o : tensor<?x4096xbf16>, tensor<4096x2048xbf16>)
                  outs(%attended_0 : tensor<?x2048xbf16>) -> tensor<?x2048xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x2048xbf16>, tensor<2048xbf16>) -> tensor<?x2048xbf16>
  %routed = call @routed_experts(%normed_1) : (tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %shared_gate_up_e = tensor.empty(%t) : tensor<?x1024xbf16>
  %shared_gate_up_0 = linalg.fill ins(%zero : bf16) outs(%shared_gate_up_e : tensor<?x1024xbf16>) -> tensor<?x1024xbf16>
  %shared_gate_up = linalg.matmul ins(%normed_1, %w_shared_gate_up : tensor<?x2048xbf16>, tensor<2048x1024xbf16>)
                  outs(%shared_gate_up_0 : tensor<?x1024xbf16>) -> tensor<?x1024xbf16>
  %shared_gated = mortar.silu_and_mul %shared_gate_up inner(bf16) : (tensor<?x1024xbf16>) -> tensor<?x512xbf16>
  %shared_down_e = tensor.empty(%t) : tensor<?x2048xbf16>
  %shared_down_0 = linalg.fill ins(%zero : bf16) outs(%shared_down_e : tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %shared_down = linalg.matmul ins(%shared_gated, %w_shared_down : tensor<?x512xbf16>, tensor<512x2048xbf16>)
                  outs(%shared_down_0 : tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %out = mortar.residual_add %routed, %shared_down : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  return %out, %stream_1 : tensor<?x2048xbf16>, tensor<?x2048xbf16>
}
