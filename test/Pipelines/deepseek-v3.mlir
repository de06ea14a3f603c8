// A decoder layer of DeepSeek V3's sizes: hidden 7168, latent attention with norms of 1536 and 512 on slices of one
// projection, a dense feed-forward of 18432 beside a shared expert of 2048. No inner rounding; silu is clamped at
// 10, as in V4. Seven kernels: two residual adds with their norms, the two latent norms (of other lengths, so apart),
// two gates, and the sum of the two feed-forwards.
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
// FUSE: %[[A:.*]]:2 = mortar.fused
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) : (vector<7168xbf16>, vector<7168xbf16>) -> vector<7168xbf16>
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// A slice of rows is read where it lies.
// FUSE: %[[Q:.*]] = tensor.extract_slice
// FUSE: %[[KV:.*]] = tensor.extract_slice
// FUSE: mortar.fused ins(%{{.*}} = row %[[Q]],
// FUSE-NEXT: mortar.rms_norm {{.*}} : (vector<1536xbf16>, vector<1536xbf16>)
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused ins(%{{.*}} = row %[[KV]],
// FUSE-NEXT: mortar.rms_norm {{.*}} : (vector<512xbf16>, vector<512xbf16>)
// FUSE-NEXT: mortar.yield
// FUSE: %[[B:.*]]:2 = mortar.fused ins(%{{.*}} = row %{{.*}}, %{{.*}} = row %[[A]]#0,
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]]
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: mortar.fused
// FUSE-NEXT: mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (vector<36864xbf16>) -> vector<18432xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: mortar.silu_and_mul %{{.*}} limit(1.000000e+01) : (vector<4096xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: %[[C:.*]] = mortar.fused
// FUSE-NEXT: mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: return %[[C]], %[[B]]#0

// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap0(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// A slice's memory belongs to the projection: the gap may not write there.
// GAPS: func.func @layer_gap1(%{{.*}}: tensor<?x1536xbf16>, %{{.*}}: tensor<1536xbf16> {mortar.constant}, %{{.*}}: tensor<?x512xbf16>, %{{.*}}: tensor<512xbf16> {mortar.constant})
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

func.func private @attention(tensor<?x1536xbf16>, tensor<?x512xbf16>, tensor<?x64xbf16>) -> tensor<?x16384xbf16>

func.func @layer(%hidden: tensor<?x7168xbf16>, %residual: tensor<?x7168xbf16>,
                 %w_input_norm: tensor<7168xbf16> {mortar.constant}, %w_post_norm: tensor<7168xbf16> {mortar.constant},
                 %w_q_norm: tensor<1536xbf16> {mortar.constant}, %w_kv_norm: tensor<512xbf16> {mortar.constant},
                 %w_qkv: tensor<7168x2112xbf16>, %w_o: tensor<16384x7168xbf16>,
                 %w_gate_up: tensor<7168x36864xbf16>, %w_down: tensor<18432x7168xbf16>,
                 %w_shared_gate_up: tensor<7168x4096xbf16>, %w_shared_down: tensor<2048x7168xbf16>)
    -> (tensor<?x7168xbf16>, tensor<?x7168xbf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  %t = tensor.dim %hidden, %c0 : tensor<?x7168xbf16>

  %stream = mortar.residual_add %hidden, %residual : (tensor<?x7168xbf16>, tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-6)
    : (tensor<?x7168xbf16>, tensor<7168xbf16>) -> tensor<?x7168xbf16>
  %qkv_e = tensor.empty(%t) : tensor<?x2112xbf16>
  %qkv_0 = linalg.fill ins(%zero : bf16) outs(%qkv_e : tensor<?x2112xbf16>) -> tensor<?x2112xbf16>
  %qkv = linalg.matmul ins(%normed, %w_qkv : tensor<?x7168xbf16>, tensor<7168x2112xbf16>)
                  outs(%qkv_0 : tensor<?x2112xbf16>) -> tensor<?x2112xbf16>

  %q_latent = tensor.extract_slice %qkv[0, 0] [%t, 1536] [1, 1] : tensor<?x2112xbf16> to tensor<?x1536xbf16>
  %kv_latent = tensor.extract_slice %qkv[0, 1536] [%t, 512] [1, 1] : tensor<?x2112xbf16> to tensor<?x512xbf16>
  %k_rope = tensor.extract_slice %qkv[0, 2048] [%t, 64] [1, 1] : tensor<?x2112xbf16> to tensor<?x64xbf16>
  %q = mortar.rms_norm %q_latent weight(%w_q_norm) epsilon(1.0e-6)
    : (tensor<?x1536xbf16>, tensor<1536xbf16>) -> tensor<?x1536xbf16>
  %kv = mortar.rms_norm %kv_latent weight(%w_kv_norm) epsilon(1.0e-6)
    : (tensor<?x512xbf16>, tensor<512xbf16>) -> tensor<?x512xbf16>
  %context = call @attention(%q, %kv, %k_rope)
    : (tensor<?x1536xbf16>, tensor<?x512xbf16>, tensor<?x64xbf16>) -> tensor<?x16384xbf16>
  %attended_e = tensor.empty(%t) : tensor<?x7168xbf16>
  %attended_0 = linalg.fill ins(%zero : bf16) outs(%attended_e : tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  %attended = linalg.matmul ins(%context, %w_o : tensor<?x16384xbf16>, tensor<16384x7168xbf16>)
                  outs(%attended_0 : tensor<?x7168xbf16>) -> tensor<?x7168xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x7168xbf16>, tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-6)
    : (tensor<?x7168xbf16>, tensor<7168xbf16>) -> tensor<?x7168xbf16>
  %gate_up_e = tensor.empty(%t) : tensor<?x36864xbf16>
  %gate_up_0 = linalg.fill ins(%zero : bf16) outs(%gate_up_e : tensor<?x36864xbf16>) -> tensor<?x36864xbf16>
  %gate_up = linalg.matmul ins(%normed_1, %w_gate_up : tensor<?x7168xbf16>, tensor<7168x36864xbf16>)
                  outs(%gate_up_0 : tensor<?x36864xbf16>) -> tensor<?x36864xbf16>
  %gated = mortar.silu_and_mul %gate_up limit(10.0) : (tensor<?x36864xbf16>) -> tensor<?x18432xbf16>
  %down_e = tensor.empty(%t) : tensor<?x7168xbf16>
  %down_0 = linalg.fill ins(%zero : bf16) outs(%down_e : tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  %down = linalg.matmul ins(%gated, %w_down : tensor<?x18432xbf16>, tensor<18432x7168xbf16>)
                  outs(%down_0 : tensor<?x7168xbf16>) -> tensor<?x7168xbf16>

  %shared_gate_up_e = tensor.empty(%t) : tensor<?x4096xbf16>
  %shared_gate_up_0 = linalg.fill ins(%zero : bf16) outs(%shared_gate_up_e : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %shared_gate_up = linalg.matmul ins(%normed_1, %w_shared_gate_up : tensor<?x7168xbf16>, tensor<7168x4096xbf16>)
                  outs(%shared_gate_up_0 : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %shared_gated = mortar.silu_and_mul %shared_gate_up limit(10.0) : (tensor<?x4096xbf16>) -> tensor<?x2048xbf16>
  %shared_down_e = tensor.empty(%t) : tensor<?x7168xbf16>
  %shared_down_0 = linalg.fill ins(%zero : bf16) outs(%shared_down_e : tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  %shared_down = linalg.matmul ins(%shared_gated, %w_shared_down : tensor<?x2048xbf16>, tensor<2048x7168xbf16>)
                  outs(%shared_down_0 : tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  %out = mortar.residual_add %down, %shared_down : (tensor<?x7168xbf16>, tensor<?x7168xbf16>) -> tensor<?x7168xbf16>
  return %out, %stream_1 : tensor<?x7168xbf16>, tensor<?x7168xbf16>
}
