"""mortar.compile: a module of MLIR in, something to call out."""

from __future__ import annotations

import ctypes
import warnings
from typing import Literal

from mortar import _cuda, _native, remarks as remarks_json
from mortar.errors import CompileError, Diagnostic
from mortar.executable import Executable
from mortar.remarks import Kernel, Remark

CACHE = {None: 0, False: 1, True: 2, "require": 3}


class Program:
    """What the compiler made: the artifact, for this process or for a file, and what it
    says of it."""

    def __init__(self, artifact: bytes, target: str, table: str, remarks: str,
                 was_cached: bool, diagnostics: tuple[Diagnostic, ...]):
        self.artifact = artifact
        self.target = target
        self.table = table
        self.was_cached = was_cached
        self.diagnostics = diagnostics
        self.remarks: tuple[Remark, ...]
        self.kernels: tuple[Kernel, ...]
        self.remarks, self.kernels = remarks_json.parse(remarks)


def default_target() -> str:
    """That of the first GPU, or "host" where there is none."""
    return _cuda.target(0) if _cuda.driver() else "host"


def compile_program(module: str | bytes, *, target: str | None = None,
                    name: str = "module", fuse: bool = True, mixed_dtypes: bool = False,
                    require_fusions: bool = False, cubin: bool = True,
                    line_tables: bool = False,
                    cache: bool | Literal["require"] | None = None,
                    cache_folder: str | None = None) -> Program:
    """As :func:`compile`, without loading."""
    if not isinstance(module, (str, bytes)):
        raise TypeError(f"expected a module as str or bytes, found {type(module).__name__}")
    if not any(cache is known for known in CACHE):
        if cache != "require":
            raise ValueError(f'expected cache to be None, False, True or "require", found '
                             f"{cache!r}")
    data = module.encode() if isinstance(module, str) else module
    target = target or default_target()
    found: list[Diagnostic] = []

    def note(diagnostic: ctypes._Pointer, _: int | None) -> None:
        one = diagnostic.contents
        found.append(Diagnostic(_native.SEVERITIES[one.severity],
                                one.message.decode(errors="replace"),
                                one.file.decode(errors="replace"), one.line, one.column))

    options = _native.Options(
        size=ctypes.sizeof(_native.Options), target=target.encode(), name=name.encode(),
        noFuse=not fuse, mixedDtypes=mixed_dtypes, noCubin=not cubin,
        lineTables=line_tables, requireFusions=require_fusions, cache=CACHE[cache],
        cacheFolder=cache_folder.encode() if cache_folder else None,
        onDiagnostic=_native.DiagnosticCallback(note))
    program = ctypes.c_uint64()
    failed = _native.library().mortarCompile(data, len(data), options,
                                             ctypes.byref(program))
    message = _native.last_error() if failed else ""
    # Remarks are told apart, as objects.
    diagnostics = tuple(one for one in found if one.severity != "remark")
    if failed:
        raise CompileError(message, diagnostics)
    for one in diagnostics:
        if one.severity == "warning":
            warnings.warn(str(one), RuntimeWarning, stacklevel=3)
    try:
        bytes_at, size = ctypes.c_void_p(), ctypes.c_size_t()
        _native.call("mortarProgramArtifact", program, bytes_at, size)
        return Program(
            ctypes.string_at(bytes_at.value, size.value), target,
            _native.get("mortarProgramTable", ctypes.c_char_p, program),
            _native.get("mortarProgramRemarks", ctypes.c_char_p, program),
            bool(_native.get("mortarProgramWasCached", ctypes.c_uint32, program)),
            diagnostics)
    finally:
        _native.library().mortarProgramDestroy(program)


def compile(module: str | bytes, *, target: str | None = None, name: str = "module",
            fuse: bool = True, mixed_dtypes: bool = False, require_fusions: bool = False,
            cubin: bool = True, line_tables: bool = False,
            cache: bool | Literal["require"] | None = None,
            cache_folder: str | None = None) -> Executable:
    """Compiles a module of MLIR, text or bytecode.

    ``target`` is "sm_80", "sm_90", …, "host" for this CPU or "x86-64-v3"; without one it is
    that of the first GPU, or "host" where there is none. ``name`` stands for the module
    in diagnostics. ``fuse=False`` leaves each op a kernel of its own, with the same bits;
    ``mixed_dtypes`` fuses norms whose row and weight differ in type;
    ``require_fusions`` makes a candidate that did not fuse an error. ``cubin=False``
    leaves out machine code though ptxas is there, ``line_tables`` notes the module's
    lines in a GPU's code. ``cache`` is on, off, "require" (what would have to be
    compiled is an error), or what $MORTAR_CACHE says; ``cache_folder`` is by default
    $XDG_CACHE_HOME/mortar or ~/.cache/mortar.

    Raises :class:`mortar.CompileError`, whose diagnostics have locations; a compiler's
    warning is a RuntimeWarning.
    """
    return Executable(compile_program(
        module, target=target, name=name, fuse=fuse, mixed_dtypes=mixed_dtypes,
        require_fusions=require_fusions, cubin=cubin, line_tables=line_tables, cache=cache,
        cache_folder=cache_folder))
