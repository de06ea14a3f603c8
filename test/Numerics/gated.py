"""mortar.gated_rms_norm against float64; and, with silu, bit for bit against float32 in
Mortar's order, with the bits of Mortar's own silu, which no convention fixes."""

import numpy as np

import dtypes
import harness
import ieee
import inputs
import oracle
from histogram import Histogram

OPS = ["gated_rms_norm"]
TYPES = [("f32", "f32", "f32", "f32"), ("bf16", "bf16", "bf16", "bf16"),
         ("f16", "f16", "f16", "f16"), ("bf16", "f32", "f32", "bf16")]  # x, z, w, y
GROUPS = {7: 7, 111: 37, 128: 32, 769: 769, 1536: 128, 4096: 128}


def variants(x_type, n):
    inner = "bf16" if x_type == "f32" else x_type
    chosen = {"plain": {}, "sigmoid": dict(activation="sigmoid", epsilon=1e-2),
              "gate_first": dict(norm_before_gate=False),
              "offset": dict(weight_offset=1, epsilon=1e-5),
              "inner": dict(inner=inner)}
    if n in GROUPS:
        chosen["groups"] = dict(group_size=GROUPS[n])
        chosen["groups_gate_first"] = dict(group_size=GROUPS[n], norm_before_gate=False,
                                           activation="sigmoid")
    # What only the bits are compared of: a bias cancels, and a second rounding may go
    # either way.
    bitwise = {"bias": dict(bias=True), "weighted": dict(inner=inner, weighted=inner)}
    return chosen, bitwise


def function(name, n, types, epsilon=1e-6, activation="silu", norm_before_gate=True,
             group_size=None, weight_offset=0, inner=None, weighted=None, bias=False):
    x, z, w, y = (harness.tensor(rows, n, dtype) for rows, dtype in zip((1, 1, 0, 1), types))
    b = f", {w}" if bias else ""
    return f"""func.func @{name}(%x: {x}, %z: {z}, %w: {w}, %b: {w}) -> {y} {{
  %y = mortar.gated_rms_norm %x gate(%z) weight(%w) {"bias(%b)" if bias else ""}
    epsilon({epsilon:e}) activation({activation})
    {"" if norm_before_gate else "norm_before_gate(false)"}
    {f"group_size({group_size})" if group_size else ""}
    {"weight_offset(1)" if weight_offset else ""} {f"inner({inner})" if inner else ""}
    {f"weighted({weighted})" if weighted else ""} : ({x}, {z}, {w}{b}) -> {y}
  return %y : {y}
}}
"""


def silu_function(n):
    wide, y = harness.tensor(1, 2 * n, "f32"), harness.tensor(1, n, "f32")
    return f"""func.func @silu(%x: {wide}) -> {y} {{
  %y = mortar.silu_and_mul %x : ({wide}) -> {y}
  return %y : {y}
}}
"""


def silu(arguments, z):
    """The bits of Mortar's silu of float32 values."""
    both = np.concatenate([z, np.ones_like(z)], axis=-1)
    return harness.run(arguments, silu_function(z.shape[-1]), [both])["silu"][0]


def stepwise(x, act, w, b, epsilon=1e-6, norm_before_gate=True, group_size=None,
             weight_offset=0, inner=None, weighted=None, bias=False):
    def rounded(v, dtype):
        return ieee.widen(ieee.narrow(v, dtype), dtype) if dtype else v

    if not norm_before_gate:
        x = x * act
    groups = x.reshape(len(x), -1, group_size or x.shape[-1])
    y = ieee.rms_norm(groups, None, epsilon, 0, inner).reshape(x.shape)
    y = y * (w + np.float32(1) if weight_offset else w)
    if bias:
        y = y + b
    return rounded(y, weighted) * act if norm_before_gate else y


def cases():
    """(types, N, rows, whether the values are hard)"""
    return [(types, n, rows, hard) for types in TYPES for n in harness.LENGTHS if n <= 5125
            for rows, hard in ((1, False), (17, False), (17, True))]


def measure(arguments, case):
    types, n, rows, hard = case
    x_type, z_type, w_type, y_type = types
    random = np.random.default_rng([n, rows, hard])
    make = inputs.hard if hard else inputs.ordinary
    x, z, w, b = (make(random, shape, dtype) for shape, dtype in zip(
        ((rows, n), (rows, n), (n,), (n,)), (x_type, z_type, w_type, w_type)))
    judged, bitwise = variants(x_type, n)
    results = {}
    for name, options in (judged | bitwise).items():
        results |= harness.run(arguments, function(name, n, types, **options), [x, z, w, b])
    histogram = Histogram()
    where = f"N = {n}, {rows} rows, hard {hard}"
    with np.errstate(all="ignore"):
        act = silu(arguments, ieee.widen(z, z_type))
        wide = [ieee.widen(v, dtype) for v, dtype in ((x, x_type), (w, w_type), (b, w_type))]
    for name, options in (judged | bitwise).items():
        key = "gated_rms_norm", ", ".join(types[:3]) + f" → {y_type}", name
        y, inner = results[name][0], options.get("inner")
        if options.get("activation") != "sigmoid":
            with np.errstate(all="ignore"):
                expected = ieee.narrow(stepwise(wide[0], act, *wide[1:], **options), y_type)
            histogram.add_stepwise(key, ieee.same_bits(y, expected, y_type), where)
        if hard or name in bitwise:
            continue
        exact, normalized = oracle.gated_rms_norm(
            *(dtypes.decode(v, dtype) for v, dtype in zip((x, z, w), types)), **options)
        histogram.add(key, y, y_type, "gated norm", exact,
                      dtypes.near_tie(normalized, inner) if inner else None, where)
    return histogram
