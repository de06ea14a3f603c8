"""mortar.ops as PyTorch's custom ops, torch.ops.mortar.*, so that torch.compile and
torch.export trace through them.

Importing this registers one for each of mortar.ops, by its signature: arrays are tensors,
arguments that mortar.ops overwrites are marked so, types are torch.dtype or their names.
Fake kernels run the same tracing that compiles, and so refuse what the op refuses.
mortar.ops calls them itself while PyTorch traces. There are no derivatives: an op on
tensors that want one is an error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch

from mortar import ops
from mortar._arrays import NAMES
from mortar.errors import LaunchError
from mortar.fuse import Fused

# Schema types by annotations, which are strings here.
TYPES = {"Array": "Tensor", "Array | None": "Tensor?", "float": "float", "int": "int",
         "bool": "bool", "str": "str", "float | None": "float?", "int | None": "int?",
         "Any": "str?"}  # a dtype, by its name
UPDATED = {"gated_delta_rule": ("state",),
           "fused_sigmoid_gating_delta_rule_update": ("state",)}

_library = torch.library.Library("mortar", "DEF")
_custom_ops: dict[str, Any] = {}


def schema(op: Fused) -> str:
    """The op's, in PyTorch's language."""
    written = {*op.in_place, *UPDATED.get(op.__name__, ())}
    parts, keyword_only = [], False
    for parameter in op.signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            parts.append("*")
            keyword_only = True
        kind = TYPES[parameter.annotation]
        if parameter.name in written:
            kind = f"Tensor({chr(ord('a') + len(parts))}!)"
        default = parameter.default
        if default is inspect.Parameter.empty:
            default = ""
        else:
            default = f"={_literal(default)}"
        parts.append(f"{kind} {parameter.name}{default}")
    if op.in_place:
        results = "()"
    else:
        count = max(op.signature.return_annotation.count("Array"), 1)
        results = "Tensor" if count == 1 else f"({', '.join(['Tensor'] * count)})"
    return f"{op.__name__}({', '.join(parts)}) -> {results}"


def _literal(default: Any) -> str:
    if isinstance(default, str):
        return f'"{default}"'
    return str(default)


def kernel(op: Fused) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        result = op.run(*args, **kwargs)
        return None if op.in_place else result

    return run


def fake(op: Fused) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        traced = op.trace(args, kwargs)
        if op.in_place:
            return None
        first = next(value for value in args if isinstance(value, torch.Tensor))
        arrays = [value for value in op.signature.bind(*args, **kwargs).arguments.values()
                  if isinstance(value, torch.Tensor)]
        made = [first.new_empty(shape, dtype=getattr(torch, NAMES[result.dtype]))
                for shape, result in zip(traced.shapes(arrays), traced.results)]
        return tuple(made) if traced.is_tuple else made[0]

    return run


def refuse_autograd(op: Fused, call: Any) -> Callable[..., Any]:
    def run(keyset: Any, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled():
            for name, value in op.signature.bind(*args, **kwargs).arguments.items():
                if isinstance(value, torch.Tensor) and value.requires_grad:
                    raise LaunchError(
                        f"{op.__name__}: argument '{name}': expected a tensor without "
                        "requires_grad, as Mortar has no derivatives; call it under "
                        "torch.no_grad() or torch.inference_mode()")
        with torch._C._AutoDispatchBelowAutograd():
            return call.redispatch(keyset & torch._C._after_autograd_keyset, *args, **kwargs)

    return run


def register(op: Fused) -> None:
    _library.define(schema(op), tags=(torch.Tag.pt2_compliant_tag,
                                      torch.Tag.needs_fixed_stride_order))
    for key in ("CPU", "CUDA"):
        _library.impl(op.__name__, kernel(op), key)
    call = getattr(torch.ops.mortar, op.__name__).default
    _custom_ops[op.__name__] = call
    torch.library.register_fake(f"mortar::{op.__name__}", fake(op), lib=_library)
    _library.impl(op.__name__, refuse_autograd(op, call), "Autograd", with_keyset=True)


def call(op: Fused, args: tuple, kwargs: dict[str, Any], out: Any) -> Any:
    """A call of mortar.ops that PyTorch traces. Functions under mortar.fuse have no custom
    op: they are called between two graphs."""
    if _custom_ops.get(op.__name__) is None or getattr(ops, op.__name__) is not op:
        return _between_graphs(op, args, kwargs, out)
    names = list(op.signature.parameters)
    positional = list(args)
    named = {name: str(value).removeprefix("torch.") if isinstance(value, torch.dtype)
             else value for name, value in kwargs.items()}
    result = _custom_ops[op.__name__](*positional, **named)
    if op.in_place:
        given = {**dict(zip(names, positional)), **named}
        result = tuple([given[name] for name in op.in_place])
    if out is None:
        return result
    for one, made in zip(out if isinstance(out, (tuple, list)) else (out,),
                         result if isinstance(result, tuple) else (result,)):
        one.copy_(made)
    return out


@torch.compiler.disable
def _between_graphs(op: Fused, args: tuple, kwargs: dict[str, Any], out: Any) -> Any:
    return op.run(*args, out=out, **kwargs)


for _name in ops.__all__:
    register(getattr(ops, _name))


@torch._dynamo.register_backend(name="mortar")
def backend(model: torch.fx.GraphModule, inputs: Sequence[Any], **options: Any) -> Any:
    """torch.compile(..., backend="mortar"). Inductor is imported when it is called."""
    from mortar.dynamo import mortar as found
    return found(model, inputs, **options)
