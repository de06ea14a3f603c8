"""mortar.l2_norm and mortar.gdn_gating against float64, and l2_norm bit for bit against
float32 in Mortar's order."""

import numpy as np

import delta_rule
import dtypes
import harness
import ieee
import inputs
from histogram import Histogram

# What the rule itself makes of them, numerics-delta-rule compares with float64.
OPS = ["l2_norm", "gdn_gating", "gated_delta_rule"]
NORM_TYPES = [("f32", "f32"), ("bf16", "bf16"), ("f16", "f16"), ("bf16", "f32")]
# Of a and dt_bias the sum is exact in f32, or its ulp would be many of g's.
GATE_TYPES = [("bf16", "f32"), ("bf16", "bf16")]
EPSILONS = {"eps_1e-6": 1e-6, "eps_1": 1.0}


def cases():
    """(op, types, N, rows)"""
    return ([("l2_norm", types, n, rows) for types in NORM_TYPES for n in harness.LENGTHS
             for rows in (1, 17)]
            + [("gdn_gating", types, n, 17) for types in GATE_TYPES for n in (16, 48, 769)])


def norm_function(name, n, types, epsilon):
    x, y = (harness.tensor(1, n, dtype) for dtype in types)
    return f"""func.func @{name}(%x: {x}) -> {y} {{
  %y = mortar.l2_norm %x epsilon({epsilon:e}) : ({x}) -> {y}
  return %y : {y}
}}
"""


def gating_function(n, types):
    a, g = (harness.tensor(1, n, dtype) for dtype in types)
    dt, log = harness.tensor(0, n, types[0]), harness.tensor(0, n, "f32")
    return f"""func.func @gating(%a: {a}, %dt: {dt}, %log: {log}, %b: {a}) -> ({g}, {g}) {{
  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : ({a}, {dt}, {log}, {a}) -> ({g}, {g})
  return %g, %beta : {g}, {g}
}}
"""


def measure_norm(arguments, types, n, rows, random, histogram, where):
    x = inputs.ordinary(random, (rows, n), types[0])
    text = "".join(norm_function(f"f{i}", n, types, epsilon)
                   for i, epsilon in enumerate(EPSILONS.values()))
    results = harness.run(arguments, text, [x])
    for i, (name, epsilon) in enumerate(EPSILONS.items()):
        key = "l2_norm", " → ".join(types), name
        wide = ieee.widen(x, types[0])
        root = np.sqrt(ieee.tree_sum(wide * wide) + np.float32(epsilon))
        own = ieee.narrow(wide * (np.float32(1) / root), types[1])
        found = results[f"f{i}"][0]
        histogram.add_stepwise(key, ieee.same_bits(found, own, types[1]), where)
        exact = dtypes.decode(x, types[0])
        length = np.sum(np.square(exact), -1, keepdims=True) + np.float64(np.float32(epsilon))
        histogram.add(key, found, types[1], "l2 norm", exact / np.sqrt(length), None, where)


def measure_gating(arguments, types, n, rows, random, histogram, where):
    a, b = (dtypes.encode(dtypes.round_to(random.standard_normal((rows, n)) * by, types[0]),
                          types[0]) for by in (6.0, 2.0))
    dt = inputs.ordinary(random, (n,), types[0])
    log = inputs.ordinary(random, (n,), "f32")
    found = harness.run(arguments, gating_function(n, types), [a, dt, log, b])["gating"]
    wide = [dtypes.decode(v, dtype) for v, dtype in
            ((a, types[0]), (b, types[0]), (log, "f32"), (dt, types[0]))]
    softplus = delta_rule.softplus(wide[0] + wide[3])
    exact = -np.exp(wide[2]) * softplus, 1 / (1 + np.exp(-wide[1]))
    for name, made, stored, value in zip(("g", "beta"), ("decay", "sigmoid"), found, exact):
        histogram.add(("gdn_gating", " → ".join(types), name), stored, types[1], made, value,
                      None, where)


def measure(arguments, case):
    op, types, n, rows = case
    histogram = Histogram()
    random = np.random.default_rng([n, rows, len(op)])
    of_op = measure_norm if op == "l2_norm" else measure_gating
    of_op(arguments, types, n, rows, random, histogram, f"N = {n}, {rows} rows")
    return histogram
