"""The gated delta rule against a loop in float64, and its pool of states."""

import pytest
import torch

import mortar
from conftest import assert_bits
from mortar import ops

H, HV, K, V = 2, 4, 16, 8


@pytest.fixture
def step(randn):
    tokens = 5
    return dict(
        A_log=randn(HV, dtype=torch.float32), a=randn(tokens, HV), dt_bias=randn(HV),
        q=randn(tokens, H, K), k=randn(tokens, H, K), v=randn(tokens, HV, V),
        b=randn(tokens, HV), state=randn(7, HV, V, K, dtype=torch.float32),
        slots=torch.tensor([3, 1, 0, 6, 9], dtype=torch.int32))


def reference(A_log, a, dt_bias, q, k, v, b, state, slots):
    A_log, a, dt_bias, q, k, v, b = (
        one.double() for one in (A_log, a, dt_bias, q, k, v, b))
    pool, result = state.double().clone(), torch.zeros_like(v)
    decay = torch.exp(-torch.exp(A_log) * torch.nn.functional.softplus(a + dt_bias))
    beta = torch.sigmoid(b)
    q, k = (one / (one.square().sum(-1, keepdim=True) + 1e-6).sqrt() for one in (q, k))
    for token, slot in enumerate(slots.tolist()):
        if not 0 < slot < len(pool):
            continue
        for head in range(HV):
            key, query = k[token, head * H // HV], q[token, head * H // HV] * K ** -0.5
            one = pool[slot, head] * decay[token, head]
            one = one + torch.outer(beta[token, head] * (v[token, head] - one @ key), key)
            pool[slot, head], result[token, head] = one, one @ query
    return result, pool


def test_step(step):
    result, pool = reference(**step)
    found = ops.fused_sigmoid_gating_delta_rule_update(**step)
    torch.testing.assert_close(found.double(), result, rtol=2 ** -8, atol=1e-6)
    torch.testing.assert_close(step["state"].double(), pool, rtol=1e-5, atol=1e-6)
    assert not found[2].any() and not found[4].any()  # slots that aren't valid


def test_step_is_its_parts(step):
    """Gating and the rule, each a kernel of its own, have the same bits."""
    parts = {name: one.clone() for name, one in step.items()}
    whole = ops.fused_sigmoid_gating_delta_rule_update(**step)
    decay, beta = ops.gdn_gating(*(parts[name] for name in ("A_log", "a", "b", "dt_bias")))
    q, k = (ops.l2_norm(parts[name], dtype="float32") for name in "qk")
    found = ops.gated_delta_rule(q, k, parts["v"], decay, beta, parts["state"],
                                 parts["slots"])
    assert_bits(found, whole)
    assert_bits(parts["state"], step["state"])


def test_pool_with_gaps(step):
    """vLLM packs other state beside; a slot's stride is any."""
    expected = {name: one.clone() for name, one in step.items()}
    packed = torch.zeros(7, HV * V * K + 24)
    pool = packed[:, :HV * V * K].view(7, HV, V, K)
    pool.copy_(step["state"])
    found = ops.fused_sigmoid_gating_delta_rule_update(**{**step, "state": pool})
    assert_bits(found, ops.fused_sigmoid_gating_delta_rule_update(**expected))
    assert_bits(pool.contiguous(), expected["state"])
    assert not packed[:, HV * V * K:].any()


def test_sequences_by_bounds(step, randn):
    """Tokens of one sequence, in order: as many steps, one behind the other."""
    single = {name: one.clone() for name, one in step.items()}
    slot = torch.tensor([2], dtype=torch.int32)
    whole = ops.fused_sigmoid_gating_delta_rule_update(
        **{**step, "slots": slot}, bounds=torch.tensor([0, 5], dtype=torch.int32))
    for token in range(5):
        one = {name: value[token:token + 1] if name in ("a", "b", "q", "k", "v") else value
               for name, value in single.items()}
        found = ops.fused_sigmoid_gating_delta_rule_update(**{**one, "slots": slot})
        assert_bits(found, whole[token:token + 1])
    assert_bits(single["state"], step["state"])


def test_other_batches_compile_nothing(step):
    ops.fused_sigmoid_gating_delta_rule_update(**step)
    before = mortar.compilations()
    part = {name: value[:2] if name in ("a", "b", "q", "k", "v", "slots") else value
            for name, value in step.items()}
    ops.fused_sigmoid_gating_delta_rule_update(**{**part, "state": step["state"][:5]})
    assert mortar.compilations() == before


def test_fused_with_its_norm(step, randn):
    @mortar.fuse
    def decode(q, k, v, a, b, A_log, dt_bias, state, slots, gate, weight):
        found = ops.fused_sigmoid_gating_delta_rule_update(A_log, a, dt_bias, q, k, v, b,
                                                           state, slots)
        return ops.gated_rms_norm(found, gate, weight)

    gate, weight = randn(5, HV, V), randn(V)
    parts = {name: one.clone() for name, one in step.items()}
    found = decode(**step, gate=gate, weight=weight)
    rule = ops.fused_sigmoid_gating_delta_rule_update(**parts)
    assert_bits(found, ops.gated_rms_norm(rule, gate, weight))
    assert_bits(step["state"], parts["state"])
    assert decode.explain(**step, gate=gate, weight=weight).count("one kernel of") == 1


@pytest.mark.parametrize("change, message", [
    (dict(state=torch.zeros(7, HV, K, V)),
     r"state: expected the shape \(slots, 4, 8, 16\).*found \(7, 4, 16, 8\)"),
    (dict(slots=torch.zeros(5)), "slots: expected an element type of int32, found float32"),
    (dict(k=torch.zeros(5, H, K + 1, dtype=torch.bfloat16)), "k: expected the shape"),
    (dict(A_log=torch.zeros(HV + 1)), r"A_log: expected the shape \(4,\), found \(5,\)"),
    (dict(scale=-1.0), "scale: expected a finite number above 0"),
])
def test_refuses(step, change, message):
    with pytest.raises(mortar.TraceError, match=message):
        ops.fused_sigmoid_gating_delta_rule_update(**{**step, **change})
