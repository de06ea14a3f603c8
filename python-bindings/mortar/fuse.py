"""mortar.fuse: a function over mortar.ops becomes one kernel."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from mortar import _arrays, _cuda
from mortar._compiled import Compiled, Traced
from mortar._shortcuts import MISSED, Shortcuts
from mortar._trace import Value
from mortar.compiler import compile_program
from mortar.errors import LaunchError, TraceError
from mortar.executable import Executable

_compilations = 0


def _torch_compiles() -> bool:
    """Where PyTorch may come later; else its own function stands here."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_compiling()


def _ask_torch_itself() -> None:
    """Unless Dynamo may have traced a call, which imports mortar.torch: it has a guard on the
    function that it found here."""
    if "mortar.torch" in sys.modules:
        return
    if compiler := getattr(sys.modules.get("torch"), "compiler", None):
        global _torch_compiles
        _torch_compiles = compiler.is_compiling


_ask_torch_itself()


def compilations() -> int:
    """How many modules mortar.ops, fused functions and chains of torch.compile have had
    compiled, or taken from the cache, in this process. Another number of rows never adds
    one."""
    return _compilations


def count_compilation() -> None:
    global _compilations
    _compilations += 1


class Fused:
    """A function that :func:`fuse` was put on. Arrays among its arguments become tensors
    of a module of IR, all else is part of what it is compiled for."""

    def __init__(self, function: Callable[..., Any], in_place: Sequence[str] = (),
                 **options: Any):
        functools.update_wrapper(self, function)
        # The driver compiles in a third of ptxas's time, when it is launched anyway.
        options = {"cubin": False, **options}
        self.function, self.options, self.in_place = function, options, tuple(in_place)
        self.signature = inspect.signature(function)
        unknown = set(self.in_place) - set(self.signature.parameters)
        if unknown:
            raise TraceError(f"in_place: expected parameters of {function.__name__}, found "
                             f"{', '.join(sorted(unknown))}")
        self._places = [(list(self.signature.parameters).index(name), name)
                        for name in self.in_place]
        for parameter in self.signature.parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise TraceError(f"{function.__name__}: expected named parameters, found "
                                 f"*{parameter.name}")
        # By types and constants: how arrays of a call are ordered as parameters are (None:
        # as they come), and which extents of which of them are compiled for.
        self._known: dict[tuple, tuple[list[int] | None, tuple[tuple[int, int], ...]]] = {}
        self._compiled: dict[tuple, Compiled] = {}
        self._by_module: dict[tuple[str, str], Compiled] = {}
        self._compiling = threading.RLock()  # a function may call itself, however wrong
        self._shortcuts = Shortcuts()

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if _torch_compiles() and not any(
                type(value) is Value for value in (*args, *kwargs.values())):
            from mortar import torch as custom_ops
            return custom_ops.call(self, args, kwargs, out)
        results = self._shortcuts.call(args, kwargs, out)
        if results is not MISSED:
            return results
        results = self._call_anew(args, kwargs, out)
        _ask_torch_itself()
        return results

    def run(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        """Calling, where PyTorch doesn't trace."""
        results = self._shortcuts.call(args, kwargs, out)
        return self._call_anew(args, kwargs, out) if results is MISSED else results

    def __reduce__(self) -> str:
        """Copied and pickled as functions are: by name."""
        return self.__qualname__

    def _call_anew(self, args: tuple, kwargs: dict[str, Any], out: Any) -> Any:
        arrays, parts = [], []
        numbers = []  # which of the call's values the arrays are
        for number, value in enumerate((*args, *kwargs.values())):
            if _arrays.is_array(value):
                arrays.append(value)
                numbers.append(number)
                fault = _arrays.framework(value).fault(value)
                if fault:
                    raise LaunchError(f"{self.__name__}: argument "
                                      f"'{self._names(args, kwargs)[number]}': {fault}")
                rank = len(value.shape)
                parts.append((value.dtype, rank) if rank < 3 else
                             (value.dtype, rank, _arrays.heads(value)))
            elif type(value) is Value:
                return self._inline(args, kwargs, out)
            else:
                # 1, 1.0 and True are equal, and so are 0.0 and -0.0.
                parts.append((type(value), value.hex() if type(value) is float else value))
        if not arrays:
            raise LaunchError(f"{self.__name__}: expected an array, found none")
        try:
            framework = _arrays.framework(arrays[0])
            device = framework.device(arrays[0])
        except LaunchError as error:
            raise LaunchError(f"{self.__name__}: {error}") from None
        key = (device, len(args), *parts, *kwargs)
        try:
            known = self._known.get(key)
        except TypeError:
            for name, value in zip(self._names(args, kwargs), (*args, *kwargs.values())):
                if type(value).__hash__ is None:
                    raise TraceError(f"{self.__name__}: {name}: expected an array or a constant "
                                     f"that can be hashed, found {type(value).__name__}") from None
            raise
        if known is None:
            known = self._known[key] = (self._order(args, kwargs), ())
        order, static = known
        if order:
            arrays = [arrays[number] for number in order]
            numbers = [numbers[number] for number in order]
        sizes = tuple([arrays[place].shape[axis] for place, axis in static])
        compiled = self._compiled.get((key, sizes)) or self._compile(key, device, args, kwargs)
        # JAX's arrays don't change: an op in place gives new ones.
        in_place = None
        if out is None and self._places and not isinstance(framework, _arrays.Jax):
            in_place = [place if place < len(args) else len(args) + list(kwargs).index(name)
                        for place, name in self._places]
            values = (*args, *kwargs.values())
            out = [values[number] for number in in_place]
        results = compiled(framework, device, arrays, out)
        if isinstance(framework, _arrays.Torch):
            # What is given as out comes last in a row of the call's values.
            outs = (None if out is None else in_place or
                    range(len(args) + len(kwargs), len(args) + len(kwargs) + compiled.count))
            self._shortcuts.learn(framework, compiled, device, self._known[key][1], numbers,
                                  outs, args, kwargs, None if in_place else out)
        return results

    def _inline(self, args: tuple, kwargs: dict[str, Any], out: Any) -> Any:
        """In a function that is being fused."""
        if out is not None:
            raise TraceError(f"{self.__name__}: expected no out under mortar.fuse, where "
                             "results are returned and the fused function takes out")
        for value in (*args, *kwargs.values()):
            if _arrays.is_array(value):
                raise TraceError(f"{self.__name__}: expected tensors that are arguments of the "
                                 "fused function, found an array from outside of it")
        return self.function(*args, **kwargs)

    def _bind(self, args: tuple, kwargs: dict[str, Any]) -> inspect.BoundArguments:
        try:
            return self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.__name__}: {error}") from None

    def trace(self, args: tuple, kwargs: dict[str, Any]) -> Traced:
        """The IR for these arrays, whose elements aren't looked at."""
        bound = self._bind(args, kwargs)
        arrays = []
        for name, value in bound.arguments.items():
            if _arrays.is_array(value):
                kind = _arrays.framework(value)
                dtype = kind.ir_type(value.dtype)
                if dtype is None:
                    raise LaunchError(
                        f"{self.__name__}: argument '{name}': expected an element type of "
                        f"{', '.join(_arrays.IR_TYPES)}, found {value.dtype}")
                arrays.append((name, tuple(value.shape), dtype, _arrays.heads(value)))
        try:
            return Traced(self.function, bound, arrays)
        except TraceError as error:
            raise TraceError(f"{self.__name__}: {error}") from None

    def _names(self, args: tuple, kwargs: dict[str, Any]) -> list[str]:
        return [*list(self.signature.parameters)[:len(args)], *kwargs]

    def _order(self, args: tuple, kwargs: dict[str, Any]) -> list[int] | None:
        self._bind(args, kwargs)
        named = zip(self._names(args, kwargs), (*args, *kwargs.values()))
        given = [name for name, value in named if _arrays.is_array(value)]
        wanted = [name for name in self.signature.parameters if name in given]
        return None if given == wanted else [given.index(name) for name in wanted]

    def _compile(self, key: tuple, device: int, args: tuple,
                 kwargs: dict[str, Any]) -> Compiled:
        with self._compiling:
            traced = self.trace(args, kwargs)
            order, static = self._known[key]
            static = tuple(dict.fromkeys((*static, *traced.static)))
            shapes = [value.shape for value in traced.trace.inputs]  # arguments first
            sizes = tuple([shapes[place][axis].value for place, axis in static])
            # Calls that differ in keywords, say, may well have the same module.
            place = (traced.module, target_of(device))
            if place not in self._by_module:
                program = compile_program(traced.module, target=place[1],
                                          name=self.__name__, **self.options)
                count_compilation()
                self._by_module[place] = Compiled(traced, Executable(program))
            self._known[key] = (order, static)
            return self._compiled.setdefault((key, sizes), self._by_module[place])

    def explain(self, *args: Any, **kwargs: Any) -> str:
        """For these arrays: the module, its kernels, and why something did not fuse."""
        traced = self.trace(args, kwargs)
        first = next(value for value in (*args, *kwargs.values()) if _arrays.is_array(value))
        program = compile_program(
            traced.module, target=target_of(_arrays.framework(first).device(first)),
            name=self.__name__, **self.options)
        remarks = "".join(f"{remark}\n" for remark in program.remarks)
        return f"{traced.module}\n{program.table}\n{remarks}"


def target_of(device: int) -> str:
    return "host" if device == _arrays.CPU else _cuda.target(device)


def fuse(function: Callable[..., Any] | None = None, *, in_place: Sequence[str] = (),
         **options: Any) -> Any:
    """Makes one kernel of a function that calls mortar.ops, and views and casts, on its
    arrays. It runs once for each combination of types and static extents: which extents
    are static, the ops say; row counts never are.

        @mortar.fuse
        def layer(x, residual, weight, scale):
            total = mortar.ops.residual_add(x, residual)
            return mortar.ops.quantize_fp8(mortar.ops.rms_norm(total, weight), scale), total

    ``in_place`` names arguments that results overwrite, in the order of the results,
    unless a caller gives ``out``. Options are those of :func:`mortar.compile`, where
    ``cubin`` is False if it isn't given.
    ``layer.explain(x, …)`` shows the module, its kernels and what did not fuse.

    Raises :class:`mortar.TraceError` for whatever can't be in a kernel.
    """
    if function is None:
        return functools.partial(fuse, in_place=in_place, **options)
    return Fused(function, in_place, **options)
