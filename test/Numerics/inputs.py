"""Inputs of the numeric tests, as .npy files hold them."""

import numpy as np

import dtypes


def ordinary(random, shape, dtype):
    """Normal values. The first row (or a weight) has variance 1, the next ones scales of
    2, 4, 8, 16, 1/16 .. 1/2, and so on: small ones let epsilon count. Much larger ones
    would make silu subnormal, where an ulp of a product says nothing."""
    values = random.standard_normal(shape)
    if len(shape) == 2:
        values *= 2.0 ** ((np.arange(shape[0])[:, None] + 4) % 9 - 4)
    return dtypes.encode(dtypes.round_to(values, dtype), dtype)


def hard(random, shape, dtype):
    """Any bits in half of the rows, zeros and normal values in the others."""
    values = dtypes.encode(dtypes.round_to(random.standard_normal(shape), dtype), dtype)
    codes = dtypes.CODES[dtype]
    bits = random.integers(0, np.iinfo(codes).max, shape, codes, endpoint=True)
    anything = bits.view(dtypes.STORAGE[dtype])
    values[0::2] = anything[0::2]
    values[1::4] = 0
    return values
