//===- QuantOps.td ----------------------------------------------*- tablegen -*-===//

#ifndef MORTAR_QUANT_OPS_TD
#define MORTAR_QUANT_OPS_TD

include "MortarBase.td"
include "MortarInterfaces.td"

// sat448(v): v clamped to [-448, 448], where a NaN passes, then rounded to f8E4M3FN, to
// nearest even, subnormals kept (the least is 2^-9, ties to even at half of it go to 0).
// 448 is the largest number of f8E4M3FN, which has no infinity, so nothing overflows.

def Mortar_QuantizeOp : Mortar_Op<"quantize", [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface, ["getOperandMap", "decompose"]>]> {
  let summary = "quantizes to fp8 by a scale that is given";
  let description = [{
    For each value x and one scale s of the whole tensor (vLLM's and FlashInfer's static
    per-tensor quantization):

    ```
    r = 1 / s                                  one IEEE division
    q = f8E4M3FN(maximum(minimum(x·r, 448), -448))
    ```

    All is f32 up to the conversion, which rounds to nearest even. `input`'s element type
    says what is quantized: the f32 norm or the rounded one.

    What becomes of special values: NaN is NaN (0x7f, of unspecified sign); ±inf and
    whatever is beyond ±448·s saturate to ±448 (0x7e, 0xfe); a zero keeps its sign;
    magnitudes up to 2^-10·s go to zero. s = 0 gives ±448, and NaN for a zero; s = ±inf
    gives zeros, and NaN for an infinite x; s = NaN gives NaN. A negative s is computed with.

    Constraints:
    - (C1) `result` is of f8E4M3FN and has `input`'s shape, both tensors or both rows.
    - (C2) `scale` is a tensor of one element where `input` is a tensor, and a scalar
      where it is a row.

    Example:
    ```mlir
    %q = mortar.quantize %x scale(%s)
      : (tensor<?x4096xbf16>, tensor<1xf32>) -> tensor<?x4096xf8E4M3FN>
    ```
  }];
  let arguments = (ins Mortar_Rows:$input, Mortar_TensorScalar:$scale);
  let results = (outs Mortar_QuantizedRows:$result);
  let assemblyFormat = [{
    $input `scale` `(` $scale `)` attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Mortar_QuantizeDynamicOp : Mortar_Op<"quantize_dynamic", [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        ["getOperandMap", "getResultMap", "reducesRow",
         "getReducedGroup", "decompose"]>]> {
  let summary = "quantizes by scales made from each row, or each group, itself";
  let description = [{
    Gives the quantized rows and their scales s, so that x is about f32(q)·s (vLLM's
    dynamic per-token and per-group quantization):

    ```
    a = max |x[i]|                             over a row, or over each group

    f8E4M3FN, per row:    s = maximum(minimum(a, upper_bound) / 448, 1/(448·512))
    f8E4M3FN, per group:  s = maximum(a, 1e-10) / 448
    i8, per row:          s = a / 127
    i8, per group:        s = maximum(a, 1e-10) / 127
    with ue8m0:           s = 2^ceil(log2 s), exactly, by the bits of s

    f8E4M3FN:  q = f8E4M3FN(maximum(minimum(x/s, 448), -448))
    i8:        q = i8(roundeven(maximum(minimum(x/s, 127), -128)))
    ```

    All is f32, the divisions IEEE, and both conversions round to nearest even. The
    upper bound is one f32 for all rows, read on the device. `group_size` makes it per
    group: G = N / group_size groups of consecutive values, and as many scales a row.
    With `ue8m0` the scales are powers of two, stored as f32 or, by their result type, as
    the codes of f8E8M0FNU (s = 2^(code - 127)).

    How the scales lie is no part of the type. A caller's buffer for scales of groups may
    have any strides, row-major ([M, G] with strides G, 1) or column-major as vLLM's and
    DeepGEMM's matrix products want it (1, M, or 1 and M rounded up), unless an op reads
    them as rows.

    What becomes of special values:
    - An all-zero row: fp8 per row has s = 1/(448·512) and keeps the zeros' signs; per
      group s = 1e-10/448; i8 per row has s = 0 and zeros (0/0 is NaN, which i8 holds as 0).
    - A NaN in a row (or group) makes its s a NaN, and all of its q: 0x7f of unspecified
      sign in fp8, 0 in i8. As f8E8M0FNU the scale is its NaN, 0xff.
    - ±inf makes s = inf, of which f8E8M0FNU has none: 0xff. Finite values give zeros,
      infinite ones NaN (0 in i8). With an upper bound s stays finite, and ±inf
      saturates to ±448.
    - Whatever lies beyond an upper bound saturates. Without one nothing does: |x/s| is
      at most the largest number up to rounding.
    - i8 per row with subnormal a: s may be 0; then x/s is ±inf and q 127 or -128.

    Constraints:
    - (C1) `result` has `input`'s shape, both tensors or both rows.
    - (C2) `scales` has `input`'s shape with 1, or with `group_size` G, for the last
      dimension; in a row's program it is a scalar, or a vector of G where G is not 1.
    - (C3) `group_size` is N, or divides N and is greater than 1.
    - (C4) `upper_bound` is given only for f8E4M3FN per row. It is a tensor of one
      element where `input` is a tensor, and a scalar where it is a row.
    - (C5) `ue8m0` is given only for f8E4M3FN per group.
    - (C6) the scales are f32, or f8E8M0FNU with `ue8m0`.

    Example:
    ```mlir
    %q, %s = mortar.quantize_dynamic %x group_size(128) ue8m0
      : (tensor<?x4096xbf16>) -> (tensor<?x4096xf8E4M3FN>, tensor<?x32xf8E8M0FNU>)
    ```
  }];
  let arguments = (ins
    Mortar_Rows:$input,
    Optional<Mortar_TensorScalar>:$upper_bound,
    OptionalAttr<I64Attr>:$group_size,
    UnitAttr:$ue8m0);
  let results = (outs Mortar_QuantizedRows:$result, Mortar_Scales:$scales);
  let assemblyFormat = [{
    $input (`upper_bound` `(` $upper_bound^ `)`)? (`group_size` `(` $group_size^ `)`)?
    (`ue8m0` $ue8m0^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // MORTAR_QUANT_OPS_TD
