"""Write what the docs show of the code: `make docs`, or `--check` in CI.

architecture.md gets its picture from the real imports, cli.md its lists from the commands.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import grimp

from service.cli import group

ROOT = Path(__file__).parent.parent
MARKS = ("<!-- drawn by docs/draw.py -->\n", "<!-- end -->\n")


def floors() -> list[list[str]]:
    """The floors of pyproject.toml, the top one first; each a list of rooms."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    return [
        [room.strip().removeprefix("service.") for room in layer.split("|")] for layer in layers
    ]


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


def commands() -> str:
    """Every command with its arguments and options, as Markdown."""
    return "".join(_described(["corrigenda"], group))


def _described(path: list[str], command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from _described([*path, name], found)
        return
    arguments = [p.make_metavar(context) for p in command.params if isinstance(p, click.Argument)]
    yield f"### `{' '.join([*path, *arguments])}`\n\n{command.get_short_help_str(200)}\n\n"
    options = [p.get_help_record(context) for p in command.params if isinstance(p, click.Option)]
    lines = [f"- `{names}` {text}".rstrip() for names, text in filter(None, options)]
    if lines:
        yield "\n".join(lines) + "\n\n"


PAGES = {"architecture.md": picture, "cli.md": commands}


def main() -> None:
    """Write what is drawn into the pages, or compare."""
    strays = set(rooms_of_imports()) - {room for layer in floors() for room in layer}
    if strays:
        sys.exit(f"rooms without a floor in pyproject.toml: {', '.join(sorted(strays))}")
    for name, draw in PAGES.items():
        file = ROOT / "docs" / name
        page, drawn = file.read_text(), MARKS[0] + draw() + MARKS[1]
        pattern = f"{re.escape(MARKS[0])}.*?{re.escape(MARKS[1])}"
        changed = re.sub(pattern, lambda _, drawn=drawn: drawn, page, flags=re.DOTALL)
        if "--check" in sys.argv and changed != page:
            sys.exit(f"docs/{name} no longer shows the code; run: make docs")
        file.write_text(changed)


if __name__ == "__main__":
    main()
