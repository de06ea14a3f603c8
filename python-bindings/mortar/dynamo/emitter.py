"""Lines of IR for the program of one row: what `mortar.fused` holds."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Value:
    """``k`` values for a row: a row, one for each of its groups, or (k = 1) a scalar."""

    name: str
    k: int
    dtype: str

    @property
    def type(self) -> str:
        return f"vector<{self.k}x{self.dtype}>" if self.k > 1 else self.dtype


def f32(value: float) -> str:
    """A number rounded to f32, as a literal with all its digits."""
    try:
        bits, = struct.unpack("<I", struct.pack("<f", value))
    except OverflowError:
        bits = 0x7f800000 | (0x80000000 if value < 0 else 0)
    rounded, = struct.unpack("<f", struct.pack("<I", bits))
    if math.isnan(rounded):
        return "0x7FC00000"
    return f"{rounded:.17e}" if math.isfinite(rounded) else f"0x{bits:08X}"


class Emitter:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._constants: dict[tuple[str, int, str], Value] = {}
        self._count = 0

    def line(self, k: int, dtype: str, text: str) -> Value:
        made = Value(f"%{self._count}", k, dtype)
        self._count += 1
        self.lines.append(f"{made.name} = {text}")
        return made

    def literal(self, text: str, k: int, dtype: str) -> Value:
        key = (text, k, dtype)
        if key not in self._constants:
            made = Value("", k, dtype)
            text = f"dense<{text}>" if k > 1 else text
            self._constants[key] = self.line(k, dtype, f"arith.constant {text} : {made.type}")
        return self._constants[key]

    def constant(self, value: float, k: int) -> Value:
        return self.literal(f32(value), k, "f32")

    def integer(self, value: int, k: int) -> Value:
        signed = value - (1 << 32) if value >= 1 << 31 else value
        return self.literal(str(signed), k, "i32")

    def same(self, op: str, *operands: Value) -> Value:
        """An op whose operands and result are of one type."""
        first = operands[0]
        assert all(one.type == first.type for one in operands), (op, operands)
        names = ", ".join(one.name for one in operands)
        return self.line(first.k, first.dtype, f"{op} {names} : {first.type}")

    def add(self, x: Value, y: Value) -> Value:
        return self.same("arith.addf", x, y)

    def sub(self, x: Value, y: Value) -> Value:
        return self.same("arith.subf", x, y)

    def mul(self, x: Value, y: Value) -> Value:
        return self.same("arith.mulf", x, y)

    def div(self, x: Value, y: Value) -> Value:
        return self.same("arith.divf", x, y)

    def neg(self, x: Value) -> Value:
        return self.same("arith.negf", x)

    def compare(self, predicate: str, x: Value, y: Value) -> Value:
        return self.line(x.k, "i1", f"arith.cmpf {predicate}, {x.name}, {y.name} : {x.type}")

    def select(self, condition: Value, yes: Value, no: Value) -> Value:
        types = f"{condition.type}, {yes.type}" if yes.k > 1 else yes.type
        return self.line(yes.k, yes.dtype, f"arith.select {condition.name}, {yes.name}, "
                                           f"{no.name} : {types}")

    def convert(self, op: str, x: Value, dtype: str) -> Value:
        made = Value("", x.k, dtype)
        return self.line(x.k, dtype, f"{op} {x.name} : {x.type} to {made.type}")

    def as_bits(self, x: Value) -> Value:
        return self.convert("arith.bitcast", x, "i32")

    def as_float(self, x: Value) -> Value:
        return self.convert("arith.bitcast", x, "f32")

    def widen(self, x: Value) -> Value:
        return x if x.dtype in ("f32", "i1") else self.convert("arith.extf", x, "f32")

    def round(self, x: Value, dtype: str) -> Value:
        return x if x.dtype == dtype else self.convert("arith.truncf", x, dtype)

    def broadcast(self, x: Value, k: int) -> Value:
        if x.k == k:
            return x
        # Booleans are no elements of rows: they are made where they are wanted.
        assert x.dtype != "i1"
        return self._row("row_broadcast", x, k)

    def repeat(self, x: Value, k: int) -> Value:
        return x if x.k == k else self._row("row_repeat", x, k)

    def _row(self, op: str, x: Value, k: int) -> Value:
        made = Value("", k, x.dtype)
        return self.line(k, x.dtype, f"mortar.{op} {x.name} : {x.type} -> {made.type}")

    def reduce(self, kind: str, x: Value, k: int) -> Value:
        made = Value("", k, "f32")
        return self.line(k, "f32", f"mortar.row_reduce <{kind}> {x.name} : {x.type} -> "
                                   f"{made.type}")
