"""What each op means, in float64 and NumPy alone.

Written from the ops' formulas, not from their decompositions: nothing here adds in
Mortar's order or takes a pinned sequence. Values are float64 arrays; a value is rounded
where the op's types say so (`inner`, the result), by `round_to` in dtypes.py.
"""

import math

import numpy as np

from dtypes import round_to


def residual_add(x, residual):
    return x + residual


def rms_norm(x, weight=None, epsilon=1e-6, weight_offset=0, inner=None,
             variance_size=None, group_size=None):
    """The result before it is rounded, and the normalized row before `inner`."""
    groups = x.reshape(*x.shape[:-1], -1, group_size or x.shape[-1])
    mean = np.mean(np.square(groups[..., :variance_size]), axis=-1, keepdims=True)
    normalized = (groups / np.sqrt(mean + np.float64(np.float32(epsilon)))).reshape(x.shape)
    result = round_to(normalized, inner) if inner else normalized
    if weight is not None:
        result = result * (weight + weight_offset)
    return result, normalized


def gated_rms_norm(x, gate, weight, epsilon=1e-6, activation="silu", norm_before_gate=True,
                   group_size=None, weight_offset=0, inner=None, bias=None):
    """The result before it is rounded, and the normalized row before `inner`."""
    act = sigmoid(gate) * (1 if activation == "sigmoid" else gate)
    if not norm_before_gate:
        x = x * act
    size = group_size or x.shape[-1]
    groups = x.reshape(*x.shape[:-1], -1, size)
    mean = np.mean(np.square(groups), axis=-1, keepdims=True)
    normalized = (groups / np.sqrt(mean + np.float64(np.float32(epsilon)))).reshape(x.shape)
    result = round_to(normalized, inner) if inner else normalized
    result = result * (weight + weight_offset) + (0 if bias is None else bias)
    return result * (act if norm_before_gate else 1), normalized


# What gates one part of a row by the other. Each gives the activated gate before `inner`,
# what it is multiplied by, and the largest factor of both: where a formula subtracts, its
# error is one of that and not of the result.

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def halves(x):
    d = x.shape[-1] // 2
    return x[..., :d], x[..., d:]


def f32(number):
    return np.float64(np.float32(number))


def silu_and_mul(x, limit=None):
    gate, up = halves(x)
    if limit is not None:
        gate, up = np.minimum(gate, f32(limit)), np.clip(up, -f32(limit), f32(limit))
    return gate * sigmoid(gate), up, None


def mul_and_silu(x):
    up, gate = halves(x)
    return gate * sigmoid(gate), up, None


def gelu_and_mul(x, approximate="none"):
    gate, up = halves(x)
    if approximate == "tanh":
        inside = np.sqrt(2 / np.pi) * (gate + 0.044715 * gate ** 3)
        return gate * sigmoid(2 * inside), up, gate * up
    erf = np.vectorize(math.erf, otypes=[np.float64])
    return gate * 0.5 * (1 + erf(gate / np.sqrt(2))), up, gate * up


def swigluoai_and_mul(x, alpha=1.702, limit=7.0, layout="interleaved"):
    gate, up = (x[..., ::2], x[..., 1::2]) if layout == "interleaved" else halves(x)
    gate, up = np.minimum(gate, f32(limit)), np.clip(up, -f32(limit), f32(limit)) + 1
    return gate * sigmoid(f32(alpha) * gate), up, gate * up


def swiglustep_and_mul(x, limit=7.0):
    gate, up = halves(x)
    return (np.minimum(gate * sigmoid(gate), f32(limit)),
            np.clip(up, -f32(limit), f32(limit)), None)


def fatrelu_and_mul(x, threshold):
    gate, up = halves(x)
    return np.where(gate <= f32(threshold), 0, gate), up, None
