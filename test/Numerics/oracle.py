"""What each op means, in float64 and NumPy alone.

Written from the ops' formulas, not from their decompositions: nothing here adds in
Mortar's order or takes a pinned sequence. Values are float64 arrays; a value is rounded
where the op's types say so (`inner`, the result), by `round_to` in dtypes.py.
"""

import numpy as np

from dtypes import round_to


def residual_add(x, residual):
    return x + residual


def rms_norm(x, weight=None, epsilon=1e-6, weight_offset=0, inner=None):
    """The result before it is rounded, and the normalized row before `inner`."""
    mean = np.mean(np.square(x), axis=-1, keepdims=True)
    normalized = x / np.sqrt(mean + np.float64(np.float32(epsilon)))
    result = round_to(normalized, inner) if inner else normalized
    if weight is not None:
        result = result * (weight + weight_offset)
    return result, normalized


def silu_and_mul(x, limit=None, inner=None):
    """The result before it is rounded, and silu before `inner`."""
    d = x.shape[-1] // 2
    gate, up = x[..., :d], x[..., d:]
    if limit is not None:
        limit = np.float64(np.float32(limit))
        gate = np.minimum(gate, limit)
        up = np.clip(up, -limit, limit)
    activated = gate / (1 + np.exp(-gate))
    rounded = round_to(activated, inner) if inner else activated
    return rounded * up, activated
