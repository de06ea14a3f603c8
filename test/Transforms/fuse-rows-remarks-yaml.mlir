// MLIR's own options write the remarks as YAML: in the order of the text, each with a
// plain place, though a kernel of several ops has the places of all.
// RUN: mortar-opt --mortar-fuse-rows --remarks-filter='mortar.*' \
// RUN:   --remark-format=yaml --remarks-output-file=%t.yaml -o /dev/null < %s
// RUN: FileCheck %s --match-full-lines --strict-whitespace --input-file=%t.yaml

//      CHECK:--- !Passed
// CHECK-NEXT:Pass:            mortar-fusion
// CHECK-NEXT:Name:            kernel
// CHECK-NEXT:DebugLoc:        { File: {{.*}}, Line: 44, Column: 8 }
// CHECK-NEXT:Function:        remarks
// CHECK-NEXT:Args:
// CHECK-NEXT:  - Remark:          'one kernel of residual_add+rms_norm'
// CHECK-NEXT:...
// CHECK-NEXT:--- !Passed
// CHECK-NEXT:Pass:            mortar-fusion
// CHECK-NEXT:Name:            kernel
// CHECK-NEXT:DebugLoc:        { File: {{.*}}, Line: 45, Column: 8 }
// CHECK-NEXT:Function:        remarks
// CHECK-NEXT:Args:
// CHECK-NEXT:  - Remark:          one kernel of residual_add
// CHECK-NEXT:...
// CHECK-NEXT:--- !Missed
// CHECK-NEXT:Pass:            mortar-fusion
// CHECK-NEXT:Name:            element-type
// CHECK-NEXT:DebugLoc:        { File: {{.*}}, Line: 46, Column: 8 }
// CHECK-NEXT:Function:        remarks
// CHECK-NEXT:Args:
// CHECK-NEXT:  - Remark:          extf not fused
// CHECK-NEXT:  - Reason:          'rows hold f32, f16 or bf16, found tensor<64xf64>'
// CHECK-NEXT:...
// CHECK-NEXT:--- !Missed
// CHECK-NEXT:Pass:            mortar-fusion
// CHECK-NEXT:Name:            unknown-attribute
// CHECK-NEXT:DebugLoc:        { File: {{.*}}, Line: 48, Column: 8 }
// CHECK-NEXT:Function:        remarks
// CHECK-NEXT:Args:
// CHECK-NEXT:  - Remark:          mulf not fused
// CHECK-NEXT:  - Reason:          fastmath flags would let bits depend on the schedule
// CHECK-NEXT:  - Suggestion:      remove the flags
// CHECK-NEXT:...
//  CHECK-NOT:{{.+}}
func.func @remarks(%x: tensor<4x64xf32>, %w: tensor<64xf32>) -> (tensor<4x64xf32>, tensor<64xf64>, tensor<4x64xf32>) {
  %a = mortar.residual_add %x, %x : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %v = mortar.residual_add %w, %w : (tensor<64xf32>, tensor<64xf32>) -> tensor<64xf32>
  %d = arith.extf %v : tensor<64xf32> to tensor<64xf64>
  %n = mortar.rms_norm %a epsilon(1.0e-6) : (tensor<4x64xf32>) -> tensor<4x64xf32>
  %m = arith.mulf %n, %n fastmath<reassoc> : tensor<4x64xf32>
  return %n, %d, %m : tensor<4x64xf32>, tensor<64xf64>, tensor<4x64xf32>
}
