// The remarks as JSON: the same text in a file, in the artifact, and as read back from it.
// REQUIRES: mortar-compile, mortar-run
// RUN: rm -rf %t && mkdir %t
// RUN: mortar-compile %s --quiet --no-cubin -o %t/a.mortar --remarks=%t/a.json
// RUN: FileCheck %s --match-full-lines --input-file=%t/a.json
// RUN: mortar-compile %s --quiet --emit=nothing --remarks=- | diff %t/a.json -
// RUN: mortar-compile %s --quiet --target=host --emit=nothing --remarks=- | diff %t/a.json -
// RUN: python3 -c "import sys; a, b = (open(p, 'rb').read() for p in sys.argv[1:]); sys.exit(b not in a)" %t/a.mortar %t/a.json
//
// It is read back before the device is asked for, which may not be there.
// RUN: mortar-run %t/a.mortar --device=gpu --summary > %t/out || true
// RUN: FileCheck %s --match-full-lines --input-file=%t/out
//
// RUN: not mortar-compile %s --quiet -o %t/no --remarks=%t/no/such/folder 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not mortar-compile %s --quiet -o %t/no --remarks=%t 2>&1 | FileCheck %s --check-prefix=IS-FOLDER
// RUN: not mortar-compile %s --quiet -o - --remarks=- 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: not test -e %t/no
// FOLDER: mortar-compile: expected to write '{{.*}}/no/such/folder', but: {{.*}}No such file or directory
// IS-FOLDER: mortar-compile: expected to write '{{.*}}', but: Is a directory
// BOTH: mortar-compile: expected -o and --remarks to be two files, but found '-' for both

//      CHECK: {
// CHECK-NEXT:   "functions": [
// CHECK-NEXT:     {
// CHECK-NEXT:       "kernels": [
// CHECK-NEXT:         {
// CHECK-NEXT:           "bytes_per_row_after": 256,
// CHECK-NEXT:           "bytes_per_row_before": 384,
// CHECK-NEXT:           "kernels_before": 1,
// CHECK-NEXT:           "ops": "residual_add"
// CHECK-NEXT:         },
//      CHECK:       "name": "f"
//      CHECK:   "remarks": [
// CHECK-NEXT:     {
// CHECK-NEXT:       "column": 8,
// CHECK-NEXT:       "condition": "",
// CHECK-NEXT:       "file": "{{.*}}remarks-json.mlir",
// CHECK-NEXT:       "function": "f",
// CHECK-NEXT:       "kind": "kernel",
// CHECK-NEXT:       "line": [[# @LINE + 26]],
// CHECK-NEXT:       "reason": "",
// CHECK-NEXT:       "remark": "one kernel of residual_add",
// CHECK-NEXT:       "suggestion": ""
// CHECK-NEXT:     },
// CHECK-NEXT:     {
// CHECK-NEXT:       "column": 3,
// CHECK-NEXT:       "condition": "dtype-rule",
// What isn't UTF-8 is written as U+FFFD.
// CHECK-NEXT:       "file": "z{{.*}}.mlir",
// CHECK-NEXT:       "function": "f",
// CHECK-NEXT:       "kind": "not-fused",
// CHECK-NEXT:       "line": 7,
// CHECK-NEXT:       "reason": "the norm's row is made of bf16, and its weight is f32",
// CHECK-NEXT:       "remark": "residual_add -> rms_norm not fused",
// CHECK-NEXT:       "suggestion": "give the weight the rows' type, or set mixed-dtypes=fuse"
// CHECK-NEXT:     },
// CHECK-NEXT:     {
//      CHECK:       "kind": "kernel",
// CHECK-NEXT:       "line": 7,
//      CHECK:       "remark": "one kernel of rms_norm",
//      CHECK:   ],
// CHECK-NEXT:   "version": 1
// CHECK-NEXT: }

func.func @f(%x: tensor<?x64xbf16>, %w: tensor<64xf32>) -> tensor<?x64xbf16> {
  %s = mortar.residual_add %x, %x : (tensor<?x64xbf16>, tensor<?x64xbf16>) -> tensor<?x64xbf16>
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<?x64xbf16>, tensor<64xf32>) -> tensor<?x64xbf16> loc("z\FF.mlir":7:3)
  return %n : tensor<?x64xbf16>
}
