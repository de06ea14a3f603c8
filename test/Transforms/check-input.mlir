// What MLIR's own passes can't take is refused before they see it, in every pipeline.
// RUN: mortar-opt %s --mortar-check-input -split-input-file -verify-diagnostics
// RUN: mortar-opt %s --mortar-fuse -split-input-file -verify-diagnostics
// RUN: mortar-opt %s --mortar-bufferize -split-input-file -verify-diagnostics
// RUN: mortar-opt %s --mortar-to-gpu -split-input-file -verify-diagnostics
// RUN: mortar-opt %s --mortar-to-cpu -split-input-file -verify-diagnostics
// RUN: mortar-opt %s --mortar-to-nvvm -split-input-file -verify-diagnostics
// RUN: mortar-opt %s --mortar-to-llvm -split-input-file -verify-diagnostics

// expected-error @+1 {{'func.func' op expected argument 0 to have at most 2^47 bytes, but found 'tensor<4294967296x4294967296xf32>'}}
func.func @huge(%x: tensor<4294967296x4294967296xf32>) {
  return
}

// -----

func.func @huge_result() {
  // expected-error @+1 {{expected result 0 to have at most 2^47 bytes, but found 'tensor<70368744177665xf32>'}}
  %e = tensor.empty() : tensor<70368744177665xf32>
  return
}

// -----

// Nothing of something huge is nothing.
func.func private @empty(tensor<0x4294967296x4294967296xf32>)

// -----

// expected-error @+1 {{expected a symbol's name of at least one character, but found an empty one}}
"builtin.module"() <{sym_name = ""}> ({^bb0:}) : () -> ()

// -----

// MLIR lets a static extent stand beside a dynamic one here, and prints one type
// for both.
func.func @two_types(%a: tensor<4x64xf32>, %b: tensor<4x?xf32>) -> tensor<4x64xf32> {
  // expected-error @+1 {{'arith.addf' op expected operands of the result's type, 'tensor<4x64xf32>', but found 'tensor<4x?xf32>'}}
  %0 = "arith.addf"(%a, %b) : (tensor<4x64xf32>, tensor<4x?xf32>) -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}
