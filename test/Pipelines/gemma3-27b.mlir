// A decoder layer of Gemma 3 27B: hidden 5376, feed-forward 21504, 32 query and 16 key heads of 128, bf16 rows with f32
// norm weights, to which 1 is added. Four norms around attention and feed-forward, and one on each head of q and k.
// The gate is gelu's tanh form, rounded to bf16 before its product, as in transformers.
//
// The weights' type isn't the rows', so by the dtype rule each norm stands alone: 9 kernels. Where that is lifted,
// the norm after attention, the residual add and the norm before the feed-forward are one kernel: 6.
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
// COUNT-COUNT-9: mortar.fused
// COUNT-NOT: mortar.fused

// LIFTED-LABEL: func.func @layer(
// LIFTED-COUNT-6: mortar.fused
// LIFTED-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: mortar.fused
// FUSE-NEXT: mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: mortar.rms_norm {{.*}} weight_offset(1) : (vector<5376xbf16>, vector<5376xf32>) -> vector<5376xbf16>
// FUSE-NEXT: mortar.yield
// The heads are rows, before and after: no view is left between the slice's split and attention.
// FUSE: %[[QH:.*]] = tensor.expand_shape {{.*}} into tensor<?x32x128xbf16>
// FUSE: %[[KH:.*]] = tensor.expand_shape {{.*}} into tensor<?x16x128xbf16>
// FUSE-NOT: tensor.collapse_shape
// FUSE: %[[Q:.*]] = mortar.fused ins(%{{.*}} = row %[[QH]], {{.*}} outs(row %{{.*}} : tensor<?x32x128xbf16>)
// FUSE-NEXT: mortar.rms_norm {{.*}} weight_offset(1) : (vector<128xbf16>, vector<128xf32>) -> vector<128xbf16>
// FUSE-NEXT: mortar.yield
// FUSE-NOT: tensor.collapse_shape
// FUSE: %[[K:.*]] = mortar.fused ins(%{{.*}} = row %[[KH]], {{.*}} outs(row %{{.*}} : tensor<?x16x128xbf16>)
// FUSE-NEXT: mortar.rms_norm {{.*}} weight_offset(1) : (vector<128xbf16>, vector<128xf32>) -> vector<128xbf16>
// FUSE-NEXT: mortar.yield
// FUSE-NOT: tensor.expand_shape
// FUSE: call @attention(%[[Q]], %[[K]],
// FUSE: mortar.fused
// FUSE-NEXT: mortar.rms_norm
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: mortar.rms_norm
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: mortar.gelu_and_mul %{{.*}} approximate(tanh) inner(bf16) : (vector<43008xbf16>) -> vector<21504xbf16>
// FUSE-NEXT: mortar.yield
// FUSE: mortar.fused
// FUSE-NEXT: mortar.rms_norm
// FUSE-NEXT: mortar.yield

// MIXED-LABEL: func.func @layer(
// MIXED: mortar.fused
// MIXED-NEXT: %[[S:.*]] = mortar.residual_add
// MIXED-NEXT: mortar.rms_norm %[[S]]
// MIXED-NEXT: mortar.yield
// MIXED: call @attention
// MIXED: mortar.fused
// MIXED-NEXT: %[[N:.*]] = mortar.rms_norm
// MIXED-NEXT: %[[S:.*]] = mortar.residual_add %[[N]],
// MIXED-NEXT: %[[M:.*]] = mortar.rms_norm %[[S]]
// MIXED-NEXT: mortar.yield %[[S]], %[[M]]
// MIXED: mortar.fused
// MIXED-NEXT: mortar.gelu_and_mul
// MIXED-NEXT: mortar.yield
// MIXED: mortar.fused
// MIXED-NEXT: mortar.rms_norm
// MIXED-NEXT: mortar.yield

// A gap may hold several kernels.
// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap0(
// GAPS-COUNT-2: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap1(%{{[a-z0-9]+}}: tensor<?x32x128xbf16>, %{{[a-z0-9]+}}: tensor<128xf32> {mortar.constant}, %{{[a-z0-9]+}}: tensor<?x16x128xbf16>, %{{[a-z0-9]+}}: tensor<128xf32> {mortar.constant}) -> (tensor<?x32x128xbf16>, tensor<?x16x128xbf16>)
// GAPS-COUNT-2: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap2(
// GAPS-COUNT-3: mortar.fused
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

func.func private @attention(tensor<?x32x128xbf16>, tensor<?x16x128xbf16>, tensor<?x2048xbf16>) -> tensor<?x4096xbf16>

func.func @layer(%hidden: tensor<?x5376xbf16>, %residual: tensor<?x5376xbf16>,
                 %w_input_norm: tensor<5376xf32> {mortar.constant}, %w_post_attention_norm: tensor<5376xf32> {mortar.constant},
                 %w_pre_ffn_norm: tensor<5376xf32> {mortar.constant}, %w_post_ffn_norm: tensor<5376xf32> {mortar.constant},
                 %w_q_norm: tensor<128xf32> {mortar.constant}, %w_k_norm: tensor<128xf32> {mortar.constant},
                 %w_qkv: tensor<5376x8192xbf16>, %w_o: tensor<4096x5376xbf16>,
                 %w_gate_up: tensor<5376x43008xbf16>, %w_down: tensor<21504x5376xbf16>)
    -> (tensor<?x5376xbf16>, tensor<?x5376xbf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  %t = tensor.dim %hidden, %c0 : tensor<?x5376xbf16>

  %stream = mortar.residual_add %hidden, %residual : (tensor<?x5376xbf16>, tensor<?x5376xbf16>) -> tensor<?x5376xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x5376xbf16>, tensor<5376xf32>) -> tensor<?x5376xbf16>
  %qkv_e = tensor.empty(%t) : tensor<?x8192xbf16>
  %qkv_0 = linalg.fill ins(%zero : bf16) outs(%qkv_e : tensor<?x8192xbf16>) -> tensor<?x8192xbf16>
  %qkv = linalg.matmul ins(%normed, %w_qkv : tensor<?x5376xbf16>, tensor<5376x8192xbf16>)
                  outs(%qkv_0 : tensor<?x8192xbf16>) -> tensor<?x8192xbf16>

  %q_part = tensor.extract_slice %qkv[0, 0] [%t, 4096] [1, 1] : tensor<?x8192xbf16> to tensor<?x4096xbf16>
  %q_heads = tensor.expand_shape %q_part [[0], [1, 2]] output_shape [%t, 32, 128]
    : tensor<?x4096xbf16> into tensor<?x32x128xbf16>
  %k_part = tensor.extract_slice %qkv[0, 4096] [%t, 2048] [1, 1] : tensor<?x8192xbf16> to tensor<?x2048xbf16>
  %k_heads = tensor.expand_shape %k_part [[0], [1, 2]] output_shape [%t, 16, 128]
    : tensor<?x2048xbf16> into tensor<?x16x128xbf16>
  %v = tensor.extract_slice %qkv[0, 6144] [%t, 2048] [1, 1] : tensor<?x8192xbf16> to tensor<?x2048xbf16>
  %q_rows = tensor.collapse_shape %q_heads [[0, 1], [2]] : tensor<?x32x128xbf16> into tensor<?x128xbf16>
  %q_normed = mortar.rms_norm %q_rows weight(%w_q_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x128xbf16>, tensor<128xf32>) -> tensor<?x128xbf16>
  %q = tensor.expand_shape %q_normed [[0, 1], [2]] output_shape [%t, 32, 128]
    : tensor<?x128xbf16> into tensor<?x32x128xbf16>
  %k_rows = tensor.collapse_shape %k_heads [[0, 1], [2]] : tensor<?x16x128xbf16> into tensor<?x128xbf16>
  %k_normed = mortar.rms_norm %k_rows weight(%w_k_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x128xbf16>, tensor<128xf32>) -> tensor<?x128xbf16>
  %k = tensor.expand_shape %k_normed [[0, 1], [2]] output_shape [%t, 16, 128]
    : tensor<?x128xbf16> into tensor<?x16x128xbf16>
  %context = call @attention(%q, %k, %v)
    : (tensor<?x32x128xbf16>, tensor<?x16x128xbf16>, tensor<?x2048xbf16>) -> tensor<?x4096xbf16>
  %attended_e = tensor.empty(%t) : tensor<?x5376xbf16>
  %attended_0 = linalg.fill ins(%zero : bf16) outs(%attended_e : tensor<?x5376xbf16>) -> tensor<?x5376xbf16>
  %attended = linalg.matmul ins(%context, %w_o : tensor<?x4096xbf16>, tensor<4096x5376xbf16>)
                  outs(%attended_0 : tensor<?x5376xbf16>) -> tensor<?x5376xbf16>

  %post = mortar.rms_norm %attended weight(%w_post_attention_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x5376xbf16>, tensor<5376xf32>) -> tensor<?x5376xbf16>
  %stream_1 = mortar.residual_add %post, %stream : (tensor<?x5376xbf16>, tensor<?x5376xbf16>) -> tensor<?x5376xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_pre_ffn_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x5376xbf16>, tensor<5376xf32>) -> tensor<?x5376xbf16>
  %gate_up_e = tensor.empty(%t) : tensor<?x43008xbf16>
  %gate_up_0 = linalg.fill ins(%zero : bf16) outs(%gate_up_e : tensor<?x43008xbf16>) -> tensor<?x43008xbf16>
  %gate_up = linalg.matmul ins(%normed_1, %w_gate_up : tensor<?x5376xbf16>, tensor<5376x43008xbf16>)
                  outs(%gate_up_0 : tensor<?x43008xbf16>) -> tensor<?x43008xbf16>
  %gated = mortar.gelu_and_mul %gate_up approximate(tanh) inner(bf16) : (tensor<?x43008xbf16>) -> tensor<?x21504xbf16>
  %down_e = tensor.empty(%t) : tensor<?x5376xbf16>
  %down_0 = linalg.fill ins(%zero : bf16) outs(%down_e : tensor<?x5376xbf16>) -> tensor<?x5376xbf16>
  %down = linalg.matmul ins(%gated, %w_down : tensor<?x21504xbf16>, tensor<21504x5376xbf16>)
                  outs(%down_0 : tensor<?x5376xbf16>) -> tensor<?x5376xbf16>
  %out = mortar.rms_norm %down weight(%w_post_ffn_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x5376xbf16>, tensor<5376xf32>) -> tensor<?x5376xbf16>
  return %out, %stream_1 : tensor<?x5376xbf16>, tensor<?x5376xbf16>
}
