// A decode step of the gated delta rule in a dense model of Qwen's 27B class: 16 key and 48 value heads of 128, three
// value heads a key head; states of f16. One kernel.
//
// RUN: mortar-opt %s --mortar-fuse | FileCheck %s --check-prefix=COUNT --implicit-check-not='mortar.{{.*}} : (tensor'
// RUN: mortar-opt %s --mortar-fuse | FileCheck %s --check-prefix=FUSE
// RUN: mortar-compile %s --target=sm_90 --emit=ptx --quiet -o - | FileCheck %s --check-prefix=PTX
// Slots that tokens have: 2, none (padding), 1.
// RUN: printf "\223NUMPY\001\000\070\000{'descr': '<i4', 'fortran_order': False, 'shape': (3,)}\n\002\000\000\000\000\000\000\000\001\000\000\000" > %t.npy
// RUN: mortar-run %s --entry=decode_gap0 --rows=3 --input=7:%t.npy --compare=unfused,interpret,cpu,aligned --pad=8 --offset=8 | FileCheck %s --check-prefix=SAME
// And any numbers, on a layout that fits no wide access.
// RUN: mortar-run %s --entry=decode_gap0 --rows=3 --compare=unfused,cpu,aligned --pad=3 --offset=1 | FileCheck %s --check-prefix=SAME

// COUNT: mortar.fused
// COUNT-NOT: mortar.fused

// Views of the projections go in as they are.
// FUSE-LABEL: func.func @decode(
// FUSE-NOT: linalg.
// FUSE: %[[QS:.*]] = tensor.extract_slice %{{.*}}[0, 0] [%{{.*}}, 2048] [1, 1]
// FUSE: %[[Q:.*]] = tensor.expand_shape %[[QS]] {{.*}} into tensor<?x16x128xbf16>
// FUSE: %[[R:.*]]:2 = call @decode_gap0(
// FUSE: call @out_projection(%[[R]]#{{[01]}})
// FUSE-LABEL: func.func @decode_gap0(
// FUSE: mortar.fused recurrence ins(%{{.*}} = head_scalar %{{.*}}, %{{.*}} = head %{{.*}}, %{{.*}} = head %{{.*}}, %{{.*}} = head_scalar %{{.*}}, %{{.*}} = key_row %{{.*}}, %{{.*}} = key_row %{{.*}}, %{{.*}} = value_row %{{.*}}, %{{.*}} = slots %{{.*}}, %{{.*}} = value_row %{{.*}}, %{{.*}} = column %{{[a-z0-9]+}}
// FUSE-SAME: outs(%{{.*}} = state %{{.*}}, value_row %{{.*}} : tensor<?x48x128x128xf16>, tensor<?x48x128xbf16>)
// FUSE-NEXT: %[[G:.*]], %[[B:.*]] = mortar.gdn_gating {{.*}} : (bf16, bf16, f32, bf16) -> (f32, f32)
// FUSE-NEXT: %[[QN:.*]] = mortar.l2_norm {{.*}} : (vector<128xbf16>) -> vector<128xf32>
// FUSE-NEXT: %[[KN:.*]] = mortar.l2_norm {{.*}} : (vector<128xbf16>) -> vector<128xf32>
// FUSE-NEXT: %[[O:.*]], %[[S:.*]] = mortar.gated_delta_rule query(%[[QN]]) key(%[[KN]]) value(%{{.*}}) decay(%[[G]]) beta(%[[B]])
// FUSE-NEXT: %[[N:.*]] = mortar.gated_rms_norm %[[O]] gate(%{{.*}}) weight(%{{.*}}) epsilon(9.99999997E-7)
// FUSE-NEXT: mortar.yield %[[S]], %[[N]]

// Variants of it for few and for many sequences, with whole accesses of 16 bytes, and for what isn't aligned; the norm's
// sum is the only barrier.
// PTX: .visible .entry {{.*}}_128x128_f16_x8x{{[0-9]+}}(
// PTX: @%p{{[0-9]+}} ld.global.v4.b32
// PTX: bar.sync
// PTX-NOT: bar.sync
// PTX: st.global.v4
// PTX: ret;
// PTX: .visible .entry {{.*}}_128x128_f16_x8x{{[0-9]+}}(
// PTX: .visible .entry {{.*}}_128x128_f16_x1x{{[0-9]+}}(
// PTX-NOT: .visible .entry

// SAME-NOT: {{ [1-9][0-9]* differ}}
// SAME: 0 differ
// SAME-NOT: {{ [1-9][0-9]* differ}}

func.func private @out_projection(tensor<?x48x128xbf16>) -> tensor<?x5120xbf16>

func.func @decode(%qkvz: tensor<?x16384xbf16>, %ba: tensor<?x96xbf16>,
                  %w_a_log: tensor<48xf32> {mortar.constant}, %w_dt_bias: tensor<48xbf16> {mortar.constant},
                  %w_norm: tensor<128xbf16> {mortar.constant},
                  %pool: tensor<?x48x128x128xf16>, %slots: tensor<?xi32>)
    -> (tensor<?x5120xbf16>, tensor<?x48x128x128xf16>) {
  %c0 = arith.constant 0 : index
  %t = tensor.dim %qkvz, %c0 : tensor<?x16384xbf16>
  %q_rows = tensor.extract_slice %qkvz[0, 0] [%t, 2048] [1, 1] : tensor<?x16384xbf16> to tensor<?x2048xbf16>
  %q_heads = tensor.expand_shape %q_rows [[0], [1, 2]] output_shape [%t, 16, 128] : tensor<?x2048xbf16> into tensor<?x16x128xbf16>
  %k_rows = tensor.extract_slice %qkvz[0, 2048] [%t, 2048] [1, 1] : tensor<?x16384xbf16> to tensor<?x2048xbf16>
  %k_heads = tensor.expand_shape %k_rows [[0], [1, 2]] output_shape [%t, 16, 128] : tensor<?x2048xbf16> into tensor<?x16x128xbf16>
  %v_rows = tensor.extract_slice %qkvz[0, 4096] [%t, 6144] [1, 1] : tensor<?x16384xbf16> to tensor<?x6144xbf16>
  %v = tensor.expand_shape %v_rows [[0], [1, 2]] output_shape [%t, 48, 128] : tensor<?x6144xbf16> into tensor<?x48x128xbf16>
  %z_rows = tensor.extract_slice %qkvz[0, 10240] [%t, 6144] [1, 1] : tensor<?x16384xbf16> to tensor<?x6144xbf16>
  %z = tensor.expand_shape %z_rows [[0], [1, 2]] output_shape [%t, 48, 128] : tensor<?x6144xbf16> into tensor<?x48x128xbf16>
  %b = tensor.extract_slice %ba[0, 0] [%t, 48] [1, 1] : tensor<?x96xbf16> to tensor<?x48xbf16>
  %a = tensor.extract_slice %ba[0, 48] [%t, 48] [1, 1] : tensor<?x96xbf16> to tensor<?x48xbf16>

  %g, %beta = mortar.gdn_gating %a dt_bias(%w_dt_bias) a_log(%w_a_log) beta(%b)
    : (tensor<?x48xbf16>, tensor<48xbf16>, tensor<48xf32>, tensor<?x48xbf16>) -> (tensor<?x48xf32>, tensor<?x48xf32>)
  %q = mortar.l2_norm %q_heads epsilon(1.0e-6) : (tensor<?x16x128xbf16>) -> tensor<?x16x128xf32>
  %k = mortar.l2_norm %k_heads epsilon(1.0e-6) : (tensor<?x16x128xbf16>) -> tensor<?x16x128xf32>
  %recalled, %new_pool = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%beta) state(%pool) slots(%slots)
    : (tensor<?x16x128xf32>, tensor<?x16x128xf32>, tensor<?x48x128xbf16>, tensor<?x48xf32>, tensor<?x48xf32>,
       tensor<?x48x128x128xf16>, tensor<?xi32>) -> (tensor<?x48x128xbf16>, tensor<?x48x128x128xf16>)
  %gated = mortar.gated_rms_norm %recalled gate(%z) weight(%w_norm) epsilon(1.0e-6) activation(silu)
    : (tensor<?x48x128xbf16>, tensor<?x48x128xbf16>, tensor<128xbf16>) -> tensor<?x48x128xbf16>
  %out = call @out_projection(%gated) : (tensor<?x48x128xbf16>) -> tensor<?x5120xbf16>
  return %out, %new_pool : tensor<?x5120xbf16>, tensor<?x48x128x128xf16>
}
