"""What each ATen op means, in the primitives of a row. One entry an op: what comes of
several of them is the compiler's to see, and no entry knows of another.

Operands come as f32 of the result's shape, as PyTorch computes on 16-bit types; the result
is rounded to the type that the graph gives the node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from mortar.dynamo import pinned
from mortar.dynamo.emitter import Emitter, Value

aten, prims = torch.ops.aten, torch.ops.prims


class Unsupported(Exception):
    """An argument that an entry doesn't know."""


def _rsqrt(m: Emitter, x: Value) -> Value:
    return m.div(m.constant(1.0, x.k), m.same("math.sqrt", x))


def _reciprocal(m: Emitter, x: Value) -> Value:
    return m.div(m.constant(1.0, x.k), x)


def _pow(m: Emitter, x: Value, exponent: float) -> Value:
    powers: dict[float, Callable[[], Value]] = {
        1: lambda: x, 2: lambda: m.mul(x, x), 3: lambda: m.mul(m.mul(x, x), x),
        0.5: lambda: m.same("math.sqrt", x), -0.5: lambda: _rsqrt(m, x),
        -1: lambda: _reciprocal(m, x)}
    if exponent not in powers:
        raise Unsupported(f"expected an exponent of {', '.join(map(str, powers))}, found "
                          f"{exponent}")
    return powers[exponent]()


def _clamp(m: Emitter, x: Value, least: float | None = None,
           most: float | None = None) -> Value:
    for op, limit in (("arith.maximumf", least), ("arith.minimumf", most)):
        if limit is not None:
            x = m.same(op, x, m.constant(limit, x.k))
    return x


def _silu(m: Emitter, x: Value) -> Value:
    return m.mul(x, pinned.sigmoid(m, x))


def _plain(op: str) -> Callable[..., Value]:
    return lambda m, *operands: m.same(op, *operands)


def _sum(op: str) -> Callable[..., Value]:
    def scaled(m: Emitter, x: Value, y: Value, alpha: float = 1) -> Value:
        return m.same(op, x, y if alpha == 1 else m.mul(y, m.constant(alpha, y.k)))
    return scaled


def _compare(predicate: str) -> Callable[..., Value]:
    return lambda m, x, y: m.compare(predicate, x, y)


def _same(m: Emitter, x: Value, *_: Any, **__: Any) -> Value:
    return x


# How many arguments are operands, a tensor or a number each; the others are given as they
# are.
POINTWISE: dict[Any, tuple[int, Callable[..., Value]]] = {
    # Decompositions in C++, rms_norm's for one, have numbers in overloads of their own.
    **{getattr(getattr(aten, name), overload): (2, meaning)
       for name, meaning in (("add", _sum("arith.addf")), ("sub", _sum("arith.subf")),
                             ("mul", _plain("arith.mulf")), ("div", _plain("arith.divf")))
       for overload in ("Tensor", "Scalar")},
    aten.neg.default: (1, _plain("arith.negf")),
    aten.abs.default: (1, lambda m, x: pinned.Pinned(m, x).abs(x)),
    aten.maximum.default: (2, _plain("arith.maximumf")),
    aten.minimum.default: (2, _plain("arith.minimumf")),
    aten.relu.default: (1, lambda m, x: _clamp(m, x, 0.0)),
    aten.clamp.default: (1, _clamp),
    aten.clamp_min.default: (1, _clamp),
    aten.clamp_min.Tensor: (2, _plain("arith.maximumf")),
    aten.clamp_max.default: (1, lambda m, x, most: _clamp(m, x, None, most)),
    aten.clamp_max.Tensor: (2, _plain("arith.minimumf")),
    aten.sqrt.default: (1, _plain("math.sqrt")),
    aten.rsqrt.default: (1, _rsqrt),
    aten.reciprocal.default: (1, _reciprocal),
    aten.pow.Tensor_Scalar: (1, _pow),
    aten.exp.default: (1, pinned.exp),
    aten.sigmoid.default: (1, pinned.sigmoid),
    aten.silu.default: (1, _silu),
    aten.tanh.default: (1, pinned.tanh),
    aten.erf.default: (1, pinned.erf),
    aten.log1p.default: (1, pinned.log1p),
    aten.where.self: (3, lambda m, condition, x, y: m.select(condition, x, y)),
    prims.convert_element_type.default: (1, _same),
    aten.clone.default: (1, _same),
    **{getattr(getattr(aten, name), overload): (2, _compare(predicate))
       for name, predicate in (("gt", "ogt"), ("ge", "oge"), ("lt", "olt"), ("le", "ole"),
                               ("eq", "oeq"), ("ne", "une"))
       for overload in ("Scalar", "Tensor")},
}


def _mean(m: Emitter, x: Value, k: int) -> Value:
    return m.div(m.reduce("sum", x, k), m.constant(x.k // k, k))


def _var_mean(m: Emitter, x: Value, k: int, correction: float | None = None,
              unbiased: bool = True) -> tuple[Value, Value]:
    mean = _mean(m, x, k)
    apart = m.sub(x, m.broadcast(mean, x.k))
    squares = m.reduce("sum", m.mul(apart, apart), k)
    less = float(unbiased) if correction is None else correction
    return m.div(squares, m.constant(x.k // k - less, k)), mean


# Over the last dimensions, to k values a row.
REDUCTIONS: dict[Any, Callable[..., Any]] = {
    aten.sum.dim_IntList: lambda m, x, k: m.reduce("sum", x, k),
    aten.mean.dim: _mean,
    aten.amax.default: lambda m, x, k: m.reduce("max", x, k),
    aten.var.correction: lambda m, x, k, correction=None: _var_mean(m, x, k, correction)[0],
    aten.var_mean.correction: _var_mean,
}

# The same elements in the same order; `expand` repeats them.
VIEWS = {aten.view.default, aten.reshape.default, aten._unsafe_view.default,
         aten.unsqueeze.default, aten.squeeze.dim, aten.squeeze.dims, aten.squeeze.default,
         aten.expand.default}
# Views that are no member of a chain, but which no kernel is made for either.
OTHER_VIEWS = {aten.permute.default, aten.transpose.int, aten.t.default, aten.slice.Tensor,
               aten.select.int, aten.split.Tensor, aten.split_with_sizes.default,
               aten.alias.default, aten.detach.default}
# The same values, of another type or in another place: no computation. A chain's results are
# tensors of their own anyway.
COPIES = {prims.convert_element_type.default, aten.clone.default}
