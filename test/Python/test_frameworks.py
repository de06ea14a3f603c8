"""Arrays of NumPy and JAX beside PyTorch's, and calls from many threads."""

import concurrent.futures

import numpy as np
import pytest
import torch

import mortar
from conftest import assert_bits, stored
from mortar import ops

jax = pytest.importorskip("jax")
ml_dtypes = pytest.importorskip("ml_dtypes")
NUMPY = {torch.float32: np.float32, torch.float16: np.float16,
         torch.bfloat16: ml_dtypes.bfloat16}


def to_numpy(tensor):
    return stored(tensor).view(NUMPY[tensor.dtype])


def bits(array):
    array = np.asarray(array)
    return array.view(f"u{array.itemsize}")


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("convert", [lambda a: a, jax.numpy.asarray], ids=["numpy", "jax"])
def test_same_bits(randn, convert, dtype):
    x, r, w = randn(5, 256, dtype=dtype), randn(5, 256, dtype=dtype), randn(256, dtype=dtype)
    arrays = [convert(to_numpy(one)) for one in (x, r, w)]
    found = ops.rms_norm(arrays[0], arrays[2])
    assert type(found) is type(arrays[0]) and found.dtype == arrays[0].dtype
    assert (bits(found) == bits(stored(ops.rms_norm(x, w)))).all()
    normed, total = ops.fused_add_rms_norm(*[convert(to_numpy(one).copy())
                                             for one in (x, r, w)])
    expected = ops.fused_add_rms_norm(x, r, w)
    assert (bits(normed) == bits(stored(expected[0]))).all()
    assert (bits(total) == bits(stored(expected[1]))).all()


def test_numpy_in_place_and_out(randn):
    x, r, w = (randn(*shape).float().numpy() for shape in ((5, 256), (5, 256), (256,)))
    expected = x + r
    assert ops.fused_add_rms_norm(x, r, w)[1] is r
    assert (r == expected).all()
    out = np.zeros((5, 512), np.float32)[:, ::2]
    with pytest.raises(mortar.LaunchError, match=r"'out\[0\]'.*stride 1, found 2"):
        ops.rms_norm(x, w, out=out)


def test_jax_does_not_change(randn):
    x, r, w = (jax.numpy.asarray(randn(*shape).float().numpy())
               for shape in ((5, 256), (5, 256), (256,)))
    before = np.array(x)
    normed, _ = ops.fused_add_rms_norm(x, r, w)
    assert normed is not x and (np.asarray(x) == before).all()
    with pytest.raises(mortar.LaunchError, match="expected no out, as JAX's arrays"):
        ops.rms_norm(x, w, out=x)


@pytest.mark.parametrize("transform", [jax.jit, jax.grad], ids=["jit", "grad"])
def test_jax_tracers(transform):
    with pytest.raises(mortar.LaunchError, match="rms_norm: .* outside of jax.jit"):
        transform(lambda x: ops.rms_norm(x).sum())(jax.numpy.ones((5, 64)))


def test_jax_fp8(randn):
    x = jax.numpy.asarray(randn(5, 256).float().numpy())
    codes, scales = ops.quantize_fp8_per_token(x)
    expected = ops.quantize_fp8_per_token(torch.tensor(np.asarray(x)))
    assert codes.dtype == ml_dtypes.float8_e4m3fn
    assert (bits(codes) == bits(stored(expected[0]))).all()
    assert (np.asarray(scales) == expected[1].numpy()).all()


def test_threads(randn):
    """All begin with the first call, so that they compile at once; one does."""
    every, w = randn(64, 144), randn(144)
    before = mortar.compilations()

    def call(number):
        rows = number % 63 + 1
        return rows, ops.rms_norm(every[:rows], w, epsilon=2e-6)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(call, range(500)))
    expected = ops.rms_norm(every, w, epsilon=2e-6)
    for rows, found in results:
        assert_bits(found, expected[:rows])
    assert mortar.compilations() == before + 1


def test_threads_that_compile(randn):
    x = randn(4, 64)

    def call(number):
        return ops.rms_norm(x, epsilon=1e-3 * (number % 5 + 1))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(call, range(40)))
    for number, found in enumerate(results):
        assert_bits(found, call(number))
