// Functions are fused in parallel. What is reported of them comes in their order, each
// once, whichever thread was first.
//
// REQUIRES: mortar-run
// RUN: sed -n 's|^// FUNC ||p' %s > %t.one
// RUN: python3 -c "import sys; [print(open(sys.argv[1]).read().replace('NUMBER', str(i))) for i in range(300)]" %t.one > %t.mlir
// RUN: mortar-run %t.mlir --entry=f0 --summary > %t.1
// RUN: mortar-run %t.mlir --entry=f0 --summary > %t.2
// RUN: mortar-run %t.mlir --entry=f0 --summary > %t.3
// RUN: mortar-run %t.mlir --entry=f0 --summary > %t.4
// RUN: diff %t.1 %t.2
// RUN: diff %t.1 %t.3
// RUN: diff %t.1 %t.4
// RUN: grep -c dtype-rule %t.1 | FileCheck %s
// CHECK: 300

// FUNC func.func @fNUMBER(%x: tensor<?x8xbf16>, %w: tensor<8xf32>) -> tensor<?x8xbf16> {
// FUNC   %a = mortar.residual_add %x, %x
// FUNC     : (tensor<?x8xbf16>, tensor<?x8xbf16>) -> tensor<?x8xbf16>
// FUNC   %n = mortar.rms_norm %a weight(%w) epsilon(1.0e-6)
// FUNC     : (tensor<?x8xbf16>, tensor<8xf32>) -> tensor<?x8xbf16>
// FUNC   return %n : tensor<?x8xbf16>
// FUNC }
