"""Drives mortar-run through .npy files."""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

LENGTHS = [1, 7, 111, 128, 769, 1536, 4096, 5125, 8192, 16384]
ROWS = [1, 2, 3, 17]


def make_parser(description):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mortar-run", default=os.environ.get("MORTAR_RUN", "mortar-run"),
                        help="the program (default: $MORTAR_RUN, else mortar-run)")
    parser.add_argument("--llvm", default="/usr/lib/llvm-22",
                        help="LLVM's folder, for llvm-tblgen (default: Debian's)")
    parser.add_argument("--target", default="host", help="what it compiles for")
    parser.add_argument("--quick", action="store_true", help="three row lengths only")
    return parser


def parse(parser):
    arguments = parser.parse_args()
    if not shutil.which(arguments.mortar_run):
        parser.error(f"expected a program at --mortar-run, found no {arguments.mortar_run}")
    arguments.mortar_opt = os.path.join(
        os.path.dirname(shutil.which(arguments.mortar_run)), "mortar-opt")
    if arguments.quick:
        LENGTHS[:] = [7, 769, 4096]
    return arguments


def tensor(rows, columns, dtype):
    return f"tensor<{'?' if rows else ''}{'x' if rows else ''}{columns}x{dtype}>"


def run(arguments, text, inputs, options=()):
    """Runs every function of `text` on `inputs` (stored arrays), and gives the stored
    results as {function: [result, ...]}."""
    with tempfile.TemporaryDirectory(prefix="mortar-") as folder:
        command = [arguments.mortar_run, f"{folder}/test.mlir", "--mixed-dtypes",
                   f"--target={arguments.target}", f"--output={folder}/out.", *options]
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
