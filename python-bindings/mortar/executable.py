"""Executables: artifacts, loaded on a device, whose entries take arrays."""

from __future__ import annotations

import ctypes
import functools
import re
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mortar import _arrays, _cuda, _native
from mortar.errors import LaunchError
from mortar.remarks import Kernel, Remark

if TYPE_CHECKING:
    from mortar.compiler import Program

DLPACK_CPU, DLPACK_CUDA = 1, 2
SHAPES_KEPT = 1024


@functools.cache
def launcher() -> Any:
    """src/launch.c, loaded by TVM FFI. Importing that takes a while (it imports PyTorch
    where that is installed), so it isn't done before something is loaded."""
    import tvm_ffi
    _native.library()
    tvm_ffi.register_error("mortar.LaunchError", LaunchError)
    return tvm_ffi.load_module(_native.library_path().parent / "libmortar_launch.so")


class Argument:
    """One argument of an entry; a dim of -1 is known at run time."""

    def __init__(self, handle: int, entry: int, number: int):
        def get(what: str, kind: Any) -> Any:
            return _native.get(f"mortarRuntimeArgument{what}", kind, handle, entry, number)

        self.name: str = get("Name", ctypes.c_char_p)
        self.type = _native.ELEMENT_TYPES[get("Type", ctypes.c_uint32)]
        self.role: int = get("Role", ctypes.c_uint32)
        dims = (ctypes.c_int64 * get("Rank", ctypes.c_uint32))()
        _native.call("mortarRuntimeArgumentDims", handle, entry, number, dims, len(dims))
        self.shape = tuple(dims)

    def __repr__(self) -> str:
        dims = "x".join("?" if dim < 0 else str(dim) for dim in self.shape)
        return f"{self.name}: {dims}{'x' if dims else ''}{self.type}"


class Entry:
    """A function of a module. Call it with the arguments that the module's function has;
    it gives its results, in a tuple if there are several. A result that is an argument
    updated in place is that array. ``out`` gives the others their arrays."""

    def __init__(self, executable: "Executable", handle: int, number: int):
        self._executable, self._number = executable, number
        self.name: str = _native.get("mortarRuntimeEntryName", ctypes.c_char_p, handle, number)
        self.arguments = [Argument(handle, number, argument) for argument in range(
            _native.get("mortarRuntimeArgumentCount", ctypes.c_uint32, handle, number))]
        self.results: list[int] = [
            _native.get("mortarRuntimeResultArgument", ctypes.c_uint32, handle, number, result)
            for result in range(
                _native.get("mortarRuntimeResultCount", ctypes.c_uint32, handle, number))]
        # A module's arguments come first, then those that its results were made.
        self.inputs = sum(one.role != _native.OUTPUT for one in self.arguments)
        self.outputs = len(self.arguments) - self.inputs
        self.names: Sequence[str] | None = None  # better ones than the artifact's
        self._bound: dict[int, Any] = {}
        self._result_shapes: dict[tuple, list[tuple[int, ...]]] = {}

    def __call__(self, *inputs: Any, out: Any = None) -> Any:
        if len(inputs) != self.inputs:
            raise LaunchError(f"entry '{self.name}': expected {self.inputs} arguments, found "
                              f"{len(inputs)}")
        if out is None:
            outs = self.empty(inputs[0], self._infer_shapes(inputs))
        else:
            outs = self.given(inputs[0], out)
        return self.launch(_arrays.framework(inputs[0]), None, inputs, outs)

    def empty(self, like: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        """Arrays for the results that aren't arguments, of like's framework and device."""
        framework = _arrays.framework(like)
        return [framework.empty(like, shape, argument.type) for shape, argument
                in zip(shapes, self.arguments[self.inputs:])]

    def given(self, like: Any, out: Any) -> list[Any]:
        """``out`` as a list of as many arrays as there are such results."""
        _arrays.framework(like).check_out()
        outs = list(out) if isinstance(out, (tuple, list)) else [out]
        if len(outs) != self.outputs:
            raise LaunchError(f"entry '{self.name}': expected out to be {self.outputs} "
                              f"arrays, found {len(outs)}")
        return outs

    def launch(self, framework: _arrays.Framework, device: int | None,
               inputs: Sequence[Any], outs: Sequence[Any]) -> Any:
        """For arrays of a framework, on a device (None: to be found out)."""
        every = (*inputs, *outs)
        try:
            _arrays.check(framework, every)
            if device is None:
                device = framework.device(inputs[0])
            bound = self.bound(device)
            if framework.on_stream:
                bound(*every)
            else:
                arrays = framework.exchange([*every], self.inputs)
                if device == _arrays.CPU:
                    bound(*arrays)
                else:
                    with framework.stream(device):
                        bound(*arrays)
        except LaunchError as error:
            raise self.refusal(str(error)) from None
        except (AttributeError, BufferError, RuntimeError, TypeError) as error:
            # The way of a launch has no checks of its own. What was wrong is found here.
            message = _arrays.first_fault(device, every) or str(error)
            raise self.refusal(message) from error
        results = tuple([every[number] for number in self.results])
        framework.note_written(results)
        return results[0] if len(results) == 1 else results

    def bound(self, device: int) -> Any:
        """The entry as a function of tensors on a device."""
        found = self._bound.get(device)
        if found is None:
            found = launcher().bind(*self.numbers(device))
            found = self._bound.setdefault(device, found)
        return found

    def numbers(self, device: int) -> tuple[int, int, int, int]:
        """What src/launch.c knows it by."""
        kind = (DLPACK_CPU, 0) if device == _arrays.CPU else (DLPACK_CUDA, device)
        return (self._executable.load(device), self._number, *kind)

    def _infer_shapes(self, inputs: tuple[Any, ...]) -> list[tuple[int, ...]]:
        key = tuple([getattr(array, "shape", None) for array in inputs])
        found = self._result_shapes.get(key)
        if found is None:
            if len(self._result_shapes) >= SHAPES_KEPT:
                self._result_shapes.clear()
            found = self._result_shapes[key] = self._ask_for_shapes(inputs)
        return found

    def _ask_for_shapes(self, inputs: tuple[Any, ...]) -> list[tuple[int, ...]]:
        tensors = (_native.Tensor * len(self.arguments))()
        for slot, array, argument in zip(tensors, inputs, self.arguments):
            if not _arrays.is_array(array):
                raise LaunchError(f"entry '{self.name}': expected {argument}, found "
                                  f"{type(array).__name__}")
            framework = _arrays.framework(array)
            ir_type = framework.ir_type(array.dtype)
            if ir_type is None:
                raise LaunchError(f"entry '{self.name}': expected {argument}, found an array "
                                  f"of {array.dtype}")
            slot.shape = (ctypes.c_int64 * len(array.shape))(*array.shape)
            slot.rank = len(array.shape)
            slot.type = _native.ELEMENT_TYPES.index(ir_type)
        ranks = [len(self.arguments[number].shape) for number in self.results]
        dims = (ctypes.c_int64 * sum(ranks))()
        _native.call("mortarRuntimeResultShapes", self._executable.inspected, self._number,
                     tensors, len(tensors), dims, len(dims))
        shapes, next_dim = {}, 0
        for number, rank in zip(self.results, ranks):
            shapes[number] = tuple(dims[next_dim:next_dim + rank])
            next_dim += rank
        return [shapes[number] for number in range(self.inputs, len(self.arguments))]

    def refusal(self, message: str) -> LaunchError:
        """Says "argument 'x'" where names are known."""
        def name(match: re.Match[str]) -> str:
            number = int(match[1])
            known = self.names and number < len(self.names)
            return f"argument '{self.names[number]}'" if known else f"argument {number}"

        message = re.sub(r"argument (\d+)(?: \('argument \1'\))?", name, message)
        if not message.startswith("entry "):
            message = f"entry '{self.name}', {message}"
        return LaunchError(message)


class Executable:
    """A compiled module. Called itself, it calls its only entry; ``executable["name"]``
    is one of several. On each device it is loaded when it is first called there.

    Remarks and kernels are objects; ``table`` is for people, ``artifact`` for a file that
    the C and C++ runtimes read.
    """

    def __init__(self, program: "Program"):
        self.program = program
        self.inspected = self._load(_native.LOAD_TO_INSPECT)
        self._loaded: dict[int, int] = {}
        self._loading = threading.Lock()
        count = _native.get("mortarRuntimeEntryCount", ctypes.c_uint32, self.inspected)
        self.entries = {entry.name: entry for entry in
                        (Entry(self, self.inspected, number) for number in range(count))}
        self._only = next(iter(self.entries.values())) if count == 1 else None

    @property
    def remarks(self) -> tuple[Remark, ...]:
        return self.program.remarks

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        return self.program.kernels

    @property
    def table(self) -> str:
        return self.program.table

    @property
    def target(self) -> str:
        return self.program.target

    @property
    def artifact(self) -> bytes:
        return self.program.artifact

    def save(self, path: str | Path) -> None:
        Path(path).write_bytes(self.artifact)

    def __getitem__(self, name: str) -> Entry:
        if name not in self.entries:
            raise KeyError(f"expected an entry of {list(self.entries)}, found {name!r}")
        return self.entries[name]

    def __call__(self, *inputs: Any, out: Any = None) -> Any:
        if self._only is None:
            raise LaunchError(f"expected one entry, found {list(self.entries)}: "
                              'call executable["name"]')
        return self._only(*inputs, out=out)

    def load(self, device: int) -> int:
        """The runtime's handle on a device; once for each."""
        with self._loading:
            if device not in self._loaded:
                is_host = not self.target.startswith("sm_")
                if is_host != (device == _arrays.CPU):
                    found = "a CPU" if device == _arrays.CPU else f"cuda:{device}"
                    raise LaunchError(f"expected arrays for the target {self.target}, found "
                                      f"arrays on {found}")
                if device == _arrays.CPU:
                    self._loaded[device] = self._load(_native.LOAD_ON_DEVICE)
                else:
                    with _cuda.primary_context(device):
                        self._loaded[device] = self._load(_native.LOAD_ON_DEVICE, device)
            return self._loaded[device]

    def _load(self, mode: int, device: int = _arrays.CPU) -> int:
        handle = _native.get("mortarRuntimeLoadBytes", ctypes.c_uint64, self.artifact,
                             len(self.artifact), mode)
        weakref.finalize(self, unload, handle, device).atexit = False
        return handle


def unload(handle: int, device: int) -> None:
    if device != _arrays.CPU:
        _cuda.synchronize(device)  # the code may still run
    _native.library().mortarRuntimeDestroy(handle)
