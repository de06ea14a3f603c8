// A decoder layer of Llama 3 8B: hidden 4096, feed-forward 14336, 32 query and 8 key heads of 128, bf16
// throughout. The normalized value and silu round to bf16, as in transformers and vLLM. Three kernels: the
// residual add joins the norm that follows it, twice, and silu stands alone between two matmuls.
//
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=COUNT
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=OUTSIDE
// RUN: mortar-opt %s --mortar-fuse-rows | FileCheck %s --check-prefix=FUSE
// RUN: mortar-opt %s --mortar-fuse-rows --mortar-outline-gaps | FileCheck %s --check-prefix=GAPS
// RUN: mortar-run %s --rows=3 --compare=unfused,cpu | FileCheck %s --check-prefix=SAME

// OUTSIDE-NOT: mortar.{{.*}} : (tensor

// COUNT-LABEL: func.func @layer(
// COUNT-COUNT-3: mortar.fused
// COUNT-NOT: mortar.fused

// FUSE-LABEL: func.func @layer(
// FUSE-SAME: %[[HIDDEN:[a-z0-9]+]]: tensor<?x4096xbf16>, %[[RESIDUAL:[a-z0-9]+]]: tensor<?x4096xbf16>, %[[W0:[a-z0-9]+]]: tensor<4096xbf16> {mortar.constant}, %[[W1:[a-z0-9]+]]: tensor<4096xbf16> {mortar.constant},
// FUSE: %[[A:.*]]:2 = mortar.fused ins(%[[X:.*]] = row %[[HIDDEN]], %[[R:.*]] = row %[[RESIDUAL]], %[[W:.*]] = column %[[W0]] :
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add %[[X]], %[[R]]
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%[[W]]) epsilon({{.*}}) inner(bf16)
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: linalg.matmul ins(%[[A]]#1,
// FUSE: call @attention
// FUSE: %[[O:.*]] = linalg.matmul
// FUSE: %[[B:.*]]:2 = mortar.fused ins(%[[X:.*]] = row %[[O]], %[[R:.*]] = row %[[A]]#0, %[[W:.*]] = column %[[W1]] :
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add %[[X]], %[[R]]
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%[[W]]) epsilon({{.*}}) inner(bf16)
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: %[[U:.*]] = linalg.matmul ins(%[[B]]#1,
// FUSE: %[[C:.*]] = mortar.fused ins(%[[X:.*]] = row %[[U]] :
// FUSE-NEXT: %[[Y:.*]] = mortar.silu_and_mul %[[X]] inner(bf16) : (vector<28672xbf16>) -> vector<14336xbf16>
// FUSE-NEXT: mortar.yield %[[Y]]
// FUSE: %[[D:.*]] = linalg.matmul ins(%[[C]],
// FUSE: return %[[D]], %[[B]]#0

// The residual may be updated in place from the second gap on; the caller keeps its own.
// GAPS-LABEL: func.func @layer(
// GAPS-NOT: mortar.fused
// GAPS: %[[A:.*]]:2 = call @layer_gap0(%arg0, %arg1, %arg2)
// GAPS: linalg.matmul ins(%[[A]]#1,
// GAPS: %[[O:.*]] = linalg.matmul
// GAPS: %[[B:.*]]:2 = call @layer_gap1(%[[O]], %[[A]]#0, %arg3)
// GAPS: %[[U:.*]] = linalg.matmul ins(%[[B]]#1,
// GAPS: %[[C:.*]] = call @layer_gap2(%[[U]])
// GAPS: %[[D:.*]] = linalg.matmul ins(%[[C]],
// GAPS: return %[[D]], %[[B]]#0
// GAPS: func.func @layer_gap0(%{{.*}}: tensor<?x4096xbf16>, %{{.*}}: tensor<?x4096xbf16>, %{{.*}}: tensor<4096xbf16> {mortar.constant}) -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>)
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap1(%{{.*}}: tensor<?x4096xbf16> {bufferization.writable = true}, %{{.*}}: tensor<?x4096xbf16> {bufferization.writable = true}, %{{.*}}: tensor<4096xbf16> {mortar.constant}) -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>)
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS: func.func @layer_gap2(%{{.*}}: tensor<?x28672xbf16> {bufferization.writable = true}) -> tensor<?x14336xbf16>
// GAPS-COUNT-1: mortar.fused
// GAPS-NOT: mortar.fused
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @attention(tensor<?x6144xbf16>) -> tensor<?x4096xbf16>

func.func @layer(%hidden: tensor<?x4096xbf16>, %residual: tensor<?x4096xbf16>,
                 %w_input_norm: tensor<4096xbf16> {mortar.constant}, %w_post_norm: tensor<4096xbf16> {mortar.constant},
                 %w_qkv: tensor<4096x6144xbf16>, %w_o: tensor<4096x4096xbf16>,
                 %w_gate_up: tensor<4096x28672xbf16>, %w_down: tensor<14336x4096xbf16>)
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : bf16
  %t = tensor.dim %hidden, %c0 : tensor<?x4096xbf16>

  // The layer before left its output and the residual apart.
  %stream = mortar.residual_add %hidden, %residual : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-5) inner(bf16)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  %qkv_e = tensor.empty(%t) : tensor<?x6144xbf16>
  %qkv_0 = linalg.fill ins(%zero : bf16) outs(%qkv_e : tensor<?x6144xbf16>) -> tensor<?x6144xbf16>
  %qkv = linalg.matmul ins(%normed, %w_qkv : tensor<?x4096xbf16>, tensor<4096x6144xbf16>)
                  outs(%qkv_0 : tensor<?x6144xbf16>) -> tensor<?x6144xbf16>
  %context = call @attention(%qkv) : (tensor<?x6144xbf16>) -> tensor<?x4096xbf16>
  %attended_e = tensor.empty(%t) : tensor<?x4096xbf16>
  %attended_0 = linalg.fill ins(%zero : bf16) outs(%attended_e : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %attended = linalg.matmul ins(%context, %w_o : tensor<?x4096xbf16>, tensor<4096x4096xbf16>)
                  outs(%attended_0 : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-5) inner(bf16)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  %gate_up_e = tensor.empty(%t) : tensor<?x28672xbf16>
  %gate_up_0 = linalg.fill ins(%zero : bf16) outs(%gate_up_e : tensor<?x28672xbf16>) -> tensor<?x28672xbf16>
  %gate_up = linalg.matmul ins(%normed_1, %w_gate_up : tensor<?x4096xbf16>, tensor<4096x28672xbf16>)
                  outs(%gate_up_0 : tensor<?x28672xbf16>) -> tensor<?x28672xbf16>
  %gated = mortar.silu_and_mul %gate_up inner(bf16) : (tensor<?x28672xbf16>) -> tensor<?x14336xbf16>
  %down_e = tensor.empty(%t) : tensor<?x4096xbf16>
  %down_0 = linalg.fill ins(%zero : bf16) outs(%down_e : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %down = linalg.matmul ins(%gated, %w_down : tensor<?x14336xbf16>, tensor<14336x4096xbf16>)
                  outs(%down_0 : tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  return %down, %stream_1 : tensor<?x4096xbf16>, tensor<?x4096xbf16>
}
