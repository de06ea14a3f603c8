// RUN: mortar-opt %s --mortar-fuse-rows=max-live-bytes=65536 --remarks-filter-missed='mortar.*' \
// RUN:   -split-input-file -verify-diagnostics | FileCheck %s
// -verify-diagnostics refuses a remark that comes twice or where none is expected.

// A norm whose row was added up from other types than its weight's joins nobody.
// CHECK-LABEL: @no_fuse_dtype_rule(
func.func @no_fuse_dtype_rule(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>, %w: tensor<64xf32>) -> tensor<4x32xbf16> {
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.yield
  // CHECK: mortar.rms_norm
  // CHECK-NEXT: mortar.yield
  // CHECK: mortar.silu_and_mul
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  // expected-remark @+1 {{[Missed] dtype-rule | Category:mortar-fusion | Function=no_fuse_dtype_rule | Reason="the norm's row is made of bf16, and its weight is f32", Remark="residual_add -> rms_norm not fused", Suggestion="give the weight the rows' type, or set mixed-dtypes=fuse"}}
  %n = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<64xf32>) -> tensor<4x64xbf16>
  // expected-remark @+1 {{[Missed] dtype-rule | Category:mortar-fusion | Function=no_fuse_dtype_rule | Reason="the norm's row is made of bf16, and its weight is f32", Remark="rms_norm -> silu_and_mul not fused"}}
  %y = mortar.silu_and_mul %n : (tensor<4x64xbf16>) -> tensor<4x32xbf16>
  return %y : tensor<4x32xbf16>
}

// -----

// A value goes out to a foreign op and comes back.
// CHECK-LABEL: @no_fuse_convexity(
func.func private @foreign(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @no_fuse_convexity(%x: tensor<4x64xbf16>, %r: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: %[[S:.*]] = mortar.fused
  // CHECK: %[[F:.*]] = call @foreign(%[[S]])
  // CHECK: mortar.fused ins(%{{.*}} = row %[[F]], %{{.*}} = row %[[S]] :
  %s = mortar.residual_add %x, %r : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %f = call @foreign(%s) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  // expected-remark @+1 {{[Missed] convexity | Category:mortar-fusion | Function=no_fuse_convexity | Reason="a value leaves the producer, passes through an op that isn't fused, and comes back into the consumer", Remark="residual_add -> residual_add not fused"}}
  %t = mortar.residual_add %f, %s : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %t : tensor<4x64xbf16>
}

// -----

// The way round may lead through regions that stay apart, and through another op's region.
// CHECK-LABEL: @no_fuse_convexity_far(
func.func private @foreign(tensor<4x64xbf16>) -> tensor<4x64xbf16>
func.func @no_fuse_convexity_far(%x: tensor<4x64xbf16>, %c: i1) -> tensor<4x64xbf16> {
  // CHECK-COUNT-3: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %f = scf.if %c -> tensor<4x64xbf16> {
    %g = func.call @foreign(%s) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
    scf.yield %g : tensor<4x64xbf16>
  } else {
    scf.yield %x : tensor<4x64xbf16>
  }
  %n = mortar.rms_norm %f epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %h = call @foreign(%n) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  // expected-remark @+1 {{[Missed] convexity | Category:mortar-fusion | Function=no_fuse_convexity_far}}
  %t = mortar.residual_add %s, %h : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %t : tensor<4x64xbf16>
}

// -----

// Joining would carry the first effect behind the second.
// CHECK-LABEL: @no_fuse_side_effects(
func.func private @log(tensor<4x64xbf16>)
func.func private @tick()
func.func @no_fuse_side_effects(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.residual_add
  // CHECK: call @log
  // CHECK: call @tick
  // CHECK: mortar.rms_norm
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  call @log(%s) : (tensor<4x64xbf16>) -> ()
  call @tick() : () -> ()
  // expected-remark @+1 {{[Missed] side-effects | Category:mortar-fusion | Function=no_fuse_side_effects | Reason="joining would carry an op with side effects past another", Remark="residual_add -> rms_norm not fused"}}
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// -----

// A weight is wanted whole by every row.
// CHECK-LABEL: @no_fuse_not_by_row(
func.func @no_fuse_not_by_row(%x: tensor<4x64xbf16>, %w: tensor<64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.yield
  // CHECK: mortar.rms_norm
  %v = mortar.residual_add %w, %w : (tensor<64xbf16>, tensor<64xbf16>) -> tensor<64xbf16>
  // expected-remark @+1 {{[Missed] not-by-row | Category:mortar-fusion | Function=no_fuse_not_by_row | Reason="the consumer reads it as a column, which needs all rows of the producer first", Remark="residual_add -> rms_norm not fused"}}
  %n = mortar.rms_norm %x weight(%v) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// -----

// A quarter of a row is neither the row nor its half.
// CHECK-LABEL: @no_fuse_not_by_row_width(
func.func @no_fuse_not_by_row_width(%x: tensor<4x128xbf16>) -> tensor<4x32xbf16> {
  // CHECK-COUNT-2: mortar.fused
  %s = mortar.silu_and_mul %x : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  // expected-remark @+1 {{[Missed] not-by-row | Category:mortar-fusion | Function=no_fuse_not_by_row_width | Reason="rows of 32 and of 128 values don't share threads"}}
  %t = mortar.silu_and_mul %s : (tensor<4x64xbf16>) -> tensor<4x32xbf16>
  return %t : tensor<4x32xbf16>
}

// -----

// A row that is reduced lies with other threads than its halves do.
// CHECK-LABEL: @no_fuse_wide_reduction(
func.func @no_fuse_wide_reduction(%x: tensor<4x128xbf16>) -> tensor<4x64xbf16> {
  // CHECK-COUNT-2: mortar.fused
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x128xbf16>) -> tensor<4x128xbf16>
  // expected-remark @+1 {{[Missed] wide-reduction | Category:mortar-fusion | Function=no_fuse_wide_reduction | Reason="a row of 128 values is reduced and then read by halves, which other threads hold"}}
  %y = mortar.silu_and_mul %n : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

// Three rows of 8192 f32 are more than the 65536 bytes allowed above; two are not.
// CHECK-LABEL: @no_fuse_budget(
func.func @no_fuse_budget(%x: tensor<4x8192xf32>, %w: tensor<8192xf32>) -> (tensor<4x8192xf32>, tensor<4x8192xf32>) {
  // CHECK-COUNT-2: mortar.fused
  %m = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x8192xf32>) -> tensor<4x8192xf32>
  // expected-remark @+1 {{[Missed] budget | Category:mortar-fusion | Function=no_fuse_budget | Reason="98304 bytes of a row would be alive at once, and at most 65536 may be", Remark="rms_norm -> rms_norm not fused", Suggestion="raise max-live-bytes, or shorten the chain"}}
  %n = mortar.rms_norm %m weight(%w) epsilon(1.0e-6) : (tensor<4x8192xf32>, tensor<8192xf32>) -> tensor<4x8192xf32>
  return %m, %n : tensor<4x8192xf32>, tensor<4x8192xf32>
}

// CHECK-LABEL: @within_the_budget(
func.func @within_the_budget(%x: tensor<4x8192xf32>) -> tensor<4x8192xf32> {
  // CHECK-COUNT-1: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %m = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x8192xf32>) -> tensor<4x8192xf32>
  %n = mortar.rms_norm %m epsilon(1.0e-6) : (tensor<4x8192xf32>) -> tensor<4x8192xf32>
  return %n : tensor<4x8192xf32>
}

// -----

// CHECK-LABEL: @no_fuse_unknown_attribute(
func.func @no_fuse_unknown_attribute(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused
  // CHECK: mortar.rms_norm %{{.*}} {vendor.clamp = 7 : i64} : (tensor<4x64xbf16>)
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  // expected-remark @+1 {{[Missed] unknown-attribute | Category:mortar-fusion | Function=no_fuse_unknown_attribute | Reason="the attribute 'vendor.clamp' may change what the op means", Remark="rms_norm not fused", Suggestion="remove the attribute"}}
  %n = mortar.rms_norm %s epsilon(1.0e-6) {vendor.clamp = 7} : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// -----

// CHECK-LABEL: @no_fuse_unknown_attribute_region(
func.func @no_fuse_unknown_attribute_region(%x: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused
  // CHECK: mortar.fused {{.*}} attributes {vendor.clamp = 7 : i64}
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %e = tensor.empty() : tensor<4x64xbf16>
  // expected-remark @+1 {{[Missed] unknown-attribute | Category:mortar-fusion | Function=no_fuse_unknown_attribute_region | Reason="the attribute 'vendor.clamp' may change what the region means", Remark="residual_add -> rms_norm not fused"}}
  %n = mortar.fused ins(%a = row %s : tensor<4x64xbf16>) outs(row %e : tensor<4x64xbf16>) attributes {vendor.clamp = 7} {
    %b = mortar.rms_norm %a epsilon(1.0e-6) : (vector<64xbf16>) -> vector<64xbf16>
    mortar.yield %b : vector<64xbf16>
  } -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// -----

// A row's program rounds to nearest, everywhere.
// CHECK-LABEL: @no_fuse_unknown_attribute_rounding(
func.func @no_fuse_unknown_attribute_rounding(%x: tensor<4x64xf32>) -> tensor<4x64xbf16> {
  // CHECK: mortar.fused
  %a = mortar.residual_add %x, %x : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  // CHECK: arith.truncf %{{.*}} toward_zero : tensor
  // expected-remark @+1 {{[Missed] unknown-attribute | Category:mortar-fusion | Function=no_fuse_unknown_attribute_rounding | Reason="the attribute 'roundingmode' may change what the op means", Remark="truncf not fused", Suggestion="remove the attribute"}}
  %y = arith.truncf %a toward_zero : tensor<4x64xf32> to tensor<4x64xbf16>
  return %y : tensor<4x64xbf16>
}

// -----

// Fast math would let the bits depend on the schedule.
// CHECK-LABEL: @no_fuse_unknown_attribute_fastmath(
func.func @no_fuse_unknown_attribute_fastmath(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mortar.residual_add
  // CHECK: arith.mulf {{.*}} fastmath<reassoc> : tensor<4x64xf32>
  %s = mortar.residual_add %x, %x : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  // expected-remark @+1 {{[Missed] unknown-attribute | Category:mortar-fusion | Function=no_fuse_unknown_attribute_fastmath | Reason="fastmath flags would let bits depend on the schedule", Remark="mulf not fused", Suggestion="remove the flags"}}
  %n = arith.mulf %s, %x fastmath<reassoc> : tensor<4x64xf32>
  return %n : tensor<4x64xf32>
}

// -----

// CHECK-LABEL: @no_fuse_dynamic_row(
func.func @no_fuse_dynamic_row(%x: tensor<4x?xbf16>) -> tensor<4x?xbf16> {
  // CHECK-NEXT: mortar.residual_add
  // CHECK-NEXT: mortar.rms_norm
  // CHECK-NEXT: return
  // expected-remark @+1 {{[Missed] dynamic-row | Category:mortar-fusion | Function=no_fuse_dynamic_row | Reason="a row's length must be static and at least 1, found tensor<4x?xbf16>", Remark="residual_add not fused", Suggestion="make the last dimension static"}}
  %s = mortar.residual_add %x, %x : (tensor<4x?xbf16>, tensor<4x?xbf16>) -> tensor<4x?xbf16>
  // expected-remark @+1 {{[Missed] dynamic-row | Category:mortar-fusion | Function=no_fuse_dynamic_row}}
  %n = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x?xbf16>) -> tensor<4x?xbf16>
  return %n : tensor<4x?xbf16>
}

// -----

// CHECK-LABEL: @no_fuse_dynamic_row_empty(
func.func @no_fuse_dynamic_row_empty(%x: tensor<4x0xbf16>) -> tensor<4x0xbf16> {
  // CHECK-NEXT: mortar.silu_and_mul
  // expected-remark @+1 {{[Missed] dynamic-row | Category:mortar-fusion | Function=no_fuse_dynamic_row_empty | Reason="a row's length must be static and at least 1, found tensor<4x0xbf16>"}}
  %s = mortar.silu_and_mul %x : (tensor<4x0xbf16>) -> tensor<4x0xbf16>
  return %s : tensor<4x0xbf16>
}

// -----

// CHECK-LABEL: @no_fuse_element_type(
func.func @no_fuse_element_type(%x: tensor<4x64xf64>) -> tensor<4x64xbf16> {
  // CHECK: arith.truncf %{{.*}} : tensor<4x64xf64> to tensor<4x64xbf16>
  // CHECK: mortar.fused
  // expected-remark @+1 {{[Missed] element-type | Category:mortar-fusion | Function=no_fuse_element_type | Reason="rows hold f32, f16 or bf16, found tensor<4x64xf64>", Remark="truncf not fused"}}
  %t = arith.truncf %x : tensor<4x64xf64> to tensor<4x64xbf16>
  %n = mortar.rms_norm %t epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %n : tensor<4x64xbf16>
}

// -----

// CHECK-LABEL: @no_fuse_other_block(
func.func @no_fuse_other_block(%x: tensor<4x64xbf16>, %c: i1) -> tensor<4x64xbf16> {
  // CHECK: mortar.residual_add
  // CHECK: scf.if
  // CHECK: mortar.rms_norm
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %n = scf.if %c -> tensor<4x64xbf16> {
    // expected-remark @+1 {{[Missed] other-block | Category:mortar-fusion | Function=no_fuse_other_block | Reason="the two stand in different blocks", Remark="residual_add -> rms_norm not fused"}}
    %m = mortar.rms_norm %s epsilon(1.0e-6) : (tensor<4x64xbf16>) -> tensor<4x64xbf16>
    scf.yield %m : tensor<4x64xbf16>
  } else {
    scf.yield %s : tensor<4x64xbf16>
  }
  return %n : tensor<4x64xbf16>
}

// -----

// CHECK-LABEL: @no_fuse_halves_and_pairs(
func.func @no_fuse_halves_and_pairs(%x: tensor<4x64xbf16>) -> (tensor<4x32xbf16>, tensor<4x32xbf16>) {
  // CHECK-COUNT-2: mortar.fused
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  %a = mortar.silu_and_mul %s : (tensor<4x64xbf16>) -> tensor<4x32xbf16>
  // expected-remark @+1 {{[Missed] halves-and-pairs | Category:mortar-fusion | Function=no_fuse_halves_and_pairs | Reason="one reads a wide row by halves, the other by pairs, and a thread holds one or the other", Remark="residual_add+silu_and_mul -> swigluoai_and_mul not fused"}}
  %b = mortar.swigluoai_and_mul %s : (tensor<4x64xbf16>) -> tensor<4x32xbf16>
  return %a, %b : tensor<4x32xbf16>, tensor<4x32xbf16>
}

// -----

// What is known of each row, or group, isn't a row of its own.
// CHECK-LABEL: @no_fuse_not_by_row_scales(
func.func @no_fuse_not_by_row_scales(%x: tensor<4x64xf32>, %b: tensor<4x8xf32>, %c: tensor<4x1xf32>)
    -> (tensor<4x64xf8E4M3FN>, tensor<4x8xf32>, tensor<4x64xi8>, tensor<4x1xf32>) {
  // CHECK-COUNT-4: mortar.fused
  // CHECK-NOT: mortar.fused
  %q, %s = mortar.quantize_dynamic %x group_size(8) : (tensor<4x64xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4x8xf32>)
  // expected-remark @+1 {{[Missed] not-by-row | Category:mortar-fusion | Function=no_fuse_not_by_row_scales | Reason="the consumer reads it as a row, and the producer makes it as a group_scalar", Remark="quantize_dynamic -> mulf not fused"}}
  %t = arith.mulf %s, %b : tensor<4x8xf32>
  %i, %u = mortar.quantize_dynamic %x : (tensor<4x64xf32>) -> (tensor<4x64xi8>, tensor<4x1xf32>)
  // expected-remark @+1 {{[Missed] not-by-row | Category:mortar-fusion | Function=no_fuse_not_by_row_scales | Reason="the consumer reads it as a row, and the producer makes it as a row_scalar", Remark="quantize_dynamic -> mulf not fused"}}
  %v = arith.mulf %u, %c : tensor<4x1xf32>
  return %q, %t, %i, %v : tensor<4x64xf8E4M3FN>, tensor<4x8xf32>, tensor<4x64xi8>, tensor<4x1xf32>
}

// -----

// The dtype rule is that of every norm; the gate's type doesn't enter.
// CHECK-LABEL: @no_fuse_dtype_rule_gated(
func.func @no_fuse_dtype_rule_gated(%x: tensor<4x64xbf16>, %z: tensor<4x64xf32>, %w: tensor<64xf32>, %v: tensor<64xbf16>)
    -> (tensor<4x64xbf16>, tensor<4x64xbf16>) {
  // CHECK: mortar.residual_add
  // CHECK-NEXT: mortar.gated_rms_norm
  // CHECK-NEXT: mortar.yield
  // CHECK: mortar.gated_rms_norm
  // CHECK-NEXT: mortar.yield
  %s = mortar.residual_add %x, %x : (tensor<4x64xbf16>, tensor<4x64xbf16>) -> tensor<4x64xbf16>
  // expected-remark @+1 {{[Missed] dtype-rule | Category:mortar-fusion | Function=no_fuse_dtype_rule_gated | Reason="the norm's row is made of bf16, and its weight is f32"}}
  %y = mortar.gated_rms_norm %s gate(%z) weight(%w) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<4x64xf32>, tensor<64xf32>) -> tensor<4x64xbf16>
  %t = mortar.gated_rms_norm %s gate(%z) weight(%v) epsilon(1.0e-6) : (tensor<4x64xbf16>, tensor<4x64xf32>, tensor<64xbf16>) -> tensor<4x64xbf16>
  return %y, %t : tensor<4x64xbf16>, tensor<4x64xbf16>
}

// -----

// What is only stored isn't computed with.
// CHECK-LABEL: @no_fuse_element_type_stored(
func.func @no_fuse_element_type_stored(%x: tensor<4x64xf32>, %s: tensor<1xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4x64xf8E4M3FN>) {
  // CHECK: mortar.fused
  // CHECK: arith.negf
  // CHECK: arith.truncf
  %q = mortar.quantize %x scale(%s) : (tensor<4x64xf32>, tensor<1xf32>) -> tensor<4x64xf8E4M3FN>
  // expected-remark @+1 {{[Missed] element-type | Category:mortar-fusion | Function=no_fuse_element_type_stored | Reason="rows hold f32, f16 or bf16, found tensor<4x64xf8E4M3FN>", Remark="negf not fused"}}
  %n = arith.negf %q : tensor<4x64xf8E4M3FN>
  %y = mortar.residual_add %x, %x : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  // expected-remark @+1 {{[Missed] element-type | Category:mortar-fusion | Function=no_fuse_element_type_stored | Reason="rows hold f32, f16 or bf16, found tensor<4x64xf8E4M3FN>", Remark="truncf not fused"}}
  %t = arith.truncf %y : tensor<4x64xf32> to tensor<4x64xf8E4M3FN>
  return %n, %t : tensor<4x64xf8E4M3FN>, tensor<4x64xf8E4M3FN>
}

// -----

// CHECK-LABEL: @no_fuse_odd_groups(
func.func @no_fuse_odd_groups(%x: tensor<4x96xbf16>) -> (tensor<4x96xf8E4M3FN>, tensor<4x2xf32>) {
  // CHECK-COUNT-2: mortar.fused
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x96xbf16>) -> tensor<4x96xbf16>
  // expected-remark @+1 {{[Missed] odd-groups | Category:mortar-fusion | Function=no_fuse_odd_groups | Reason="groups of 48 values are no power of two, and another reduction stands beside them", Remark="rms_norm -> quantize_dynamic not fused"}}
  %q, %s = mortar.quantize_dynamic %n group_size(48) : (tensor<4x96xbf16>) -> (tensor<4x96xf8E4M3FN>, tensor<4x2xf32>)
  return %q, %s : tensor<4x96xf8E4M3FN>, tensor<4x2xf32>
}

// That scales leave beside them hides no row's width.
// CHECK-LABEL: @no_fuse_not_by_row_beside_scales(
func.func @no_fuse_not_by_row_beside_scales(%x: tensor<4x256xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x4xf32>, tensor<4x64xbf16>) {
  // CHECK-COUNT-2: mortar.fused
  %a = mortar.silu_and_mul %x : (tensor<4x256xbf16>) -> tensor<4x128xbf16>
  // expected-remark @+1 {{[Missed] not-by-row | Category:mortar-fusion | Function=no_fuse_not_by_row_beside_scales | Reason="rows of 64 and of 256 values don't share threads", Remark="silu_and_mul -> silu_and_mul+quantize_dynamic not fused"}}
  %b = mortar.silu_and_mul %a : (tensor<4x128xbf16>) -> tensor<4x64xbf16>
  %q, %s = mortar.quantize_dynamic %b group_size(16) : (tensor<4x64xbf16>) -> (tensor<4x64xf8E4M3FN>, tensor<4x4xf32>)
  return %q, %s, %b : tensor<4x64xf8E4M3FN>, tensor<4x4xf32>, tensor<4x64xbf16>
}

// A group that is the whole row is no group.
// CHECK-LABEL: @fuse_group_of_a_row(
func.func @fuse_group_of_a_row(%x: tensor<4x96xbf16>) -> (tensor<4x96xf8E4M3FN>, tensor<4x1xf32>) {
  // CHECK: mortar.fused
  // CHECK-NOT: mortar.fused
  // CHECK: return
  %n = mortar.rms_norm %x epsilon(1.0e-6) : (tensor<4x96xbf16>) -> tensor<4x96xbf16>
  %q, %s = mortar.quantize_dynamic %n group_size(96) : (tensor<4x96xbf16>) -> (tensor<4x96xf8E4M3FN>, tensor<4x1xf32>)
  return %q, %s : tensor<4x96xf8E4M3FN>, tensor<4x1xf32>
}
