// REQUIRES: mortar-run
// On aligned operands each access of a warp touches no more sectors than its bytes fill,
// by either schedule: three rows of 8192 bytes are 768 sectors.
// RUN: mortar-run %s --device=emulate --rows=3 --summary | FileCheck %s --check-prefixes=CHECK,FEW
// RUN: mortar-run %s --device=emulate --rows=3 --summary --few-rows=0 | FileCheck %s --check-prefixes=CHECK,MANY
// An element further, what a warp wants straddles one sector more.
// RUN: mortar-run %s --device=emulate --rows=3 --summary --offset=1 --entry=gate | FileCheck %s --check-prefix=OFFSET

// CHECK: {{^}}@residual_add_rms_norm_4096_bf16_x8{{$}}
// CHECK-NEXT: access by warps bytes sectors least
// CHECK-NEXT: read parameter 7 48 24576 768 768 'vector.load'
// CHECK-NEXT: read parameter 1 48 24576 768 768 'vector.load'
// CHECK-NEXT: read parameter 4 48 24576 768 768 'vector.load'
// CHECK-NEXT: write parameter 9 48 24576 768 768 'vector.store'
// CHECK-NEXT: write parameter 12 48 24576 768 768 'vector.store'
// FEW: {{^}}@rms_norm_4096_bf16_x8{{$}}
// FEW-NEXT: access by warps bytes sectors least
// MANY: {{^}}@rms_norm_4096_bf16_x8x2{{$}}
// MANY-NEXT: access by warps bytes sectors least
// FEW-NEXT: read parameter 4 48 24576 768 768 'vector.load'
// FEW-NEXT: read parameter 1 48 24576 768 768 'vector.load'
// FEW-NEXT: write parameter 6 48 24576 768 768 'vector.store'
// MANY-NEXT: read parameter 4 24 12288 384 384 'vector.load'
// MANY-NEXT: read parameter 4 24 12288 384 384 'vector.load'
// MANY-NEXT: read parameter 1 24 12288 384 384 'vector.load'
// MANY-NEXT: read parameter 1 24 12288 384 384 'vector.load'
// MANY-NEXT: write parameter 6 24 12288 384 384 'vector.store'
// MANY-NEXT: write parameter 6 24 12288 384 384 'vector.store'
// CHECK: {{^}}@silu_and_mul_4096_bf16_x8{{$}}
// CHECK-NEXT: access by warps bytes sectors least
// CHECK-NEXT: read parameter 1 48 24576 768 768 'vector.load'
// CHECK-NEXT: read parameter 1 48 24576 768 768 'vector.load'
// CHECK-NEXT: write parameter 4 48 24576 768 768 'vector.store'
// OFFSET: {{^}}@silu_and_mul_4096_bf16_x1{{$}}
// OFFSET-NEXT: access by warps bytes sectors least
// OFFSET-NEXT: read parameter 1 384 24576 1152 768 'vector.load'

func.func @layer(%x: tensor<?x4096xbf16>, %r: tensor<?x4096xbf16>,
                 %w: tensor<4096xbf16> {mortar.constant})
    -> (tensor<?x4096xbf16>, tensor<?x4096xbf16>) {
  %s = mortar.residual_add %x, %r
    : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %y, %s : tensor<?x4096xbf16>, tensor<?x4096xbf16>
}

func.func @norm(%x: tensor<?x4096xbf16>, %w: tensor<4096xbf16> {mortar.constant})
    -> tensor<?x4096xbf16> {
  %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %y : tensor<?x4096xbf16>
}

func.func @gate(%x: tensor<?x8192xbf16>) -> tensor<?x4096xbf16> {
  %y = mortar.silu_and_mul %x : (tensor<?x8192xbf16>) -> tensor<?x4096xbf16>
  return %y : tensor<?x4096xbf16>
}
