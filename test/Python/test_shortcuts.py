"""Calls like an earlier one go another way (mortar/_shortcuts.py, src/shortcut.c): with the
same results, and the same refusals."""

import importlib

import numpy as np
import pytest
import torch
from conftest import assert_bits

import mortar
from mortar import _shortcuts, ops

BF16 = torch.bfloat16


def x(*shape, dtype=BF16):
    return torch.ones(*(shape or (5, 256)), dtype=dtype)


W = x(256)


@pytest.fixture
def ways(monkeypatch):
    """Counts the calls that went the long way."""
    taken = []
    fused = importlib.import_module("mortar.fuse").Fused
    long_way = fused._call_anew

    def counted(self, args, kwargs, out):
        if any(isinstance(one, torch.Tensor) for one in (*args, *kwargs.values())):
            taken.append(self.__name__)  # a call, and not a part of a fused function
        return long_way(self, args, kwargs, out)

    monkeypatch.setattr(fused, "_call_anew", counted)
    return taken


@mortar.fuse
def norm_to_fp8(rows, residual, weight, scale):
    total = ops.residual_add(rows, residual)
    return ops.quantize_fp8(ops.rms_norm(total, weight), scale), total


def test_is_taken(randn, ways):
    """By calls in place, with out, and with results to allocate; whatever the rows."""
    weight, scale = randn(256), torch.ones(1)
    for rows in (5, 0, 1, 300):
        for _ in range(2):
            a, b = randn(rows, 256), randn(rows, 256)
            sum_, norm = a.clone(), b.clone()
            assert ops.fused_add_rms_norm(a, b, weight, 1e-5) == (a, b)
            ops.fused_add_rms_norm(sum_, norm, weight, epsilon=1e-5, out=(c := (
                torch.empty_like(a), torch.empty_like(b))))
            assert_bits(c[0], a)
            assert_bits(c[1], b)
            codes, total = norm_to_fp8(sum_, norm, weight, scale)
            assert_bits(total, b)
            assert codes.shape == a.shape and codes.dtype == torch.float8_e4m3fn
    assert ways == ["fused_add_rms_norm", "fused_add_rms_norm", "norm_to_fp8"]


def test_same_bits(randn, ways):
    """As the long way's, results of another shape and type than any argument's too."""
    rows, gates = randn(7, 256), randn(7, 512)
    for op, arguments in ((ops.silu_and_mul, (gates,)), (ops.rms_norm, (rows, W)),
                          (ops.quantize_fp8_per_token, (rows,)),
                          (ops.quantize_fp8_per_group, (rows, 64)),
                          (ops.l2_norm, (rows[:, :128],))):
        first = op._call_anew(arguments, {}, None)
        ways.clear()
        second = op(*arguments)
        assert not ways
        for one, other in zip(*[r if type(r) is tuple else (r,) for r in (first, second)]):
            assert_bits(one, other)
            assert one.stride() == other.stride() and one.data_ptr() != other.data_ptr()


def test_without_elements(ways):
    """Strides say nothing where there is nothing."""
    for _ in range(2):
        assert ops.rms_norm(x(256, 2).t()[:0], W, 0.75).shape == (0, 256)
    assert ways == ["rms_norm"]


def test_tells_signatures_apart(randn, ways):
    """Types, row lengths, ranks, constants and keywords: none takes another's code."""
    op = mortar.fuse(lambda rows, weight, epsilon=1.0, *, inner=None: ops.rms_norm(
        rows, weight, epsilon, inner=inner))
    rows, weight = randn(6, 256), randn(256)
    cases = [((rows, weight), {}), ((rows, weight, 2.0), {}), ((rows, weight, 2), {}),
             ((rows, weight), {"inner": "bfloat16"}), ((rows, weight), {"inner": "float32"}),
             ((rows, weight), {"inner": torch.float16}), ((rows, weight), {"inner": BF16}),
             ((rows[:, :128], weight[:128]), {}), ((rows.half(), weight.half()), {}),
             ((rows, torch.nn.Parameter(weight, False)), {}),
             ((rows.view(2, 3, 256), weight), {}), ((rows[0], weight), {})]
    expected = [ops.rms_norm(*arguments[:2], float((*arguments, 1.0)[2]), **keywords)
                for arguments, keywords in cases]
    cases += [((rows,), {"weight": weight}), ((), {"weight": weight, "rows": rows})]
    expected += [expected[0]] * 2
    for _ in range(2):
        ways.clear()
        for (arguments, keywords), one in zip(cases, expected):
            assert_bits(op(*arguments, **keywords), one)
    assert not ways


def test_tells_names_apart(randn, ways):
    """Also where as many values come in another order."""
    op = mortar.fuse(lambda rows, more: ops.residual_add(ops.rms_norm(rows, None), more))
    a, b = randn(6, 256), randn(6, 256)
    expected = op._call_anew((a, b), {}, None), op._call_anew((b, a), {}, None)
    for _ in range(2):
        ways.clear()
        assert_bits(op(rows=a, more=b), expected[0])
        assert_bits(op(rows=b, more=a), expected[1])
        assert_bits(op(more=b, rows=a), expected[0])
        assert_bits(op(more=a, rows=b), expected[1])
        assert_bits(op(a, more=b), expected[0])
    assert not ways


def test_ways_to_give_out(randn, ways):
    """A tensor, a tuple and a list are taken; another kind, one too many and none of them are
    what they would be at a first call."""
    rows, weight, out = randn(6, 256), randn(256), x(6, 256)
    expected = ops.rms_norm(rows, weight, 0.125)
    for given in (out, (out,), [out]):
        for _ in range(2):
            out.zero_()
            ways.clear()
            assert ops.rms_norm(rows, weight, 0.125, out=given) is out
            assert_bits(out, expected)
        assert not ways
    for wrong in ((), (out, out), [], 3):
        with pytest.raises((mortar.LaunchError, TypeError)):
            ops.rms_norm(rows, weight, 0.125, out=wrong)
    a, b = randn(6, 256), randn(6, 256)
    for _ in range(2):
        ops.fused_add_rms_norm(a, b, weight)
        with pytest.raises(mortar.LaunchError, match="expected out to be 2"):
            ops.fused_add_rms_norm(a, b, weight, out=(out,))


def test_tells_zeros_apart():
    """0.0 and -0.0 are equal, a NaN is not even itself: they are compared by their bits."""
    seen = []

    @mortar.fuse
    def op(rows, factor):
        seen.append(str(factor))
        return ops.rms_norm(rows, None, 1.0 if str(factor) == "0.0" else 3.0)

    for factor in (0.0, -0.0, float("nan")) * 3:
        expected = 0.5 ** 0.5 if str(factor) == "0.0" else 0.5
        assert_bits(op(x(), factor), torch.full((5, 256), expected, dtype=BF16))
    assert seen == ["0.0", "-0.0", "nan"]


def test_tells_texts_apart():
    op = mortar.fuse(lambda rows, way: ops.rms_norm(rows, None, {
        "the first": 1.0, "the other": 3.0, "1st": 1.0, "2nd": 3.0}[way]))
    for way in ("the first", "the other", "1st", "2nd") * 2:
        expected = 0.5 ** 0.5 if way in ("the first", "1st") else 0.5
        assert_bits(op(x(), way), torch.full((5, 256), expected, dtype=BF16))


def test_tells_ranks_apart():
    """Also where an extent compiled for would be found at the other's place."""
    op = mortar.fuse(lambda rows: ops.rms_norm(rows, None, 3.0))
    for shape in ((6, 64), (2, 64, 32), (64,), (64, 32)) * 2:
        assert_bits(op(x(*shape)), torch.full(shape, 0.5, dtype=BF16))


def test_many_signatures(monkeypatch, ways):
    """One too many begins anew, and is right."""
    monkeypatch.setattr(_shortcuts, "SIGNATURES_KEPT", 3)
    op = mortar.fuse(lambda rows: ops.rms_norm(rows, None, 1.0))
    for _ in range(2):
        for width in (8, 16, 24, 32):
            assert_bits(op(x(2, width)), torch.full((2, width), 0.5 ** 0.5, dtype=BF16))


def test_parts_of_rows(randn, ways):
    """Views [T, H, K] of a projection's rows, and dense ones, have code of their own."""
    rows = randn(5, 3 * 4 * 64)
    parts = [rows[:, :256].view(5, 4, 64), rows[:, :256].reshape(5, 4, 64),
             rows[:1, :256].view(1, 4, 64), rows[:0, :256].view(0, 4, 64)]
    for order in (parts, parts[::-1]):
        op = mortar.fuse(lambda q: ops.l2_norm(q))
        for _ in range(2):
            ways.clear()
            for q in order:
                assert_bits(op(q), ops.l2_norm(q.contiguous()))
        assert "<lambda>" not in ways


@pytest.mark.parametrize("call, message", [
    (lambda: ops.fused_add_rms_norm(x(), x(4, 256), W),
     r"'residual' to have as many rows|'out\[1\]': expected extent 0 to be 5, found 4"),
    (lambda: ops.fused_add_rms_norm(x(), x(), x(255)), r"weight: expected the shape \(256,\)"),
    (lambda: ops.fused_add_rms_norm(x(), x(), W.tolist()), "weight: expected an array or"),
    (lambda: ops.fused_add_rms_norm(x(), x(5, 256, dtype=torch.int32), W),
     "residual: expected an element type of float32"),
    (lambda: ops.fused_add_rms_norm(x(), x(256, 5).T, W),
     r"'residual'|'out\[1\]': expected the last dimension to have stride 1, found 5"),
    (lambda: ops.fused_add_rms_norm(x(), x(), W.to("meta")), "'weight': .* one on meta"),
    (lambda: ops.fused_add_rms_norm(x(), x(), np.ones(256, np.float32)),
     "'weight': expected an array of torch, as the first one is, found one of numpy"),
    (lambda: ops.fused_add_rms_norm(*[x()] * 2, W), r"'out\[0\]' to share no memory with"),
    (lambda: (lambda both: ops.fused_add_rms_norm(both[:5], both[1:], W))(x(6, 256)),
     "share no memory with"),
    (lambda: ops.fused_add_rms_norm(x(), x(), W, float("nan")), "epsilon: .* found nan"),
    (lambda: ops.fused_add_rms_norm(x(), x(), W.clone().requires_grad_()),
     "argument 'weight': expected a tensor without requires_grad"),
    (lambda: ops.rms_norm(x(), x(255)), r"weight: expected the shape \(256,\)"),
    (lambda: ops.rms_norm(x(256, 5).T, W),
     "argument 'x': expected the last dimension to have stride 1, found 5"),
    (lambda: ops.rms_norm(x().to_sparse(), W), "expected a dense tensor, found a sparse"),
    (lambda: torch.vmap(lambda rows: ops.rms_norm(rows, W))(x(2, 5, 256)),
     "expected a tensor with memory of its own"),
    (lambda: ops.rms_norm(x(), W, out=x(4, 256)),
     r"argument 'out\[0\]': expected extent 0 to be 5, found 4"),
    (lambda: ops.rms_norm(x(), W, out=x(dtype=torch.float32)),
     r"argument 'out\[0\]': expected element type bf16, found f32"),
])
def test_refuses_as_before(call, message):
    """What differs from a call that was fine, only in what is wrong."""
    for _ in range(2):
        ops.fused_add_rms_norm(x(), x(), W)
        ops.fused_add_rms_norm(x(), x(), W, 1e-6)
        ops.rms_norm(x(), W)
        ops.rms_norm(x(), W, out=x())
        with pytest.raises(mortar.MortarError, match=message):
            call()
