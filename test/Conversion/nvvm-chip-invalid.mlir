// RUN: mortar-opt %s -verify-diagnostics --mortar-to-nvvm=chip=gfx90a

// expected-error @+1 {{expected a chip such as sm_90, but found 'gfx90a'}}
gpu.module @kernels {
  gpu.func @nothing() kernel {
    gpu.return
  }
}
