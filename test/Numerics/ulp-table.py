#!/usr/bin/env python3
"""Every op against float64: a histogram in ulp, by op and types.

Fails if a bound is broken, if an op that fuses has no oracle, or if the table committed in
--check isn't this run's. The run is deterministic: inputs are seeded, and results are the
same bits on every machine.
"""

import sys
import textwrap

import activation
import definitions
import delta_parts
import gated
import harness
import norm
import quant
import residual
from histogram import F32_BOUNDS, LEAST_RIGHT, MOST_APART, NARROW_REASON, Histogram

FAMILIES = [residual, norm, gated, activation, quant, delta_parts]
BEGIN, END = "<!-- begin ulp table -->\n", "<!-- end ulp table -->\n"


def check_coverage(ops, failures):
    covered = {op for family in FAMILIES for op in family.OPS}
    for op in sorted({name for name, op in ops.items() if op.fusible} - covered):
        failures.append(f"mortar.{op} fuses, but has no oracle")
    for op in sorted(covered - ops.keys()):
        failures.append(f"there is an oracle for mortar.{op}, but no such op")


def describe(total):
    bounds = [f"16-bit results: at most {MOST_APART} ulp from the correctly rounded one, and "
              f"{LEAST_RIGHT:.1%} equal to it: {NARROW_REASON}."]
    bounds += [f"f32, {made}: {most} ulp: {reason}."
               for made, (most, reason) in F32_BOUNDS.items()]
    lines = "".join(textwrap.fill(bound, 96, initial_indent="- ", subsequent_indent="  ")
                    + "\n" for bound in bounds)
    return (f"{lines}\n{total.markdown()}\n{total.stepwise} results of norms and sums, and of "
            "quantizing, also have, bit for bit,\nthe values of float32 arithmetic in NumPy, "
            "step by step in the tree's order.\n")


def main():
    parser = harness.make_parser(__doc__)
    page = parser.add_mutually_exclusive_group()
    page.add_argument("--write", metavar="PAGE", help="put the table between its markers")
    page.add_argument("--check", metavar="PAGE", help="compare it with what stands there")
    arguments = harness.parse(parser)
    total = Histogram()
    check_coverage(definitions.read_ops(arguments.llvm), total.failures)
    for family in FAMILIES:
        for histogram in harness.in_parallel(
                lambda case: family.measure(arguments, case), family.cases()):
            total.merge(histogram)
    total.check_shares()
    text = describe(total)
    print(text)
    if path := arguments.write or arguments.check:
        with open(path) as file:
            before, rest = file.read().split(BEGIN)
        committed, after = rest.split(END)
        if arguments.write:
            with open(path, "w") as file:
                file.write(before + BEGIN + text + END + after)
        elif committed != text:
            total.failures.append(f"{path}: the committed table isn't this run's; "
                                  "write it with --write")
    for failure in total.failures[:20]:
        print("FAILED", failure)
    print(f"{len(total.failures)} failures")
    return bool(total.failures)


if __name__ == "__main__":
    sys.exit(main())
