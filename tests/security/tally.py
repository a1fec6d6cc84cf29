"""Counts what was tried against each row of the threat model, and what got through."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

PROPERTY = "attack"

DATABASE = re.compile(r"\b(sqlite|postgresql)\b-?")


@dataclass
class Tally:
    """The payloads of one test; what got through fails it."""

    row: str
    tried: int = 0
    through: list[str] = field(default_factory=list)

    def add(self, payload: object, *, held: bool) -> None:
        """Count one payload, and whether the promise held."""
        self.tried += 1
        if not held:
            self.through.append(repr(payload)[:300])


def summary(reports: list[Any]) -> list[tuple[str, int, int]]:
    """Row, payloads, got through. A test that runs on both databases has one corpus."""
    tests: dict[tuple[str, str], tuple[int, int]] = {}
    for report in reports:
        for name, value in report.user_properties:
            if name == PROPERTY:
                row, tried, through = json.loads(value)
                key = row, DATABASE.sub("", report.nodeid)
                known = tests.get(key, (0, 0))
                tests[key] = max(known[0], tried), known[1] + through
    rows: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (row, _), (tried, through) in tests.items():
        rows[row][0] += tried
        rows[row][1] += through
    return [(row, tried, through) for row, (tried, through) in sorted(rows.items())]


def lines(reports: list[Any]) -> list[str]:
    """The table of attacks, if there were any."""
    rows = summary(reports)
    together = ("together", sum(row[1] for row in rows), sum(row[2] for row in rows))
    return [
        f"{row:<55}{tried:>6} payloads{through:>5} got through"
        for row, tried, through in [*rows, *([together] if rows else [])]
    ]
