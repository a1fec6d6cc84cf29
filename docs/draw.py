"""Draw docs/architecture.md's picture from the real imports: `make docs`, or `--check` in CI."""

import re
import sys
import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
MARKS = ("<!-- drawn by docs/draw.py -->\n", "<!-- end -->\n")


def floors() -> list[list[str]]:
    """The floors of pyproject.toml, the top one first; each a list of rooms."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[room.strip().removeprefix("service.") for room in layer.split("|")] for layer in layers]


def rooms_of_imports() -> dict[str, set[str]]:
    """Which rooms each room imports from."""
    graph = grimp.build_graph("service")
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            room, other = _room(module), _room(imported)
            if room and other and room != other:
                found.setdefault(room, set()).add(other)
    return found


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def picture() -> str:
    """A Mermaid drawing: one box a floor, one arrow for every pair of rooms that import."""
    lines = ["```mermaid", "flowchart TD"]
    for number, layer in reversed(list(enumerate(reversed(floors())))):
        lines.append(f'  subgraph floor{number}["floor {number}"]')
        lines += [f"    {room}" for room in layer]
        lines.append("  end")
    for room, others in sorted(rooms_of_imports().items()):
        lines += [f"  {room} --> {other}" for other in sorted(others)]
    return "\n".join([*lines, "```", ""])


def main() -> None:
    """Write the picture into the page, or compare."""
    known = {room for layer in floors() for room in layer}
    strays = set(rooms_of_imports()) - known
    if strays:
        sys.exit(f"rooms without a floor in pyproject.toml: {', '.join(sorted(strays))}")
    page = PAGE.read_text()
    drawn = re.sub(
        f"{re.escape(MARKS[0])}.*?{re.escape(MARKS[1])}",
        lambda _: MARKS[0] + picture() + MARKS[1],
        page,
        flags=re.DOTALL,
    )
    if "--check" in sys.argv and drawn != page:
        sys.exit("docs/architecture.md no longer shows the real imports; run: make docs")
    PAGE.write_text(drawn)


if __name__ == "__main__":
    main()
