"""Nodes of an FX graph as the program of one row, in the lines of a `mortar.fused`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import getitem
from typing import Any

import sympy
import torch
from torch.fx import Node

from mortar.dynamo import aten as table
from mortar.dynamo import shapes
from mortar.dynamo.emitter import Emitter, Value
from mortar.dynamo.rows import Refusal, Rows, is_pointwise, is_view, is_weight, value_of

DTYPES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16"}
SHARED = ("column", "scalar")  # operands of which every row sees the same


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
        self.rows = Rows(members, weights)
        self.length, self.order = self.rows.length, self.rows.order
        self.device = self.rows.tensor(members[0]).device
        for node in self.members:
            self._values[node] = self._import(node)
        if not is_whole:
            return
        self.outputs = [self._output(node) for node in self.members if self._escapes(node)]
        # Those that have rows first: results have as many.
        self.operands = sorted(self.inputs, key=lambda one: one.kind in SHARED)
        if not self.operands or self.operands[0].kind in SHARED:
            raise Refusal(members[0], "expected an operand with rows, found none")

    def _escapes(self, node: Node) -> bool:
        return not isinstance(value_of(node), (tuple, list)) and any(
            user not in self.inside for user in node.users)

    def _output(self, node: Node) -> Output:
        tensor = self.rows.tensor(node)
        if tensor.dtype not in DTYPES:
            raise Refusal(node, f"expected a result of {', '.join(DTYPES.values())}, found "
                                f"{tensor.dtype}")
        order = self.order or tuple(range(tensor.ndim))
        sizes, steps = shapes.extents(tensor), shapes.strides(tensor)
        if not shapes.is_dense(tuple(sizes[axis] for axis in order),
                               tuple(steps[axis] for axis in order)):
            raise Refusal(node, f"expected a dense result, found strides {list(steps)} for "
                                f"{list(sizes)}")
        return Output(node, self.rows.per_row(node), tensor.dtype)

    def _import(self, node: Node) -> Any:
        if node.target is getitem:
            return self._values[node.args[0]][node.args[1]]
        k = self.rows.per_row(node)
        if node.target in table.REDUCTIONS:
            return self._reduce(node, k)
        if node.target is torch.ops.aten.expand.default:
            return self._operand(node, node.args[0], k)
        if is_view(node):
            return self._operand(node, node.args[0], k, view=True)
        return self._compute(node, [self._operand(node, one, k)
                                    for one in self.rows.operands(node)], k)

    def _compute(self, node: Node, operands: list[Any], k: int) -> Value:
        """A pointwise op on operands of k values, and numbers."""
        count, function = table.POINTWISE[node.target]
        dtype = self.rows.tensor(node).dtype
        if dtype is not torch.bool and dtype not in DTYPES:
            raise Refusal(node, f"expected {', '.join(DTYPES.values())}, found {dtype}")
        # A scalar tensor has no say in the result's type, and is rounded to it first.
        if dtype in (torch.float16, torch.bfloat16) and node.target not in table.COPIES and any(
                isinstance(one, Value) and one.dtype == "f32" for one in operands):
            raise Refusal(node, f"expected operands no wider than {DTYPES[dtype]}, found f32")
        # Comparisons have no result to round: there it is the other side's type that counts.
        own = next((one.dtype for one in operands if isinstance(one, Value)), "f32")
        compared = own if dtype is torch.bool and own != "i1" else "f32"
        operands = [self.m.widen(self.m.round(self.m.constant(one, k), compared)
                                 if isinstance(one, (int, float)) else one) for one in operands]
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
        if row.k != self.length or row.k // k != self.rows.reduced(node):
            raise Refusal(node, f"expected a reduction of rows of {self.length}, found one of "
                                f"{row.k} to {k}")
        try:
            made = table.REDUCTIONS[node.target](self.m, self.m.widen(row), k,
                                                 **self._extra(node))
        except (table.Unsupported, TypeError) as error:
            raise Refusal(node, str(error)) from None
        dtype = self.rows.tensor(node).dtype
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
            self.rows.sizes(operand), self.rows.sizes(node))
        if operand not in self.inside:
            if is_weight(operand, self.weights):
                value = self._weight(operand)
                if value.k > 1 and k not in (None, self.length):
                    raise Refusal(node, f"expected rows beside {operand.name}, found {k} "
                                        "values a row")
                return value if k is None else self.m.broadcast(value, k)
            if kind == "periodic":
                return self._column(operand, k)
            if kind == "scalar" and (self.rows.tensor(operand).ndim <= 1
                                     or self.rows.elements != self.length):
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
        count = int(shapes.product(self.rows.sizes(node)))
        if node.target is torch.ops.aten.full.default:
            value = self.m.round(self.m.constant(node.args[1], 1), self._dtype(node))
        elif node.op == "call_function" and is_view(node):
            value = self._weight(node.args[0])
        elif node.op == "call_function":
            k = 1 if count == 1 else self.length
            operands = [self.m.broadcast(self._weight(one), k) if isinstance(one, Node) else one
                        for one in self.rows.operands(node)]
            value = self._compute(node, operands, k)
        elif count == 1:
            value = self._load(node, "scalar", 1)
        else:
            value = self._column(node, self.length)
        self._values[node] = value
        return value

    def _column(self, node: Node, k: int) -> Value:
        count = shapes.static(shapes.product(self.rows.sizes(node)))
        if k != self.length or not count or self.length % count:
            raise Refusal(node, f"expected a divisor of {self.length} elements that all rows "
                                f"share, found {list(self.rows.sizes(node))}")
        return self.m.repeat(self._load(node, "column", count), k)

    def _row(self, node: Node) -> Value:
        k = self.rows.per_row(node)
        kinds = {1: "row_scalar", self.length: "row"}
        return self._load(node, kinds.get(k, "group_scalar"), k)

    def _dtype(self, node: Node) -> str:
        dtype = self.rows.tensor(node).dtype
        if dtype not in DTYPES:
            raise Refusal(node, f"expected {', '.join(DTYPES.values())}, found {dtype}")
        return DTYPES[dtype]

    def _load(self, node: Node, kind: str, k: int) -> Value:
        key = (node, kind)
        if key in self._loaded:
            return self._loaded[key]
        tensor = self.rows.tensor(node)
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
            # Rows in two dimensions are found by division by the inner one.
            if len(shape) > 3 or len(shape) == 3 and shapes.static(shape[1]) is None:
                raise Refusal(node, f"expected rows of {k} elements that are evenly spaced, or "
                                    "so in each of static groups, found strides "
                                    f"{list(steps)} for {list(sizes)}")
        argument = Value(f"%in{len(self.inputs)}", k, dtype)
        self.inputs.append(Input(node, kind, argument, shape, order))
        self._loaded[key] = argument
        return argument

    def yielded(self) -> list[Value]:
        return [self._values[one.node] for one in self.outputs]
