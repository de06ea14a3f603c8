"""What the rows of a chain are.

A chain has R elements, which are rows of N. N is the longest stretch that a reduction or a
broadcast in it speaks of; where none does, the last dimension. Every value of the chain
then has k elements for a row: N (a row), a divisor of N (one for each group) or 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import getitem
from typing import Any

import sympy
import torch
from torch.fx import Node

from mortar.dynamo import aten as table
from mortar.dynamo import shapes

MOST_ELEMENTS = 65536  # of a row, as the lowerings have it


class Refusal(Exception):
    """Why a node can't be a member of a chain."""

    def __init__(self, node: Node, reason: str):
        super().__init__(reason)
        self.node, self.reason = node, reason


class NoRows(Refusal):
    """Why nodes aren't a chain by themselves, though they may become part of one."""


def value_of(node: Node) -> Any:
    return node.meta.get("val")


def is_pointwise(node: Node) -> bool:
    return node.target in table.POINTWISE


def is_view(node: Node) -> bool:
    return node.target in table.VIEWS


def is_known(node: Node) -> bool:
    return node.op == "call_function" and (
        is_pointwise(node) or is_view(node) or node.target in table.REDUCTIONS
        or (node.target is getitem and node.args[0].target in table.REDUCTIONS))


def is_weight(node: Node, known: dict[Node, bool]) -> bool:
    """Whether every row sees the same of it: made of vectors that the graph is given. Each
    chain computes such a thing (1 + w, say) itself."""
    if node not in known:
        known[node] = False
        tensor = value_of(node)
        if isinstance(tensor, torch.Tensor) and all(
                shapes.static(size) is not None for size in shapes.extents(tensor)):
            if node.op in ("placeholder", "get_attr"):
                known[node] = tensor.ndim <= 1
            elif node.target is torch.ops.aten.full.default:
                known[node] = tensor.ndim == 0
            elif node.op == "call_function" and (is_pointwise(node) or is_view(node)):
                long = sum(size != 1 for size in tensor.shape)
                known[node] = long <= 1 and all(
                    is_weight(one, known) for one in node.all_input_nodes)
    return known[node]


class Rows:
    """Those of ``members``; raises Refusal."""

    def __init__(self, members: Sequence[Node], weights: dict[Node, bool]):
        self.members, self.weights = list(members), weights
        self.length = self._row_length()
        self.elements = self._elements()
        self.order = self._order()
        self._check_copies()

    def tensor(self, node: Node) -> torch.Tensor:
        found = value_of(node)
        if isinstance(found, (tuple, list)):
            found = found[0]
        if not isinstance(found, torch.Tensor):
            raise Refusal(node, f"expected a tensor, found {type(found).__name__}")
        return found

    def sizes(self, node: Node) -> shapes.Extents:
        return shapes.extents(self.tensor(node))

    def reduced(self, node: Node) -> int:
        """How many elements each of a reduction's results is made of."""
        source = self.sizes(node.args[0])
        rank = len(source)
        axes = node.args[1] if len(node.args) > 1 else None
        axes = [axes] if isinstance(axes, int) else list(axes or range(rank))
        axes = sorted(axis % rank for axis in axes)
        if axes != list(range(rank - len(axes), rank)):
            raise Refusal(node, f"expected a reduction over the last dimensions, found one "
                                f"over {axes} of {rank}")
        count = shapes.static(shapes.product([source[axis] for axis in axes]))
        if count is None:
            raise Refusal(node, "expected a reduction over a static number of elements, found "
                                f"{shapes.product([source[axis] for axis in axes])}")
        return count

    def operands(self, node: Node) -> list[Any]:
        if is_pointwise(node):
            return list(node.args[:table.POINTWISE[node.target][0]])
        return [node.args[0]]

    def _broadcasts(self) -> Iterable[tuple[Node, Node, str, sympy.Expr]]:
        for node in self.members:
            if not (is_pointwise(node) or node.target is torch.ops.aten.expand.default):
                continue
            for operand in self.operands(node):
                if isinstance(operand, Node):
                    found = shapes.broadcast(self.sizes(operand), self.sizes(node))
                    if found is None:
                        raise Refusal(node, f"expected an operand of one value a row, or of "
                                            f"one row, found {list(self.sizes(operand))} "
                                            f"for {list(self.sizes(node))}")
                    yield node, operand, *found

    def _row_length(self) -> int:
        found = [(node, sympy.Integer(self.reduced(node))) for node in self.members
                 if node.target in table.REDUCTIONS]
        found += [(node, extent) for node, _, kind, extent in self._broadcasts()
                  if kind in ("trailing", "periodic")]
        if not found:
            found = [(node, self.sizes(node)[-1] if self.sizes(node) else shapes.ONE)
                     for node in self.members]
        length = 1
        for node, extent in found:
            if (size := shapes.static(extent)) is None:
                raise Refusal(node, f"expected a row of static length, found {extent}")
            length = max(length, size)
        if not 2 <= length <= MOST_ELEMENTS:
            kind = NoRows if length < 2 else Refusal
            raise kind(self.members[0], f"expected rows of 2 to {MOST_ELEMENTS} elements, "
                                        f"found {length}")
        return length

    def _elements(self) -> sympy.Expr:
        most = None
        for node in self.members:
            for one in (node, *(self.operands(node))):
                if not isinstance(one, Node) or is_weight(one, self.weights):
                    continue
                count = shapes.product(self.sizes(one))
                times = shapes.ratio(count, most) if most is not None else sympy.Integer(2)
                if times is None:
                    raise Refusal(node, f"expected the chain's {most} elements, or a part of "
                                        f"them, found {count}")
                most = count if times > 1 else most
        if most is None:
            raise Refusal(self.members[0], "expected rows, found what is the same for all")
        return most

    def per_row(self, node: Node) -> int:
        count = shapes.ratio(shapes.product(self.sizes(node)) * self.length, self.elements)
        k = shapes.static(count) if count is not None else None
        if not k or self.length % k:
            raise Refusal(node, f"expected a divisor of {self.length} elements for each row, "
                                f"found {list(self.sizes(node))}, {count} for each")
        return k

    def _order(self) -> tuple[int, ...] | None:
        """The order of dimensions in which all outputs are dense; None: as they stand."""
        full = [node for node in self.members
                if node.target is not getitem and self.per_row(node) == self.length]
        full += [node.args[0] for node in self.members if node.target in table.REDUCTIONS]
        if not full:
            raise NoRows(self.members[0], "expected a row among the members, found scalars")
        tensor = self.tensor(full[0])
        order = shapes.memory_order(tensor)
        if order == tuple(range(tensor.ndim)):
            return None
        kept = next(count for count in range(tensor.ndim + 1)
                    if count == tensor.ndim
                    or order[tensor.ndim - 1 - count] != tensor.ndim - 1 - count)
        row = shapes.product(self.sizes(full[0])[tensor.ndim - kept:])
        if shapes.static(row) is None or shapes.static(row) % self.length:
            raise Refusal(full[0], "expected a row's elements side by side, found strides "
                                   f"{list(tensor.stride())}")
        for node in self.members:
            if is_view(node) or self.tensor(node).ndim != tensor.ndim:
                raise Refusal(node, "expected tensors of one rank where dimensions are "
                                    "permuted, found a view")
        return order

    def _check_copies(self) -> None:
        """They lie as all results do, which is not known of what isn't stored."""
        for node in self.members:
            if node.target is torch.ops.aten.clone.default:
                sizes, steps = self.sizes(node), shapes.strides(self.tensor(node))
                order = self.order or range(len(sizes))
                if not shapes.is_dense(tuple(sizes[axis] for axis in order),
                                       tuple(steps[axis] for axis in order)):
                    raise Refusal(node, "expected a copy whose elements lie in the chain's "
                                        f"order, found strides {list(steps)}")
