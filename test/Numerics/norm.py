"""mortar.rms_norm against float64, and bit for bit against float32 in Mortar's order."""

import numpy as np

import dtypes
import harness
import ieee
import inputs
import oracle
from histogram import Histogram

OPS = ["rms_norm"]
TYPES = [("f32", "f32", "f32"), ("bf16", "bf16", "bf16"), ("f16", "f16", "f16"),
         ("bf16", "f32", "bf16"), ("f32", "bf16", "bf16"), ("bf16", "bf16", "f32")]


def variants(x_type, n):
    inner = "bf16" if x_type == "f32" else x_type
    return {"bare": dict(weighted=False, epsilon=1e-6),
            "weight": dict(epsilon=1e-6),
            "offset": dict(epsilon=1e-2, weight_offset=1),
            "inner": dict(epsilon=1e-5, inner=inner),
            "prefix": dict(epsilon=1e-5, variance_size=max(1, 2 * n // 3))}


def function(name, n, types, weighted=True, epsilon=1e-6, weight_offset=0, inner=None,
             variance_size=None):
    x, w, y = (harness.tensor(rows, n, dtype) for rows, dtype in zip((1, 0, 1), types))
    return f"""func.func @{name}(%x: {x}, %w: {w}) -> {y} {{
  %y = mortar.rms_norm %x {"weight(%w)" if weighted else ""} epsilon({epsilon:e})
    {f"variance_size({variance_size})" if variance_size else ""}
    {"weight_offset(1)" if weight_offset else ""} {f"inner({inner})" if inner else ""}
    : ({x}{f", {w}" if weighted else ""}) -> {y}
  return %y : {y}
}}
"""


def cases():
    """(types, N, rows, whether the values are hard)"""
    return [(types, n, rows, hard) for types in TYPES for n in harness.LENGTHS
            for rows in harness.ROWS for hard in (False, True) if not hard or rows == 17]


def measure(arguments, case):
    types, n, rows, hard = case
    x_type, w_type, y_type = types
    random = np.random.default_rng([n, rows, hard])
    make = inputs.hard if hard else inputs.ordinary
    x, w = make(random, (rows, n), x_type), make(random, (n,), w_type)
    results = {}
    for name, options in variants(x_type, n).items():
        results |= harness.run(arguments, function(name, n, types, **options), [x, w])
    histogram = Histogram()
    where = f"N = {n}, {rows} rows, hard {hard}"
    for name, options in variants(x_type, n).items():
        options = dict(options)
        weighted = options.pop("weighted", True)
        key = "rms_norm", f"{x_type}, {w_type} → {y_type}", name
        y = results[name][0]
        inner = options.get("inner")
        with np.errstate(all="ignore"):
            expected = ieee.narrow(
                ieee.rms_norm(ieee.widen(x, x_type),
                              ieee.widen(w, w_type) if weighted else None,
                              options["epsilon"], options.get("weight_offset", 0), inner,
                              options.get("variance_size")),
                y_type)
        histogram.add_stepwise(key, ieee.same_bits(y, expected, y_type), where)
        if hard:
            continue
        exact, normalized = oracle.rms_norm(
            dtypes.decode(x, x_type), dtypes.decode(w, w_type) if weighted else None,
            **options)
        histogram.add(key, y, y_type, "norm", exact,
                      dtypes.near_tie(normalized, inner) if inner else None, where)
    return histogram
