"""Nodes of an FX graph as one `mortar.fused`: the program of one row.

A chain has R elements, which are rows of N. N is the longest stretch that a reduction or a
broadcast in it speaks of; where none does, the last dimension. Every value of the chain
then has k elements for a row: N (a row), a divisor of N (one for each group) or 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import getitem
from typing import Any

import sympy
import torch
from torch.fx import Node

from mortar.dynamo import aten as table
from mortar.dynamo import shapes
from mortar.dynamo.emitter import Emitter, Value

DTYPES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16"}
SHARED = ("column", "scalar")  # operands of which every row sees the same
MOST_ELEMENTS = 65536  # of a row, as the lowerings have it


class Refusal(Exception):
    """Why a node can't be a member of a chain."""

    def __init__(self, node: Node, reason: str):
        super().__init__(reason)
        self.node, self.reason = node, reason


class NoRows(Refusal):
    """Why nodes aren't a chain by themselves, though they may become part of one."""


@dataclass(frozen=True)
class Input:
    """An operand of the kernel: a node, and as what the kernel takes it."""

    node: Node
    kind: str  # a map of mortar.fused
    argument: Value
    shape: tuple[Any, ...]  # of the view to pass; sympy
    order: tuple[int, ...] | None  # dimensions to permute first


@dataclass(frozen=True)
class Output:
    node: Node
    k: int
    dtype: torch.dtype


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


class Chain:
    """``members`` as the program of a row, in their order; raises Refusal. One that
    isn't whole has no outputs yet."""

    def __init__(self, members: Sequence[Node], weights: dict[Node, bool],
                 is_whole: bool = True):
        self.members, self.weights = list(members), weights
        self.inside = set(members)
        self.m = Emitter()
        self.inputs: list[Input] = []
        self._loaded: dict[tuple, Value] = {}
        self._values: dict[Node, Any] = {}
        self.device = self._tensor(members[0]).device
        self.length = self._row_length()
        self.elements = self._elements()
        self.order = self._order()
        for node in self.members:
            self._values[node] = self._import(node)
        if not is_whole:
            return
        self.outputs = [self._output(node) for node in self.members if self._escapes(node)]
        # Those that have rows first: results have as many.
        self.operands = sorted(self.inputs, key=lambda one: one.kind in SHARED)
        if not self.operands or self.operands[0].kind in SHARED:
            raise Refusal(members[0], "expected an operand with rows, found none")

    # What the rows are.

    def _tensor(self, node: Node) -> torch.Tensor:
        found = value_of(node)
        if isinstance(found, (tuple, list)):
            found = found[0]
        if not isinstance(found, torch.Tensor):
            raise Refusal(node, f"expected a tensor, found {type(found).__name__}")
        return found

    def _sizes(self, node: Node) -> shapes.Extents:
        return shapes.extents(self._tensor(node))

    def _reduced(self, node: Node) -> int:
        """How many elements each of a reduction's results is made of."""
        source = self._sizes(node.args[0])
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

    def _operands(self, node: Node) -> list[Any]:
        if is_pointwise(node):
            return list(node.args[:table.POINTWISE[node.target][0]])
        return [node.args[0]]

    def _broadcasts(self) -> Iterable[tuple[Node, Node, str, sympy.Expr]]:
        for node in self.members:
            if not (is_pointwise(node) or node.target is torch.ops.aten.expand.default):
                continue
            for operand in self._operands(node):
                if isinstance(operand, Node):
                    found = shapes.broadcast(self._sizes(operand), self._sizes(node))
                    if found is None:
                        raise Refusal(node, f"expected an operand of one value a row, or of "
                                            f"one row, found {list(self._sizes(operand))} "
                                            f"for {list(self._sizes(node))}")
                    yield node, operand, *found

    def _row_length(self) -> int:
        found = [(node, sympy.Integer(self._reduced(node))) for node in self.members
                 if node.target in table.REDUCTIONS]
        found += [(node, extent) for node, _, kind, extent in self._broadcasts()
                  if kind in ("trailing", "periodic")]
        if not found:
            found = [(node, self._sizes(node)[-1] if self._sizes(node) else shapes.ONE)
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
            for one in (node, *(self._operands(node))):
                if not isinstance(one, Node) or is_weight(one, self.weights):
                    continue
                count = shapes.product(self._sizes(one))
                times = shapes.ratio(count, most) if most is not None else sympy.Integer(2)
                if times is None:
                    raise Refusal(node, f"expected the chain's {most} elements, or a part of "
                                        f"them, found {count}")
                most = count if times > 1 else most
        if most is None:
            raise Refusal(self.members[0], "expected rows, found what is the same for all")
        return most

    def _per_row(self, node: Node) -> int:
        count = shapes.ratio(shapes.product(self._sizes(node)) * self.length, self.elements)
        k = shapes.static(count) if count is not None else None
        if not k or self.length % k:
            raise Refusal(node, f"expected a divisor of {self.length} elements for each row, "
                                f"found {list(self._sizes(node))}, {count} for each")
        return k

    def _order(self) -> tuple[int, ...] | None:
        """The order of dimensions in which all outputs are dense; None: as they stand."""
        full = [node for node in self.members
                if node.target is not getitem and self._per_row(node) == self.length]
        full += [node.args[0] for node in self.members if node.target in table.REDUCTIONS]
        if not full:
            raise NoRows(self.members[0], "expected a row among the members, found scalars")
        tensor = self._tensor(full[0])
        order = shapes.memory_order(tensor)
        if order == tuple(range(tensor.ndim)):
            return None
        kept = next(count for count in range(tensor.ndim + 1)
                    if count == tensor.ndim
                    or order[tensor.ndim - 1 - count] != tensor.ndim - 1 - count)
        row = shapes.product(self._sizes(full[0])[tensor.ndim - kept:])
        if shapes.static(row) is None or shapes.static(row) % self.length:
            raise Refusal(full[0], "expected a row's elements side by side, found strides "
                                   f"{list(tensor.stride())}")
        for node in self.members:
            if is_view(node) or self._tensor(node).ndim != tensor.ndim:
                raise Refusal(node, "expected tensors of one rank where dimensions are "
                                    "permuted, found a view")
        return order

    # Values.

    def _escapes(self, node: Node) -> bool:
        return not isinstance(value_of(node), (tuple, list)) and any(
            user not in self.inside for user in node.users)

    def _output(self, node: Node) -> Output:
        tensor = self._tensor(node)
        if tensor.dtype not in DTYPES:
            raise Refusal(node, f"expected a result of {', '.join(DTYPES.values())}, found "
                                f"{tensor.dtype}")
        order = self.order or tuple(range(tensor.ndim))
        sizes, steps = shapes.extents(tensor), shapes.strides(tensor)
        if not shapes.is_dense(tuple(sizes[axis] for axis in order),
                               tuple(steps[axis] for axis in order)):
            raise Refusal(node, f"expected a dense result, found strides {list(steps)} for "
                                f"{list(sizes)}")
        return Output(node, self._per_row(node), tensor.dtype)

    def _import(self, node: Node) -> Any:
        if node.target is getitem:
            return self._values[node.args[0]][node.args[1]]
        k = self._per_row(node)
        if node.target in table.REDUCTIONS:
            return self._reduce(node, k)
        if node.target is torch.ops.aten.expand.default:
            return self._operand(node, node.args[0], k)
        if is_view(node):
            return self._operand(node, node.args[0], k, view=True)
        return self._compute(node, [self._operand(node, one, k)
                                    for one in self._operands(node)], k)

    def _compute(self, node: Node, operands: list[Value], k: int) -> Value:
        """A pointwise op on operands of k values."""
        count, function = table.POINTWISE[node.target]
        dtype = self._tensor(node).dtype
        if dtype is not torch.bool and dtype not in DTYPES:
            raise Refusal(node, f"expected {', '.join(DTYPES.values())}, found {dtype}")
        operands = [self.m.constant(one, k) if isinstance(one, (int, float))
                    else self.m.widen(one) for one in operands]
        if any((one.dtype == "i1") != (number == 0 and node.target is
                                       torch.ops.aten.where.self)
               for number, one in enumerate(operands)):
            raise Refusal(node, "expected numbers, found booleans")
        try:
            made = function(self.m, *operands, *node.args[count:], **self._extra(node))
        except (table.Unsupported, TypeError) as error:
            raise Refusal(node, str(error)) from None
        if (dtype is torch.bool) != (made.dtype == "i1"):
            raise Refusal(node, "expected booleans of a comparison, found a cast to them")
        return made if made.dtype == "i1" else self.m.round(made, DTYPES[dtype])

    def _extra(self, node: Node) -> dict[str, Any]:
        return {name: value for name, value in node.kwargs.items()
                if name not in ("dtype", "keepdim") and value is not None}

    def _reduce(self, node: Node, k: int) -> Any:
        row = self._operand(node, node.args[0], None)
        if row.k != self.length or row.k // k != self._reduced(node):
            raise Refusal(node, f"expected a reduction of rows of {self.length}, found one of "
                                f"{row.k} to {k}")
        try:
            made = table.REDUCTIONS[node.target](self.m, self.m.widen(row), k,
                                                 **self._extra(node))
        except (table.Unsupported, TypeError) as error:
            raise Refusal(node, str(error)) from None
        dtype = self._tensor(node).dtype
        if dtype not in DTYPES:
            raise Refusal(node, f"expected {', '.join(DTYPES.values())}, found {dtype}")
        if isinstance(made, tuple):
            return tuple(self.m.round(one, DTYPES[dtype]) for one in made)
        return self.m.round(made, DTYPES[dtype])

    def _operand(self, node: Node, operand: Any, k: int | None, view: bool = False) -> Any:
        """What ``operand`` is for ``node``, as k values a row (None: as many as it has)."""
        if not isinstance(operand, Node):
            if isinstance(operand, bool) or not isinstance(operand, (int, float)):
                raise Refusal(node, f"expected a tensor or a number, found {operand!r}")
            return operand
        kind, times = ("same", shapes.ONE) if view or k is None else shapes.broadcast(
            self._sizes(operand), self._sizes(node))
        if operand not in self.inside:
            if is_weight(operand, self.weights):
                value = self._weight(operand)
                if value.k > 1 and k not in (None, self.length):
                    raise Refusal(node, f"expected rows beside {operand.name}, found {k} "
                                        "values a row")
                return value if k is None else self.m.broadcast(value, k)
            if kind == "periodic":
                return self._column(operand, k)
            if kind == "scalar" and (self._tensor(operand).ndim <= 1
                                     or self.elements != self.length):
                return self.m.broadcast(self._load(operand, "scalar", 1), k)
            value = self._row(operand)
        else:
            value = self._values[operand]
        # A row, say, for each of several others is no part of them.
        if k is not None and (kind == "periodic" or value.k * times != k):
            raise Refusal(node, f"expected an operand of one value for {times} neighbours of "
                                f"{k} a row, found {value.k}")
        if value.dtype == "i1" and k not in (None, value.k):
            raise Refusal(node, "expected numbers to broadcast, found booleans")
        return value if k is None else self.m.broadcast(value, k)

    def _weight(self, node: Node) -> Value:
        """A value that is the same for every row, as long as a row, or one scalar."""
        if node in self._values:
            return self._values[node]
        count = int(shapes.product(self._sizes(node)))
        if node.target is torch.ops.aten.full.default:
            value = self.m.round(self.m.constant(node.args[1], 1), self._dtype(node))
        elif node.op == "call_function" and is_view(node):
            value = self._weight(node.args[0])
        elif node.op == "call_function":
            k = 1 if count == 1 else self.length
            operands = [self.m.broadcast(self._weight(one), k) if isinstance(one, Node) else one
                        for one in self._operands(node)]
            value = self._compute(node, operands, k)
        elif count == 1:
            value = self._load(node, "scalar", 1)
        else:
            value = self._column(node, self.length)
        self._values[node] = value
        return value

    def _column(self, node: Node, k: int) -> Value:
        count = shapes.static(shapes.product(self._sizes(node)))
        if k != self.length or not count or self.length % count:
            raise Refusal(node, f"expected a divisor of {self.length} elements that all rows "
                                f"share, found {list(self._sizes(node))}")
        return self.m.repeat(self._load(node, "column", count), k)

    def _row(self, node: Node) -> Value:
        k = self._per_row(node)
        kinds = {1: "row_scalar", self.length: "row"}
        return self._load(node, kinds.get(k, "group_scalar"), k)

    def _dtype(self, node: Node) -> str:
        dtype = self._tensor(node).dtype
        if dtype not in DTYPES:
            raise Refusal(node, f"expected {', '.join(DTYPES.values())}, found {dtype}")
        return DTYPES[dtype]

    def _load(self, node: Node, kind: str, k: int) -> Value:
        key = (node, kind)
        if key in self._loaded:
            return self._loaded[key]
        tensor = self._tensor(node)
        if tensor.device != self.device:
            raise Refusal(node, f"expected a tensor on {self.device}, found one on "
                                f"{tensor.device}")
        dtype = self._dtype(node)
        order = None
        sizes, steps = shapes.extents(tensor), shapes.strides(tensor)
        if kind in SHARED:
            if not shapes.is_dense(sizes, steps):
                raise Refusal(node, f"expected a dense operand, found strides {list(steps)}")
            shape: Any = (sympy.Integer(k),)
        else:
            if self.order:
                if len(sizes) != len(self.order):
                    raise Refusal(node, "expected tensors of one rank where dimensions are "
                                        f"permuted, found {list(sizes)}")
                order = self.order
                sizes = tuple(sizes[axis] for axis in order)
                steps = tuple(steps[axis] for axis in order)
            shape = shapes.as_rows(sizes, steps, k)
            if shape is None:
                raise Refusal(node, f"expected rows of {k} elements side by side, found "
                                    f"strides {list(steps)} for {list(sizes)}")
        argument = Value(f"%in{len(self.inputs)}", k, dtype)
        self.inputs.append(Input(node, kind, argument, shape, order))
        self._loaded[key] = argument
        return argument

    def yielded(self) -> list[Value]:
        return [self._values[one.node] for one in self.outputs]
