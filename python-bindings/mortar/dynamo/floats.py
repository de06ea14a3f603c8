"""Which of a model's Python floats are constants of its graph.

With dynamic=True Dynamo makes an input of each float that it meets, of a norm's epsilon too: a
float64 tensor on the CPU. No kernel on a GPU can read one, and a copy of it there would cost a
launch for each norm. But an epsilon stays what it is, so those floats become constants that
Dynamo takes for constant where they are ints: attributes of modules, globals and default
arguments. What a caller gives stays an input.

A backend is called with a graph that is traced already. So Dynamo is asked, as Inductor asks
it for floats that can't be tensors, to trace once more with these as constants. Guards are
Dynamo's own, then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._dynamo import config, pgo, symbolic_convert
from torch._dynamo.exc import TensorifyScalarRestartAnalysis
from torch._dynamo.symbolic_convert import TensorifyState
from torch._dynamo.utils import is_int_specialization_case
from torch._guards import CompileContext
from torch.fx import GraphModule, Node
from torch.utils._sympy.symbol import SymT, symbol_is_type

_asked: set[str] = set()


@contextmanager
def constants(model: GraphModule) -> Iterator[None]:
    """Around a graph's compilation; raises what has Dynamo trace it again."""
    tracer = getattr(symbolic_convert.tls, "current_tx", None)
    if tracer:  # else nobody is there to trace again
        names = {_constant(node, tracer) for node in model.graph.find_nodes(op="placeholder")}
        if new := names - {None} - TensorifyState.force_specializations:
            _asked.update(new)
            TensorifyState.force_specializations.update(new)
            raise TensorifyScalarRestartAnalysis
    try:
        yield
    except TensorifyScalarRestartAnalysis:
        raise  # Inductor's, for other floats: these are still to be constants
    except BaseException:
        _forget()
        raise
    _forget()


def _forget() -> None:
    """Dynamo would keep the names, which are those of their sources: of floats of later frames
    too, and of one that is seen to change by then."""
    TensorifyState.force_specializations.difference_update(_asked)
    _asked.clear()


def _constant(node: Node, tracer: Any) -> str | None:
    """The name that Dynamo has for an input that ought to be a constant."""
    given = node.meta.get("grapharg")
    number = getattr(node.meta.get("example_value"), "item_memo", None)
    if not (given and given.pass_arg_as_tensor and isinstance(number, torch.SymFloat)):
        return None
    symbol = number.node._expr
    # Dynamo keeps an input that is read as a tensor.
    if not (symbol.is_Symbol and symbol_is_type(symbol, SymT.FLOAT)
            and all(user.target == "item" for user in node.users)):
        return None
    value = number.node.hint
    if not is_int_specialization_case(value, given.source) or (
            _changes(given.source.name, value, tracer)):
        return None
    return str(symbol)


def _changes(source: str, value: float, tracer: Any) -> bool:
    """Whether it is a schedule's, for each value of which the frame would be compiled until
    Dynamo gives up on it. One that changed a few times may be that of several models."""
    seen = pgo.process_automatic_dynamic(tracer, source,
                                         pgo.FrameStateSizeEntry.make_scalar(value))
    compiled = CompileContext.current_compile_id().frame_compile_id
    return seen.scalar is pgo.auto_dynamic and compiled >= config.recompile_limit // 2
