"""mortar.residual_add against float64: alone, in place, and as a norm reads it."""

import numpy as np

import dtypes
import harness
import ieee
import inputs
import oracle
from histogram import Histogram

OPS = ["residual_add"]
TYPES = [("f32", "f32", "f32"), ("bf16", "bf16", "bf16"), ("f16", "f16", "f16"),
         ("bf16", "f32", "f32"), ("bf16", "bf16", "f32"), ("f16", "f32", "bf16")]


def function(n, types):
    x, r, s = (harness.tensor(1, n, dtype) for dtype in types)
    w, y = harness.tensor(0, n, "f32"), harness.tensor(1, n, "bf16")
    return f"""func.func @sum(%x: {x}, %r: {r}, %w: {w}) -> {s} {{
  %s = mortar.residual_add %x, %r : ({x}, {r}) -> {s}
  return %s : {s}
}}
func.func @in_place(%x: {x}, %r: {r} {{bufferization.writable = true}}, %w: {w}) -> ({s}, {y}) {{
  %s = mortar.residual_add %x, %r : ({x}, {r}) -> {s}
  %y = mortar.rms_norm %s weight(%w) epsilon(1.0e-6) : ({s}, {w}) -> {y}
  return %s, %y : {s}, {y}
}}
"""


def cases():
    """(types, N, rows)"""
    return [(types, n, rows) for types in TYPES for n in harness.LENGTHS
            for rows in harness.ROWS]


def measure(arguments, case):
    types, n, rows = case
    x_type, r_type, s_type = types
    random = np.random.default_rng([n, rows])
    x, r = (inputs.ordinary(random, (rows, n), dtype) for dtype in (x_type, r_type))
    w = inputs.ordinary(random, (n,), "f32")
    results = harness.run(arguments, function(n, types), [x, r, w])
    histogram = Histogram()
    where = f"N = {n}, {rows} rows"
    exact = oracle.residual_add(dtypes.decode(x, x_type), dtypes.decode(r, r_type))
    direct = ieee.narrow(ieee.widen(x, x_type) + ieee.widen(r, r_type), s_type)
    stored, normed = results["in_place"]
    for name, sum in ("alone", results["sum"][0]), ("in place", stored):
        key = "residual_add", f"{x_type}, {r_type} → {s_type}", name
        histogram.add(key, sum, s_type, "sum", exact, where=where)
        histogram.add_stepwise(key, ieee.same_bits(sum, direct, s_type), where)
    # The norm reads the sum as its type rounds it.
    exact, _ = oracle.rms_norm(dtypes.decode(stored, s_type), dtypes.decode(w, "f32"))
    histogram.add(("residual_add, rms_norm", f"{x_type}, {r_type} → {s_type}; f32 → bf16",
                   ""), normed, "bf16", "norm", exact, where=where)
    return histogram
