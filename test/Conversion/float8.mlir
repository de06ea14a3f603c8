// fp8 is stored by integer operations on a CPU and before sm_89, by cvt since; read back by
// integer operations everywhere. Whatever is above 448 must have been clamped.
// RUN: mortar-run %s --rows=1,3,17 --values=hard --compare=cpu,aligned --device=emulate | FileCheck %s
// RUN: mortar-run %s --rows=1,3,17 --device=interpret --values=hard --compare=cpu | FileCheck %s
// RUN: mortar-opt %s --mortar-fuse --mortar-to-gpu --mortar-to-nvvm | FileCheck %s --check-prefix=SM90
// RUN: mortar-opt %s --mortar-fuse --mortar-to-gpu --mortar-to-nvvm=chip=sm_80 | FileCheck %s --check-prefix=SM80
// CHECK: 0 differ
// CHECK-NOT: {{[1-9][0-9]*}} differ
// SM90: nvvm.convert.f32x2.to.f8x2
// SM80-NOT: f8x2

func.func @store_f8(%x: tensor<?x512xf32>) -> tensor<?x512xf8E4M3FN> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x512xf32>
  %e = tensor.empty(%rows) : tensor<?x512xf8E4M3FN>
  %y = mortar.fused ins(%a = row %x : tensor<?x512xf32>) outs(row %e : tensor<?x512xf8E4M3FN>) {
    %most = arith.constant dense<448.0> : vector<512xf32>
    %least = arith.constant dense<-448.0> : vector<512xf32>
    %b = arith.minimumf %a, %most : vector<512xf32>
    %c = arith.maximumf %b, %least : vector<512xf32>
    %d = arith.truncf %c : vector<512xf32> to vector<512xf8E4M3FN>
    mortar.yield %d : vector<512xf8E4M3FN>
  } -> tensor<?x512xf8E4M3FN>
  return %y : tensor<?x512xf8E4M3FN>
}

func.func @load_f8(%x: tensor<?x768xf8E4M3FN>) -> tensor<?x768xbf16> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x768xf8E4M3FN>
  %e = tensor.empty(%rows) : tensor<?x768xbf16>
  %y = mortar.fused ins(%a = row %x : tensor<?x768xf8E4M3FN>) outs(row %e : tensor<?x768xbf16>) {
    %b = arith.extf %a : vector<768xf8E4M3FN> to vector<768xf32>
    %c = arith.truncf %b : vector<768xf32> to vector<768xbf16>
    mortar.yield %c : vector<768xbf16>
  } -> tensor<?x768xbf16>
  return %y : tensor<?x768xbf16>
}

// What upstream folds the casts to: one from i8 to a narrow float.
func.func @load_i8(%x: tensor<?x33xi8>) -> (tensor<?x33xbf16>, tensor<?x33xf16>) {
  %f = arith.sitofp %x : tensor<?x33xi8> to tensor<?x33xf32>
  %b = arith.truncf %f : tensor<?x33xf32> to tensor<?x33xbf16>
  %h = arith.truncf %f : tensor<?x33xf32> to tensor<?x33xf16>
  %c = mortar.residual_add %b, %b : (tensor<?x33xbf16>, tensor<?x33xbf16>) -> tensor<?x33xbf16>
  %d = mortar.residual_add %h, %h : (tensor<?x33xf16>, tensor<?x33xf16>) -> tensor<?x33xf16>
  return %c, %d : tensor<?x33xbf16>, tensor<?x33xf16>
}
