"""Attributes that are replaced for a while, and what became of the calls that reach them."""

from __future__ import annotations

import functools
import types
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from mortar.errors import CompileError, MortarError

FLOATS = (torch.float32, torch.float16, torch.bfloat16)
TENSORS = (torch.Tensor, torch.nn.Parameter)
_MISSING = object()


class Declined(Exception):
    """This call is the other library's own; the message says why. ``result`` is what it
    gave, where that was called already."""

    def __init__(self, reason: str, result: Any = _MISSING):
        super().__init__(reason)
        self.result = result


@dataclass(eq=False)
class Replaced:
    """One replaced attribute: by what, how many calls it took and why others were left."""

    name: str
    op: str  # of mortar.ops; empty for what isn't worth a line in reports
    calls: int = 0
    declined: Counter[str] = field(default_factory=Counter)
    active: bool = True
    refused: str | None = None  # a kernel that can't be compiled isn't tried at each call


class Patches:
    """Replaced attributes of classes, modules and module instances, in order."""

    def __init__(self) -> None:
        self.replaced: list[Replaced] = []
        self.left: dict[str, str] = {}  # what could have been replaced, and why it wasn't
        self._undo: list[tuple[Any, str, Any, Any]] = []

    def set(self, owner: Any, name: str, value: Any) -> None:
        self._undo.append((owner, name, vars(owner).get(name, _MISSING), value))
        setattr(owner, name, value)

    def replace(self, owner: Any, name: str, attempt: Callable[..., Any], op: str,
                label: str, traced: Callable[..., Any] | None = None) -> None:
        """Puts ``attempt`` in front of owner's function ``name``; what it declines goes to
        the function that was there, and so does what torch.compile traces, which knows how
        to fuse a library's own code, unless there is another function for that."""
        entry = Replaced(f"{label}.{name}", op)
        self.replaced.append(entry)
        if isinstance(owner, torch.nn.Module):
            value = wrapper(attempt, getattr(type(owner), name), entry, traced)
            self.set(owner, name, types.MethodType(value, owner))
        else:
            self.set(owner, name, wrapper(attempt, getattr(owner, name), entry, traced))

    def undo(self) -> None:
        """Puts back what was there. Where something else was put on top since, that stays,
        and what lies under it hands every call on."""
        for entry in self.replaced:
            entry.active = False
        while self._undo:
            owner, name, before, value = self._undo.pop()
            if vars(owner).get(name) is not value:
                continue
            while (below := getattr(before, "mortar_replaced", None)) and not below.active:
                before = before.__wrapped__
            if before is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def report(self) -> str:
        """What was called, what fell back and why, and what was left alone."""
        called = [entry for entry in self.replaced
                  if entry.op and (entry.calls or entry.declined)]
        width = max([len(entry.name) for entry in called], default=0)
        lines = [f"{entry.name:<{width}}  {entry.op:<16} {entry.calls:>7} calls"
                 + "".join(f"\n    {count} left to transformers: {reason}"
                           for reason, count in entry.declined.items()) for entry in called]
        lines.append(f"{len(self.replaced) - len(called)} more replaced, and not called")
        lines += [f"{name}: left alone: {reason}" for name, reason in self.left.items()]
        return "\n".join(lines)


def wrapper(attempt: Callable[..., Any], original: Callable[..., Any], entry: Replaced,
            traced: Callable[..., Any] | None) -> Callable[..., Any]:
    def eager(*args: Any, **kwargs: Any) -> Any:
        if not entry.active:
            return original(*args, **kwargs)
        try:
            if entry.refused:
                raise Declined(entry.refused)
            result = attempt(*args, **kwargs)
        except Declined as reason:
            entry.declined[str(reason)] += 1
            if reason.result is not _MISSING:
                return reason.result
        except CompileError as error:
            entry.refused = str(error)
            entry.declined[entry.refused] += 1
        except MortarError as error:
            entry.declined[str(error)] += 1
        else:
            entry.calls += 1
            return result
        return original(*args, **kwargs)

    def replacement(*args: Any, **kwargs: Any) -> Any:
        return (traced if entry.active else original)(*args, **kwargs)

    in_graph = replacement if traced else original

    # Nothing but functions in its closure: a method of what is made while Dynamo traces has
    # no place that a guard could name, and then Dynamo knows no other objects.
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        return (in_graph if torch.compiler.is_compiling() else eager)(*args, **kwargs)

    function.mortar_replaced = entry
    return function


def beneath(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function under replacements of ours."""
    while hasattr(function, "mortar_replaced"):
        function = function.__wrapped__
    return function


def expect_plain(*tensors: Any) -> None:
    """Declines what kernels can't take, and what they would take but not mean the same."""
    first = tensors[0]
    grad = torch.is_grad_enabled()
    for tensor in tensors:
        if type(tensor) not in TENSORS:
            raise Declined(f"expected a torch.Tensor, found {type(tensor).__name__}")
        if tensor.dtype not in FLOATS:
            raise Declined(f"expected float32, float16 or bfloat16, found {tensor.dtype}")
        if tensor.device != first.device or not (tensor.is_cuda or tensor.is_cpu):
            raise Declined("expected tensors on one CUDA device or the CPU, found "
                           f"{first.device} and {tensor.device}")
        if grad and tensor.requires_grad:
            raise Declined("autograd records this call, and Mortar has no derivatives")
    if not first.numel():
        raise Declined("no elements")
    if torch.is_autocast_enabled(first.device.type):
        raise Declined("autocast chooses the types of this call")
