"""mortar.fuse: what becomes one kernel, when it is compiled, and what it refuses."""

import copy
import pickle

import numpy as np
import pytest
import torch

import mortar
from conftest import assert_bits
from mortar import ops


@mortar.fuse
def norm_to_fp8(x, residual, weight, scale, epsilon=1e-6):
    total = ops.residual_add(x, residual)
    return ops.quantize_fp8(ops.rms_norm(total, weight, epsilon), scale), total


def kernels(fused, *args, **kwargs):
    return fused.explain(*args, **kwargs).count("one kernel of")


def test_one_kernel_with_the_bits_of_three(randn):
    x, r, w, scale = randn(5, 256), randn(5, 256), randn(256), torch.tensor([0.02])
    total = ops.residual_add(x, r)
    codes, found = norm_to_fp8(x, r, w, scale)
    assert_bits(found, total)
    assert_bits(codes, ops.quantize_fp8(ops.rms_norm(total, w), scale))
    assert kernels(norm_to_fp8, x, r, w, scale) == 1


def test_compiled_once_for_all_rows(randn):
    x, r, w, scale = randn(9, 80), randn(9, 80), randn(80), torch.tensor([0.02])
    before = mortar.compilations()
    every = norm_to_fp8(x, r, w, scale)
    for rows in (1, 2, 8):
        assert_bits(norm_to_fp8(x[:rows], r[:rows], w, scale)[0], every[0][:rows])
    assert_bits(norm_to_fp8(scale=scale, weight=w, residual=r, x=x)[0], every[0])
    assert_bits(norm_to_fp8(x, r, scale=scale, weight=w)[0], every[0])
    assert mortar.compilations() == before + 1
    norm_to_fp8(x, r, w, scale, 1e-5)  # another constant
    norm_to_fp8(x[:, :64], r[:, :64], w[:64], scale)  # another row length
    assert mortar.compilations() == before + 3


def test_out_and_in_place(randn):
    x, r, w, scale = randn(5, 256), randn(5, 256), randn(256), torch.tensor([0.02])
    codes, total = norm_to_fp8(x, r, w, scale)
    kept = torch.empty_like(codes)
    assert norm_to_fp8(x, r, w, scale, out=(kept, r))[1] is r
    assert_bits(kept, codes)
    assert_bits(r, total)

    @mortar.fuse(in_place=["residual"])
    def add(x, residual):
        return ops.residual_add(x, residual)

    expected = x + r
    assert add(x, r) is r
    assert_bits(r, expected)


def test_views(randn):
    """Heads of one projection, normed each, and quantized over all."""
    @mortar.fuse
    def heads(qkv, weight):
        q, k, _ = qkv.split([256, 128, 128])
        q = ops.rms_norm(q.unflatten(-1, (4, 64)), weight)
        k = ops.rms_norm(k.unflatten(-1, (2, 64)), weight).to(torch.float32)
        return ops.quantize_fp8_per_token(q.flatten(-2))[0], k

    qkv, w = randn(5, 512), randn(64)
    q, k = heads(qkv, w)
    expected = ops.rms_norm(qkv[:, :256].view(5, 4, 64), w).view(5, 256)
    assert_bits(q, ops.quantize_fp8_per_token(expected)[0])
    assert_bits(k, ops.rms_norm(qkv[:, 256:384].view(5, 2, 64), w).float())
    before = mortar.compilations()
    assert_bits(heads(qkv[:2], w)[0], q[:2])
    assert mortar.compilations() == before


def test_what_is_static_of_one_is_of_both(randn):
    """Of x, too, which flatten doesn't see."""
    heads = mortar.fuse(lambda x, r: ops.quantize_fp8_per_token((x + r).flatten(-2)))
    module = heads.explain(randn(5, 4, 64), randn(5, 4, 64))
    assert module.count(": tensor<?x4x64xbf16>") == 3  # arguments, and the sum


def test_casts_and_plus(randn):
    @mortar.fuse
    def wide(x, r, weight):
        total = x.to("float32") + r.to("float32")
        return ops.rms_norm(total, weight, dtype="bfloat16"), total.to(torch.bfloat16)

    x, r, w = randn(5, 256), randn(5, 256), randn(256)
    found = wide(x, r, w)
    expected = ops.fused_add_rms_norm(x.clone(), r.clone(), w, convention="flashinfer")
    for one, other in zip(found, expected):
        assert_bits(one, other)


def test_shapes_are_seen(randn):
    """A row count stays open; a number that is made of it doesn't."""
    seen = []

    @mortar.fuse
    def look(x):
        seen.append(x.ndim)
        return ops.rms_norm(x, epsilon=1e-6 * int(x.shape[0]))

    before = mortar.compilations()
    for rows in (2, 3, 2):
        assert look(randn(rows, 64)).shape == (rows, 64)
    assert mortar.compilations() == before + 2 and seen == [2, 2]


def test_fused_in_fused(randn):
    @mortar.fuse
    def outer(x, residual, weight, scale):
        codes, total = norm_to_fp8(x, residual, weight, scale)
        return codes, ops.silu_and_mul(total)

    args = randn(5, 256), randn(5, 256), randn(256), torch.tensor([0.02])
    codes, gated = outer(*args)
    assert_bits(codes, norm_to_fp8(*args)[0])
    assert_bits(gated, ops.silu_and_mul(args[0] + args[1]))


def test_options(randn):
    @mortar.fuse(mixed_dtypes=True)
    def layer(x, residual, weight):
        return ops.rms_norm(ops.residual_add(x, residual), weight)

    args = randn(5, 256), randn(5, 256), randn(256, dtype=torch.float32)
    assert kernels(layer, *args) == 1
    apart = mortar.fuse(layer.function)
    assert kernels(apart, *args) == 2
    assert "mixed-dtypes=fuse" in apart.explain(*args)
    assert_bits(apart(*args), layer(*args))
    with pytest.raises(mortar.CompileError, match="not fused"):
        mortar.fuse(layer.function, require_fusions=True)(*args)


X = torch.ones(5, 256)
OUTSIDE = torch.ones(256)


@pytest.mark.parametrize("function, message", [
    (lambda x: torch.relu(x), "x: expected mortar.ops, .* found torch's relu"),
    (lambda x: x.relu(), "x: expected what a tensor has .* found .relu"),
    (lambda x: np.exp(x), "found a NumPy function"),
    (lambda x: ops.rms_norm(x) * 2, r"a result of rms_norm: .* found \*"),
    (lambda x: x @ x, "found a matmul"),
    (lambda x: ops.rms_norm(x) if x else x, "found a branch on a tensor's value"),
    (lambda x: x + 1, r"x: expected \+ with a tensor of float32, found 1"),
    (lambda x: x, "result 0: expected a tensor that the function computes, .*'x'"),
    (lambda x: 3, "result 0: expected a tensor, found int"),
    (lambda x: (), "expected a result, found none"),
    (lambda x: ops.rms_norm(x, OUTSIDE), "rms_norm: .* found an array from outside"),
    (lambda x: ops.rms_norm(x, out=x), "rms_norm: expected no out under mortar.fuse"),
    (lambda x: ops.rms_norm(x)[..., :64], r"found \[..., 0:64\] of what isn't an argument"),
    (lambda x: x[0], r"x: expected \[..., a:b\], found \[0\]"),
    (lambda x: x.unflatten(-1, (3, 5)), r"unflatten\(-1, \(H, L\)\) with H·L = 256"),
    (lambda x: x.split([1, 2]), "sizes that sum to 256"),
    (lambda x: x.to(torch.int8), "expected a cast between float32 and a 16-bit type"),
    (lambda x: x.to("float64"), "dtype: expected one of float32.*found float64"),
])
def test_refuses(function, message):
    with pytest.raises(mortar.TraceError, match=message):
        mortar.fuse(function)(X)


def test_refuses_parameters():
    with pytest.raises(mortar.TraceError, match=r"expected named parameters, found \*xs"):
        mortar.fuse(lambda *xs: xs[0])
    with pytest.raises(mortar.TraceError, match="in_place: expected parameters .* found y"):
        mortar.fuse(lambda x: x, in_place=["y"])
    with pytest.raises(mortar.TraceError, match="sizes: expected an array or a constant that can"):
        mortar.fuse(lambda x, sizes: ops.rms_norm(x))(X, [1, 2])


@pytest.mark.parametrize("function, found", [
    (lambda x: -x, "-"), (lambda x: x ** 2, r"\*\*"), (lambda x: 1 - x, "-"),
    (lambda x: x == 2, "a comparison"), (lambda x: x < 2, "a comparison"),
    (lambda x: float(x), "a tensor's values as a number"),
    (lambda x: [1, 2][x], "a tensor's values as a number"),
    (lambda x: len(x), r"len\(\)"), (lambda x: list(x), "a loop over a tensor"),
    (lambda x: 2 in x, "in"), (lambda x: abs(x), r"abs\(\)"),
    (lambda x: x.__setitem__(0, 1), "an assignment to elements"),
    (lambda x: x.__iadd__(x), r"\+=, for which there is x = x \+ y, or in_place"),
    (lambda x: x & x, "bits"),
])
def test_refuses_the_syntax(function, found):
    with pytest.raises(mortar.TraceError, match=f"x: expected mortar.ops, .* found {found}"):
        mortar.fuse(function)(torch.ones(5, 64))


def test_values_of_another_call():
    """One that a function kept would stand for another tensor in the next call."""
    kept = []

    def keeps(x):
        kept.append(x)
        return mortar.ops.rms_norm(x)

    mortar.fuse(keeps)(torch.ones(5, 64))
    message = ": expected a tensor of the call that is being fused, found one of another"
    with pytest.raises(mortar.TraceError, match=message):
        mortar.ops.rms_norm(kept[0])
    with pytest.raises(mortar.TraceError, match=message):
        mortar.fuse(lambda y: mortar.ops.residual_add(y, kept[0]))(torch.ones(5, 64))
    with pytest.raises(mortar.TraceError, match=message):
        mortar.fuse(lambda y: kept[0].to("float16"))(torch.ones(5, 64))


def test_a_function_that_calls_itself():
    rows = torch.ones(5, 64)
    endless = mortar.fuse(lambda x: endless(rows))
    with pytest.raises(RecursionError):
        endless(rows)


def test_copied_as_functions_are():
    """A model that holds one can be copied and pickled."""
    for made in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        assert made(ops.rms_norm) is ops.rms_norm
        assert made(norm_to_fp8) is norm_to_fp8
