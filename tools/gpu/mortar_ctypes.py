"""The runtime's C API (include/mortar-c/Runtime.h) for torch tensors, by ctypes."""

import ctypes
import pathlib

import torch

TYPES = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2, torch.float8_e4m3fn: 3,
         torch.int8: 4, torch.int32: 5, torch.float8_e8m0fnu: 7}
TORCH = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16,
         "f8E4M3FN": torch.float8_e4m3fn, "i8": torch.int8,
         "f8E8M0FNU": torch.float8_e8m0fnu}


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_uint32),
                ("type", ctypes.c_uint32)]


class Call:
    """Arguments of one launch, made once so that launching costs little."""

    def __init__(self, tensors):
        self.keep, self.tensors = [], (Tensor * len(tensors))()
        for slot, tensor in zip(self.tensors, tensors):
            shape = (ctypes.c_int64 * tensor.dim())(*tensor.shape)
            strides = (ctypes.c_int64 * tensor.dim())(*tensor.stride())
            self.keep += [tensor, shape, strides]
            slot.data, slot.shape, slot.strides = tensor.data_ptr(), shape, strides
            slot.rank, slot.type = tensor.dim(), TYPES[tensor.dtype]


class Executable:
    """An artifact, loaded on the current device."""

    def __init__(self, folder, stem):
        folder = pathlib.Path(folder)
        self.lib = ctypes.CDLL(str(folder / "libmortar_runtime.so"))
        self.lib.mortarRuntimeLastError.restype = ctypes.c_char_p
        self.lib.mortarRuntimeLaunch.argtypes = [
            ctypes.c_uint64, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t,
            ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
        self.handle = ctypes.c_uint64()
        torch.cuda.current_stream()
        self.check(self.lib.mortarRuntimeLoadFile(str(folder / f"{stem}.mortar").encode(), 0,
                                                  ctypes.byref(self.handle)))
        self.entries = {}

    def check(self, status):
        if status:
            raise RuntimeError(self.lib.mortarRuntimeLastError().decode())

    def entry(self, name):
        if name not in self.entries:
            number = ctypes.c_uint32()
            self.check(self.lib.mortarRuntimeFindEntry(self.handle, name.encode(),
                                                       ctypes.byref(number)))
            self.entries[name] = number.value
        return self.entries[name]

    def workspace(self, name, call):
        size = ctypes.c_size_t()
        self.check(self.lib.mortarRuntimeWorkspaceBytes(
            self.handle, self.entry(name), call.tensors, ctypes.c_size_t(len(call.tensors)),
            ctypes.byref(size)))
        return size.value

    def launch(self, name, call, workspace=None):
        """Launches on torch's current stream."""
        pointer, size = (workspace.data_ptr(), workspace.numel()) if workspace is not None \
            else (None, 0)
        self.check(self.lib.mortarRuntimeLaunch(
            self.handle, self.entry(name), call.tensors, len(call.tensors), pointer, size,
            torch.cuda.current_stream().cuda_stream))


class HostObject:
    """The same functions, compiled for a CPU."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(str(pathlib.Path(path).resolve()))

    def run(self, name, tensors):
        function = getattr(self.lib, f"_mlir_ciface_{name}")
        function.restype = ctypes.c_char_p
        descriptors = []
        for tensor in tensors:
            words = [tensor.data_ptr(), tensor.data_ptr(), 0, *tensor.shape, *tensor.stride()]
            descriptors.append((ctypes.c_int64 * len(words))(*words))
        failed = function(*[ctypes.byref(d) for d in descriptors])
        if failed:
            raise RuntimeError(failed.decode())
