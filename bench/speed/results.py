"""What was measured, as Markdown and plots: `bench/RESULTS.md`."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from service.db.engines import sqlite_driver

BENCH = Path(__file__).parents[1]
PAGE = BENCH / "RESULTS.md"
PLOTS = BENCH / "plots"
AIMS = "Floors and aims"
COLOURS = ("#1b6e53", "#b4532a", "#3a5fa0", "#7a7a7a", "#8a3d7c")


@dataclass(slots=True)
class Results:
    """Sections as they come, and what each floor and aim came to."""

    is_quick: bool
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    sections: list[str] = field(default_factory=list)
    aims: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    """Part, what, wanted, reached, and whether it holds."""
    part: str = ""
    plots: dict[str, str] = field(default_factory=dict)
    """SVG by file name."""
    busy: float = field(default_factory=lambda: os.getloadavg()[0])
    """The load average before."""

    def heading(self, title: str, text: str) -> None:
        """Begin a section."""
        self.part = title
        self.sections.append(f"## {title}\n\n{text}\n")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table; numbers are told short."""
        lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
        lines += ["| " + " | ".join(map(shown, row)) + " |" for row in rows]
        self.sections.append("\n".join(lines) + "\n")

    def text(self, said: str) -> None:
        """A paragraph."""
        self.sections.append(f"{said}\n")

    def aim(self, what: str, wanted: str, reached: str, *, holds: bool) -> None:
        """One floor or aim beside the figure reached."""
        self.aims.append((self.part, what, wanted, reached, "yes" if holds else "no"))

    def plot(
        self, name: str, title: str, sizes: Sequence[str], lines: dict[str, list[float]]
    ) -> None:
        """A line for each name over the same places; the scale begins at 0."""
        self.plots[name] = drawn(title, sizes, lines)
        self.sections.append(f"![{title}](plots/{name}.svg)\n")

    def write(self) -> None:
        """Write the page and its plots, as far as they go."""
        minutes = (datetime.now(UTC) - self.began).total_seconds() / 60
        kind = (
            "the quick run (`make bench-speed QUICK=1`)" if self.is_quick else "`make bench-speed`"
        )
        head = (
            f"# Results\n\nWritten by {kind} on {self.began:%Y-%m-%d %H:%M} UTC, in {minutes:.0f} "
            f"minutes, on {machine(self.busy)}. The load generator ran on the same cores; loops "
            "are closed; figures are medians of rounds in which the targets took turns. Absolute "
            "figures do not repeat from machine to machine; ratios of one run do.\n"
        )
        self._keep([head, *of_aims(self.aims), *self.sections])

    def write_parts(self) -> None:
        """Put these sections in the places of those that the page has of them, aims as well."""
        alone = (
            f"Of a run of this part alone, to {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average "
            f"before {self.busy:.1f}.\n"
        )
        page, ours = parts_of(PAGE.read_text()), parts_of("\n".join(self.sections))
        rows = [line.strip("| ").split(" | ") for line in page[AIMS].splitlines()[5:]]
        kept = [row for row in rows if len(row) == 5 and row[0] not in ours]
        page |= {title: f"{text.rstrip()}\n\n{alone}" for title, text in ours.items()}
        page |= parts_of("\n".join(of_aims([*kept, *self.aims])))
        self._keep([f"## {title}\n{text}" if title else text for title, text in page.items()])

    def _keep(self, texts: Sequence[str]) -> None:
        PLOTS.mkdir(exist_ok=True)
        for name, plot in self.plots.items():
            (PLOTS / f"{name}.svg").write_text(plot)
        PAGE.write_text("\n".join(text.rstrip("\n") + "\n" for text in texts))


def of_aims(aims: Sequence[Sequence[str]]) -> list[str]:
    """The section of the floors and aims."""
    told = Results(is_quick=False)
    told.heading(AIMS, "What we promise ourselves, and what this page's figures reached.")
    told.table(("part", "what", "wanted", "reached", "holds"), aims)
    return told.sections


def parts_of(page: str) -> dict[str, str]:
    """The sections of a page by their titles; what stands before the first, by none."""
    before, *sections = f"\n{page}".split("\n## ")
    parts = (section.split("\n", 1) for section in sections)
    return ({"": before.strip("\n") + "\n"} if before.strip() else {}) | dict(parts)


def shown(value: object) -> str:
    """A number with three digits that count, anything else as it is."""
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine(busy: float) -> str:
    """What it ran on, and how busy that was before."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    postgresql = subprocess.run(["psql", "--version"], capture_output=True, text=True).stdout
    version = next((part for part in postgresql.split() if part[0].isdigit()), "none")
    return (
        f"{len(models)} cores ({models[0]}), {memory:.0f} GiB, Linux {platform.release()}, Python "
        f"{platform.python_version()}, SQLite {sqlite_driver().sqlite_version}, PostgreSQL "
        f"{version}, load average before {busy:.1f}"
    )


def drawn(title: str, sizes: Sequence[str], lines: dict[str, list[float]]) -> str:
    """An SVG of 640 by 320 with a legend; readable on light and dark."""
    left, top, width, height = 60, 40, 420, 220
    highest = max((value for values in lines.values() for value in values), default=1.0) or 1.0
    step = width / max(1, len(sizes) - 1)

    def at(index: int, value: float) -> str:
        return f"{left + index * step:.1f},{top + height - value / highest * height:.1f}"

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 320" role="img" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{title}</title>",
        '<rect width="640" height="320" fill="#fff"/>',
        f'<text x="{left}" y="22" font-size="14">{title}</text>',
        f'<path d="M{left} {top}v{height}h{width}" fill="none" stroke="#999"/>',
        f'<text x="{left - 6}" y="{top + 4}" text-anchor="end">{shown(float(highest))}</text>',
        f'<text x="{left - 6}" y="{top + height}" text-anchor="end">0</text>',
    ]
    for index, size in enumerate(sizes):
        x = left + index * step
        parts.append(
            f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{size}</text>'
        )
    for number, (name, values) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(at(index, value) for index, value in enumerate(values))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        y = top + 12 + number * 18
        parts.append(
            f'<rect x="{left + width + 16}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
        )
        parts.append(f'<text x="{left + width + 32}" y="{y}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])
