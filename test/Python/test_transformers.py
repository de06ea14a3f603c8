"""mortar.integrations.transformers on small models of random weights: the same numbers as
transformers' own functions give, within bounds, and everything back where it was."""

import copy
import sys

import pytest
import torch

transformers = pytest.importorskip("transformers", minversion="5.0",
                                   reason="transformers 5 or above isn't installed")
import mortar.integrations.transformers as integration  # noqa: E402
from mortar.integrations._delta_rule import CHUNKED, RECURRENT, Pool  # noqa: E402
from transformers import cache_utils  # noqa: E402

SIZES = dict(vocab_size=128, hidden_size=64, intermediate_size=96, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=256, pad_token_id=0)
EXPERTS = dict(moe_intermediate_size=32, num_experts_per_tok=2)
CONFIGS = {
    "llama": lambda: transformers.LlamaConfig(**SIZES, num_hidden_layers=2, mlp_bias=True),
    "gemma3": lambda: transformers.Gemma3TextConfig(**SIZES, num_hidden_layers=2, head_dim=16),
    "qwen3_next": lambda: transformers.Qwen3NextConfig(
        **SIZES, **EXPERTS, num_hidden_layers=2, layer_types=[
            "linear_attention", "full_attention"], head_dim=16, num_experts=4,
        shared_expert_intermediate_size=32, linear_num_value_heads=4,
        linear_num_key_heads=2, linear_key_head_dim=32, linear_value_head_dim=16),
    "deepseek_v3": lambda: transformers.DeepseekV3Config(
        **{**SIZES, "num_key_value_heads": 4}, **EXPERTS, num_hidden_layers=2,
        first_k_dense_replace=1, n_routed_experts=4, n_group=2, topk_group=1, q_lora_rank=32,
        kv_lora_rank=16, qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=16),
}
CALLED = {  # how many kinds of calls at least, by what the report says
    "llama": {"rms_norm": 1, "gate and product": 1},
    "gemma3": {"rms_norm": 1, "gate and product": 1},
    "qwen3_next": {"rms_norm": 1, "gated_rms_norm": 1, "gate and product": 2,
                   "gated_delta_rule": 2},
    "deepseek_v3": {"rms_norm": 1, "gate and product": 2}}
# Of the largest logit. Sums of a row's squares, a head's products and a state's terms are
# in another order than PyTorch's, so f32 differs in its last places, some 2^-24 each; in
# bf16 a value beside a rounding boundary falls to its other side, an ulp of 2^-8, which
# later layers carry on.
BOUNDS = {torch.float32: 2.0 ** -16, torch.bfloat16: 2.0 ** -6}
FLOATS = pytest.mark.parametrize("dtype", BOUNDS, ids=["f32", "bf16"])
MODELS = pytest.mark.parametrize("name", CONFIGS)


@pytest.fixture(autouse=True)
def nothing_stays_enabled():
    yield
    for installed in list(integration._installed.values()):
        for one in list(installed.holders):
            one.disable()


def make(name, dtype=torch.float32):
    """Weights large enough that every norm's, bias's and gate's matters."""
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(
        CONFIGS[name](), attn_implementation="sdpa").eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            scale = weight.shape[-1] ** -0.5 if weight.ndim > 1 else 0.3
            noise = scale * torch.randn(weight.shape)
            weight.copy_(noise + (weight if weight.ndim == 1 else 0))
    return model.to(dtype)


def tokens(batch, length):
    return torch.randint(1, 128, (batch, length), generator=torch.Generator().manual_seed(5))


def assert_near(found, expected):
    assert found.dtype == expected.dtype and found.shape == expected.shape
    bound = BOUNDS[expected.dtype] * expected.abs().max()
    difference = (found.float() - expected.float()).abs().max()
    assert difference <= bound, f"differ by {difference}, bound {bound}"


def steps(model, prompt, count=5):
    """Logits of a prompt and of steps with its cache, on given tokens; and the cache."""
    given, cache = tokens(prompt.shape[0], count), None
    out = model(prompt, use_cache=True)
    logits, cache = [out.logits], out.past_key_values
    for at in range(count):
        out = model(given[:, at:at + 1], past_key_values=cache, use_cache=True)
        logits.append(out.logits)
    return logits, cache


def states(cache):
    return [layer.recurrent_states[0] for layer in cache.layers
            if isinstance(layer, cache_utils.LinearAttentionLayer)]


def kinds(enabled):
    return [entry.op for entry in enabled._installed.replaced
            if entry.op and entry.calls]


@FLOATS
@MODELS
@torch.no_grad()
def test_forward(name, dtype):
    model, prompt = make(name, dtype), tokens(2, 9)
    expected = model(prompt).logits
    with integration.enable() as enabled:
        found = model(prompt).logits
        called = kinds(enabled)
    assert_near(found, expected)
    for op, count in CALLED[name].items():
        at_least = 1 if op == "gated_delta_rule" else count  # a prompt runs one of the two
        assert called.count(op) >= at_least, enabled.report()
    assert torch.equal(model(prompt).logits, expected)


@pytest.mark.parametrize("length", [9, 70], ids=["recurrence", "chunked"])
@FLOATS
@MODELS
@torch.no_grad()
def test_steps_with_cache(name, dtype, length):
    model, prompt = make(name, dtype), tokens(2, length)
    expected, cache = steps(model, prompt)
    with integration.enable() as enabled:
        found, other = steps(model, prompt)
        called = kinds(enabled)
    for one, two in zip(found, expected):
        assert_near(one, two)
    for one, two in zip(states(other), states(cache)):
        assert one.dtype == torch.float32 and one.shape == two.shape
        bound = BOUNDS[dtype] * two.abs().max()
        assert (one - two).abs().max() <= bound
    assert called.count("gated_delta_rule") == (
        0 if name != "qwen3_next" else 2 if length <= integration.RECURRENCE_TOKENS else 1)
    if length > integration.RECURRENCE_TOKENS and name == "qwen3_next":
        assert "1 left to transformers: a prompt of more than 64 tokens" in enabled.report()


@pytest.mark.parametrize("beams", [1, 3])
@MODELS
def test_generate(name, beams):
    """Greedy and by beams, which reorder the cache; the choice of f32 logits is the same as
    no two are within the bound."""
    model, prompt = make(name), tokens(2, 9)
    given = dict(max_new_tokens=8, do_sample=False, num_beams=beams)
    expected = model.generate(prompt, **given)
    with integration.enable() as enabled:
        assert torch.equal(model.generate(prompt, **given), expected)
    assert set(CALLED[name]) <= set(kinds(enabled))


@torch.no_grad()
def test_left_padding():
    model, prompt = make("qwen3_next"), tokens(2, 9)
    mask = torch.ones_like(prompt)
    mask[0, :4] = 0
    expected = model(prompt, attention_mask=mask).logits
    with integration.enable():
        assert_near(model(prompt, attention_mask=mask).logits[mask.bool()],
                    expected[mask.bool()])


@torch.no_grad()
def test_state_lies_where_it_is(monkeypatch):
    """The cache keeps Mortar's pool; a step updates it and makes no other."""
    model, prompt = make("qwen3_next"), tokens(2, 9)
    with integration.enable():
        cache = model(prompt, use_cache=True).past_key_values
        state, = states(cache)
        place, before = state.data_ptr(), state.clone()
        assert Pool.of(state) and Pool.of(state).slots.shape == (3, 4, 16, 32)
        with monkeypatch.context() as patch:
            patch.setattr(Pool, "make", None)
            model(prompt[:, :1], past_key_values=cache)
        assert states(cache)[0] is state and state.data_ptr() == place
        assert not torch.equal(state, before)
        assert not Pool.of(state).slots[0].any()
        state.data = state.data.clone()
        assert Pool.of(state) is None


@torch.no_grad()
def test_caches_cross_enable_and_disable():
    """A cache goes on with other functions than began it, as a deep copy, after a reset."""
    model, prompt, step = make("qwen3_next"), tokens(2, 9), tokens(2, 1)
    cache = model(prompt, use_cache=True).past_key_values
    other = copy.deepcopy(cache)
    expected = model(step, past_key_values=cache).logits
    with integration.enable():
        assert_near(model(step, past_key_values=other).logits, expected)
        ours = model(prompt, use_cache=True).past_key_values
        copied = copy.deepcopy(ours)
        assert_near(model(step, past_key_values=copied).logits, expected)
        again = model(step, past_key_values=copied).logits
        kept = copy.deepcopy(ours)
    assert_near(model(step, past_key_values=ours).logits, expected)
    assert_near(model(step, past_key_values=kept).logits, expected)
    assert_near(model(step, past_key_values=kept).logits, again)
    assert_near(states(kept)[0], states(copied)[0])


@torch.no_grad()
def test_rule_alone_leaves_its_state():
    """What isn't the cache's is not written to."""
    from transformers.models.qwen3_next import modeling_qwen3_next as module
    q, k, v = (torch.randn(2, 3, 4, width) for width in (32, 32, 16))
    g, beta = -torch.rand(2, 3, 4), torch.rand(2, 3, 4)
    given = torch.randn(2, 4, 32, 16)
    for l2 in (True, False):
        for name in (RECURRENT, CHUNKED):
            call = lambda state, keep=True: getattr(module, name)(
                q, 0.1 * k, v, g=g, beta=beta, initial_state=state, output_final_state=keep,
                use_qk_l2norm_in_kernel=l2)
            expected, last = call(given)
            with integration.enable() as enabled:
                before = given.clone()
                found, state = call(given)
                assert "gated_delta_rule" in kinds(enabled)
                assert torch.equal(given, before)
                assert_near(found, expected)
                assert_near(state, last)
                held = state.clone()
                assert call(state, False)[1] is None
                assert torch.equal(state, held)


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
    with pytest.raises(ValueError, match="expected a positive integer, found 0"):
        integration.enable(recurrence_tokens=0)
    with integration.enable():
        with pytest.raises(ValueError, match="expected 64, as it is enabled already, found 8"):
            integration.enable(recurrence_tokens=8)
