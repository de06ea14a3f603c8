#!/usr/bin/env python3
"""The conventions of dialects/Mortar/PRESETS.md against their formulas, bit for bit.

The formulas are float32 NumPy with every rounding written out, and know nothing of
Mortar's decompositions, but for the order of the sum, which no convention fixes: that is
Mortar's tree. The programs are read from the page, so that it can't go stale.
"""

import os
import re
import sys

import numpy as np

import definitions
import harness
import ieee
import inputs

PAGE = os.path.join(definitions.DIALECT, "PRESETS.md")
EPSILON = np.float32(1e-6)
LENGTHS = [1, 7, 769, 4096]
WRITTEN = 4096  # the row length that the page's programs have


def rstd(s):
    """1 / root mean square of each row; N is the last dimension."""
    mean = ieee.tree_sum(s * s) / np.float32(s.shape[-1])
    return np.float32(1) / np.sqrt(mean + EPSILON)


# Each takes x and r, of the activation's type, and w, all widened to f32, and `bf`, which
# rounds to the activation's type; and gives the normalized rows and the new residual.

def vllm_ir(x, r, w, bf):
    s = x + r
    return bf(bf(s * rstd(s)) * w), bf(s)


def vllm_ir_f32_weight(x, r, w, bf):
    s = x + r
    return bf(s * rstd(s) * w), bf(s)


def vllm_c_two_roundings(x, r, w, bf):
    s = bf(x + r)
    return bf(bf(s * rstd(s)) * w), s


def vllm_c_one_rounding(x, r, w, bf):
    s = bf(x + r)
    return bf((s * rstd(s)) * w), s


def flashinfer(x, r, w, bf, bias=0):
    s = x + r
    return bf((s * rstd(s)) * (np.float32(bias) + w)), bf(s)


def flashinfer_gemma(x, r, w, bf):
    return flashinfer(x, r, w, bf, bias=1)


def hf_llama(x, r, w, bf):
    hidden = bf(x + r)
    return bf(w * bf(hidden * rstd(hidden))), hidden


def hf_gemma(x, r, w, bf):
    hidden = bf(x + r)
    return bf(hidden * rstd(hidden) * (np.float32(1) + w)), hidden


FORMULAS = {f.__name__: f for f in (
    vllm_ir, vllm_ir_f32_weight, vllm_c_two_roundings, vllm_c_one_rounding, flashinfer,
    flashinfer_gemma, hf_llama, hf_gemma)}


def read_page():
    """{preset: program} and {preset: percent of outputs apart from vllm_ir}."""
    with open(PAGE) as file:
        text = file.read()
    programs = {re.search(r"@(\w+)", program)[1]: program
                for program in re.findall(r"```mlir\n(.*?)```", text, re.DOTALL)}
    return programs, {name: int(share) for name, share in
                      re.findall(r"^\| (\w+) \| (\d+) % \|$", text, re.MULTILINE)}


def weight_type(program, dtype):
    return re.search(r"%w: tensor<\d+x(\w+)>", program)[1].replace("bf16", dtype)


def measure(arguments, programs, case):
    """What differs from the formulas, and {preset: normalized rows}."""
    dtype, n, rows, hard = case
    random = np.random.default_rng([n, rows, hard])
    make = inputs.hard if hard else inputs.ordinary
    x, r = (make(random, (rows, n), dtype) for _ in range(2))
    weights = {w_type: make(random, (n,), w_type) for w_type in {dtype, "f32"}}
    failures, normalized = [], {}

    def bf(v):
        return ieee.widen(ieee.narrow(v, dtype), dtype)

    for name, program in programs.items():
        w_type = weight_type(program, dtype)
        text = program.replace(f"{WRITTEN}x", f"{n}x").replace("bf16", dtype)
        found = harness.run(arguments, text, [x, r, weights[w_type]])[name]
        with np.errstate(all="ignore"):
            expected = FORMULAS[name](ieee.widen(x, dtype), ieee.widen(r, dtype),
                                      ieee.widen(weights[w_type], w_type), bf)
        normalized[name] = found[0]
        for what, a, b in zip(("normalized", "residual"), found, expected):
            same = ieee.same_bits(a, ieee.narrow(b, dtype), dtype)
            if not same.all():
                failures.append(f"{name} {dtype}, N = {n}, {rows} rows, hard {hard}: "
                                f"{(~same).sum()} of {same.size} {what} values differ")
    return failures, normalized


def check_shares(normalized, shares):
    """How far apart the presets are is as the page says."""
    failures = []
    for name, share in shares.items():
        found = 100 * np.mean(normalized[name] != normalized["vllm_ir"])
        if round(found) != share:
            failures.append(f"{name}: the page says {share} % differ from vllm_ir, "
                            f"but {found:.2f} % do")
    return failures


def main():
    arguments = harness.parse(harness.make_parser(__doc__))
    programs, shares = read_page()
    if programs.keys() != FORMULAS.keys():
        sys.exit(f"expected the presets {sorted(FORMULAS)} in {PAGE}, "
                 f"but found {sorted(programs)}")
    cases = [(dtype, n, rows, hard) for dtype in ("bf16", "f16") for n in LENGTHS
             for rows in (1, 17) for hard in (False, True)]
    # Enough rows for shares in percent.
    cases.append(("bf16", WRITTEN, 99, False))
    failures = []
    for wrong, normalized in harness.in_parallel(
            lambda case: measure(arguments, programs, case), cases):
        failures += wrong
    failures += check_shares(normalized, shares)
    for failure in failures[:20]:
        print("FAILED", failure)
    print(f"{len(programs)} presets in {len(cases)} cases, {len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
