"""mortar.ops as custom ops: schemas, fake kernels, torch.compile, autograd."""

import subprocess
import sys

import pytest
import torch

import mortar
import mortar.torch
from conftest import assert_bits
from mortar import ops


@pytest.fixture(autouse=True)
def fresh():
    torch.compiler.reset()


def compiled(function, **options):
    """With the backend that runs graphs as they are; and the graphs."""
    graphs = []

    def keep(graph, _):
        graphs.append(graph)
        return graph

    return torch.compile(function, backend=keep, **options), graphs


def calls(graph):
    return [str(node.target) for node in graph.graph.nodes if node.op == "call_function"]


def test_every_op_has_one():
    for name in ops.__all__:
        assert hasattr(torch.ops.mortar, name)


@pytest.mark.parametrize("name, arguments", [
    ("rms_norm", lambda r: (r(5, 256), r(256))),
    ("fused_add_rms_norm", lambda r: (r(5, 256), r(5, 256), r(256))),
    ("gated_rms_norm", lambda r: (r(5, 256), r(5, 256), r(256))),
    ("silu_and_mul", lambda r: (r(5, 256),)),
    ("quantize_fp8_per_group", lambda r: (r(5, 256), 64)),
    ("quantize_int8_per_token", lambda r: (r(5, 256),)),
    ("gated_delta_rule", lambda r: (
        r(3, 2, 16), r(3, 2, 16), r(3, 4, 8), -r(3, 4).abs(), r(3, 4),
        r(5, 4, 8, 16, dtype=torch.float32), torch.tensor([1, 4, 2], dtype=torch.int32))),
])
def test_registration(randn, name, arguments):
    """PyTorch's own checks: the schema says what is written, fake kernels agree."""
    torch.library.opcheck(getattr(torch.ops.mortar, name).default, arguments(randn))


def test_traces_whole(randn):
    def layer(x, residual, weight):
        normed, total = ops.fused_add_rms_norm(x * 2, residual.clone(), weight)
        return ops.silu_and_mul(normed, inner=torch.bfloat16), total

    x, r, w = randn(5, 256), randn(5, 256), randn(256)
    traced, graphs = compiled(layer, fullgraph=True)
    for found, expected in zip(traced(x, r, w), layer(x, r, w)):
        assert_bits(found, expected)
    graph, = graphs
    assert [one for one in calls(graph) if one.startswith("mortar.")] == [
        "mortar.fused_add_rms_norm.default", "mortar.silu_and_mul.default"]


def test_inductor_with_free_rows(randn):
    def layer(x, weight):
        return ops.rms_norm(x * 2, weight, 1e-5) + 1

    w = randn(256)
    torch._dynamo.utils.counters.clear()
    traced = torch.compile(layer, fullgraph=True, dynamic=True)
    before = None
    for rows in (5, 3, 17):
        x = randn(rows, 256)
        assert_bits(traced(x, w), layer(x, w))
        before = before or mortar.compilations()
    assert mortar.compilations() == before
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def test_in_place_under_inductor(randn):
    x, r, w = randn(5, 256), randn(5, 256), randn(256)
    expected = x.clone(), r.clone()
    ops.fused_add_rms_norm(*expected, w)

    @torch.compile(fullgraph=True)
    def layer(x, r, w):
        normed, _ = ops.fused_add_rms_norm(x, r, w)
        return normed + 0

    assert_bits(layer(x, r, w), expected[0])
    assert_bits(x, expected[0])
    assert_bits(r, expected[1])


def test_out_while_tracing(randn):
    def layer(x, out):
        ops.silu_and_mul(x, out=out)
        return out * 1

    x, out = randn(5, 256), randn(5, 128)
    traced, _ = compiled(layer, fullgraph=True)
    assert_bits(traced(x, out), ops.silu_and_mul(x))
    assert_bits(out, ops.silu_and_mul(x))


def test_fused_function_between_graphs(randn):
    @mortar.fuse
    def norm(x, weight):
        return ops.silu_and_mul(ops.rms_norm(x, weight).to("float32"))

    x, w = randn(5, 256), randn(256)
    traced, graphs = compiled(lambda x, w: norm(x * 2, w) + 1)
    assert_bits(traced(x, w), norm(x * 2, w) + 1)
    assert len(graphs) == 2


def test_fake_refuses_as_the_op_does(randn):
    with torch._subclasses.FakeTensorMode():
        with pytest.raises(mortar.TraceError, match="weight: expected the shape"):
            torch.ops.mortar.rms_norm(torch.empty(5, 256), torch.empty(7))
        with pytest.raises(mortar.LaunchError, match="argument 'weight': .* requires_grad"):
            torch.ops.mortar.rms_norm(torch.empty(5, 256),
                                      torch.empty(256, requires_grad=True))


@pytest.mark.parametrize("call", [
    lambda x, w: ops.rms_norm(x, w), lambda x, w: torch.ops.mortar.rms_norm(x, w),
    torch.compile(lambda x, w: ops.rms_norm(x, w), backend="eager")])
def test_autograd_is_refused(randn, call):
    x, w = randn(5, 256), torch.nn.Parameter(randn(256))
    with pytest.raises(Exception, match="argument 'weight': expected a tensor without "
                                        "requires_grad"):
        call(x, w)
    with torch.no_grad():
        assert_bits(call(x, w), ops.rms_norm(x, w.detach()))


def test_export(randn):
    class Norm(torch.nn.Module):
        def forward(self, x, weight):
            return ops.rms_norm(x, weight)

    x, w = randn(5, 256), randn(256)
    exported = torch.export.export(Norm(), (x, w),
                                   dynamic_shapes={"x": {0: torch.export.Dim("rows")},
                                                   "weight": None})
    assert_bits(exported.module()(x[:2], w), ops.rms_norm(x[:2], w))


def test_a_graph_is_compiled_once():
    """Also where mortar was imported before PyTorch, and has had no tensor of its yet."""
    subprocess.run([sys.executable, "-c", """
import mortar, torch
compiled = []
def backend(graph, _):
    compiled.append(graph)
    return graph
function = torch.compile(lambda x, w: mortar.ops.rms_norm(x, w) + 1, backend=backend)
with torch.no_grad():
    for _ in range(3):
        function(torch.ones(2, 8), torch.ones(8))
        mortar.ops.rms_norm(torch.ones(2, 8).half(), torch.ones(8).half())  # another call
assert len(compiled) == 1, len(compiled)
"""], check=True, timeout=120)
