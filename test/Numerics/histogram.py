"""How many results are how many ulp from the correctly rounded one, against bounds."""

from dataclasses import dataclass, field

import numpy as np

import dtypes

# The largest error of an f32 result in ulp, by how it is made, with the reason.
F32_BOUNDS = {
    "sum": (0.5, "one IEEE addition of widened values rounds once"),
    "norm": (4, "root, reciprocal, x·r, weight and its offset are five roundings, each worth "
                "at most an ulp; those of the mean mostly cancel, and the root halves them. "
                "No proved worst case: that grows with log2 N, to about 13 for 16384"),
    "l2 norm": (3, "root, reciprocal and x·r are three roundings, each worth at most an ulp; "
                   "those of the sum mostly cancel, and the root halves them"),
    "decay": (4, "the pinned exp is within 0.91 ulp and softplus within 1.7 (`pinned-math`), "
                 "and their product rounds once"),
    "sigmoid": (3, "the pinned sigmoid is within 2.7 ulp (`pinned-math`)"),
    "silu": (3, "the pinned silu is within 2.95 ulp on all 2^32 inputs (`pinned-math --stride "
                "1`); its product with 1 is exact"),
    "silu product": (4, "silu's 2.95 and the product's own half. No proved worst case: that "
                        "is 6.4, where silu lies just above a power of two and the product "
                        "just below one"),
    "gated norm": (8, "a norm's 4, the gate's 2.95, and its product's half and more where "
                      "it lies just above a power of two"),
    "product": (0.5, "one IEEE product of widened values rounds once"),
    "gelu": (3, "of gate·up and not of the result, since 1 + erf cancels below 0: narrow "
                "results may be as far from the exact value, and then half an ulp"),
    "gate by a sigmoid of a product": (
        3, "of the gate times the other factor and not of the result: the sigmoid of a "
           "rounded argument is off by that argument's ulp, where it is small"),
}
# 16-bit results, by their distance from the correctly rounded one, with the reason.
MOST_APART, LEAST_RIGHT = 1, 0.999
NARROW_REASON = (
    "4 ulp of f32 are 2^-11 of f16 and 2^-14 of bf16. So a result is the correctly rounded one "
    "or its neighbour, and the neighbour only this near to a tie: 2^-10 of f16's results")
# Where an inner rounding may go either way, the element is only counted. That is rare.
MOST_TIES = 0.01


@dataclass
class Line:
    """One op, its types and one choice of its attributes."""
    dtype: str
    counts: np.ndarray = field(default_factory=lambda: np.zeros(6, np.int64))
    ties: int = 0
    worst: float = 0.0

    def merge(self, other):
        self.counts = self.counts + other.counts
        self.ties += other.ties
        self.worst = max(self.worst, other.worst)

    @property
    def right(self):
        """The share of correctly rounded results."""
        return self.counts[0] / max(self.counts.sum(), 1)


class Histogram:
    """Lines by (op, types, variant), the number of results compared bit for bit, and
    what is wrong."""

    def __init__(self):
        self.lines = {}
        self.stepwise = 0
        self.failures = []

    def add(self, key, stored, dtype, made, exact, ties=None, where="", factors=None):
        """`exact` is the float64 result before its last rounding, `made` names the bound;
        elements in `ties` are only counted. `factors` are what was multiplied, where the
        error is one of theirs."""
        if stored.shape != exact.shape:
            self.failures.append(f"{key} {where}: shape {stored.shape}, not {exact.shape}")
            return
        counts = np.ones(exact.shape, bool) if ties is None else ~ties
        rounded = dtypes.encode(dtypes.round_to(exact, dtype), dtype)
        apart = np.abs(dtypes.ordered(stored, dtype) - dtypes.ordered(rounded, dtype))
        error = np.abs(dtypes.decode(stored, dtype) - exact) / dtypes.ulp(exact, dtype)
        within = error <= F32_BOUNDS[made][0] if dtype == "f32" else apart <= MOST_APART
        if factors is not None:
            own = F32_BOUNDS[made][0] * dtypes.ulp(factors, "f32")
            if dtype == "f32":  # else the result's own ulp counts
                error = np.abs(dtypes.decode(stored, dtype) - exact) / dtypes.ulp(factors, dtype)
                within = error <= F32_BOUNDS[made][0]
            elif made == "gelu":
                within = (np.abs(dtypes.decode(stored, dtype) - exact)
                          <= own + dtypes.ulp(exact, dtype) / 2)
        bad = counts & ~within
        if bad.any():
            at = tuple(np.argwhere(bad)[0])
            self.failures.append(
                f"{key} {where}: {bad.sum()} of {bad.size} beyond the bound, first at "
                f"{[int(i) for i in at]}: found {dtypes.decode(stored, dtype)[at]!r}, "
                f"exact {exact[at]!r}")
        self.merge_line(key, Line(
            f"{dtype} by factors" if made == "gelu" else dtype, np.bincount(np.minimum(apart[counts], 5).astype(np.int64), minlength=6),
            int((~counts).sum()), float(np.max(error[counts], initial=0))))

    def add_stepwise(self, key, same, where):
        """`same`: which results have the bits of float32 step by step."""
        self.stepwise += same.size
        if not same.all():
            self.failures.append(f"{key} {where}: {(~same).sum()} of {same.size} bits "
                                 "differ from float32's")

    def merge_line(self, key, line):
        self.lines.setdefault(key, Line(line.dtype)).merge(line)

    def merge(self, other):
        for key, line in other.lines.items():
            self.merge_line(key, line)
        self.stepwise += other.stepwise
        self.failures += other.failures

    def check_shares(self):
        for key, line in self.lines.items():
            if line.dtype.endswith("by factors"):
                continue
            if line.dtype != "f32" and line.right < LEAST_RIGHT:
                self.failures.append(f"{key}: expected {LEAST_RIGHT:.1%} correctly rounded, "
                                     f"but found {line.right:.4%}")
            if line.ties > MOST_TIES * (line.ties + line.counts.sum()):
                self.failures.append(f"{key}: {line.ties} near ties are too many")

    def markdown(self):
        """One line for each op and its types; the variants of its attributes are added
        up."""
        text = ("| op | types | elements | near ties | correctly rounded | 1 ulp | 2 | 3 "
                "| 4 | more | worst |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
        rows = Histogram()
        for (op, types, _), line in self.lines.items():
            rows.merge_line((op, types), line)
        for (op, types), line in sorted(rows.lines.items()):
            others = " | ".join(str(count) for count in line.counts[1:])
            text += (f"| {op} | {types} | {line.counts.sum()} | {line.ties} | "
                     f"{line.right:.4%} | {others} | {line.worst:.2f} |\n")
        return text
