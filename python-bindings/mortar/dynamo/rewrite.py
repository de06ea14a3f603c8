"""Puts a call of mortar::chain where a chain's nodes stood."""

from __future__ import annotations

from operator import getitem
from typing import Any

import sympy
import torch
from torch._inductor.pattern_matcher import stable_topological_sort
from torch.fx import Graph, Node

from mortar.dynamo import chain_op, shapes
from mortar.dynamo.importer import Chain, Input, Output

aten = torch.ops.aten


class Rewriter:
    """Writes nodes behind a chain's last member."""

    def __init__(self, graph: Graph, chain: Chain, text: str, replaced: dict[Node, Node]):
        self.graph, self.chain, self.text = graph, chain, text
        self.replaced = replaced  # nodes of chains that were written before
        self.anchor = chain.members[-1]

    def run(self) -> None:
        operands = [self._operand(one) for one in self.chain.operands]
        call = self._node(chain_op.call, operands, self.text,
                          [one.k for one in self.chain.outputs],
                          [str(one.dtype).removeprefix("torch.") for one in self.chain.outputs])
        made = [self._result(one, self._node(getitem, call, number))
                for number, one in enumerate(self.chain.outputs)]
        inside = set(self.chain.members)
        for one, replacement in zip(self.chain.outputs, made):
            one.node.replace_all_uses_with(
                replacement, delete_user_cb=lambda user: user not in inside)
            self.replaced[one.node] = replacement
        for node in reversed(self.chain.members):
            self.graph.erase_node(node)

    def _node(self, target: Any, *args: Any) -> Node:
        with self.graph.inserting_after(self.anchor):
            node = self.graph.call_function(target, args)
        self.anchor = node
        node.meta["val"] = target(*torch.fx.map_arg(args, lambda one: one.meta["val"]))
        return node

    def _operand(self, one: Input) -> Node:
        node = self._now(one.node)
        if one.order:
            node = self._node(aten.permute.default, node, list(one.order))
        if shapes.extents(node.meta["val"]) != one.shape:
            node = self._reshape(node, one.shape)
        return node

    def _now(self, node: Node) -> Node:
        return self.replaced.get(node, node)

    def _result(self, one: Output, node: Node) -> Node:
        """Rows, as the member's result has them in its dimensions."""
        sizes = shapes.extents(one.node.meta["val"])
        order = self.chain.order
        wanted = tuple(sizes[axis] for axis in order) if order else sizes
        if shapes.extents(node.meta["val"]) != wanted:
            node = self._reshape(node, wanted)
        if order:
            back = [order.index(axis) for axis in range(len(order))]
            node = self._node(aten.permute.default, node, back)
        node.meta["val"] = one.node.meta["val"]
        return node

    def _reshape(self, node: Node, sizes: tuple[Any, ...]) -> Node:
        dynamic = [axis for axis, size in enumerate(sizes) if shapes.static(size) is None]
        given: list[Any] = [shapes.static(size) for size in sizes]
        for axis in dynamic[1:]:
            given[axis] = self._size(sizes[axis])
        if dynamic:
            given[dynamic[0]] = -1
        return self._node(aten.reshape.default, node, given)

    def _size(self, size: sympy.Expr) -> Node:
        """A node that has this size: a symbol of the graph's, or an extent of an operand."""
        for node in self.graph.nodes:
            if node is self.anchor:
                break
            value = node.meta.get("val")
            if isinstance(value, torch.SymInt) and shapes.equal(shapes.expression(value), size):
                return node
        for one in self.chain.operands:
            for axis, extent in enumerate(shapes.extents(one.node.meta["val"])):
                if shapes.equal(extent, size):
                    return self._node(aten.sym_size.int, self._now(one.node), axis)
        raise LookupError(f"expected a node of size {size}, found none")


def rewrite(graph: Graph, chains: list[tuple[Chain, str]]) -> None:
    """Each chain with its module's text."""
    replaced: dict[Node, Node] = {}
    for chain, text in chains:
        Rewriter(graph, chain, text, replaced).run()
    stable_topological_sort(graph)
    graph.lint()
