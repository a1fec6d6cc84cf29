"""Plots as geometry: values in their order, in a box that is stretched to its place.

What a plot says also stands in a table; its axes are text of the page, so that no text stretches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1_000.0, 100.0
GAP = 0.2
"""This part of a bar's step is left free."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One value: its bar's left and upper edge, and the bar's size."""

    label: str
    value: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """The marks, the line through their middles, and the value at the upper edge."""

    marks: Sequence[Mark]
    line: str
    top: int

    @property
    def most(self) -> Mark:
        """The highest mark, the first of equal ones."""
        return max(self.marks, key=lambda mark: mark.value)


def plot(values: Sequence[tuple[str, int]]) -> Plot:
    """The plot of one value or more, none of them below zero."""
    top = ceiling(max(value for _, value in values))
    step = WIDTH / len(values)
    marks = [
        Mark(
            label,
            value,
            x=round(number * step + step * GAP / 2, 2),
            y=round(HEIGHT - HEIGHT * value / top, 2),
            width=round(step * (1 - GAP), 2),
            height=round(HEIGHT * value / top, 2),
        )
        for number, (label, value) in enumerate(values)
    ]
    line = " ".join(f"{round((n + 0.5) * step, 2)},{mark.y}" for n, mark in enumerate(marks))
    return Plot(marks, line, top)


def ceiling(value: int) -> int:
    """The next even number of the kind 2, 4, 10, 20, 40, 100 …, so that its half is whole too."""
    power = 1
    while True:
        for digit in (2, 4, 10):
            if digit * power >= value:
                return digit * power
        power *= 10
