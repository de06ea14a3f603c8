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
    group = next((size for size in range(n // 2, 1, -1) if n % size == 0), n)
    return {"bare": dict(weighted=False, epsilon=1e-6),
            "weight": dict(epsilon=1e-6),
            "offset": dict(epsilon=1e-2, weight_offset=1),
            "inner": dict(epsilon=1e-5, inner=inner),
            "prefix": dict(epsilon=1e-5, variance_size=max(1, 2 * n // 3)),
            "groups": dict(epsilon=1e-6, group_size=group)}


def function(name, n, types, weighted=True, epsilon=1e-6, weight_offset=0, inner=None,
             variance_size=None, group_size=None):
    x, w, y = (harness.tensor(rows, n, dtype) for rows, dtype in zip((1, 0, 1), types))
    return f"""func.func @{name}(%x: {x}, %w: {w}) -> {y} {{
  %y = mortar.rms_norm %x {"weight(%w)" if weighted else ""} epsilon({epsilon:e})
    {f"variance_size({variance_size})" if variance_size else ""}
    {f"group_size({group_size})" if group_size else ""}
    {"weight_offset(1)" if weight_offset else ""} {f"inner({inner})" if inner else ""}
    : ({x}{f", {w}" if weighted else ""}) -> {y}
  return %y : {y}
}}
"""


def prefix_function(n, length):
    """The sum of a row's first elements, through a row that is filled up."""
    x, y = harness.tensor(1, n, "f32"), harness.tensor(1, 1, "f32")
    return f"""func.func @prefix(%x: {x}) -> {y} {{
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : {x}
  %e = tensor.empty(%m) : {y}
  %y = mortar.fused ins(%a = row %x : {x}) outs(row_scalar %e : {y}) {{
    %p = mortar.row_prefix %a length({length}) fill(-0.0) : vector<{n}xf32>
    %s = mortar.row_reduce <sum> %p : vector<{n}xf32> -> f32
    mortar.yield %s : f32
  }} -> {y}
  return %y : {y}
}}
"""


def check_prefix(arguments, histogram, x, where):
    """The filled row's sum has the bits of the sum over the prefix alone; also where that
    is -0."""
    length = max(1, 2 * x.shape[-1] // 3)
    x = np.where((np.arange(len(x)) % 3 == 0)[:, None], np.float32(-0.0), x)
    with np.errstate(all="ignore"):
        alone = ieee.tree_sum(x[:, :length])
    found = harness.run(arguments, prefix_function(x.shape[-1], length), [x])["prefix"][0]
    histogram.add_stepwise(("row_prefix", "f32 → f32", ""),
                           ieee.same_bits(found, alone, "f32"), where)


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
    if x_type == "f32":
        check_prefix(arguments, histogram, x, where)
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
                              options.get("variance_size"), options.get("group_size")),
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
