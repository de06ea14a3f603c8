// The scales of groups lie by row or by column, as the caller's strides say: the same bits.
// RUN: mortar-run %s --rows=0,1,3,17 --values=hard --column-major --compare=aligned,unfused,interpret | FileCheck %s
// RUN: mortar-run %s --rows=1,3,17 --values=hard --column-major --offset=1 --pad=3 --compare=aligned,unfused --target=x86-64-v3 | FileCheck %s
// RUN: mortar-run %s --rows=1,3,17 --values=hard --column-major --device=emulate --compare=cpu,aligned,unfused | FileCheck %s
// RUN: mortar-run %s --rows=1,3,17 --column-major --device=emulate --offset=1 --pad=3 --few-rows=0 --order=7 --compare=cpu,aligned | FileCheck %s
// RUN: mortar-opt %s --mortar-fuse --mortar-to-gpu | FileCheck %s --check-prefix=GPU
// RUN: mortar-opt %s --mortar-fuse --mortar-to-cpu | FileCheck %s --check-prefix=CPU

// CHECK-NOT: {{ [1-9][0-9]* differ}}
// CHECK: by_128
// CHECK: result 1  f32 [17, 8] column-major  checksum
// CHECK-NOT: {{ [1-9][0-9]* differ}}
// CHECK: by_64_ue8m0
// CHECK: result 2  f8e8m0 [17, 16] column-major  checksum
// CHECK-NOT: {{ [1-9][0-9]* differ}}
// CHECK: heads
// CHECK: result 1  f32 [17, 4, 3] column-major  checksum
// CHECK-NOT: {{ [1-9][0-9]* differ}}
// CHECK: scales_in
// CHECK: result 1  f32 [17, 4] column-major  checksum
// CHECK-NOT: {{ [1-9][0-9]* differ}}
// CHECK: read_as_rows
// CHECK: result 1  f32 [17, 4]  checksum
// CHECK-NOT: {{ [1-9][0-9]* differ}}
// CHECK: one_group
// CHECK: result 1  f32 [17, 1]  checksum
// CHECK-NOT: {{ [1-9][0-9]* differ}}

// The kernel takes the distance from a group to the next: one multiplication, and one
// kernel for all strides.
// GPU-LABEL: gpu.func @silu_and_mul_quantize_dynamic_1024_f8E4M3FN_x8
// GPU: memref.reinterpret_cast %{{.*}} to offset: [%{{.*}}], sizes: [%{{.*}}, 8], strides: [%{{[^,]*}}, %{{[^,]*}}] : memref<f32> to memref<?x8xf32, strided<[?, ?], offset: ?>>
// CPU-LABEL: func.func @by_128(
// CPU: %[[S:.*]] = memref.reinterpret_cast %arg2 {{.*}} to memref<?x8xf32, strided<[?, ?], offset: ?>>
// CPU: memref.store %{{.*}}, %[[S]][
func.func @by_128(%x: tensor<?x2048xbf16>) -> (tensor<?x1024xf8E4M3FN>, tensor<?x8xf32>) {
  %y = mortar.silu_and_mul %x limit(1.0e1) : (tensor<?x2048xbf16>) -> tensor<?x1024xbf16>
  %q, %s = mortar.quantize_dynamic %y group_size(128) : (tensor<?x1024xbf16>) -> (tensor<?x1024xf8E4M3FN>, tensor<?x8xf32>)
  return %q, %s : tensor<?x1024xf8E4M3FN>, tensor<?x8xf32>
}

func.func @by_64_ue8m0(%x: tensor<?x1024xbf16>, %r: tensor<?x1024xbf16>, %w: tensor<1024xbf16> {mortar.constant})
    -> (tensor<?x1024xbf16>, tensor<?x1024xf8E4M3FN>, tensor<?x16xf8E8M0FNU>) {
  %s = mortar.residual_add %x, %r : (tensor<?x1024xbf16>, tensor<?x1024xbf16>) -> tensor<?x1024xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<?x1024xbf16>, tensor<1024xbf16>) -> tensor<?x1024xbf16>
  %q, %t = mortar.quantize_dynamic %n group_size(64) ue8m0 : (tensor<?x1024xbf16>) -> (tensor<?x1024xf8E4M3FN>, tensor<?x16xf8E8M0FNU>)
  return %s, %q, %t : tensor<?x1024xbf16>, tensor<?x1024xf8E4M3FN>, tensor<?x16xf8E8M0FNU>
}

// Rows in two dimensions, groups of an odd size.
func.func @heads(%x: tensor<?x4x111xf16>) -> (tensor<?x4x111xi8>, tensor<?x4x3xf32>) {
  %q, %s = mortar.quantize_dynamic %x group_size(37) : (tensor<?x4x111xf16>) -> (tensor<?x4x111xi8>, tensor<?x4x3xf32>)
  return %q, %s : tensor<?x4x111xi8>, tensor<?x4x3xf32>
}

// Scales that come from outside, and others that leave.
func.func @scales_in(%q: tensor<?x256xf8E4M3FN>, %s: tensor<?x4xf32>) -> (tensor<?x256xf8E4M3FN>, tensor<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %q, %c0 : tensor<?x256xf8E4M3FN>
  %e = tensor.empty(%rows) : tensor<?x256xf32>
  %y = mortar.fused ins(%a = row %q, %g = group_scalar %s : tensor<?x256xf8E4M3FN>, tensor<?x4xf32>) outs(row %e : tensor<?x256xf32>) {
    %f = arith.extf %a : vector<256xf8E4M3FN> to vector<256xf32>
    %b = mortar.row_broadcast %g : vector<4xf32> -> vector<256xf32>
    %p = arith.mulf %f, %b : vector<256xf32>
    mortar.yield %p : vector<256xf32>
  } -> tensor<?x256xf32>
  %z, %t = mortar.quantize_dynamic %y group_size(64) : (tensor<?x256xf32>) -> (tensor<?x256xf8E4M3FN>, tensor<?x4xf32>)
  return %z, %t : tensor<?x256xf8E4M3FN>, tensor<?x4xf32>
}

// What an op reads as rows stays row-major.
func.func @read_as_rows(%x: tensor<?x256xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?x4xf32>, tensor<?x4xf32>) {
  %q, %s = mortar.quantize_dynamic %x group_size(64) : (tensor<?x256xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?x4xf32>)
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %q, %s, %n : tensor<?x256xf8E4M3FN>, tensor<?x4xf32>, tensor<?x4xf32>
}

// One value a row has no distance to the next.
func.func @one_group(%x: tensor<?x256xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?x1xf32>) {
  %q, %s = mortar.quantize_dynamic %x group_size(256) : (tensor<?x256xbf16>) -> (tensor<?x256xf8E4M3FN>, tensor<?x1xf32>)
  return %q, %s : tensor<?x256xf8E4M3FN>, tensor<?x1xf32>
}
