"""mortar.ops: numbers. Bit for bit against float32 in Mortar's order (Numerics/ieee.py)
where no pinned function is in it, else against float64."""

import numpy as np
import pytest
import torch

import ieee
import mortar
import oracle
from conftest import IR_TYPES, assert_bits, narrowed, stored, wide
from mortar import ops
from mortar.ops.norms import CONVENTIONS

FLOATS = [torch.float32, torch.float16, torch.bfloat16]
SHAPES = [(1, 7), (5, 256), (2, 3, 111), (64,), (17, 4096)]


def near(found, expected, ulps=1):
    """Within so many ulp of the result's type, of float64."""
    import dtypes
    dtype = IR_TYPES[found.dtype]
    distance = np.abs(dtypes.ordered(stored(found.contiguous()), dtype)
                      - dtypes.ordered(dtypes.encode(dtypes.round_to(expected, dtype),
                                                     dtype), dtype))
    assert distance.max(initial=0) <= ulps


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_rms_norm(randn, shape, dtype):
    x, w = randn(*shape, dtype=dtype), randn(shape[-1], dtype=dtype)
    expected = ieee.rms_norm(wide(x), wide(w), 1e-6, 0, None)
    assert_bits(ops.rms_norm(x, w), narrowed(expected, dtype))


def test_no_rows(randn):
    assert ops.rms_norm(randn(0, 128), randn(128)).shape == (0, 128)
    assert ops.rms_norm(randn(4, 0, 128), randn(128)).shape == (4, 0, 128)


@pytest.mark.parametrize("options", [
    dict(weight_offset=1), dict(inner=torch.bfloat16), dict(variance_size=100),
    dict(group_size=32), dict(epsilon=0.5), dict(weight=None), dict(dtype="float32")],
    ids=str)
def test_rms_norm_options(randn, options):
    x, w = randn(5, 256), randn(256)
    options = dict(options)
    weight = options.pop("weight", w)
    found = ops.rms_norm(x, weight, **options)
    dtype = torch.float32 if options.pop("dtype", None) else torch.bfloat16
    expected = ieee.rms_norm(
        wide(x), None if weight is None else wide(w), options.get("epsilon", 1e-6),
        options.get("weight_offset", 0), "bf16" if "inner" in options else None,
        options.get("variance_size"), options.get("group_size"))
    assert_bits(found, narrowed(expected, dtype))


def test_gemma_rms_norm(randn):
    x, w = randn(5, 256), randn(256, dtype=torch.float32)
    assert_bits(ops.gemma_rms_norm(x, w, 1e-5),
                narrowed(ieee.rms_norm(wide(x), wide(w), 1e-5, 1, None), x.dtype))


@pytest.mark.parametrize("weight_type", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_fused_add_rms_norm(randn, convention, weight_type):
    x, r, w = randn(5, 256), randn(5, 256), randn(256, dtype=weight_type)
    exact = wide(x) + wide(r)
    rounded = (x + r).float().numpy()
    statistics = exact if convention in ("vllm_ir", "flashinfer") else rounded
    inner = convention in ("vllm_ir", "hf_llama", "vllm_c_two_roundings")
    normed = ieee.rms_norm(statistics, wide(w), 1e-6, 0,
                           "bf16" if inner and weight_type == torch.bfloat16 else None)
    found = ops.fused_add_rms_norm(x, r, w, convention=convention)
    assert found[0] is x and found[1] is r  # in place
    assert_bits(x, narrowed(normed, x.dtype))
    assert_bits(r, narrowed(exact, x.dtype))


def test_in_place_unless_out(randn):
    x, r, w = randn(5, 256), randn(5, 256), randn(256)
    before = x.clone(), r.clone()
    out = torch.empty_like(x), torch.empty_like(x)
    ops.fused_add_rms_norm(x, r, w, out=out)
    assert_bits(x, before[0])
    assert_bits(r, before[1])
    ops.fused_add_rms_norm(weight=w, residual=r, x=x)
    assert_bits(x, out[0])
    assert_bits(r, out[1])


@pytest.mark.parametrize("options", [
    dict(), dict(activation="sigmoid"), dict(norm_before_gate=False), dict(group_size=32)],
    ids=str)
def test_gated_rms_norm(randn, options):
    x, z, w = randn(6, 128), randn(6, 128), randn(128)
    expected, _ = oracle.gated_rms_norm(
        *(wide(one).astype(np.float64) for one in (x, z, w)), epsilon=1e-6, **options)
    near(ops.gated_rms_norm(x, z, w, **options), expected)


def test_silu_and_mul(randn):
    x = randn(9, 512) * 8
    g, u = (wide(one).astype(np.float64) for one in x.chunk(2, -1))
    near(ops.silu_and_mul(x), g * oracle.sigmoid(g) * u)
    limit = np.float64(np.float32(3.3))
    g, u = np.minimum(g, limit), np.clip(u, -limit, limit)
    near(ops.silu_and_mul(x, limit=3.3), g * oracle.sigmoid(g) * u)


def test_silu_and_mul_like_vllm(randn):
    x = randn(9, 512)
    silu = ops.silu_and_mul(torch.cat([x, torch.ones_like(x)], -1))
    assert_bits(ops.silu_and_mul(torch.cat([x, x], -1), inner=x.dtype), silu * x)


@pytest.mark.parametrize("op, options", [
    ("gelu_and_mul", {}), ("gelu_tanh_and_mul", {}), ("swigluoai_and_mul", {}),
    ("swigluoai_and_mul", dict(interleaved=False)), ("swiglustep_and_mul", dict(limit=7)),
    ("fatrelu_and_mul", dict(threshold=0.1))])
def test_other_gates(randn, op, options):
    x = randn(9, 512)
    f = torch.nn.functional
    g, u = x.double().chunk(2, -1)
    if options.get("interleaved", True) and op == "swigluoai_and_mul":
        g, u = x.double()[:, 0::2], x.double()[:, 1::2]
    expected = {
        "gelu_and_mul": lambda: f.gelu(g) * u,
        "gelu_tanh_and_mul": lambda: f.gelu(g, approximate="tanh") * u,
        "swigluoai_and_mul": lambda: (u + 1) * g * torch.sigmoid(1.702 * g),
        "swiglustep_and_mul": lambda: f.silu(g) * u,
        "fatrelu_and_mul": lambda: f.threshold(g, 0.1, 0) * u}[op]()
    found = getattr(ops, op)(x, **options)
    assert found.shape == (9, 256)
    torch.testing.assert_close(found.double(), expected, rtol=2 ** -8, atol=1e-6)


@pytest.mark.parametrize("dtype", FLOATS)
def test_quantize(randn, dtype):
    x, scale = randn(5, 256, dtype=dtype) * 9, torch.tensor([0.02])
    assert_bits(ops.quantize_fp8(x, scale), ieee.quantize(wide(x), scale.numpy()))
    for found, to, options in [
            (ops.quantize_fp8_per_token(x), "f8E4M3FN", {}),
            (ops.quantize_fp8_per_token(x, scale), "f8E4M3FN",
             dict(upper_bound=scale.numpy())),
            (ops.quantize_int8_per_token(x), "i8", {}),
            (ops.quantize_fp8_per_group(x, 64), "f8E4M3FN", dict(group_size=64)),
            (ops.quantize_fp8_per_group(x, ue8m0=True), "f8E4M3FN",
             dict(group_size=128, ue8m0=True))]:
        codes, scales = ieee.quantize_dynamic(wide(x), to, **options)
        assert_bits(found[0], codes)
        assert_bits(found[1], scales)


def test_column_major_scales(randn):
    x = randn(5, 256)
    codes, scales = ops.quantize_fp8_per_group(x, 64)
    columns = torch.empty(4, 8)[:, :5].T  # rows padded to 8, as DeepGEMM's TMA wants them
    ops.quantize_fp8_per_group(x, 64, out=(torch.empty_like(codes), columns))
    assert_bits(columns.contiguous(), scales)


def test_quantizing_variants_are_their_parts(randn):
    """Fusing changes no bit."""
    x, r, w, scale = randn(5, 256), randn(5, 256), randn(256), torch.tensor([0.02])
    normed = ops.rms_norm(x, w)
    assert_bits(ops.rms_norm_static_fp8_quant(x, w, scale), ops.quantize_fp8(normed, scale))
    for found, expected in zip(ops.rms_norm_dynamic_per_token_quant(x, w, 1e-6, scale),
                               ops.quantize_fp8_per_token(normed, scale)):
        assert_bits(found, expected)
    normed, total = ops.fused_add_rms_norm(x.clone(), r.clone(), w)
    for found, expected in zip(ops.fused_add_rms_norm_static_fp8_quant(x, r, w, scale),
                               (ops.quantize_fp8(normed, scale), total)):
        assert_bits(found, expected)
    for found, expected in zip(
            ops.fused_add_rms_norm_dynamic_per_token_quant(x, r, w),
            (*ops.quantize_fp8_per_token(normed), total)):
        assert_bits(found, expected)
    gated = ops.silu_and_mul(x, limit=1.0)
    assert_bits(ops.silu_and_mul_quant(x, scale, limit=1.0), ops.quantize_fp8(gated, scale))
    for found, expected in zip(
            ops.silu_and_mul_per_group_quant(x, limit=1.0, ue8m0=True,
                                             scale_dtype=torch.float8_e8m0fnu),
            ops.quantize_fp8_per_group(gated, ue8m0=True,
                                       scale_dtype=torch.float8_e8m0fnu)):
        assert_bits(found, expected)


def test_strided_rows(randn):
    """Heads of one projection's rows go in as views."""
    qkv, w = randn(6, 3 * 64), randn(64)
    heads = qkv.view(6, 3, 64)[:, 1]
    assert not heads.is_contiguous()
    assert_bits(ops.rms_norm(heads, w), ops.rms_norm(heads.contiguous(), w))
    pair = qkv.view(6, 3, 64)[:, :2]  # two heads of three: their rows aren't evenly spaced
    assert_bits(ops.rms_norm(pair, w), ops.rms_norm(pair.contiguous(), w))
    before = mortar.compilations()
    assert_bits(ops.rms_norm(pair[:4], w), ops.rms_norm(pair, w)[:4])
    assert mortar.compilations() == before
    same_row = randn(1, 64).expand(5, 64)
    assert_bits(ops.rms_norm(same_row, w), ops.rms_norm(same_row.contiguous(), w))


@pytest.mark.parametrize("lead", [(3, 1), (1, 3), (1, 1), (3, 2), (3, 1, 1), (1, 3, 1), (2, 1, 3)])
def test_strided_rows_of_one_element(randn, lead):
    """A dimension that has one element in this call has a stride that means nothing."""
    w = randn(16)
    for heads in (1, 2, 3):  # of six
        wide = randn(*lead, 6, 16)
        part = wide[..., :heads, :]
        expected = ops.rms_norm(part.contiguous(), w)
        assert_bits(ops.rms_norm(part, w), expected)
        room = torch.full_like(wide, 7)
        out = room[..., :heads, :]
        norm = mortar.fuse(lambda x, w: ops.rms_norm(x, w))
        norm(part, w, out=out)
        assert_bits(out.contiguous(), expected)
        assert (room[..., heads:, :] == 7).all()


def test_destinations_that_are_unevenly_spaced(randn):
    """[H, B, 1, K] seen as [B, 1, H, K], among what isn't the destination's."""
    x, room = randn(3, 1, 2, 64), torch.full((4096,), 7, dtype=torch.bfloat16)
    out = room[1024:1408].view(2, 3, 1, 64).permute(1, 2, 0, 3)
    with pytest.raises(mortar.LaunchError, match="evenly spaced"):
        mortar.fuse(lambda x, w: ops.rms_norm(x, w))(x, randn(64), out=out)
    assert (room == 7).all()


def test_rows_are_free(randn):
    w = randn(96)
    before = mortar.compilations()
    every = randn(300, 96)
    expected = ops.rms_norm(every, w)
    for rows in (1, 2, 3, 17, 255, 256, 257):
        assert_bits(ops.rms_norm(every[:rows], w), expected[:rows])  # batch invariance
    assert mortar.compilations() == before + 1
    ops.rms_norm(every, w, epsilon=1e-5)
    ops.rms_norm(every.float(), w)
    assert mortar.compilations() == before + 3
