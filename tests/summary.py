"""What a run shows at its end: on what it stood, what was attacked, what was broken on purpose."""

import re
from collections import Counter
from typing import Any

from tests.security import tally

LINE = "line"

OF_FAULTS = "\t"
"""Ends a line that belongs into the table of faults."""

HEAD = f"{'fault':<50}{'times':>6}{'lost':>6}{'duplicates':>12}{'recovered':>12}"

COMPONENTS = {
    "SQLite": r"\[.*sqlite",
    "PostgreSQL": r"\[.*postgresql",
    "limits in memory": r"test_limits\.py",
    "limits in Redis": r"test_redis|test_limits_across_processes|test_large_profile",
    "Chromium": r"tests/browser/(?!widget)|\[.*chromium",
    "Firefox": r"\[.*firefox",
    "WebKitGTK": r"\[.*webkit",
    "nginx": r"test_large_profile",
}
"""What a test stood on, by its name."""


def write(terminal: Any) -> None:
    """Write the tables that have rows."""
    passed = [report.nodeid for report in terminal.stats.get("passed", [])]
    counted = Counter(
        name
        for nodeid in passed
        for name, pattern in COMPONENTS.items()
        if re.search(pattern, nodeid, re.IGNORECASE)
    )
    ended = [report for report in terminal.stats.get("", []) if report.when == "teardown"]
    told = [value for report in ended for name, value in report.user_properties if name == LINE]
    _section(terminal, "stood on", [f"{name:<20}{counted[name]:>6} passed" for name in COMPONENTS])
    _section(terminal, "attacks", tally.lines(ended))
    faults = sorted(line.rstrip() for line in told if line.endswith(OF_FAULTS))
    _section(terminal, "faults", [HEAD, *faults] if faults else [])
    _section(terminal, "figures", sorted(line for line in told if not line.endswith(OF_FAULTS)))


def _section(terminal: Any, title: str, lines: list[str]) -> None:
    if lines:
        terminal.section(title)
        for line in lines:
            terminal.line(line)
