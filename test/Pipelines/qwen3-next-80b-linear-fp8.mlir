// The linear-attention layer of qwen3-next-80b-linear.mlir on fp8, with one f32 scale a row. The multiplications on
// fp8 are foreign and hold their weights; the small one for the delta rule's beta and decay stays on bf16 rows. Five
// kernels: add, norm and quantization, twice; the gated norm of each head of 128 with the quantization of the 32
// together; silu with its quantization; the experts' sum.
//
// @by_groups quantizes by groups of 128, a head each. @sigmoid_variant has Kimi's gate. In @gate_in_projection the
// gate is a slice of rows, read where it lies by heads. One kernel each.
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
// COUNT-LABEL: func.func @by_groups(
// COUNT-COUNT-1: mortar.fused
// COUNT-NOT: mortar.fused
// COUNT-LABEL: func.func @sigmoid_variant(
// COUNT-COUNT-1: mortar.fused
// COUNT-NOT: mortar.fused
// COUNT-LABEL: func.func @gate_in_projection(
// COUNT-COUNT-1: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE: %[[A:.*]]:4 = mortar.fused ins(%{{.*}} = row %arg0, %{{.*}} = row %arg1,{{.*}} outs(row %{{.*}}, row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x2048xbf16>, tensor<?x2048xbf16>, tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) weight_offset(1) : (vector<2048xbf16>, vector<2048xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<2048xbf16>) -> (vector<2048xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[S]], %[[N]], %[[Q]], %[[C]]
// FUSE: %[[P:.*]] = call @qkvz_projection(%[[A]]#2, %[[A]]#3)
// FUSE: linalg.matmul ins(%[[A]]#1,
// FUSE: %[[Z:.*]]:2 = call @split_heads(%[[P]])
// FUSE: %[[O:.*]] = call @gated_delta_rule(%[[Z]]#0,
// FUSE-NOT: tensor.collapse_shape
// FUSE: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = heads %[[O]], %{{.*}} = heads %[[Z]]#1, %{{.*}} = column %{{.*}} :{{.*}} outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[W:.*]] = mortar.row_repeat %{{.*}} : vector<128xbf16> -> vector<4096xbf16>
// FUSE-NEXT: %[[N:.*]] = mortar.gated_rms_norm %{{.*}} gate(%{{.*}}) weight(%[[W]]) epsilon(9.99999997E-7) group_size(128) inner(bf16) weighted(bf16) : (vector<4096xbf16>, vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[X:.*]] = call @out_projection(%[[G]]#0, %[[G]]#1)
// FUSE: %[[B:.*]]:4 = mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[A]]#0,{{.*}} outs(row %{{.*}}, row %{{.*}}, row %{{.*}}, row_scalar %{{.*}} : tensor<?x2048xbf16>, tensor<?x2048xbf16>, tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999997E-7) weight_offset(1) : (vector<2048xbf16>, vector<2048xbf16>) -> vector<2048xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<2048xbf16>) -> (vector<2048xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[S]], %[[N]], %[[Q]], %[[C]]
// FUSE: %[[R:.*]] = call @routed_experts(%[[B]]#1, %[[B]]#2, %[[B]]#3)
// FUSE: %[[U:.*]] = call @shared_gate_up_projection(%[[B]]#2, %[[B]]#3)
// FUSE: %[[Y1:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x1024xbf16>) outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x512xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %{{.*}} inner(bf16) : (vector<1024xbf16>) -> vector<512xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[Y]] : (vector<512xbf16>) -> (vector<512xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE: %[[D:.*]] = call @shared_down_projection(%[[Y1]]#0, %[[Y1]]#1)
// FUSE: %[[E:.*]] = call @gate_shared_expert(%[[D]], %[[B]]#1)
// FUSE: %[[OUT:.*]] = mortar.fused ins(%{{.*}} = row %[[R]], %{{.*}} = row %[[E]] :
// FUSE-NEXT: %{{.*}} = mortar.residual_add
// FUSE-NEXT: mortar.yield
// FUSE: return %[[OUT]], %[[B]]#0
// FUSE-LABEL: func.func @by_groups(
// FUSE: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = heads %arg0, %{{.*}} = heads %arg1,{{.*}} outs(row %{{.*}}, group_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x32xf32>)
// FUSE-NEXT: %[[W:.*]] = mortar.row_repeat %{{.*}} : vector<128xbf16> -> vector<4096xbf16>
// FUSE-NEXT: %[[N:.*]] = mortar.gated_rms_norm %{{.*}} gate(%{{.*}}) weight(%[[W]]) epsilon(9.99999997E-7) group_size(128) : (vector<4096xbf16>, vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] group_size(128) : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, vector<32xf32>)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE-LABEL: func.func @sigmoid_variant(
// FUSE: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = heads %arg0, %{{.*}} = heads %arg1,{{.*}} outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[W:.*]] = mortar.row_repeat %{{.*}} : vector<128xbf16> -> vector<4096xbf16>
// FUSE-NEXT: %[[N:.*]] = mortar.gated_rms_norm %{{.*}} gate(%{{.*}}) weight(%[[W]]) epsilon(9.99999997E-7) activation(sigmoid) group_size(128) : (vector<4096xbf16>, vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]
// FUSE-LABEL: func.func @gate_in_projection(
// FUSE: %[[Z:.*]] = tensor.expand_shape
// FUSE: %[[G:.*]]:2 = mortar.fused ins(%{{.*}} = heads %arg0, %{{.*}} = heads %[[Z]],{{.*}} outs(row %{{.*}}, row_scalar %{{.*}} : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
// FUSE-NEXT: %[[W:.*]] = mortar.row_repeat %{{.*}} : vector<128xbf16> -> vector<4096xbf16>
// FUSE-NEXT: %[[N:.*]] = mortar.gated_rms_norm %{{.*}} gate(%{{.*}}) weight(%[[W]]) epsilon(9.99999997E-7) group_size(128) : (vector<4096xbf16>, vector<4096xbf16>, vector<4096xbf16>) -> vector<4096xbf16>
// FUSE-NEXT: %[[Q:.*]], %[[C:.*]] = mortar.quantize_dynamic %[[N]] : (vector<4096xbf16>) -> (vector<4096xf8E4M3FN>, f32)
// FUSE-NEXT: mortar.yield %[[Q]], %[[C]]

// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap0(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap1(%{{.*}}: tensor<?x32x128xbf16> {bufferization.writable = true}, %{{.*}}: tensor<?x32x128xbf16> {bufferization.writable = true}, %{{.*}}: tensor<128xbf16> {mortar.constant}) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
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
// GAPS: func.func @by_groups(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @sigmoid_variant(
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @gate_in_projection(
// GAPS-NOT: mortar.fused
// GAPS: func.func @gate_in_projection_gap0(%{{.*}}: tensor<?x32x128xbf16>, %{{.*}}: tensor<?x32x128xbf16>, %{{.*}}: tensor<128xbf16>
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @qkvz_projection(tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x12288xbf16>
func.func private @split_heads(tensor<?x12288xbf16>) -> (tensor<?x8192xbf16>, tensor<?x32x128xbf16>)
func.func private @gated_delta_rule(tensor<?x8192xbf16>, tensor<?x64xbf16>) -> tensor<?x32x128xbf16>
func.func private @out_projection(tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>
func.func private @routed_experts(tensor<?x2048xbf16>, tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>
func.func private @shared_gate_up_projection(tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x1024xbf16>
func.func private @shared_down_projection(tensor<?x512xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x2048xbf16>
func.func private @gate_shared_expert(tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>

func.func @layer(%hidden: tensor<?x2048xbf16>, %residual: tensor<?x2048xbf16>,
                 %w_input_norm: tensor<2048xbf16> {mortar.constant},
                 %w_post_norm: tensor<2048xbf16> {mortar.constant},
                 %w_delta_norm: tensor<128xbf16> {mortar.constant}, %w_ba: tensor<2048x64xbf16>)
    -> (tensor<?x2048xbf16>, tensor<?x2048xbf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  %t = tensor.dim %hidden, %c0 : tensor<?x2048xbf16>

  %stream = mortar.residual_add %hidden, %residual : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-6) weight_offset(1)
    : (tensor<?x2048xbf16>, tensor<2048xbf16>) -> tensor<?x2048xbf16>
  %normed_q, %normed_q_scales = mortar.quantize_dynamic %normed
    : (tensor<?x2048xbf16>) -> (tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>)
  %qkvz = call @qkvz_projection(%normed_q, %normed_q_scales)
    : (tensor<?x2048xf8E4M3FN>, tensor<?x1xf32>) -> tensor<?x12288xbf16>
  %ba_e = tensor.empty(%t) : tensor<?x64xbf16>
  %ba_0 = linalg.fill ins(%zero : bf16) outs(%ba_e : tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %ba = linalg.matmul ins(%normed, %w_ba : tensor<?x2048xbf16>, tensor<2048x64xbf16>)
                  outs(%ba_0 : tensor<?x64xbf16>) -> tensor<?x64xbf16>

  %qkv, %z = call @split_heads(%qkvz)
    : (tensor<?x12288xbf16>) -> (tensor<?x8192xbf16>, tensor<?x32x128xbf16>)
  %recalled = call @gated_delta_rule(%qkv, %ba)
    : (tensor<?x8192xbf16>, tensor<?x64xbf16>) -> tensor<?x32x128xbf16>
  %gated_heads = mortar.gated_rms_norm %recalled gate(%z) weight(%w_delta_norm) epsilon(1.0e-6)
    activation(silu) inner(bf16) weighted(bf16)
    : (tensor<?x32x128xbf16>, tensor<?x32x128xbf16>, tensor<128xbf16>) -> tensor<?x32x128xbf16>
  %context = tensor.collapse_shape %gated_heads [[0], [1, 2]] : tensor<?x32x128xbf16> into tensor<?x4096xbf16>
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
  %shared = call @gate_shared_expert(%shared_down, %normed_1)
    : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  %out = mortar.residual_add %routed, %shared : (tensor<?x2048xbf16>, tensor<?x2048xbf16>) -> tensor<?x2048xbf16>
  return %out, %stream_1 : tensor<?x2048xbf16>, tensor<?x2048xbf16>
}

func.func @by_groups(%recalled: tensor<?x32x128xbf16>, %z: tensor<?x32x128xbf16>,
                     %w_norm: tensor<128xbf16> {mortar.constant})
    -> (tensor<?x4096xf8E4M3FN>, tensor<?x32xf32>) {
  %gated_heads = mortar.gated_rms_norm %recalled gate(%z) weight(%w_norm) epsilon(1.0e-6)
    activation(silu)
    : (tensor<?x32x128xbf16>, tensor<?x32x128xbf16>, tensor<128xbf16>) -> tensor<?x32x128xbf16>
  %context = tensor.collapse_shape %gated_heads [[0], [1, 2]] : tensor<?x32x128xbf16> into tensor<?x4096xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context group_size(128)
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x32xf32>)
  return %context_q, %context_q_scales : tensor<?x4096xf8E4M3FN>, tensor<?x32xf32>
}

func.func @sigmoid_variant(%recalled: tensor<?x32x128xbf16>, %z: tensor<?x32x128xbf16>,
                           %w_norm: tensor<128xbf16> {mortar.constant})
    -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) {
  %gated_heads = mortar.gated_rms_norm %recalled gate(%z) weight(%w_norm) epsilon(1.0e-6)
    activation(sigmoid)
    : (tensor<?x32x128xbf16>, tensor<?x32x128xbf16>, tensor<128xbf16>) -> tensor<?x32x128xbf16>
  %context = tensor.collapse_shape %gated_heads [[0], [1, 2]] : tensor<?x32x128xbf16> into tensor<?x4096xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  return %context_q, %context_q_scales : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>
}

func.func @gate_in_projection(%recalled: tensor<?x32x128xbf16>, %qkvz: tensor<?x12288xbf16>,
                              %w_norm: tensor<128xbf16> {mortar.constant})
    -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %qkvz, %c0 : tensor<?x12288xbf16>
  %gates = tensor.extract_slice %qkvz[0, 8192] [%t, 4096] [1, 1] : tensor<?x12288xbf16> to tensor<?x4096xbf16>
  %z = tensor.expand_shape %gates [[0], [1, 2]] output_shape [%t, 32, 128]
    : tensor<?x4096xbf16> into tensor<?x32x128xbf16>
  %gated_heads = mortar.gated_rms_norm %recalled gate(%z) weight(%w_norm) epsilon(1.0e-6)
    activation(silu)
    : (tensor<?x32x128xbf16>, tensor<?x32x128xbf16>, tensor<128xbf16>) -> tensor<?x32x128xbf16>
  %context = tensor.collapse_shape %gated_heads [[0], [1, 2]] : tensor<?x32x128xbf16> into tensor<?x4096xbf16>
  %context_q, %context_q_scales = mortar.quantize_dynamic %context
    : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>)
  return %context_q, %context_q_scales : tensor<?x4096xf8E4M3FN>, tensor<?x1xf32>
}
