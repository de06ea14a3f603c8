//===- NormOps.td -----------------------------------------------*- tablegen -*-===//

#ifndef MORTAR_NORM_OPS_TD
#define MORTAR_NORM_OPS_TD

include "MortarBase.td"
include "MortarEnums.td"
include "MortarInterfaces.td"

def Mortar_RmsNormOp : Mortar_Op<"rms_norm", [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        ["getOperandMap", "reducesRow", "getReducedGroup", "getNormRowOperand",
         "getNormWeightOperand", "coarsen", "decompose"]>]> {
  let summary = "divides a row by its root mean square";
  let description = [{
    For each row x of N values (formula: Zhang and Sennrich 2019, with the rounding
    points of `vllm`, `flashinfer` and `transformers` as choices):

    ```
    mean = sum(x[i]·x[i]) / f32(V)             each product rounded, then the tree
    r    = 1 / sqrt(mean + epsilon)            both IEEE
    xhat = inner(x[i]·r)                       rounded to `inner`, if given
    y    = result(xhat·(weight[i] + offset))   the weight's offset is added in f32
    ```

    The sum is Mortar's reduction tree: the row is padded with −0.0 to a power of two
    and adjacent pairs are added, level by level. Its bits depend on the values
    and their count alone. V is N, or `variance_size`: then the statistics are those of
    the first V elements, and all N are normalized. Or V is `group_size`, and each V
    consecutive elements have statistics of their own. Without `inner` the normalized
    value stays in f32; `inner(bf16)` is the convention that rounds it before the
    weight's multiply.

    Constraints:
    - (C1) `input` and `result` have the same shape, both tensors or both rows.
    - (C2) `epsilon` is finite and greater than 0.
    - (C3) `weight` has rank 1 and N elements, where N is the last dimension of
      `input`.
    - (C4) `weight_offset` is 0 or 1, and 0 without a weight.
    - (C5) `inner` is f32, f16 or bf16.
    - (C6) `variance_size` is at least 1, and at most N if that is static.
    - (C7) `group_size` is N, or divides N and is greater than 1; there is no
      `variance_size` beside it.

    Example:
    ```mlir
    %y = mortar.rms_norm %x weight(%w) epsilon(1.0e-6) inner(bf16)
      : (tensor<?x4096xbf16>, tensor<4096xbf16>) -> tensor<?x4096xbf16>
    ```
  }];
  let arguments = (ins
    Mortar_Rows:$input,
    Optional<Mortar_Rows>:$weight,
    F32Attr:$epsilon,
    OptionalAttr<I64Attr>:$variance_size,
    OptionalAttr<I64Attr>:$group_size,
    DefaultValuedAttr<I64Attr, "0">:$weight_offset,
    OptionalAttr<TypeAttr>:$inner_type);
  let results = (outs Mortar_Rows:$result);
  let assemblyFormat = [{
    $input (`weight` `(` $weight^ `)`)? `epsilon` `(` $epsilon `)`
    (`variance_size` `(` $variance_size^ `)`)? (`group_size` `(` $group_size^ `)`)?
    (`weight_offset` `(` $weight_offset^ `)`)? (`inner` `(` $inner_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Mortar_GatedRmsNormOp : Mortar_Op<"gated_rms_norm", [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        ["getOperandMap", "reducesRow", "getReducedGroup", "getNormRowOperand",
         "getNormWeightOperand", "coarsen", "decompose"]>]> {
  let summary = "an RMS norm, gated before or after";
  let description = [{
    For each row x of N values and its gate z (vLLM's RMSNormGated; Mamba 2, Qwen3-Next's
    gated delta rule):

    ```
    act(z) = silu(z) or sigmoid(z)
    v      = x                                 norm_before_gate(true), the default
             x·act(z)                          norm_before_gate(false)
    mean   = sum(v[i]·v[i]) / f32(K)           over each group of K values by itself
    r      = 1 / sqrt(mean + epsilon)          both IEEE
    xhat   = inner(v[i]·r)                     rounded to `inner`, if given
    n      = xhat·(weight[i] + offset)         the weight's offset is added in f32
             + bias[i]                         if given
    y      = result(weighted(n)·act(z))        norm_before_gate(true)
             result(n)                         norm_before_gate(false)
    ```

    A group is K consecutive values, K = `group_size`; without it K is N. silu and sigmoid
    are pinned sequences of f32 operations, and `swish` is another name of silu. Without
    `inner` and `weighted` all is f32 and rounded once, as in vLLM and in
    flash-linear-attention; `inner(bf16) weighted(bf16)` is transformers' Qwen3-Next,
    which multiplies a rounded xhat by a bf16 weight and rounds that. Each of x, z, weight
    and bias may have an element type of its own.

    Constraints:
    - (C1) `input`, `gate` and `result` have the same shape, all tensors or all rows.
    - (C2) `epsilon` is finite and greater than 0.
    - (C3) `weight`, and `bias` if given, have rank 1 and N elements.
    - (C4) `group_size` is N, or divides N and is greater than 1.
    - (C5) `weight_offset` is 0 or 1.
    - (C6) `inner` and `weighted` are f32, f16 or bf16.
    - (C7) `weighted` is given only with norm_before_gate(true): else it would be the
      result's type.

    Example:
    ```mlir
    %y = mortar.gated_rms_norm %x gate(%z) weight(%w) epsilon(1.0e-6) activation(silu)
      : (tensor<?x128xbf16>, tensor<?x128xbf16>, tensor<128xbf16>) -> tensor<?x128xbf16>
    ```
  }];
  let arguments = (ins
    Mortar_Rows:$input,
    Mortar_Rows:$gate,
    Mortar_Rows:$weight,
    Optional<Mortar_Rows>:$bias,
    F32Attr:$epsilon,
    DefaultValuedAttr<Mortar_GateActivationAttr,
                      "::mortar::GateActivation::Silu">:$activation,
    DefaultValuedAttr<BoolAttr, "true">:$norm_before_gate,
    OptionalAttr<I64Attr>:$group_size,
    DefaultValuedAttr<I64Attr, "0">:$weight_offset,
    OptionalAttr<TypeAttr>:$inner_type,
    OptionalAttr<TypeAttr>:$weighted_type);
  let results = (outs Mortar_Rows:$result);
  let assemblyFormat = [{
    $input `gate` `(` $gate `)` `weight` `(` $weight `)` (`bias` `(` $bias^ `)`)?
    `epsilon` `(` $epsilon `)` (`activation` `` $activation^)?
    (`norm_before_gate` `(` $norm_before_gate^ `)`)? (`group_size` `(` $group_size^ `)`)?
    (`weight_offset` `(` $weight_offset^ `)`)? (`inner` `(` $inner_type^ `)`)?
    (`weighted` `(` $weighted_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // MORTAR_NORM_OPS_TD
