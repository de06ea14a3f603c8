"""Values that stand for arrays and write IR down, while a function runs once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from mortar._arrays import IR_TYPES, NAMES
from mortar._dims import Dim, Extent
from mortar.errors import TraceError

FLOATS = ("f32", "f16", "bf16")


def ir_type(dtype: Any, what: str = "dtype") -> str:
    """The IR's name of torch.bfloat16, numpy.float32, "bfloat16" or "bf16"."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", str(dtype))
    name = name.removeprefix("torch.")
    if name in NAMES:
        return name
    if name not in IR_TYPES:
        raise TraceError(f"{what}: expected one of {', '.join(IR_TYPES)}, found {dtype}")
    return IR_TYPES[name]


def number(what: str, value: Any, *, above: float | None = None) -> str:
    """A finite number as a literal of IR, with every digit that f32 could ask for."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TraceError(f"{what}: expected a number, found {value!r}")
    if not math.isfinite(value) or (above is not None and value <= above):
        bound = "" if above is None else f" above {above:g}"
        raise TraceError(f"{what}: expected a finite number{bound}, found {value!r}")
    return f"{float(value):.17e}"


class Value:
    """A tensor inside a function under mortar.fuse: ``shape``, ``dtype``, ``ndim``; and
    ``to``, ``flatten``, ``unflatten``, ``split``, ``[..., a:b]`` and ``+``."""

    def __init__(self, trace: "Trace", name: str, shape: Sequence[Extent], dtype: str,
                 label: str):
        self.trace, self.name, self.label = trace, name, label
        self.shape, self.dtype = tuple(shape), dtype
        self.place: int | None = None  # of an argument, and of a view of one: among inputs
        # Of an argument, and of a view of one: the array, given those of a call.
        self.fetch: Callable[[Sequence[Any]], Any] | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def type(self) -> str:
        return f"tensor<{''.join(f'{dim}x' for dim in self.shape)}{self.dtype}>"

    def __repr__(self) -> str:
        return f"<{self.label}: {self.type}>"

    def static(self, *axes: int) -> tuple[int, ...]:
        """These extents, as numbers that the code is made for."""
        if any(axis >= self.ndim or axis < -self.ndim for axis in axes):
            raise TraceError(f"{self.label}: expected at least "
                             f"{max(-min(axes), max(axes) + 1)} dimensions, found {self.ndim}")
        return tuple(int(self.shape[axis]) for axis in axes)

    def to(self, dtype: Any) -> "Value":
        """Rounds to a narrower float type, or widens."""
        wanted, widths = ir_type(dtype), {"f32": 32, "f16": 16, "bf16": 16}
        if wanted == self.dtype:
            return self
        if wanted not in FLOATS or self.dtype not in FLOATS or (
                widths[wanted] == widths[self.dtype]):
            raise TraceError(f"{self.label}: expected a cast between float32 and a 16-bit "
                             f"type, found {NAMES[self.dtype]} to {NAMES[wanted]}")
        op = "arith.extf" if wanted == "f32" else "arith.truncf"
        made = self.trace.value(self.shape, wanted, f"to({NAMES[wanted]})")
        self.trace.used.add(self)
        return self.trace.line(
            made, lambda: f"{made.name} = {op} {self.name} : {self.type} to {made.type}")

    def __add__(self, other: object) -> "Value":
        if not isinstance(other, Value) or other.dtype != self.dtype:
            raise TraceError(f"{self.label}: expected + with a tensor of {NAMES[self.dtype]}, "
                             f"found {other!r}; mortar.ops.residual_add takes a dtype")
        from mortar.ops import residual_add
        return residual_add(self, other)

    def flatten(self, start: int = -2, end: int = -1) -> "Value":
        """Joins the last two dimensions, heads and their elements say."""
        if start not in (-2, self.ndim - 2) or end not in (-1, self.ndim - 1):
            raise TraceError(f"{self.label}: expected flatten(-2), found ({start}, {end})")
        heads, width = self.static(-2, -1)
        shape = (*self.shape[:-2], heads * width)
        if self.fetch:
            return self.trace.view(self, shape, "flatten(-2)", lambda array: array.reshape(
                *array.shape[:-2], heads * width))
        made = self.trace.value(shape, self.dtype, "flatten")
        groups = [[axis] for axis in range(self.ndim - 2)] + [[self.ndim - 2, self.ndim - 1]]
        return self.trace.line(made, lambda: (
            f"{made.name} = tensor.collapse_shape {self.name} {groups} : {self.type} into "
            f"{made.type}"))

    def unflatten(self, axis: int, sizes: Sequence[int]) -> "Value":
        """Parts the last dimension in two: [.., H·L] becomes [.., H, L]."""
        width, = self.static(-1)
        if axis not in (-1, self.ndim - 1) or len(sizes) != 2 or (
                sizes[0] * sizes[1] != width):
            raise TraceError(f"{self.label}: expected unflatten(-1, (H, L)) with H·L = "
                             f"{width}, found ({axis}, {tuple(sizes)})")
        shape = (*self.shape[:-1], *sizes)
        if self.fetch:
            return self.trace.view(self, shape, f"unflatten(-1, {tuple(sizes)})",
                                   lambda array: array.reshape(*array.shape[:-1], *sizes))
        made = self.trace.value(shape, self.dtype, "unflatten")
        groups = [[at] for at in range(self.ndim - 1)] + [[self.ndim - 1, self.ndim]]
        extents = [self.trace.extent(self, at) for at in range(self.ndim - 1)]
        return self.trace.line(made, lambda: (
            f"{made.name} = tensor.expand_shape {self.name} {groups} output_shape "
            f"[{', '.join([*(extent() for extent in extents), *map(str, sizes)])}] : "
            f"{self.type} into {made.type}"))

    def __getitem__(self, index: Any) -> "Value":
        parts = index if isinstance(index, tuple) else (index,)
        if len(parts) != 2 or parts[0] is not Ellipsis or not (
                isinstance(parts[1], slice) and parts[1].step in (None, 1)):
            raise TraceError(f"{self.label}: expected [..., a:b], found [{index!r}]")
        width, = self.static(-1)
        begin, end, _ = parts[1].indices(width)
        if end <= begin:
            raise TraceError(f"{self.label}: expected a part of at least one element, found "
                             f"[..., {begin}:{end}]")
        shape = (*self.shape[:-1], end - begin)
        if self.fetch:
            return self.trace.view(self, shape, f"[..., {begin}:{end}]",
                                   lambda array: array[..., begin:end])
        # A slice of what a kernel computes would begin another kernel.
        return self._refuse(f"[..., {begin}:{end}] of what isn't an argument")

    def split(self, sizes: Sequence[int], dim: int = -1) -> tuple["Value", ...]:
        """Parts of the last dimension, which ``sizes`` fill."""
        width, = self.static(-1)
        if dim not in (-1, self.ndim - 1) or sum(sizes) != width:
            raise TraceError(f"{self.label}: expected split(sizes, -1) with sizes that sum to "
                             f"{width}, found {tuple(sizes)}, {dim}")
        ends = [sum(sizes[:count + 1]) for count in range(len(sizes))]
        return tuple(self[..., end - size:end] for size, end in zip(sizes, ends))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols that other libraries ask for
            raise AttributeError(name)
        raise TraceError(f"{self.label}: expected what a tensor has under mortar.fuse (shape, "
                         f"dtype, ndim, to, flatten, unflatten, split), found .{name}")

    def _refuse(self, what: str) -> Any:
        raise TraceError(f"{self.label}: expected mortar.ops, casts and views under "
                         f"mortar.fuse, found {what}")

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self._refuse("a NumPy function")

    __hash__ = object.__hash__

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (),
                           kwargs: Any = None) -> Any:
        value = next((one for one in args if isinstance(one, Value)), None)
        label = "a tensor" if value is None else value.label
        raise TraceError(f"{label}: expected mortar.ops, casts and views under mortar.fuse, "
                         f"found torch's {getattr(function, '__name__', function)}")


# What else Python's syntax asks a value for. Without these some would be quietly wrong: ==
# is False of any two objects, and += would leave the caller's array as it was.
REFUSED = {
    "a branch on a tensor's value": "bool", "a tensor's values as a number":
    "int float complex index", "a loop over a tensor": "iter", "len()": "len", "in": "contains",
    "an assignment to elements, for which there are results": "setitem delitem",
    "+=, for which there is x = x + y, or in_place": "iadd", "*": "mul rmul imul",
    "-": "sub rsub isub neg", "/": "truediv rtruediv itruediv floordiv rfloordiv ifloordiv",
    "%": "mod rmod", "a matmul, which is not Mortar's": "matmul rmatmul imatmul",
    "**": "pow rpow ipow", "abs()": "abs", "unary +": "pos", "a comparison":
    "eq ne lt le gt ge", "bits": "and rand or ror xor rxor invert lshift rshift"}


def _refusal(what: str) -> Callable[..., Any]:
    return lambda self, *_: self._refuse(what)


for _what, _names in REFUSED.items():
    for _name in _names.split():
        setattr(Value, f"__{_name}__", _refusal(_what))
Value.__radd__ = Value.__add__


class Trace:
    """What a function wrote down: inputs, lines of IR, and arguments updated in place."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []  # arguments, and views of them
        self.used: set[Value] = set()
        self.updates: list[tuple[Value, Value]] = []  # an input, and what it becomes
        self.is_finished = False
        self._lines: list[Callable[[], str]] = []
        self._count = 0

    def input(self, label: str, shape: Sequence[int], dtype: str,
              static: Sequence[int] = ()) -> Value:
        place = len(self.inputs)
        dims = [Dim((place, axis), extent) for axis, extent in enumerate(shape)]
        for axis in static:
            int(dims[axis])
        made = Value(self, f"%arg{place}", dims, dtype, label)
        made.fetch = lambda arrays: arrays[place]
        return self._add_input(made)

    def _add_input(self, value: Value) -> Value:
        value.place = len(self.inputs)
        self.inputs.append(value)
        return value

    def view(self, value: Value, shape: Sequence[Extent], label: str,
             function: Callable[[Any], Any]) -> Value:
        """Views of arguments are the framework's to make, at each call; kernels take them
        with their strides."""
        label = f"{value.label}{'' if label[0] == '[' else '.'}{label}"
        made = Value(self, f"%arg{len(self.inputs)}", shape, value.dtype, label)
        fetch = value.fetch
        made.fetch = lambda arrays: function(fetch(arrays))
        return self._add_input(made)

    def check_own(self, value: Value) -> None:
        """Values that a function kept don't mean anything in its next call."""
        if value.trace is not self or self.is_finished:
            raise TraceError(f"{value.label}: expected a tensor of the call that is being "
                             "fused, found one of another call")

    def entry_inputs(self) -> list[Value]:
        return [value for value in self.inputs if value in self.used]

    def value(self, shape: Sequence[Extent], dtype: str, label: str) -> Value:
        self._count += 1
        return Value(self, f"%{self._count}", shape, dtype, f"a result of {label}")

    def line(self, made: Value, text: Callable[[], str]) -> Value:
        self._lines.append(text)
        return made

    def extent(self, value: Value, axis: int) -> Callable[[], str]:
        """An extent as an operand: a number, or a value of index type."""
        self._count += 1
        name = f"%{self._count}"
        dim = value.shape[axis]

        def text() -> str:
            if not isinstance(dim, Dim) or dim.static:
                return ""
            return (f"%c{name[1:]} = arith.constant {axis} : index\n  "
                    f"{name} = tensor.dim {value.name}, %c{name[1:]} : {value.type}")

        self._lines.append(text)
        return lambda: str(dim) if not isinstance(dim, Dim) or dim.static else name

    def op(self, name: str, operands: Sequence[Value], text: str,
           results: Sequence[tuple[Sequence[Extent], str]]) -> list[Value]:
        """``mortar.<name>``; ``{0}`` in ``text`` stands for the first operand."""
        for one in operands:
            self.check_own(one)
        self.used.update(operands)
        made = [self.value(shape, dtype, name) for shape, dtype in results]
        self._lines.append(lambda: (
            f"{', '.join(one.name for one in made)} = mortar.{name} "
            f"{text.format(*(one.name for one in operands))}\n    : "
            f"({', '.join(one.type for one in operands)}) -> "
            f"({', '.join(one.type for one in made)})"))
        return made

    def module(self, name: str, results: Sequence[Value]) -> str:
        arguments = ", ".join(f"{one.name}: {one.type}" for one in self.entry_inputs())
        lines = "".join(f"  {line}\n" for text in self._lines if (line := text()))
        types = ", ".join(one.type for one in results)
        return (f"func.func @{name}({arguments})\n    -> ({types}) {{\n{lines}"
                f"  return {', '.join(one.name for one in results)} : {types}\n}}\n")
