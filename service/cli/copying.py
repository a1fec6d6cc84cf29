"""`corrigenda copy-database`: from the small profile to the large one."""

import json
import sys
from pathlib import Path

import click
import psycopg
from sqlalchemy.exc import ArgumentError, DBAPIError

import service.models  # noqa: F401 - every table is known once its model is
from service.cli.context import as_json
from service.db import Database, copying, migrate
from service.errors import Disabled, NotFound, Unavailable
from service.settings import BadSetting

ONE_WAY = (
    "This copies sqlite:///FILE to postgresql://…; "
    "for copies of one kind see backup and restore, and pg_dump."
)


@click.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@as_json
def copy_database(source: str, target: str, as_json: bool) -> None:
    """Copy a SQLite database to an empty PostgreSQL one, both given by their URLs."""
    old, new = _opened(source), _opened(target)
    if not old.is_sqlite or new.is_sqlite:
        raise Disabled(ONE_WAY)
    file = old.engine.url.database or ""
    if not Path(file).is_file():
        raise NotFound(f"There is no database at {file}.")
    try:
        at = migrate.current(old)
        migrate.refuse_unknown(at)
        if at != migrate.head():
            raise Unavailable("FROM is not migrated to this release; run: corrigenda migrate")
        migrate.upgrade(new)
        label = "Copying, then comparing"
        with click.progressbar(length=2 * copying.total(old), label=label, file=sys.stderr) as bar:
            sums = copying.copy(old, new, on_rows=bar.update)
    except DBAPIError as error:
        raise Unavailable(f"Nothing was copied: {error.orig}") from None
    except psycopg.Error as error:
        raise Unavailable(f"Nothing was copied: {error}") from None
    if as_json:
        click.echo(json.dumps({"tables": {name: found.told() for name, found in sums.items()}}))
        return
    for name, found in sums.items():
        if found.rows:
            click.echo(f"{name:24} {found.rows:12,} rows, checksum {found.checksum:016x}")
    click.echo("Both databases hold the same.")


def _opened(url: str) -> Database:
    try:
        return Database(url)
    except (ArgumentError, BadSetting):
        raise Disabled(ONE_WAY) from None
