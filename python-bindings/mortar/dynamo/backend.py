"""torch.compile(model, backend="mortar"): Inductor, with a pass that gives chains to Mortar."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch._inductor.compile_fx import compile_fx
from torch._inductor import custom_graph_pass
from torch._inductor.custom_graph_pass import get_hash_for_files
from torch.fx import Graph, GraphModule

from mortar import _arrays, _native
from mortar.dynamo import chain_op, floats, module, partition, rewrite
from mortar.dynamo.importer import Chain
from mortar.dynamo.report import GraphReport
from mortar.errors import MortarError

PASS = "post_grad_custom_pre_pass"
TRAINING = "expected a graph of inference, found one of training: Mortar has no derivatives"


# Older PyTorches don't say whether a graph is one of inference. A graph of training, too, has
# the same values with chains in it: it is cut off from its derivatives before.
InferenceAware = getattr(custom_graph_pass, "CustomInferenceAwareGraphPass",
                         custom_graph_pass.CustomGraphPass)


class GiveChainsToMortar(InferenceAware):
    """Runs before Inductor's own passes, which would take residual adds into matmuls."""

    def __init__(self, note: Callable[[GraphReport], None] | None = None,
                 first: Any = None):
        self.note = note
        self.first = first  # a pass that a caller's options have in the same place

    def __call__(self, graph: Graph, is_inference: bool = True) -> None:
        if self.first is not None:
            more = {"is_inference": is_inference} if (
                InferenceAware is not custom_graph_pass.CustomGraphPass
                and isinstance(self.first, InferenceAware)) else {}
            self.first(graph, **more)
        report = GraphReport()
        if is_inference:
            self._run(graph, report)
        else:
            report.reason = TRAINING
        if self.note:
            self.note(report)

    def _run(self, graph: Graph, report: GraphReport) -> None:
        found = partition.find(graph)
        taken: list[tuple[Chain, str]] = []
        for chain in found.chains:
            text = module.write(chain)
            try:
                if chain.device.type not in ("cpu", "cuda"):
                    raise MortarError("expected a chain on a CPU or a CUDA device, found one "
                                      f"on {chain.device}")
                device = _arrays.CPU if chain.device.type == "cpu" else (
                    chain.device.index or 0)
                executable = chain_op.compiled(text, chain_op.target_of(device))
            except MortarError as error:
                found.refusals.update(dict.fromkeys(chain.members, str(error)))
            else:
                taken.append((chain, text))
                report.add(chain, text, executable)
        report.refuse(found.refusals)
        rewrite.rewrite(graph, taken)

    def uuid(self) -> Any:
        """Of the code that decides and of the compiler that it asks."""
        if self.first is not None and self.first.uuid() is None:
            return None
        sources = sorted(str(path) for path in Path(__file__).parent.glob("*.py"))
        library = hashlib.sha256(_native.library_path().read_bytes()).hexdigest()
        first = self.first.uuid() if self.first is not None else None
        return get_hash_for_files(tuple(sources)), library, first


class Backend:
    """What torch.compile calls with a graph; ``mode`` and ``options`` are Inductor's."""

    __name__ = "mortar"

    def __init__(self, note: Callable[[GraphReport], None] | None = None,
                 patches: dict[str, Any] | None = None):
        self.note, self.patches = note, patches or {}

    def __call__(self, model: GraphModule, inputs: Sequence[Any], *, mode: str | None = None,
                 options: dict[str, Any] | None = None) -> Any:
        # Inductor's own reading of these two.
        config = dict(torch._TorchCompileInductorWrapper(mode, options, None).config)
        first = config.get(PASS, getattr(torch._inductor.config, PASS))
        config[PASS] = GiveChainsToMortar(self.note, first)
        with floats.constants(model):
            return compile_fx(model, inputs, config_patches={**config, **self.patches})

    def reset(self) -> None:
        from torch._inductor.cudagraph_trees import reset_cudagraph_trees
        reset_cudagraph_trees()


mortar = Backend()
