"""What becomes of a function under mortar.fuse: IR, and then code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from mortar import _arrays
from mortar._dims import Dim
from mortar._trace import Trace, Value
from mortar.errors import TraceError
from mortar.executable import Executable


class Traced:
    """A function's IR for arrays of some types, and which of their extents are in it."""

    def __init__(self, function: Callable[..., Any], bound: inspect.BoundArguments,
                 arrays: Sequence[tuple[str, tuple[int, ...], str, tuple[int, ...]]]):
        self.trace = Trace()
        values = {array[0]: self.trace.input(*array) for array in arrays}
        self.arrays = list(values.values())
        bound.arguments.update(values)
        given = function(*bound.args, **bound.kwargs)
        self.is_tuple = isinstance(given, (tuple, list))
        self.results: list[Value] = list(given) if self.is_tuple else [given]
        for number, result in enumerate(self.results):
            if not isinstance(result, Value):
                raise TraceError(f"result {number}: expected a tensor, found "
                                 f"{type(result).__name__}")
            self.trace.check_own(result)
            if result.place is not None:
                raise TraceError(f"result {number}: expected a tensor that the function "
                                 f"computes, found its argument '{result.label}'")
        if not self.results:
            raise TraceError("expected a result, found none")
        updated = [new for _, new in self.trace.updates]
        self.module = self.trace.module(_symbol(function), [*self.results, *updated])
        self.static = tuple(dim.place for value in self.trace.inputs
                            for dim in value.shape
                            if isinstance(dim, Dim) and dim.static)
        self.static = tuple(dict.fromkeys(self.static))
        self.trace.is_finished = True

    def shapes(self, inputs: Sequence[Any]) -> list[tuple[int, ...]]:
        """The shapes of results."""
        return [tuple([inputs[dim.place[0]].shape[dim.place[1]]
                       if isinstance(dim, Dim) and not dim.static else int(dim)
                       for dim in result.shape]) for result in self.results]


def _symbol(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() and name.isascii() else "fused"


class Compiled:
    """An executable's entry, and how a call's results come of it."""

    def __init__(self, traced: Traced, executable: Executable):
        if len(executable.entries) != 1:
            raise TraceError(f"expected ops that are one gap, found {executable.table}")
        self.executable = executable
        self.entry = next(iter(executable.entries.values()))
        inputs = traced.trace.entry_inputs()
        self.entry.names = [value.label for value in inputs]
        self.entry.names += [f"out[{number}]" for number in range(len(traced.results))]
        self.traced = traced
        self.is_tuple = traced.is_tuple
        self.count = len(traced.results)
        # None where a call's arrays are the entry's, as they come.
        self.fetches = None
        if len(inputs) != len(traced.trace.inputs):
            self.fetches = [value.fetch for value in inputs]
        # Which of a call's arrays the entry's arguments are; None if one is a view.
        self.places = None
        if all(value.place < len(traced.arrays) for value in inputs):
            self.places = [value.place for value in inputs]

    def __call__(self, framework: _arrays.Framework, device: int, arrays: Sequence[Any],
                 out: Any) -> Any:
        outs = (self.entry.empty(arrays[0], self.traced.shapes(arrays)) if out is None
                else self.entry.given(arrays[0], out))
        if self.fetches:
            arrays = [fetch(arrays) for fetch in self.fetches]
        results = self.entry.launch(framework, device, arrays, outs)
        if not isinstance(results, tuple):
            return (results,) if self.is_tuple else results
        results = results[:self.count]
        return results if self.is_tuple else results[0]
