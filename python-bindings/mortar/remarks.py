"""What fused, what didn't and why, as objects (the JSON is described in README.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """``kind`` is "kernel" or "not-fused"; ``condition`` the one that failed."""

    kind: str
    condition: str
    function: str
    file: str
    line: int
    column: int
    remark: str
    reason: str
    suggestion: str

    def __str__(self) -> str:
        more = "; ".join(filter(None, (self.reason, self.suggestion)))
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        return f"{place}{self.remark}" + (f": {more}" if more else "")


@dataclass(frozen=True)
class Kernel:
    """``ops`` are joined by "+"; ``kernels_before`` is how many they would be unfused.
    Bytes are those read and written for a row, weights aside."""

    function: str
    ops: str
    kernels_before: int
    bytes_per_row_before: int
    bytes_per_row_after: int


def parse(text: str) -> tuple[tuple[Remark, ...], tuple[Kernel, ...]]:
    document = json.loads(text)
    if document["version"] != 1:
        raise ValueError(f"expected remarks of version 1, found {document['version']}")
    remarks = tuple(
        Remark(**{field: entry[field] for field in Remark.__dataclass_fields__})
        for entry in document["remarks"])
    kernels = tuple(
        Kernel(function["name"],
               **{field: kernel[field] for field in Kernel.__dataclass_fields__
                  if field != "function"})
        for function in document["functions"] for kernel in function["kernels"])
    return remarks, kernels
