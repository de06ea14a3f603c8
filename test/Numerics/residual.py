#!/usr/bin/env python3
"""mortar.residual_add against float64, alone and in the conventions of other programs."""

import sys

import numpy as np

import dtypes
import harness
import ieee
import oracle

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


def main():
    arguments = harness.parse_arguments(__doc__)
    table = harness.Table(f32_bound=0.5)
    random = np.random.default_rng(1)

    def measure(case):
        types, n, rows, x, r, w = case
        return case, harness.run(arguments, function(n, types), [x, r, w])

    def make(shape, dtype):
        return dtypes.encode(dtypes.round_to(random.standard_normal(shape), dtype), dtype)

    cases = [(types, n, rows, make((rows, n), types[0]), make((rows, n), types[1]),
              make((n,), "f32"))
             for types in TYPES for n in harness.LENGTHS for rows in harness.ROWS]
    for (types, n, rows, x, r, w), results in harness.in_parallel(measure, cases):
        x_type, r_type, s_type = types
        where = f"N = {n}, {rows} rows"
        exact = oracle.residual_add(dtypes.decode(x, x_type), dtypes.decode(r, r_type))
        kind = f"{x_type} + {r_type} -> {s_type}"
        table.add(kind, results["sum"][0], s_type, exact, where=where)
        table.add(f"in place {kind}", results["in_place"][0], s_type, exact, where=where)
        # The norm reads the sum as its type rounds it.
        stored = results["in_place"][0]
        normed, _ = oracle.rms_norm(dtypes.decode(stored, s_type), dtypes.decode(w, "f32"))
        table.add(f"norm of {kind}; bf16", results["in_place"][1], "bf16", normed,
                  where=where)
        direct = ieee.narrow(ieee.widen(x, x_type) + ieee.widen(r, r_type), s_type)
        if not ieee.same_bits(stored, direct, s_type).all():
            table.failures.append(f"{kind} {where}: bits differ from float32's")
    table.finish("residual_add against float64")


if __name__ == "__main__":
    sys.exit(main())
