"""mortar::chain, the custom op that stands for a chain in Inductor's graphs.

It carries its module as text: what Inductor caches of a graph names all it needs, in
whatever process it is loaded.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import torch

from mortar import _arrays
from mortar.compiler import compile_program
from mortar.errors import MortarError
from mortar.executable import Entry, Executable
from mortar.fuse import count_compilation, target_of

# In a region of row primitives alone nothing is left to fuse, so that no option of the
# compiler's changes it; norms of mixed types are one kernel.
# Types go by name: lists of ScalarType reach a fake kernel as numbers in PyTorch 2.11.
SCHEMA = "chain(Tensor[] inputs, str module, int[] widths, str[] dtypes) -> Tensor[]"

_library = torch.library.Library("mortar", "FRAGMENT")
_executables: dict[tuple[str, str], Executable] = {}
_entries: dict[tuple[str, int], Entry] = {}
_compiling = threading.Lock()


class NotOneKernel(MortarError):
    """A chain that the compiler makes several kernels of."""


def compiled(module: str, target: str) -> Executable:
    """The chain's executable, once for each process and target."""
    with _compiling:
        found = _executables.get((module, target))
        if found is None:
            program = compile_program(module, target=target, name="chain", cubin=False)
            count_compilation()
            if len(program.kernels) != 1:
                raise NotOneKernel(f"expected one kernel, found {len(program.kernels)}")
            found = _executables[module, target] = Executable(program)
        return found


def entry_for(module: str, device: int) -> Entry:
    found = _entries.get((module, device))
    if found is None:
        executable = compiled(module, target_of(device))
        found = _entries[module, device] = next(iter(executable.entries.values()))
    return found


def chain(inputs: Sequence[torch.Tensor], module: str, widths: Sequence[int],
          dtypes: Sequence[str]) -> list[torch.Tensor]:
    first = inputs[0]
    framework = _arrays.framework(first)
    device = framework.device(first)
    outs = empty(first, widths, dtypes)
    entry_for(module, device).launch(framework, device, inputs, outs)
    return outs


def empty(first: torch.Tensor, widths: Sequence[int],
          dtypes: Sequence[str]) -> list[torch.Tensor]:
    """The results: as many rows as the first operand has."""
    rows = math.prod(first.shape[:-1])
    return [first.new_empty((rows, width), dtype=getattr(torch, dtype))
            for width, dtype in zip(widths, dtypes)]


def fake(inputs: Sequence[torch.Tensor], module: str, widths: Sequence[int],
         dtypes: Sequence[str]) -> list[torch.Tensor]:
    return empty(inputs[0], widths, dtypes)


_library.define(SCHEMA, tags=(torch.Tag.pt2_compliant_tag,
                              torch.Tag.needs_fixed_stride_order))
for _key in ("CPU", "CUDA"):
    _library.impl("chain", chain, _key)
torch.library.register_fake("mortar::chain", fake, lib=_library)
call: Any = torch.ops.mortar.chain.default
