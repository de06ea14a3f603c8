"""Shapes of fake tensors as sympy expressions: compared as they are written, so that no
question adds a guard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import sympy
import torch

Extents = tuple[sympy.Expr, ...]
ONE = sympy.Integer(1)


def expression(size: Any) -> sympy.Expr:
    return size.node.expr if isinstance(size, torch.SymInt) else sympy.Integer(size)


def extents(tensor: torch.Tensor) -> Extents:
    return tuple(expression(size) for size in tensor.shape)


def strides(tensor: torch.Tensor) -> Extents:
    return tuple(expression(stride) for stride in tensor.stride())


def product(sizes: Sequence[sympy.Expr]) -> sympy.Expr:
    return sympy.expand(math.prod(sizes, start=ONE))


def equal(a: sympy.Expr, b: sympy.Expr) -> bool:
    return a == b or sympy.expand(a - b) == 0


def ratio(a: sympy.Expr, b: sympy.Expr) -> sympy.Rational | None:
    """a / b where that is a number."""
    if b == 0:
        return None
    found = sympy.cancel(a / b) if a.free_symbols or b.free_symbols else a / b
    return found if isinstance(found, sympy.Rational) else None


def static(size: sympy.Expr) -> int | None:
    return int(size) if isinstance(size, sympy.Integer) else None


def broadcast(source: Extents, result: Extents) -> tuple[str, sympy.Expr] | None:
    """How elements of ``source`` become those of ``result``: "same"; "trailing", each P
    times in a row; "periodic", all P of them again and again; "scalar". None: otherwise."""
    source = (ONE,) * (len(result) - len(source)) + tuple(source)
    if len(source) != len(result):
        return None
    kept, sizes = [], []
    for have, want in zip(source, result):
        if want == ONE:
            continue
        if not equal(have, want) and have != ONE:
            return None
        kept.append(have != ONE)
        sizes.append(want)
    if all(kept):
        return "same", ONE
    if not any(kept):
        return "scalar", product(sizes)
    first = kept.index(False)
    if not any(kept[first:]):
        return "trailing", product(sizes[first:])
    first = kept.index(True)
    if all(kept[first:]):
        return "periodic", product(sizes[first:])
    return None


def is_dense(sizes: Extents, steps: Extents) -> bool:
    """Whether the elements lie in memory as they are counted, without gaps."""
    wanted = ONE
    for size, step in zip(reversed(sizes), reversed(steps)):
        if size == ONE:
            continue
        if not equal(step, wanted):
            return False
        wanted = sympy.expand(wanted * size)
    return True


def memory_order(tensor: torch.Tensor) -> tuple[int, ...]:
    """The dimensions as memory has them, the outermost first."""
    def hint(expr: sympy.Expr) -> float:
        # Any numbers do: what they suggest is checked by expression afterwards.
        return float(expr.subs({symbol: 8191 for symbol in expr.free_symbols}))

    sizes, steps = extents(tensor), strides(tensor)
    if is_dense(sizes, steps):
        return tuple(range(len(sizes)))
    return tuple(sorted(range(len(sizes)), key=lambda axis: -hint(steps[axis])))


def as_rows(sizes: Extents, steps: Extents, k: int) -> Extents | None:
    """A shape [.., k] that is a view of these elements, of as few dimensions as can be; None
    if there is none, or if a row's elements don't lie side by side."""
    pairs = [[size, step] for size, step in zip(sizes, steps) if size != ONE]
    inner: sympy.Expr = ONE
    row_step: sympy.Expr = ONE
    while inner != k:  # takes whole dimensions, or a part of the last one
        if not pairs:
            return None
        size, step = pairs[-1]
        if not equal(step, row_step):
            return None
        missing = static(sympy.Integer(k) / inner)
        extent = static(size)
        if missing is None or extent is None:
            return None
        if extent > missing:
            if extent % missing:
                return None
            pairs[-1] = [sympy.Integer(extent // missing), step * missing]
            inner = sympy.Integer(k)
        elif missing % extent:
            return None
        else:
            pairs.pop()
            inner *= extent
            row_step = sympy.expand(step * size)
    leading: list[list[sympy.Expr]] = []
    for size, step in reversed(pairs):
        if leading and equal(step, sympy.expand(leading[0][0] * leading[0][1])):
            leading[0][0] = sympy.expand(leading[0][0] * size)
        else:
            leading.insert(0, [size, step])
    return (*(size for size, _ in leading), sympy.Integer(k)) if leading else (
        ONE, sympy.Integer(k))
