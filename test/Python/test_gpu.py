"""On a GPU: the bits of the CPU, PyTorch's streams and graphs, other frameworks' arrays."""

import numpy as np
import pytest
import torch

import mortar
from conftest import assert_bits
from mortar import ops

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def on_gpu(value):
    return value.cuda() if isinstance(value, torch.Tensor) else value


def delta_rule(randn):
    h, hv, k, v, tokens = 2, 4, 64, 32, 5
    return dict(A_log=randn(hv, dtype=torch.float32), a=randn(tokens, hv), dt_bias=randn(hv),
                q=randn(tokens, h, k), k=randn(tokens, h, k), v=randn(tokens, hv, v),
                b=randn(tokens, hv), state=randn(9, hv, v, k, dtype=torch.float32),
                slots=torch.tensor([3, 1, 0, 6, 99], dtype=torch.int32))


# What is called, with which arguments, and which of them it updates.
CASES = {
    "rms_norm": lambda r: (ops.rms_norm, dict(x=r(33, 4096), weight=r(4096)), ()),
    "rms_norm_odd": lambda r: (ops.rms_norm, dict(x=r(3, 111), weight=r(111)), ()),
    "fused_add_rms_norm": lambda r: (
        ops.fused_add_rms_norm, dict(x=r(17, 4096), residual=r(17, 4096), weight=r(4096)),
        ("x", "residual")),
    "gemma_rms_norm": lambda r: (
        ops.gemma_rms_norm, dict(x=r(5, 256), weight=r(256, dtype=torch.float32)), ()),
    "gated_rms_norm": lambda r: (
        ops.gated_rms_norm, dict(x=r(64, 128), gate=r(64, 128), weight=r(128)), ()),
    "silu_and_mul": lambda r: (ops.silu_and_mul, dict(x=r(9, 8192) * 8, limit=7.0), ()),
    "delta_rule": lambda r: (ops.fused_sigmoid_gating_delta_rule_update, delta_rule(r),
                             ("state",)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cpus_bits(randn, name):
    function, given, updated = CASES[name](randn)
    there = {key: on_gpu(value) for key, value in given.items()}
    expected, found = function(**given), function(**there)
    if isinstance(expected, torch.Tensor):
        assert found.is_cuda
        assert_bits(found.cpu(), expected)
    for key in updated:
        assert_bits(there[key].cpu(), given[key])


@mortar.fuse
def norm_to_fp8(x, residual, weight, scale):
    total = ops.residual_add(x, residual)
    return ops.quantize_fp8(ops.rms_norm(total, weight), scale), total


@pytest.fixture
def chain(randn):
    return (randn(40, 4096), randn(40, 4096), randn(4096),
            torch.tensor([0.02], dtype=torch.float32))


def test_one_kernel_for_every_number_of_rows(chain):
    x, residual, weight, scale = map(on_gpu, chain)
    norm_to_fp8(x, residual, weight, scale)
    before = mortar.compilations()
    for rows in (1, 3, 39):
        found = norm_to_fp8(x[:rows], residual[:rows], weight, scale)
        expected = norm_to_fp8(*(one[:rows] for one in chain[:2]), *chain[2:])
        for one, other in zip(found, expected):
            assert_bits(one.cpu(), other)
    # The CPU's kernel is another one.
    assert mortar.compilations() <= before + 1


def test_rows_that_are_strided_or_misaligned(chain):
    x, residual, weight, scale = map(on_gpu, chain)
    expected = norm_to_fp8(x, residual, weight, scale)
    room = torch.empty(40 * 4099 + 1, dtype=x.dtype, device="cuda")
    odd = room[1:].view(40, 4099)[:, :4096]
    odd.copy_(x)
    for one, other in zip(norm_to_fp8(odd, residual, weight, scale), expected):
        assert_bits(one.cpu(), other.cpu())


def test_the_current_stream(chain):
    x, residual, weight, scale = map(on_gpu, chain)
    stream = torch.cuda.Stream()
    total = torch.empty_like(x)
    codes = torch.empty_like(x, dtype=torch.float8_e4m3fn)
    with torch.cuda.stream(stream):
        torch.cuda._sleep(20_000_000)
        norm_to_fp8(x, residual, weight, scale, out=(codes, total))
        assert not stream.query()  # it waits behind the sleep, and nobody waited for it
    stream.synchronize()
    assert_bits(total.cpu(), norm_to_fp8(*chain)[1])


def test_a_graph_takes_new_numbers(chain):
    x, residual, weight, scale = map(on_gpu, chain)
    norm_to_fp8(x, residual, weight, scale)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        codes, total = norm_to_fp8(x, residual, weight, scale)
    x.neg_()
    graph.replay()
    expected = norm_to_fp8(-chain[0], *chain[1:])
    assert_bits(codes.cpu(), expected[0])
    assert_bits(total.cpu(), expected[1])


def test_a_kernel_on_demand_while_a_graph_is_captured(randn):
    """The first launch for rows that aren't aligned loads, and compiles, their kernel."""
    x, weight = randn(3, 1536), randn(1536)
    there = x.cuda(), weight.cuda()
    room = torch.empty(x.numel() + 1, dtype=x.dtype, device="cuda")
    odd = room[1:].view(x.shape)
    odd.copy_(there[0])
    ops.rms_norm(*there)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = ops.rms_norm(odd, there[1])
    graph.replay()
    assert_bits(found.cpu(), ops.rms_norm(x, weight))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["f32", "bf16"])
@pytest.mark.parametrize("tokens", [0, 3], ids=["step", "prompt"])
@pytest.mark.parametrize("sequences", [1, 2, 3, 5])
def test_states_few_and_many(randn, sequences, tokens, dtype):
    """Of 32 heads two or four sequences are the most that are few; and a state that isn't
    aligned has a kernel of its own."""
    h, hv, size = 16, 32, 128
    lead = (sequences, tokens) if tokens else (sequences,)
    given = [randn(*lead, h, size), randn(*lead, h, size), randn(*lead, hv, size),
             -randn(*lead, hv, dtype=torch.float32).abs(), randn(*lead, hv)]
    pool = randn(sequences + 1, hv, size, size, dtype=torch.float32).to(dtype)
    slots = torch.arange(1, sequences + 1, dtype=torch.int32)
    there = [one.cuda() for one in given]
    room = torch.empty(pool.numel() + 1, dtype=dtype, device="cuda")
    places = room[:-1].view(pool.shape), room[1:].view(pool.shape)
    expected_pool = pool.clone()
    expected = ops.gated_delta_rule(*given, expected_pool, slots, use_qk_l2norm_in_kernel=True)
    for place in places:
        place.copy_(pool)
        found = ops.gated_delta_rule(*there, place, slots.cuda(), use_qk_l2norm_in_kernel=True)
        assert_bits(found.cpu(), expected)
        assert_bits(place.cpu(), expected_pool)


@pytest.mark.parametrize("odd", ["x", "residual", "weight", "scale"])
def test_arrays_of_two_devices(chain, odd):
    names = ["x", "residual", "weight", "scale"]
    given = [one if name == odd else on_gpu(one) for name, one in zip(names, chain)]
    with pytest.raises(mortar.LaunchError, match="device|cuda|cpu"):
        norm_to_fp8(*given)


def test_torch_compile(chain):
    import mortar.torch  # noqa: F401

    def model(x, residual, weight):
        normed, total = ops.residual_add(x, residual), x
        return ops.rms_norm(normed, weight) @ weight[:, None], total

    given = [on_gpu(one) for one in chain[:3]]
    with torch.no_grad():
        expected = model(*given)
        found = torch.compile(model, fullgraph=True)(*given)
    torch.testing.assert_close(found[0], expected[0])


def test_cupy(randn):
    cupy = pytest.importorskip("cupy")
    x, w = randn(5, 256, dtype=torch.float32), randn(256, dtype=torch.float32)
    found = ops.rms_norm(cupy.asarray(x.numpy()), cupy.asarray(w.numpy()))
    assert isinstance(found, cupy.ndarray)
    np.testing.assert_array_equal(found.get(), ops.rms_norm(x.numpy(), w.numpy()))


def test_jax(randn):
    jax = pytest.importorskip("jax")
    try:
        device = jax.devices("gpu")[0]
    except RuntimeError:
        pytest.skip("JAX has no GPU here")
    x, w = randn(5, 256, dtype=torch.float32), randn(256, dtype=torch.float32)
    found = ops.rms_norm(*(jax.device_put(one.numpy(), device) for one in (x, w)))
    np.testing.assert_array_equal(np.asarray(found), ops.rms_norm(x.numpy(), w.numpy()))
