"""Calls of a fused function that are like an earlier one, of PyTorch's tensors.

What such a call takes is known: which code, which of its values are that code's arguments,
what the results are like. src/shortcut.c compares the values, launches and gives the
results. Here is what it learns from a call that went the long way.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from mortar import _native
from mortar._arrays import Torch
from mortar._compiled import Compiled
from mortar._dims import Dim, Extent
from mortar._trace import Value
from mortar.executable import Entry, launcher

CONSTANTS = {type(None), bool, int, float, str}
SIGNATURES_KEPT = 64  # of a function; the next one begins anew
MISSED = object()
Shortcut = Callable[[tuple, "dict[str, Any]", Any], Any]


def nothing_known(args: tuple, kwargs: dict[str, Any], out: Any) -> Any:
    return MISSED


@functools.cache
def native(torch: Any) -> Callable[[tuple], Shortcut | None] | None:
    """mortarShortcut of src/learn.c; None where PyTorch has no C exchange API, or another
    version of it."""
    launcher()
    library = ctypes.PyDLL(str(_native.library_path().parent / "libmortar_launch.so"))
    exchange = getattr(torch.Tensor, "__dlpack_c_exchange_api__", None)
    library.mortarShortcutNeeds.argtypes = [ctypes.py_object]
    # What torch.autograd.graph.increment_version calls, a frame sooner.
    changed = getattr(torch._C, "_increment_version", torch.autograd.graph.increment_version)
    if exchange is None or not library.mortarShortcutNeeds((
            exchange, MISSED, None, tuple, list, float, torch.Tensor, torch.nn.Parameter,
            torch.is_grad_enabled, changed, "requires_grad", "is_neg")):
        return None
    library.mortarShortcut.argtypes = [ctypes.py_object]
    library.mortarShortcut.restype = ctypes.py_object
    return library.mortarShortcut


def maker(torch: Any, result: Value, dtype: Any, arrays: Sequence[Value],
          numbers: Sequence[int]) -> Callable[[tuple], Any]:
    """Allocates a dense result; ``arrays`` are the values numbered so, when traced."""
    def same(left: Extent, right: Extent) -> bool:
        if any(isinstance(one, Dim) and not one.static for one in (left, right)):
            return (isinstance(left, Dim) and isinstance(right, Dim)
                    and left.root() is right.root())
        return int(left) == int(right)

    dense = torch.contiguous_format
    for array, number in zip(arrays, numbers):
        if array.ndim == result.ndim and all(map(same, array.shape, result.shape)):
            if array.dtype == result.dtype:
                return lambda values: torch.empty_like(values[number], memory_format=dense)
            return lambda values: torch.empty_like(values[number], dtype=dtype,
                                                   memory_format=dense)
    extents = [(numbers[dim.place[0]], dim.place[1]) if isinstance(dim, Dim) and not dim.static
               else int(dim) for dim in result.shape]
    first = numbers[0]
    return lambda values: values[first].new_empty(
        [one if type(one) is int else values[one[0]].shape[one[1]] for one in extents],
        dtype=dtype)


def make_all(makers: Sequence[Callable[[tuple], Any]], values: tuple) -> tuple:
    return tuple([make(values) for make in makers])


def refuse(entry: Entry) -> None:
    raise entry.refusal(_native.last_error())


class Shortcuts:
    """Of one fused function."""

    def __init__(self) -> None:
        # The results of a call of (args, kwargs, out), or MISSED: then the long way says
        # what is the matter. It never changes, but is replaced by one that knows more.
        self.call: Shortcut = nothing_known
        self._count = 0
        self._learning = threading.Lock()

    def learn(self, framework: Torch, compiled: Compiled, device: int,
              static: Sequence[tuple[int, int]], numbers: Sequence[int],
              outs: Sequence[int] | None, args: tuple, kwargs: dict[str, Any],
              out: Any) -> None:
        """Makes the next call like one that went well a shortcut. Of its values in a row
        (given by position, by name, as out), ``numbers`` are its arrays, as parameters are
        ordered, and ``outs`` its results, if they were given; ``static`` are an array and an
        axis for each extent compiled for."""
        torch, tensors = framework.torch, (*numbers, *(outs or ()))
        values = [*args, *kwargs.values()]
        if out is not None:
            values += out if type(out) in (tuple, list) else [out]
        if compiled.places is None or not all(
                type(value) in (torch.Tensor, torch.nn.Parameter) if number in tensors else
                type(value) in CONSTANTS or isinstance(value, torch.dtype)
                for number, value in enumerate(values)):
            return
        entry, traced = compiled.entry, compiled.traced
        makers = [] if outs is not None else [
            maker(torch, result, framework.dtypes[result.dtype], traced.arrays, numbers)
            for result in traced.results]
        arguments = [*[numbers[place] for place in compiled.places],
                     *(range(len(values), len(values) + len(makers)) if outs is None else outs)]
        results = [arguments[number] for number in entry.results]
        # Those that may be .imag of something, whose elements may be stored negated. (No other
        # types of PyTorch's have imaginary parts.)
        maybe_negated = [number for number in tensors
                         if values[number].dtype in (torch.float32, torch.float16)]
        with self._learning:
            shortcut = native(torch)
            if shortcut is None:
                return
            is_full = self._count >= SIGNATURES_KEPT
            learned = shortcut((
                None if is_full or not self._count else self.call, args, kwargs, out,
                functools.partial(make_all, makers) if makers else None,
                functools.partial(refuse, entry),
                (*entry.numbers(device), len(makers), int(compiled.is_tuple)),
                tuple(arguments),
                tuple([number for place, axis in static for number in (numbers[place], axis)]),
                tuple(results[:compiled.count]),
                tuple([number for number in results if number < len(values)]),
                tuple(maybe_negated)))
            if learned is not None:
                self._count = 1 if is_full else self._count + 1
                self.call = learned
