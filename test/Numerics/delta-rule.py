#!/usr/bin/env python3
"""The gated delta rule on programs and numbers that nobody wrote.

Each case runs as one kernel and as separate ones on the emulated GPU, on the CPU and on
the interpreter, and all must have the same bits; what the rule alone makes is compared
with a recurrence in float64. Indices out of range, counts out of range, sequences without
tokens and tokens without sequences are among them. Then a long decode, against float64.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np

import delta_rule
import dtypes
import harness
from delta_rule import Case

MODES = ["decode", "uniform", "varlen", "speculative", "drafts"]
SHAPES = [(8, 8, 4, 2), (128, 128, 2, 1), (64, 128, 3, 3), (128, 32, 4, 1), (20, 5, 6, 3),
          (1, 3, 1, 1), (33, 16, 2, 2), (256, 40, 2, 1)]  # K, V, value and key heads
CHAINS = [(), ("l2",), ("gating",), ("gating", "l2"), ("gating", "l2", "norm"),
          ("gating", "l2", "norm", "fp8"), ("norm",), ("gating", "fp8")]
# Of an f32: every step rounds once, a sum of K products log2 K + 1 times, and the state
# takes part of each token's error on to the next, of which exp(g) <= 1 keeps less than all.
STEPS = 12


def random_cases(count):
    for seed in range(count):
        random = np.random.default_rng(seed)
        keys, values, heads, key_heads = SHAPES[random.integers(len(SHAPES))]
        mode = MODES[seed % len(MODES)]
        columns = int(random.integers(2, 5)) if mode in ("speculative", "drafts") else 1
        sequences = int(random.integers(1, 5))
        yield Case(mode=mode, heads=heads, key_heads=key_heads, keys=keys, values=values,
                   sequences=sequences, columns=columns, seed=seed,
                   tokens=1 if mode == "decode" else int(random.integers(1, 6)),
                   slots=sequences * columns + int(random.integers(1, 4)),
                   dtype=["bf16", "f16", "f32"][random.integers(3)],
                   state=["f32", "bf16", "f16"][random.integers(3)],
                   gates=["f32", "bf16"][random.integers(2)],
                   scale=[None, 0.5][random.integers(2)],
                   chain=CHAINS[random.integers(len(CHAINS))], bad=bool(random.integers(2)),
                   constant=bool(random.integers(2)))


def run(arguments, case, options):
    """(the results, what was wrong)"""
    given = delta_rule.arrays(case)
    with tempfile.TemporaryDirectory(prefix="mortar-") as folder:
        with open(f"{folder}/case.mlir", "w") as file:
            file.write(delta_rule.text(case))
        command = [arguments.mortar_run, f"{folder}/case.mlir", "--mixed-dtypes",
                   f"--output={folder}/out.", *options]
        for number, (name, array) in enumerate(given.items()):
            np.save(f"{folder}/{number}.npy", array)
            command.append(f"--input={number}:{folder}/{number}.npy")
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            return None, f"{done.stdout}{done.stderr}\n{delta_rule.text(case)}"
        return [np.load(f"{folder}/out.f.{i}.npy") for i in (0, 1)], None


def check_bounds(case, results):
    """Where the rule's results leave float64's by more than rounding."""
    given = delta_rule.arrays(case)
    exact, size, pool, pool_size = delta_rule.reference(case, given)
    steps = STEPS * max(1, case.tokens) * 2.0**-24
    failures = []
    found = [(results[1], case.state, pool, pool_size, "state")]
    if not {"norm", "fp8"} & set(case.chain):
        found.append((results[0], case.dtype, exact, size, "output"))
    for stored, dtype, expected, magnitude, what in found:
        error = np.abs(dtypes.decode(stored, dtype) - expected)
        bound = steps * magnitude + dtypes.ulp(expected, dtype)
        if not (error <= bound).all():
            at = np.unravel_index(np.argmax(error / bound), error.shape)
            failures.append(f"{what} {at}: {error[at]:.3g} off, at most {bound[at]:.3g}")
    return failures


def check_padding(case, results):
    """Slots that nobody names keep their bits, and padded tokens give +0.0."""
    given = delta_rule.arrays(case)
    named = set(np.unique(given["slots"]).tolist())
    pool = given["pool"]
    kept = [s for s in range(case.slots) if s not in named or s == 0]
    failures = [f"slot {s} was written" for s in kept
                if pool[s].tobytes() != results[1][s].tobytes()]
    if {"norm", "fp8"} & set(case.chain):
        return failures
    exact = delta_rule.reference(case, given)[0]
    padded = (exact == 0).all(axis=(-1, -2))
    if results[0][padded].view(np.uint8).any():
        failures.append("a padded token's output isn't +0.0")
    return failures


def check_case(arguments, case, options):
    results, wrong = run(arguments, case, options)
    if wrong:
        return [f"{case}\n{wrong}"]
    return [f"{case}: {failure}"
            for failure in check_bounds(case, results) + check_padding(case, results)]


def check_sensitivity(arguments):
    """The scale and the types of decay, strength and state change bits."""
    base = Case(mode="uniform", tokens=3, chain=("gating", "l2"), dtype="f32", keys=16)
    variants = [dict(), dict(scale=0.5), dict(gates="bf16"), dict(state="bf16"),
                dict(key_heads=4)]
    seen = {}
    for options in variants:
        results, wrong = run(arguments, Case(**{**base.__dict__, **options}), [])
        if wrong:
            return [wrong]
        bits = results[0].tobytes()
        if bits in seen:
            return [f"{options} gives the bits of {seen[bits]}"]
        seen[bits] = options
    return []


STEPS_A_RUN = 200


def decode_text(case):
    """A function of STEPS_A_RUN plain decode steps, one after the other on one pool."""
    body = delta_rule.text(case)
    declared, rest = body.split(") -> (", 1)
    names = ["q0", "k0", "v", "a", "b"]
    types = dict(part.split(": ") for part in declared.split("(", 1)[1].split(", %"))
    types = {name.lstrip("%"): kind for name, kind in types.items()}
    rule = rest[rest.index("mortar.gated_delta_rule"):rest.index("  return")]
    arguments = [f"%{name}_{i}: {types[name]}" for i in range(STEPS_A_RUN) for name in names]
    arguments += [f"%pool_0: {types['pool']}", f"%slots: {types['slots']}"]
    steps = ""
    for i in range(STEPS_A_RUN):
        own = rule
        for name in names:
            own = own.replace(f"(%{name})", f"(%{name}_{i})")
        steps += f"  %o_{i}, %pool_{i + 1} = {own.replace('(%pool)', f'(%pool_{i})')}"
    last = STEPS_A_RUN
    return f"""func.func @f({", ".join(arguments)}) -> ({types["v"]}, {types["pool"]}) {{
{steps}  return %o_{last - 1}, %pool_{last} : {types["v"]}, {types["pool"]}
}}
"""


def check_long_decode(arguments, steps=2000):
    """One sequence, one token a step, each state stored and loaded again."""
    lines, failures = [], []
    for state in ("f32", "bf16"):
        case = Case(heads=2, key_heads=1, keys=32, values=32, sequences=1, slots=2,
                    state=state, chain=(), dtype="f32")
        whole = Case(**{**case.__dict__, "mode": "varlen", "tokens": steps})
        given, random = delta_rule.arrays(whole), np.random.default_rng(7)
        for name, array in given.items():
            if name in ("q0", "k0", "v", "a", "b", "z"):
                drawn = random.standard_normal((steps, *array.shape[1:]))
                if name in ("q0", "k0"):
                    drawn = delta_rule.l2_norm(drawn)
                if name in ("a", "b"):  # the logarithm of a decay near 1, and a strength
                    drawn = -0.01 * np.abs(drawn) if name == "a" else 1 / (1 + np.exp(-drawn))
                given[name] = drawn.astype(np.float32)
        given["bounds"] = np.array([0, steps], np.int32)
        pool = given["pool"].copy()
        for first in range(0, steps, STEPS_A_RUN):
            inputs = [given[name][i:i + 1] for i in range(first, first + STEPS_A_RUN)
                      for name in ("q0", "k0", "v", "a", "b")]
            # Not compiled: that would take longer, and the bits are the same.
            pool = harness.run(arguments, decode_text(case), inputs + [pool, given["slots"]],
                               ["--device=interpret"])["f"][1]
        exact = delta_rule.reference(whole, given)[2][1]
        drift = np.linalg.norm(dtypes.decode(pool, state)[1] - exact) / np.linalg.norm(exact)
        # Each step rounds the state once more, to 2^-24 or, when stored as bf16, 2^-9 of its
        # elements, and the decay forgets all but the last hundred or so; what is random among
        # so many adds up by its root.
        most = 1e-6 if state == "f32" else 1e-2
        lines.append(f"{steps} steps, {state} state: {drift:.1e} of its norm from float64 "
                     f"(at most {most:.0e})")
        if not drift <= most:
            failures.append(lines[-1])
    print("\n".join(lines))
    return failures


def main():
    parser = harness.make_parser(__doc__)
    parser.add_argument("--cases", type=int, default=60, help="how many random cases")
    parser.add_argument("--device", default="emulate", help="where one kernel runs")
    arguments = harness.parse(parser)
    options = [f"--device={arguments.device}", "--compare=unfused,cpu,interpret"]
    if arguments.device == "emulate":
        options.append("--target=sm_90")
    failures = check_sensitivity(arguments) + check_long_decode(arguments)
    cases = list(random_cases(arguments.cases))
    for found in harness.in_parallel(lambda case: check_case(arguments, case, options), cases):
        failures += found
    for failure in failures[:10]:
        print("FAILED", failure)
    print(f"{len(cases)} cases on {arguments.device}, {len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
