"""Extents of traced tensors: numbers, or what is known at run time."""

from __future__ import annotations


class Dim:
    """An extent of an input that may be another at the next call. Where a number is
    needed of it, int(dim) say, it becomes a static one, and other numbers compile anew."""

    def __init__(self, place: tuple[int, int], value: int):
        self.place, self.value = place, value  # the input's number, and its axis
        self.same: Dim | None = None  # a Dim that this one must equal
        self._static = False

    def root(self) -> "Dim":
        return self.same.root() if self.same else self

    @property
    def static(self) -> bool:
        return self.root()._static

    def __index__(self) -> int:
        self.root()._static = True
        return int(self.value)

    __int__ = __index__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Dim) and self.root() is other.root():
            return True
        return isinstance(other, (int, Dim)) and int(self) == int(other)

    def __hash__(self) -> int:
        return hash(self.root().place)

    def __str__(self) -> str:
        return str(self.value) if self.static else "?"


Extent = int | Dim


def unify(left: Extent, right: Extent) -> bool:
    """Whether they are equal; and if so, makes both static where one is."""
    values = [one.value if isinstance(one, Dim) else one for one in (left, right)]
    if values[0] != values[1]:
        return False
    if isinstance(left, Dim) and isinstance(right, Dim):
        a, b = left.root(), right.root()
        if a is not b:
            a._static |= b._static
            b.same = a
    else:
        for one in (left, right):
            if isinstance(one, Dim):
                int(one)
    return True
