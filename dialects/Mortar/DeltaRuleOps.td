//===- DeltaRuleOps.td ------------------------------------------*- tablegen -*-===//

#ifndef MORTAR_DELTA_RULE_OPS_TD
#define MORTAR_DELTA_RULE_OPS_TD

include "MortarBase.td"
include "MortarEnums.td"
include "MortarInterfaces.td"

/// One value for each head, or in a program of one head that value.
def Mortar_HeadValues : AnyTypeOf<
    [RankedTensorOf<[Mortar_Element], [HasRankGreaterOrEqualPred<1>]>,
     FixedVectorOfRankAndType<[1], [Mortar_Element]>, F32, F16, BF16],
    "a tensor of f32, f16 or bf16, or a head's value of it">;

/// States that lie one behind the other, or one of them as a matrix.
def Mortar_StatePool : AnyTypeOf<
    [RankedTensorOf<[Mortar_Element]>, FixedVectorOfRankAndType<[2], [F32]>],
    "a tensor of f32, f16 or bf16, or a matrix of f32">;

/// Numbers of slots or tokens, or in a program of one token its own.
def Mortar_Indices : AnyTypeOf<
    [RankedTensorOf<[I32]>, I32], "a tensor of i32, or an i32 in a token's program">;

def Mortar_GdnGatingOp : Mortar_Op<"gdn_gating", [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        ["getOperandMap", "acceptsScalars", "decompose"]>]> {
  let summary = "the decay and the write strength of the gated delta rule";
  let description = [{
    For each token and value head (Yang et al. 2024, Gated Delta Networks; the gating of
    `vllm` and `flash-linear-attention`):

    ```
    x    = a + dt_bias                         added in f32
    sp   = x > 20 ? x : log1p(exp(x))          softplus
    g    = decay(-(exp(A_log)·sp))             the logarithm of the decay, at most 0
    beta = strength(sigmoid(b))
    ```

    exp, log1p and sigmoid are pinned sequences of f32 operations. Both results are rounded
    where their types say: the unfused kernel of vLLM rounds `beta` to b's type, the fused
    one keeps it in f32.

    Constraints:
    - (C1) `a`, `b`, `decay` and `strength` have the same shape, [.., HV]; in a program of
      one head all operands are scalars.
    - (C2) `a_log` and `dt_bias` have rank 1 and HV elements.

    Example:
    ```mlir
    %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
      : (tensor<?x32xbf16>, tensor<32xbf16>, tensor<32xf32>, tensor<?x32xbf16>)
      -> (tensor<?x32xf32>, tensor<?x32xf32>)
    ```
  }];
  let arguments = (ins
    Mortar_HeadValues:$a, Mortar_HeadValues:$dt_bias, Mortar_HeadValues:$a_log,
    Mortar_HeadValues:$b);
  let results = (outs Mortar_HeadValues:$decay, Mortar_HeadValues:$strength);
  let assemblyFormat = [{
    $a `dt_bias` `(` $dt_bias `)` `a_log` `(` $a_log `)` `beta` `(` $b `)`
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Mortar_L2NormOp : Mortar_Op<"l2_norm", [
    Pure,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        ["reducesRow", "decompose"]>]> {
  let summary = "divides a row by its length";
  let description = [{
    For each row x of N values (the norm of q and k in `flash-linear-attention`, where
    epsilon is 1e-6):

    ```
    r = 1 / sqrt(sum(x[i]·x[i]) + epsilon)     each product rounded, then the tree; both IEEE
    y = result(x[i]·r)
    ```

    The sum is Mortar's reduction tree, as in rms_norm.

    Constraints:
    - (C1) `input` and `result` have the same shape, both tensors or both rows.
    - (C2) `epsilon` is finite and greater than 0.

    Example:
    ```mlir
    %y = mortar.l2_norm %x epsilon(1.0e-6)
      : (tensor<?x16x128xbf16>) -> tensor<?x16x128xf32>
    ```
  }];
  let arguments = (ins Mortar_Rows:$input, F32Attr:$epsilon);
  let results = (outs Mortar_Rows:$result);
  let assemblyFormat = [{
    $input `epsilon` `(` $epsilon `)` attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Mortar_GatedDeltaRuleOp : Mortar_Op<"gated_delta_rule", [
    Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Mortar_FusionOpInterface,
        ["getIterationDomain", "getOperandMap", "getResultMap", "decompose"]>]> {
  let summary = "a linear attention whose state decays and is corrected";
  let description = [{
    Each sequence has, for each of its HV value heads, a state S: a matrix of V rows of K
    elements, in f32 while the sequence is computed. For each token, in order (Yang et al.
    2024; the recurrent form of `flash-linear-attention` and `vllm`):

    ```
    q'      = query·scale                      rounded to f32, as every step below
    S[v,k]  = S[v,k]·exp(decay)                exp is a pinned sequence
    p[v]    = sum over k of S[v,k]·key[k]      each product rounded, then the tree
    u[v]    = beta·(value[v] - p[v])
    S[v,k]  = fma(u[v], key[k], S[v,k])
    o[v]    = result(sum over k of S[v,k]·q'[k])
    ```

    Value head h reads key head h / (HV/H). `scale` is K^-½, rounded once, if it isn't
    given. Types say where `decay` and `beta` were rounded on their way.

    **Tokens and sequences.** With one leading dimension and no `bounds` each token is a
    sequence: plain decoding. With [S, T] each of S sequences has T tokens. With `bounds`,
    S + 1 numbers that ascend (cu_seqlens), sequence s has the tokens from bounds[s] to
    before bounds[s+1]; it may have none. Numbers are clamped to the tokens there are. Where
    they descend, sequences share tokens, and which one's rows stay isn't defined.

    **States.** `state` is a pool [slots, HV, V, K]; the result is the pool with the new
    states, and holds them in the same buffer. `slots` is [S] or [S, N]. Sequence s begins
    with the state in slots[s, accepted[s] - 1], or in slots[s, 0] without `accepted`. The
    state after its token number t (from 0) is stored to slots[s, min(t, N - 1)]; of tokens
    that share a slot one behind the other the last one's stays. So [S] is plain decoding
    or prefill, [S, N] with `accepted` speculative decoding, and a row of one slot, again
    and again, puts a plain sequence beside speculative ones. A stored state is rounded to
    the pool's type, the one that is computed on with isn't. No two sequences may name
    a slot, or which of them stays isn't defined.

    **Padding.** A slot of 0 or less, or behind the pool's end, is not valid, and so is an
    `accepted` count below 1 or above N. A sequence that would begin with one gives rows of
    +0.0 for all its tokens and stores nothing; a token whose own slot isn't valid gives a
    row of +0.0 and isn't stored. Tokens in no sequence give rows of +0.0. Numbers out of
    range never touch memory.

    This is the recurrent form: a sequence of T tokens takes T steps, one behind the other.
    For long prompts the chunked form, which isn't here, does the same in matrix products.

    Constraints:
    - (C1) `query` and `key` have the same shape, [.., H, K]; `value` is [.., HV, V] with
      the same one or two leading dimensions. HV is a multiple of H. All four are static.
    - (C2) `decay` and `beta` are [.., HV].
    - (C3) `state` is [slots, HV, V, K], and the new state has its type.
    - (C4) `slots` is [S] or [S, N], N static and at least 1.
    - (C5) `bounds` has rank 1, and there is one leading dimension.
    - (C6) `accepted` is [S], and `slots` [S, N].
    - (C7) `scale` is finite and greater than 0.
    - (C8) `result` has value's shape.
    - (C9) in a token's program query, key, value and result are rows, decay, beta and the
      indices scalars, and the states matrices of V by K.
    - (C10) K is at most 1024, and V·K at most 65536.

    Example:
    ```mlir
    %o, %new = mortar.gated_delta_rule query(%q) key(%k) value(%v) decay(%g) beta(%beta)
                 state(%pool) slots(%slots)
      : (tensor<?x16x128xbf16>, tensor<?x16x128xbf16>, tensor<?x32x128xbf16>,
         tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32x128x128xf32>, tensor<?xi32>)
      -> (tensor<?x32x128xbf16>, tensor<?x32x128x128xf32>)
    ```
  }];
  let arguments = (ins
    Mortar_Rows:$query, Mortar_Rows:$key, Mortar_Rows:$value,
    Mortar_HeadValues:$decay, Mortar_HeadValues:$beta,
    Mortar_StatePool:$state, Mortar_Indices:$slots,
    Optional<Mortar_Indices>:$bounds, Optional<Mortar_Indices>:$accepted,
    OptionalAttr<F32Attr>:$scale);
  let results = (outs Mortar_Rows:$result, Mortar_StatePool:$new_state);
  let assemblyFormat = [{
    `query` `(` $query `)` `key` `(` $key `)` `value` `(` $value `)`
    `decay` `(` $decay `)` `beta` `(` $beta `)` `state` `(` $state `)`
    `slots` `(` $slots `)` (`bounds` `(` $bounds^ `)`)? (`accepted` `(` $accepted^ `)`)?
    (`scale` `(` $scale^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // MORTAR_DELTA_RULE_OPS_TD
