"""transformers' norms and gates as calls of mortar.ops: a function for each form of
_forms.py, which takes the module and what its forward takes."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mortar import ops
from mortar.integrations._patches import Declined, expect_plain


def expect_rows(x: Any, *others: Any) -> None:
    expect_plain(x, *others)
    if x.stride(-1) != 1:
        raise Declined(f"expected rows without gaps, found a stride of {x.stride(-1)} elements "
                       "in the last dimension")


def expect_type(what: str, found: torch.Tensor, x: torch.Tensor) -> None:
    """Where PyTorch would promote, the result has another type than x."""
    if found.dtype != x.dtype:
        raise Declined(f"{what}: expected the input's {x.dtype}, found {found.dtype}")


def llama(self: Any, x: torch.Tensor) -> Any:
    expect_rows(x, self.weight)
    expect_type("weight", self.weight, x)
    return ops.rms_norm(x, self.weight, self.variance_epsilon, inner=x.dtype)


def gpt_oss(self: Any, x: torch.Tensor) -> Any:
    expect_rows(x, self.weight)
    return ops.rms_norm(x, self.weight, self.variance_epsilon)


def gemma(self: Any, x: torch.Tensor) -> Any:
    expect_rows(x, self.weight)
    return ops.rms_norm(x, self.weight, self.eps, weight_offset=1)


def moshi(self: Any, x: torch.Tensor) -> Any:
    expect_rows(x, self.weight)
    return ops.rms_norm(x, self.weight, self.eps)


def weightless(self: Any, x: torch.Tensor) -> Any:
    expect_rows(x)
    return ops.rms_norm(x, None, self.eps)


def gemma4(self: Any, x: torch.Tensor) -> Any:
    return moshi(self, x) if self.with_scale else weightless(self, x)


def gated(self: Any, x: torch.Tensor, gate: Any, activation: str, **conventions: Any) -> Any:
    if gate is None:
        raise Declined("expected a gate, found None")
    expect_rows(x, gate, self.weight)
    if gate.stride(-1) != 1 or gate.shape != x.shape:
        raise Declined(f"gate: expected rows of the shape {tuple(x.shape)}, found "
                       f"{tuple(gate.shape)} with strides {gate.stride()}")
    if activation not in ("silu", "swish", "sigmoid"):
        raise Declined(f"activation: expected silu, swish or sigmoid, found {activation}")
    return ops.gated_rms_norm(x, gate, self.weight, None, self.variance_epsilon,
                              activation=activation, **conventions)


def qwen3_next_gated(self: Any, x: torch.Tensor, gate: Any) -> Any:
    expect_type("weight", self.weight, x)
    return gated(self, x, gate, self.activation, inner=x.dtype, weighted=x.dtype)


def kimi_gated(self: Any, x: torch.Tensor, gate: Any = None) -> Any:
    return gated(self, x, gate, self.activation)


def mamba_gated(self: Any, x: torch.Tensor, gate: Any = None) -> Any:
    expect_type("weight", self.weight, x)
    return gated(self, x, gate, "silu", norm_before_gate=False, inner=x.dtype)


def gate_of(activation: Any) -> Any:
    """mortar.ops' function of an activation and a product. Only what transformers' table
    holds: an activation that a hub's kernel replaced, say, stays."""
    from transformers import activations
    kind = type(activation)
    if "forward" not in vars(activation) and not activation._forward_hooks:
        if kind in (nn.SiLU, activations.SiLUActivation) and not getattr(
                activation, "inplace", False):
            return ops.silu_and_mul
        act = getattr(activation, "act", None)
        if kind is activations.GELUActivation and act is nn.functional.gelu:
            return ops.gelu_and_mul
        if kind is activations.GELUTanh and getattr(act, "keywords", 0) == {
                "approximate": "tanh"}:
            return ops.gelu_tanh_and_mul
    raise Declined(f"activation: expected SiLU or GELU as transformers has them, found "
                   f"{activation!r}")


def apply_gate(self: Any, joined: torch.Tensor) -> Any:
    gate = gate_of(self.act_fn)
    expect_rows(joined)
    return gate(joined, inner=joined.dtype)


def mlp_joined(self: Any, x: torch.Tensor) -> Any:
    gate = gate_of(self.activation_fn)
    expect_plain(x, *self.gate_up_proj.parameters())
    joined = self.gate_up_proj(x)
    # From here on nothing may be declined, as hooks of gate_up_proj ran already.
    return self.down_proj(gate(joined, inner=joined.dtype))


def expect_linear(what: str, layer: Any) -> None:
    """A layer whose product can be taken without calling it."""
    if type(layer) is not nn.Linear or "forward" in vars(layer):
        raise Declined(f"{what}: expected an nn.Linear, found {type(layer).__name__}"
                       + (" with a forward of its own" if "forward" in vars(layer) else ""))
    if layer._forward_hooks or layer._forward_pre_hooks:
        raise Declined(f"{what}: expected no hooks, which would not be called")


def product(layer: nn.Linear, rows: torch.Tensor, out: torch.Tensor) -> None:
    if layer.bias is None:
        torch.mm(rows, layer.weight.t(), out=out)
    else:
        torch.addmm(layer.bias, rows, layer.weight.t(), out=out)


def mlp(self: Any, x: torch.Tensor) -> Any:
    """Both products are written side by side, as silu_and_mul reads them: weights stay
    where they are, and nothing is copied."""
    gate, up = self.gate_proj, self.up_proj
    expect_linear("gate_proj", gate)
    expect_linear("up_proj", up)
    function = gate_of(self.act_fn)
    parts = [one for layer in (gate, up) for one in (layer.weight, layer.bias)
             if one is not None]
    expect_plain(x, *parts)
    for part in parts:
        expect_type("weight or bias", part, x)
    width = gate.out_features
    if up.out_features != width:
        raise Declined(f"up_proj: expected {width} features, found {up.out_features}")
    rows = x.reshape(-1, x.shape[-1])
    joined = torch.empty(rows.shape[0], 2 * width, dtype=x.dtype, device=x.device)
    product(gate, rows, joined[:, :width])
    product(up, rows, joined[:, width:])
    gated_rows = function(joined, inner=x.dtype)
    return self.down_proj(gated_rows.view(*x.shape[:-1], width))


# By the form: what computes it, and the name of mortar.ops' function in reports.
FORWARDS = {
    "llama": (llama, "rms_norm"), "gpt_oss": (gpt_oss, "rms_norm"),
    "gemma": (gemma, "rms_norm"), "gemma4": (gemma4, "rms_norm"),
    "moshi": (moshi, "rms_norm"), "weightless": (weightless, "rms_norm"),
    "qwen3_next_gated": (qwen3_next_gated, "gated_rms_norm"),
    "kimi_gated": (kimi_gated, "gated_rms_norm"),
    "mamba_gated": (mamba_gated, "gated_rms_norm"),
    "mlp": (mlp, "gate and product"), "mlp_joined": (mlp_joined, "gate and product"),
    "apply_gate": (apply_gate, "gate and product"),
}
