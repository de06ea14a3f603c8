// A state's loads wait for nothing but the slot's number, and nothing waits for them before it
// must: a token's inputs are loaded first, each chunk of the state by one predicated access
// without a branch, and widened behind the last of them.
//
// REQUIRES: mortar-compile
// RUN: mortar-compile %s --target=sm_90 --emit=ptx --quiet -o - | FileCheck %s

// CHECK-LABEL: .visible .entry gated_delta_rule_128x128_bf16_x8x4(
// CHECK: griddepcontrol.wait
// CHECK: ld.global.s32
// CHECK-NOT: bra
// CHECK-COUNT-2: {{^[[:space:]]}}ld.global.v4.b32
// CHECK-NOT: bra
// CHECK-NOT: cvt.f32.bf16
// CHECK: mov.b32 [[A:%r[0-9]+]], 0; mov.b32 [[B:%r[0-9]+]], 0; mov.b32 [[C:%r[0-9]+]], 0; mov.b32 [[D:%r[0-9]+]], 0; @%p{{[0-9]+}} ld.global.v4.b32 {[[A]], [[B]], [[C]], [[D]]}, [%rd{{[0-9]+}}];
// CHECK-NOT: cvt.f32.bf16
// CHECK-COUNT-3: @%p{{[0-9]+}} ld.global.v4.b32
// CHECK-NOT: ld.global
// CHECK-COUNT-32: cvt.f32.bf16
// CHECK: ret;
func.func @f(%q: tensor<?x2x128xbf16>, %k: tensor<?x2x128xbf16>, %v: tensor<?x4x128xbf16>, %g: tensor<?x4xf32>,
             %pool: tensor<?x4x128x128xbf16>, %slots: tensor<?xi32>) -> (tensor<?x4x128xbf16>, tensor<?x4x128x128xbf16>) {
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x128xbf16>, tensor<?x2x128xbf16>, tensor<?x4x128xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x128x128xbf16>, tensor<?xi32>)
    -> (tensor<?x4x128xbf16>, tensor<?x4x128x128xbf16>)
  return %o, %new : tensor<?x4x128xbf16>, tensor<?x4x128x128xbf16>
}

// Narrower accesses, as keys and alignment allow: two words, one, and half a word.
// CHECK-LABEL: .visible .entry gated_delta_rule_4x36_bf16_x4x{{[0-9]+}}(
// CHECK: mov.b32 [[A:%r[0-9]+]], 0; mov.b32 [[B:%r[0-9]+]], 0; @%p{{[0-9]+}} ld.global.v2.b32 {[[A]], [[B]]}, [%rd{{[0-9]+}}];
// CHECK-LABEL: .visible .entry gated_delta_rule_4x36_bf16_x1x{{[0-9]+}}(
// CHECK: mov.b16 [[A:%rs[0-9]+]], 0; @%p{{[0-9]+}} ld.global.b16 {[[A]]}, [%rd{{[0-9]+}}];
// CHECK-LABEL: .visible .entry gated_delta_rule_4x10_f16_x2x{{[0-9]+}}(
// CHECK: mov.b32 [[A:%r[0-9]+]], 0; @%p{{[0-9]+}} ld.global.b32 {[[A]]}, [%rd{{[0-9]+}}];
func.func @keys_36(%q: tensor<?x2x36xf32>, %v: tensor<?x4x4xf32>, %g: tensor<?x4xf32>, %pool: tensor<?x4x4x36xbf16>, %slots: tensor<?xi32>)
    -> (tensor<?x4x4xf32>, tensor<?x4x4x36xbf16>) {
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x36xf32>, tensor<?x2x36xf32>, tensor<?x4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x4x36xbf16>, tensor<?xi32>)
    -> (tensor<?x4x4xf32>, tensor<?x4x4x36xbf16>)
  return %o, %new : tensor<?x4x4xf32>, tensor<?x4x4x36xbf16>
}
func.func @keys_10(%q: tensor<?x2x10xf32>, %v: tensor<?x4x4xf32>, %g: tensor<?x4xf32>, %pool: tensor<?x4x4x10xf16>, %slots: tensor<?xi32>)
    -> (tensor<?x4x4xf32>, tensor<?x4x4x10xf16>) {
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x10xf32>, tensor<?x2x10xf32>, tensor<?x4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x4x10xf16>, tensor<?xi32>)
    -> (tensor<?x4x4xf32>, tensor<?x4x4x10xf16>)
  return %o, %new : tensor<?x4x4xf32>, tensor<?x4x4x10xf16>
}
