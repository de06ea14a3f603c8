"""What gates one part of a row by the other, against float64; and silu alone: its product
with 1."""

import numpy as np

import dtypes
import harness
import inputs
import oracle
from histogram import Histogram

# By op: what an f32 result is bounded as, and the variants of its attributes. Unit-scale
# values meet the limits often. Many products with 0.7 would lie next to a tie of bf16, and
# take the f32 product's side of it.
VARIANTS = {
    "silu_and_mul": ("silu product", {"plain": {}, "limit": dict(limit=0.7071)}),
    "mul_and_silu": ("silu product", {"plain": {}}),
    "gelu_and_mul": ("gate by a sigmoid of a product", {"exact": {}, "tanh": dict(approximate="tanh")}),
    "swigluoai_and_mul": ("gate by a sigmoid of a product", {
        "plain": {}, "limit": dict(limit=0.7071), "alpha": dict(alpha=0.3),
        "halves": dict(layout="halves")}),
    "swiglustep_and_mul": ("silu product", {"plain": {}, "limit": dict(limit=0.7071)}),
    "fatrelu_and_mul": ("product", {"zero": dict(threshold=0.0),
                                    "some": dict(threshold=0.7071)}),
}
OPS = list(VARIANTS)
TYPES = [("f32", "f32"), ("bf16", "bf16"), ("f16", "f16"), ("bf16", "f32"), ("f32", "bf16")]


def variants(op, x_type):
    """{name: (attributes, inner)}"""
    inner = "bf16" if x_type == "f32" else x_type
    chosen = {}
    for name, attributes in VARIANTS[op][1].items():
        chosen[name] = (attributes, None)
        if op != "fatrelu_and_mul":
            chosen[f"{name}_inner"] = (attributes, inner)
    return chosen


def write(value):
    return f"{value:e}" if isinstance(value, float) else value


def function(name, op, d, types, attributes, inner):
    x, y = harness.tensor(1, 2 * d, types[0]), harness.tensor(1, d, types[1])
    options = " ".join(f"{key}({write(value)})" for key, value in attributes.items())
    return f"""func.func @{name}(%x: {x}) -> {y} {{
  %y = mortar.{op} %x {options} {f"inner({inner})" if inner else ""} : ({x}) -> {y}
  return %y : {y}
}}
"""


def cases():
    """(op, types, d, rows, whether the second half of each row is 1)"""
    return [(op, types, d, rows, ones) for op in OPS for types in TYPES
            for d in harness.LENGTHS for rows in harness.ROWS for ones in (False, True)
            if (not ones or (types[1] == "f32" and op == "silu_and_mul"))
            # silu_and_mul's kin differ from it in little else than the gate.
            and (op == "silu_and_mul" or (rows in (1, 17) and d <= 4096))]


def measure(arguments, case):
    op, types, d, rows, ones = case
    x_type, y_type = types
    random = np.random.default_rng([d, rows])
    x = inputs.ordinary(random, (rows, 2 * d), x_type)
    if ones:
        x[:, d:] = dtypes.encode(np.ones(()), x_type)
    chosen = {"plain": ({}, None)} if ones else variants(op, x_type)
    text = "".join(function(name, op, d, types, *options)
                   for name, options in chosen.items())
    results = harness.run(arguments, text, [x])
    histogram = Histogram()
    for name, (attributes, inner) in chosen.items():
        made = "silu" if ones else "gelu" if name.startswith("exact") else VARIANTS[op][0]
        with np.errstate(all="ignore"):  # exp may overflow, and up be 0
            activated, up, factors = getattr(oracle, op)(dtypes.decode(x, x_type),
                                                         **attributes)
            largest = factors / up if made == "gelu" else None
        # A sigmoid's argument of -87 is off by 43 ulp; in f16, whose numbers end sooner,
        # there are none such.
        margin = 8 if factors is None else 64 if inner == "bf16" else 12
        rounded = dtypes.round_to(activated, inner) if inner else activated
        histogram.add((f"{op}, up = 1" if ones else op, f"{x_type} → {y_type}", name),
                      results[name][0], y_type, made, rounded * up,
                      dtypes.near_tie(activated, inner, largest, margin) if inner else None,
                      f"d = {d}, {rows} rows", factors)
    return histogram
