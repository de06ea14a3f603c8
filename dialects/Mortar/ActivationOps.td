//===- ActivationOps.td -----------------------------------------*- tablegen -*-===//

#ifndef MORTAR_ACTIVATION_OPS_TD
#define MORTAR_ACTIVATION_OPS_TD

include "MortarBase.td"
include "MortarEnums.td"
include "MortarInterfaces.td"

/// One part of a row gates the other: 2d values in, d out.
class Mortar_ActivationOp<string mnemonic, list<string> overridden = []>
    : Mortar_Op<mnemonic, [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        !listconcat(["decompose"], overridden)>]> {
  let results = (outs Mortar_Rows:$result);
  let hasVerifier = 1;
}

def Mortar_SiluAndMulOp : Mortar_ActivationOp<"silu_and_mul"> {
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
  let assemblyFormat = [{
    $input (`limit` `(` $limit^ `)`)? (`inner` `(` $inner_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def Mortar_MulAndSiluOp : Mortar_ActivationOp<"mul_and_silu"> {
  let summary = "gates the first half of a row by the silu of the second";
  let description = [{
    For a row of 2d values, u the first half and g the second (vLLM's MulAndSilu):

    ```
    s = inner(silu(g))                         rounded to `inner`, if given
    y = result(s·u)
    ```

    silu is that of `silu_and_mul`.

    Constraints:
    - (C1) the last dimension of `input` is even, if it is static.
    - (C2) `result` has `input`'s shape with half of its last dimension, both tensors
      or both rows.
    - (C3) `inner` is f32, f16 or bf16.

    Example:
    ```mlir
    %y = mortar.mul_and_silu %x inner(bf16) : (tensor<?x8192xbf16>) -> tensor<?x4096xbf16>
    ```
  }];
  let arguments = (ins Mortar_Rows:$input, OptionalAttr<TypeAttr>:$inner_type);
  let assemblyFormat = [{
    $input (`inner` `(` $inner_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def Mortar_GeluAndMulOp : Mortar_ActivationOp<"gelu_and_mul"> {
  let summary = "gates the second half of a row by the gelu of the first";
  let description = [{
    For a row of 2d values, g the first half and u the second (Hendrycks and Gimpel 2016;
    torch's and vLLM's GeluAndMul):

    ```
    approximate(none):  gelu(g) = (g·0.5)·(1 + erf(g·f32(sqrt(1/2))))
    approximate(tanh):  t       = f32(2·sqrt(2/π))·(g + 0.044715·((g·g)·g))
                        gelu(g) = g·sigmoid(t)
    s = inner(gelu(g))                         rounded to `inner`, if given
    y = result(s·u)
    ```

    erf and sigmoid are pinned sequences of f32 operations. sigmoid(t) is
    (1 + tanh(t/2))/2, which is how the approximation is usually written, without the
    cancellation of that sum below 0. The exact form has it, as torch's has: below −1 its
    error is up to 2^-24 of g·u and not of the result, and gelu is ±0 from about −5.5 on.
    −inf gives NaN, as in torch.

    Constraints:
    - (C1) the last dimension of `input` is even, if it is static.
    - (C2) `result` has `input`'s shape with half of its last dimension, both tensors
      or both rows.
    - (C3) `inner` is f32, f16 or bf16.

    Example:
    ```mlir
    %y = mortar.gelu_and_mul %x approximate(tanh) inner(bf16)
      : (tensor<?x30720xbf16>) -> tensor<?x15360xbf16>
    ```
  }];
  let arguments = (ins
    Mortar_Rows:$input,
    DefaultValuedAttr<Mortar_GeluApproximationAttr,
                      "::mortar::GeluApproximation::None">:$approximate,
    OptionalAttr<TypeAttr>:$inner_type);
  let assemblyFormat = [{
    $input (`approximate` `` $approximate^)? (`inner` `(` $inner_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def Mortar_SwigluOaiAndMulOp : Mortar_ActivationOp<"swigluoai_and_mul", ["readsPairs"]> {
  let summary = "gates a row as gpt-oss does: clamped, with a slope and u + 1";
  let description = [{
    A row of 2d values holds d gates g and d values u, by default in pairs, g = x[2i] and
    u = x[2i+1]; with `layout(halves)` first all g, then all u (gpt-oss's feed-forward
    layer; vLLM's SwigluOAIAndMul):

    ```
    g' = minimum(g, limit)                     the upper side only
    u' = maximum(minimum(u, limit), -limit)
    s  = inner(g'·sigmoid(alpha·g'))           rounded to `inner`, if given
    y  = result((u' + 1)·s)
    ```

    sigmoid is a pinned sequence of f32 operations. `alpha` and `limit` are f32, and
    the limit is compared in f32; NaN passes. g = −inf gives NaN, as in torch.

    Constraints:
    - (C1) the last dimension of `input` is even, if it is static.
    - (C2) `result` has `input`'s shape with half of its last dimension, both tensors
      or both rows.
    - (C3) `alpha` is finite and greater than 0.
    - (C4) `limit` is greater than 0 and not NaN.
    - (C5) `inner` is f32, f16 or bf16.

    Example:
    ```mlir
    %y = mortar.swigluoai_and_mul %x alpha(1.702) limit(7.0)
      : (tensor<?x5760xbf16>) -> tensor<?x2880xbf16>
    ```
  }];
  let arguments = (ins
    Mortar_Rows:$input,
    DefaultValuedAttr<F32Attr, "1.702f">:$alpha,
    DefaultValuedAttr<F32Attr, "7.0f">:$limit,
    DefaultValuedAttr<Mortar_GateLayoutAttr,
                      "::mortar::GateLayout::Interleaved">:$layout,
    OptionalAttr<TypeAttr>:$inner_type);
  let assemblyFormat = [{
    $input (`alpha` `(` $alpha^ `)`)? (`limit` `(` $limit^ `)`)?
    (`layout` `` $layout^)? (`inner` `(` $inner_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def Mortar_SwigluStepAndMulOp : Mortar_ActivationOp<"swiglustep_and_mul"> {
  let summary = "gates the second half of a row by the clamped silu of the first";
  let description = [{
    For a row of 2d values, g the first half and u the second (Step-3.5's feed-forward
    layer; vLLM's SwigluStepAndMul). Unlike `silu_and_mul`, silu is clamped, not its
    argument:

    ```
    s  = inner(minimum(silu(g), limit))        rounded to `inner`, if given
    u' = maximum(minimum(u, limit), -limit)
    y  = result(s·u')
    ```

    silu is that of `silu_and_mul`. The limit is an f32 and compared in f32; NaN passes.

    Constraints:
    - (C1) the last dimension of `input` is even, if it is static.
    - (C2) `result` has `input`'s shape with half of its last dimension, both tensors
      or both rows.
    - (C3) `limit` is greater than 0 and not NaN.
    - (C4) `inner` is f32, f16 or bf16.

    Example:
    ```mlir
    %y = mortar.swiglustep_and_mul %x limit(7.0)
      : (tensor<?x2560xbf16>) -> tensor<?x1280xbf16>
    ```
  }];
  let arguments = (ins
    Mortar_Rows:$input,
    DefaultValuedAttr<F32Attr, "7.0f">:$limit,
    OptionalAttr<TypeAttr>:$inner_type);
  let assemblyFormat = [{
    $input (`limit` `(` $limit^ `)`)? (`inner` `(` $inner_type^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
}

def Mortar_FatreluAndMulOp : Mortar_ActivationOp<"fatrelu_and_mul"> {
  let summary = "keeps the second half of a row where the first is over a threshold";
  let description = [{
    For a row of 2d values, g the first half and u the second (vLLM's FatreluAndMul):

    ```
    y = result((g <= threshold ? +0 : g)·u)
    ```

    The threshold is an f32 and compared in f32. A NaN isn't below it and passes, as in
    torch's threshold. Nothing rounds before the product, so there is no `inner`.

    Constraints:
    - (C1) the last dimension of `input` is even, if it is static.
    - (C2) `result` has `input`'s shape with half of its last dimension, both tensors
      or both rows.
    - (C3) `threshold` is not NaN.

    Example:
    ```mlir
    %y = mortar.fatrelu_and_mul %x threshold(0.01)
      : (tensor<?x12288xbf16>) -> tensor<?x6144xbf16>
    ```
  }];
  let arguments = (ins Mortar_Rows:$input, F32Attr:$threshold);
  let assemblyFormat = [{
    $input `threshold` `(` $threshold `)`
    attr-dict `:` functional-type(operands, results)
  }];
}

#endif // MORTAR_ACTIVATION_OPS_TD
