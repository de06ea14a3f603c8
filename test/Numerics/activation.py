"""mortar.silu_and_mul against float64, and silu alone: its product with 1."""

import numpy as np

import dtypes
import harness
import inputs
import oracle
from histogram import Histogram

OPS = ["silu_and_mul"]
TYPES = [("f32", "f32"), ("bf16", "bf16"), ("f16", "f16"), ("bf16", "f32"), ("f32", "bf16")]


def variants(x_type):
    # Unit-scale values meet this limit often. Many products with 0.7 would lie next to a
    # tie of bf16, and take the f32 product's side of it.
    inner = "bf16" if x_type == "f32" else x_type
    return {"plain": {}, "limit": dict(limit=0.7071), "inner": dict(inner=inner),
            "both": dict(limit=0.7071, inner=inner)}


def function(name, d, types, limit=None, inner=None):
    x, y = harness.tensor(1, 2 * d, types[0]), harness.tensor(1, d, types[1])
    return f"""func.func @{name}(%x: {x}) -> {y} {{
  %y = mortar.silu_and_mul %x {f"limit({limit:e})" if limit else ""}
    {f"inner({inner})" if inner else ""} : ({x}) -> {y}
  return %y : {y}
}}
"""


def cases():
    """(types, d, rows, whether the second half of each row is 1)"""
    return [(types, d, rows, ones) for types in TYPES for d in harness.LENGTHS
            for rows in harness.ROWS for ones in (False, True)
            if not ones or types[1] == "f32"]


def measure(arguments, case):
    types, d, rows, ones = case
    x_type, y_type = types
    random = np.random.default_rng([d, rows])
    x = inputs.ordinary(random, (rows, 2 * d), x_type)
    if ones:
        x[:, d:] = dtypes.encode(np.ones(()), x_type)
    chosen = {"plain": {}} if ones else variants(x_type)
    text = "".join(function(name, d, types, **options) for name, options in chosen.items())
    results = harness.run(arguments, text, [x])
    histogram = Histogram()
    for name, options in chosen.items():
        exact, activated = oracle.silu_and_mul(dtypes.decode(x, x_type), **options)
        inner = options.get("inner")
        histogram.add(("silu_and_mul, up = 1" if ones else "silu_and_mul",
                       f"{x_type} → {y_type}", name),
                      results[name][0], y_type, "silu" if ones else "silu product", exact,
                      dtypes.near_tie(activated, inner) if inner else None,
                      f"d = {d}, {rows} rows")
    return histogram
