"""Calls of a fused function that are like an earlier one, of PyTorch's tensors.

What such a call takes is known: which code, which of its values are that code's arguments,
what the results are like. src/signature.c compares the values and launches; here is what
only Python sees, their types, and what only PyTorch does, allocating results.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Sequence
from typing import Any

from mortar import _native
from mortar._arrays import Torch
from mortar._compiled import Compiled
from mortar._dims import Dim, Extent
from mortar._trace import Value
from mortar.errors import LaunchError
from mortar.executable import Entry, launcher

CONSTANTS = {type(None), bool, int, float, str}
SIGNATURES_KEPT = 64  # for values of the same types; the next one begins anew
MISSED = object()


def in_a_row(args: tuple, kwargs: dict[str, Any], out: Any) -> tuple[tuple, tuple]:
    """A call's values, and what is looked at first: their types and how they are passed."""
    if not kwargs and out is None:
        return args, tuple(map(type, args))
    if not kwargs and type(out) is tuple:  # as below, sooner
        return args + out, (*map(type, args + out), len(out))
    outs = () if out is None else tuple(out) if isinstance(out, (tuple, list)) else (out,)
    values = (*args, *kwargs.values(), *outs)
    return values, (*map(type, values), len(outs), *kwargs)


def picker(numbers: Sequence[int], is_tuple: bool) -> Callable[[tuple], Any]:
    pick = operator.itemgetter(*numbers)
    return (lambda values: (pick(values),)) if is_tuple and len(numbers) == 1 else pick


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


class Plan:
    """What is done for one signature. ``inputs``, ``results`` and ``written`` are numbers of
    a call's values; of results, where some are ``made``, behind inputs those."""

    def __init__(self, entry: Entry, bound: Callable[..., None], inputs: Sequence[int],
                 made: Sequence[Callable[[tuple], Any]], results: Sequence[int],
                 written: Sequence[int], is_tuple: bool):
        self.entry, self.bound, self.inputs, self.made = entry, bound, inputs, made
        self.pick = picker(results, is_tuple)
        self.written = picker(written, False) if written else None

    def allocate_and_launch(self, values: tuple) -> tuple:
        arrays = (*[values[number] for number in self.inputs],
                  *[make(values) for make in self.made])
        try:
            self.bound(*arrays)
        except LaunchError as error:
            raise self.entry.refusal(str(error)) from None
        return arrays


class Shortcut:
    """For values of some types, of which ``tensors`` are tensors."""

    def __init__(self, torch: Any, tensors: Sequence[int]):
        self._is_grad_enabled = torch.is_grad_enabled
        self._increment_version = torch.autograd.graph.increment_version
        self._torch, self._tensors = torch, tensors
        # Those that may be .imag of something, whose elements may be stored negated.
        self._parts_of_complex: tuple[int, ...] = ()
        # Replaced as one: a number that is found is a plan's of the same moment.
        self._known: tuple[Callable[..., int | None] | None, tuple[Plan, ...]] = (None, ())
        self._learning = threading.Lock()

    def __call__(self, values: tuple) -> Any:
        """The call's results, or MISSED: then the long way says what is the matter."""
        if self._is_grad_enabled():
            for number in self._tensors:
                if values[number].requires_grad:
                    return MISSED
        for number in self._parts_of_complex:
            if values[number].is_neg():
                return MISSED
        match, plans = self._known
        try:
            found = match(*values)
        except Exception:  # a tensor without memory of its own, say; nothing was launched
            return MISSED
        if found is None:
            return MISSED
        if found < 0:
            raise plans[~found].entry.refusal(_native.last_error())
        plan = plans[found]
        results = plan.pick(plan.allocate_and_launch(values) if plan.made else values)
        if plan.written:
            self._increment_version(plan.written(values))
        return results

    def learn(self, plan: Plan, numbers: Sequence[int], values: tuple) -> None:
        import tvm_ffi
        with self._learning:
            match, plans = self._known
            if len(plans) == SIGNATURES_KEPT:
                match, plans = None, ()
            shape = tvm_ffi.Shape((len(plans), *numbers))
            match = launcher().signature(shape, match, *values)
            if match is not None:
                self._parts_of_complex = tuple(
                    number for number in self._tensors if number in self._parts_of_complex
                    or values[number].dtype in (self._torch.float32, self._torch.float16))
                self._known = match, (*plans, plan)


class Shortcuts:
    """Of one fused function."""

    def __init__(self) -> None:
        self.by_types: dict[tuple, Shortcut] = {}

    def learn(self, framework: Torch, compiled: Compiled, device: int,
              static: Sequence[tuple[int, int]], numbers: Sequence[int],
              outs: Sequence[int] | None, values: tuple, types: tuple) -> None:
        """Makes the next call like one that went well a shortcut. Of its values, ``numbers``
        are its arrays, as parameters are ordered, and ``outs`` its results, if they were
        given; ``static`` are an array and an axis for each extent compiled for."""
        torch, tensors = framework.torch, (*numbers, *(outs or ()))
        if compiled.places is None or not all(
                type(value) in (torch.Tensor, torch.nn.Parameter) if number in tensors else
                type(value) in CONSTANTS or isinstance(value, torch.dtype)
                for number, value in enumerate(values)):
            return
        entry, traced = compiled.entry, compiled.traced
        inputs = [numbers[place] for place in compiled.places]
        given = [*inputs, *(outs or ())]
        made, results = [], entry.results[:compiled.count]
        if outs is None:
            made = [maker(torch, result, framework.dtypes[result.dtype], traced.arrays, numbers)
                    for result in traced.results]
        else:
            results = [given[number] for number in results]
        written = [given[number] for number in entry.results if number < len(given)]
        plan = Plan(entry, entry.bound(device), inputs, made, results, written,
                    compiled.is_tuple)
        extents = [number for place, axis in static for number in (numbers[place], axis)]
        self.by_types.setdefault(types, Shortcut(torch, tensors)).learn(
            plan, [not made, *entry.numbers(device), *([] if made else given), *extents], values)
