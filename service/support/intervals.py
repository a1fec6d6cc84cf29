"""How sure a share is: score intervals, and whether two shares differ."""

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between its 95 % limits, all as shares of 1."""

    low: float
    estimate: float
    high: float


def share(successes: int, total: int) -> Interval:
    """A proportion with Wilson's score interval (E. B. Wilson, JASA 22, 1927); total over 0."""
    estimate = successes / total
    middle = (successes + Z * Z / 2) / (total + Z * Z)
    half = Z / (total + Z * Z) * sqrt(successes * (total - successes) / total + Z * Z / 4)
    return Interval(max(0.0, middle - half), estimate, min(1.0, middle + half))


def difference(first: Interval, second: Interval) -> Interval:
    """How much the first share exceeds the second (R. G. Newcombe, 1998, method 10)."""
    estimate = first.estimate - second.estimate
    below = sqrt((first.estimate - first.low) ** 2 + (second.high - second.estimate) ** 2)
    above = sqrt((first.high - first.estimate) ** 2 + (second.estimate - second.low) ** 2)
    return Interval(estimate - below, estimate, estimate + above)
