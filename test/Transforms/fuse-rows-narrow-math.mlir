// RUN: mortar-opt %s --mortar-fuse-rows -verify-diagnostics --remarks-filter-missed='mortar.*' | FileCheck %s

// A bf16 fma rounds once where one through f32 rounds twice: it stays apart.
// CHECK-LABEL: @no_fuse_narrow_fma(
// CHECK: mortar.fused
// CHECK: math.fma {{.*}} : tensor<?x64xbf16>
func.func @no_fuse_narrow_fma(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %0 = mortar.residual_add %x, %x : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  // expected-remark @+1 {{math ops join on f32 only}}
  %1 = math.fma %0, %x, %x : tensor<?x64xbf16>
  return %1 : tensor<?x64xbf16>
}
