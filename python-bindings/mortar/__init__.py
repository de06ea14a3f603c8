"""Mortar: what lies between an LLM's matrix multiplications, one kernel per gap."""

from mortar import ops
from mortar.compiler import compile, compile_program
from mortar.errors import CompileError, Diagnostic, LaunchError, MortarError, TraceError
from mortar.executable import Executable
from mortar.fuse import compilations, fuse
from mortar.remarks import Kernel, Remark


def __getattr__(name: str) -> object:
    # PyTorch is imported by whoever asks for what is PyTorch's.
    if name == "explain":
        from mortar.dynamo import explain
        return explain
    raise AttributeError(f"module 'mortar' has no attribute '{name}'")


__all__ = ["CompileError", "Diagnostic", "Executable", "Kernel", "LaunchError",
           "MortarError", "Remark", "TraceError", "compilations", "compile",
           "compile_program", "explain", "fuse", "ops"]
