"""Writes functions in which an op stands alone or among others.

All ops read rows of WIDTH values, so that one function's arguments serve every chain:
%x and %p (rows of WIDTH), %w (a weight), %b (rows of the op's result, f32), %c (one f32).
Every chain but `alone` ends in f32, so that what differs in the op's result can be
compared; what is quantized is widened first.
"""

import harness

WIDTH = 96
CHAINS = ["alone", "after_add", "before_arith", "before_add", "before_norm", "between"]


def option(name, value):
    return f"{name}({value})" if value is not None else ""


def residual_add(x, types):
    x_type, p_type, y_type = (harness.tensor(1, WIDTH, dtype) for dtype in types)
    return f"%y = mortar.residual_add {x}, %p : ({x_type}, {p_type}) -> {y_type}"


def rms_norm(x, types, epsilon="1.0e-6", variance_size=None, group_size=None,
             weight_offset=None, inner_type=None):
    x_type, w_type, y_type = (harness.tensor(rows, WIDTH, dtype)
                              for rows, dtype in zip((1, 0, 1), types))
    return (f"%y = mortar.rms_norm {x} weight(%w) epsilon({epsilon}) "
            f"{option('variance_size', variance_size)} {option('group_size', group_size)} "
            f"{option('weight_offset', weight_offset)} {option('inner', inner_type)} "
            f": ({x_type}, {w_type}) -> {y_type}")


def gated_rms_norm(x, types, epsilon="1.0e-6", activation=None, norm_before_gate=None,
                   group_size=None, weight_offset=None, inner_type=None,
                   weighted_type=None):
    x_type, w_type, y_type = (harness.tensor(rows, WIDTH, dtype)
                              for rows, dtype in zip((1, 0, 1), types))
    return (f"%y = mortar.gated_rms_norm {x} gate(%p) weight(%w) epsilon({epsilon}) "
            f"{option('activation', activation)} "
            f"{option('norm_before_gate', norm_before_gate)} "
            f"{option('group_size', group_size)} {option('weight_offset', weight_offset)} "
            f"{option('inner', inner_type)} {option('weighted', weighted_type)} "
            f": ({x_type}, {x_type}, {w_type}) -> {y_type}")


def l2_norm(x, types, epsilon="1.0e-6"):
    x_type, y_type = (harness.tensor(1, WIDTH, dtype) for dtype in types)
    return f"%y = mortar.l2_norm {x} epsilon({epsilon}) : ({x_type}) -> {y_type}"


def gdn_gating(x, types):
    x_type, w_type, y_type = (harness.tensor(rows, WIDTH, dtype)
                              for rows, dtype in zip((1, 0, 1), types))
    return (f"%y, %strength = mortar.gdn_gating {x} dt_bias(%w) a_log(%w) beta(%p) "
            f": ({x_type}, {w_type}, {w_type}, {x_type}) -> ({y_type}, {x_type})")


def gating(op, names, **defaults):
    """A writer of an op that gates one part of a row by the other."""
    def write(x, types, **attributes):
        x_type, y_type = (harness.tensor(1, width, dtype)
                          for width, dtype in zip((WIDTH, WIDTH // 2), types))
        values = defaults | attributes
        options = " ".join(option(name.removesuffix("_type"), values.get(name))
                           for name in names)
        return f"%y = mortar.{op} {x} {options} : ({x_type}) -> {y_type}"
    return write


def quantize(x, types):
    x_type, y_type = (harness.tensor(1, WIDTH, dtype) for dtype in types)
    return f"%y = mortar.quantize {x} scale(%c) : ({x_type}, tensor<1xf32>) -> {y_type}"


def quantize_dynamic(x, types, group_size=None, ue8m0=None):
    if ue8m0:
        group_size = "32"
    x_type, y_type = (harness.tensor(1, WIDTH, dtype) for dtype in types)
    groups = WIDTH // int(group_size) if group_size else 1
    return (f"%y, %scales = mortar.quantize_dynamic {x} {option('group_size', group_size)} "
            f"{'ue8m0' if ue8m0 == 'present' else ''} : ({x_type}) -> "
            f"({y_type}, {harness.tensor(1, groups, 'f32')})")


def region(x, width, body):
    """A hand-written region of f32, for the primitives."""
    x_type, y_type = (harness.tensor(1, n, "f32") for n in (WIDTH, width))
    return f"""%c0 = arith.constant 0 : index
  %m = tensor.dim {x}, %c0 : {x_type}
  %e = tensor.empty(%m) : {y_type}
  %y = mortar.fused ins(%a = row {x} : {x_type}) outs(row %e : {y_type}) {{
    {body}
    mortar.yield %v : vector<{width}xf32>
  }} -> {y_type}"""


def row_reduce(x, types, kind):
    row = f"vector<{WIDTH}xf32>"
    return region(x, WIDTH, f"""%k = mortar.row_reduce <{kind}> %a : {row} -> f32
    %r = mortar.row_broadcast %k : f32 -> {row}
    %v = arith.mulf %a, %r : {row}""")


def row_half(x, types, half):
    return region(x, WIDTH // 2, f"%v = mortar.row_half <{half}> %a : "
                                 f"vector<{WIDTH}xf32> -> vector<{WIDTH // 2}xf32>")


def row_prefix(x, types, length="48", fill="-0.0"):
    return region(x, WIDTH, f"%v = mortar.row_prefix %a length({length}) fill({fill}) : "
                            f"vector<{WIDTH}xf32>")


GATING = {"silu_and_mul": gating("silu_and_mul", ["limit", "inner_type"]),
          "mul_and_silu": gating("mul_and_silu", ["inner_type"]),
          "gelu_and_mul": gating("gelu_and_mul", ["approximate", "inner_type"]),
          "swigluoai_and_mul": gating("swigluoai_and_mul",
                                      ["alpha", "limit", "layout", "inner_type"]),
          "swiglustep_and_mul": gating("swiglustep_and_mul", ["limit", "inner_type"]),
          "fatrelu_and_mul": gating("fatrelu_and_mul", ["threshold"], threshold="0.0")}
OPS = {"residual_add": residual_add, "rms_norm": rms_norm, "gated_rms_norm": gated_rms_norm,
       "l2_norm": l2_norm, "gdn_gating": gdn_gating, "quantize": quantize,
       "quantize_dynamic": quantize_dynamic, "row_reduce": row_reduce,
       "row_half": row_half, "row_prefix": row_prefix, **GATING}
# How many types an op is given: of its operands, then of its result.
TYPES = {op: 3 if op in ("residual_add", "rms_norm", "gated_rms_norm", "gdn_gating")
         else 2 for op in OPS}
HALVING = {"row_half", *GATING}
# The results of what has others than its operands.
RESULTS = {"quantize": ["f8E4M3FN"], "quantize_dynamic": ["f8E4M3FN", "i8"]}


def after_op(chain, y_type, width):
    """What follows %y, and the last value with its element type."""
    y, f32 = harness.tensor(1, width, y_type), harness.tensor(1, width, "f32")
    if chain != "alone" and y_type in ("f8E4M3FN", "i8"):
        rest, last, last_type = after_op(chain, "f32", width)
        cast = "sitofp" if y_type == "i8" else "extf"
        return (f"%wide = arith.{cast} %y : {y} to {f32}\n  " + rest.replace("%y", "%wide"),
                last.replace("%y", "%wide"), last_type)
    if chain == "before_arith":
        widen = f"%f = arith.extf %q : {y} to {f32}\n" if y_type != "f32" else ""
        return (f"""%q = arith.mulf %y, %y : {y}
  {widen}  %z = arith.subf %{"f" if widen else "q"}, %b : {f32}""", "%z", "f32")
    if chain in ("before_add", "between"):
        return f"%z = mortar.residual_add %y, %b : ({y}, {f32}) -> {f32}", "%z", "f32"
    if chain == "before_norm":
        return f"%z = mortar.rms_norm %y epsilon(1.0e-5) : ({y}) -> {f32}", "%z", "f32"
    return "", "%y", y_type


def function(name, chain, op, types, attributes, mark=""):
    """`attributes` are the op's by name; `mark` is a further attribute dictionary."""
    second = types[1] if TYPES[op] == 3 else types[0]
    p_type = second if op == "residual_add" else types[0]
    x, p = (harness.tensor(1, WIDTH, dtype) for dtype in (types[0], p_type))
    width = WIDTH // 2 if op in HALVING else WIDTH
    first, source = "", "%x"
    if chain in ("after_add", "between"):
        first, source = f"%s = mortar.residual_add %x, %p : ({x}, {p}) -> {x}", "%s"
    body = OPS[op](source, types, **attributes)
    if mark:
        body = body.replace(" : (", f" {mark} : (", 1)
    rest, last, last_type = after_op(chain, types[-1], width)
    result = harness.tensor(1, width, last_type)
    return f"""func.func @{name}(%x: {x}, %p: {p}, %w: {harness.tensor(0, WIDTH, second)},
                 %b: {harness.tensor(1, width, "f32")}, %c: tensor<1xf32>) -> {result} {{
  {first}
  {body}
  {rest}
  return {last} : {result}
}}
"""
