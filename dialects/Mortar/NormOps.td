//===- NormOps.td -----------------------------------------------*- tablegen -*-===//

#ifndef MORTAR_NORM_OPS_TD
#define MORTAR_NORM_OPS_TD

include "MortarBase.td"
include "MortarInterfaces.td"

def Mortar_RmsNormOp : Mortar_Op<"rms_norm", [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        ["getOperandMap", "reducesRow", "getNormRowOperand",
         "getNormWeightOperand", "decompose"]>]> {
  let summary = "divides a row by its root mean square";
  let description = [{
    For each row x of N values (formula: Zhang and Sennrich 2019, with the rounding
    points of `vllm`, `flashinfer` and `transformers` as choices):

    ```
    mean = sum(x[i]·x[i]) / f32(N)             each product rounded, then the tree
    r    = 1 / sqrt(mean + epsilon)            both IEEE
    xhat = inner(x[i]·r)                       rounded to `inner`, if given
    y    = result(xhat·(weight[i] + offset))   the weight's offset is added in f32
    ```

    The sum is Mortar's reduction tree: the row is padded with −0.0 to a power of two
    and adjacent pairs are added, level by level. Its bits depend on the values
    and N alone. Without `inner` the normalized value stays in f32; `inner(bf16)` is
    the convention that rounds it before the weight's multiply.

    Constraints:
    - (C1) `input` and `result` have the same shape, both tensors or both rows.
    - (C2) `epsilon` is finite and greater than 0.
    - (C3) `weight` has rank 1 and N elements, where N is the last dimension of
      `input`.
    - (C4) `weight_offset` is 0 or 1, and 0 without a weight.
    - (C5) `inner` is f32, f16 or bf16.

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
    DefaultValuedAttr<I64Attr, "0">:$weight_offset,
    OptionalAttr<TypeAttr>:$inner_type);
  let results = (outs Mortar_Rows:$result);
  let assemblyFormat = [{
    $input (`weight` `(` $weight^ `)`)? `epsilon` `(` $epsilon `)`
    (`weight_offset` `(` $weight_offset^ `)`)? (`inner` `(` $inner_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // MORTAR_NORM_OPS_TD
