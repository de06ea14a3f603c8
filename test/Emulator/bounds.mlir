// RUN: mortar-emulate %s | FileCheck %s

gpu.module @kernels {

// One chunk too many: the last element of the last chunk is behind the end.
// CHECK-LABEL: @tail_off_by_one
// CHECK-NEXT: bounds.mlir:[[#@LINE+11]]:10: out of bounds: 'vector.load' (op {{[0-9]+}} of @tail_off_by_one) in block 0, thread 15 accesses elements from 60 to 63 of dimension 0, whose size is 63, of parameter 0
// CHECK-NEXT: bounds.mlir:[[#@LINE+10]]:10: out of bounds: 'vector.load' {{.*}} in block 0, thread 15 reads 16 bytes at argument 0 + 240, which has 252 bytes
  gpu.func @tail_off_by_one(%m: memref<63xf32>) kernel
      attributes {emulate.block = array<i64: 16, 1, 1>} {
    %c4 = arith.constant 4 : index
    %t = gpu.thread_id x
    %at = arith.muli %t, %c4 : index
    %last = arith.constant 63 : index
    // Should be chunks up to 14.
    %isIn = arith.cmpi ult, %at, %last : index
    scf.if %isIn {
    %v = vector.load %m[%at] {alignment = 16} : memref<63xf32>, vector<4xf32>
    }
    gpu.return
  }

// Rows of 4, 6 apart in both results. The second is written with the stride of a dense
// one: its rows fall between the rows and short of the last.
// CHECK-LABEL: @wrong_stride_on_second_output
// CHECK-NEXT: out of bounds: 'memref.store' {{.*}} in block 0, thread 4 writes 4 bytes at argument 1 + 16, between two of its rows, 2 times
  gpu.func @wrong_stride_on_second_output(
      %a: memref<f32> {emulate.rows = array<i64: 2, 4, 6>, emulate.output},
      %b: memref<f32> {emulate.rows = array<i64: 2, 4, 6>, emulate.output},
      %rows: index {emulate.value = 2 : i64}, %strideA: index {emulate.value = 6 : i64},
      %strideB: index {emulate.value = 4 : i64}) kernel
      attributes {emulate.block = array<i64: 8, 1, 1>} {
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %one = arith.constant 1.0 : f32
    %first = memref.reinterpret_cast %a to offset: [0], sizes: [%rows, 4], strides: [%strideA, 1]
      : memref<f32> to memref<?x4xf32, strided<[?, 1]>>
    %second = memref.reinterpret_cast %b to offset: [0], sizes: [%rows, 4], strides: [%strideB, 1]
      : memref<f32> to memref<?x4xf32, strided<[?, 1]>>
    %t = gpu.thread_id x
    %row = arith.shrui %t, %c2 : index
    %column = arith.andi %t, %c3 : index
    memref.store %one, %first[%row, %column] : memref<?x4xf32, strided<[?, 1]>>
    memref.store %one, %second[%row, %column] : memref<?x4xf32, strided<[?, 1]>>
    gpu.return
  }

// CHECK-LABEL: @before_its_buffer
// CHECK-NEXT: out of bounds: {{.*}} accesses element -1 of dimension 0, whose size is 4, of parameter 0
// CHECK-NEXT: out of bounds: 'memref.load' {{.*}} reads 4 bytes at argument 0 - 4, which has 16 bytes
  gpu.func @before_its_buffer(%m: memref<4xf32>) kernel {
    %c = arith.constant -1 : index
    %a = memref.load %m[%c] : memref<4xf32>
    gpu.return
  }

// An offset leads to 2 bytes behind a multiple of 16.
// CHECK-LABEL: @misaligned
// CHECK-NEXT: bounds.mlir:[[#@LINE+8]]:5: misaligned access: 'vector.store' {{.*}} in block 0, thread 0 writes 16 bytes at argument 0 + 2, which is not aligned to 16, 4 times
  gpu.func @misaligned(%m: memref<bf16> {emulate.elements = 40}, %offset: index {emulate.value = 1 : i64}) kernel
      attributes {emulate.block = array<i64: 4, 1, 1>} {
    %row = memref.reinterpret_cast %m to offset: [%offset], sizes: [32], strides: [1] : memref<bf16> to memref<32xbf16, strided<[1], offset: ?>>
    %c8 = arith.constant 8 : index
    %zero = arith.constant dense<0.0> : vector<8xbf16>
    %t = gpu.thread_id x
    %at = arith.muli %t, %c8 : index
    vector.store %zero, %row[%at] {alignment = 16} : memref<32xbf16, strided<[1], offset: ?>>, vector<8xbf16>
    // An element's alignment is all that this one has and needs.
    %v = vector.load %row[%at] : memref<32xbf16, strided<[1], offset: ?>>, vector<8xbf16>
    gpu.return
  }

// CHECK-LABEL: @uninitialized_scratch
// CHECK-NEXT: bounds.mlir:[[#@LINE+4]]:10: uninitialized read: 'memref.load' {{.*}} in block 0, thread 0 reads 4 bytes at workgroup buffer 0 + 4, where nobody has written byte 4
  gpu.func @uninitialized_scratch() workgroup(%scratch : memref<2xf32, #gpu.address_space<workgroup>>) kernel {
    %c1 = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    %a = memref.load %scratch[%c1] : memref<2xf32, #gpu.address_space<workgroup>>
    memref.store %one, %scratch[%c1] : memref<2xf32, #gpu.address_space<workgroup>>
    gpu.return
  }

// CHECK-LABEL: @uninitialized_output
// CHECK-NEXT: uninitialized read: 'vector.load' {{.*}} in block 0, thread 0 reads 8 bytes at argument 0 + 0, where nobody has written byte 4
  gpu.func @uninitialized_output(%m: memref<4xf32> {emulate.output}) kernel {
    %c0 = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    memref.store %one, %m[%c0] : memref<4xf32>
    %v = vector.load %m[%c0] : memref<4xf32>, vector<2xf32>
    gpu.return
  }

// What a mask leaves out is not touched.
// CHECK-LABEL: @masked
// CHECK-NEXT: nothing found
// CHECK-NEXT: argument 1: 0 1 7 7
  gpu.func @masked(%m: memref<2xf32>, %out: memref<4xf32> {emulate.output, emulate.print}) kernel {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %seven = arith.constant dense<7.0> : vector<4xf32>
    %mask = vector.create_mask %c2 : vector<4xi1>
    %v = vector.maskedload %m[%c0], %mask, %seven : memref<2xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
    vector.store %v, %out[%c0] : memref<4xf32>, vector<4xf32>
    gpu.return
  }

// Nor is it asked where that would be, or whether it is aligned.
// CHECK-LABEL: @all_masked
// CHECK-NEXT: nothing found
// CHECK-NEXT: argument 1: 7 7 7 7
  gpu.func @all_masked(%m: memref<2xf32>, %out: memref<4xf32> {emulate.output, emulate.print}) kernel {
    %c0 = arith.constant 0 : index
    %c9 = arith.constant 9 : index
    %seven = arith.constant dense<7.0> : vector<4xf32>
    %mask = vector.create_mask %c0 : vector<4xi1>
    %v = vector.maskedload %m[%c9], %mask, %seven {alignment = 16 : i64} : memref<2xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
    vector.store %v, %out[%c0] : memref<4xf32>, vector<4xf32>
    gpu.return
  }

// An access of all its elements is in bounds with all of them.
// CHECK-LABEL: @nothing_masked
// CHECK-NEXT: out of bounds: 'vector.maskedload' {{.*}} in block 0, thread 0 accesses elements from 1 to 2 of dimension 0, whose size is 2
  gpu.func @nothing_masked(%m: memref<2xf32>) kernel {
    %c1 = arith.constant 1 : index
    %seven = arith.constant dense<7.0> : vector<2xf32>
    %mask = arith.constant dense<true> : vector<2xi1>
    %v = vector.maskedload %m[%c1], %mask, %seven : memref<2xf32>, vector<2xi1>, vector<2xf32> into vector<2xf32>
    gpu.return
  }

// With elements left out, the last that is wanted says how far it goes; each lane for itself.
// CHECK-LABEL: @partly_masked
// CHECK-NEXT: out of bounds: 'vector.maskedload' {{.*}} in block 0, thread 0 accesses elements from 2 to 3 of dimension 1, whose size is 3
// CHECK-NEXT: out of bounds: 'vector.maskedload' {{.*}} in block 0, thread 1 accesses elements from 2 to 5 of dimension 1, whose size is 3
  gpu.func @partly_masked(%m: memref<4x3xf32>) kernel
      attributes {emulate.block = array<i64: 2, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %t = gpu.thread_id x
    %seven = arith.constant dense<7.0> : vector<4xf32>
    %two = vector.create_mask %c2 : vector<4xi1>
    %v = vector.maskedload %m[%c0, %c2], %two, %seven : memref<4x3xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
    %twice = arith.muli %t, %c2 : index
    %n = arith.addi %twice, %c2 : index
    %some = vector.create_mask %n : vector<4xi1>
    %c1 = arith.constant 1 : index
    %is_second = arith.cmpi eq, %t, %c1 : index
    %column = arith.select %is_second, %c2, %c0 : index
    %w = vector.maskedload %m[%c0, %column], %some, %seven : memref<4x3xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
    gpu.return
  }
}
