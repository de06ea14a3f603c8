"""libmortar.so, by ctypes: what isn't on the way of a launch (src/launch.c is)."""

from __future__ import annotations

import ctypes
import os
import threading
from ctypes import POINTER, c_char_p, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

from mortar.errors import LaunchError, MortarError

API_VERSION = 1
SEVERITIES = ("note", "warning", "error", "remark")
# Element types as artifacts number them, by the names that IR has for them.
ELEMENT_TYPES = ("f32", "f16", "bf16", "f8E4M3FN", "i8", "i32", "i64", "f8E8M0FNU")
INPUT, OUTPUT, INOUT = range(3)
LOAD_ON_DEVICE, LOAD_TO_INSPECT = range(2)


class Tensor(ctypes.Structure):  # MortarTensor
    _fields_ = [("data", c_void_p), ("shape", POINTER(c_int64)),
                ("strides", POINTER(c_int64)), ("rank", c_uint32), ("type", c_uint32)]


class Diagnostic(ctypes.Structure):  # MortarDiagnostic
    _fields_ = [("severity", c_uint32), ("line", c_uint32), ("column", c_uint32),
                ("file", c_char_p), ("message", c_char_p)]


DiagnosticCallback = ctypes.CFUNCTYPE(None, POINTER(Diagnostic), c_void_p)


class Options(ctypes.Structure):  # MortarCompileOptions
    _fields_ = [("size", c_size_t), ("target", c_char_p), ("name", c_char_p),
                ("noFuse", c_uint32), ("mixedDtypes", c_uint32), ("noCubin", c_uint32),
                ("lineTables", c_uint32), ("requireFusions", c_uint32),
                ("cache", c_uint32), ("cacheFolder", c_char_p),
                ("onDiagnostic", DiagnosticCallback), ("user", c_void_p)]


SIGNATURES: dict[str, list[Any]] = {
    "mortarCompilerVersion": [POINTER(c_uint32)] * 3,
    "mortarCompile": [c_char_p, c_size_t, POINTER(Options), POINTER(c_uint64)],
    "mortarProgramDestroy": [c_uint64],
    "mortarProgramArtifact": [c_uint64, POINTER(c_void_p), POINTER(c_size_t)],
    "mortarProgramRemarks": [c_uint64, POINTER(c_char_p)],
    "mortarProgramTable": [c_uint64, POINTER(c_char_p)],
    "mortarProgramWasCached": [c_uint64, POINTER(c_uint32)],
    "mortarRuntimeLoadBytes": [c_char_p, c_size_t, ctypes.c_int, POINTER(c_uint64)],
    "mortarRuntimeDestroy": [c_uint64],
    "mortarRuntimeRemarks": [c_uint64, POINTER(c_char_p)],
    "mortarRuntimeImage": [c_uint64, POINTER(c_char_p)],
    "mortarRuntimeEntryCount": [c_uint64, POINTER(c_uint32)],
    "mortarRuntimeEntryName": [c_uint64, c_uint32, POINTER(c_char_p)],
    "mortarRuntimeArgumentCount": [c_uint64, c_uint32, POINTER(c_uint32)],
    "mortarRuntimeArgumentName": [c_uint64, c_uint32, c_uint32, POINTER(c_char_p)],
    "mortarRuntimeArgumentType": [c_uint64, c_uint32, c_uint32, POINTER(c_uint32)],
    "mortarRuntimeArgumentRole": [c_uint64, c_uint32, c_uint32, POINTER(c_uint32)],
    "mortarRuntimeArgumentConstant": [c_uint64, c_uint32, c_uint32, POINTER(c_uint32)],
    "mortarRuntimeArgumentRank": [c_uint64, c_uint32, c_uint32, POINTER(c_uint32)],
    "mortarRuntimeArgumentDims": [c_uint64, c_uint32, c_uint32, POINTER(c_int64), c_size_t],
    "mortarRuntimeResultCount": [c_uint64, c_uint32, POINTER(c_uint32)],
    "mortarRuntimeResultArgument": [c_uint64, c_uint32, c_uint32, POINTER(c_uint32)],
    "mortarRuntimeResultShapes": [c_uint64, c_uint32, POINTER(Tensor), c_size_t,
                                  POINTER(c_int64), c_size_t],
}

_library: ctypes.CDLL | None = None
_loading = threading.Lock()


def library_path() -> Path:
    """$MORTAR_LIBRARY, for those who build Mortar themselves, else the wheel's own."""
    given = os.environ.get("MORTAR_LIBRARY")
    return Path(given) if given else Path(__file__).parent / "lib" / "libmortar.so"


def library() -> ctypes.CDLL:
    global _library
    with _loading:
        if _library is None:
            path = library_path()
            try:
                loaded = ctypes.CDLL(str(path))
            except OSError as error:
                raise MortarError(f"expected libmortar.so at {path}: {error}") from None
            loaded.mortarRuntimeLastError.restype = c_char_p
            for name, types in SIGNATURES.items():
                getattr(loaded, name).argtypes = types
            versions = [c_uint32() for _ in range(3)]
            loaded.mortarCompilerVersion(*versions)
            if versions[0].value != API_VERSION:
                raise MortarError(f"expected a libmortar.so of API {API_VERSION}, found "
                                  f"{versions[0].value} in {path}")
            _library = loaded
    return _library


def last_error() -> str:
    return library().mortarRuntimeLastError().decode()


def call(name: str, *arguments: Any) -> None:
    if getattr(library(), name)(*arguments):
        raise LaunchError(last_error())


def get(name: str, kind: Any, *arguments: Any) -> Any:
    """The one output of a function, as a Python value."""
    value = kind()
    call(name, *arguments, ctypes.byref(value))
    return value.value.decode() if kind is c_char_p else value.value
