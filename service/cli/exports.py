"""`corrigenda export`: corrections as CSV or as W3C annotations, in constant memory."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import TextIO

import click

from service.cli.context import of_site, open_database, site_of
from service.desk import queue
from service.desk.exports import FORMATS
from service.desk.filters import Filters
from service.errors import Unavailable
from service.models import State


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
@of_site
@click.option(
    "--format", "ending", type=click.Choice(list(FORMATS)), default="jsonl", show_default=True
)
@click.option("--state", type=click.Choice([state.value for state in State]))
@click.option("--without-suspected", is_flag=True, help="Leave out what may be spam.")
def export(
    file: Path, key: str | None, ending: str, state: str | None, without_suspected: bool
) -> None:
    """Write a site's corrections into FILE or to standard output; `import jsonl` reads jsonl."""
    filters = Filters(
        state=State(state) if state else None,
        suspected=False if without_suspected else None,
    )
    database = open_database()
    with database.read() as session:
        site = site_of(session, key)
        total = queue.total(session, site.id, filters)
    with (
        _opened(file) as to,
        click.progressbar(length=total, label="Corrections", file=sys.stderr) as bar,
    ):
        for part in FORMATS[ending].parts(database, site.id, filters, bar.update):
            to.write(part)


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """Where to write; a file of this name is there once it is whole, a pipe is written into."""
    if str(file) == "-":
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as to:
            yield to
        return
    try:
        if file.exists() and not file.is_file():
            with file.open("w", encoding="utf-8", newline="") as to:
                yield to
            return
        with _unfinished(file.resolve()) as to:
            yield to
    except OSError as error:
        raise Unavailable(f"The file cannot be written: {error}") from None


@contextmanager
def _unfinished(target: Path) -> Iterator[TextIO]:
    """A file of another name, of this export alone, which takes the target's place at the end."""
    # Readers' words are in it: for nobody else to read.
    descriptor, name = mkstemp(".unfinished", f".{target.name}.", target.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as to:
            yield to
            to.flush()
            os.fsync(descriptor)
        Path(name).rename(target)
    finally:
        Path(name).unlink(missing_ok=True)
