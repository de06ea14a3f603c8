#!/usr/bin/env python3
"""Equal bits: fused and unfused, host and x86-64-v3, any alignment and row distance.

Each file holds chains of ops for one row length. mortar-run compares every result with
the same program unfused, for another CPU and on aligned operands, at row counts around
those where others change their reduction's order, on normal and on hard values, and
checks that nothing is written outside the results.
"""

import os
import re
import subprocess
import sys
import tempfile

import harness

ROWS = "1,2,3,17,255,256,257"
LENGTHS = [1, 7, 111, 128, 769, 2048, 3077]
PLACEMENTS = [["--offset=1", "--pad=3"], ["--offset=4", "--pad=0"], ["--pad=8"]]
MIXES = [("bf16", "bf16", "bf16"), ("f16", "f16", "f16"), ("f32", "f32", "f32"),
         ("bf16", "f32", "f32"), ("f16", "f32", "bf16")]  # x, residual and sum, weight


def chains(n, mix):
    x_type, s_type, w_type = mix
    x, s = harness.tensor(1, n, x_type), harness.tensor(1, n, s_type)
    w, wide = harness.tensor(0, n, w_type), harness.tensor(1, 2 * n, x_type)
    f = harness.tensor(1, n, "f32")
    name = "_".join(mix)
    add = f"%s = mortar.residual_add %x, %r : ({x}, {s}) -> {s}"

    def norm(result, source, source_type, result_type, options=""):
        return (f"{result} = mortar.rms_norm {source} weight(%w) epsilon(1.0e-6) {options}"
                f" : ({source_type}, {w}) -> {result_type}")

    return f"""
func.func @add_norm_{name}(%x: {x}, %r: {s}, %w: {w}) -> ({x}, {s}) {{
  {add}
  {norm("%y", "%s", s, x)}
  return %y, %s : {x}, {s}
}}
func.func @in_place_{name}(%x: {x}, %r: {s} {{bufferization.writable = true}}, %w: {w}) -> ({x}, {s}) {{
  {add}
  {norm("%y", "%s", s, x, "weight_offset(1)")}
  return %y, %s : {x}, {s}
}}
func.func @two_readers_{name}(%x: {x}, %r: {s}, %w: {w}) -> ({x}, {f}) {{
  {add}
  {norm("%y", "%s", s, x)}
  {norm("%z", "%s", s, f, "inner(bf16)")}
  %z2 = mortar.residual_add %z, %y : ({f}, {x}) -> {f}
  return %y, %z2 : {x}, {f}
}}
func.func @silu_{name}(%x: {wide}) -> {s} {{
  %y = mortar.silu_and_mul %x limit(1.5) inner({x_type}) : ({wide}) -> {s}
  return %y : {s}
}}
func.func @silu_add_norm_{name}(%x: {wide}, %r: {s}, %w: {w}) -> {x} {{
  %a = mortar.silu_and_mul %x : ({wide}) -> {s}
  %s = mortar.residual_add %a, %r : ({s}, {s}) -> {s}
  {norm("%y", "%s", s, x)}
  return %y : {x}
}}
func.func @gates_{name}(%x: {wide}, %z: {s}, %w: {w}) -> ({s}, tensor<?x{n}xi8>, tensor<?x1xf32>) {{
  %a = mortar.gelu_and_mul %x inner({x_type}) : ({wide}) -> {x}
  %b = mortar.swigluoai_and_mul %x limit(1.5) layout(halves) : ({wide}) -> {s}
  %c = mortar.gated_rms_norm %a gate(%b) weight(%w) bias(%w) epsilon(1.0e-6) inner({s_type})
    : ({x}, {s}, {w}, {w}) -> {s}
  %d = mortar.residual_add %c, %z : ({s}, {s}) -> {s}
  %q, %t = mortar.quantize_dynamic %d : ({s}) -> (tensor<?x{n}xi8>, tensor<?x1xf32>)
  return %d, %q, %t : {s}, tensor<?x{n}xi8>, tensor<?x1xf32>
}}
func.func @kin_{name}(%x: {wide}, %z: {x}, %w: {w}) -> {f} {{
  %a = mortar.gelu_and_mul %x approximate(tanh) : ({wide}) -> {x}
  %b = mortar.swiglustep_and_mul %x limit(0.5) inner({s_type}) : ({wide}) -> {x}
  %c = mortar.residual_add %a, %b : ({x}, {x}) -> {f}
  %d = mortar.fatrelu_and_mul %x threshold(0.25) : ({wide}) -> {f}
  %e = mortar.residual_add %c, %d : ({f}, {f}) -> {f}
  %g = mortar.mul_and_silu %x : ({wide}) -> {f}
  %h = mortar.residual_add %e, %g : ({f}, {f}) -> {f}
  %y = mortar.gated_rms_norm %h gate(%z) weight(%w) epsilon(1.0e-6) activation(sigmoid)
    norm_before_gate(false) weight_offset(1) : ({f}, {x}, {w}) -> {f}
  return %y : {f}
}}
func.func @norm_arith_{name}(%x: {x}, %b: {x}, %w: {w}) -> {f} {{
  {norm("%n", "%x", x, x)}
  %m = arith.mulf %n, %b : {x}
  %k = arith.maximumf %m, %b : {x}
  %d = arith.subf %k, %n : {x}
  %e = mortar.residual_add %d, %k : ({x}, {x}) -> {f}
  %g = arith.mulf %e, %e : {f}
  return %g : {f}
}}
"""


def heads(n):
    q, w = f"tensor<?x3x{n}xbf16>", f"tensor<{n}xbf16>"
    return f"""
func.func @heads(%q: {q}, %k: {q}, %w: {w}) -> ({q}, {q}) {{
  %y = mortar.rms_norm %q weight(%w) epsilon(1.0e-6) : ({q}, {w}) -> {q}
  %z = mortar.residual_add %y, %k : ({q}, {q}) -> {q}
  return %y, %z : {q}, {q}
}}
"""


def main():
    arguments = harness.parse(harness.make_parser(__doc__))
    lengths = LENGTHS[1:5:3] if arguments.quick else LENGTHS
    cases = []
    for number, n in enumerate(lengths):
        for values in ("random", "hard"):
            placement = PLACEMENTS[(number + (values == "hard")) % len(PLACEMENTS)]
            cases.append((n, [f"--values={values}", f"--seed={n}", *placement]))
    counts = dict(results=0, elements=0, ops=0, kernels=0, differ=0)
    failures = []
    with tempfile.TemporaryDirectory(prefix="mortar-") as folder:
        for n in lengths:
            with open(f"{folder}/{n}.mlir", "w") as file:
                file.write("".join(chains(n, mix) for mix in MIXES) + heads(n))

        def compare(case):
            n, options = case
            command = [arguments.mortar_run, f"{folder}/{n}.mlir", f"--rows={ROWS}",
                       "--compare=unfused,cpu,aligned", "--mixed-dtypes", "--summary",
                       f"--target={arguments.target}", *options]
            return command, subprocess.run(command, capture_output=True, text=True,
                                           timeout=300)

        for command, done in harness.in_parallel(compare, cases):
            for line in done.stdout.splitlines():
                if found := re.search(r"= \w+ .* (\d+) elements +(\d+) differ", line):
                    counts["results"] += 1
                    counts["elements"] += int(found[1])
                    counts["differ"] += int(found[2])
                    if int(found[2]):
                        failures.append(line)
                elif found := re.fullmatch(r"[\w+]+ +(\d+) +(\d+) +\d+ +\d+", line):
                    counts["ops"] += int(found[1])
                    counts["kernels"] += int(found[2])
            if done.returncode:
                failures.append(f"{' '.join(command)}: exit {done.returncode} "
                                f"{done.stderr[:2000]}")
    if counts["kernels"] >= counts["ops"]:
        failures.append("nothing was fused, so that nothing was compared")
    for failure in failures[:20]:
        print("FAILED", failure)
    print(f"{counts['elements']} elements of {counts['results']} results compared, "
          f"{counts['differ']} differ; {counts['ops']} ops in {counts['kernels']} kernels; "
          f"{len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
