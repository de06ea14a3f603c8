"""mortar.quantize and mortar.quantize_dynamic, bit for bit against float32 in NumPy.

Quantizing has no error to bound: every step is one IEEE operation, and so is written out.
"""

import numpy as np

import dtypes
import harness
import ieee
import inputs
from histogram import Histogram

OPS = ["quantize", "quantize_dynamic"]
TYPES = ["f32", "bf16", "f16"]
# Groups of 64 and 128, of what divides little else, and of a whole row.
GROUPS = {1: [], 7: [7], 111: [37, 3], 128: [64, 128], 769: [], 1536: [64, 12], 4096: [128],
          5125: [41], 8192: [128], 16384: [64]}


def variants(n):
    """{name: (to, upper bound?, group_size, ue8m0, scales' type)}"""
    chosen = {"row": ("f8E4M3FN", False, None, False, "f32"),
              "bound": ("f8E4M3FN", True, None, False, "f32"),
              "int8": ("i8", False, None, False, "f32")}
    for group in GROUPS[n]:
        chosen |= {f"group{group}": ("f8E4M3FN", False, group, False, "f32"),
                   f"power{group}": ("f8E4M3FN", False, group, True, "f32"),
                   f"code{group}": ("f8E4M3FN", False, group, True, "f8E8M0FNU"),
                   f"int8group{group}": ("i8", False, group, False, "f32")}
    return chosen


def function(name, n, x_type, to, bounded, group, ue8m0, scales):
    x, q = harness.tensor(1, n, x_type), harness.tensor(1, n, to)
    s = harness.tensor(1, n // group if group else 1, scales)
    return f"""func.func @{name}(%x: {x}, %u: tensor<1xf32>) -> ({q}, {s}) {{
  %q, %s = mortar.quantize_dynamic %x {"upper_bound(%u)" if bounded else ""}
    {f"group_size({group})" if group else ""} {"ue8m0" if ue8m0 else ""}
    : ({x}{", tensor<1xf32>" if bounded else ""}) -> ({q}, {s})
  return %q, %s : {q}, {s}
}}
"""


def static(n, x_type):
    x, q = harness.tensor(1, n, x_type), harness.tensor(1, n, "f8E4M3FN")
    return f"""func.func @static(%x: {x}, %u: tensor<1xf32>) -> {q} {{
  %q = mortar.quantize %x scale(%u) : ({x}, tensor<1xf32>) -> {q}
  return %q : {q}
}}
"""


def cases():
    """(x's type, N, rows, what the values are)"""
    return ([(x_type, n, rows, kind) for x_type in TYPES for n in harness.LENGTHS
             for rows, kind in ((1, "ordinary"), (17, "ordinary"), (17, "hard"),
                                (17, "tiny"))]
            + [(x_type, 4096, 16, "all") for x_type in ("bf16", "f16")])


def make(random, shape, x_type, kind):
    if kind == "all":  # every code there is
        return np.arange(1 << 16, dtype=np.uint16).reshape(shape).view(
            dtypes.STORAGE[x_type])
    x = (inputs.hard if kind == "hard" else inputs.ordinary)(random, shape, x_type)
    if kind == "tiny":  # where the least scales, and subnormal ones, count
        scales = 2.0 ** -(np.arange(shape[0])[:, None] * 9)
        x = dtypes.encode(dtypes.round_to(dtypes.decode(x, x_type) * scales, x_type), x_type)
    return x


def measure(arguments, case):
    x_type, n, rows, kind = case
    random = np.random.default_rng([n, rows])
    x = make(random, (rows, n), x_type, kind)
    # Nothing is far beyond the bound, but much is beyond it.
    bound = np.array([0.75 if kind == "ordinary" else 1 / 448], np.float32)
    chosen = variants(n)
    text = static(n, x_type) + "".join(
        function(name, n, x_type, *options) for name, options in chosen.items())
    results = harness.run(arguments, text, [x, bound])
    histogram = Histogram()
    where = f"N = {n}, {rows} rows, {kind}"

    def compare(name, found, expected, dtype):
        key = name, f"{x_type} → {dtype}", ""
        histogram.add_stepwise(key, ieee.same_bits(found, expected, dtype), where)

    with np.errstate(all="ignore"):
        wide = ieee.widen(x, x_type)
        compare("quantize", results["static"][0], ieee.quantize(wide, bound), "f8E4M3FN")
        for name, (to, bounded, group, ue8m0, scales) in chosen.items():
            codes, expected = ieee.quantize_dynamic(wide, to, bound if bounded else None,
                                                    group, ue8m0)
            if scales == "f8E8M0FNU":
                expected = np.where(np.isfinite(expected),
                                    np.log2(expected) + 127, 255).astype(np.uint8)
            compare(name, results[name][0], codes, to)
            compare(f"{name}'s scales", results[name][1], expected, scales)
    return histogram
