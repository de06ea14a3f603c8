//===- ActivationOps.td -----------------------------------------*- tablegen -*-===//

#ifndef MORTAR_ACTIVATION_OPS_TD
#define MORTAR_ACTIVATION_OPS_TD

include "MortarBase.td"
include "MortarInterfaces.td"

def Mortar_SiluAndMulOp : Mortar_Op<"silu_and_mul", [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface, ["decompose"]>]> {
  let summary = "gates the second half of a row by the silu of the first";
  let description = [{
    For a row of 2d values, g the first half and u the second:

    ```
    g' = minimum(g, limit)                     with a limit only; the upper side
    u' = maximum(minimum(u, limit), -limit)    with a limit only
    s  = inner(silu(g'))                       rounded to `inner`, if given
    y  = result(s·u')
    ```

    silu(x) = x·sigmoid(x) is a pinned sequence of f32 operations, the same on every
    device. The limit is an f32 and compared in f32, before silu; NaN passes
    through it. `inner(bf16)` is the convention of vLLM and transformers (two
    roundings), none that of FlashInfer and DeepSeek's reference (one).

    Constraints:
    - (C1) the last dimension of `input` is even, if it is static.
    - (C2) `result` has `input`'s shape with half of its last dimension, both tensors
      or both rows.
    - (C3) `limit`, if given, is greater than 0 and not NaN.
    - (C4) `inner` is f32, f16 or bf16.

    Example:
    ```mlir
    %y = mortar.silu_and_mul %x limit(1.0e+01) inner(bf16)
      : (tensor<?x28672xbf16>) -> tensor<?x14336xbf16>
    ```
  }];
  let arguments = (ins
    Mortar_Rows:$input,
    OptionalAttr<F32Attr>:$limit,
    OptionalAttr<TypeAttr>:$inner_type);
  let results = (outs Mortar_Rows:$result);
  let assemblyFormat = [{
    $input (`limit` `(` $limit^ `)`)? (`inner` `(` $inner_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // MORTAR_ACTIVATION_OPS_TD
