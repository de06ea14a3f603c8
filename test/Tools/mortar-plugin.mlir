// REQUIRES: mortar-plugin
// A stock mlir-opt fuses and lowers, given the plugin, and prints the remarks.

// RUN: %stock-mlir-opt %s --load-dialect-plugin=%mortar-plugin --load-pass-plugin=%mortar-plugin \
// RUN:   --pass-pipeline='builtin.module(mortar-fuse)' | FileCheck %s
// RUN: %stock-mlir-opt %s --load-dialect-plugin=%mortar-plugin --load-pass-plugin=%mortar-plugin \
// RUN:   --pass-pipeline='builtin.module(mortar{target=sm_90})' | FileCheck %s --check-prefix=GPU
// RUN: %stock-mlir-opt %s --load-dialect-plugin=%mortar-plugin --load-pass-plugin=%mortar-plugin \
// RUN:   --pass-pipeline='builtin.module(mortar{target=host})' | FileCheck %s --check-prefix=CPU
// RUN: %stock-mlir-opt %s --load-dialect-plugin=%mortar-plugin --load-pass-plugin=%mortar-plugin \
// RUN:   --pass-pipeline='builtin.module(mortar-fuse)' --remarks-filter='mortar.*' 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// CHECK: mortar.fused
// CHECK-NOT: mortar.fused
// GPU: nvvm.kernel
// CPU: llvm.func @layer
// REMARK: one kernel of residual_add+rms_norm
func.func @layer(%x: tensor<?x4096xbf16>, %r: tensor<?x4096xbf16>, %w: tensor<4096xbf16>)
    -> tensor<?x4096xbf16> {
  %s = mortar.residual_add %x, %r
    : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6)
    : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
  return %n : tensor<?x4096xbf16>
}
