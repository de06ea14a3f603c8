"""Writes functions in which an op stands alone or among others.

All ops read rows of WIDTH values, so that one function's arguments serve every chain:
%x and %p (rows of WIDTH), %w (a weight), %b (rows of the op's result, f32). Every chain
but `alone` ends in f32, so that what differs in the op's result can be compared.
"""

import harness

WIDTH = 96
CHAINS = ["alone", "after_add", "before_arith", "before_add", "before_norm", "between"]


def option(name, value):
    return f"{name}({value})" if value is not None else ""


def residual_add(x, types):
    x_type, p_type, y_type = (harness.tensor(1, WIDTH, dtype) for dtype in types)
    return f"%y = mortar.residual_add {x}, %p : ({x_type}, {p_type}) -> {y_type}"


def rms_norm(x, types, epsilon="1.0e-6", weight_offset=None, inner_type=None):
    x_type, w_type, y_type = (harness.tensor(rows, WIDTH, dtype)
                              for rows, dtype in zip((1, 0, 1), types))
    return (f"%y = mortar.rms_norm {x} weight(%w) epsilon({epsilon}) "
            f"{option('weight_offset', weight_offset)} {option('inner', inner_type)} "
            f": ({x_type}, {w_type}) -> {y_type}")


def silu_and_mul(x, types, limit=None, inner_type=None):
    x_type, y_type = (harness.tensor(1, width, dtype)
                      for width, dtype in zip((WIDTH, WIDTH // 2), types))
    return (f"%y = mortar.silu_and_mul {x} {option('limit', limit)} "
            f"{option('inner', inner_type)} : ({x_type}) -> {y_type}")


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


OPS = {"residual_add": residual_add, "rms_norm": rms_norm, "silu_and_mul": silu_and_mul,
       "row_reduce": row_reduce, "row_half": row_half}
# How many types an op is given: of its operands, then of its result.
TYPES = {"residual_add": 3, "rms_norm": 3, "silu_and_mul": 2, "row_reduce": 2, "row_half": 2}
HALVING = {"silu_and_mul", "row_half"}


def after_op(chain, y_type, width):
    """What follows %y, and the last value with its element type."""
    y, f32 = harness.tensor(1, width, y_type), harness.tensor(1, width, "f32")
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
                 %b: {harness.tensor(1, width, "f32")}) -> {result} {{
  {first}
  {body}
  {rest}
  return {last} : {result}
}}
"""
