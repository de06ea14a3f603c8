// RUN: mortar-opt %s --convert-mortar-to-cpu | FileCheck %s

// A comparison of bf16 is one of f32, with the result that it had.
// CHECK-LABEL: func.func @larger(
// CHECK: %[[C:.*]] = arith.cmpf ogt, %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: arith.select %[[C]], %{{.*}}, %{{.*}} : vector<16xi1>, vector<16xf32>
func.func @larger(%x: memref<?x16xbf16>, %y: memref<?x16xbf16>, %z: memref<?x16xbf16>) {
  mortar.fused ins(%a = row %x, %b = row %y : memref<?x16xbf16>, memref<?x16xbf16>)
               outs(row %z : memref<?x16xbf16>) {
    %c = arith.cmpf ogt, %a, %b : vector<16xbf16>
    %s = arith.select %c, %a, %b : vector<16xi1>, vector<16xbf16>
    mortar.yield %s : vector<16xbf16>
  }
  return
}
