// REQUIRES: mortar-run
// All that mortar-run compares works on the emulator.
// RUN: mortar-run %s --device=emulate --entry=layer --rows=0,1,257 --compare=unfused,cpu,aligned --offset=3 --pad=5 --values=hard | FileCheck %s --check-prefix=COMPARE
// RUN: mortar-run %s --device=emulate --entry=layer --rows=9 --compare=cpu --few-rows=0 --order=3 --target=sm_80 | FileCheck %s --check-prefix=ORDER
// RUN: not mortar-run %s --device=emulate --time=3 2>&1 | FileCheck %s --check-prefix=TIME
// RUN: not mortar-run %s --device=emulate --target=host 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not mortar-run %s --device=emulate --few-rows=-1 2>&1 | FileCheck %s --check-prefix=FEW
// RUN: not mortar-run %s --few-rows=5 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not mortar-run %s --order=5 2>&1 | FileCheck %s --check-prefix=CPU-ORDER

// COMPARE-COUNT-3: layer
// COMPARE-NOT: {{[1-9][0-9]*}} differ
// COMPARE: = aligned result 1 32896 elements 0 differ
// ORDER: = cpu result 1 1152 elements 0 differ
// TIME: error: expected no --time for --device=emulate, whose time says nothing of a GPU's; --summary counts what it does
// TARGET: error: expected a --target like sm_90 for --device=emulate, but found 'host'
// FEW: error: expected few-rows of at least 0, but found -1
// CPU: error: expected --few-rows for --device=gpu or emulate only
// CPU-ORDER: error: expected --order for --device=emulate only

func.func @layer(%x: tensor<?x128xbf16>, %r: tensor<?x128xbf16>, %w: tensor<128xbf16>)
    -> (tensor<?x128xbf16>, tensor<?x128xbf16>) {
  %s = mortar.residual_add %x, %r
    : (tensor<?x128xbf16>, tensor<?x128xbf16>) -> tensor<?x128xbf16>
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x128xbf16>, tensor<128xbf16>) -> tensor<?x128xbf16>
  return %y, %s : tensor<?x128xbf16>, tensor<?x128xbf16>
}
