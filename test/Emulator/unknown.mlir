// RUN: mortar-emulate %s | FileCheck %s
// What the emulator doesn't know is an error before anything runs.

gpu.module @kernels {

// CHECK-LABEL: @unknown_op
// CHECK-NEXT: unknown.mlir:[[#@LINE+3]]:10: error: expected ops that the emulator knows, but found 'math.exp'
  gpu.func @unknown_op() kernel {
    %x = arith.constant 1.0 : f32
    %y = math.exp %x : f32
    gpu.return
  }

// CHECK-LABEL: @unknown_dialect
// CHECK: error: expected ops that the emulator knows, but found 'other.op'
  gpu.func @unknown_dialect() kernel {
    "other.op"() : () -> ()
    gpu.return
  }

// CHECK-LABEL: @unknown_attribute
// CHECK: error: expected attributes that the emulator knows, but found 'other.attribute' = 3 : i64
  gpu.func @unknown_attribute() kernel {
    %x = arith.constant 1.0 : f32
    %y = arith.addf %x, %x {other.attribute = 3 : i64} : f32
    gpu.return
  }

// CHECK-LABEL: @fast_math
// CHECK: error: expected attributes that the emulator knows, but found 'fastmath' = #arith.fastmath<contract>
  gpu.func @fast_math() kernel {
    %x = arith.constant 1.0 : f32
    %y = arith.addf %x, %x fastmath<contract> : f32
    gpu.return
  }

// CHECK-LABEL: @rounding_mode
// CHECK: error: expected attributes that the emulator knows, but found 'roundingmode'
  gpu.func @rounding_mode() kernel {
    %x = arith.constant 1.0 : f32
    %y = arith.truncf %x to_nearest_even : f32 to bf16
    %z = arith.truncf %x toward_zero : f32 to bf16
    gpu.return
  }

// CHECK-LABEL: @unknown_type
// CHECK: error: expected numbers of i1, i8, i16, i32, i64, index, f32, f16, bf16, f8E4M3FN or f8E8M0FNU, or vectors of them of rank 1, which the emulator knows, but found 'f64'
  gpu.func @unknown_type() kernel {
    %x = arith.constant 1.0 : f64
    gpu.return
  }

// CHECK-LABEL: @type_without_the_op
// CHECK: error: expected types of which the emulator knows 'math.fma', but found 'bf16'
  gpu.func @type_without_the_op() kernel {
    %x = arith.constant 1.0 : bf16
    %y = math.fma %x, %x, %x : bf16
    gpu.return
  }

// CHECK-LABEL: @branches
// CHECK: error: expected one block with structured control flow (scf), but found 2 blocks
  gpu.func @branches() kernel {
    cf.br ^end
  ^end:
    gpu.return
  }

// CHECK-LABEL: @endless_loop
// CHECK: error: expected a loop whose step is a positive constant, but found another
  gpu.func @endless_loop(%step: index) kernel {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    scf.for %i = %c0 to %c4 step %step { }
    gpu.return
  }

// CHECK-LABEL: @dynamic_parameter
// CHECK: error: expected memref parameters of static shape, which are bare pointers, but found 'memref<?xf32>'
  gpu.func @dynamic_parameter(%m: memref<?xf32>) kernel {
    gpu.return
  }
}
