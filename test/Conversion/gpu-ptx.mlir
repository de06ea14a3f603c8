// RUN: mortar-compile %s --target=sm_90 --emit=ptx --quiet -o - | FileCheck %s
// RUN: mortar-compile %s --target=sm_90 --emit=ptx --quiet -o - \
// RUN:   | FileCheck %s --check-prefix=NEVER
// RUN: mortar-compile %s --target=sm_80 --emit=ptx --quiet -o - \
// RUN:   | FileCheck %s --check-prefix=SM80
// RUN: mortar-compile %s --target=sm_100 --emit=ptx --quiet -o - \
// RUN:   | FileCheck %s --check-prefix=SM100

// Nothing that ptxas may contract, nothing approximate, no flush to zero, no call, and no
// mark of debug code.
// NEVER-NOT: {{(mul|add|sub)\.f32}}
// NEVER-NOT: .approx
// NEVER-NOT: .ftz
// NEVER-NOT: call
// NEVER-NOT: , debug

// SM80: .target sm_80
// SM80-NOT: griddepcontrol
// SM100: .target sm_100
// SM100: griddepcontrol.wait

func.func @add_norm(%x: tensor<?x4096xbf16>, %r: tensor<?x4096xbf16>,
                    %w: tensor<4096xbf16> {mortar.constant})
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  %s = mortar.residual_add %x, %r : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %n, %s : tensor<?x4096xbf16>, tensor<?x4096xbf16>
}

// Dependents may launch at once; only the weight is fetched before the wait, and only it
// bypasses coherence; both rows are loaded before anything is computed.
// CHECK-LABEL: .entry residual_add_rms_norm_4096_bf16_x8{{.*}}(
// CHECK-NOT: {{(ld|st).global}}
// CHECK: griddepcontrol.launch_dependents
// CHECK: ld.global.nc.v4.b32
// CHECK: griddepcontrol.wait
// CHECK-NOT: ld.global.nc
// CHECK: ld.global.v4.b32
// CHECK-NOT: add.rn.f32
// CHECK: ld.global.v4.b32
// The sum (two narrow values an instruction: the same bits) is stored as soon as it is
// known; there is one barrier.
// CHECK: add.rn.bf16x2
// CHECK: st.global.v4.b32
// CHECK: add.rn.f32
// CHECK: bar.sync
// CHECK-NOT: bar.sync
// CHECK: sqrt.rn.f32
// CHECK: st.global.v4.b32
// CHECK: ret;

// Rows that don't start on 16 bytes: the same, an element an access.
// CHECK-LABEL: .entry residual_add_rms_norm_4096_bf16_x1{{.*}}(
// CHECK-NOT: v4
// CHECK: ret;

// No reduction: no barrier, and the whole chip works on one row.
func.func @silu(%x: tensor<?x28672xbf16>) -> tensor<?x14336xbf16> {
  %y = mortar.silu_and_mul %x limit(1.0e+01) : (tensor<?x28672xbf16>) -> tensor<?x14336xbf16>
  return %y : tensor<?x14336xbf16>
}
// CHECK-LABEL: .entry silu_and_mul_14336_bf16_x8{{.*}}(
// CHECK-NOT: bar.sync
// CHECK: ld.global.v4.b32
// CHECK: ld.global.v4.b32
// CHECK: min.NaN.bf16x2
// CHECK: st.global.v4.b32
// CHECK: ret;

// A byte is stored from what an integer instruction made, or else ptxas converts a float.
func.func @int8(%x: tensor<?x33xf32>) -> (tensor<?x33xi8>, tensor<?x1xf32>) {
  %q, %s = mortar.quantize_dynamic %x : (tensor<?x33xf32>) -> (tensor<?x33xi8>, tensor<?x1xf32>)
  return %q, %s : tensor<?x33xi8>, tensor<?x1xf32>
}
// CHECK-LABEL: .entry quantize_dynamic_33_i8_x1(
// CHECK: and.b32 [[BYTE:%r[0-9]+]], %r{{[0-9]+}}, 255;
// CHECK: cvt.s8.s32 [[STORED:%rs[0-9]+]], [[BYTE]];
// CHECK: st.global.b8 [{{.*}}], [[STORED]];

// Lines of this file, for profilers.
// CHECK: .file {{.*}}gpu-ptx.mlir
