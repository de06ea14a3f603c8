"""What ops ask of their tensors, with messages that name the argument."""

from __future__ import annotations

from typing import Any

from mortar._arrays import NAMES
from mortar._dims import unify
from mortar._trace import FLOATS, Value, ir_type
from mortar.errors import TraceError

Array = Any  # of PyTorch, NumPy, JAX or CuPy; under mortar.fuse a tensor


def tensor(what: str, value: Value, types: tuple[str, ...] = FLOATS) -> Value:
    if not isinstance(value, Value):
        raise TraceError(f"{what}: expected a tensor, found {type(value).__name__}")
    if value.dtype not in types:
        raise TraceError(f"{what}: expected an element type of "
                         f"{', '.join(NAMES[one] for one in types)}, found "
                         f"{NAMES[value.dtype]}")
    return value


def rows(what: str, value: Value) -> int:
    """Of [.., N], N."""
    if tensor(what, value).ndim < 1:
        raise TraceError(f"{what}: expected rows, [.., N], found no dimensions")
    return value.static(-1)[0]


def same_shape(what: str, value: Value, expected: Value) -> None:
    tensor(what, value)
    if value.ndim != expected.ndim or not all(
            unify(one, other) for one, other in zip(value.shape, expected.shape)):
        raise TraceError(f"{what}: expected the shape {shape(expected)} of "
                         f"{expected.label}, found {shape(value)}")


def vector(what: str, value: Value, length: int) -> None:
    tensor(what, value)
    if value.ndim != 1 or not unify(value.shape[0], length):
        raise TraceError(f"{what}: expected the shape ({length},), found {shape(value)}")


def scalar(what: str, value: Value) -> None:
    """One f32 that is read on the device."""
    tensor(what, value, ("f32",))
    if value.ndim != 1 or not unify(value.shape[0], 1):
        raise TraceError(f"{what}: expected one float32, of the shape (1,), found "
                         f"{shape(value)}")


def shape(value: Value) -> str:
    dims = [str(getattr(dim, "value", dim)) for dim in value.shape]
    return f"({', '.join(dims)}{',' if len(dims) == 1 else ''})"


def divides(what: str, size: int, length: int) -> str:
    if not isinstance(size, int) or size < 2 or length % size:
        raise TraceError(f"{what}: expected a divisor of {length} above 1, found {size!r}")
    return f" group_size({size})"


def float_type(what: str, dtype: Any) -> str:
    name = ir_type(dtype, what)
    if name not in FLOATS:
        raise TraceError(f"{what}: expected float32, float16 or bfloat16, found {dtype}")
    return name


def inner(dtype: Any, what: str = "inner") -> str:
    return "" if dtype is None else f" {what}({float_type(what, dtype)})"


def choice(what: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise TraceError(f"{what}: expected one of {', '.join(known)}, found {value!r}")
    return str(value)
