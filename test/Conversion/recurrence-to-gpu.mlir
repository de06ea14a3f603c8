// RUN: mortar-opt %s --mortar-fuse --mortar-to-gpu -split-input-file | FileCheck %s
// RUN: mortar-opt %s --mortar-fuse --mortar-to-gpu=chip=sm_80 -split-input-file | FileCheck %s --check-prefix=SM80 --implicit-check-not=griddepcontrol

// A decode step is one launch, of one of three variants; the host checks tokens, sequences and
// that nothing overlaps what is written.
// CHECK-LABEL: func.func @decode(
// CHECK-SAME: memref<?x4x64x128xf32, strided<[?, ?, ?, 1], offset: ?>> {mortar.result = 1 : i64}
// CHECK-SAME: memref<?x4x64xbf16, strided<[?, ?, 1], offset: ?>> {mortar.output, mortar.result = 0 : i64})
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: cf.assert {{.*}} "expected argument 1 to have as many tokens as the others, but its number differs"
// CHECK: cf.assert {{.*}} "expected argument 11 to have as many tokens as the others, but its number differs"
// CHECK: cf.assert {{.*}} "expected the tokens to have as many sequences as there are rows of slots, but its number differs"
// CHECK: cf.assert {{.*}} "expected argument 9 to share no memory with argument 0, but they overlap"
// CHECK: cf.assert {{.*}} "expected argument 9 to share no memory with argument 10, but they overlap"
// CHECK: cf.assert {{.*}} "expected argument 11 to share no memory with argument 9, but they overlap"
// Nothing is launched for no tokens.
// CHECK: scf.if
// CHECK: %[[LOW:.*]] = arith.andi %{{.*}}, %c15
// CHECK: %[[ALIGNED:.*]] = arith.cmpi eq, %[[LOW]], %c0
// CHECK-NEXT: scf.if %[[ALIGNED]] {
// Four sequences' states, of half a head each, are few.
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %{{.*}}, %c256
// CHECK-NEXT: scf.if %[[FEW]] {
// CHECK: gpu.launch_func @mortar_kernels::@[[FAST:.*_64x128_f32_x4x4]] blocks
// CHECK: } else {
// CHECK: gpu.launch_func @mortar_kernels::@{{.*}}_64x128_f32_x4x16 blocks
// CHECK: } else {
// CHECK: gpu.launch_func @mortar_kernels::@[[SLOW:.*_64x128_f32_x1x16]] blocks
// CHECK-NOT: gpu.launch_func
// CHECK: gpu.func @[[FAST]](
// CHECK-SAME: kernel
// CHECK-NOT: mortar.on_demand
// What no kernel changes is loaded before the wait.
// CHECK: nvvm.griddepcontrol launch_dependents
// CHECK: memref.load {{.*}} : memref<4xf32
// CHECK: nvvm.griddepcontrol wait
// The slot is checked on the device before anything is read there.
// CHECK: %[[I:.*]] = memref.load {{.*}} : memref<?xi32
// CHECK-NEXT: %[[SLOT:.*]] = arith.index_cast %[[I]] : i32 to index
// CHECK-NEXT: %[[POSITIVE:.*]] = arith.cmpi sgt, %[[SLOT]], %c0
// CHECK-NEXT: %[[INSIDE:.*]] = arith.cmpi slt, %[[SLOT]], %{{.*}} : index
// CHECK-NEXT: %[[VALID:.*]] = arith.andi %[[POSITIVE]], %[[INSIDE]] : i1
// One token takes no loop. Its inputs are asked for while the slot's number is on its way:
// q and k in half the bytes, still by one access a thread.
// CHECK-NOT: scf.for
// CHECK-COUNT-2: vector.load {{.*}} {alignment = 8 : i64} : memref<?x2x128xbf16, {{.*}}>, vector<4xbf16>
// CHECK-NOT: scf.for
// CHECK: %[[MASK:.*]] = vector.broadcast %[[VALID]] : i1 to vector<4xi1>
// CHECK: vector.maskedload %{{.*}}[%[[SLOT]], {{.*}}, %[[MASK]], %cst{{.*}} {alignment = 16 : i64} : memref<?x4x64x128xf32, {{.*}}>, vector<4xi1>, vector<4xf32> into vector<4xf32>
// CHECK-NOT: scf.for
// Padding gives +0.0.
// CHECK: arith.select %{{.*}}, %cst{{.*}}, %{{.*}} : f32
// The norm reduces over warps: once through shared memory.
// CHECK: memref.store {{.*}} : memref<64xf32, #gpu.address_space<workgroup>>
// CHECK: gpu.barrier
// CHECK-NOT: gpu.barrier
// CHECK: memref.store {{.*}} : memref<?x4x64xbf16
// CHECK: scf.if %{{.*}} {
// CHECK-NEXT: vector.store {{.*}}[%[[SLOT]], {{.*}} {alignment = 16 : i64} : memref<?x4x64x128xf32, {{.*}}>, vector<4xf32>
// CHECK: gpu.return
// CHECK: gpu.func @[[SLOW]](
// CHECK-SAME: mortar.on_demand
// CHECK: vector.maskedload {{.*}} : memref<?x4x64x128xf32, {{.*}}>, vector<1xi1>, vector<1xf32> into vector<1xf32>
// CHECK: gpu.return
// SM80-LABEL: func.func @decode(
// SM80: gpu.func
// SM80: vector.load
func.func @decode(%q0: tensor<?x2x128xbf16>, %k0: tensor<?x2x128xbf16>, %v: tensor<?x4x64xbf16>, %a: tensor<?x4xbf16>, %b: tensor<?x4xbf16>,
                  %log: tensor<4xf32> {mortar.constant}, %dt: tensor<4xbf16> {mortar.constant}, %z: tensor<?x4x64xbf16>, %w: tensor<64xbf16> {mortar.constant},
                  %pool: tensor<?x4x64x128xf32>, %slots: tensor<?xi32>) -> (tensor<?x4x64xbf16>, tensor<?x4x64x128xf32>) {
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : (tensor<?x4xbf16>, tensor<4xbf16>, tensor<4xf32>, tensor<?x4xbf16>) -> (tensor<?x4xf32>, tensor<?x4xf32>)
  %q = mortar.l2_norm %q0 epsilon(1.0e-6) : (tensor<?x2x128xbf16>) -> tensor<?x2x128xf32>
  %k = mortar.l2_norm %k0 epsilon(1.0e-6) : (tensor<?x2x128xbf16>) -> tensor<?x2x128xf32>
  %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%beta) state(%pool) slots(%slots)
    : (tensor<?x2x128xf32>, tensor<?x2x128xf32>, tensor<?x4x64xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x64x128xf32>, tensor<?xi32>)
    -> (tensor<?x4x64xbf16>, tensor<?x4x64x128xf32>)
  %y = mortar.gated_rms_norm %o gate(%z) weight(%w) epsilon(1.0e-6)
    : (tensor<?x4x64xbf16>, tensor<?x4x64xbf16>, tensor<64xbf16>) -> tensor<?x4x64xbf16>
  return %y, %new : tensor<?x4x64xbf16>, tensor<?x4x64x128xf32>
}

// -----

// A pool of bf16: 8 elements an access, widened once and rounded once. The rule alone needs no
// other warp: no barrier and no shared memory, though keys are normed.
// CHECK-LABEL: func.func @half_the_bytes(
// CHECK: gpu.func @{{.*}}_64x128_bf16_x8x{{[0-9]+}}(
// CHECK-NOT: workgroup
// CHECK-NOT: gpu.barrier
// CHECK: vector.load {{.*}} {alignment = 16 : i64} : memref<?x2x128xf32, {{.*}}>, vector<8xf32>
// CHECK-NOT: gpu.barrier
// CHECK: %[[S:.*]] = vector.maskedload {{.*}} {alignment = 16 : i64} : memref<?x4x64x128xbf16, {{.*}}>, vector<8xi1>, vector<8xbf16> into vector<8xbf16>
// CHECK: arith.extf %[[S]] : vector<8xbf16> to vector<8xf32>
// CHECK-NOT: gpu.barrier
// CHECK: %[[N:.*]] = arith.truncf %{{.*}} : vector<8xf32> to vector<8xbf16>
// CHECK-NEXT: vector.store %[[N]], {{.*}} {alignment = 16 : i64} : memref<?x4x64x128xbf16, {{.*}}>, vector<8xbf16>
// CHECK-NOT: gpu.barrier
// CHECK: gpu.return
// SM80-LABEL: func.func @half_the_bytes(
func.func @half_the_bytes(%q0: tensor<?x2x128xf32>, %v: tensor<?x4x64xbf16>, %g: tensor<?x4xf32>, %pool: tensor<?x4x64x128xbf16>, %slots: tensor<?xi32>)
    -> (tensor<?x4x64xbf16>, tensor<?x4x64x128xbf16>) {
  %q = mortar.l2_norm %q0 epsilon(1.0e-6) : (tensor<?x2x128xf32>) -> tensor<?x2x128xf32>
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x128xf32>, tensor<?x2x128xf32>, tensor<?x4x64xbf16>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x64x128xbf16>, tensor<?xi32>)
    -> (tensor<?x4x64xbf16>, tensor<?x4x64x128xbf16>)
  return %o, %new : tensor<?x4x64xbf16>, tensor<?x4x64x128xbf16>
}

// -----

// Several tokens: a loop that hands the state on in registers. Counts and slots are checked on
// the device; a state is stored where the next token has another slot.
// CHECK-LABEL: func.func @speculative(
// CHECK: cf.assert {{.*}} "expected argument 5 to have as many sequences as there are rows of slots, but its number differs"
// CHECK: cf.assert {{.*}} "expected argument 6 to have as many sequences as there are rows of slots, but its number differs"
// CHECK: gpu.func @{{.*}}_8x16_f32_x4x{{[0-9]+}}(
// Bounds are clamped to the tokens there are.
// CHECK: %[[B:.*]] = memref.load {{.*}} : memref<?xi32
// CHECK-NEXT: %[[BI:.*]] = arith.index_cast %[[B]] : i32 to index
// CHECK-NEXT: %[[LOW:.*]] = arith.maxsi %[[BI]], %c0
// CHECK-NEXT: arith.minsi %[[LOW]], %{{.*}} : index
// CHECK: %[[COLUMN:.*]] = arith.subi %{{.*}}, %c1
// CHECK-NEXT: arith.cmpi sge, %[[COLUMN]], %c0
// CHECK-NEXT: arith.cmpi slt, %[[COLUMN]], %c3
// The first token's inputs are loaded before the loop, and each next one's at its beginning.
// CHECK: %[[FIRST:.*]]:3 = scf.if %{{.*}} -> (vector<4xf32>, {{.*}})
// CHECK: vector.load {{.*}} : memref<?x2x16xf32
// CHECK: %[[STATE:.*]] = vector.maskedload {{.*}} : memref<?x4x8x16xf32, {{.*}}>, vector<4xi1>, vector<4xf32> into vector<4xf32>
// CHECK: scf.for {{.*}} iter_args({{.*}} = %[[FIRST]]#0, {{.*}} = %[[STATE]])
// CHECK: %[[NEXT:.*]] = vector.load {{.*}} : memref<?x2x16xf32
// CHECK: memref.load {{.*}} : memref<?x3xi32
// CHECK: vector.store {{.*}} : memref<?x4x8x16xf32
// CHECK: scf.yield %[[NEXT]],
// CHECK-NOT: gpu.barrier
// CHECK: gpu.return
// SM80-LABEL: func.func @speculative(
func.func @speculative(%q: tensor<?x2x16xf32>, %v: tensor<?x4x8xf32>, %g: tensor<?x4xf32>, %pool: tensor<?x4x8x16xf32>, %slots: tensor<?x3xi32>,
                       %bounds: tensor<?xi32>, %accepted: tensor<?xi32>) -> (tensor<?x4x8xf32>, tensor<?x4x8x16xf32>) {
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots) bounds(%bounds) accepted(%accepted)
    : (tensor<?x2x16xf32>, tensor<?x2x16xf32>, tensor<?x4x8xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x8x16xf32>, tensor<?x3xi32>, tensor<?xi32>, tensor<?xi32>)
    -> (tensor<?x4x8xf32>, tensor<?x4x8x16xf32>)
  return %o, %new : tensor<?x4x8xf32>, tensor<?x4x8x16xf32>
}

// -----

// Sequences of as many tokens each: a loop, too. With a norm its barriers are two a token: the
// next token's values must not meet this one's.
// CHECK-LABEL: func.func @uniform(
// CHECK: gpu.func @{{.*}}_8x16_f32_x4x{{[0-9]+}}(
// CHECK: scf.for
// CHECK: gpu.barrier
// CHECK: gpu.barrier
// CHECK-NEXT: scf.yield
// CHECK: gpu.return
// SM80-LABEL: func.func @uniform(
func.func @uniform(%q: tensor<?x?x2x16xf32>, %v: tensor<?x?x4x8xf32>, %w: tensor<8xf32>, %g: tensor<?x?x4xf32>, %pool: tensor<?x4x8x16xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x?x4x8xf32>, tensor<?x4x8x16xf32>) {
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x4x8xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x4x8x16xf32>, tensor<?xi32>)
    -> (tensor<?x?x4x8xf32>, tensor<?x4x8x16xf32>)
  %y = mortar.gated_rms_norm %o gate(%v) weight(%w) epsilon(1.0e-6) : (tensor<?x?x4x8xf32>, tensor<?x?x4x8xf32>, tensor<8xf32>) -> tensor<?x?x4x8xf32>
  return %y, %new : tensor<?x?x4x8xf32>, tensor<?x4x8x16xf32>
}

// -----

// Keys that 16-byte accesses don't divide: the widest that do. An odd number of them has one
// variant, and nothing is chosen. What lies behind a row's end isn't summed or stored.
// CHECK-LABEL: func.func @six_keys(
// CHECK: gpu.func @{{.*}}_5x6_f32_x2x{{[0-9]+}}(
// CHECK: vector.load {{.*}} {alignment = 8 : i64} : {{.*}}, vector<2xf32>
// CHECK: gpu.func @{{.*}}_5x6_f32_x1x{{[0-9]+}}(
// CHECK-LABEL: func.func @seven_keys(
// CHECK-NOT: andi %{{.*}}, %c15
// CHECK: gpu.launch_func
// CHECK-NOT: gpu.launch_func
// CHECK: gpu.func @{{.*}}_5x7_f32_x1x{{[0-9]+}}(
// CHECK-NOT: gpu.func
func.func @six_keys(%q: tensor<?x2x6xf32>, %v: tensor<?x4x5xf32>, %g: tensor<?x4xf32>, %pool: tensor<?x4x5x6xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x5xf32>, tensor<?x4x5x6xf32>) {
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x6xf32>, tensor<?x2x6xf32>, tensor<?x4x5xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x6xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xf32>, tensor<?x4x5x6xf32>)
  return %o, %new : tensor<?x4x5xf32>, tensor<?x4x5x6xf32>
}

// -----

func.func @seven_keys(%q: tensor<?x2x7xf32>, %v: tensor<?x4x5xf32>, %g: tensor<?x4xf32>, %pool: tensor<?x4x5x7xf32>, %slots: tensor<?xi32>)
    -> (tensor<?x4x5xf32>, tensor<?x4x5x7xf32>) {
  %o, %new = mortar.gated_delta_rule query(%q) key(%q) value(%v) decay(%g) beta(%g) state(%pool) slots(%slots)
    : (tensor<?x2x7xf32>, tensor<?x2x7xf32>, tensor<?x4x5xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4x5x7xf32>, tensor<?xi32>)
    -> (tensor<?x4x5xf32>, tensor<?x4x5x7xf32>)
  return %o, %new : tensor<?x4x5xf32>, tensor<?x4x5x7xf32>
}
