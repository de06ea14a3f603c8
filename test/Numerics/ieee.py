"""The norm and the sum in float32, step by step and in Mortar's order.

Every step is one IEEE operation, so the bits must be those of the compiled code.
"""

import numpy as np

import dtypes


def tree_sum(x):
    """Pads with -0.0 to a power of two and adds adjacent pairs, level by level."""
    n = x.shape[-1]
    padded = np.full(x.shape[:-1] + (1 << (n - 1).bit_length(),), -0.0, np.float32)
    padded[..., :n] = x
    while padded.shape[-1] > 1:
        padded = padded[..., 0::2] + padded[..., 1::2]
    return padded


def widen(stored, dtype):
    return dtypes.decode(stored, dtype).astype(np.float32)


def narrow(x, dtype):
    """float32 to dtype, as a .npy file holds it."""
    return dtypes.encode(dtypes.round_to(x.astype(np.float64), dtype), dtype)


def rms_norm(x, weight, epsilon, weight_offset, inner, variance_size=None,
             group_size=None):
    one = np.float32(1)
    shape = x.shape
    x = x.reshape(*shape[:-1], -1, group_size or shape[-1])
    head = x[..., :variance_size]
    mean = tree_sum(head * head) / np.float32(head.shape[-1])
    y = (x * (one / np.sqrt(mean + np.float32(epsilon)))).reshape(shape)
    if inner:
        y = widen(narrow(y, inner), inner)
    if weight is not None:
        y = y * (weight + np.float32(weight_offset) if weight_offset else weight)
    return y


def quantize(x, scale):
    """Static per tensor: codes of f8E4M3FN."""
    v = x * (np.float32(1) / scale)
    return dtypes.encode_e4m3(np.minimum(np.maximum(v, np.float32(-448)), np.float32(448)))


def quantize_dynamic(x, to, upper_bound=None, group_size=None, ue8m0=False):
    """Codes, and scales in float32."""
    n = x.shape[-1]
    groups = x.reshape(*x.shape[:-1], n // (group_size or n), group_size or n)
    most = np.max(np.abs(groups), axis=-1, keepdims=True)  # NaN passes
    if upper_bound is not None:
        most = np.minimum(most, upper_bound)
    if group_size:
        most = np.maximum(most, np.float32(1e-10))
    scale = most / np.float32(448 if to == "f8E4M3FN" else 127)
    if to == "f8E4M3FN" and not group_size:
        scale = np.maximum(scale, np.float32(1) / np.float32(448 * 512))
    if ue8m0:
        fraction, exponent = np.frexp(scale)
        scale = np.where(np.isfinite(scale),
                         np.ldexp(np.float32(1), exponent - (fraction == 0.5)), scale)
    v = groups / scale
    if to == "f8E4M3FN":
        codes = dtypes.encode_e4m3(
            np.minimum(np.maximum(v, np.float32(-448)), np.float32(448)))
    else:
        v = np.where(np.isnan(v), np.float32(0), v)
        codes = np.rint(np.clip(v, -128, 127)).astype(np.int8)
    return codes.reshape(x.shape), scale[..., 0].astype(np.float32)


def same_bits(found, expected, dtype):
    """Elementwise; any NaN equals any NaN."""
    if dtype == "i8":
        return found == expected
    nan = np.isnan(dtypes.decode(found, dtype)) & np.isnan(dtypes.decode(expected, dtype))
    codes = dtypes.CODES[dtype]
    return (found.view(codes) == expected.view(codes)) | nan
