// A decoder layer of gpt-oss 20B: hidden 2880, 64 query and 8 key heads of 64, 32 experts of 2880 of which 4 are
// taken, with gates and values in pairs (alpha 1.702, limit 7). The norm's weight multiplies in f32, and swigluoai
// rounds once, as in vLLM's kernel. Projections are foreign, since each has a bias, and so are attention (with its
// sinks), the router and the experts' multiplications.
//
// Three kernels: the residual add with the norm that follows it, twice, and swigluoai on the rows of the chosen
// experts.
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
// FUSE: %[[A:.*]]:2 = mortar.fused ins(%{{.*}} = row %arg0, %{{.*}} = row %arg1,
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999974E-6) : (vector<2880xbf16>, vector<2880xbf16>) -> vector<2880xbf16>
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: %[[QKV:.*]] = call @qkv_projection(%[[A]]#1)
// FUSE: %[[CONTEXT:.*]] = call @attention(%[[QKV]])
// FUSE: %[[X:.*]] = call @out_projection(%[[CONTEXT]])
// FUSE: %[[B:.*]]:2 = mortar.fused ins(%{{.*}} = row %[[X]], %{{.*}} = row %[[A]]#0,
// FUSE-NEXT: %[[S:.*]] = mortar.residual_add
// FUSE-NEXT: %[[N:.*]] = mortar.rms_norm %[[S]] weight(%{{.*}}) epsilon(9.99999974E-6) : (vector<2880xbf16>, vector<2880xbf16>) -> vector<2880xbf16>
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]
// FUSE: %[[R:.*]]:2 = call @router(%[[B]]#1)
// FUSE: %[[U:.*]] = call @experts_gate_up(%[[B]]#1, %[[R]]#0)
// FUSE: %[[G:.*]] = mortar.fused ins(%{{.*}} = row %[[U]] : tensor<?x5760xbf16>) outs(row %{{.*}} : tensor<?x2880xbf16>)
// FUSE-NEXT: %[[Y:.*]] = mortar.swigluoai_and_mul %{{.*}} : (vector<5760xbf16>) -> vector<2880xbf16>
// FUSE-NEXT: mortar.yield %[[Y]]
// FUSE: %[[D:.*]] = call @experts_down(%[[G]], %[[R]]#0, %[[R]]#1)
// FUSE: return %[[D]], %[[B]]#0

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
// GAPS-NOT: func.func

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @qkv_projection(tensor<?x2880xbf16>) -> tensor<?x5120xbf16>
func.func private @attention(tensor<?x5120xbf16>) -> tensor<?x4096xbf16>
func.func private @out_projection(tensor<?x4096xbf16>) -> tensor<?x2880xbf16>
func.func private @router(tensor<?x2880xbf16>) -> (tensor<?x4xi32>, tensor<?x4xf32>)
func.func private @experts_gate_up(tensor<?x2880xbf16>, tensor<?x4xi32>) -> tensor<?x5760xbf16>
func.func private @experts_down(tensor<?x2880xbf16>, tensor<?x4xi32>, tensor<?x4xf32>) -> tensor<?x2880xbf16>

func.func @layer(%hidden: tensor<?x2880xbf16>, %residual: tensor<?x2880xbf16>,
                 %w_input_norm: tensor<2880xbf16> {mortar.constant},
                 %w_post_norm: tensor<2880xbf16> {mortar.constant})
    -> (tensor<?x2880xbf16>, tensor<?x2880xbf16>) {
  %stream = mortar.residual_add %hidden, %residual : (tensor<?x2880xbf16>, tensor<?x2880xbf16>) -> tensor<?x2880xbf16>
  %normed = mortar.rms_norm %stream weight(%w_input_norm) epsilon(1.0e-5)
    : (tensor<?x2880xbf16>, tensor<2880xbf16>) -> tensor<?x2880xbf16>
  %qkv = call @qkv_projection(%normed)
    : (tensor<?x2880xbf16>) -> tensor<?x5120xbf16>
  %context = call @attention(%qkv)
    : (tensor<?x5120xbf16>) -> tensor<?x4096xbf16>
  %attended = call @out_projection(%context)
    : (tensor<?x4096xbf16>) -> tensor<?x2880xbf16>

  %stream_1 = mortar.residual_add %attended, %stream : (tensor<?x2880xbf16>, tensor<?x2880xbf16>) -> tensor<?x2880xbf16>
  %normed_1 = mortar.rms_norm %stream_1 weight(%w_post_norm) epsilon(1.0e-5)
    : (tensor<?x2880xbf16>, tensor<2880xbf16>) -> tensor<?x2880xbf16>
  // The router's choice and weights; then a row for each of a token's four experts.
  %experts, %weights = call @router(%normed_1)
    : (tensor<?x2880xbf16>) -> (tensor<?x4xi32>, tensor<?x4xf32>)
  %gate_up = call @experts_gate_up(%normed_1, %experts)
    : (tensor<?x2880xbf16>, tensor<?x4xi32>) -> tensor<?x5760xbf16>
  %gated = mortar.swigluoai_and_mul %gate_up alpha(1.702) limit(7.0) : (tensor<?x5760xbf16>) -> tensor<?x2880xbf16>
  %out = call @experts_down(%gated, %experts, %weights)
    : (tensor<?x2880xbf16>, tensor<?x4xi32>, tensor<?x4xf32>) -> tensor<?x2880xbf16>
  return %out, %stream_1 : tensor<?x2880xbf16>, tensor<?x2880xbf16>
}
