// RUN: mortar-opt %s -verify-roundtrip | FileCheck %s

// The program of one token of one head, with what each map shows it. The state's argument
// stands where its destination does, behind those of the inputs.
// CHECK-LABEL: @every_map(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x2x8xbf16>, %[[V:[a-z0-9]+]]: tensor<?x4x5xf16>, %[[Z:[a-z0-9]+]]: tensor<?x4x1xf32>, %[[G:[a-z0-9]+]]: tensor<?x4xf32>, %[[A:[a-z0-9]+]]: tensor<4xf32>, %[[W:[a-z0-9]+]]: tensor<5xf32>, %[[C:[a-z0-9]+]]: tensor<1xf32>, %[[I:[a-z0-9]+]]: tensor<?x3xi32>, %[[B:[a-z0-9]+]]: tensor<?xi32>, %[[N:[a-z0-9]+]]: tensor<?xi32>, %[[P:[a-z0-9]+]]: tensor<?x4x5x8xbf16>)
func.func @every_map(%q: tensor<?x2x8xbf16>, %v: tensor<?x4x5xf16>, %z: tensor<?x4x1xf32>, %g: tensor<?x4xf32>, %a: tensor<4xf32>,
                     %w: tensor<5xf32>, %c: tensor<1xf32>, %slots: tensor<?x3xi32>, %bounds: tensor<?xi32>, %accepted: tensor<?xi32>,
                     %pool: tensor<?x4x5x8xbf16>) -> (tensor<?x4x5xf16>, tensor<?x4x5x8xbf16>, tensor<?x4x1xf32>, tensor<?x4xf32>) {
  // CHECK: mortar.fused recurrence ins(%{{[^ ]*}} = key_row %[[Q]], %[[VV:[^ ]*]] = value_row %[[V]], %[[ZZ:[^ ]*]] = value_scalar %[[Z]], %[[GG:[^ ]*]] = head_scalar %[[G]], %[[AA:[^ ]*]] = head %[[A]], %[[WW:[^ ]*]] = column %[[W]], %[[CC:[^ ]*]] = scalar %[[C]], %{{[^ ]*}} = slots %[[I]], %{{[^ ]*}} = bounds %[[B]], %{{[^ ]*}} = accepted %[[N]] : tensor<?x2x8xbf16>, tensor<?x4x5xf16>, tensor<?x4x1xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<5xf32>, tensor<1xf32>, tensor<?x3xi32>, tensor<?xi32>, tensor<?xi32>)
  // CHECK-SAME: outs(value_row %[[V]], %[[S:[^ ]*]] = state %[[P]], value_scalar %[[Z]], head_scalar %[[G]] : tensor<?x4x5xf16>, tensor<?x4x5x8xbf16>, tensor<?x4x1xf32>, tensor<?x4xf32>) {
  %0:4 = mortar.fused recurrence
      ins(%qq = key_row %q, %vv = value_row %v, %zz = value_scalar %z, %gg = head_scalar %g, %aa = head %a, %ww = column %w,
          %cc = scalar %c, %i = slots %slots, %b = bounds %bounds, %n = accepted %accepted
          : tensor<?x2x8xbf16>, tensor<?x4x5xf16>, tensor<?x4x1xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<5xf32>, tensor<1xf32>,
            tensor<?x3xi32>, tensor<?xi32>, tensor<?xi32>)
      outs(value_row %v, %s = state %pool, value_scalar %z, head_scalar %g
           : tensor<?x4x5xf16>, tensor<?x4x5x8xbf16>, tensor<?x4x1xf32>, tensor<?x4xf32>) {
    // The pool holds bf16; the program sees f32.
    // CHECK-NEXT: mortar.state_reduce %[[S]] : vector<5x8xf32> -> vector<5xf32>
    %r = mortar.state_reduce %s : vector<5x8xf32> -> vector<5xf32>
    // CHECK-NEXT: arith.addf %{{.*}}, %[[WW]] : vector<5xf32>
    %t = arith.addf %r, %ww : vector<5xf32>
    // CHECK-NEXT: arith.mulf %[[ZZ]], %[[CC]] : f32
    %x = arith.mulf %zz, %cc : f32
    // CHECK-NEXT: arith.mulf %[[GG]], %[[AA]] : f32
    %y = arith.mulf %gg, %aa : f32
    // CHECK: mortar.yield %{{.*}} : vector<5xf16>, vector<5x8xf32>, f32, f32
    %o = arith.truncf %t : vector<5xf32> to vector<5xf16>
    mortar.yield %o, %s, %x, %y : vector<5xf16>, vector<5x8xf32>, f32, f32
  } -> (tensor<?x4x5xf16>, tensor<?x4x5x8xbf16>, tensor<?x4x1xf32>, tensor<?x4xf32>)
  return %0#0, %0#1, %0#2, %0#3 : tensor<?x4x5xf16>, tensor<?x4x5x8xbf16>, tensor<?x4x1xf32>, tensor<?x4xf32>
}

// On memrefs of any strides there are no results; two dimensions of tokens; attributes.
// CHECK-LABEL: @memrefs(
func.func @memrefs(%v: memref<2x?x4x5xf32, strided<[?, ?, ?, 1], offset: ?>>, %slots: memref<2xi32>,
                   %pool: memref<9x4x5x8xf32, strided<[?, 40, 8, 1]>>) {
  // CHECK: mortar.fused recurrence ins(%[[V:.*]] = value_row %{{.*}}, %{{.*}} = slots %{{.*}} : memref<2x?x4x5xf32, strided<[?, ?, ?, 1], offset: ?>>, memref<2xi32>) outs(%[[S:.*]] = state %{{.*}} : memref<9x4x5x8xf32, strided<[?, 40, 8, 1]>>) attributes {label = "kept", some.attribute} {
  // CHECK-NEXT: %[[M:.*]] = mortar.state_broadcast <values> %[[V]]
  // CHECK-NEXT: mortar.yield %[[M]]
  // CHECK-NEXT: }{{$}}
  mortar.fused recurrence ins(%a = value_row %v, %i = slots %slots : memref<2x?x4x5xf32, strided<[?, ?, ?, 1], offset: ?>>, memref<2xi32>)
      outs(%s = state %pool : memref<9x4x5x8xf32, strided<[?, 40, 8, 1]>>) attributes {label = "kept", some.attribute} {
    %m = mortar.state_broadcast <values> %a : vector<5xf32> -> vector<5x8xf32>
    mortar.yield %m : vector<5x8xf32>
  }
  return
}

// A generic print is read back, too; names of arguments say what they are.
// CHECK-LABEL: @generic(
// CHECK: mortar.fused recurrence ins(%key = key_row %{{.*}}, %value = value_row %{{.*}}, %slot = slots %{{.*}} : {{.*}}) outs(%state = state %{{.*}} : tensor<?x4x5x8xf32>) {
func.func @generic(%q: tensor<?x2x8xf32>, %v: tensor<?x4x5xf32>, %slots: tensor<?xi32>, %pool: tensor<?x4x5x8xf32>) -> tensor<?x4x5x8xf32> {
  %0 = "mortar.fused"(%q, %v, %slots, %pool) <{domain = #mortar<domain recurrence>, operandSegmentSizes = array<i32: 3, 1>,
      input_maps = [#mortar<map key_row>, #mortar<map value_row>, #mortar<map slots>], init_maps = [#mortar<map state>]}> ({
  ^bb0(%a: vector<8xf32>, %b: vector<5xf32>, %i: i32, %s: vector<5x8xf32>):
    mortar.yield %s : vector<5x8xf32>
  }) : (tensor<?x2x8xf32>, tensor<?x4x5xf32>, tensor<?xi32>, tensor<?x4x5x8xf32>) -> tensor<?x4x5x8xf32>
  return %0 : tensor<?x4x5x8xf32>
}
