// Sums and maxima of groups, in one warp, over several of a thread's chunks, over warps, and
// of sizes that are no power of two: the same bits on both lowerings.
// RUN: mortar-run %s --rows=1,3,17 --values=hard --compare=cpu,aligned --device=emulate --summary | FileCheck %s
// RUN: mortar-run %s --rows=1,3,17 --device=emulate --offset=1 --pad=3 --compare=cpu | FileCheck %s
// CHECK: 0 differ
// CHECK-NOT: {{[1-9][0-9]*}} differ

func.func @groups_4096_128_sum(%x: tensor<?x4096xbf16>) -> tensor<?x4096xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x4096xbf16>
  %e = tensor.empty(%rows) : tensor<?x4096xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x4096xbf16>) outs(row %e : tensor<?x4096xf32>) {
    %f = arith.extf %a : vector<4096xbf16> to vector<4096xf32>
    %r = mortar.row_reduce <sum> %f : vector<4096xf32> -> vector<32xf32>
    %two = arith.constant dense<2.0> : vector<32xf32>
    %d = arith.divf %r, %two : vector<32xf32>
    %b = mortar.row_broadcast %d : vector<32xf32> -> vector<4096xf32>
    %p = arith.subf %f, %b : vector<4096xf32>
    mortar.yield %p : vector<4096xf32>
  } -> tensor<?x4096xf32>
  return %y : tensor<?x4096xf32>
}

func.func @groups_4096_64_max(%x: tensor<?x4096xbf16>) -> tensor<?x4096xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x4096xbf16>
  %e = tensor.empty(%rows) : tensor<?x4096xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x4096xbf16>) outs(row %e : tensor<?x4096xf32>) {
    %f = arith.extf %a : vector<4096xbf16> to vector<4096xf32>
    %r = mortar.row_reduce <max> %f : vector<4096xf32> -> vector<64xf32>
    %two = arith.constant dense<2.0> : vector<64xf32>
    %d = arith.divf %r, %two : vector<64xf32>
    %b = mortar.row_broadcast %d : vector<64xf32> -> vector<4096xf32>
    %p = arith.subf %f, %b : vector<4096xf32>
    mortar.yield %p : vector<4096xf32>
  } -> tensor<?x4096xf32>
  return %y : tensor<?x4096xf32>
}

func.func @groups_768_8_sum(%x: tensor<?x768xf32>) -> tensor<?x768xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x768xf32>
  %e = tensor.empty(%rows) : tensor<?x768xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x768xf32>) outs(row %e : tensor<?x768xf32>) {
    %r = mortar.row_reduce <sum> %a : vector<768xf32> -> vector<96xf32>
    %two = arith.constant dense<2.0> : vector<96xf32>
    %d = arith.divf %r, %two : vector<96xf32>
    %b = mortar.row_broadcast %d : vector<96xf32> -> vector<768xf32>
    %p = arith.subf %a, %b : vector<768xf32>
    mortar.yield %p : vector<768xf32>
  } -> tensor<?x768xf32>
  return %y : tensor<?x768xf32>
}

func.func @groups_4096_2048_sum(%x: tensor<?x4096xbf16>) -> tensor<?x4096xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x4096xbf16>
  %e = tensor.empty(%rows) : tensor<?x4096xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x4096xbf16>) outs(row %e : tensor<?x4096xf32>) {
    %f = arith.extf %a : vector<4096xbf16> to vector<4096xf32>
    %r = mortar.row_reduce <sum> %f : vector<4096xf32> -> vector<2xf32>
    %two = arith.constant dense<2.0> : vector<2xf32>
    %d = arith.divf %r, %two : vector<2xf32>
    %b = mortar.row_broadcast %d : vector<2xf32> -> vector<4096xf32>
    %p = arith.subf %f, %b : vector<4096xf32>
    mortar.yield %p : vector<4096xf32>
  } -> tensor<?x4096xf32>
  return %y : tensor<?x4096xf32>
}

func.func @groups_16384_4096_sum(%x: tensor<?x16384xbf16>) -> tensor<?x16384xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x16384xbf16>
  %e = tensor.empty(%rows) : tensor<?x16384xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x16384xbf16>) outs(row %e : tensor<?x16384xf32>) {
    %f = arith.extf %a : vector<16384xbf16> to vector<16384xf32>
    %r = mortar.row_reduce <sum> %f : vector<16384xf32> -> vector<4xf32>
    %two = arith.constant dense<2.0> : vector<4xf32>
    %d = arith.divf %r, %two : vector<4xf32>
    %b = mortar.row_broadcast %d : vector<4xf32> -> vector<16384xf32>
    %p = arith.subf %f, %b : vector<16384xf32>
    mortar.yield %p : vector<16384xf32>
  } -> tensor<?x16384xf32>
  return %y : tensor<?x16384xf32>
}

func.func @groups_2048_1024_max(%x: tensor<?x2048xf32>) -> tensor<?x2048xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x2048xf32>
  %e = tensor.empty(%rows) : tensor<?x2048xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x2048xf32>) outs(row %e : tensor<?x2048xf32>) {
    %r = mortar.row_reduce <max> %a : vector<2048xf32> -> vector<2xf32>
    %two = arith.constant dense<2.0> : vector<2xf32>
    %d = arith.divf %r, %two : vector<2xf32>
    %b = mortar.row_broadcast %d : vector<2xf32> -> vector<2048xf32>
    %p = arith.subf %a, %b : vector<2048xf32>
    mortar.yield %p : vector<2048xf32>
  } -> tensor<?x2048xf32>
  return %y : tensor<?x2048xf32>
}

func.func @groups_960_96_sum(%x: tensor<?x960xbf16>) -> tensor<?x960xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x960xbf16>
  %e = tensor.empty(%rows) : tensor<?x960xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x960xbf16>) outs(row %e : tensor<?x960xf32>) {
    %f = arith.extf %a : vector<960xbf16> to vector<960xf32>
    %r = mortar.row_reduce <sum> %f : vector<960xf32> -> vector<10xf32>
    %two = arith.constant dense<2.0> : vector<10xf32>
    %d = arith.divf %r, %two : vector<10xf32>
    %b = mortar.row_broadcast %d : vector<10xf32> -> vector<960xf32>
    %p = arith.subf %f, %b : vector<960xf32>
    mortar.yield %p : vector<960xf32>
  } -> tensor<?x960xf32>
  return %y : tensor<?x960xf32>
}

func.func @groups_105_7_sum(%x: tensor<?x105xf32>) -> tensor<?x105xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x105xf32>
  %e = tensor.empty(%rows) : tensor<?x105xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x105xf32>) outs(row %e : tensor<?x105xf32>) {
    %r = mortar.row_reduce <sum> %a : vector<105xf32> -> vector<15xf32>
    %two = arith.constant dense<2.0> : vector<15xf32>
    %d = arith.divf %r, %two : vector<15xf32>
    %b = mortar.row_broadcast %d : vector<15xf32> -> vector<105xf32>
    %p = arith.subf %a, %b : vector<105xf32>
    mortar.yield %p : vector<105xf32>
  } -> tensor<?x105xf32>
  return %y : tensor<?x105xf32>
}

func.func @groups_5760_1920_sum(%x: tensor<?x5760xf16>) -> tensor<?x5760xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x5760xf16>
  %e = tensor.empty(%rows) : tensor<?x5760xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x5760xf16>) outs(row %e : tensor<?x5760xf32>) {
    %f = arith.extf %a : vector<5760xf16> to vector<5760xf32>
    %r = mortar.row_reduce <sum> %f : vector<5760xf32> -> vector<3xf32>
    %two = arith.constant dense<2.0> : vector<3xf32>
    %d = arith.divf %r, %two : vector<3xf32>
    %b = mortar.row_broadcast %d : vector<3xf32> -> vector<5760xf32>
    %p = arith.subf %f, %b : vector<5760xf32>
    mortar.yield %p : vector<5760xf32>
  } -> tensor<?x5760xf32>
  return %y : tensor<?x5760xf32>
}

func.func @groups_6_3_sum(%x: tensor<?x6xf32>) -> tensor<?x6xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x6xf32>
  %e = tensor.empty(%rows) : tensor<?x6xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x6xf32>) outs(row %e : tensor<?x6xf32>) {
    %r = mortar.row_reduce <sum> %a : vector<6xf32> -> vector<2xf32>
    %two = arith.constant dense<2.0> : vector<2xf32>
    %d = arith.divf %r, %two : vector<2xf32>
    %b = mortar.row_broadcast %d : vector<2xf32> -> vector<6xf32>
    %p = arith.subf %a, %b : vector<6xf32>
    mortar.yield %p : vector<6xf32>
  } -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

func.func @groups_7168_128_sum(%x: tensor<?x7168xbf16>) -> tensor<?x7168xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x7168xbf16>
  %e = tensor.empty(%rows) : tensor<?x7168xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x7168xbf16>) outs(row %e : tensor<?x7168xf32>) {
    %f = arith.extf %a : vector<7168xbf16> to vector<7168xf32>
    %r = mortar.row_reduce <sum> %f : vector<7168xf32> -> vector<56xf32>
    %two = arith.constant dense<2.0> : vector<56xf32>
    %d = arith.divf %r, %two : vector<56xf32>
    %b = mortar.row_broadcast %d : vector<56xf32> -> vector<7168xf32>
    %p = arith.subf %f, %b : vector<7168xf32>
    mortar.yield %p : vector<7168xf32>
  } -> tensor<?x7168xf32>
  return %y : tensor<?x7168xf32>
}

func.func @groups_512_256_sum(%x: tensor<?x512xf16>) -> tensor<?x512xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x512xf16>
  %e = tensor.empty(%rows) : tensor<?x512xf32>
  %y = mortar.fused ins(%a = row %x : tensor<?x512xf16>) outs(row %e : tensor<?x512xf32>) {
    %f = arith.extf %a : vector<512xf16> to vector<512xf32>
    %r = mortar.row_reduce <sum> %f : vector<512xf32> -> vector<2xf32>
    %two = arith.constant dense<2.0> : vector<2xf32>
    %d = arith.divf %r, %two : vector<2xf32>
    %b = mortar.row_broadcast %d : vector<2xf32> -> vector<512xf32>
    %p = arith.subf %f, %b : vector<512xf32>
    mortar.yield %p : vector<512xf32>
  } -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}

