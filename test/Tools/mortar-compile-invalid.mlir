// Ops that can't be lowered are errors at the op, and no file is written.
// RUN: rm -rf %t && split-file %s %t
// RUN: not mortar-compile %t/dynamic.mlir -o %t/no 2>&1 | FileCheck %s --check-prefix=DYNAMIC
// RUN: not mortar-compile %t/unknown.mlir -o %t/no 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not mortar-compile %t/nothing.mlir -o %t/no 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not mortar-compile %t/syntax.mlir -o %t/no 2>&1 | FileCheck %s --check-prefix=SYNTAX
// RUN: not mortar-compile %t/verify.mlir -o %t/no 2>&1 | FileCheck %s --check-prefix=VERIFY
// RUN: not mortar-compile %t/type.mlir -o %t/no 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not mortar-compile %t/memrefs.mlir -o %t/no 2>&1 | FileCheck %s --check-prefix=MEMREFS
// RUN: not test -e %t/no

//--- dynamic.mlir
// DYNAMIC: dynamic.mlir:4:8: error: 'mortar.rms_norm' was not lowered: a row's length must be static
// DYNAMIC-SAME: tensor<?x?xbf16>
func.func @f(%x: tensor<?x?xbf16>) -> tensor<?x?xbf16> {
  %0 = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x?xbf16>) -> tensor<?x?xbf16>
  return %0 : tensor<?x?xbf16>
}

//--- unknown.mlir
// UNKNOWN: error: 'mortar.rms_norm' was not lowered: the attribute 'clamp' may change what the op means
func.func @f(%x: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %0 = mortar.rms_norm %x epsilon(1.0e-6) {clamp = 1} : (tensor<?x8xbf16>) -> tensor<?x8xbf16>
  return %0 : tensor<?x8xbf16>
}

//--- nothing.mlir
// NOTHING: error: expected at least one op of Mortar's in a function, but found none
func.func @f(%x: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  return %x : tensor<?x8xbf16>
}

//--- syntax.mlir
// SYNTAX: syntax.mlir:2:1: error:
potato

//--- verify.mlir
// VERIFY: error: 'mortar.rms_norm' op (C2) expected a finite epsilon greater than 0, but found 0.000000e+00
func.func @f(%x: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %0 = mortar.rms_norm %x epsilon(0.0) : (tensor<?x8xbf16>) -> tensor<?x8xbf16>
  return %0 : tensor<?x8xbf16>
}

//--- type.mlir
// TYPE: error: expected argument 0 to be a memref of f32, f16, bf16, f8E4M3FN, i8, i32 or i64, but found 'memref<?x8xi16
func.func @f(%x: tensor<?x8xi16>) -> tensor<?x8xi16> {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?x8xi16>
  %e = tensor.empty(%d) : tensor<?x8xi16>
  %0 = mortar.fused ins(%a = row %x : tensor<?x8xi16>) outs(row %e : tensor<?x8xi16>) {
    mortar.yield %a : vector<8xi16>
  } -> tensor<?x8xi16>
  return %0 : tensor<?x8xi16>
}

//--- memrefs.mlir
// MEMREFS: memrefs.mlir:3:3: error: expected regions on tensors, whose results become an entry's, but found one on memrefs
func.func @f(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  mortar.fused ins(%a = row %x : memref<?x8xf32>) outs(row %y : memref<?x8xf32>) {
    mortar.yield %a : vector<8xf32>
  }
  return
}
