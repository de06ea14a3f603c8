"""What became of a model's graphs, as objects and as a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from torch.fx import Node

from mortar.dynamo.importer import Chain
from mortar.dynamo.module import label
from mortar.executable import Executable
from mortar.remarks import Kernel, Remark



@dataclass(frozen=True)
class ChainReport:
    """One chain. ``nodes`` and ``ops`` go together; ``module`` is its IR."""

    name: str
    nodes: tuple[str, ...]
    ops: tuple[str, ...]
    row_length: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    module: str
    kernels: tuple[Kernel, ...]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class RefusalReport:
    """A node that stays Inductor's."""

    node: str
    op: str
    reason: str


@dataclass
class GraphReport:
    """One graph of torch.compile's. ``reason`` says why all of it was left alone."""

    chains: list[ChainReport] = field(default_factory=list)
    refusals: list[RefusalReport] = field(default_factory=list)
    reason: str = ""

    def add(self, chain: Chain, module: str, executable: Executable) -> None:
        self.chains.append(ChainReport(
            label(chain), tuple(node.name for node in chain.members),
            tuple(op(node) for node in chain.members), chain.length,
            tuple(f"{one.node.name}: {one.kind} {one.argument.k}x{one.argument.dtype}"
                  for one in chain.operands),
            tuple(one.node.name for one in chain.outputs), module, executable.kernels,
            executable.remarks))

    def refuse(self, refusals: dict[Node, str]) -> None:
        self.refusals += [RefusalReport(node.name, op(node), reason)
                          for node, reason in refusals.items()]


def op(node: Node) -> str:
    return str(node.target) if node.op == "call_function" else node.op


class Explanation:
    """``graphs`` in the order in which torch.compile came to them; printed, a table."""

    def __init__(self, graphs: list[GraphReport]):
        self.graphs = graphs

    @property
    def chains(self) -> list[ChainReport]:
        return [chain for graph in self.graphs for chain in graph.chains]

    @property
    def refusals(self) -> list[RefusalReport]:
        return [refusal for graph in self.graphs for refusal in graph.refusals]

    def __str__(self) -> str:
        lines = []
        for number, graph in enumerate(self.graphs):
            title = f"graph {number}: "
            if graph.reason:
                lines.append(title + graph.reason)
                continue
            nodes = sum(len(chain.nodes) for chain in graph.chains)
            lines.append(f"{title}{len(graph.chains)} chains of {nodes} nodes")
            same = Counter((chain.name, len(chain.nodes), chain.row_length,
                            len(chain.inputs), len(chain.outputs), len(chain.kernels))
                           for chain in graph.chains)
            lines += table(("chains", "ops", "nodes", "row", "in", "out", "kernels"),
                           [(count, *key) for key, count in same.items()])
            reasons = Counter((refusal.op, refusal.reason) for refusal in graph.refusals)
            lines += ["", "left to Inductor:"]
            lines += table(("nodes", "op", "why"),
                           [(count, *key) for key, count in reasons.items()])
        return "\n".join(lines)

    __repr__ = __str__


def table(head: tuple[str, ...], rows: list[tuple]) -> list[str]:
    cells = [head, *(tuple(str(cell) for cell in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in cells]
