"""The gated delta rule (Yang et al. 2024, Gated Delta Networks), as decoding runs it.

H key heads of K elements, HV value heads of V; HV is a multiple of H. States lie in a pool
[slots, HV, V, K], whatever its slots' stride, and are updated in place.
"""

from __future__ import annotations

from typing import Any

from mortar._trace import number
from mortar.errors import TraceError
from mortar.fuse import fuse
from mortar.ops import _checks
from mortar.ops._checks import Array

INDEX = ("i32",)


@fuse
def l2_norm(x: Array, epsilon: float = 1e-6, *, dtype: Any = None) -> Array:
    """x·1/sqrt(Σx² + epsilon), of rows [.., N]; flash-linear-attention's l2norm."""
    _checks.rows("x", x)
    result = x.dtype if dtype is None else _checks.float_type("dtype", dtype)
    return x.trace.op("l2_norm", [x], f"{{0}} epsilon({number('epsilon', epsilon, above=0)})",
                      [(x.shape, result)])[0]


@fuse
def gdn_gating(A_log: Array, a: Array, b: Array, dt_bias: Array, *,
               beta_dtype: Any = "float32") -> tuple[Array, Array]:
    """(decay, beta) of a and b [.., HV], A_log and dt_bias [HV]:
    −exp(A_log)·softplus(a + dt_bias) in float32, and sigmoid(b); vLLM's fused_gdn_gating,
    which rounds beta to b's type where it isn't fused (``beta_dtype``)."""
    heads = _checks.rows("a", a)
    _checks.same_shape("b", b, a)
    _checks.vector("A_log", A_log, heads)
    _checks.vector("dt_bias", dt_bias, heads)
    beta = _checks.float_type("beta_dtype", beta_dtype)
    decay, strength = a.trace.op("gdn_gating", [a, dt_bias, A_log, b],
                                 "{0} dt_bias({1}) a_log({2}) beta({3})",
                                 [(a.shape, "f32"), (a.shape, beta)])
    return decay, strength


@fuse
def gated_delta_rule(q: Array, k: Array, v: Array, decay: Array, beta: Array, state: Array,
                     slots: Array, *, bounds: Array | None = None,
                     accepted: Array | None = None, scale: float | None = None,
                     use_qk_l2norm_in_kernel: bool = False) -> Array:
    """The rule's outputs, of v's shape and type; ``state`` is updated in place, also under
    mortar.fuse, where it must be an argument of the fused function.

    q, k [.., H, K], v [.., HV, V], decay (a logarithm) and beta [.., HV], with one or two
    leading dimensions; slots int32 [S] or, for speculative decoding, [S, N], with
    ``accepted`` int32 [S]. One leading dimension is a token for each sequence, or all
    sequences' tokens with ``bounds`` int32 [S + 1] (cu_seqlens); two are [S, T]. ``scale``
    of q is K^-½ if it isn't given. Slots out of range give rows of zeros and store nothing.
    """
    heads, keys = _checks.tensor("q", q).static(-2, -1)
    _checks.same_shape("k", k, q)
    values = _checks.tensor("v", v).static(-2, -1)
    for what, one in (("decay", decay), ("beta", beta)):
        _checks.tensor(what, one).static(-1)
    pool = _checks.tensor("state", state).static(-3, -2, -1)
    if state.place is None or any(state is old for old, _ in state.trace.updates):
        raise TraceError("state: expected an argument of the fused function that isn't "
                         "updated yet, as it is updated in place")
    if state.ndim != 4 or pool != (*values, keys) or values[0] % heads:
        raise TraceError(f"state: expected the shape (slots, {values[0]}, {values[1]}, {keys}) "
                         f"and a multiple of {heads} value heads, found "
                         f"{_checks.shape(state)}")
    _checks.tensor("slots", slots, INDEX)
    if slots.ndim == 2:
        slots.static(-1)
    if use_qk_l2norm_in_kernel:
        q, k = l2_norm(q, dtype="f32"), l2_norm(k, dtype="f32")
    operands = [q, k, v, decay, beta, state, slots]
    text = "query({0}) key({1}) value({2}) decay({3}) beta({4}) state({5}) slots({6})"
    for what, one in (("bounds", bounds), ("accepted", accepted)):
        if one is not None:
            text += f" {what}({{{len(operands)}}})"
            operands.append(_checks.tensor(what, one, INDEX))
    if scale is not None:
        text += f" scale({number('scale', scale, above=0)})"
    result, new = state.trace.op("gated_delta_rule", operands, text,
                                 [(v.shape, v.dtype), (state.shape, state.dtype)])
    state.trace.updates.append((state, new))
    return result


@fuse
def fused_sigmoid_gating_delta_rule_update(
        A_log: Array, a: Array, dt_bias: Array, q: Array, k: Array, v: Array, b: Array,
        state: Array, slots: Array, *, bounds: Array | None = None,
        accepted: Array | None = None, scale: float | None = None,
        use_qk_l2norm_in_kernel: bool = True) -> Array:
    """:func:`gdn_gating` and :func:`gated_delta_rule` in one kernel: a decode step; vLLM's
    function of this name. a and b [.., HV]; ``state`` is updated in place."""
    decay, beta = gdn_gating(A_log, a, b, dt_bias)
    return gated_delta_rule(q, k, v, decay, beta, state, slots, bounds=bounds,
                            accepted=accepted, scale=scale,
                            use_qk_l2norm_in_kernel=use_qk_l2norm_in_kernel)
