"""What is counted of a day, a month or a range, and how two of them become one."""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

COUNTS = ("reports", "corrections", "decided", "accepted", "rejected", "fixed", "closed")
DIMENSIONS = ("all", "section", "category", "language", "article")

Key = tuple[str, str]
"""A dimension and one of its values."""


@dataclass(slots=True)
class Sums:
    """Counts, and the sorted minutes of the waits: one sequence a day or month."""

    reports: int = 0
    corrections: int = 0
    decided: int = 0
    accepted: int = 0
    rejected: int = 0
    fixed: int = 0
    closed: int = 0
    waits: list[Sequence[int]] = field(default_factory=list)
    repairs: list[Sequence[int]] = field(default_factory=list)

    def add(self, row: Any) -> None:
        """Count another one in, or a row of `roll_ups`."""
        self.reports += row.reports
        self.corrections += row.corrections
        self.decided += row.decided
        self.accepted += row.accepted
        self.rejected += row.rejected
        self.fixed += row.fixed
        self.closed += row.closed
        if isinstance(row, Sums):
            self.waits += row.waits
            self.repairs += row.repairs
        else:
            self.waits.append(unpacked(row.waits))
            self.repairs.append(unpacked(row.repairs))

    @property
    def accepted_share(self) -> float | None:
        """Of those decided, not counting spam: which part was accepted or fixed; None of none."""
        told = self.accepted + self.rejected
        return self.accepted / told if told else None


def packed(minutes: Iterable[int]) -> bytes:
    """Sorted, 4 bytes each, little-endian."""
    found = array("I", sorted(minutes))
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def unpacked(stored: bytes) -> Sequence[int]:
    """What `packed` packed."""
    found = array("I")
    found.frombytes(stored)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def percentile(parts: Iterable[Sequence[int]], share: float) -> int | None:
    """The smallest value that at least this share of all values does not exceed (nearest rank).

    The parts are sorted; they are searched, never joined. None where there are no values.
    """
    filled = [part for part in parts if part]
    total = sum(map(len, filled))
    if not total:
        return None
    rank = max(1, -int(-share * total // 1))
    low, high = min(part[0] for part in filled), max(part[-1] for part in filled)
    while low < high:
        middle = (low + high) // 2
        if sum(bisect_right(part, middle) for part in filled) >= rank:
            high = middle
        else:
            low = middle + 1
    return low
