"""mortar.integrations.transformers under torch.compile: the gated delta rule is one op of the
graphs, all else transformers' own code."""

import pytest
import torch

transformers = pytest.importorskip("transformers", minversion="5.0",
                                   reason="transformers 5 or above isn't installed")
import mortar.integrations.transformers as integration  # noqa: E402
import mortar.torch  # noqa: E402, F401
from transformers_models import (assert_near, kinds, make, nothing_stays_enabled,  # noqa: E402, F401
                                 states, tokens)

RULE = "mortar.transformers_gated_delta_rule.default"


class Graphs:
    """A backend that runs graphs as they are, and counts ops in them."""

    def __init__(self):
        self.targets = []

    def __call__(self, graph, _):
        self.targets += [str(node.target) for node in graph.graph.nodes]
        return graph


@pytest.fixture(autouse=True)
def forget():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@torch.no_grad()
def begin(model, prompt):
    cache = transformers.StaticCache(config=model.config, max_cache_len=64)
    model(prompt, past_key_values=cache, use_cache=True)
    return cache


@torch.no_grad()
@pytest.mark.parametrize("backend", ["graphs", "inductor", "mortar"])
def test_steps(backend):
    """A step is the integration's: the same values, and the state is updated where it is."""
    model, prompt, step = make("qwen3_next"), tokens(2, 9), tokens(2, 1)
    compiled = torch.compile(model, backend=Graphs() if backend == "graphs" else backend)
    with integration.enable():
        expected, cache = begin(model, prompt), begin(model, prompt)
        state, place = states(cache)[0], states(cache)[0].data_ptr()
        for _ in range(3):
            assert_near(compiled(step, past_key_values=cache).logits,
                        model(step, past_key_values=expected).logits)
        assert states(cache)[0] is state and state.data_ptr() == place
        assert_near(state, states(expected)[0])
        assert not state.mortar_pool.slots[0].any()


@torch.no_grad()
@pytest.mark.parametrize("length", [9, 70])
def test_prompts(length):
    """Without its loops the graph is that of a model of other layers."""
    model, prompt, graphs = make("qwen3_next"), tokens(2, length), Graphs()
    expected = model(prompt).logits
    with integration.enable():
        found = torch.compile(model, backend=graphs, fullgraph=True)(prompt).logits
    assert_near(found, expected)
    assert graphs.targets.count(RULE) == 1


@torch.no_grad()
def test_dynamic_prompts():
    """Another length is the same graph."""
    model, graphs = make("qwen3_next"), Graphs()
    compiled = torch.compile(model, backend=graphs, dynamic=True)
    with integration.enable():
        for length in (9, 33, 70):
            assert_near(compiled(tokens(2, length), use_cache=False).logits,
                        model(tokens(2, length), use_cache=False).logits)
    assert graphs.targets.count(RULE) == 1


@torch.no_grad()
def test_prompts_that_are_left():
    model, prompt, graphs = make("qwen3_next"), tokens(2, 9), Graphs()
    expected = model(prompt).logits
    with integration.enable(recurrence_tokens=8):
        found = torch.compile(model, backend=graphs)(prompt).logits
    assert_near(found, expected)
    assert RULE not in graphs.targets


@torch.no_grad()
def test_states_of_others_are_left():
    """They would be copied at each step."""
    model, prompt, step, graphs = make("qwen3_next"), tokens(2, 9), tokens(2, 1), Graphs()
    expected, cache = begin(model, prompt), begin(model, prompt)
    with integration.enable():
        found = torch.compile(model, backend=graphs)(step, past_key_values=cache).logits
    assert_near(found, model(step, past_key_values=expected).logits)
    assert_near(states(cache)[0], states(expected)[0])
    assert RULE not in graphs.targets


@torch.no_grad()
def test_one_model():
    one, other, step, graphs = make("qwen3_next"), make("qwen3_next"), tokens(2, 1), Graphs()
    with integration.enable(one):
        for model, count in ((other, 0), (one, 2), (other, 2)):
            compiled = torch.compile(model, backend=graphs)
            assert_near(compiled(tokens(2, 9), use_cache=False).logits,
                        other(tokens(2, 9), use_cache=False).logits)
            cache, expected = begin(model, tokens(2, 9)), begin(other, tokens(2, 9))
            assert_near(compiled(step, past_key_values=cache).logits,
                        other(step, past_key_values=expected).logits)
            assert graphs.targets.count(RULE) == count


@torch.no_grad()
def test_states_without_a_slot_before():
    """The op alone, on what isn't a pool's: as a clone by a compiler is."""
    q, k, v = (torch.randn(2, 3, 4, width) for width in (32, 32, 16))
    g, beta = -torch.rand(2, 3, 4), torch.rand(2, 3, 4)
    pool = torch.randn(3, 4, 16, 32)
    slots = torch.arange(1, 3, dtype=torch.int32)
    rule = torch.ops.mortar.transformers_gated_delta_rule
    found = []
    for state in (pool.clone()[1:].transpose(-1, -2), pool[1:].clone().transpose(-1, -2),
                  pool[1:].transpose(-1, -2).contiguous()):
        out = rule(q, k, v, g, beta, state, slots, True)
        found.append((out, state))
    for out, state in found[1:]:
        assert torch.equal(out, found[0][0]) and torch.equal(state, found[0][1])
    torch.library.opcheck(rule.default, (q, k, v, g, beta, pool[1:].transpose(-1, -2), slots,
                                         True), test_utils=("test_schema", "test_faketensor"))


@torch.no_grad()
@pytest.mark.parametrize("keys, values, gates", [(2048, 8, 2), (128, 1024, 2), (32, 16, 1)],
                         ids=["keys", "state", "gates"])
def test_what_a_kernel_refuses_is_left(keys, values, gates):
    """As in eager mode, where it is an error that is caught."""
    from transformers.models.qwen3_next import modeling_qwen3_next as module
    q, k, v = (0.1 * torch.randn(1, 3, 2, width) for width in (keys, keys, values))
    g, beta = -torch.rand(1, 3, gates), torch.rand(1, 3, 2)
    graphs = Graphs()

    def call(q, k, v, g, beta):
        return module.torch_chunk_gated_delta_rule(q, k, v, g=g, beta=beta)[0]

    expected = call(q, k, v, g, beta)
    with integration.enable() as enabled:
        assert torch.equal(call(q, k, v, g, beta), expected)
        assert "left to transformers" in enabled.report()
        assert_near(torch.compile(call, backend=graphs)(q, k, v, g, beta), expected)
    assert RULE not in graphs.targets


@torch.no_grad()
def test_training_is_left():
    model, prompt, graphs = make("qwen3_next"), tokens(2, 9), Graphs()
    with integration.enable(), torch.enable_grad():
        loss = torch.compile(model, backend=graphs)(prompt).logits.square().mean()
    assert RULE not in graphs.targets and loss.requires_grad
