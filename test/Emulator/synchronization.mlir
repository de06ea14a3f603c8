// RUN: mortar-emulate %s | FileCheck %s

gpu.module @kernels {

// CHECK-LABEL: @barrier_in_a_branch
// CHECK-NEXT: synchronization.mlir:[[#@LINE+7]]:7: divergent barrier: 'gpu.barrier' {{.*}} in block 0, thread 0 waits, but thread 16 of its warp is not there
// CHECK-NEXT: synchronization.mlir:[[#@LINE+6]]:7: divergent barrier: 'gpu.barrier' {{.*}} in block 0, thread 0 waits, but thread 32 of the block has ended
  gpu.func @barrier_in_a_branch() kernel attributes {emulate.block = array<i64: 64, 1, 1>} {
    %c16 = arith.constant 16 : index
    %t = gpu.thread_id x
    %some = arith.cmpi ult, %t, %c16 : index
    scf.if %some {
      gpu.barrier
    }
    gpu.return
  }

// CHECK-LABEL: @different_barriers
// CHECK-NEXT: divergent barrier: 'gpu.barrier' (op [[#]] of @different_barriers) in block 0, thread 0 waits, but thread 32 of the block waits at 'gpu.barrier' (op [[#]] of @different_barriers) at {{.*}}synchronization.mlir:[[#@LINE+8]]:7
  gpu.func @different_barriers() kernel attributes {emulate.block = array<i64: 64, 1, 1>} {
    %c32 = arith.constant 32 : index
    %t = gpu.thread_id x
    %some = arith.cmpi ult, %t, %c32 : index
    scf.if %some {
      gpu.barrier
    } else {
      gpu.barrier
    }
    gpu.return
  }

// CHECK-LABEL: @barrier_after_an_early_end
// CHECK-NEXT: divergent barrier: {{.*}} thread 0 waits, but thread 32 of the block has ended
  gpu.func @barrier_after_an_early_end() kernel attributes {emulate.block = array<i64: 64, 1, 1>} {
    %c32 = arith.constant 32 : index
    %t = gpu.thread_id x
    %some = arith.cmpi ult, %t, %c32 : index
    scf.if %some {
      gpu.barrier
    }
    gpu.return
  }

// CHECK-LABEL: @shuffle_from_an_inactive_lane
// CHECK-NEXT: synchronization.mlir:[[#@LINE+8]]:24: shuffle from an inactive lane: 'gpu.shuffle' {{.*}} in block 0, thread 0 reads lane 16, which is not active, 16 times
  gpu.func @shuffle_from_an_inactive_lane() kernel attributes {emulate.block = array<i64: 32, 1, 1>} {
    %c16 = arith.constant 16 : index
    %distance = arith.constant 16 : i32
    %width = arith.constant 32 : i32
    %t = gpu.thread_id x
    %some = arith.cmpi ult, %t, %c16 : index
    scf.if %some {
      %other, %valid = gpu.shuffle xor %distance, %distance, %width : i32
    }
    gpu.return
  }

// What earlier kernels may still write must wait for them; a constant need not.
// CHECK-LABEL: @before_the_wait
// CHECK-NEXT: synchronization.mlir:[[#@LINE+5]]:10: access before the wait: 'memref.load' {{.*}} in block 0, thread 0 reads argument 0, which is no constant, before nvvm.griddepcontrol wait
// CHECK-NOT: argument 1
  gpu.func @before_the_wait(%m: memref<1xf32>, %w: memref<1xf32> {emulate.constant}) kernel
      attributes {mortar.programmatic_launch} {
    %c0 = arith.constant 0 : index
    %a = memref.load %m[%c0] : memref<1xf32>
    %b = memref.load %w[%c0] : memref<1xf32>
    memref.prefetch %m[%c0], read, locality<2>, data : memref<1xf32>
    nvvm.griddepcontrol wait
    %c = memref.load %m[%c0] : memref<1xf32>
    gpu.return
  }

// Early ends wait, too: here only threads with work do.
// CHECK-LABEL: @missing_wait
// CHECK-NEXT: missing wait: 'gpu.return' {{.*}} in block 0, thread 4 ends without nvvm.griddepcontrol wait, so kernels after this one may overtake those before it
  gpu.func @missing_wait() kernel
      attributes {mortar.programmatic_launch, emulate.block = array<i64: 8, 1, 1>} {
    %c4 = arith.constant 4 : index
    %t = gpu.thread_id x
    %some = arith.cmpi ult, %t, %c4 : index
    scf.if %some {
      nvvm.griddepcontrol wait
    }
    gpu.return
  }

// CHECK-LABEL: @writes_a_constant
// CHECK-NEXT: write to a constant: 'memref.store' {{.*}} writes argument 0, which is a constant, or is promised not to change
  gpu.func @writes_a_constant(%m: memref<1xf32> {llvm.noalias, llvm.readonly}) kernel {
    %c0 = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    memref.store %one, %m[%c0] : memref<1xf32>
    gpu.return
  }

// CHECK-LABEL: @divides_by_zero
// CHECK-NEXT: division by zero: 'arith.divui' {{.*}} in block 0, thread 0 divides by zero
  gpu.func @divides_by_zero() kernel attributes {emulate.block = array<i64: 4, 1, 1>} {
    %t = gpu.thread_id x
    %a = arith.divui %t, %t : index
    gpu.return
  }

// CHECK-LABEL: @another_block_size
// CHECK-NEXT: error: kernel 'another_block_size': expected blocks of 64 threads in x, found 32
  gpu.func @another_block_size() kernel
      attributes {known_block_size = array<i32: 64, 1, 1>, emulate.block = array<i64: 32, 1, 1>} {
    gpu.return
  }
}
