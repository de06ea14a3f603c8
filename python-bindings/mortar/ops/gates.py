"""Gates of feed-forward layers: rows [.., 2d] give rows [.., d]."""

from __future__ import annotations

from typing import Any

from mortar._trace import number
from mortar.errors import TraceError
from mortar.fuse import fuse
from mortar.ops import _checks
from mortar.ops._checks import Array


def gate(name: str, x: Array, text: str, dtype: Any) -> Array:
    width = _checks.rows("x", x)
    if width % 2:
        raise TraceError(f"x: expected an even last dimension, found {width}")
    result = x.dtype if dtype is None else _checks.float_type("dtype", dtype)
    return x.trace.op(name, [x], "{0}" + text, [((*x.shape[:-1], width // 2), result)])[0]


def limited(limit: float | None) -> str:
    return "" if limit is None else f" limit({number('limit', limit, above=0)})"


@fuse
def silu_and_mul(x: Array, *, limit: float | None = None, inner: Any = None,
                 dtype: Any = None) -> Array:
    """silu(g)·u, g the first half of each row and u the second; Shazeer 2020.

    ``limit`` clamps g from above and u from both sides first, as DeepSeek-V4 does.
    ``inner=x.dtype`` rounds silu(g) before the product, as vLLM and transformers do;
    without it there is one rounding, as in FlashInfer.
    """
    return gate("silu_and_mul", x, limited(limit) + _checks.inner(inner), dtype)


@fuse
def gelu_and_mul(x: Array, *, inner: Any = None, dtype: Any = None) -> Array:
    """gelu(g)·u with erf; Hendrycks and Gimpel 2016, vLLM's GeluAndMul."""
    return gate("gelu_and_mul", x, _checks.inner(inner), dtype)


@fuse
def gelu_tanh_and_mul(x: Array, *, inner: Any = None, dtype: Any = None) -> Array:
    """gelu(g)·u by the approximation with tanh: Gemma's gate."""
    return gate("gelu_and_mul", x, " approximate(tanh)" + _checks.inner(inner), dtype)


@fuse
def swigluoai_and_mul(x: Array, *, alpha: float = 1.702, limit: float = 7.0,
                      interleaved: bool = True, inner: Any = None,
                      dtype: Any = None) -> Array:
    """(u + 1)·g·sigmoid(alpha·g), both clamped; pairs (g, u), or halves with
    ``interleaved=False``: gpt-oss's gate."""
    text = (f" alpha({number('alpha', alpha, above=0)}){limited(limit)}"
            f" layout({'interleaved' if interleaved else 'halves'})")
    return gate("swigluoai_and_mul", x, text + _checks.inner(inner), dtype)


@fuse
def swiglustep_and_mul(x: Array, *, limit: float | None = None, inner: Any = None,
                       dtype: Any = None) -> Array:
    """min(silu(g), limit)·clamp(u): Step-3.5's gate."""
    return gate("swiglustep_and_mul", x, limited(limit) + _checks.inner(inner), dtype)


@fuse
def fatrelu_and_mul(x: Array, threshold: float, *, dtype: Any = None) -> Array:
    """g·u where g is over the threshold, else 0; vLLM's FatreluAndMul."""
    return gate("fatrelu_and_mul", x, f" threshold({number('threshold', threshold)})", dtype)
