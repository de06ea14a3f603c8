"""Quantization, by itself and behind norms and gates, as vLLM's fused kernels have it.

fp8 is f8E4M3FN with saturation at 448. What is quantized is what the op in front gives,
rounded to x's type (vLLM's kernels, unfused): fusing changes no bit.
"""

from __future__ import annotations

from typing import Any

from mortar._trace import ir_type
from mortar.errors import TraceError
from mortar.fuse import fuse
from mortar.ops import _checks
from mortar.ops._checks import Array
from mortar.ops.gates import silu_and_mul
from mortar.ops.norms import add_and_norm, rms_norm

FP8, INT8, CODES = "f8E4M3FN", "i8", "f8E8M0FNU"


@fuse
def quantize_fp8(x: Array, scale: Array) -> Array:
    """x·(1/scale) in fp8, one float32 scale [1] for all; vLLM's static_scaled_fp8_quant."""
    _checks.rows("x", x)
    _checks.scalar("scale", scale)
    return x.trace.op("quantize", [x, scale], "{0} scale({1})", [(x.shape, FP8)])[0]


def by_row(x: Array, to: str, upper_bound: Array | None = None) -> tuple[Array, Array]:
    _checks.rows("x", x)
    text, operands = "{0}", [x]
    if upper_bound is not None:
        _checks.scalar("upper_bound", upper_bound)
        text, operands = "{0} upper_bound({1})", [x, upper_bound]
    codes, scales = x.trace.op("quantize_dynamic", operands, text,
                               [(x.shape, to), ((*x.shape[:-1], 1), "f32")])
    return codes, scales


@fuse
def quantize_fp8_per_token(x: Array, upper_bound: Array | None = None
                           ) -> tuple[Array, Array]:
    """Codes of x [.., N], and scales [.., 1]: absmax/448, at least 1/(448·512), of a maximum
    that ``upper_bound`` [1] bounds; vLLM's dynamic_per_token_scaled_fp8_quant."""
    return by_row(x, FP8, upper_bound)


@fuse
def quantize_int8_per_token(x: Array) -> tuple[Array, Array]:
    """int8 codes of x [.., N], and scales [.., 1]: absmax/127."""
    return by_row(x, INT8)


@fuse
def quantize_fp8_per_group(x: Array, group_size: int = 128, *, ue8m0: bool = False,
                           scale_dtype: Any = "float32") -> tuple[Array, Array]:
    """Codes of x [.., N], and a scale for each group [.., N/group_size]: absmax/448 with a
    floor of 1e-10 under the maximum; vLLM's per_token_group_quant_fp8, DeepSeek-V3's.

    ``ue8m0`` makes scales powers of two, as float32 or, by ``scale_dtype``, as
    float8_e8m0fnu. For column-major scales, as DeepGEMM wants them, give ``out``.
    """
    length = _checks.rows("x", x)
    text = "{0}" + _checks.divides("group_size", group_size, length)
    scales = ir_type(scale_dtype, "scale_dtype")
    if scales != "f32" and not (ue8m0 and scales == CODES):
        raise TraceError("scale_dtype: expected float32, or float8_e8m0fnu with ue8m0, found "
                         f"{scale_dtype}")
    codes, scales = x.trace.op(
        "quantize_dynamic", [x], text + (" ue8m0" if ue8m0 else ""),
        [(x.shape, FP8), ((*x.shape[:-1], length // group_size), scales)])
    return codes, scales


@fuse
def rms_norm_static_fp8_quant(x: Array, weight: Array, scale: Array,
                              epsilon: float = 1e-6) -> Array:
    """:func:`rms_norm`, then :func:`quantize_fp8`."""
    return quantize_fp8(rms_norm(x, weight, epsilon), scale)


@fuse
def fused_add_rms_norm_static_fp8_quant(
        x: Array, residual: Array, weight: Array, scale: Array, epsilon: float = 1e-6, *,
        convention: str = "vllm_c_one_rounding") -> tuple[Array, Array]:
    """The fp8 norm of x + residual, and that sum. Nothing is written in place: for the
    residual stream updated so, give ``out=(codes, residual)``."""
    normed, total = add_and_norm(x, residual, weight, epsilon, convention)
    return quantize_fp8(normed, scale), total


@fuse
def rms_norm_dynamic_per_token_quant(x: Array, weight: Array, epsilon: float = 1e-6,
                                     upper_bound: Array | None = None
                                     ) -> tuple[Array, Array]:
    """:func:`rms_norm`, then :func:`quantize_fp8_per_token`."""
    return quantize_fp8_per_token(rms_norm(x, weight, epsilon), upper_bound)


@fuse
def fused_add_rms_norm_dynamic_per_token_quant(
        x: Array, residual: Array, weight: Array, epsilon: float = 1e-6,
        upper_bound: Array | None = None, *, convention: str = "vllm_c_one_rounding"
        ) -> tuple[Array, Array, Array]:
    """Codes and scales of the norm of x + residual, and that sum; nothing in place."""
    normed, total = add_and_norm(x, residual, weight, epsilon, convention)
    return (*quantize_fp8_per_token(normed, upper_bound), total)


@fuse
def silu_and_mul_quant(x: Array, scale: Array, *, limit: float | None = None,
                       inner: Any = None) -> Array:
    """:func:`silu_and_mul`, then :func:`quantize_fp8`."""
    return quantize_fp8(silu_and_mul(x, limit=limit, inner=inner), scale)


@fuse
def silu_and_mul_per_group_quant(x: Array, group_size: int = 128, *,
                                 limit: float | None = None, inner: Any = None,
                                 ue8m0: bool = False, scale_dtype: Any = "float32"
                                 ) -> tuple[Array, Array]:
    """:func:`silu_and_mul`, then :func:`quantize_fp8_per_group`."""
    return quantize_fp8_per_group(silu_and_mul(x, limit=limit, inner=inner), group_size,
                                  ue8m0=ue8m0, scale_dtype=scale_dtype)
