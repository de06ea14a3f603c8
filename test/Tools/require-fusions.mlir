// --require-fusions holds kernels together: whatever did not fuse is an error at its place.
// REQUIRES: mortar-compile
// RUN: rm -rf %t && split-file %s %t
// RUN: mortar-compile %t/fused.mlir --quiet --require-fusions -o %t/yes && test -e %t/yes
// RUN: not mortar-compile %t/apart.mlir --quiet --require-fusions -o %t/no 2>&1 | FileCheck %s --check-prefixes=DTYPE,WIDE --implicit-check-not=error:
// RUN: not mortar-compile --require-fusions --target=host --emit=object %t/apart.mlir -o %t/no 2>&1 | FileCheck %s --check-prefixes=DTYPE,WIDE --implicit-check-not=error:
// RUN: not mortar-compile %t/apart.mlir --require-fusions=except:dtype-rule,budget -o %t/no 2>&1 | FileCheck %s --check-prefix=WIDE --implicit-check-not=error:
// RUN: not mortar-compile %t/fused.mlir --require-fusions --no-fuse -o %t/no 2>&1 | FileCheck %s --check-prefix=OFF
// RUN: not mortar-compile %t/fused.mlir --require-fusions=2 -o %t/no 2>&1 | FileCheck %s --check-prefix=NUMBER
// RUN: not mortar-compile %t/fused.mlir --require-fusions=except: -o %t/no 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not test -e %t/no
// RUN: mortar-compile %t/apart.mlir --quiet --require-fusions=except:dtype-rule,wide-reduction -o %t/yet && test -e %t/yet

// DTYPE: apart.mlir:3:8: error: expected every candidate to fuse, but found residual_add -> rms_norm not fused: the norm's row is made of bf16, and its weight is f32 [dtype-rule]
// DTYPE: apart.mlir:3:8: note: what may help: give the weight the rows' type, or set mixed-dtypes=fuse
// WIDE: apart.mlir:8:8: error: expected every candidate to fuse, but found rms_norm -> silu_and_mul not fused: a row of 64 values is reduced and then read by halves, which other threads hold [wide-reduction]
// OFF: error: expected fusing to be on where fusions are required, but found it off
// NUMBER: mortar-compile: expected --require-fusions or --require-fusions=except:budget,..., but found '2' (--min-fusions takes a number)
// NONE: mortar-compile: expected --require-fusions or --require-fusions=except:budget,..., but found 'except:'

//--- fused.mlir
func.func @f(%x: tensor<?x64xbf16>, %w: tensor<64xbf16>) -> tensor<?x64xbf16> {
  %s = mortar.residual_add %x, %x : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<?x64xbf16>, tensor<64xbf16>) -> tensor<?x64xbf16>
  return %n : tensor<?x64xbf16>
}

// A kernel alone is nothing that did not fuse.
func.func @alone(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  return %n : tensor<?x64xbf16>
}

//--- apart.mlir
func.func @mixed(%x: tensor<?x64xbf16>, %v: tensor<64xf32>) -> tensor<?x64xbf16> {
  %s = mortar.residual_add %x, %x : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %m = mortar.rms_norm %s weight(%v) epsilon(1.0e-6) : (tensor<?x64xbf16>, tensor<64xf32>) -> tensor<?x64xbf16>
  return %m : tensor<?x64xbf16>
}
func.func @halves(%x: tensor<?x64xbf16>) -> tensor<?x32xbf16> {
  %m = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %y = mortar.silu_and_mul %m : (tensor<?x64xbf16>) -> tensor<?x32xbf16>
  return %y : tensor<?x32xbf16>
}
