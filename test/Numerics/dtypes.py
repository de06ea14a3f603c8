"""f32, f16, bf16 and the 8-bit types as float64 values and as the bits that .npy files
hold."""

import numpy as np

MANTISSA = {"f32": 24, "f16": 11, "bf16": 8}  # the hidden bit included
MIN_EXPONENT = {"f32": -126, "f16": -14, "bf16": -126}
MAX_EXPONENT = {"f32": 127, "f16": 15, "bf16": 127}
STORAGE = {"f32": np.float32, "f16": np.float16, "bf16": np.uint16,
           "f8E4M3FN": np.uint8, "f8E8M0FNU": np.uint8, "i8": np.int8}
CODES = {"f32": np.uint32, "f16": np.uint16, "bf16": np.uint16,
         "f8E4M3FN": np.uint8, "f8E8M0FNU": np.uint8, "i8": np.uint8}
# The values of f8E4M3FN's codes: no infinities, and one NaN of either sign.
E4M3 = np.array([(-1) ** (code >> 7) * (
    np.nan if code & 127 == 127 else
    np.ldexp(code & 7, -9) if code >> 3 & 15 == 0 else
    np.ldexp(8 + (code & 7), (code >> 3 & 15) - 10)) for code in range(256)])
E8M0 = np.append(np.ldexp(1.0, np.arange(255) - 127), np.nan)


def ulp(x, dtype):
    """The distance of neighbours at x."""
    exponent = np.frexp(np.where(np.isfinite(x), x, 1))[1] - 1
    exponent = np.clip(exponent, MIN_EXPONENT[dtype], MAX_EXPONENT[dtype])
    return np.ldexp(1.0, exponent - MANTISSA[dtype] + 1)


def round_to(x, dtype):
    """Round to nearest, ties to even, once, from float64; too large is infinite."""
    quantum = ulp(x, dtype)
    rounded = np.where(np.isfinite(x), np.rint(x / quantum) * quantum, x)
    largest = np.ldexp(2 - np.ldexp(1.0, 1 - MANTISSA[dtype]), MAX_EXPONENT[dtype])
    return np.where(np.abs(rounded) > largest, np.copysign(np.inf, rounded), rounded)


def encode(x, dtype):
    """Values that `dtype` can hold, as a .npy file holds them."""
    if dtype == "bf16":
        return (x.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return x.astype(STORAGE[dtype])


def encode_e4m3(x):
    """The nearest codes to x, which is at most 448 in magnitude or NaN; ties to even."""
    magnitudes = E4M3[:127]
    above = np.clip(np.searchsorted(magnitudes, np.abs(x)), 1, 126)
    up, down = magnitudes[above] - np.abs(x), np.abs(x) - magnitudes[above - 1]
    code = np.where((up < down) | ((up == down) & (above % 2 == 0)), above, above - 1)
    return np.where(np.isnan(x), 127, code + 128 * np.signbit(x)).astype(np.uint8)


def decode(stored, dtype):
    if dtype in ("f8E4M3FN", "f8E8M0FNU"):
        return (E4M3 if dtype == "f8E4M3FN" else E8M0)[stored]
    if dtype == "bf16":
        return (stored.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return stored.astype(np.float64)


def ordered(stored, dtype):
    """Integers in which neighbouring values are neighbours, and -0 is 0."""
    codes = stored.view(CODES[dtype]).astype(np.int64)
    sign = 1 << (8 * CODES[dtype]().itemsize - 1)
    return np.where(codes & sign, -(codes & (sign - 1)), codes)


def near_tie(x, dtype, largest=None, margin=8):
    """Where an error of `margin` ulp of f32, in x or in what it was made of, decides how
    it rounds to dtype."""
    quantum = ulp(x, dtype)
    away = np.abs(x / quantum - np.floor(x / quantum) - 0.5) * quantum
    return away < margin * ulp(x if largest is None else np.nan_to_num(largest), "f32")
