//===- RowOps.td - the primitives of a row's program ------------*- tablegen -*-===//

#ifndef MORTAR_ROW_OPS_TD
#define MORTAR_ROW_OPS_TD

include "MortarBase.td"
include "MortarEnums.td"

// Elementwise work on rows is upstream's arith and math on vectors. What they can't
// say without fixing how a row is dealt to threads is said here.

def Mortar_RowReduceOp : Mortar_Op<"row_reduce", [Pure]> {
  let summary = "reduces a row, or each group of it, to one value";
  let description = [{
    `sum`: the row (or each group) is padded with −0.0 to a power of two, then adjacent
    pairs are added level by level, x[2i] + x[2i+1], every sum rounded to f32. The
    bits depend on the values and their count alone: never on threads, vector width,
    rows or device. `max` is `arith.maximumf`, which every order computes alike.

    With a row of N values and a result of G values, group i is the i-th N/G
    consecutive values; a scalar result reduces the whole row.

    Constraints:
    - (C1) `result` is f32, or a vector of G f32 where G divides N and is less than N.

    Example:
    ```mlir
    %sum = mortar.row_reduce <sum> %squares : vector<4096xf32> -> f32
    %max = mortar.row_reduce <max> %magnitudes : vector<4096xf32> -> vector<32xf32>
    ```
  }];
  let arguments = (ins
    Mortar_ReductionKindAttr:$kind, FixedVectorOfRankAndType<[1], [F32]>:$input);
  let results = (outs
    AnyTypeOf<[F32, FixedVectorOfRankAndType<[1], [F32]>]>:$result);
  let assemblyFormat =
      "$kind $input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Mortar_RowBroadcastOp : Mortar_Op<"row_broadcast", [Pure]> {
  let summary = "gives every element of a row, or of each group, one value";
  let description = [{
    The reverse of a reduction's shape: a scalar fills the row; value i of a vector of
    G fills the i-th N/G consecutive elements.

    Constraints:
    - (C1) `input` has the result's element type, or is a vector of it whose length
      divides N and is less than N.

    Example:
    ```mlir
    %row = mortar.row_broadcast %scale : f32 -> vector<4096xf32>
    ```
  }];
  let arguments = (ins AnyTypeOf<
    [AnyFloat, AnySignlessInteger, Mortar_Row]>:$input);
  let results = (outs Mortar_Row:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Mortar_RowHalfOp : Mortar_Op<"row_half", [Pure]> {
  let summary = "half of a row";
  let description = [{
    `first` and `second` are consecutive elements; `even` are those of even index, x[2i],
    and `odd` the others, x[2i+1].

    Constraints:
    - (C1) `input` has twice the result's elements, of the same type.

    Example:
    ```mlir
    %gate = mortar.row_half <first> %x : vector<8192xbf16> -> vector<4096xbf16>
    ```
  }];
  let arguments = (ins Mortar_RowHalfAttr:$half, Mortar_Row:$input);
  let results = (outs Mortar_Row:$result);
  let assemblyFormat = "$half $input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Mortar_RowPrefixOp : Mortar_Op<"row_prefix", [
    Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "a row with all but its first elements replaced";
  let description = [{
    Element i of the result is that of `input` for i < `length`, else `fill`.

    A reduction over the first V elements of a row is one over the row filled with what
    changes nothing. For `sum` that is −0.0, to the bit: row_reduce pads V values with
    −0.0 to P, the next power of two, and has the tree's value S over these P; the filled
    row of N values has the same P leaves first, and −0.0 everywhere else up to its own
    power of two. Sums of nothing but −0.0 are −0.0, and S + −0.0 is S for every S: a
    zero of either sign, an infinity and a NaN as well. For `max` it is −inf.

    Constraints:
    - (C1) `length` is at least 1 and at most the row's length.

    Example:
    ```mlir
    %head = mortar.row_prefix %squares length(64) fill(-0.0) : vector<4096xf32>
    ```
  }];
  let arguments = (ins
    FixedVectorOfRankAndType<[1], [F32]>:$input, I64Attr:$length, F32Attr:$fill);
  let results = (outs FixedVectorOfRankAndType<[1], [F32]>:$result);
  let assemblyFormat = [{
    $input `length` `(` $length `)` `fill` `(` $fill `)` attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
}

def Mortar_RowRepeatOp : Mortar_Op<"row_repeat", [Pure]> {
  let summary = "a short row, as often as it fits";
  let description = [{
    Element i of the result is element i mod L of `input`, which has L elements: a weight
    of one head, for each head of a row. Lowerings take it of a `column` argument only.

    Constraints:
    - (C1) `input` has the result's element type, and its length divides the result's and
      is less than it.

    Example:
    ```mlir
    %weights = mortar.row_repeat %weight : vector<128xbf16> -> vector<4096xbf16>
    ```
  }];
  let arguments = (ins Mortar_Row:$input);
  let results = (outs Mortar_Row:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

#endif // MORTAR_ROW_OPS_TD
