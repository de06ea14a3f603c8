#!/usr/bin/env python3
"""No attribute and no rounding point is lost by fusing.

For every op and attribute that the dialect defines, and in several chains: another value
gives other bits, and fused and unfused programs agree on them. The types of operands and
results, which are rounding points, are varied like attributes. An op with an attribute
nobody knows isn't fused, says so, and isn't computed as if it weren't there.

An attribute without values in ATTRIBUTES or a reason in EXEMPT fails, and so does an entry
for an attribute that no longer exists.
"""

import itertools
import re
import subprocess
import sys
import tempfile

import chains
import definitions
import harness

# Each value changes some result: inputs are normal of variance 1, so that epsilon, a
# weight's offset and the limits matter, and inner types round.
ATTRIBUTES = {
    ("rms_norm", "epsilon"): ["1.0e-6", "1.0e-2", "1.0"],
    ("rms_norm", "variance_size"): [None, "8", "48"],
    ("rms_norm", "group_size"): [None, "8", "48"],
    ("rms_norm", "weight_offset"): ["0", "1"],
    ("rms_norm", "inner_type"): ["f32", "f16", "bf16"],
    ("silu_and_mul", "limit"): [None, "0.5", "1.5"],
    ("silu_and_mul", "inner_type"): ["f32", "f16", "bf16"],
    ("gated_rms_norm", "epsilon"): ["1.0e-6", "1.0e-2", "1.0"],
    ("gated_rms_norm", "activation"): ["silu", "sigmoid"],  # swish is silu
    ("gated_rms_norm", "norm_before_gate"): ["true", "false"],
    ("gated_rms_norm", "group_size"): [None, "8", "48"],
    ("gated_rms_norm", "weight_offset"): ["0", "1"],
    ("gated_rms_norm", "inner_type"): ["f32", "f16", "bf16"],
    ("gated_rms_norm", "weighted_type"): ["f32", "f16", "bf16"],
    ("l2_norm", "epsilon"): ["1.0e-6", "1.0e-2", "1.0"],
    ("mul_and_silu", "inner_type"): ["f32", "f16", "bf16"],
    ("gelu_and_mul", "approximate"): ["none", "tanh"],
    ("gelu_and_mul", "inner_type"): ["f32", "f16", "bf16"],
    ("swigluoai_and_mul", "alpha"): [None, "1.0", "2.5"],
    ("swigluoai_and_mul", "limit"): ["0.5", "1.5", "1.0e+30"],
    ("swigluoai_and_mul", "layout"): ["interleaved", "halves"],
    ("swigluoai_and_mul", "inner_type"): ["f32", "f16", "bf16"],
    ("swiglustep_and_mul", "limit"): ["0.25", "0.5", "1.0e+30"],
    ("swiglustep_and_mul", "inner_type"): ["f32", "f16", "bf16"],
    ("fatrelu_and_mul", "threshold"): ["-0.5", "0.0", "0.5"],
    ("quantize_dynamic", "group_size"): [None, "8", "48"],
    ("quantize_dynamic", "ue8m0"): ["absent", "present"],
    ("row_reduce", "kind"): ["sum", "max"],
    ("row_half", "half"): ["first", "second", "even", "odd"],
    ("row_prefix", "length"): ["8", "48", "96"],
    ("row_prefix", "fill"): ["-0.0", "1.0"],
}
BY_SHAPE = "(C2), (C3) and (C5) leave one map to an operand's shape and argument"
RECURRENCE = "numerics-delta-rule varies it, with the programs that a recurrence needs"
EXEMPT = {
    ("gated_delta_rule", "scale"): RECURRENCE,
    ("state_broadcast", "axis"): "only states as wide as high would let it be either",
    ("fused", "domain"): "no region is of both domains: their maps are others",
    ("fused", "input_maps"): BY_SHAPE,
    ("fused", "init_maps"): BY_SHAPE,
    ("fused", "label"): "a name, without meaning",
}
ELEMENTS = ["f32", "f16", "bf16"]
PRIMITIVES = {"row_reduce", "row_half", "row_prefix"}
UNKNOWN = ["foo", "vendor.clamp", "mortar.unknown"]


def check_coverage(ops):
    defined = {(name, attribute) for name, op in ops.items() for attribute in op.attributes}
    cases = ATTRIBUTES.keys() | EXEMPT.keys()
    fusible = {name for name, op in ops.items() if op.fusible}
    return ([f"mortar.{op} has an attribute {name}, but it has no case"
             for op, name in sorted(defined - cases)]
            + [f"there is a case for {name} of mortar.{op}, but no such attribute"
               for op, name in sorted(cases - defined)]
            + [f"mortar.{op} fuses, but its types have no case"
               for op in sorted(fusible - chains.OPS.keys() - {op for op, _ in EXEMPT})])


def attribute_groups():
    """Lists of (chain, op, types, attributes) whose results must all differ."""
    for (op, attribute), values in ATTRIBUTES.items():
        for dtype, chain in itertools.product(
                ["f32"] if op in PRIMITIVES else ["f32", "bf16"], chains.CHAINS):
            result = chains.RESULTS.get(op, [dtype])[0]
            yield [(chain, op, (*(dtype,) * (chains.TYPES[op] - 1), result),
                    {attribute: value}) for value in values]


def type_groups():
    """The same for the result's type, at every choice of the other types. A result that
    leaves the function has its own type, and can't be compared."""
    for op in sorted(chains.OPS.keys() - PRIMITIVES):
        inners = ([{"inner_type": inner} for inner in ELEMENTS]
                  if (op, "inner_type") in ATTRIBUTES else [{}])
        for operands in itertools.product(ELEMENTS, repeat=chains.TYPES[op] - 1):
            for inner, chain in itertools.product(inners, chains.CHAINS[1:]):
                if chain != "after_add":
                    yield [(chain, op, (*operands, result), inner)
                           for result in chains.RESULTS.get(op, ELEMENTS)]


def inner_groups(groups):
    """The same programs again, by inner type."""
    by_inner = {}
    for chain, op, types, attributes in itertools.chain(*groups):
        if "inner_type" in attributes:
            by_inner.setdefault((chain, op, types), []).append(
                (chain, op, types, attributes))
    return list(by_inner.values())


def name(program):
    chain, op, types, attributes = program
    values = "_".join(f"{attribute}_{value}" for attribute, value in attributes.items())
    return re.sub(r"\W", "_", "_".join(filter(None, [op, *types, values, chain])))


def expected_kernels(program):
    """One, but groups of odd size can't stand beside another reduction [odd-groups]."""
    chain, _, _, attributes = program
    return 2 if chain == "before_norm" and attributes.get("group_size") == "48" else 1


def run_programs(arguments, programs, values):
    """{name: checksum}, and what is wrong: results apart from the unfused ones, or another
    number of kernels."""
    with tempfile.NamedTemporaryFile("w", prefix="mortar-", suffix=".mlir") as file:
        file.write("".join(chains.function(name(p), *p) for p in programs))
        file.flush()
        done = subprocess.run(
            [arguments.mortar_run, file.name, "--compare=unfused", "--mixed-dtypes",
             "--summary", f"--target={arguments.target}", f"--values={values}"],
            capture_output=True, text=True, timeout=300)
    checksums, kernels, failures, function = {}, {}, [], None
    if done.stderr:
        failures.append(done.stderr[:2000])
    for line in done.stdout.splitlines():
        if found := re.fullmatch(r"@?(\w+)", line):
            function = found[1]
        elif found := re.search(r"checksum (\w+)", line):
            checksums[function] = found[1]
        elif found := re.search(r"(\d+) differ", line):
            if int(found[1]):
                failures.append(f"{function}, {values} values: {line.strip()}")
        elif found := re.fullmatch(r"\S* +\d+ +(\d+) +\d+ +\d+", line):
            kernels[function] = kernels.get(function, 0) + int(found[1])
    failures += [f"{name(p)}: expected {expected_kernels(p)} kernels, but found "
                 f"{kernels.get(name(p), 0)}"
                 for p in programs if kernels.get(name(p)) != expected_kernels(p)]
    if missing := [name(p) for p in programs if name(p) not in checksums]:
        failures.append(f"{len(missing)} programs gave no result, first {missing[0]}")
    return checksums, failures


def check_unknown(arguments, op, unknown):
    """residual_add → op with an unknown attribute → residual_add: three parts, a remark at
    the op, and an error there if nobody else could compute it."""
    types = (*("bf16",) * (chains.TYPES[op] - 1), chains.RESULTS.get(op, ["bf16"])[0])
    text = chains.function("f", "between", op, types, {}, f"{{{unknown} = 1}}")
    line = next(i for i, row in enumerate(text.splitlines(), 1) if unknown in row)
    failures = []
    with tempfile.NamedTemporaryFile("w", prefix="mortar-", suffix=".mlir") as file:
        file.write(text)
        file.flush()
        fused = subprocess.run([arguments.mortar_opt, file.name, "--mortar-fuse-rows",
                                "--remarks-filter=mortar.*", "--allow-unregistered-dialect"],
                               capture_output=True, text=True, timeout=60)
        ran = subprocess.run([arguments.mortar_run, file.name],
                             capture_output=True, text=True, timeout=60)
    reason = f"the attribute '{unknown}' may change what the op means"
    wanted = [(fused.stderr, f":{line}:.*unknown-attribute .*{re.escape(reason)}", 1),
              (fused.stderr, "one kernel of (extf\\+)?residual_add\"", 2),
              (fused.stdout, "mortar.fused", 2),
              (ran.stderr, f":{line}:.*error: .*not lowered: {re.escape(reason)}", 1)]
    for text, pattern, count in wanted:
        if len(re.findall(pattern, text)) != count:
            failures.append(f"mortar.{op} with {unknown}: expected {count} of '{pattern}' in "
                            f"{text}")
    if fused.returncode or ran.returncode != 1:
        failures.append(f"mortar.{op} with {unknown}: exits {fused.returncode} and "
                        f"{ran.returncode}, not 0 and 1")
    return failures


def main():
    arguments = harness.parse(harness.make_parser(__doc__))
    ops = definitions.read_ops(arguments.llvm)
    failures = check_coverage(ops)
    types = list(type_groups())
    groups = list(attribute_groups()) + types + inner_groups(types)
    programs = {name(p): p for group in groups for p in group}
    runs = [(list(programs.values())[i::8], "random") for i in range(8)]
    # One chain is enough to show that hard values go the same way.
    between = [p for p in programs.values() if p[0] == "between"]
    runs += [(between[i::2], "hard") for i in range(2)]
    checksums = {}
    for (_, values), (found, wrong) in zip(runs, harness.in_parallel(
            lambda run: run_programs(arguments, *run), runs)):
        failures += wrong
        if values == "random":
            checksums |= found
    for group in groups:
        for a, b in itertools.combinations([name(p) for p in group], 2):
            if a in checksums and checksums[a] == checksums.get(b):
                failures.append(f"{a} and {b} have the same bits")
    fusible = sorted(op for op in ops if ops[op].fusible and op in chains.OPS)
    for op, unknown in itertools.product(fusible, UNKNOWN):
        failures += check_unknown(arguments, op, unknown)
    for failure in failures[:20]:
        print("FAILED", failure)
    print(f"{len(ATTRIBUTES)} attributes of {len(chains.OPS)} ops, and all types, in "
          f"{len(chains.CHAINS)} chains: {len(programs)} programs, each the same bits "
          f"unfused, {len(between)} of them on hard values too; {len(groups)} groups of "
          f"unlike bits; {len(fusible) * len(UNKNOWN)} unknown attributes; "
          f"{len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
