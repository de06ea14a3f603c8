"""Each wrong argument is one exception that names it; nothing crashes."""

import numpy as np
import pytest
import torch

import mortar
from mortar import ops

BF16 = torch.bfloat16


def x(*shape, dtype=BF16):
    return torch.ones(*(shape or (5, 256)), dtype=dtype)


W = x(256)


@pytest.mark.parametrize("call, message", [
    (lambda: ops.rms_norm(x(dtype=torch.float64), W),
     "argument 'x': expected an element type of float32.*found torch.float64"),
    (lambda: ops.rms_norm(x(dtype=torch.int32), W),
     "rms_norm: x: expected an element type of float32, float16, bfloat16, found int32"),
    (lambda: ops.rms_norm(x(), x(5)), r"weight: expected the shape \(256,\), found \(5,\)"),
    (lambda: ops.rms_norm(x(), "W"), "weight: expected a tensor, found str"),
    (lambda: ops.rms_norm([1.0]), "rms_norm: expected an array, found none"),
    (lambda: ops.rms_norm(x(), W, float("nan")),
     "epsilon: expected a finite number above 0, found nan"),
    (lambda: ops.rms_norm(x(), W, -1e-6), "epsilon: expected a finite number above 0"),
    (lambda: ops.rms_norm(x(), W, True), "epsilon: expected a number, found True"),
    (lambda: ops.rms_norm(x(), W, weight_offset=2), "weight_offset: expected 0 or 1, found 2"),
    (lambda: ops.rms_norm(x(), W, group_size=7), "group_size: expected a divisor of 256"),
    (lambda: ops.rms_norm(x(), W, variance_size=0), "variance_size: expected 1 to 256"),
    (lambda: ops.rms_norm(x(), W, inner="int8"), "inner: expected float32, float16 or"),
    (lambda: ops.rms_norm(torch.tensor(1.0)), "x: expected rows"),
    (lambda: ops.rms_norm(x(5, 0), x(0)), "rms_norm"),
    (lambda: ops.rms_norm(x(256, 5).T, W),
     "argument 'x': expected the last dimension to have stride 1, found 5"),
    (lambda: ops.rms_norm(x(), W, out=x(4, 256)),
     r"argument 'out\[0\]': expected extent 0 to be 5, found 4"),
    (lambda: ops.rms_norm(x(), W, out=x(dtype=torch.float32)),
     r"argument 'out\[0\]': expected element type bf16, found f32"),
    (lambda: ops.rms_norm(x(), W, out=(x(), x())), "expected out to be 1 arrays, found 2"),
    (lambda: ops.residual_add(x(), x(1, 256)),
     "residual'?:? (expected the shape|to have as many rows)"),  # compiled before, or not
    (lambda: ops.fused_add_rms_norm(x(), x(), W, convention="hf"),
     "convention: expected one of vllm_c_one_rounding.*found 'hf'"),
    (lambda: ops.gated_rms_norm(x(), x(), W, activation="relu"),
     "activation: expected one of silu, swish, sigmoid, found 'relu'"),
    (lambda: ops.silu_and_mul(x(5, 7)), "x: expected an even last dimension, found 7"),
    (lambda: ops.silu_and_mul(x(), limit=0), "limit: expected a finite number above 0"),
    (lambda: ops.quantize_fp8(x(), torch.ones(2)), "scale: expected one float32, of the"),
    (lambda: ops.quantize_fp8(x(), x(1)), "scale: expected an element type of float32"),
    (lambda: ops.quantize_fp8_per_group(x(), 96), "group_size: expected a divisor of 256"),
    (lambda: ops.quantize_fp8_per_group(x(), scale_dtype="float8_e8m0fnu"),
     "scale_dtype: expected float32, or float8_e8m0fnu with ue8m0"),
    (lambda: ops.rms_norm(x().to("meta"), W), "found one on meta"),
    (lambda: ops.rms_norm(x(), W.to("meta")), "argument 'weight': .* found one on meta"),
    (lambda: ops.rms_norm(np.ones((5, 256), np.float32), x(256, dtype=torch.float32)),
     "argument 'weight': expected an array of numpy, as the first one is, found one of torch"),
    (lambda: ops.rms_norm(x().to_sparse(), W),
     "argument 'x': expected a dense tensor, found a sparse_coo one"),
    (lambda: ops.rms_norm(x(), W, out=x().to_sparse_csr()),
     r"argument 'out\[0\]': expected a dense tensor, found a sparse_csr one"),
    (lambda: ops.rms_norm(torch.nested.nested_tensor([x(), x(3, 256)]), weight=W),
     "argument 'x': expected a dense tensor, found a nested one"),
    (lambda: torch.vmap(lambda rows: ops.rms_norm(rows, W))(x(3, 5, 256)),
     "argument 'x': expected a tensor with memory of its own"),
    (lambda: ops.rms_norm(x(), W, out=np.ones((5, 256), np.float32)),
     r"argument 'out\[0\]': expected an array of torch, .* found one of numpy"),
    (lambda: ops.rms_norm(x(), [1.0]), "weight: expected an array or a constant that can be"),
    (lambda: ops.rms_norm(x(), W, out=x().requires_grad_()),
     r"argument 'out\[0\]': expected a tensor without requires_grad"),
])
def test_names_the_argument(call, message):
    with pytest.raises(mortar.MortarError, match=message):
        call()


@pytest.mark.parametrize("call, message", [
    (lambda: ops.fused_add_rms_norm(x(), x()), "fused_add_rms_norm: missing .*'weight'"),
    (lambda: ops.rms_norm(x(), W, eps=1e-6), "rms_norm: got an unexpected .*'eps'"),
    (lambda: ops.rms_norm(x(), W, weight=W), "rms_norm: multiple values .*'weight'"),
    (lambda: ops.rms_norm(), "rms_norm: expected an array, found none"),
])
def test_not_the_parameters(call, message):
    ops.rms_norm(x(), W)
    with pytest.raises((TypeError, mortar.LaunchError), match=message):
        call()


def test_constants_that_are_equal():
    """1.0, 1 and True are, and so are 0.0 and -0.0; what was compiled for one isn't
    another's."""
    ops.rms_norm(x(), W, 1.0)
    with pytest.raises(mortar.TraceError, match="epsilon: expected a number, found True"):
        ops.rms_norm(x(), W, True)
    ops.rms_norm(x(), W, weight_offset=1)
    before = mortar.compilations()
    ops.fatrelu_and_mul(x(), 0.0)
    ops.fatrelu_and_mul(x(), -0.0)
    assert mortar.compilations() == before + 2


def test_negated_lazily():
    """An imaginary part of a conjugate: what its memory holds has the other sign."""
    scale = torch.tensor([-2j], dtype=torch.complex64).conj().imag
    assert scale.is_neg() and scale.item() == 2
    for _ in range(2):
        ops.quantize_fp8(x(), torch.ones(1))
        with pytest.raises(mortar.LaunchError, match="argument 'scale': .* resolve_neg"):
            ops.quantize_fp8(x(), scale)
    codes = ops.quantize_fp8(x(), scale.resolve_neg())
    assert (codes.to(torch.float32) == 0.5).all()


def test_rows_that_differ_later():
    """What tracing saw once isn't taken for granted."""
    ops.residual_add(x(), x())
    with pytest.raises(mortar.LaunchError, match="argument 'residual' to have as many rows"):
        ops.residual_add(x(), x(4, 256))


def test_overlap():
    both = x(6, 256)
    with pytest.raises(mortar.LaunchError, match="overlap"):
        ops.rms_norm(both[:5], W, out=both[1:])


def test_freed():
    freed = x()
    ops.rms_norm(freed, W)
    freed.untyped_storage().resize_(0)
    with pytest.raises(mortar.LaunchError, match="argument 'x'.*found null"):
        ops.rms_norm(freed, W)


def test_autograd():
    weight = torch.nn.Parameter(W.clone())
    with pytest.raises(mortar.LaunchError,
                       match="argument 'weight': expected a tensor without requires_grad"):
        ops.rms_norm(x(), weight)
    with torch.no_grad():
        ops.rms_norm(x(), weight)
    with torch.inference_mode():
        ops.rms_norm(x(), weight)


def test_autograd_sees_what_is_overwritten():
    """Backward through a tensor that was saved and then overwritten is PyTorch's error."""
    rows, weight = x(), torch.nn.Parameter(W.clone())
    for out in (None, (rows, x()), None):
        saved = (rows * weight).sum()
        ops.fused_add_rms_norm(rows, x(), W, out=out)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            saved.backward()


def test_read_only():
    rows, out = np.ones((5, 8), np.float32), np.ones((5, 8), np.float32)
    rows.flags.writeable = out.flags.writeable = False
    ops.rms_norm(rows)
    with pytest.raises(mortar.LaunchError, match="can be written, found a read-only one"):
        ops.rms_norm(rows, out=out)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a machine without a GPU")
def test_no_gpu():
    from mortar import _cuda
    made = mortar.compile("""func.func @f(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
      %y = mortar.rms_norm %x epsilon(1.0) : (tensor<?x64xf32>) -> tensor<?x64xf32>
      return %y : tensor<?x64xf32> }""", target="sm_90", cubin=False)
    with pytest.raises(mortar.MortarError, match="expected an NVIDIA driver for cuda:0"):
        made.load(0)
    assert _cuda.driver() is None
