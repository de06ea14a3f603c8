"""What differs between frameworks: types, devices, and who allocates results.

PyTorch's tensors go to src/launch.c by its C exchange API, JAX's and CuPy's by
``__dlpack__``. NumPy's go as descriptors of our own: its DLPack knows no bfloat16, and
refuses arrays that are read-only.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from mortar import _cuda, _native
from mortar.errors import LaunchError

CPU = -1  # a device is this, or the ordinal of a CUDA device
# By the name that NumPy, ml_dtypes and all frameworks have for an element type.
IR_TYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "int8": "i8",
            "float8_e4m3fn": "f8E4M3FN", "float8_e8m0fnu": "f8E8M0FNU",
            "int32": "i32", "int64": "i64"}
NAMES = {ir: name for name, ir in IR_TYPES.items()}


class Framework:
    """Arrays of one framework."""

    on_stream = False  # whether tvm_ffi asks the array for the current stream itself

    def ir_type(self, dtype: Any) -> str | None:
        return IR_TYPES.get(str(dtype))

    def device(self, array: Any) -> int:
        kind, ordinal = array.__dlpack_device__()
        if int(kind) in (2, 13):  # kDLCUDA, kDLCUDAManaged
            return int(ordinal)
        if int(kind) in (1, 3):  # kDLCPU, kDLCUDAHost
            return CPU
        raise LaunchError(f"expected an array on a CPU or a CUDA device, found one on "
                          f"DLPack's device type {int(kind)}")

    def empty(self, like: Any, shape: tuple[int, ...], ir_type: str) -> Any:
        raise NotImplementedError

    def exchange(self, arrays: list[Any], written: int) -> list[Any]:
        """What goes to launch.c; arrays from number ``written`` on are results."""
        return arrays

    def strides(self, array: Any) -> tuple[int, ...] | None:
        """In any unit; None where the array is dense."""
        return None

    def fault(self, array: Any) -> str | None:
        """Why an array's memory can't be used as it is, beyond what DLPack says."""
        return None

    def check_out(self) -> None:
        pass

    def note_written(self, arrays: Sequence[Any]) -> None:
        """That a launch has overwritten these."""

    @contextlib.contextmanager
    def stream(self, device: int) -> Iterator[None]:
        """Around launches on a GPU, where the framework's stream must be told."""
        yield


class Torch(Framework):
    on_stream = True

    def __init__(self) -> None:
        import torch
        self.torch = torch
        self.names = {dtype: ir for name, ir in IR_TYPES.items()
                      if (dtype := getattr(torch, name, None)) is not None}
        self.dtypes = {ir: dtype for dtype, ir in self.names.items()}

    def ir_type(self, dtype: Any) -> str | None:
        return self.names.get(dtype)

    def device(self, array: Any) -> int:
        if array.is_cpu:
            return CPU
        if array.is_cuda:
            return array.get_device()
        raise LaunchError("expected a tensor on a CPU or a CUDA device, found one on "
                          f"{array.device.type}")

    def empty(self, like: Any, shape: tuple[int, ...], ir_type: str) -> Any:
        return self.torch.empty(shape, dtype=self.dtypes[ir_type], device=like.device)

    def strides(self, array: Any) -> tuple[int, ...] | None:
        return None if array.is_contiguous() else array.stride()

    def fault(self, array: Any) -> str | None:
        if array.requires_grad and self.torch.is_grad_enabled():
            return ("expected a tensor without requires_grad, as Mortar has no derivatives; "
                    "call it under torch.no_grad() or torch.inference_mode()")
        if array.layout is not self.torch.strided or array.is_nested:
            found = "nested" if array.is_nested else str(array.layout).removeprefix("torch.")
            return f"expected a dense tensor, found a {found} one"
        if array.is_neg():
            return ("expected a tensor whose elements are stored as they are, found one whose "
                    "elements PyTorch negates as it reads them: store it with resolve_neg()")
        return None

    def note_written(self, arrays: Sequence[Any]) -> None:
        # So that autograd refuses to go back through what was saved before.
        self.torch.autograd.graph.increment_version(arrays)


class Numpy(Framework):
    def device(self, array: Any) -> int:
        return CPU

    def strides(self, array: Any) -> tuple[int, ...] | None:
        return None if array.flags.c_contiguous else array.strides

    def empty(self, like: Any, shape: tuple[int, ...], ir_type: str) -> Any:
        import numpy
        if ir_type in ("bf16", "f8E4M3FN", "f8E8M0FNU"):
            import ml_dtypes
            return numpy.empty(shape, getattr(ml_dtypes, NAMES[ir_type]))
        return numpy.empty(shape, NAMES[ir_type])

    def exchange(self, arrays: list[Any], written: int) -> list[Any]:
        return [self.descriptor(number, array, number >= written)
                for number, array in enumerate(arrays)]

    def descriptor(self, number: int, array: Any, written: bool) -> Any:
        if not hasattr(array, "__array_interface__"):
            raise LaunchError(f"argument {number}: expected a NumPy array as the first "
                              f"one, found {type(array).__name__}")
        ir_type = self.ir_type(array.dtype)
        if ir_type is None:
            raise LaunchError(f"argument {number}: expected an element type that Mortar "
                              f"has, found {array.dtype}")
        if written and not array.flags.writeable:
            raise LaunchError(f"argument {number}: expected an array that can be written, "
                              "found a read-only one")
        if any(stride % array.itemsize for stride in array.strides):
            raise LaunchError(f"argument {number}: expected strides of whole elements, "
                              f"found {array.strides} bytes")
        extents = ctypes.c_int64 * array.ndim
        tensor = _native.Tensor(
            array.ctypes.data, extents(*array.shape),
            extents(*(stride // array.itemsize for stride in array.strides)),
            array.ndim, _native.ELEMENT_TYPES.index(ir_type))
        pointer = ctypes.c_void_p(ctypes.addressof(tensor))
        pointer.keep = tensor  # as long as the pointer is
        return pointer


class Cupy(Framework):
    strides = Numpy.strides

    def empty(self, like: Any, shape: tuple[int, ...], ir_type: str) -> Any:
        import cupy
        with cupy.cuda.Device(like.device.id):
            return cupy.empty(shape, NAMES[ir_type])

    @contextlib.contextmanager
    def stream(self, device: int) -> Iterator[None]:
        import cupy
        import tvm_ffi
        pointer = cupy.cuda.get_current_stream(device).ptr
        with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", device), pointer):
            yield


class Jax(Framework):
    """Outside of jax.jit. Arrays can't be changed, so there is no ``out``; on a GPU, where
    JAX has no current stream to launch on, a launch ends before the call returns."""

    def empty(self, like: Any, shape: tuple[int, ...], ir_type: str) -> Any:
        import jax
        import jax.numpy
        with jax.default_device(next(iter(like.devices()))):
            return jax.numpy.empty(shape, NAMES[ir_type]).block_until_ready()

    def device(self, array: Any) -> int:
        import jax
        if isinstance(array, jax.core.Tracer):
            raise LaunchError("expected an array, found a value that JAX traces: call it "
                              "outside of jax.jit, jax.grad and their kin")
        return super().device(array)

    def check_out(self) -> None:
        raise LaunchError("expected no out, as JAX's arrays can't be changed")

    def exchange(self, arrays: list[Any], written: int) -> list[Any]:
        for array in arrays:
            getattr(array, "block_until_ready", lambda: None)()
        return arrays

    @contextlib.contextmanager
    def stream(self, device: int) -> Iterator[None]:
        yield
        _cuda.synchronize(device)


FRAMEWORKS = {"torch": Torch, "numpy": Numpy, "cupy": Cupy, "jax": Jax, "jaxlib": Jax}
_by_type: dict[type, Framework] = {}


def framework(array: Any) -> Framework:
    """That of an array, which is known by its class or a base of it."""
    found = _by_type.get(type(array))
    if found is not None:
        return found
    for base in type(array).__mro__:
        root = base.__module__.partition(".")[0]
        if root in FRAMEWORKS and (root != "numpy" or base.__name__ == "ndarray"):
            # Of one framework there is one object, whatever classes it has.
            kind = FRAMEWORKS[root]
            found = next((one for one in _by_type.values() if type(one) is kind), None)
            return _by_type.setdefault(type(array), found or kind())
    loaded = [name for name in ("torch", "numpy", "jax", "cupy") if name in sys.modules]
    raise LaunchError(f"expected an array of {', '.join(loaded) or 'a framework'}, found "
                      f"{type(array).__name__}")


def is_array(value: Any) -> bool:
    if type(value) in _by_type:
        return True
    if not (hasattr(value, "shape") and hasattr(value, "dtype")):
        return False
    try:
        framework(value)
    except LaunchError:
        return False
    return True


def heads(array: Any) -> tuple[int, ...]:
    """The axes of a part of a row, which its rows have and its leading dimensions aren't:
    behind them stands something else. Of a view [T, H, K] of a projection's rows, H."""
    strides, shape = framework(array).strides(array), array.shape
    if strides is None or 0 in shape:
        return ()
    even = inner = None  # the distance that fits those inside, and the first of these
    for axis in range(len(shape) - 2, -1, -1):
        if shape[axis] == 1:  # whose stride says nothing
            continue
        if inner is not None and strides[axis] != even:
            return tuple(range(inner, len(shape) - 1))
        even, inner = strides[axis] * shape[axis], axis
    return ()


def check(expected: Framework, arrays: Sequence[Any]) -> None:
    """What a launch can't check, or would not: DLPack passes any framework's arrays, those
    that mustn't be written and those that another stream still writes among them."""
    for number, array in enumerate(arrays):
        if is_array(array):
            found = framework(array)
            if found is not expected:
                raise LaunchError(
                    f"argument {number}: expected an array of {type(expected).__name__.lower()}"
                    f", as the first one is, found one of {type(found).__name__.lower()}")
            if fault := found.fault(array):
                raise LaunchError(f"argument {number}: {fault}")


def has_memory(tensor: Any) -> bool:
    try:
        tensor.data_ptr()
    except RuntimeError:
        return False
    return True


def first_fault(device: int, arrays: Sequence[Any]) -> str | None:
    """What is wrong with the first array that could not be passed."""
    for number, array in enumerate(arrays):
        place = f"argument {number}: "
        if not is_array(array):
            return f"{place}expected an array, found {type(array).__name__}"
        found = framework(array)
        if isinstance(found, Torch) and not has_memory(array):
            return (f"{place}expected a tensor with memory of its own, found one that PyTorch "
                    "stands another for (under torch.vmap or torch.func, say)")
        if found.ir_type(array.dtype) is None:
            return (f"{place}expected an element type of {', '.join(NAMES.values())}, found "
                    f"{array.dtype}")
        try:
            if found.device(array) != device:
                return (f"{place}expected an array on the first one's device, found one on "
                        f"{array.device}")
        except LaunchError as error:
            return f"{place}{error}"
    return None
