//===- ResidualOps.td -------------------------------------------*- tablegen -*-===//

#ifndef MORTAR_RESIDUAL_OPS_TD
#define MORTAR_RESIDUAL_OPS_TD

include "MortarBase.td"
include "MortarInterfaces.td"

def Mortar_ResidualAddOp : Mortar_Op<"residual_add", [
    Pure, Commutative,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        ["isTransparentToDtypeRule", "decompose"]>]> {
  let summary = "adds a layer's output to the residual stream";
  let description = [{
    `result = round(f32(lhs) + f32(rhs))`

    The sum is computed in f32 and rounded once, to the result's element type.
    A `bf16` result hands a rounded sum to its readers; an `f32` result hands on the
    unrounded one.

    Constraints:
    - (C1) `lhs`, `rhs` and `result` have the same shape, and all are tensors or
      all are rows.

    Example:
    ```mlir
    %s = mortar.residual_add %x, %r
      : (tensor<?x4096xbf16>, tensor<?x4096xbf16>) -> tensor<?x4096xbf16>
    ```
  }];
  let arguments = (ins Mortar_Rows:$lhs, Mortar_Rows:$rhs);
  let results = (outs Mortar_Rows:$result);
  let assemblyFormat =
      "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // MORTAR_RESIDUAL_OPS_TD
