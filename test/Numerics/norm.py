#!/usr/bin/env python3
"""mortar.rms_norm against float64, and bit for bit against float32 in Mortar's order."""

import sys

import numpy as np

import dtypes
import harness
import ieee
import oracle

TYPES = [("f32", "f32", "f32"), ("bf16", "bf16", "bf16"), ("f16", "f16", "f16"),
         ("bf16", "f32", "bf16"), ("f32", "bf16", "bf16"), ("bf16", "bf16", "f32")]


def variants(x_type):
    inner = "bf16" if x_type == "f32" else x_type
    return {"bare": dict(weighted=False, epsilon=1e-6),
            "weight": dict(epsilon=1e-6),
            "offset": dict(epsilon=1e-2, weight_offset=1),
            "inner": dict(epsilon=1e-5, inner=inner)}


def function(name, n, types, weighted=True, epsilon=1e-6, weight_offset=0, inner=None):
    x, w, y = (harness.tensor(rows, n, dtype) for rows, dtype in zip((1, 0, 1), types))
    return f"""func.func @{name}(%x: {x}, %w: {w}) -> {y} {{
  %y = mortar.rms_norm %x {"weight(%w)" if weighted else ""} epsilon({epsilon:e})
    {"weight_offset(1)" if weight_offset else ""} {f"inner({inner})" if inner else ""}
    : ({x}{f", {w}" if weighted else ""}) -> {y}
  return %y : {y}
}}
"""


def main():
    arguments = harness.parse_arguments(__doc__)
    table = harness.Table(f32_bound=4)
    compared = 0

    def measure(case):
        types, n, rows, hard = case
        random = np.random.default_rng([n, rows, hard])
        make = ieee.hard_values if hard else lambda random, shape, dtype: dtypes.encode(
            dtypes.round_to(random.standard_normal(shape), dtype), dtype)
        x, w = make(random, (rows, n), types[0]), make(random, (n,), types[1])
        text = "".join(function(name, n, types, **options)
                       for name, options in variants(types[0]).items())
        return case, x, w, harness.run(arguments, text, [x, w])

    cases = [(types, n, rows, hard) for types in TYPES for n in harness.LENGTHS
             for rows in harness.ROWS for hard in (False, True) if not hard or rows == 17]
    for (types, n, rows, hard), x, w, results in harness.in_parallel(measure, cases):
        x_type, w_type, y_type = types
        for name, options in variants(x_type).items():
            options = dict(options)
            weighted = options.pop("weighted", True)
            kind = f"{name} {x_type}, {w_type} -> {y_type}"
            y = results[name][0]
            with np.errstate(all="ignore"):
                expected = ieee.narrow(
                    ieee.rms_norm(ieee.widen(x, x_type),
                                  ieee.widen(w, w_type) if weighted else None,
                                  options["epsilon"], options.get("weight_offset", 0),
                                  options.get("inner")), y_type)
            same = ieee.same_bits(y, expected, y_type)
            compared += same.size
            if not same.all():
                table.failures.append(f"{kind}: N = {n}, {rows} rows, hard {hard}: "
                                      f"{(~same).sum()} bits differ from float32's")
            if hard:
                continue
            exact, normalized = oracle.rms_norm(
                dtypes.decode(x, x_type), dtypes.decode(w, w_type) if weighted else None,
                **options)
            inner = options.get("inner")
            table.add(kind, y, y_type, exact,
                      dtypes.near_tie(normalized, inner) if inner else None,
                      f"N = {n}, {rows} rows")
    print(f"{compared} results compared with float32 step by step, bit for bit")
    table.finish("rms_norm against float64")


if __name__ == "__main__":
    sys.exit(main())
