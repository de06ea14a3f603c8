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


def rms_norm(x, weight, epsilon, weight_offset, inner):
    one = np.float32(1)
    mean = tree_sum(x * x) / np.float32(x.shape[-1])
    y = x * (one / np.sqrt(mean + np.float32(epsilon)))
    if inner:
        y = widen(narrow(y, inner), inner)
    if weight is not None:
        y = y * (weight + np.float32(weight_offset) if weight_offset else weight)
    return y


def same_bits(found, expected, dtype):
    """Elementwise; any NaN equals any NaN."""
    nan = np.isnan(dtypes.decode(found, dtype)) & np.isnan(dtypes.decode(expected, dtype))
    codes = dtypes.CODES[dtype]
    return (found.view(codes) == expected.view(codes)) | nan
