"""mortar.integrations.transformers: the numbers that transformers' own functions give, within
bounds, in forwards, steps with a cache and generate()."""

import copy

import pytest
import torch

transformers = pytest.importorskip("transformers", minversion="5.0",
                                   reason="transformers 5 or above isn't installed")
import mortar.integrations.transformers as integration  # noqa: E402
from mortar.integrations._delta_rule import CHUNKED, RECURRENT, Pool  # noqa: E402
from transformers_models import (BOUNDS, CONFIGS, assert_near, kinds, make,  # noqa: E402, F401
                                 nothing_stays_enabled, states, steps, tokens)

CALLED = {  # how many kinds of calls at least, by what the report says
    "llama": {"rms_norm": 1, "gate and product": 1},
    "gemma3": {"rms_norm": 1, "gate and product": 1},
    "qwen3_next": {"rms_norm": 1, "gated_rms_norm": 1, "gate and product": 2,
                   "gated_delta_rule": 2},
    "deepseek_v3": {"rms_norm": 1, "gate and product": 2}}
FLOATS = pytest.mark.parametrize("dtype", BOUNDS, ids=["f32", "bf16"])
MODELS = pytest.mark.parametrize("name", CONFIGS)


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


@pytest.mark.parametrize("length, limit", [(9, 64), (70, None), (70, 64)],
                         ids=["short", "long", "chunked"])
@FLOATS
@MODELS
@torch.no_grad()
def test_steps_with_cache(name, dtype, length, limit):
    model, prompt = make(name, dtype), tokens(2, length)
    expected, cache = steps(model, prompt)
    with integration.enable(recurrence_tokens=limit) as enabled:
        found, other = steps(model, prompt)
        called = kinds(enabled)
    for one, two in zip(found, expected):
        assert_near(one, two)
    for one, two in zip(states(other), states(cache)):
        assert one.dtype == torch.float32 and one.shape == two.shape
        bound = BOUNDS[dtype] * two.abs().max()
        assert (one - two).abs().max() <= bound
    assert called.count("gated_delta_rule") == (
        0 if name != "qwen3_next" else 2 if limit is None or length <= limit else 1)
    if limit and length > limit and name == "qwen3_next":
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
