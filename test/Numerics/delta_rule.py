"""The gated delta rule in float64, and programs and inputs to compare with it.

Written from semantics alone: a loop over sequences, heads and tokens. Values are float64;
they are rounded where a type says so.
"""

from dataclasses import dataclass

import numpy as np

import dtypes
from dtypes import round_to


@dataclass
class Case:
    """`mode` is how tokens belong to sequences: decode, uniform, varlen, speculative or
    drafts (speculative, with as many tokens in each). `chain` names the ops around."""
    mode: str = "decode"
    heads: int = 4
    key_heads: int = 2
    keys: int = 8
    values: int = 8
    sequences: int = 3
    tokens: int = 1  # of a sequence, at most
    columns: int = 1
    slots: int = 7
    dtype: str = "bf16"  # of q, k, v, a, b and the result
    state: str = "f32"
    gates: str = "f32"  # of g and beta
    scale: float = None
    chain: tuple = ("gating", "l2", "norm")
    constant: bool = True  # whether weights are promised not to change
    seed: int = 0
    bad: bool = False  # slots and counts out of range

    def flat(self):
        return self.mode in ("decode", "varlen", "speculative")


def text(case, name="f"):
    """One function that takes all of `arrays(case)` in order."""
    tokens = "?" if case.flat() else f"{case.sequences}x{case.tokens}"
    t = lambda *rest: f"tensor<{'x'.join([tokens, *map(str, rest)])}>"
    h, hv, k, v = case.key_heads, case.heads, case.keys, case.values
    d, g = case.dtype, case.gates
    row, kept = t(h, k, d), t(h, k, "f32" if "l2" in case.chain else d)
    value, head, gate = t(hv, v, d), t(hv, d), t(hv, g)
    pool = f"tensor<?x{hv}x{v}x{k}x{case.state}>"
    table = f"tensor<{'?' if case.flat() else case.sequences}{f'x{case.columns}' if case.columns > 1 else ''}xi32>"
    flat = f"tensor<{'?' if case.flat() else case.sequences}xi32>"
    arguments = [("q0", row), ("k0", row), ("v", value), ("a", head), ("b", head),
                 ("log", f"tensor<{hv}xf32>"), ("dt", f"tensor<{hv}x{d}>"), ("z", value),
                 ("w", f"tensor<{v}x{d}>"), ("pool", pool), ("slots", table)]
    options, types = "", ""
    if case.mode in ("varlen", "speculative"):
        arguments.append(("bounds", "tensor<?xi32>"))
        options, types = options + " bounds(%bounds)", types + ", tensor<?xi32>"
    if case.columns > 1:
        arguments.append(("accepted", flat))
        options, types = options + " accepted(%accepted)", types + f", {flat}"
    if case.scale:
        options += f" scale({case.scale:e})"
    body = ""
    if "l2" in case.chain:
        for x in "qk":
            body += f"  %{x} = mortar.l2_norm %{x}0 epsilon(1.0e-6) : ({row}) -> {kept}\n"
    if "gating" in case.chain:
        body += f"""  %g, %beta = mortar.gdn_gating %a dt_bias(%dt) a_log(%log) beta(%b)
    : ({head}, tensor<{hv}x{d}>, tensor<{hv}xf32>, {head}) -> ({gate}, {gate})\n"""
    names = {"q": "%q" if "l2" in case.chain else "%q0",
             "k": "%k" if "l2" in case.chain else "%k0",
             "g": "%g" if "gating" in case.chain else "%a",
             "beta": "%beta" if "gating" in case.chain else "%b"}
    gate = gate if "gating" in case.chain else head
    body += f"""  %o, %new = mortar.gated_delta_rule query({names["q"]}) key({names["k"]}) value(%v)
    decay({names["g"]}) beta({names["beta"]}) state(%pool) slots(%slots){options}
    : ({kept}, {kept}, {value}, {gate}, {gate}, {pool}, {table}{types}) -> ({value}, {pool})\n"""
    result, last = value, "%o"
    if "norm" in case.chain:
        body += f"""  %y = mortar.gated_rms_norm %o gate(%z) weight(%w) epsilon(1.0e-6)
    : ({value}, {value}, tensor<{v}x{d}>) -> {value}\n"""
        last = "%y"
    if "fp8" in case.chain:
        result = t(hv, v, "f8E4M3FN")
        body += f"""  %one = arith.constant dense<0.5> : tensor<1xf32>
  %f = mortar.quantize {last} scale(%one) : ({value}, tensor<1xf32>) -> {result}\n"""
        last = "%f"
    weights = ("log", "dt", "w") if case.constant else ()
    declared = ", ".join(f"%{n}: {type}{' {mortar.constant}' if n in weights else ''}"
                         for n, type in arguments)
    return f"""func.func @{name}({declared}) -> ({result}, {pool}) {{
{body}  return {last}, %new : {result}, {pool}
}}
"""


def arrays(case):
    """{name: stored array}, in the order of the function's arguments."""
    random = np.random.default_rng([case.seed, case.heads, case.keys, case.values])
    lengths = np.full(case.sequences, case.tokens)
    if case.mode == "decode":
        lengths[:] = 1
    if case.mode in ("varlen", "speculative"):
        lengths = random.integers(0, case.tokens + 1, case.sequences)
    bounds = np.append(0, np.cumsum(lengths)).astype(np.int32)
    padding = 2 if case.bad and case.mode in ("varlen", "speculative") else 0
    total = int(bounds[-1]) + padding
    shape = (total,) if case.flat() else (case.sequences, case.tokens)
    make = lambda extents, dtype, by=1.0: dtypes.encode(
        round_to(random.standard_normal(extents) * by, dtype), dtype)
    h, hv, k, v, d = case.key_heads, case.heads, case.keys, case.values, case.dtype
    # No two sequences name a slot.
    table = 1 + random.permutation(case.sequences * case.columns).reshape(
        case.sequences, case.columns).astype(np.int32)
    assert table.max(initial=0) < case.slots
    accepted = random.integers(1, case.columns + 1, case.sequences).astype(np.int32)
    if case.bad:
        wrong = np.array([0, -1, case.slots, 2**31 - 1, -2**31], np.int32)
        hit = random.random(table.shape) < 0.3
        table[hit] = random.choice(wrong, hit.sum())
        hit = random.random(accepted.shape) < 0.3
        accepted[hit] = random.choice(np.array([0, -5, case.columns + 1, 2**31 - 1]), hit.sum())
    # Keys of length near 1, or the state grows without bound.
    small = 1.0 if "l2" in case.chain else k ** -0.5
    given = {"q0": make((*shape, h, k), d), "k0": make((*shape, h, k), d, small),
             "v": make((*shape, hv, v), d)}
    if "gating" in case.chain:
        given |= {"a": make((*shape, hv), d, 4.0), "b": make((*shape, hv), d, 2.0)}
    else:  # what gating would give
        given |= {"a": dtypes.encode(round_to(-random.random((*shape, hv)), d), d),
                  "b": dtypes.encode(round_to(random.random((*shape, hv)), d), d)}
    given |= {"log": make((hv,), "f32"), "dt": make((hv,), d), "z": make((*shape, hv, v), d),
              "w": make((v,), d), "pool": make((case.slots, hv, v, k), case.state),
              "slots": table if case.columns > 1 else table[:, 0]}
    if case.mode in ("varlen", "speculative"):
        given["bounds"] = bounds
    if case.columns > 1:
        given["accepted"] = accepted
    return given


def softplus(x):
    return np.where(x > 20, x, np.log1p(np.exp(np.minimum(x, 20))))


def gating(a, b, log, dt, dtype):
    g = -np.exp(log) * softplus(a + dt)
    return round_to(g, dtype), round_to(1 / (1 + np.exp(-b)), dtype)


def l2_norm(x):
    return x / np.sqrt(np.sum(np.square(x), -1, keepdims=True) + np.float64(np.float32(1e-6)))


def reference(case, given):
    """(o in float64, not rounded; the magnitudes that its error is one of; the new pool,
    not rounded; those of its error), the rule without what follows it."""
    kinds = {"log": "f32", "pool": case.state}
    value = {n: x.astype(np.int64) if n in ("slots", "bounds", "accepted")
             else dtypes.decode(x, kinds.get(n, case.dtype)) for n, x in given.items()}
    q, k, v = value["q0"], value["k0"], value["v"]
    if "l2" in case.chain:
        q, k = round_to(l2_norm(q), "f32"), round_to(l2_norm(k), "f32")
    g, beta = value["a"], value["b"]
    if "gating" in case.chain:
        g, beta = gating(g, beta, value["log"], value["dt"], case.gates)
    scale = np.float64(np.float32(case.scale or case.keys ** -0.5))
    shape, group = v.shape, case.heads // case.key_heads
    tokens = int(np.prod(shape[:-2]))
    flat = lambda x, n: x.reshape(tokens, *x.shape[-n:])
    q, k, v = (flat(x, 2) for x in (q, k, v))
    g, beta = flat(g, 1), flat(beta, 1)
    o, size = np.zeros(v.shape), np.zeros(v.shape)
    pool, error = value["pool"].copy(), np.abs(value["pool"])
    table = value["slots"].reshape(case.sequences, case.columns)
    valid = lambda slot: 0 < slot < case.slots
    for s in range(case.sequences):
        if case.mode == "decode":
            begin, end = s, s + 1
        elif "bounds" in value:
            begin, end = value["bounds"][s], value["bounds"][s + 1]
        else:
            begin, end = s * case.tokens, (s + 1) * case.tokens
        count = value["accepted"][s] if case.columns > 1 else 1
        if not 1 <= count <= case.columns or not valid(table[s, count - 1]):
            continue
        state = value["pool"][table[s, count - 1]]
        wide = np.abs(state)
        for t in range(begin, end):
            slot = table[s, min(t - begin, case.columns - 1)]
            key, query = (np.repeat(x[t], group, axis=0)[:, None, :] for x in (k, q * scale))
            state = state * np.exp(g[t])[:, None, None]
            # Of exp(g) the error is one of g, which is off by ulps of its own.
            wide = wide * (np.exp(g[t]) * (1 + np.abs(g[t])))[:, None, None]
            missing = v[t] - np.sum(state * key, -1)
            largest = np.abs(v[t]) + np.sum(wide * np.abs(key), -1)
            state = state + (beta[t][:, None] * missing)[..., None] * key
            wide = wide + (beta[t][:, None] * largest)[..., None] * np.abs(key)
            if not valid(slot):
                continue
            o[t] = np.sum(state * query, -1)
            size[t] = np.sum(wide * np.abs(query), -1)
            pool[slot], error[slot] = state, wide
    return o.reshape(shape), size.reshape(shape), pool, error
