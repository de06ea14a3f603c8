// RUN: mortar-emulate %s | FileCheck %s
// RUN: mortar-emulate %s 6 | FileCheck %s --check-prefix=ORDER

!scratch = memref<2xf32, #gpu.address_space<workgroup>>

gpu.module @kernels {

// Warps leave their values, read all of them, and leave others. With the second barrier
// missing, a fast warp overwrites what a slow one is yet to read.
// CHECK-LABEL: @missing_second_barrier
// CHECK-NEXT: races.mlir:[[#@LINE+20]]:7: race: 'memref.store' (op {{[0-9]+}} of @missing_second_barrier) in block 0, thread 0 writes workgroup buffer 0 + 0, which 'memref.load' (op {{[0-9]+}} of @missing_second_barrier) at {{.*}}races.mlir:[[#@LINE+17]]:10 in block 0, thread 31 read with no barrier in between, 2 times
// CHECK-NEXT: races.mlir:[[#@LINE+16]]:10: race: 'memref.load' {{.*}} thread 32 reads workgroup buffer 0 + 0, which 'memref.store' {{.*}} thread 0 wrote with no barrier in between, 32 times
// ORDER-LABEL: @missing_second_barrier
// ORDER-NEXT: race: 'memref.
  gpu.func @missing_second_barrier() workgroup(%scratch : !scratch) kernel
      attributes {emulate.block = array<i64: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c31 = arith.constant 31 : index
    %c5 = arith.constant 5 : index
    %one = arith.constant 1.0 : f32
    %t = gpu.thread_id x
    %warp = arith.shrui %t, %c5 : index
    %lane = arith.andi %t, %c31 : index
    %first = arith.cmpi eq, %lane, %c0 : index
    scf.if %first { memref.store %one, %scratch[%warp] : !scratch }
    gpu.barrier
    %a = memref.load %scratch[%c0] : !scratch
    %b = memref.load %scratch[%c1] : !scratch
    scf.if %first {
      memref.store %a, %scratch[%warp] : !scratch
    }
    gpu.return
  }

// The same with it.
// CHECK-LABEL: @second_barrier
// CHECK-NEXT: nothing found
// ORDER-LABEL: @second_barrier
// ORDER-NEXT: nothing found
  gpu.func @second_barrier() workgroup(%scratch : !scratch) kernel
      attributes {emulate.block = array<i64: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c5 = arith.constant 5 : index
    %c31 = arith.constant 31 : index
    %one = arith.constant 1.0 : f32
    %t = gpu.thread_id x
    %warp = arith.shrui %t, %c5 : index
    %lane = arith.andi %t, %c31 : index
    %first = arith.cmpi eq, %lane, %c0 : index
    scf.if %first { memref.store %one, %scratch[%warp] : !scratch }
    gpu.barrier
    %a = memref.load %scratch[%c0] : !scratch
    gpu.barrier
    scf.if %first { memref.store %a, %scratch[%warp] : !scratch }
    gpu.return
  }

// CHECK-LABEL: @lanes_of_a_warp
// CHECK-NEXT: race: 'memref.load' {{.*}} in block 0, thread 0 reads argument 0 + 4, which 'memref.store' {{.*}} in block 0, thread 1 wrote with no barrier in between, 31 times
  gpu.func @lanes_of_a_warp(%m: memref<33xf32>) kernel
      attributes {emulate.block = array<i64: 32, 1, 1>} {
    %c1 = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    %t = gpu.thread_id x
    %next = arith.addi %t, %c1 : index
    memref.store %one, %m[%t] : memref<33xf32>
    %a = memref.load %m[%next] : memref<33xf32>
    gpu.return
  }

// CHECK-LABEL: @one_instruction
// CHECK-NEXT: race: 'memref.store' {{.*}} in block 0, thread 1 writes argument 0 + 0, which 'memref.store' {{.*}} in block 0, thread 0 wrote with no barrier in between
  gpu.func @one_instruction(%m: memref<1xf32> {emulate.output}) kernel
      attributes {emulate.block = array<i64: 2, 1, 1>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    memref.store %one, %m[%c0] : memref<1xf32>
    gpu.return
  }

// A barrier orders the threads of one block, not blocks.
// CHECK-LABEL: @between_blocks
// CHECK-NEXT: race: 'memref.store' {{.*}} in block 1, thread 0 writes argument 0 + 0, which 'memref.load' {{.*}} in block 0, thread 0 read, and nothing orders blocks
  gpu.func @between_blocks(%m: memref<2xf32>) kernel
      attributes {emulate.grid = array<i64: 2, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    %b = gpu.block_id x
    %a = memref.load %m[%c0] : memref<2xf32>
    gpu.barrier
    %other = arith.xori %b, %c1 : index
    %isOne = arith.cmpi eq, %b, %c1 : index
    scf.if %isOne { memref.store %one, %m[%c0] : memref<2xf32> }
    gpu.return
  }

// The last reader is the writer, the last other one behind a barrier; a block before
// read it, too.
// CHECK-LABEL: @first_reader_of_another_block
// CHECK-NEXT: race: 'memref.store' {{.*}} in block 1, thread 0 writes argument 0 + 0, which 'memref.load' {{.*}} in block 0, thread 0 read, and nothing orders blocks
  gpu.func @first_reader_of_another_block(%m: memref<1xf32>) kernel
      attributes {emulate.grid = array<i64: 2, 1, 1>, emulate.block = array<i64: 2, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %a = memref.load %m[%c0] : memref<1xf32>
    gpu.barrier
    %sum = arith.addi %b, %t : index
    %isFirst = arith.cmpi eq, %t, %c0 : index
    %isLast = arith.cmpi eq, %b, %c1 : index
    %both = arith.andi %isFirst, %isLast : i1
    scf.if %both {
      %c = memref.load %m[%c0] : memref<1xf32>
      memref.store %one, %m[%c0] : memref<1xf32>
    }
    gpu.return
  }

// Each thread reads and writes its own.
// CHECK-LABEL: @in_place
// CHECK-NEXT: nothing found
  gpu.func @in_place(%m: memref<512xbf16>) kernel
      attributes {emulate.grid = array<i64: 2, 1, 1>, emulate.block = array<i64: 32, 1, 1>} {
    %c8 = arith.constant 8 : index
    %c32 = arith.constant 32 : index
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %first = arith.muli %b, %c32 : index
    %chunk = arith.addi %first, %t : index
    %at = arith.muli %chunk, %c8 : index
    %v = vector.load %m[%at] {alignment = 16} : memref<512xbf16>, vector<8xbf16>
    vector.store %v, %m[%at] {alignment = 16} : memref<512xbf16>, vector<8xbf16>
    gpu.return
  }

// The last other reader: the first one and the writer itself are ordered.
// CHECK-LABEL: @last_other_reader
// CHECK-NEXT: race: 'memref.store' {{.*}} in block 0, thread 0 writes argument 0 + 0, which 'memref.load' {{.*}} in block 0, thread 1 read with no barrier in between
  gpu.func @last_other_reader(%m: memref<1xf32>) kernel
      attributes {emulate.block = array<i64: 2, 1, 1>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    %t = gpu.thread_id x
    %isFirst = arith.cmpi eq, %t, %c0 : index
    scf.if %isFirst { %a = memref.load %m[%c0] : memref<1xf32> }
    gpu.barrier
    scf.if %isFirst {
    } else {
      %b = memref.load %m[%c0] : memref<1xf32>
    }
    scf.if %isFirst {
      %c = memref.load %m[%c0] : memref<1xf32>
      memref.store %one, %m[%c0] : memref<1xf32>
    }
    gpu.return
  }

// Whole warps side by side, which take a shorter way.
// CHECK-LABEL: @whole_warps
// CHECK-NEXT: race: 'vector.store' {{.*}} in block 1, thread 0 writes argument 0 + 0, which 'vector.store' {{.*}} in block 0, thread 0 wrote, and nothing orders blocks, 32 times
  gpu.func @whole_warps(%m: memref<256xbf16> {emulate.output}) kernel
      attributes {emulate.grid = array<i64: 2, 1, 1>, emulate.block = array<i64: 32, 1, 1>} {
    %c8 = arith.constant 8 : index
    %zero = arith.constant dense<0.0> : vector<8xbf16>
    %t = gpu.thread_id x
    %at = arith.muli %t, %c8 : index
    vector.store %zero, %m[%at] {alignment = 16} : memref<256xbf16>, vector<8xbf16>
    gpu.return
  }

// Who is last depends on the order.
// CHECK-LABEL: @order
// CHECK: argument 0: 7
// CHECK-NEXT: argument 1: 3
// ORDER-LABEL: @order
// ORDER: argument 0: {{[0-6]$}}
// ORDER-NEXT: argument 1: {{[0-2]$}}
  gpu.func @order(%blocks: memref<1xi32> {emulate.output, emulate.print},
                  %warps: memref<1xi32> {emulate.output, emulate.print}) kernel
      attributes {emulate.grid = array<i64: 8, 1, 1>, emulate.block = array<i64: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c5 = arith.constant 5 : index
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %w = arith.shrui %t, %c5 : index
    %block = arith.index_cast %b : index to i32
    %warp = arith.index_cast %w : index to i32
    memref.store %block, %blocks[%c0] : memref<1xi32>
    memref.store %warp, %warps[%c0] : memref<1xi32>
    gpu.return
  }
}
