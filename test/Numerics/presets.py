#!/usr/bin/env python3
"""The conventions of dialects/Mortar/PRESETS.md against their formulas, bit for bit.

The formulas are float32 NumPy with every rounding written out, and know nothing of
Mortar's decompositions, but for the order of the sum and the bits of silu, which no
convention fixes: those are Mortar's. The programs are read from the page, so that it can't go stale.
"""

import os
import re
import sys

import numpy as np

import definitions
import dtypes
import gated
import harness
import ieee
import inputs

PAGE = os.path.join(definitions.DIALECT, "PRESETS.md")
EPSILON = np.float32(1e-6)
LENGTHS = [1, 7, 769, 4096]
GROUPED = [128, 1536, 4096]  # of what has groups of 128
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


# The gated norms take x, the gate and its silu, w and `bf`, and give the result.

def fla_gated(x, act, w, bf):
    return (bf(x * rstd(x) * w * act),)


def mamba2_gated(x, act, w, bf):
    v = (x * act).reshape(len(x), -1, 128)
    return (bf((v * rstd(v)).reshape(x.shape) * w),)


def hf_gated(x, act, w, bf):
    return (bf(bf(w * bf(x * rstd(x))) * act),)


# Quantizing gives codes first, then scales or what was quantized.

def saturate(v):
    return np.minimum(np.maximum(v, np.float32(-448)), np.float32(448))


def vllm_fp8_static(x, c):
    return (dtypes.encode_e4m3(saturate(x * (np.float32(1) / c))),)


def vllm_add_norm_fp8_static(x, r, w, c, bf):
    y, s = vllm_c_one_rounding(x, r, w, bf)
    return *vllm_fp8_static(y, c), y, s


def vllm_fp8_per_token(x, bound=None):
    absmax = np.max(np.abs(x), axis=-1, keepdims=True)
    if bound is not None:
        absmax = np.minimum(absmax, bound)
    least = np.float32(1) / (np.float32(448) * np.float32(512))
    scale = np.maximum(absmax / np.float32(448), least)
    return dtypes.encode_e4m3(saturate(x / scale)), scale


def vllm_fp8_per_token_bounded(x, c):
    return vllm_fp8_per_token(x, c)


def vllm_fp8_per_group(x, power_of_two=False):
    groups = x.reshape(len(x), -1, 128)
    absmax = np.max(np.abs(groups), axis=-1, keepdims=True)
    scale = np.maximum(absmax, np.float32(1e-10)) / np.float32(448)
    if power_of_two:
        exact = np.ceil(np.log2(scale.astype(np.float64)))
        scale = np.exp2(exact).astype(np.float32)
    return (dtypes.encode_e4m3(saturate(groups / scale)).reshape(x.shape), scale[..., 0])


def vllm_fp8_per_group_ue8m0(x):
    return vllm_fp8_per_group(x, power_of_two=True)


def vllm_int8_per_token(x):
    scale = np.max(np.abs(x), axis=-1, keepdims=True) / np.float32(127)
    q = np.clip(np.rint(x / scale), -128, 127)
    return np.where(np.isnan(q), 0, q).astype(np.int8), scale


FORMULAS = {f.__name__: f for f in (
    fla_gated, mamba2_gated, hf_gated, vllm_fp8_static, vllm_add_norm_fp8_static,
    vllm_fp8_per_token, vllm_fp8_per_token_bounded, vllm_fp8_per_group,
    vllm_fp8_per_group_ue8m0, vllm_int8_per_token,
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


def rewrite(program, n, dtype):
    """For rows of n values of dtype."""
    return program.replace(f"?x{WRITTEN // 128}x", f"?x{n // 128}x").replace(
        f"{WRITTEN}x", f"{n}x").replace("bf16", dtype)


def make_argument(random, make, name, type, rows):
    """A stored array for a type as the program writes it, and its element type."""
    extents, dtype = re.fullmatch(r"tensor<((?:[?\d]+x)+)(\w+)>", type).groups()
    shape = [rows if extent == "?" else int(extent) for extent in extents.split("x")[:-1]]
    if name == "c":  # a scale, or a bound of it
        return np.array([0.0078125 * 1.3], np.float32), dtype
    return make(random, tuple(shape), dtype), dtype


def measure(arguments, programs, case):
    """What differs from the formulas, and {preset: first result}."""
    dtype, n, rows, hard = case
    make = inputs.hard if hard else inputs.ordinary
    failures, firsts = [], {}

    def bf(v):
        return ieee.widen(ieee.narrow(v, dtype), dtype)

    for name, program in programs.items():
        if "group_size" in program and n % 128:
            continue
        text = rewrite(program, n, dtype)
        signature, results = re.search(r"\((.*?)\)\s*->\s*\(?(.*?)\)?\s*{\n", text,
                                       re.DOTALL).groups()
        random = np.random.default_rng([n, rows, hard])
        stored, wide = [], {}
        for argument, type in re.findall(r"%(\w): (tensor<\S+>)", signature):
            array, element = make_argument(random, make, argument, type, rows)
            stored.append(array)
            with np.errstate(all="ignore"):
                wide[argument] = ieee.widen(array, element)
        if "z" in wide:
            wide["act"] = gated.silu(arguments, wide.pop("z"))
        formula = FORMULAS[name]
        names = formula.__code__.co_varnames[:formula.__code__.co_argcount]
        given = wide | ({"bf": bf} if "bf" in names else {})
        with np.errstate(all="ignore"):
            expected = formula(**given)
        found = harness.run(arguments, text, stored)[name]
        firsts[name] = found[0]
        types = re.findall(r"x([a-zA-Z]\w*)>", results)
        for number, (a, b, element) in enumerate(zip(found, expected, types, strict=True)):
            if element not in ("f8E4M3FN", "i8"):
                b = ieee.narrow(b, element)
            same = ieee.same_bits(a, b, element)
            if not same.all():
                failures.append(f"{name} {dtype}, N = {n}, {rows} rows, hard {hard}: "
                                f"{(~same).sum()} of {same.size} values of result {number} "
                                "differ")
    return failures, firsts


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
    lengths = sorted({*LENGTHS, *GROUPED})
    cases = [(dtype, n, rows, hard) for dtype in ("bf16", "f16") for n in lengths
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
