"""The programs that are checked and timed on a GPU, as Mortar IR.

A case is one function: its text, and how its arguments are made. Shapes are
[rows, N] with dynamic rows; weights are [N].
"""

from dataclasses import dataclass, field

ROWS_BITS = [1, 2, 3, 17, 255, 256, 257, 4096]
ROWS_TIME = [1, 8, 32, 64, 128, 512, 2048, 8192, 32768]
ROWS_HEADS = [32, 256, 2048, 8192, 32768, 131072, 524288]  # tokens × heads
SIZES = [1, 7, 111, 769, 2048, 3584, 4096, 5120, 5125, 5376, 7168, 8192, 16384]
SIZE = {"bf16": 2, "f16": 2, "f32": 4, "f8E4M3FN": 1, "f8E8M0FNU": 1, "i8": 1}  # in bytes
FLOATS = ("bf16", "f16", "f32")


@dataclass
class Case:
    """One function `name`; `inputs` and `results` are (type, width, per_row). `scales`: the
    numbers of results that hold a scale for each group, and may be column-major."""

    name: str
    text: str
    inputs: list = field(default_factory=list)
    results: list = field(default_factory=list)
    rows: list = field(default_factory=lambda: ROWS_TIME)  # numbers of them to time
    scales: tuple = ()

    def bytes(self, rows):
        """Bytes that must move: every input read once, every result written once."""
        return sum(SIZE[t] * w * (rows if by_row else 1)
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


class Builder:
    """Writes a function op by op; rows and weights are its arguments in order."""

    def __init__(self):
        self.arguments, self.body, self.inputs, self.types = [], [], [], {}

    def argument(self, type, width, by_row=True):
        value = f"%a{len(self.arguments)}"
        self.types[value] = _rows(width, type) if by_row else f"tensor<{width}x{type}>"
        constant = "" if by_row else " {mortar.constant}"
        self.arguments.append(f"{value}: {self.types[value]}{constant}")
        self.inputs.append((type, width, by_row))
        return value

    def op(self, text, operands, *results):
        """Adds `mortar.<text>`, in which operands' names stand; returns its results."""
        values = [f"%v{len(self.body)}_{i}" for i in range(len(results))]
        for value, (type, width) in zip(values, results):
            self.types[value] = _rows(width, type)
        signature = ", ".join(self.types[o] for o in operands)
        made = ", ".join(self.types[v] for v in values)
        made = f"({made})" if len(values) > 1 else made
        self.body.append(f"{', '.join(values)} = mortar.{text} : ({signature}) -> {made}")
        return values if len(values) > 1 else values[0]

    def case(self, name, returned, **more):
        types = [self.types[value] for value in returned]
        shapes = [type[len("tensor<?x"):-1].split("x", 1) for type in types]
        text = (f"func.func @{name}({', '.join(self.arguments)}) -> ({', '.join(types)}) {{\n  "
                + "\n  ".join(self.body)
                + f"\n  return {', '.join(returned)} : {', '.join(types)}\n}}\n")
        return Case(name, text, self.inputs, [(t, int(w), True) for w, t in shapes], **more)


def norm_quantize(n, t, add=False, dynamic=False, keep=False, stored="f8E4M3FN", **more):
    """rms_norm and a quantization of the whole row, behind an add or not; `keep`: the norm
    leaves too."""
    b = Builder()
    x, returned = b.argument(t, n), []
    if add:
        r = b.argument(t, n)
        x = b.op(f"residual_add {x}, {r}", [x, r], (t, n))
        returned.append(x)
    w = b.argument(t, n, False)
    y = b.op(f"rms_norm {x} weight({w}) epsilon(1.0e-6)", [x, w], (t, n))
    returned += [y] if keep else []
    if dynamic:
        returned += b.op(f"quantize_dynamic {y}", [y], (stored, n), ("f32", 1))
    else:
        s = b.argument("f32", 1, False)
        returned.append(b.op(f"quantize {y} scale({s})", [y, s], (stored, n)))
    name = "_".join(["add_norm" if add else "norm", "dynamic" if dynamic else "static",
                     "int8" if stored == "i8" else "fp8"] + ["kept"] * keep + [str(n), t])
    return b.case(name, returned, **more)


def activation_quantize(d, t, op="silu_and_mul", extra=" limit(1.0e1)", group=None, ue8m0=False,
                        **more):
    """An activation of rows of 2d, quantized by row or by groups."""
    b = Builder()
    x = b.argument(t, 2 * d)
    y = b.op(f"{op} {x}{extra}", [x], (t, d))
    by = f" group_size({group})" if group else ""
    scales = ("f8E8M0FNU" if ue8m0 else "f32", d // group if group else 1)
    returned = b.op(f"quantize_dynamic {y}{by}{' ue8m0' if ue8m0 else ''}", [y],
                    ("f8E4M3FN", d), scales)
    kind = f"group{group}" if group else "token"
    return b.case(f"{op.split('_')[0]}_{kind}{'_ue8m0' if ue8m0 else ''}_{d}_{t}", returned,
                  scales=(1,) if group and group < d else (), **more)


def gated_norm(n, t, extra="", name="", weight=None, **more):
    b = Builder()
    x, z, w = b.argument(t, n), b.argument(t, n), b.argument(weight or t, n, False)
    y = b.op(f"gated_rms_norm {x} gate({z}) weight({w}) epsilon(1.0e-6){extra}", [x, z, w],
             (t, n))
    return b.case(f"gated_norm{name}_{n}_{t}", [y], **more)


def prefix_norm(n, t, size):
    b = Builder()
    x, w = b.argument(t, n), b.argument(t, n, False)
    y = b.op(f"rms_norm {x} weight({w}) epsilon(1.0e-6) variance_size({size})", [x, w], (t, n))
    return b.case(f"prefix{size}_norm_{n}_{t}", [y])


def activation(d, t, op, extra, name):
    b = Builder()
    x = b.argument(t, 2 * d)
    return b.case(f"{name}_{d}_{t}", [b.op(f"{op} {x}{extra}", [x], (t, d))])


ACTIVATIONS = [("gelu_and_mul", "", "gelu"), ("gelu_and_mul", " approximate(tanh)", "gelu_tanh"),
               ("mul_and_silu", "", "mul_and_silu"), ("swigluoai_and_mul", "", "swigluoai"),
               ("swiglustep_and_mul", " limit(7.0)", "swiglustep"),
               ("fatrelu_and_mul", " threshold(0.01)", "fatrelu")]


def family_cases():
    """Gated norms, quantizations and silu_and_mul's kin, alone and in chains."""
    cases = []
    for n in (111, 128, 1024, 4096, 5120, 7168):
        for t in FLOATS:
            cases += [norm_quantize(n, t), norm_quantize(n, t, dynamic=True),
                      norm_quantize(n, t, add=True, dynamic=True, keep=True),
                      norm_quantize(n, t, dynamic=True, stored="i8"),
                      activation_quantize(n, t), gated_norm(n, t),
                      gated_norm(n, t, " activation(sigmoid) norm_before_gate(false)",
                                 "_sigmoid_after", weight="f32"),
                      prefix_norm(n, t, 100)]
            if n % 128 == 0:
                cases += [activation_quantize(n, t, group=128),
                          activation_quantize(n, t, group=64, ue8m0=True),
                          activation_quantize(n, t, "swigluoai_and_mul", "", group=128),
                          gated_norm(n, t, " group_size(64)", "_groups")]
    for n in (111, 2048, 7168):
        for t in FLOATS:
            cases += [activation(n, t, *kin) for kin in ACTIVATIONS]
    return cases


def bit_cases():
    """Every size and dtype, each convention at least once a size."""
    cases = []
    for n in SIZES:
        for t in FLOATS:
            cases += [add_norm(n, t), add_norm(n, t, add=False), add_norm(n, t, norm=False)]
            cases.append(silu(n, t, limit=10.0 if n % 2 else None))
        cases += [add_norm(n, "bf16", inner="bf16"),
                  add_norm(n, "bf16", weight="f32", offset=1),
                  add_norm(n, "bf16", total="f32"),
                  silu(n, "bf16", inner="bf16", limit=3.3)]
    cases.append(silu(14336, "bf16"))
    return cases + family_cases()


def time_cases():
    """What is timed beside torch.compile."""
    quantized = [1, 32, 128, 512, 2048, 8192, 16384, 32768]
    return ([add_norm(n, "bf16", add=False) for n in (4096, 8192)]
            + [add_norm(n, "bf16") for n in (2880, 4096, 7168, 8192)]
            + [silu(d, "bf16") for d in (4096, 14336)]
            + [norm_quantize(4096, "bf16", rows=quantized),
               norm_quantize(4096, "bf16", add=True, dynamic=True, rows=quantized),
               activation_quantize(4096, "bf16", group=128, rows=quantized),
               gated_norm(128, "bf16", rows=ROWS_HEADS)])
