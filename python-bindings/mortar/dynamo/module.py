"""The text of a chain's module: one function of one `mortar.fused`."""

from __future__ import annotations

from operator import getitem

from mortar.dynamo.aten import COPIES
from mortar.dynamo.importer import DTYPES, SHARED, Chain, Input
from mortar.dynamo.rows import is_view

MOST_LETTERS = 80


def label(chain: Chain) -> str:
    """The ops, as a profiler shall name the kernel."""
    names = [node.target.name().split("::")[1].split(".")[0] for node in chain.members
             if node.target is not getitem and not is_view(node) and node.target not in COPIES]
    return "_".join(dict.fromkeys(names))[:MOST_LETTERS]


def write(chain: Chain) -> str:
    """The leading extent is dynamic and no name is the graph's, so that chains which differ in
    rows or in place are one. Groups of rows that are unevenly spaced have a static extent."""
    def type_of(one: Input) -> str:
        dims = "" if one.kind in SHARED else "".join(["?x", *(f"{size}x" for size in
                                                             one.shape[1:-1])])
        return f"tensor<{dims}{one.argument.k}x{one.argument.dtype}>"

    def map_of(k: int) -> str:
        return {1: "row_scalar", chain.length: "row"}.get(k, "group_scalar")

    types = [type_of(one) for one in chain.operands]
    lines, rows = [], ""
    for axis in range(len(chain.operands[0].shape) - 1):
        lines += [f"%axis{axis} = arith.constant {axis} : index",
                  f"%dim{axis} = tensor.dim %arg0, %axis{axis} : {types[0]}"]
        if rows:
            lines.append(f"%rows{axis} = arith.muli {rows}, %dim{axis} : index")
        rows = f"%rows{axis}" if rows else f"%dim{axis}"
    results = [f"tensor<?x{one.k}x{DTYPES[one.dtype]}>" for one in chain.outputs]
    lines += [f"%empty{number} = tensor.empty({rows}) : {result}"
              for number, result in enumerate(results)]
    yielded = chain.yielded()
    body = "\n    ".join([*chain.m.lines, f"mortar.yield "
                          f"{', '.join(one.name for one in yielded)} : "
                          f"{', '.join(one.type for one in yielded)}"])
    maps = ", ".join(f"{one.argument.name} = {one.kind} %arg{number}"
                     for number, one in enumerate(chain.operands))
    destinations = ", ".join(f"{map_of(one.k)} %empty{number}"
                             for number, one in enumerate(chain.outputs))
    many = len(results) > 1
    made = ", ".join(f"%made#{number}" if many else "%made" for number in range(len(results)))
    arguments = ", ".join(f"%arg{number}: {one}" for number, one in enumerate(types))
    head, joined = "\n  ".join(lines), ", ".join(results)
    given = f"({joined})" if many else joined
    return (f"func.func @chain({arguments}) -> ({joined}) {{\n  {head}\n"
            f"  %made{f':{len(results)}' if many else ''} = mortar.fused\n"
            f"    ins({maps} : {', '.join(types)})\n    outs({destinations} : {joined})\n"
            f"    attributes {{label = \"{label(chain)}\"}} {{\n    {body}\n  }} -> {given}\n"
            f"  return {made} : {joined}\n}}\n")
