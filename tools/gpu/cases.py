"""The programs that are checked and timed on a GPU, as Mortar IR.

A case is one function: its text, and how its arguments are made. Shapes are
[rows, N] with dynamic rows; weights are [N].
"""

from dataclasses import dataclass, field

ROWS_BITS = [1, 2, 3, 17, 255, 256, 257, 4096]
ROWS_TIME = [1, 8, 32, 64, 128, 512, 2048, 8192, 32768]
SIZES = [1, 7, 111, 769, 2048, 3584, 4096, 5120, 5125, 5376, 7168, 8192, 16384]


@dataclass
class Case:
    """One function `name`; `inputs` and `results` are (type, width, per_row)."""

    name: str
    text: str
    inputs: list = field(default_factory=list)
    results: list = field(default_factory=list)

    def bytes(self, rows):
        """Bytes that must move: every input read once, every result written once."""
        size = {"bf16": 2, "f16": 2, "f32": 4}
        return sum(size[t] * w * (rows if by_row else 1)
                   for t, w, by_row in self.inputs + self.results)


def _rows(n, t):
    return f"tensor<?x{n}x{t}>"


def add_norm(n, t, weight=None, norm=True, add=True, inner=None, offset=0, total=None):
    """residual_add and rms_norm, or one of the two. `total`: the sum's own type."""
    weight, total = weight or t, total or t
    row, w, s = _rows(n, t), f"tensor<{n}x{weight}>", _rows(n, total)
    name = "_".join(filter(None, ["add" if add else "", "norm" if norm else "", str(n), t,
                                  f"w{weight}" if norm and weight != t else "",
                                  f"s{total}" if add and total != t else "",
                                  f"inner{inner}" if inner else "",
                                  "offset" if offset else ""]))
    body, arguments, inputs, results = [], [f"%x: {row}"], [(t, n, True)], []
    value, value_type = "%x", row
    if add:
        arguments.append(f"%r: {row}")
        inputs.append((t, n, True))
        body.append(f"%s = mortar.residual_add %x, %r : ({row}, {row}) -> {s}")
        value, value_type = "%s", s
    returned, types = [], []
    if norm:
        arguments.append(f"%w: {w} {{mortar.constant}}")
        inputs.append((weight, n, False))
        extra = (" weight_offset(1)" if offset else "") + (f" inner({inner})" if inner else "")
        body.append(f"%n = mortar.rms_norm {value} weight(%w) epsilon(1.0e-6){extra}"
                    f" : ({value_type}, {w}) -> {row}")
        returned.append("%n")
        types.append(row)
        results.append((t, n, True))
    if add:
        returned.append("%s")
        types.append(s)
        results.append((total, n, True))
    text = (f"func.func @{name}({', '.join(arguments)}) -> ({', '.join(types)}) {{\n  "
            + "\n  ".join(body) + f"\n  return {', '.join(returned)} : {', '.join(types)}\n}}\n")
    return Case(name, text, inputs, results)


def silu(d, t, limit=None, inner=None):
    """silu_and_mul of rows of 2d."""
    name = f"silu_{d}_{t}" + ("_limit" if limit else "") + (f"_inner{inner}" if inner else "")
    x, y = _rows(2 * d, t), _rows(d, t)
    extra = (f" limit({limit:e})" if limit else "") + (f" inner({inner})" if inner else "")
    text = (f"func.func @{name}(%x: {x}) -> {y} {{\n"
            f"  %y = mortar.silu_and_mul %x{extra} : ({x}) -> {y}\n  return %y : {y}\n}}\n")
    return Case(name, text, [(t, 2 * d, True)], [(t, d, True)])


def bit_cases():
    """Every size and dtype, each convention at least once a size."""
    cases = []
    for n in SIZES:
        for t in ("bf16", "f16", "f32"):
            cases += [add_norm(n, t), add_norm(n, t, add=False), add_norm(n, t, norm=False)]
            cases.append(silu(n, t, limit=10.0 if n % 2 else None))
        cases += [add_norm(n, "bf16", inner="bf16"),
                  add_norm(n, "bf16", weight="f32", offset=1),
                  add_norm(n, "bf16", total="f32"),
                  silu(n, "bf16", inner="bf16", limit=3.3)]
    cases.append(silu(14336, "bf16"))
    return cases


def time_cases():
    """What is timed beside torch.compile."""
    return ([add_norm(n, "bf16", add=False) for n in (4096, 8192)]
            + [add_norm(n, "bf16") for n in (4096, 8192)]
            + [silu(d, "bf16") for d in (4096, 14336)])
