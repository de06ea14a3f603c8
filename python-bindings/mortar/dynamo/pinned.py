"""exp, sigmoid, tanh, erf and log1p as the sequences whose bits the compiler pins.

A region's rows know no elementary function, only IEEE operations; the compiler writes these
sequences where an op of its own needs one. A chain of single ATen ops has no such op, so
they are written here as lib/Transforms/PinnedMath*.cpp has them, where their derivation and
error bounds stand. A test holds them to the compiler's bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mortar.dynamo.emitter import Emitter, Value


def _floats(text: str) -> list[float]:
    return [float.fromhex(one) for one in text.split()]


EXP = _floats("0x1p0 0x1p0 0x1.fffffcp-2 0x1.55548ep-3 0x1.55586cp-5 0x1.123b76p-7 "
              "0x1.6a9212p-10")
EXPM1 = _floats("0x1.fffff4p-2 0x1.55548cp-3 0x1.555dc6p-5 0x1.123d1cp-7 0x1.672fd6p-10")
RECIPROCAL = _floats("0x1.ff1cd8p-1 -0x1.e2b7b8p-1 0x1.54bdf4p-1 -0x1.c652ap-3")
RECIPROCAL_OF_TWO_MINUS = _floats("0x1.ff1cd8p-2 0x1.1bf38cp-2 0x1.14244ep-24 0x1.c65286p-3")
ERF = _floats("0x1.06eba8p-3 0x1.45f308p-1 0x1.a4f3c6p-4 -0x1.393da4p-6 -0x1.076b1p-12 "
              "0x1.d73e24p-10 -0x1.83f87ep-11 0x1.5f3b94p-13 -0x1.679b9cp-16 0x1.44ac1ap-20")
LOG1P = _floats("-0x1p-1 0x1.5555aap-2 -0x1.00007ap-2 0x1.99687ep-3 -0x1.54df3cp-3 "
                "0x1.287124p-3 -0x1.0e0ea6p-3 0x1.af97bp-4 -0x1.75e6dep-5")
LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e43p-1"), float.fromhex("-0x1.05c61p-29")
LOG2_E, ROUND = float.fromhex("0x1.715476p+0"), float.fromhex("0x1.8p+23")
SIGN, MAGNITUDE = 0x80000000, 0x7fffffff


class Pinned:
    """Writes the sequences for values of one shape."""

    def __init__(self, m: "Emitter", like: "Value"):
        self.m, self.k = m, like.k

    def constant(self, value: float) -> "Value":
        return self.m.constant(value, self.k)

    def bits(self, value: int) -> "Value":
        return self.m.integer(value, self.k)

    def fma(self, x: "Value", y: "Value", z: "Value") -> "Value":
        return self.m.same("math.fma", x, y, z)

    def select_less(self, x: "Value", y: "Value", yes: "Value", no: "Value") -> "Value":
        return self.m.select(self.m.compare("olt", x, y), yes, no)

    def at_least(self, x: "Value", limit: float) -> "Value":
        bound = self.constant(limit)
        return self.select_less(x, bound, bound, x)

    def at_most(self, x: "Value", limit: float) -> "Value":
        bound = self.constant(limit)
        return self.select_less(bound, x, bound, x)

    def bitwise(self, op: str, x: "Value", mask: int) -> "Value":
        return self.m.as_float(self.m.same(op, self.m.as_bits(x), self.bits(mask)))

    def abs(self, x: "Value") -> "Value":
        return self.bitwise("arith.andi", x, MAGNITUDE)

    def with_sign_of(self, x: "Value", y: "Value") -> "Value":
        sign = self.m.same("arith.andi", self.m.as_bits(y), self.bits(SIGN))
        return self.m.as_float(self.m.same("arith.ori", self.m.as_bits(x), sign))

    def polynomial(self, coefficients: list[float], x: "Value") -> "Value":
        total = self.constant(coefficients[-1])
        for one in reversed(coefficients[:-1]):
            total = self.fma(total, x, self.constant(one))
        return total

    def reduce_by_ln2(self, x: "Value") -> tuple["Value", "Value"]:
        shifted = self.fma(x, self.constant(LOG2_E), self.constant(ROUND))
        n = self.m.sub(shifted, self.constant(ROUND))
        r = self.fma(n, self.constant(-LN2_HIGH), x)
        return self.m.as_bits(shifted), self.fma(n, self.constant(-LN2_LOW), r)

    def power_of_two(self, bits: "Value", bias: int) -> "Value":
        exponent = self.m.same("arith.shli", bits, self.bits(23))
        return self.m.as_float(self.m.same("arith.addi", exponent,
                                           self.bits((bias + 127) << 23)))

    def refine_reciprocal(self, y: "Value", residual: "Value") -> "Value":
        return self.fma(y, self.fma(residual, residual, residual), y)

    def one_minus_exp(self, x: "Value") -> "Value":
        bits, r = self.reduce_by_ln2(x)
        expm1 = self.fma(self.m.mul(r, r), self.polynomial(EXPM1, r), r)
        minus_power = self.m.neg(self.power_of_two(bits, 0))
        return self.fma(minus_power, expm1, self.m.add(self.constant(1.0), minus_power))


def exp(m: "Emitter", x: "Value") -> "Value":
    p = Pinned(m, x)
    bits, r = p.reduce_by_ln2(p.at_least(p.at_most(x, 89.0), -104.0))
    half = m.same("arith.shrui", bits, p.bits(1))
    other_half = m.same("arith.subi", bits, half)
    product = m.mul(p.polynomial(EXP, r), p.power_of_two(half, 0))
    return m.mul(product, p.power_of_two(other_half, 0))


def sigmoid(m: "Emitter", x: "Value") -> "Value":
    p = Pinned(m, x)
    minus_abs = p.at_least(p.bitwise("arith.ori", x, SIGN), -128.0)
    bits, r = p.reduce_by_ln2(minus_abs)
    scaled = m.mul(p.polynomial(EXP, r), p.power_of_two(bits, 64))
    e = m.mul(scaled, p.constant(2.0 ** -64))
    numerator = p.select_less(x, p.constant(0.0), e, p.constant(1.0))
    y = p.polynomial(RECIPROCAL, e)
    residual = p.fma(m.neg(e), y, m.sub(p.constant(1.0), y))
    return m.mul(numerator, p.refine_reciprocal(y, residual))


def tanh(m: "Emitter", x: "Value") -> "Value":
    p = Pinned(m, x)
    magnitude = p.at_most(p.abs(x), 10.0)
    u = p.one_minus_exp(m.mul(magnitude, p.constant(-2.0)))
    y = p.polynomial(RECIPROCAL_OF_TWO_MINUS, u)
    residual = p.fma(u, y, p.fma(y, p.constant(-2.0), p.constant(1.0)))
    return p.with_sign_of(m.mul(u, p.refine_reciprocal(y, residual)), x)


def erf(m: "Emitter", x: "Value") -> "Value":
    p = Pinned(m, x)
    a = p.at_most(p.abs(x), 4.0)
    exponent = p.fma(a, p.polynomial(ERF, a), a)
    return p.with_sign_of(p.one_minus_exp(m.neg(exponent)), x)


def log1p(m: "Emitter", x: "Value") -> "Value":
    p = Pinned(m, x)
    total = m.add(x, p.constant(1.0))
    shifted = m.same("arith.subi", m.as_bits(total), p.bits(0x3f400000))
    k = m.same("arith.andi", shifted, p.bits(0xff800000))
    scaled = m.as_float(m.same("arith.subi", m.as_bits(x), k))
    four_power = m.as_float(m.same("arith.subi", p.bits(0x40800000), k))
    reduced = m.add(scaled, p.fma(four_power, p.constant(0.25), p.constant(-1.0)))
    log = p.fma(m.mul(reduced, reduced), p.polynomial(LOG1P, reduced), reduced)
    exponent = m.same("arith.shrsi", k, p.bits(23))
    k_float = m.sub(m.as_float(m.same("arith.addi", exponent, p.bits(0x4b400000))),
                    p.constant(ROUND))
    inside = p.with_sign_of(p.fma(k_float, p.constant(LN2_HIGH), log), x)
    minus_one, infinity = p.constant(-1.0), p.constant(float("inf"))
    outside = p.select_less(x, minus_one, p.constant(float("nan")),
                            p.constant(float("-inf")))
    finite = p.select_less(minus_one, x, inside, outside)
    return p.select_less(x, infinity, finite, x)
