"""Drives mortar-run through .npy files and tabulates errors in ulp."""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import dtypes

LENGTHS = [1, 7, 111, 128, 769, 1536, 2048, 4096, 5125, 7168, 8192, 16384]
ROWS = [1, 2, 3, 17]


def parse_arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--mortar-run", default=os.environ.get("MORTAR_RUN", "mortar-run"),
                        help="the program (default: $MORTAR_RUN, else mortar-run)")
    parser.add_argument("--target", default="host", help="what it compiles for")
    parser.add_argument("--quick", action="store_true", help="three row lengths only")
    arguments = parser.parse_args()
    if not shutil.which(arguments.mortar_run):
        parser.error(f"expected a program at --mortar-run, found no {arguments.mortar_run}")
    if arguments.quick:
        LENGTHS[:] = [7, 769, 4096]
    return arguments


def tensor(rows, columns, dtype):
    return f"tensor<{'?' if rows else ''}{'x' if rows else ''}{columns}x{dtype}>"


def run(arguments, text, inputs):
    """Runs every function of `text` on `inputs` (stored arrays), and gives the stored
    results as {function: [result, ...]}."""
    with tempfile.TemporaryDirectory(prefix="mortar-") as folder:
        command = [arguments.mortar_run, f"{folder}/test.mlir", "--mixed-dtypes",
                   f"--target={arguments.target}", f"--output={folder}/out."]
        with open(f"{folder}/test.mlir", "w") as file:
            file.write(text)
        for number, array in enumerate(inputs):
            np.save(f"{folder}/{number}.npy", array)
            command.append(f"--input={number}:{folder}/{number}.npy")
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr}\n{text}")
        results = {}
        for name in sorted(os.listdir(folder)):
            if name.startswith("out."):
                function = name.split(".")[1]
                results.setdefault(function, []).append(np.load(f"{folder}/{name}"))
        return results


def in_parallel(function, cases):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(function, cases)


class Table:
    """Errors by kind of function; what is beyond its bound makes `finish` fail."""

    def __init__(self, f32_bound):
        self.f32_bound = f32_bound
        self.lines = {}
        self.failures = []

    def add(self, kind, stored, dtype, exact, ties=None, where=""):
        """`exact` is the float64 result before its last rounding; elements in `ties`,
        where an inner rounding may have gone either way, are only counted."""
        line = self.lines.setdefault(kind, dict.fromkeys(
            ["elements", "ties", "right", "one", "more", "worst"], 0))
        if stored.shape != exact.shape:
            self.failures.append(f"{kind} {where}: shape {stored.shape}, not {exact.shape}")
            return
        counts = np.ones(exact.shape, bool) if ties is None else ~ties
        rounded = dtypes.encode(dtypes.round_to(exact, dtype), dtype)
        apart = np.abs(dtypes.ordered(stored, dtype) - dtypes.ordered(rounded, dtype))
        if dtype == "f32":
            error = np.abs(dtypes.decode(stored, dtype) - exact) / dtypes.ulp(exact, dtype)
        else:
            error = apart
        bad = ~(error <= (self.f32_bound if dtype == "f32" else 1)) & counts
        if bad.any():
            at = tuple(np.argwhere(bad)[0])
            self.failures.append(
                f"{kind} {where}: {bad.sum()} of {bad.size} beyond the bound, first at "
                f"{[int(i) for i in at]}: found {dtypes.decode(stored, dtype)[at]!r}, "
                f"exact {exact[at]!r}")
        line["elements"] += int(counts.sum())
        line["ties"] += int((~counts).sum())
        line["right"] += int((counts & (apart == 0)).sum())
        line["one"] += int((counts & (apart == 1)).sum())
        line["more"] += int((counts & (apart > 1)).sum())
        line["worst"] = max(line["worst"], float(np.max(error[counts], initial=0)))

    def finish(self, title):
        print(f"{title:<34} {'elements':>10} {'near ties':>10} {'right':>10} {'1 ulp':>8} "
              f"{'more':>7} {'worst':>6}")
        for kind, line in sorted(self.lines.items()):
            share = line["right"] / max(line["elements"], 1)
            print(f"{kind:<34} {line['elements']:>10} {line['ties']:>10} {share:>10.4%} "
                  f"{line['one']:>8} {line['more']:>7} {line['worst']:>6.2f}")
            if kind.endswith("16") and share < 0.999:
                self.failures.append(f"{kind}: expected 99.9 % rightly rounded, "
                                     f"but found {share:.4%}")
            if line["ties"] > 0.01 * (line["elements"] + line["ties"]):
                self.failures.append(f"{kind}: {line['ties']} near ties are too many")
        for failure in self.failures[:20]:
            print("FAILED", failure)
        print(f"{title}: {len(self.failures)} failures")
        sys.exit(bool(self.failures))
