"""Which nodes of a graph become chains.

In the graph's order each node joins the chains that it reads from, as long as the union can
be one program of a row and the graph stays without cycles when each chain is one node. What
is left at a chain's ends that Inductor would compute in a kernel of its own anyway is given
back to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import getitem

import torch
from torch._inductor import config
from torch.fx import Graph, Node

from mortar.dynamo import aten as table, shapes
from mortar.dynamo.importer import Chain
from mortar.dynamo.rows import NoRows, Refusal, is_known, is_pointwise, is_view, is_weight

# What Inductor calls, or has templates for: no kernel of its own that could take in a
# neighbour. Ops outside of aten and prims are called, too.
CALLED = {"mm", "addmm", "bmm", "baddbmm", "_scaled_mm", "_grouped_mm", "_scaled_grouped_mm",
          "convolution", "_int_mm", "_weight_int4pack_mm", "topk", "sort"}
LEAST_OPS = 2


@dataclass
class Found:
    """A graph's chains, and why other nodes are in none."""

    chains: list[Chain] = field(default_factory=list)
    refusals: dict[Node, str] = field(default_factory=dict)


def passes_on(node: Node) -> bool:
    return (node.target in table.VIEWS or node.target in table.OTHER_VIEWS
            or node.target is getitem or leaves_in_place(node))


def leaves_in_place(node: Node) -> bool:
    """Whether it is a copy that Inductor removes, as nothing lies differently in it. Where
    two tensors are wanted it keeps the copy."""
    return node.target is torch.ops.aten.clone.default and shapes.strides(
        node.meta["val"]) == shapes.strides(node.args[0].meta["val"])


def is_called(node: Node) -> bool:
    """Whether its result comes of a call, or is given: not of a kernel of Inductor's."""
    if node.op != "call_function":
        return True
    if passes_on(node):
        return is_called(node.args[0])
    if not isinstance(node.target, torch._ops.OpOverload):
        return True
    namespace, name = node.target.name().split("::")
    name = name.split(".")[0]
    return namespace not in ("aten", "prims") or name in CALLED or (
        "scaled_dot_product" in name)


def is_long_sum(node: Node) -> bool:
    """A reduction that Inductor doesn't unroll: a kernel's end."""
    if node.target not in table.REDUCTIONS:
        return False
    results = node.meta["val"]
    result = results[0] if isinstance(results, (tuple, list)) else results
    count = shapes.ratio(shapes.product(shapes.extents(node.args[0].meta["val"])),
                         shapes.product(shapes.extents(result)))
    return count is None or count > config.unroll_reductions_threshold


class Partition:
    def __init__(self, graph: Graph):
        self.nodes = list(graph.nodes)
        self.place = {node: number for number, node in enumerate(self.nodes)}
        self.weights: dict[Node, bool] = {}
        self.group_of: dict[Node, set[Node]] = {}
        self.refusals: dict[Node, str] = {}

    def find(self) -> Found:
        for node in self.nodes:
            if node.op == "call_function" and not is_weight(node, self.weights):
                self._place(node)
        found = Found(refusals=self.refusals)
        groups = list({id(group): group for group in self.group_of.values()}.values())
        # A chain that is left changes what is around others.
        while True:
            finished = [(group, self._finish(group)) for group in groups]
            if all(chain for _, chain in finished):
                found.chains = [chain for _, chain in finished]
                return found
            groups = [group for group, chain in finished if chain]

    def ordered(self, group: set[Node]) -> list[Node]:
        return sorted(group, key=self.place.__getitem__)

    def _chain(self, group: set[Node]) -> Chain:
        return Chain(self.ordered(group), self.weights)

    # Growing.

    def _place(self, node: Node) -> None:
        if not is_known(node):
            self.refusals[node] = ("expected an op of rows, found a view or what Inductor calls"
                                   if is_called(node) else
                                   "expected an op of rows that Mortar knows, found another")
            return
        groups = [self.group_of[one] for one in node.all_input_nodes if one in self.group_of]
        groups = list({id(group): group for group in groups}.values())
        groups.sort(key=len, reverse=True)
        attempts = [groups] if len(groups) > 1 else []
        attempts += [[group] for group in groups]
        for attempt in attempts:
            union = {node}.union(*attempt)
            if self._may_be_one(union, node):
                for one in union:
                    self.group_of[one] = union
                return
        if node.target is getitem:
            return
        if self._may_be_one({node}, node):
            self.group_of[node] = {node}

    def _may_be_one(self, union: set[Node], last: Node) -> bool:
        try:
            # What is a view alone takes its meaning from those that it joins.
            if not all(is_view(one) for one in union):
                Chain(self.ordered(union), self.weights, is_whole=False)
        except NoRows:
            pass  # one value a row, whose rows are those of a later node
        except Refusal as refusal:
            self.refusals[last] = refusal.reason
            return False
        if self._makes_cycle(union, self.place[last]):
            self.refusals[last] = "expected no way out of the chain and back, found one"
            return False
        self.refusals.pop(last, None)
        return True

    def _makes_cycle(self, union: set[Node], last: int) -> bool:
        """Whether a way leads out of the union and back, where each chain is one node.
        Beyond ``last`` there are no chains yet, and so no way back."""
        seen: set[Node] = set()
        todo = [user for node in union for user in node.users if user not in union]
        while todo:
            node = todo.pop()
            if node in union:
                return True
            if node in seen or self.place[node] > last:
                continue
            reached = self.group_of.get(node, {node})
            seen.update(reached)
            todo += [user for one in reached for user in one.users if user not in seen]
        return False

    # Finishing.

    def _finish(self, group: set[Node]) -> Chain | None:
        whole = set(group)
        while dropped := self._given_back(group):
            for node in dropped:
                group.discard(node)
                self.group_of.pop(node, None)
        computing = [node for node in group if node.target not in table.COPIES
                     and not is_view(node) and node.target is not getitem]
        reason = None
        reduces = any(node.target in table.REDUCTIONS for node in computing)
        if len(computing) < LEAST_OPS:
            reason = f"expected at least {LEAST_OPS} ops, found {len(computing)}"
        elif not reduces and (neighbour := self._inductors_neighbour(group)):
            reason = ("expected matmuls and their like around a chain without reductions, "
                      f"found {neighbour.name}, whose kernel takes it in")
        elif producer := self._broken_off(group):
            reason = (f"expected a whole chain, found {producer.name}, which is there for it "
                      "alone and which only Inductor has in a kernel with it")
        elif reader := self._taken_in(group):
            reason = (f"expected a reader that is called, or none, found only {reader.name} and "
                      "its like, whose kernel takes the chain in")
        if not reason:
            try:
                return self._chain(group)
            except Refusal as refusal:
                reason = refusal.reason
                if refusal.node not in group:
                    reason = f"{refusal.node.name}: {reason}"
        for node in group:
            self.refusals[node] = reason
            self.group_of.pop(node, None)
        for node in whole - group:
            self.refusals.setdefault(node, reason)
        return None

    def _given_back(self, group: set[Node]) -> list[Node]:
        """Members at the chain's ends that Inductor does as well: views, and what would only
        be stored beside a neighbour that is stored anyway."""
        dropped = []
        for node in group:
            above = [one for one in node.all_input_nodes if one in group]
            below = [user for user in node.users if user in group]
            why = None
            if passes_on(node) and node.target is not getitem and not (above and below):
                why = "a view at the end of a chain"
            elif is_pointwise(node) and self._is_inductors_head(node, above, below):
                why = "expected a matmul's result or an argument, found what Inductor computes"
            elif is_pointwise(node) and self._is_inductors_tail(node, above, below, group):
                why = "expected a reader that is no kernel of Inductor's, found one"
            if why:
                self.refusals[node] = why
                dropped.append(node)
        return dropped[:1]  # what it leaves may change the others' case

    def _is_inductors_head(self, node: Node, above: list[Node], below: list[Node]) -> bool:
        """Stored for others anyway, and made of what nobody else would have stored."""
        stored = len(below) < len(node.users)
        return bool(not above and below and stored and any(
            not is_called(one) and not self._of_chain(one) and len(one.users) == 1
            for one in node.all_input_nodes if not is_weight(one, self.weights)))

    def _is_inductors_tail(self, node: Node, above: list[Node], below: list[Node],
                           group: set[Node]) -> bool:
        if below or not above or not node.users:
            return False
        return all(user.op == "call_function" and not is_called(user)
                   and not is_view(user) and not self._of_chain(user)
                   for user in node.users) and all(
            any(user not in group for user in one.users) for one in above)

    def _inductors_neighbour(self, group: set[Node]) -> Node | None:
        """A node outside that Inductor computes, from what the chain gives or for it."""
        for node in group:
            for one in node.all_input_nodes:
                if one not in group and not (is_weight(one, self.weights) or is_called(one)
                                             or self._of_chain(one)):
                    return one
        todo = [user for node in group for user in node.users if user not in group]
        while todo:
            reader = todo.pop()
            if reader in self.group_of:
                continue
            if passes_on(reader):
                todo += reader.users
            elif not is_called(reader):
                return reader
        return None

    def _broken_off(self, group: set[Node]) -> Node | None:
        """What Inductor computes for the chain alone: with the chain left to it, it would be
        of the same kernel."""
        for node in group:
            for one in node.all_input_nodes:
                readers = group
                while passes_on(one) and one not in self.group_of and (
                        all(user in readers for user in one.users)):
                    readers, one = {one}, one.args[0]
                if one not in self.group_of and not (is_called(one) or is_long_sum(one)) and (
                        not is_weight(one, self.weights)
                        and all(user in readers for user in one.users)):
                    return one
        return None

    def _taken_in(self, group: set[Node]) -> Node | None:
        """A reader that Inductor computes, where all that read the chain are such."""
        found = None
        todo = [user for node in group for user in node.users if user not in group]
        while todo:
            reader = todo.pop()
            if reader in self.group_of:
                return None
            if passes_on(reader):
                todo += reader.users
            elif is_called(reader):
                return None
            else:
                found = reader
        return found

    def _of_chain(self, node: Node) -> bool:
        while passes_on(node) and node not in self.group_of:
            node = node.args[0]
        return node in self.group_of


def find(graph: Graph) -> Found:
    return Partition(graph).find()
