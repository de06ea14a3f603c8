// RUN: mortar-emulate %s | FileCheck %s
// Values, where they are not plain.

gpu.module @kernels {

// Lanes 0 to 3; width 4 except for the last, where lane 2 is beyond.
// CHECK-LABEL: @shuffles
// CHECK-NEXT: nothing found
// CHECK-NEXT: argument 0: 1 0 3 2
// CHECK-NEXT: argument 1: 1 2 3 3
// CHECK-NEXT: argument 2: 0 0 1 2
// CHECK-NEXT: argument 3: 2 2 2 2
// CHECK-NEXT: argument 4: 1 1 1 0
  gpu.func @shuffles(%xor: memref<4xi32> {emulate.output, emulate.print},
                     %down: memref<4xi32> {emulate.output, emulate.print},
                     %up: memref<4xi32> {emulate.output, emulate.print},
                     %idx: memref<4xi32> {emulate.output, emulate.print},
                     %valid: memref<4xi32> {emulate.output, emulate.print}) kernel
      attributes {emulate.block = array<i64: 4, 1, 1>} {
    %t = gpu.thread_id x
    %v = arith.index_cast %t : index to i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c4 = arith.constant 4 : i32
    %c32 = arith.constant 32 : i32
    %a, %p = gpu.shuffle xor %v, %c1, %c4 : i32
    %b, %q = gpu.shuffle down %v, %c1, %c4 : i32
    %c, %r = gpu.shuffle up %v, %c1, %c32 : i32
    %d, %s = gpu.shuffle idx %v, %c2, %c4 : i32
    %valids = arith.extui %q : i1 to i32
    memref.store %a, %xor[%t] : memref<4xi32>
    memref.store %b, %down[%t] : memref<4xi32>
    memref.store %c, %up[%t] : memref<4xi32>
    memref.store %d, %idx[%t] : memref<4xi32>
    memref.store %valids, %valid[%t] : memref<4xi32>
    gpu.return
  }

// Each lane goes round as often as its number says, swapping two values, and doubles
// what it has in odd rounds.
// CHECK-LABEL: @loop
// CHECK-NEXT: nothing found
// CHECK-NEXT: argument 0: 1 10 2 10 4
  gpu.func @loop(%out: memref<5xi32> {emulate.output, emulate.print}) kernel
      attributes {emulate.block = array<i64: 5, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1 : i32
    %ten = arith.constant 10 : i32
    %t = gpu.thread_id x
    %x, %y = scf.for %i = %c0 to %t step %c1 iter_args(%a = %one, %b = %ten) -> (i32, i32) {
      %bit = arith.andi %i, %c1 : index
      %odd = arith.cmpi eq, %bit, %c1 : index
      %twice = scf.if %odd -> i32 {
        %sum = arith.addi %b, %b : i32
        scf.yield %sum : i32
      } else {
        scf.yield %b : i32
      }
      scf.yield %twice, %a : i32, i32
    }
    memref.store %x, %out[%t] : memref<5xi32>
    gpu.return
  }

// NaN wins, and -0 is below 0.
// CHECK-LABEL: @maximum_and_minimum
// CHECK-NEXT: nothing found
// CHECK-NEXT: argument 0: 0 -0 NaN NaN
  gpu.func @maximum_and_minimum(%out: memref<4xf32> {emulate.output, emulate.print}) kernel {
    %c0 = arith.constant 0 : index
    %a = arith.constant dense<[0.0, -0.0, 0x7fc00000, 1.0]> : vector<4xf32>
    %b = arith.constant dense<[-0.0, 0.0, 1.0, 0x7fc00000]> : vector<4xf32>
    %max = arith.maximumf %a, %b : vector<4xf32>
    %min = arith.minimumf %a, %b : vector<4xf32>
    %v = vector.shuffle %max, %min [0, 5, 2, 7] : vector<4xf32>, vector<4xf32>
    vector.store %v, %out[%c0] : memref<4xf32>, vector<4xf32>
    gpu.return
  }

// To nearest, ties to even; subnormals stay; f8E4M3FN has no infinity.
// CHECK-LABEL: @narrowing
// CHECK-NEXT: nothing found
// CHECK-NEXT: argument 0: 1 1.01563 9.18355E-41 +Inf
// CHECK-NEXT: argument 1: 1 1.00195 5.96046E-8 +Inf
// CHECK-NEXT: argument 2: 1 1.25 0.00195313 448 NaN 0.015625
  gpu.func @narrowing(%b: memref<4xbf16> {emulate.output, emulate.print},
                      %h: memref<4xf16> {emulate.output, emulate.print},
                      %e: memref<6xf8E4M3FN> {emulate.output, emulate.print}) kernel {
    %c0 = arith.constant 0 : index
    // 1 + half an ulp, 1 + one and a half, the least subnormal, the largest f32.
    %x = arith.constant dense<[1.00390625, 1.01171875, 9.18355e-41, 0x7f7fffff]> : vector<4xf32>
    %y = arith.constant dense<[1.00048828125, 1.00146484375, 5.960464477539063e-8, 65520.0]> : vector<4xf32>
    %z = arith.constant dense<[1.0625, 1.1875, 0.001953125, 464.0, 465.0, 0.0151]> : vector<6xf32>
    %nx = arith.truncf %x : vector<4xf32> to vector<4xbf16>
    %ny = arith.truncf %y : vector<4xf32> to vector<4xf16>
    %nz = arith.truncf %z : vector<6xf32> to vector<6xf8E4M3FN>
    vector.store %nx, %b[%c0] : memref<4xbf16>, vector<4xbf16>
    vector.store %ny, %h[%c0] : memref<4xf16>, vector<4xf16>
    vector.store %nz, %e[%c0] : memref<6xf8E4M3FN>, vector<6xf8E4M3FN>
    gpu.return
  }

// All of f8E4M3FN's values come back.
// CHECK-LABEL: @widening
// CHECK-NEXT: nothing found
// CHECK-NEXT: argument 1: 0 1 2 3 4 5 6 7
  gpu.func @widening(%e: memref<8xf8E4M3FN>, %out: memref<8xf32> {emulate.output, emulate.print}) kernel {
    %c0 = arith.constant 0 : index
    %v = vector.load %e[%c0] : memref<8xf8E4M3FN>, vector<8xf8E4M3FN>
    %w = arith.extf %v : vector<8xf8E4M3FN> to vector<8xf32>
    vector.store %w, %out[%c0] : memref<8xf32>, vector<8xf32>
    gpu.return
  }

// One rounding, not two: 1 - 2^-24 squared, minus 1 - 2^-23.
// CHECK-LABEL: @fma
// CHECK: argument 0: 3.55271E-15 0
  gpu.func @fma(%out: memref<2xf32> {emulate.output, emulate.print}) kernel {
    %c0 = arith.constant 0 : index
    %a = arith.constant 0x3f7fffff : f32
    %b = arith.constant 0xbf7ffffe : f32
    %once = math.fma %a, %a, %b : f32
    %square = arith.mulf %a, %a : f32
    %twice = arith.addf %square, %b : f32
    %v = vector.from_elements %once, %twice : vector<2xf32>
    vector.store %v, %out[%c0] : memref<2xf32>, vector<2xf32>
    gpu.return
  }

// CHECK-LABEL: @signed_division
// CHECK: argument 0: -3 -1 -4 -3 1 2147483645
  gpu.func @signed_division(%out: memref<6xi32> {emulate.output, emulate.print}) kernel {
    %c0 = arith.constant 0 : index
    %a = arith.constant -7 : i32
    %b = arith.constant 2 : i32
    %c = arith.divsi %a, %b : i32
    %d = arith.remsi %a, %b : i32
    %e = arith.floordivsi %a, %b : i32
    %f = arith.ceildivsi %a, %b : i32
    %g = arith.remui %a, %b : i32
    %h = arith.ceildivui %a, %b : i32
    %v = vector.from_elements %c, %d, %e, %f, %g, %h : vector<6xi32>
    vector.store %v, %out[%c0] : memref<6xi32>, vector<6xi32>
    gpu.return
  }
}
