"""torch.compile(backend="mortar") as a backend: rows and floats that change, training,
options and caches."""

import os
import subprocess
import sys

import pytest
import torch

import mortar
from conftest import assert_bits
from dynamo_functions import Block, rms_norm, run, with_graphs
from mortar import ops

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("fresh_compiler")]


def test_is_listed():
    assert "mortar" in torch._dynamo.list_backends()
    assert "mortar" in torch._dynamo.list_backends(exclude_tags=("debug", "experimental"))


def test_rows_of_batches_have_the_same_bits():
    block = Block(96, 80).bfloat16()
    norm = torch.compile(lambda x, w: rms_norm(x + 1, w), backend="mortar", dynamic=True)
    x = torch.randn(300, 96).bfloat16()
    before = mortar.compilations()
    whole = norm(x, block.weight)
    assert mortar.compilations() == before + 1
    for rows in (1, 2, 3, 17, 255, 256, 257):
        for begin in (0, 300 - rows):
            assert_bits(norm(x[begin:begin + rows], block.weight),
                        whole[begin:begin + rows].clone())


@pytest.mark.parametrize("dynamic, width", [(True, 72), (None, 76)])
def test_other_rows_compile_nothing(dynamic, width):
    block = Block(width, width - 32)
    compiled = torch.compile(block, backend="mortar", dynamic=dynamic)
    before = mortar.compilations()
    compiled(torch.randn(2, 5, width))
    assert mortar.compilations() == before + 3
    for shape in ((3, 5), (4, 9), (1, 1), (7, 2)):
        x = torch.randn(*shape, width)
        torch.testing.assert_close(compiled(x), block(x), rtol=1e-5, atol=1e-5)
    assert mortar.compilations() == before + 3


def test_dynamic_rows_have_one_graph():
    block, graphs = Block(72, 40), torch._dynamo.utils.counters["stats"]
    compiled = torch.compile(block, backend="mortar", dynamic=True)
    compiled(torch.randn(2, 5, 72))
    before = graphs["unique_graphs"]
    for shape in ((3, 5, 72), (4, 9, 72), (7, 2, 72)):
        compiled(torch.randn(shape))
    assert graphs["unique_graphs"] == before


def test_no_rows():
    compiled = torch.compile(Block(), backend="mortar", dynamic=True)
    compiled(torch.randn(4, 64))
    assert compiled(torch.randn(0, 64))[0].shape == (0, 64)


class Norm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.epsilon = torch.nn.Parameter(torch.rand(64) + 0.5), 1e-6

    def forward(self, x):
        return rms_norm(x, self.weight, self.epsilon)


@pytest.mark.parametrize("dynamic", [True, None])
def test_a_modules_float_is_a_constant(dynamic):
    """As its ints are to Dynamo: guarded, and one more graph for another value."""
    norm, x = Norm(), torch.randn(4, 64) * 1e-3
    compiled, graphs = with_graphs(norm, dynamic)
    for epsilon, most in ((1e-6, 2), (1e-3, 3)):
        norm.epsilon = epsilon
        for some in (x, x[:3], x[1:]):
            assert_bits(compiled(some), ops.rms_norm(some, norm.weight, epsilon))
        assert len(graphs) <= most
    assert all(len(graph.chains) == 1 for graph in graphs)


@torch._dynamo.config.patch(fail_on_recompile_limit_hit=True)
@pytest.mark.parametrize("dynamic", [True, None])
def test_a_float_that_keeps_changing_is_none(dynamic):
    """Inductor has it as an argument of its kernel, before Dynamo gives up on the frame."""
    norm, x = Norm(), torch.randn(4, 64) * 1e-3
    compiled, graphs = with_graphs(norm, dynamic)
    for step in range(2 * torch._dynamo.config.recompile_limit):
        norm.epsilon = 1e-6 * (step + 1)
        torch.testing.assert_close(compiled(x), norm(x))
    assert [len(graph.chains) for graph in graphs] == [1, 1, 1, 1, 0]


def test_a_float_that_is_given_is_none():
    def tempered(x, temperature):
        return (x @ x.mT) * temperature

    x = torch.randn(4, 64)
    compiled, graphs = with_graphs(tempered, True)
    for temperature in (0.5, 0.7, 1.5):
        torch.testing.assert_close(compiled(x, temperature), tempered(x, temperature))
    assert len(graphs) == 1


@pytest.mark.skipif(
    not hasattr(torch._inductor.custom_graph_pass, "CustomInferenceAwareGraphPass"),
    reason="this PyTorch doesn't say whether a graph is one of inference")
def test_training_is_inductors():
    with torch.enable_grad():
        explained = mortar.explain(Block(), torch.randn(5, 64))
    assert not explained.chains
    assert "training" in str(explained)


def test_gradients():
    """In whichever of the two a PyTorch has the graphs of training."""
    with torch.enable_grad():
        block, x = Block(), torch.randn(5, 64)
        torch.compile(block, backend="mortar")(x)[0].square().sum().backward()
        found = [one.grad.clone() for one in block.parameters()]
        block.zero_grad()
        block(x)[0].square().sum().backward()
    for mine, eager in zip(found, block.parameters(), strict=True):
        torch.testing.assert_close(mine, eager.grad, rtol=1e-4, atol=1e-4)


def test_mode_and_options_are_inductors():
    seen = []

    class Note(torch._inductor.custom_graph_pass.CustomGraphPass):
        def __call__(self, graph):
            seen.append(torch._inductor.config.epilogue_fusion)

        def uuid(self):
            return "note"

    x, weight = torch.randn(5, 64), torch.rand(64)
    options = {"epilogue_fusion": False, "post_grad_custom_pre_pass": Note()}
    torch.compile(rms_norm, backend="mortar", options=options)(x, weight)
    assert seen == [False]
    with pytest.raises(Exception, match="Unexpected optimization option"):
        torch.compiler.reset()
        torch.compile(rms_norm, backend="mortar", options={"nonsense": 1})(x, weight)
    torch.compiler.reset()
    torch.compile(rms_norm, backend="mortar", mode="reduce-overhead")(x, weight)
    torch.compiler.reset()


PROCESS = """
import torch, mortar.torch, mortar
from torch._dynamo.utils import counters
def norm(x, w):
    return w * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))
torch.manual_seed(0)
x, w = torch.randn(5, 64), torch.rand(64)
with torch.no_grad():
    y = torch.compile(norm, backend="mortar")(x, w)
assert mortar.compilations() == 1
assert torch.allclose(y, norm(x, w))
print(counters["inductor"]["fxgraph_cache_hit"])
"""


def test_inductors_cache_keeps_chains(tmp_path):
    """The second process finds the graph, and needs no pass to have the chain compiled."""
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path),
                   "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "0"}
    hits = [subprocess.run([sys.executable, "-W", "ignore", "-c", PROCESS], check=True,
                           env=environment, capture_output=True, text=True).stdout.strip()
            for _ in range(2)]
    assert hits == ["0", "1"]
