"""torch.compile(backend="mortar"): which chains are taken, what they compute, and what is
left alone. Graphs run on the CPU, where Inductor makes C++ of the rest."""

import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

import mortar
import mortar.torch
from conftest import assert_bits
from mortar import ops

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    torch.compiler.reset()
    torch.manual_seed(11)
    monkeypatch.setattr(torch._inductor.config, "force_disable_caches", True)
    with torch.no_grad():
        yield


def run(function, *arguments, **options):
    """What the compiled function gives, and its explanation."""
    explained = mortar.explain(function, *arguments)
    torch.compiler.reset()
    return torch.compile(function, backend="mortar", **options)(*arguments), explained


def names(explained):
    return [chain.name for chain in explained.chains]


def why(explained, op):
    return {refusal.reason for refusal in explained.refusals if op in refusal.op}


def rms_norm(x, weight, epsilon=1e-6):
    wide = x.float()
    normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)
    return weight * normed.to(x.dtype)


class Block(torch.nn.Module):
    def __init__(self, width=64, inner=96):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.rand(width) + 0.5)
        self.gate = torch.nn.Linear(width, inner, bias=False)
        self.up = torch.nn.Linear(width, inner, bias=False)
        self.down = torch.nn.Linear(inner, width, bias=False)

    def forward(self, x):
        normed = rms_norm(x, self.weight)
        x = x + self.down(F.silu(self.gate(normed)) * self.up(normed))
        return rms_norm(x, self.weight), x


def test_is_listed():
    assert "mortar" in torch._dynamo.list_backends()
    assert "mortar" in torch._dynamo.list_backends(exclude_tags=("debug", "experimental"))


@pytest.mark.parametrize("dtype, within", [
    # Sums of another order and another exp: an ulp of 1, of what the matmuls then spread.
    (torch.float32, 4e-6), (torch.bfloat16, 2 ** -6)])
def test_block(dtype, within):
    block, x = Block().to(dtype), torch.randn(2, 5, 64).to(dtype)
    found, explained = run(block, x)
    assert names(explained) == ["pow_mean_add_rsqrt_mul", "neg_exp_add_div_mul",
                                "add_pow_mean_rsqrt_mul"]
    assert all(len(chain.kernels) == 1 for chain in explained.chains)
    # The residual stream is stored beside the norm of it.
    assert [len(chain.outputs) for chain in explained.chains] == [1, 1, 2]
    for mine, eager in zip(found, block(x)):
        assert mine.dtype == dtype and mine.stride() == eager.stride()
        assert (mine - eager).abs().max() <= within


def test_norm_is_that_of_mortar_ops():
    """The same IEEE operations in the same order and the same tree: the same bits."""
    x, weight = torch.randn(37, 5125).bfloat16(), torch.rand(5125).bfloat16()
    found, explained = run(rms_norm, x, weight)
    assert len(explained.chains) == 1
    assert_bits(found, ops.rms_norm(x, weight, 1e-6, inner=torch.bfloat16))


def test_mixed_types_are_one_kernel():
    """Gemma's f32 weight on a bf16 stream."""
    def norm(x, y, weight):
        return rms_norm((x + y).float(), weight).bfloat16()

    x, y, weight = torch.randn(9, 64).bfloat16(), torch.randn(9, 64).bfloat16(), torch.rand(64)
    found, explained = run(norm, x, y, weight)
    chain, = explained.chains
    assert len(chain.kernels) == 1
    assert_bits(found, ops.rms_norm((x + y).float(), weight, 1e-6).bfloat16())


def ulps(found, exact):
    """Of f32, against float64."""
    near = exact.abs().float().clamp_min(torch.finfo(torch.float32).tiny)
    step = torch.nextafter(near, torch.tensor(float("inf"))) - near
    return ((found.double() - exact).abs() / step.double()).max().item()


@pytest.mark.parametrize("function, most", [
    # As the pinned sequences are bounded over all f32; log1p likewise.
    (torch.exp, 1.01), (torch.sigmoid, 1.6), (torch.tanh, 1.6), (torch.erf, 1.6),
    (torch.log1p, 1.6)])
def test_elementary_functions(function, most):
    x = torch.cat([torch.randn(4000) * 8, torch.randn(4096 - 4000) * 1e-3])
    x = (x.abs() if function is torch.log1p else x).view(16, 256)
    found, explained = run(lambda x: function(x.neg() if function is not torch.log1p
                                              else x * 1.0), x)
    chain, = explained.chains
    assert len(chain.nodes) == 2 or function is torch.log1p
    exact = function(x.double().neg() if function is not torch.log1p else x.double())
    assert ulps(found, exact) <= most


def test_sequences_are_the_compilers():
    """Those that an op of Mortar's has as it is, bit for bit."""
    x = torch.cat([torch.randn(300) * 30, torch.tensor([float("inf"), -float("inf"),
                   float("nan"), 0.0, -0.0, 1e-40, 88.7, -87.4, -103.9])])
    x = F.pad(x, (0, 320 - len(x))).view(5, 64)
    zeros, ones = torch.zeros(64), torch.ones(64)
    g, beta = ops.gdn_gating(x, x, zeros, zeros) if hasattr(ops, "gdn_gating") else (None,) * 2
    found, explained = run(lambda x: torch.sigmoid(x * 1.0), x)
    assert len(explained.chains) == 1
    assert_bits(found, beta.view_as(found))
    # −exp(A)·softplus(32) is −32·exp(A), exactly.
    for row in x:
        row = row.clamp_max(80)
        g, _ = ops.gdn_gating(ones.expand(1, 64).contiguous() * 32, ones.view(1, 64), row, zeros)
        torch.compiler.reset()
        found = torch.compile(lambda x: torch.exp(x * 1.0), backend="mortar")(row.view(1, 64))
        assert_bits(found * -32, g.view_as(found))
