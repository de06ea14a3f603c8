//===- StateOps.td - the primitives of a recurrence's program ---*- tablegen -*-===//

#ifndef MORTAR_STATE_OPS_TD
#define MORTAR_STATE_OPS_TD

include "MortarBase.td"
include "MortarEnums.td"

// A state is a matrix of V rows, of K elements each: vector<VxKxf32>. Elementwise work on
// it is upstream's arith and math. How it is dealt to threads is the lowering's.

/// A state, or what is computed of it element by element.
def Mortar_State : FixedVectorOfRankAndType<[2], [F32]>;
def Mortar_F32Row : FixedVectorOfRankAndType<[1], [F32]>;

def Mortar_StateBroadcastOp : Mortar_Op<"state_broadcast", [Pure]> {
  let summary = "a matrix all of whose rows, or columns, are one row";
  let description = [{
    With `keys`, element [v, k] of the result is element k of `input`; with `values`,
    element v of it.

    Constraints:
    - (C1) `input` has the result's last dimension (`keys`) or its first (`values`).

    Example:
    ```mlir
    %all = mortar.state_broadcast <keys> %key : vector<128xf32> -> vector<64x128xf32>
    ```
  }];
  let arguments = (ins Mortar_StateAxisAttr:$axis, Mortar_F32Row:$input);
  let results = (outs Mortar_State:$result);
  let assemblyFormat =
      "$axis $input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Mortar_StateReduceOp : Mortar_Op<"state_reduce", [Pure]> {
  let summary = "sums each row of a matrix over its keys";
  let description = [{
    Element v of the result is the sum over k of `input`[v, k], by the tree of row_reduce:
    padded with −0.0 to a power of two, then adjacent pairs, level by level.

    Constraints:
    - (C1) `result` has the input's first dimension.

    Example:
    ```mlir
    %sums = mortar.state_reduce %products : vector<64x128xf32> -> vector<64xf32>
    ```
  }];
  let arguments = (ins Mortar_State:$input);
  let results = (outs Mortar_F32Row:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Mortar_MaskPaddingOp : Mortar_Op<"mask_padding", [
    Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "a row, or zeros where the token is padding";
  let description = [{
    `input`, and +0.0 in its place for a token whose state has no valid slot
    (gated_delta_rule says when).

    Example:
    ```mlir
    %o = mortar.mask_padding %read : vector<128xf32>
    ```
  }];
  let arguments = (ins Mortar_F32Row:$input);
  let results = (outs Mortar_F32Row:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

#endif // MORTAR_STATE_OPS_TD
