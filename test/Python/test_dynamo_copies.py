"""torch.compile(backend="mortar") on copies: in a chain they are what they are made of, and
what a function gives or writes to is a tensor of its own all the same."""

import pytest
import torch
import torch.nn.functional as F

from conftest import assert_bits
from dynamo_functions import names, rms_norm, run, why, with_graphs
from mortar import ops

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("fresh_compiler")]


def heads_before_tokens(x, weight):
    return rms_norm(x.view(1, -1, 4, 16).transpose(1, 2).contiguous(), weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_other_layout_before_a_norm(dtype):
    x, weight = torch.randn(1, 5, 64).to(dtype), torch.rand(16).to(dtype)
    found, explained = run(heads_before_tokens, x, weight)
    chain, = explained.chains
    assert "clone" in chain.nodes and "clone" not in chain.name and len(chain.kernels) == 1
    assert found.is_contiguous()
    assert_bits(found, ops.rms_norm(x.view(1, 5, 4, 16).transpose(1, 2).contiguous(), weight,
                                    1e-6, inner=dtype))


@pytest.mark.parametrize("dynamic", [True, None])
def test_other_rows(dynamic):
    """A part of each row, which needs no number of rows."""
    def part(x, weight):
        return rms_norm(x[..., 16:80].contiguous().view(-1, 64) + 1, weight)

    compiled, graphs = with_graphs(part, dynamic)
    x, weight = torch.randn(2, 9, 96), torch.rand(64)
    for tokens in (9, 5, 1):
        some = x[:, :tokens].contiguous()
        assert_bits(compiled(some, weight),
                    ops.rms_norm(some[..., 16:80].reshape(-1, 64) + 1, weight, 1e-6))
    for graph in graphs:
        chain, = graph.chains
        assert "clone" in chain.nodes and "clone" not in chain.outputs


def test_part_of_a_projection():
    """Qwen3-Next's norm of heads, with a gate that stands between others in the matmul."""
    def gated(x, matrix, y, weight):
        gate = (x @ matrix).view(5, 4, 48)[..., 16:32].contiguous().view(-1, 16)
        return rms_norm(y @ y.mT @ y, weight) * F.silu(gate)

    x, y, matrix = torch.randn(5, 64), torch.randn(20, 16), torch.randn(64, 192)
    found, explained = run(gated, x, matrix, y, torch.ones(16))
    chain, = explained.chains
    assert any(node.startswith("clone") for node in chain.nodes) and len(chain.kernels) == 1
    torch.testing.assert_close(found, gated(x, matrix, y, torch.ones(16)))


def test_between_two():
    """Of the same layout it is none of the chain's results."""
    def twice(x, weight):
        return rms_norm(torch.clone(rms_norm(x, weight)) + x, weight)

    x, weight = torch.randn(5, 64), torch.rand(64)
    found, explained = run(twice, x, weight)
    chain, = explained.chains
    assert len(chain.outputs) == len(chain.kernels) == 1
    torch.testing.assert_close(found, twice(x, weight))


def test_another_order_behind_a_chain():
    """The norm's rows lie as its operand's; no kernel gives them in two orders."""
    def heads(x, weight, matrix):
        normed = rms_norm(x.view(1, 5, 4, 16).transpose(1, 2), weight)
        return normed.transpose(1, 2) @ matrix, normed.contiguous() @ matrix

    x, weight, matrix = torch.randn(1, 5, 64), torch.rand(16), torch.randn(16, 16)
    found, explained = run(heads, x, weight, matrix)
    assert names(explained) == ["pow_mean_add_rsqrt_mul"]
    for mine, eager in zip(found, heads(x, weight, matrix)):
        torch.testing.assert_close(mine, eager)


def test_of_scattered_elements():
    """Where no row lies side by side it stays Inductor's."""
    def columns(x, weight):
        return rms_norm((x @ x.mT).t().contiguous(), weight)

    x, weight = torch.randn(16, 16), torch.rand(16)
    found, explained = run(columns, x, weight)
    assert not explained.chains
    assert any("side by side" in one for one in why(explained, "clone"))
    torch.testing.assert_close(found, columns(x, weight))


# A copy stays one.

def assert_apart(*tensors):
    assert len({one.untyped_storage().data_ptr() for one in tensors}) == len(tensors)


def test_results_are_apart():
    def both(x, weight):
        normed = rms_norm(x, weight)
        return normed, normed.clone(), x.clone()

    x, weight = torch.randn(5, 64), torch.rand(64)
    found, explained = run(both, x, weight)
    chain, = explained.chains
    assert len(chain.outputs) == 1
    assert_apart(x, *found)
    for mine, eager in zip(found, both(x, weight)):
        torch.testing.assert_close(mine, eager)


def write(x, weight):
    """To a copy of the operand."""
    copy = x.view(5, 4, 16).transpose(0, 1).contiguous()
    normed = rms_norm(copy, weight)
    copy[1] = 7
    copy.mul_(2)
    return normed, copy, x


def write_result(x, weight):
    normed = rms_norm(x.view(5, 4, 16), weight)
    copy = normed.clone()
    copy[1, 2] = 7
    return normed, copy, x


def write_operand(x, weight):
    copy = x.view(5, 4, 16).transpose(0, 1).contiguous()
    x.add_(1)
    return rms_norm(copy, weight), copy, x


def write_rows_of_operand(x, weight):
    """As a cache is written."""
    copy = x.view(5, 4, 16).transpose(0, 1).contiguous()
    x.index_put_((torch.tensor([1, 3]),), rms_norm(copy, weight).view(-1, 64)[:2])
    return rms_norm(copy + 1, weight), x


@torch.library.custom_op("mortar_test::double_", mutates_args={"x"})
def double(x: torch.Tensor) -> None:
    x.mul_(2)


def write_by_another_op(x, weight):
    copy = x.view(5, 4, 16).transpose(0, 1).contiguous()
    normed = rms_norm(copy, weight)
    other = normed.clone()
    double(copy)
    double(other)
    return normed, copy, other, x


@pytest.mark.parametrize("function", [write, write_result, write_operand, write_rows_of_operand,
                                      write_by_another_op])
def test_written_to(function):
    x, weight = torch.randn(5, 64), torch.rand(16)
    compiled, graphs = with_graphs(function, False)
    mine, eagers = x.clone(), x.clone()
    found, eager = compiled(mine, weight), function(eagers, weight)
    assert sum(len(graph.chains) for graph in graphs) >= 1
    assert_apart(*found)
    for one, other in zip(found, eager, strict=True):
        torch.testing.assert_close(one, other)
        assert one.stride() == other.stride()
    torch.testing.assert_close(mine, eagers)
