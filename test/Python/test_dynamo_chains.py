"""torch.compile(backend="mortar"): which chains are taken, what they compute, and what is
left alone. Graphs run on the CPU, where Inductor makes C++ of the rest."""

import pytest
import torch
import torch.nn.functional as F

from conftest import assert_bits
from dynamo_functions import Block, names, rms_norm, run, why, with_graphs
from mortar import ops

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("fresh_compiler")]


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
    # The bounds of test/Numerics/pinned-math-twins.c, held there over all f32.
    (torch.exp, 0.9), (torch.sigmoid, 2.05), (torch.tanh, 2.5), (torch.erf, 1.65),
    (torch.log1p, 1.3)])
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
    odd = torch.tensor([float("inf"), -float("inf"), float("nan"), 0.0, -0.0, 1e-40, 88.7,
                        -87.4, -103.9])
    x = torch.cat([torch.randn(4096 - len(odd)) * 30, odd])
    zeros = torch.zeros(4096)
    # −exp(x)·softplus(32) is −32·exp(x), exactly: below 2^123 at least.
    x_exp = x.clamp_max(80)
    g, beta = ops.gdn_gating(x_exp, torch.full((1, 4096), 32.0), x.view(1, -1), zeros)
    found, explained = run(lambda x, y: (torch.sigmoid(x * 1.0), torch.exp(y * 1.0)),
                           x.view(1, -1), x_exp.view(1, -1))
    assert len(explained.chains) == 2
    assert_bits(found[0], beta)
    assert_bits(found[1] * -32, g)


@pytest.mark.parametrize("function", [
    lambda x, w: F.layer_norm(x, (64,), w, w, 1e-5),
    lambda x, w: F.softmax(x, -1) * w,
    lambda x, w: F.gelu(x) * w,
    lambda x, w: F.gelu(x, approximate="tanh") * w,
    lambda x, w: F.softplus(x) * w,
    lambda x, w: (x / x.abs().amax(-1, keepdim=True)).clamp(-0.5, 0.25),
    lambda x, w: x * torch.rsqrt((x * x).sum(-1, keepdim=True) + 1e-6),
    lambda x, w: torch.where(x > 0, x, x.exp() - 1) * w,
    lambda x, w: (x.sub(w, alpha=0.5) / (x.abs() + 1)).pow(3).neg(),
    lambda x, w: torch.maximum(x, w).sqrt().reciprocal() + F.relu(x),
    # A head's weight in a token's row, and norms of heads in it.
    lambda x, w: (rms_norm(x.unflatten(-1, (4, 16)), w[:16].clone()).flatten(-2) * w),
], ids=["layer_norm", "softmax", "gelu", "gelu_tanh", "softplus", "amax", "l2_norm", "elu",
        "alpha", "maximum", "heads"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_ops(function, dtype):
    x, weight = torch.randn(3, 7, 64).to(dtype), (torch.rand(64) + 0.5).to(dtype)
    found, explained = run(function, x, weight)
    chain, = explained.chains
    assert len(chain.kernels) == 1 and len(chain.outputs) == 1
    # In float64, as far as the op says so; rounded where eager rounds, half an ulp of the
    # type each, of which there are a few in a chain.
    exact, eager = function(x.double(), weight.double()), function(x, weight)
    assert found.dtype == eager.dtype and found.stride() == eager.stride()
    step = torch.finfo(dtype).eps * exact.abs().amax(-1, keepdim=True)
    assert ((found.double() - exact).abs() <= 3 * step).all()


def test_a_norm_that_only_inductor_reads():
    """Rotated, in parts that Mortar has no op for: Inductor has both in one kernel. With a
    matmul for a reader, too, the norm's result is stored anyway."""
    def rotated(x, weight):
        y = rms_norm(x, weight)
        return torch.cat([-y[..., 32:], y[..., :32]], -1)

    x, weight = torch.randn(5, 64), torch.rand(64)
    found, explained = run(rotated, x, weight)
    assert not explained.chains
    assert any("whose kernel takes the chain in" in one.reason for one in explained.refusals)
    torch.testing.assert_close(found, rotated(x, weight))

    def multiplied(x, weight):
        y = rms_norm(x, weight)
        return torch.cat([-y[..., 32:], y[..., :32]], -1), y @ y.mT

    assert len(run(multiplied, x, weight)[1].chains) == 1


def test_permuted_rows():
    """Gemma 3 normalizes heads after it has brought them before the tokens."""
    def heads(x, weight):
        return rms_norm(x.view(2, 5, 4, 16).transpose(1, 2), weight)

    x, weight = torch.randn(2, 5, 64), torch.rand(16)
    found, explained = run(heads, x, weight)
    assert len(explained.chains) == 1
    eager = heads(x, weight)
    assert found.stride() == eager.stride()
    assert_bits(found.contiguous(), ops.rms_norm(
        x.view(2, 5, 4, 16).transpose(1, 2).contiguous(), weight, 1e-6))


def test_strided_rows_are_not_copied():
    """Halves of a projection's rows."""
    def gate(x):
        first, second = x.chunk(2, -1)
        return F.silu(first) * second

    x = torch.randn(5, 128).bfloat16()
    found, explained = run(gate, x)
    chain, = explained.chains
    assert len(chain.inputs) == 2
    assert "?x128" not in chain.module
    assert (found - gate(x)).abs().max() <= 2 ** -6


@pytest.mark.parametrize("dynamic", [True, False])
def test_heads_in_a_projection(dynamic):
    """Evenly spaced in a token, and from token to token, but not from its last to the next's
    first."""
    def heads(qkv, weight):
        return rms_norm(qkv[..., :64].unflatten(-1, (4, 16)), weight)

    compiled, graphs = with_graphs(heads, dynamic)
    weight = torch.rand(16)
    for tokens in (5, 1, 9):
        qkv = torch.randn(2, tokens, 192)
        assert_bits(compiled(qkv, weight), ops.rms_norm(
            qkv[..., :64].unflatten(-1, (4, 16)), weight, 1e-6))
    assert all(len(graph.chains) == 1 for graph in graphs)
    assert len({graph.chains[0].module for graph in graphs}) == 1


@pytest.mark.parametrize("dynamic, batch, chains", [
    (False, 1, 1), (False, 2, 0), (True, 2, 0)])
def test_rows_in_two_orders(dynamic, batch, chains):
    """Two strides for an operand's rows, the inner one's extent static; no more."""
    def add(x, y, weight):
        return rms_norm(y + x.unflatten(-1, (4, 16)).transpose(1, 2), weight)

    compiled, graphs = with_graphs(add, dynamic)
    x, y, weight = torch.randn(batch, 5, 64), torch.randn(batch, 4, 5, 16), torch.rand(16)
    torch.testing.assert_close(compiled(x, y, weight), add(x, y, weight))
    assert [len(graph.chains) for graph in graphs] == [chains]
    if not chains:
        assert any("evenly spaced" in one.reason for one in graphs[0].refusals)


# What is left alone, and why.

def test_no_chain():
    x, y = torch.randn(8, 8), torch.randn(8, 8)
    found, explained = run(torch.mm, x, y)
    assert not explained.chains
    torch.testing.assert_close(found, x @ y)
    assert "0 chains" in str(explained) and "aten.mm.default" in str(explained)


SCALE = torch.tensor(1.1)


@pytest.mark.parametrize("function, op, reason", [
    (lambda x: torch.cumsum(x, -1), "cumsum", "expected an op of rows that Mortar knows"),
    (lambda x: (x.int() + 1) * 2, "add", "expected f32, f16, bf16, found torch.int32"),
    (lambda x: (x.double() + 1) * 2, "mul", "found torch.float64"),
    (lambda x: x.pow(2.5) * 2, "pow", "expected an exponent of"),
    (lambda x: x.sum(0, keepdim=True) * 2, "sum", "over the last dimensions"),
    (lambda x: x * 2, "mul", "expected at least 2 ops, found 1"),
    (lambda x: torch.mm(x, x).t() * x + x, "mul", "side by side"),
    # Of a table that heads share no row is all of it (rotary embeddings).
    (lambda x: (x.view(2, 2, 2, 8) * x[:2].view(2, 1, 1, 8).transpose(0, 1)) * 2, "mul",
     "expected"),
    (lambda x: torch.mm(x, x)[:, ::2] * x[:, :4] + 1, "mul", "side by side"),
    (lambda x: x.bfloat16() * SCALE * 2, "mul", "no wider than bf16"),
], ids=["unknown", "integers", "double", "exponent", "columns", "one_op", "strides", "table",
        "every_other", "wide_scalar"])
def test_left_alone(function, op, reason):
    x = torch.randn(8, 8)
    found, explained = run(function, x)
    torch.testing.assert_close(found, function(x), equal_nan=True)
    assert any(reason in one for one in why(explained, op)), explained
    assert not any(op in name for chain in explained.chains for name in chain.nodes)


def test_a_table_for_all_heads():
    """[1, 1, S, D] beside [B, H, S, D], made in the chain's own reach: never a row of it."""
    def rotate(x, angles):
        table = (angles * 1.5).exp()
        return x * table + x * (table + 1)

    x, angles = torch.randn(2, 4, 8, 16), torch.randn(1, 1, 8, 16)
    found, _ = run(rotate, x, angles)
    torch.testing.assert_close(found, rotate(x, angles))


def test_no_way_out_and_back():
    """x + f(norm(x)): the add can't be the norm's kernel, as a matmul stands between."""
    def layer(x, weight, matrix):
        normed = rms_norm(x, weight)
        return normed + normed @ matrix * 2

    x, weight, matrix = torch.randn(5, 64), torch.rand(64), torch.randn(64, 64)
    found, explained = run(layer, x, weight, matrix)
    assert len(explained.chains) == 2
    torch.testing.assert_close(found, layer(x, weight, matrix), rtol=1e-5, atol=1e-4)


def test_what_inductor_has_in_one_kernel():
    """A gather's reader, though all of it are ops of rows."""
    def picked(x, index):
        return F.softmax(x.gather(1, index), -1)

    x, index = torch.randn(8, 64), torch.randint(0, 64, (8, 32))
    found, explained = run(picked, x, index)
    assert not explained.chains
    assert any("found gather" in one for one in why(explained, "amax"))
    torch.testing.assert_close(found, picked(x, index))
