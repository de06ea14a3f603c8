// RUN: mortar-opt %s --convert-mortar-to-cpu --canonicalize -split-input-file | FileCheck %s

// Heads, then sequences, each with its state in scratch memory; a slot is checked before
// anything is read there, and a token's own before anything is stored.
// CHECK-LABEL: func.func @decode(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<?x2x16xf32>, %[[V:[a-z0-9]+]]: memref<?x4x6xbf16>, %[[I:[a-z0-9]+]]: memref<?xi32>, %[[O:[a-z0-9]+]]: memref<?x4x6xbf16>, %[[P:[a-z0-9]+]]: memref<?x4x6x16xbf16>)
// CHECK-DAG: cf.assert {{.*}} "expected argument 1 to have as many tokens as the others, but its number differs"
// CHECK-DAG: cf.assert {{.*}} "expected the tokens to have as many sequences as there are rows of slots, but its number differs"
// CHECK-DAG: cf.assert {{.*}} "expected argument 4 to share no memory with argument 3, but they overlap"
// CHECK: scf.for %[[HEAD:.*]] = %c0 to %c4
// CHECK-NEXT: scf.for %[[SEQUENCE:.*]] = %c0 to
// CHECK: %[[N:.*]] = memref.load %{{.*}}[%[[SEQUENCE]]] : memref<?xi32
// CHECK-NEXT: %[[SLOT:.*]] = arith.index_cast %[[N]] : i32 to index
// CHECK-NEXT: %[[POSITIVE:.*]] = arith.cmpi sgt, %[[SLOT]], %c0
// CHECK-NEXT: %[[INSIDE:.*]] = arith.cmpi slt, %[[SLOT]], %{{.*}} : index
// CHECK-NEXT: %[[VALID:.*]] = arith.andi %[[POSITIVE]], %[[INSIDE]] : i1
// CHECK-NEXT: scf.if %[[VALID]] {
// Widened, 16 values at once.
// CHECK: vector.load %{{.*}}[%[[SLOT]], %[[HEAD]], %{{.*}}, %{{.*}}] : memref<?x4x6x16xbf16{{.*}}>, vector<16xbf16>
// CHECK: vector.store %{{.*}} : memref<112xf32>, vector<16xf32>
// CHECK: }
// Or zeros.
// CHECK: scf.if
// CHECK-NOT: memref<?x4x6x16xbf16
// CHECK: vector.store %cst{{.*}} : memref<112xf32>, vector<16xf32>
// Value head h has key head h / (4/2).
// CHECK: %[[KEY:.*]] = arith.divui %[[HEAD]], %c2
// CHECK: vector.load %{{.*}}[%{{.*}}, %[[KEY]], %{{.*}}] : memref<?x2x16xf32
// Padding: +0.0, by a choice of what is stored.
// CHECK: arith.select %{{[^,]*}}, %{{[^,]*}}, %cst{{[^,]*}} : vector<1xf32>
// CHECK: vector.store %{{.*}}, %{{.*}}[%{{.*}}, %[[HEAD]], %{{.*}}] : memref<?x4x6xbf16
// CHECK: scf.if %{{.*}} {
// CHECK: vector.store %{{.*}}, %{{.*}}[%{{.*}}, %[[HEAD]], %{{.*}}, %{{.*}}] : memref<?x4x6x16xbf16{{.*}}>, vector<16xbf16>
// CHECK-NOT: memref<?x4x6x16xbf16
// CHECK: return
func.func @decode(%q: memref<?x2x16xf32>, %v: memref<?x4x6xbf16>, %slots: memref<?xi32>, %o: memref<?x4x6xbf16>, %pool: memref<?x4x6x16xbf16>) {
  mortar.fused recurrence ins(%a = key_row %q, %b = value_row %v, %i = slots %slots : memref<?x2x16xf32>, memref<?x4x6xbf16>, memref<?xi32>)
      outs(value_row %o, %s = state %pool : memref<?x4x6xbf16>, memref<?x4x6x16xbf16>) {
    %k = mortar.state_broadcast <keys> %a : vector<16xf32> -> vector<6x16xf32>
    %p = arith.mulf %s, %k : vector<6x16xf32>
    %r = mortar.state_reduce %p : vector<6x16xf32> -> vector<6xf32>
    %m = mortar.mask_padding %r : vector<6xf32>
    %w = arith.extf %b : vector<6xbf16> to vector<6xf32>
    %u = mortar.state_broadcast <values> %w : vector<6xf32> -> vector<6x16xf32>
    %t = math.fma %u, %k, %s : vector<6x16xf32>
    %y = arith.truncf %m : vector<6xf32> to vector<6xbf16>
    mortar.yield %y, %t : vector<6xbf16>, vector<6x16xf32>
  }
  return
}

// -----

// Bounds are clamped to the tokens there are, counts to the columns of slots; tokens of no
// sequence have a loop of their own.
// CHECK-LABEL: func.func @speculative(
// CHECK-DAG: cf.assert {{.*}} "expected argument 2 to have as many sequences as there are rows of slots, but its number differs"
// CHECK-DAG: cf.assert {{.*}} "expected argument 3 to have as many sequences as there are rows of slots, but its number differs"
// CHECK: scf.for %{{.*}} = %c0 to %c4
// CHECK-NEXT: scf.for %[[SEQUENCE:.*]] = %c0 to
// CHECK: arith.maxsi %{{.*}}, %c0
// CHECK-NEXT: %[[BEGIN:.*]] = arith.minsi
// CHECK: arith.maxsi %{{.*}}, %c0
// CHECK-NEXT: %[[END:.*]] = arith.minsi
// CHECK: %[[COLUMN:.*]] = arith.subi %{{.*}}, %c1
// CHECK-NEXT: arith.cmpi sge, %[[COLUMN]], %c0
// CHECK-NEXT: arith.cmpi sle, %[[COLUMN]], %c2
// CHECK: %[[FIRST:.*]] = arith.select %{{.*}}, %[[COLUMN]], %c0
// CHECK-NEXT: memref.load %{{.*}}[%[[SEQUENCE]], %[[FIRST]]] : memref<?x3xi32
// CHECK: scf.for %[[AT:.*]] = %[[BEGIN]] to %[[END]]
// CHECK-NEXT: %[[NUMBER:.*]] = arith.subi %[[AT]], %[[BEGIN]]
// CHECK-NEXT: %[[OWN:.*]] = arith.minui %[[NUMBER]], %c2
// CHECK-NEXT: memref.load %{{.*}}[%[[SEQUENCE]], %[[OWN]]] : memref<?x3xi32
// CHECK: %[[BEFORE:.*]] = arith.cmpi ult, %[[TOKEN:[a-z0-9]+]], %
// CHECK-NEXT: %[[BEHIND:.*]] = arith.cmpi uge, %[[TOKEN]], %
// CHECK-NEXT: %[[OUTSIDE:.*]] = arith.ori %[[BEFORE]], %[[BEHIND]]
// CHECK-NEXT: scf.if %[[OUTSIDE]]
// CHECK-NOT: memref<?x4x6x7xf32{{.*}}>, vector
// CHECK: return
func.func @speculative(%v: memref<?x4x6xf32>, %slots: memref<?x3xi32>, %bounds: memref<?xi32>, %accepted: memref<?xi32>, %o: memref<?x4x6xf32>, %pool: memref<?x4x6x7xf32>) {
  mortar.fused recurrence ins(%b = value_row %v, %i = slots %slots, %c = bounds %bounds, %n = accepted %accepted : memref<?x4x6xf32>, memref<?x3xi32>, memref<?xi32>, memref<?xi32>)
      outs(value_row %o, %s = state %pool : memref<?x4x6xf32>, memref<?x4x6x7xf32>) {
    %r = mortar.state_reduce %s : vector<6x7xf32> -> vector<6xf32>
    %m = mortar.mask_padding %r : vector<6xf32>
    %u = mortar.state_broadcast <values> %b : vector<6xf32> -> vector<6x7xf32>
    mortar.yield %m, %u : vector<6xf32>, vector<6x7xf32>
  }
  return
}

// -----

// Two dimensions of tokens: as many sequences as the first has.
// CHECK-LABEL: func.func @uniform(
// CHECK: cf.assert {{.*}} "expected the tokens to have as many sequences as there are rows of slots, but its number differs"
// CHECK: scf.for %{{.*}} = %c0 to %c4
// CHECK-NEXT: scf.for %[[SEQUENCE:.*]] = %c0 to
// CHECK: scf.for %[[TOKEN:.*]] = %c0 to
// CHECK: memref.load %{{.*}}[%[[SEQUENCE]], %[[TOKEN]], %{{.*}}] : memref<?x?x4xf32
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[SEQUENCE]], %[[TOKEN]], %{{.*}}] : memref<?x?x4xf32
// CHECK: return
func.func @uniform(%g: memref<?x?x4xf32>, %slots: memref<?xi32>, %o: memref<?x?x4xf32>, %pool: memref<?x4x6x7xf32>) {
  mortar.fused recurrence ins(%b = head_scalar %g, %i = slots %slots : memref<?x?x4xf32>, memref<?xi32>)
      outs(head_scalar %o, %s = state %pool : memref<?x?x4xf32>, memref<?x4x6x7xf32>) {
    %d = arith.mulf %b, %b : f32
    %r = mortar.row_broadcast %d : f32 -> vector<6xf32>
    %u = mortar.state_broadcast <values> %r : vector<6xf32> -> vector<6x7xf32>
    %t = arith.mulf %s, %u : vector<6x7xf32>
    mortar.yield %d, %t : f32, vector<6x7xf32>
  }
  return
}
