"""What goes wrong, as exceptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnostic:
    """One message of the compiler. ``file`` is "" and the numbers are 0 where the place
    isn't known; a note belongs to the diagnostic before it."""

    severity: str  # "note", "warning", "error" or "remark"
    message: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.severity}: {self.message}"


class MortarError(Exception):
    """Whatever Mortar itself refuses."""


class CompileError(MortarError, ValueError):
    """A module that can't be compiled. ``diagnostics`` says where and why."""

    def __init__(self, message: str, diagnostics: tuple[Diagnostic, ...] = ()):
        self.diagnostics = diagnostics
        # The message is the first error; what follows it is told as it came.
        more = [str(one) for one in diagnostics
                if f"{one.file}:{one.line}:{one.column}: {one.message}" != message
                and one.message != message]
        super().__init__("\n".join([message, *more]))


class LaunchError(MortarError, ValueError):
    """Arguments that an executable doesn't take, or a launch that failed."""


class TraceError(MortarError, TypeError):
    """Something in a function under mortar.fuse that can't be in a kernel."""
