// Whatever a location holds, code generation is left the line of a file: debug info takes
// call sites, and what is fused without a line, for scopes that aren't there.
// RUN: mortar-opt %s --mortar-locations-to-lines -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s
// RUN: mortar-compile %s --emit=nothing
// RUN: mortar-compile %s --emit=nothing --target=x86-64-v3

// CHECK-LABEL: func.func @call_site
// CHECK: mortar.rms_norm {{.*}} loc("model.py":7:3)
func.func @call_site(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %0 = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
    loc(callsite("norm"("model.py":7:3) at "main.py":1:1))
  return %0 : tensor<?x64xbf16> loc(callsite("model.py":8:3 at "main.py":1:1))
}

// CHECK-LABEL: func.func @fused
// CHECK: mortar.rms_norm {{.*}} loc("add")
func.func @fused(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {
  %0 = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<?x64xbf16>) -> tensor<?x64xbf16>
    loc(fused<"of">["add", unknown])
  return %0 : tensor<?x64xbf16> loc(fused<"nothing">[unknown])
}
