"""What the dialect's TableGen files define: its ops, their operands and attributes.

Tests that must cover every op and attribute read the list from here, so that a new one
without its case fails.
"""

import json
import os
import subprocess
from dataclasses import dataclass

DIALECT = os.path.join(os.path.dirname(__file__), "..", "..", "dialects", "Mortar")


@dataclass
class Op:
    """`operands` and `attributes` are names; a fusible op has FusionOpInterface, and all
    of Mortar's that have it start a region."""
    operands: list
    attributes: list
    fusible: bool


def read_ops(llvm):
    """{mnemonic: Op} for the dialect's ops; `llvm` is the folder with bin and include."""
    dump = subprocess.run(
        [f"{llvm}/bin/llvm-tblgen", "--dump-json", f"-I{llvm}/include", f"-I{DIALECT}",
         f"{DIALECT}/Mortar.td"], check=True, capture_output=True, text=True).stdout
    records = json.loads(dump)
    ops = {}
    for name in records["!instanceof"]["Op"]:
        record = records[name]
        if record["opDialect"]["def"] != "Mortar_Dialect":
            continue
        traits = [records[trait["def"]] for trait in record["traits"]]
        ops[record["opName"]] = op = Op([], [], any(
            trait.get("cppInterfaceName") == "FusionOpInterface" for trait in traits))
        for constraint, argument in record["arguments"]["args"]:
            kinds = records[constraint["def"]]["!superclasses"]
            (op.attributes if "AttrConstraint" in kinds else op.operands).append(argument)
    return ops
