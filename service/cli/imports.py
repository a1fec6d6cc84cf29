"""`corrigenda import`: corrections that were kept elsewhere."""

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

import click

from service import audits
from service.audits import COMMAND_LINE
from service.cli.context import as_json, now, of_site, open_database, say, site_of
from service.errors import invalid
from service.intake.importing import BadRow, Found, Keeper, annotations, mistape
from service.models import Site

BATCH = 500

Read = Callable[[Site, BinaryIO], Iterator[Found | BadRow]]

file_to_read = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def import_() -> None:
    """Take in corrections from elsewhere; what is there already is passed over."""


@import_.command("mistape")
@file_to_read
@of_site
@as_json
def import_mistape(file: Path, key: str | None, as_json: bool) -> None:
    """Read the WordPress plugin's table `mistape_reports`: a SQL dump, or CSV with a head."""
    _run("mistape", _mistape, file, key, as_json=as_json)


@import_.command("jsonl")
@file_to_read
@of_site
@as_json
def import_jsonl(file: Path, key: str | None, as_json: bool) -> None:
    """Read what `corrigenda export` wrote."""
    _run("jsonl", annotations.read, file, key, as_json=as_json)


def _mistape(site: Site, file: BinaryIO) -> Iterator[Found | BadRow]:
    # What is no UTF-8 is told of its row.
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    yield from mistape.read(site, text)
    text.detach()


def _run(kind: str, read: Read, file: Path, key: str | None, *, as_json: bool) -> None:
    database, at = open_database(), now()
    with database.read() as session:
        site = site_of(session, key)
    keeper, bad = Keeper(site, now=at), 0
    kept = replace(keeper.kept)

    def note() -> dict[str, object]:
        fields: dict[str, object] = {**asdict(kept), "bad": bad}
        with database.write() as session:
            audits.note(
                session, site.id, f"import.{kind}", file.name, by=COMMAND_LINE, now=at, after=fields
            )
        return fields

    try:
        with (
            file.open("rb") as source,
            click.progressbar(length=file.stat().st_size, label="Bytes", file=sys.stderr) as bar,
        ):
            for found, unreadable in _batches(read(site, source)):
                told = [*unreadable]
                if found:
                    with database.write() as session:
                        told += keeper.keep(session, found)
                    # What a batch counted that was not committed is not kept.
                    kept = replace(keeper.kept)
                for row in sorted(told, key=attrgetter("line")):
                    click.echo(f"line {row.line}: {row}", err=True)
                bad += len(told)
                bar.update(source.tell() - bar.pos)
    except BaseException:
        if kept.reports or kept.known:
            note()
            number = f"{kept.reports:,} reports, {kept.corrections:,} new corrections"
            click.echo(
                f"Imported until then: {number}; the rest comes when it is run again", err=True
            )
        raise
    if not (kept.reports or kept.known):
        raise invalid("", f"Nothing was found in {file}; see: corrigenda import {kind} --help")
    fields = note()
    say(
        f"Imported {kept.reports:,} reports, {kept.corrections:,} new corrections; "
        f"{kept.known:,} reports were there already, {bad:,} rows are bad",
        fields,
        as_json=as_json,
    )


def _batches(rows: Iterator[Found | BadRow]) -> Iterator[tuple[list[Found], list[BadRow]]]:
    found: list[Found] = []
    bad: list[BadRow] = []
    for row in rows:
        if isinstance(row, BadRow):
            bad.append(row)
        else:
            found.append(row)
        if len(found) + len(bad) == BATCH:
            yield found, bad
            found, bad = [], []
    if found or bad:
        yield found, bad
