"""torch.compile(backend="mortar") on PyTorch's own norms and activations, whose
decompositions are PyTorch's, and on each overload of an op that they or others have."""

import copy

import pytest
import torch
import torch.nn.functional as F

from conftest import assert_bits
from dynamo_functions import rms_norm, run, with_graphs
from mortar import ops

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("fresh_compiler")]
DTYPES = [torch.float32, torch.bfloat16]
aten = torch.ops.aten


def assert_one_kernel(function, *arguments, outputs=1):
    """One chain and one kernel of all that computes. Each value within some roundings to the
    arguments' type of what float64 has, half an ulp each."""
    found, explained = run(function, *arguments)
    chain, = explained.chains
    assert not explained.refusals, explained
    assert len(chain.kernels) == 1 and len(chain.outputs) == outputs, explained
    eager = function(*arguments)
    if isinstance(function, torch.nn.Module):
        function = copy.deepcopy(function).double()
    exact = function(*(one.double() for one in arguments))
    for mine, wanted, exactly in zip(*([one] if isinstance(one, torch.Tensor) else one
                                       for one in (found, eager, exact)), strict=True):
        assert mine.dtype == wanted.dtype and mine.stride() == wanted.stride()
        step = torch.finfo(arguments[0].dtype).eps * exactly.abs().amax(-1, keepdim=True)
        assert ((mine.double() - exactly).abs() <= 3 * step).all()


def learned(module):
    for one in module.parameters():
        torch.nn.init.uniform_(one, 0.5, 1.5)
    return module


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("module", [
    lambda: torch.nn.RMSNorm(64), lambda: torch.nn.RMSNorm(64, 1e-5),
    lambda: torch.nn.RMSNorm(64, elementwise_affine=False), lambda: torch.nn.RMSNorm((4, 16)),
    lambda: torch.nn.LayerNorm(64), lambda: torch.nn.LayerNorm(64, bias=False),
    lambda: torch.nn.LayerNorm(64, elementwise_affine=False)],
    ids=["rms", "rms_epsilon", "rms_bare", "rms_of_heads", "layer", "layer_no_bias",
         "layer_bare"])
def test_norms(module, dtype):
    norm = learned(module()).to(dtype)
    x = torch.randn(3, 7, *norm.normalized_shape).to(dtype)
    assert_one_kernel(norm, x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rms_norm_is_that_of_mortar_ops(dtype):
    """PyTorch's multiplies by the weight before it rounds."""
    x, weight = torch.randn(37, 1025).to(dtype), (torch.rand(1025) + 0.5).to(dtype)
    found, explained = run(lambda x, w: F.rms_norm(x, (1025,), w, 1e-6), x, weight)
    assert len(explained.chains) == 1
    assert_bits(found, ops.rms_norm(x, weight, 1e-6))


@pytest.mark.parametrize("dynamic", [True, None])
@pytest.mark.parametrize("make", [torch.nn.RMSNorm, torch.nn.LayerNorm])
def test_norms_of_other_rows(make, dynamic):
    norm, x = learned(make(64)).bfloat16(), torch.randn(9, 64).bfloat16()
    compiled, graphs = with_graphs(norm, dynamic)
    whole = compiled(x)
    for rows in (1, 4, 5):
        assert_bits(compiled(x[:rows]), whole[:rows])
    assert all(len(graph.chains) == 1 for graph in graphs)


def quantized(y):
    scale = y.abs().amax(-1, keepdim=True).float() / 448
    return (y.float() / scale).clamp(-448, 448), scale


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("norm", [F.rms_norm, F.layer_norm])
@pytest.mark.parametrize("after, outputs", [
    (lambda y: y, 1), (F.silu, 1), (quantized, 2)], ids=["norm", "silu", "quantized"])
def test_norms_among_others(norm, after, outputs, dtype):
    """Of the residual stream, which is stored, and what a matmul is given of it."""
    def layer(x, y, weight):
        total = x + y
        made = after(norm(total, (64,), weight))
        return (total, *made) if isinstance(made, tuple) else (total, made)

    x, y = torch.randn(2, 3, 7, 64).to(dtype)
    assert_one_kernel(layer, x, y, (torch.rand(64) + 0.5).to(dtype), outputs=1 + outputs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [
    F.gelu, lambda x: F.gelu(x, approximate="tanh"), F.silu, torch.sigmoid, torch.tanh,
    F.softplus, lambda x: F.softplus(x, 2.0, 5.0), lambda x: x.clamp(-1, 0.5),
    lambda x: x.clamp_min(-0.3), lambda x: x.clamp_max(0.3), F.relu, F.relu6, F.hardswish,
    F.mish, lambda x: F.leaky_relu(x, 0.1)],
    ids=["gelu", "gelu_tanh", "silu", "sigmoid", "tanh", "softplus", "softplus_of", "clamp",
         "clamp_min", "clamp_max", "relu", "relu6", "hardswish", "mish", "leaky_relu"])
def test_activations(function, dtype):
    """Each in the middle of a chain."""
    x, weight = torch.randn(3, 7, 64).to(dtype), (torch.rand(64) + 0.5).to(dtype)
    assert_one_kernel(lambda x, weight: function(x * weight) * weight, x, weight)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op, exact", [
    (lambda x: aten.add.Scalar(x, 1.1), lambda x: x + 1.1),
    (lambda x: aten.sub.Scalar(x, 1.1), lambda x: x - 1.1),
    (lambda x: aten.mul.Scalar(x, 1.1), lambda x: x * 1.1),
    (lambda x: aten.div.Scalar(x, 1.1), lambda x: x / 1.1),
    (lambda x: aten.rsub.Scalar(x, 1.1), lambda x: 1.1 - x),
    (lambda x: aten.sub.Scalar(x, 1.1, 0.3), lambda x: x - 1.1 * 0.3),
    (lambda x: aten.rsub.Scalar(x, 1.1, 0.5), lambda x: 1.1 - x * 0.5),
], ids=["add", "sub", "mul", "div", "rsub", "sub_alpha", "rsub_alpha"])
def test_overloads_of_numbers(op, exact, dtype):
    """The number is f32, not of the operand's type; the result is rounded once."""
    x = torch.randn(7, 64).to(dtype)
    found, explained = run(lambda x: op(x).abs().neg(), x)
    chain, = explained.chains
    assert len(chain.nodes) == 3 and len(chain.kernels) == 1
    wide = exact(x.float()).abs().neg()
    if dtype is torch.bfloat16:
        assert_bits(found, wide.to(dtype))
    else:
        torch.testing.assert_close(found, wide, rtol=2 ** -22, atol=2 ** -24)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", [aten.clamp_min.Tensor, aten.clamp_max.Tensor,
                                aten.maximum.default, aten.minimum.default])
def test_overloads_of_limits(op, dtype):
    """A NaN of either is the result."""
    x, limits = torch.randn(2, 7, 64).to(dtype)
    x[0, :3] = limits[1, 2:5] = float("nan")
    x[2, :2], limits[3, 1:3] = float("inf"), -float("inf")
    found, explained = run(lambda x, limits: op(x, limits).abs().neg(), x, limits)
    chain, = explained.chains
    assert len(chain.nodes) == 3 and len(chain.kernels) == 1
    eager = op(x, limits).abs().neg()
    assert torch.equal(found.isnan(), eager.isnan())
    assert_bits(found.nan_to_num(), eager.nan_to_num())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32],
                         ids=["bf16", "f16", "f32"])
@pytest.mark.parametrize("compare", [torch.gt, torch.ge, torch.eq, torch.ne])
def test_a_number_is_compared_in_the_tensors_type(compare, dtype):
    """0.1 isn't a number of 16 bits, so a tensor holds, and equals, what it is rounded to."""
    def function(x, weight):
        return rms_norm(x, weight) * torch.where(compare(x, 0.1), 3.0, 2.0)

    x, weight = torch.randn(9, 64).to(dtype), torch.rand(64).to(dtype)
    x[:, ::2] = 0.1
    found, explained = run(function, x, weight)
    assert len(explained.chains) == 1
    eager = torch.where(compare(x, 0.1), 3.0, 2.0)
    norm, _ = run(lambda x, weight: rms_norm(x, weight) * 1.0, x, weight)
    assert_bits(found, norm * eager)
