// RUN: mortar-emulate %s | FileCheck %s
// RUN: mortar-emulate %s 5 | FileCheck %s --check-prefix=ORDER

// Every warp leaves its value in the scratch and reads all of them, twice. Without a
// second barrier a fast warp overwrites what a slow one is yet to read.
// CHECK-LABEL: @missing_second_barrier
// CHECK-NEXT: races.mlir:[[#@LINE+17]]:7: race: 'memref.store' (op {{[0-9]+}} of @missing_second_barrier) in block 0, thread 0 writes workgroup buffer 0 + 0, which 'memref.load' (op {{[0-9]+}} of @missing_second_barrier) at {{.*}}races.mlir:[[#@LINE+14]]:10 in block 0, thread 32 read with no barrier in between
// ORDER-LABEL: @missing_second_barrier
// ORDER: race:
gpu.module @kernels {
  gpu.func @missing_second_barrier() workgroup(%scratch : memref<2xf32, #gpu.address_space<workgroup>>) kernel
      attributes {emulate.block = array<i64: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c5 = arith.constant 5 : index
    %one = arith.constant 1.0 : f32
    %t = gpu.thread_id x
    %warp = arith.shrui %t, %c5 : index
    memref.store %one, %scratch[%warp] : memref<2xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %a = memref.load %scratch[%c0] : memref<2xf32, #gpu.address_space<workgroup>>
    memref.store %a, %scratch[%warp] : memref<2xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}
