"""Norms, and the residual stream's add."""

from __future__ import annotations

from typing import Any

from mortar._trace import number
from mortar.errors import TraceError
from mortar.fuse import fuse
from mortar.ops import _checks
from mortar.ops._checks import Array

# Which type the sum has that a norm's statistics are of (None: that of x), and whether the
# normalized value is rounded before the weight; by the names of dialects/Mortar/PRESETS.md.
CONVENTIONS = {"vllm_c_one_rounding": (None, False), "vllm_c_two_roundings": (None, True),
               "hf_llama": (None, True), "vllm_ir": ("f32", True),
               "flashinfer": ("f32", False)}


@fuse
def residual_add(x: Array, residual: Array, *, dtype: Any = None) -> Array:
    """x + residual, [.., N] both, in float32 and rounded to ``dtype`` (that of x)."""
    _checks.rows("x", x)
    _checks.same_shape("residual", residual, x)
    result = x.dtype if dtype is None else _checks.float_type("dtype", dtype)
    return x.trace.op("residual_add", [x, residual], "{0}, {1}", [(x.shape, result)])[0]


@fuse
def rms_norm(x: Array, weight: Array | None = None, epsilon: float = 1e-6, *,
             weight_offset: int = 0, inner: Any = None, variance_size: int | None = None,
             group_size: int | None = None, dtype: Any = None) -> Array:
    """x·1/sqrt(mean(x²) + epsilon)·(weight + weight_offset), of rows x [.., N] and a weight
    [N]; Zhang and Sennrich 2019; vLLM's and FlashInfer's rms_norm.

    ``inner`` is the type that the normalized value is rounded to before the weight's
    multiply, as transformers' Llama does; ``dtype`` the result's (that of x).
    ``variance_size``: the mean is that of the first elements; ``group_size``: each group
    has its own.
    """
    length = _checks.rows("x", x)
    text = f" epsilon({number('epsilon', epsilon, above=0)})"
    if weight is not None:
        _checks.vector("weight", weight, length)
        text = " weight({1})" + text
    if variance_size is not None:
        if not isinstance(variance_size, int) or not 1 <= variance_size <= length:
            raise TraceError(f"variance_size: expected 1 to {length}, found {variance_size!r}")
        text += f" variance_size({variance_size})"
    if group_size is not None:
        text += _checks.divides("group_size", group_size, length)
    if weight_offset not in (0, 1):
        raise TraceError(f"weight_offset: expected 0 or 1, found {weight_offset!r}")
    if weight_offset:
        text += " weight_offset(1)"
    result = x.dtype if dtype is None else _checks.float_type("dtype", dtype)
    operands = [x] if weight is None else [x, weight]
    return x.trace.op("rms_norm", operands, "{0}" + text + _checks.inner(inner),
                      [(x.shape, result)])[0]


@fuse
def gemma_rms_norm(x: Array, weight: Array, epsilon: float = 1e-6) -> Array:
    """:func:`rms_norm` with 1 + weight, added in float32: Gemma's."""
    return rms_norm(x, weight, epsilon, weight_offset=1)


def add_and_norm(x: Array, residual: Array, weight: Array, epsilon: float,
                 convention: str, weight_offset: int = 0) -> tuple[Array, Array]:
    wide, rounds = CONVENTIONS[_checks.choice("convention", convention, tuple(CONVENTIONS))]
    total = residual_add(x, residual, dtype=wide or x.dtype)
    # A float32 weight is never multiplied by a narrower value (vLLM's native path).
    inner = x.dtype if rounds and weight.dtype != "f32" else None
    normed = rms_norm(total, weight, epsilon, inner=inner, weight_offset=weight_offset,
                      dtype=x.dtype)
    return normed, total.to(x.dtype)


@fuse(in_place=("x", "residual"))
def fused_add_rms_norm(x: Array, residual: Array, weight: Array, epsilon: float = 1e-6, *,
                       convention: str = "vllm_c_one_rounding") -> tuple[Array, Array]:
    """The norm of x + residual, and that sum; rows [.., N] and a weight [N].

    As vLLM's and FlashInfer's functions of this name do, it writes the norm to x and the
    sum to residual, and gives both back; with ``out=(norm, sum)`` it writes there instead,
    and under mortar.fuse, and for JAX's arrays, which don't change, it only returns them.
    ``convention`` says where is rounded, by the names of dialects/Mortar/PRESETS.md.
    """
    return add_and_norm(x, residual, weight, epsilon, convention)


@fuse(in_place=("x", "residual"))
def gemma_fused_add_rms_norm(x: Array, residual: Array, weight: Array,
                             epsilon: float = 1e-6, *,
                             convention: str = "flashinfer") -> tuple[Array, Array]:
    """:func:`fused_add_rms_norm` with 1 + weight; FlashInfer's gemma_fused_add_rmsnorm."""
    return add_and_norm(x, residual, weight, epsilon, convention, weight_offset=1)


@fuse
def gated_rms_norm(x: Array, gate: Array, weight: Array, bias: Array | None = None,
                   epsilon: float = 1e-6, *, activation: str = "silu",
                   norm_before_gate: bool = True, group_size: int | None = None,
                   inner: Any = None, weighted: Any = None) -> Array:
    """An RMS norm of rows x [.., N], times act(gate) after it or before it; weight and bias
    [N]; vLLM's RMSNormGated, Mamba 2's, flash-linear-attention's FusedRMSNormGated.

    ``activation`` is silu, swish (the same) or sigmoid. ``inner`` and ``weighted`` are types
    to round to before and after the weight's multiply: transformers' Qwen3-Next has both
    bfloat16, others none.
    """
    length = _checks.rows("x", x)
    _checks.same_shape("gate", gate, x)
    _checks.vector("weight", weight, length)
    text, operands = "{0} gate({1}) weight({2})", [x, gate, weight]
    if bias is not None:
        _checks.vector("bias", bias, length)
        text, operands = text + " bias({3})", [*operands, bias]
    activation = _checks.choice("activation", activation, ("silu", "swish", "sigmoid"))
    text += (f" epsilon({number('epsilon', epsilon, above=0)}) activation({activation})"
             f" norm_before_gate({'true' if norm_before_gate else 'false'})")
    if group_size is not None:
        text += _checks.divides("group_size", group_size, length)
    text += _checks.inner(inner) + _checks.inner(weighted, "weighted")
    return x.trace.op("gated_rms_norm", operands, text, [(x.shape, x.dtype)])[0]
