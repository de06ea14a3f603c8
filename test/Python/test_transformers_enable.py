"""mortar.integrations.transformers: what it replaces, for whom and for how long, and what it
leaves to transformers, bit for bit."""

import copy
import sys

import pytest
import torch

transformers = pytest.importorskip("transformers", minversion="5.0",
                                   reason="transformers 5 or above isn't installed")
import mortar.integrations.transformers as integration  # noqa: E402
from transformers import cache_utils  # noqa: E402
from transformers_models import (SIZES, assert_near, kinds, make,  # noqa: E402, F401
                                 nothing_stays_enabled, steps, tokens)


def attributes():
    """All that enable() could touch."""
    found = {}
    for name, module in list(sys.modules.items()):
        if ".modeling_" in name:
            for key, value in list(vars(module).items()):
                found[name, key] = value
                if isinstance(value, type):
                    found.update({(name, key, own): one for own, one in vars(value).items()})
    for owner in (transformers.PreTrainedModel, cache_utils.LinearAttentionLayer):
        found.update({(owner, own): one for own, one in vars(owner).items()})
    return found


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    assert [key for key in found if found[key] is not expected[key]] == []


def test_disable_restores():
    model = make("qwen3_next")
    before, own = attributes(), [dict(vars(one)) for one in model.modules()]
    enabled = integration.enable()
    changed = attributes()
    assert enabled.active and sum(changed[key] is not before[key] for key in before) > 8
    enabled.disable()
    enabled.disable()
    assert not enabled.active
    assert_same(attributes(), before)
    with integration.enable(model):
        assert sum("forward" in vars(one) for one in model.modules()) > 8
    assert_same(attributes(), before)
    assert [dict(vars(one)) for one in model.modules()] == own


@torch.no_grad()
def test_what_others_put_on_top_stays():
    """And what lies beneath it is transformers' again."""
    model, prompt = make("llama"), tokens(1, 5)
    expected, norm = model(prompt).logits, type(model.model.norm)
    before = norm.forward
    enabled = integration.enable()
    ours = norm.forward
    others = lambda self, x: ours(self, x)
    norm.forward = others
    enabled.disable()
    try:
        assert norm.forward is others and before is not ours
        assert torch.equal(model(prompt).logits, expected)
    finally:
        norm.forward = before


@pytest.mark.parametrize("first_out", [0, 1])
@pytest.mark.parametrize("targets", ["all all", "all one", "one all", "one one"])
@torch.no_grad()
def test_enabled_twice(targets, first_out):
    model, prompt = make("qwen3_next"), tokens(1, 5)
    before, expected = attributes(), model(prompt).logits
    held = [integration.enable(model if one == "one" else None) for one in targets.split()]
    model(prompt)
    held.pop(first_out).disable()
    assert_near(model(prompt).logits, expected)
    calls = kinds(held[0]).count
    assert held[0].active and calls("rms_norm") and calls("gated_delta_rule")
    held[0].disable()
    assert_same(attributes(), before)
    assert torch.equal(model(prompt).logits, expected)
    assert not any("forward" in vars(one) for one in model.modules())


@torch.no_grad()
def test_one_model():
    """Another model of the same classes keeps transformers' functions, bit for bit."""
    model, other, prompt = make("qwen3_next"), make("qwen3_next"), tokens(2, 9)
    expected, _ = steps(model, prompt)
    with integration.enable(model) as enabled:
        for one, two in zip(steps(other, prompt)[0], expected):
            assert torch.equal(one, two)
        assert kinds(enabled) == []
        assert "a model that Mortar isn't enabled for" in enabled.report()
        for one, two in zip(steps(model, prompt)[0], expected):
            assert_near(one, two)
        assert kinds(enabled).count("gated_delta_rule") == 2
        copied = copy.deepcopy(model)  # has its own weights, not those it was copied from
        for one in (copied, other):
            one.model.layers[0].linear_attn.out_proj.weight.zero_()
        assert_near(copied(prompt).logits, other(prompt).logits)


@torch.no_grad()
def test_models_made_after():
    """Also those whose module is imported later."""
    late = "transformers.models.arcee.modeling_arcee"
    assert late not in sys.modules
    prompt = tokens(2, 9)
    with integration.enable() as enabled:
        model = make("llama")
        found = model(prompt).logits
        assert kinds(enabled).count("rms_norm") == 1
        config = transformers.ArceeConfig(**SIZES, num_hidden_layers=1)
        transformers.AutoModelForCausalLM.from_config(config).eval()(prompt)
        assert "modeling_arcee.ArceeRMSNorm.forward" in enabled.report()
    assert_near(found, model(prompt).logits)
    norm = sys.modules[late].ArceeRMSNorm
    assert not hasattr(norm.forward, "mortar_replaced")


def unpatched(model, call):
    """What a call gives with the integration, which must be what it gives without."""
    expected = call()
    with integration.enable() as enabled:
        found = call()
    assert torch.equal(found, expected)
    return enabled


def test_autograd_falls_back():
    model, prompt = make("qwen3_next"), tokens(2, 9)
    enabled = unpatched(model, lambda: model(prompt).logits.detach())
    assert kinds(enabled) == [] and "autograd records this call" in enabled.report()
    with integration.enable():
        model(prompt).logits.square().sum().backward()
    assert all(one.grad is not None for key, one in model.named_parameters()
               if "norm" in key or "A_log" in key)


@torch.no_grad()
def test_what_falls_back():
    prompt = tokens(2, 9)
    model = make("llama")
    with torch.autocast("cpu", torch.bfloat16):
        enabled = unpatched(model, lambda: model(prompt).logits)
    assert kinds(enabled) == [] and "autocast" in enabled.report()
    wide = make("llama", torch.float64)
    enabled = unpatched(wide, lambda: wide(prompt).logits)
    assert "found torch.float64" in enabled.report()
    mixed = make("llama", torch.bfloat16)
    for layer in mixed.model.layers:  # its result would be float32
        layer.post_attention_layernorm.float()
    norm = mixed.model.layers[0].post_attention_layernorm
    x = torch.randn(3, 64).bfloat16()
    enabled = unpatched(mixed, lambda: norm(x))
    assert "weight: expected the input's torch.bfloat16, found torch.float32" in (
        enabled.report())
    mlp, seen = model.model.layers[0].mlp, []
    mlp.gate_proj.register_forward_hook(lambda *_: seen.append(1))
    enabled = unpatched(model, lambda: mlp(torch.ones(2, 64)))
    assert len(seen) == 2 and "gate_proj: expected no hooks" in enabled.report()
    norm = model.model.norm
    enabled = unpatched(model, lambda: norm(torch.ones(64, 5).t()))
    assert "a stride of 5 elements in the last dimension" in enabled.report()
    assert torch.equal(norm(torch.ones(0, 64)), torch.ones(0, 64))


@torch.no_grad()
def test_other_meanings_are_left():
    """A class whose source isn't known, whatever its name, and a module's own forward."""
    from mortar.integrations import _forms

    class RMSNorm(torch.nn.Module):
        def forward(self, x):
            dtype = x.dtype
            x = x.to(torch.float32)
            variance = x.pow(2).mean(-1, keepdim=True)
            x = x * torch.rsqrt(variance + 2 * self.variance_epsilon)
            return self.weight * x.to(dtype)

    assert _forms.form(RMSNorm, "forward") is None
    assert _forms.form(make("llama").model.norm.__class__, "forward") == "llama"
    model, prompt = make("llama"), tokens(1, 4)
    model.model.norm.forward = lambda x: 0 * x
    with integration.enable(model) as enabled:
        assert not model(prompt).logits.any()
    assert "norm (LlamaRMSNorm): left alone" in enabled.report()


@torch.no_grad()
def test_compiled_models_are_left():
    model, prompt = make("llama"), tokens(2, 9)
    expected = model(prompt).logits
    with integration.enable() as enabled:
        found = torch.compile(model, backend="eager")(prompt).logits
        assert kinds(enabled) == []
    assert torch.equal(found, expected)


def test_refused_arguments():
    with pytest.raises(TypeError, match="expected a torch.nn.Module or None, found str"):
        integration.enable("llama")
    for wrong in (0, -1, 1.5, "all"):
        with pytest.raises(ValueError, match=f"a positive integer or None, found {wrong!r}"):
            integration.enable(recurrence_tokens=wrong)
    with integration.enable(recurrence_tokens=64):
        with pytest.raises(ValueError, match="expected 64, as it is enabled already, found 8"):
            integration.enable(recurrence_tokens=8)
