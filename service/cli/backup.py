"""`corrigenda backup` and `corrigenda restore`: SQLite's own online backup, checked."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from service import settings as settings_module
from service.cli.context import as_json, say
from service.db import Database, migrate
from service.db.engines import LOCK_SECONDS, sqlite_driver
from service.errors import AlreadyExists, Disabled, NotFound, Unavailable

FOR_POSTGRESQL = (
    "This is for SQLite. For PostgreSQL: pg_dump --format=custom --file FILE DATABASE_URL, "
    "and into a database made anew (dropdb, createdb): "
    "pg_restore --exit-on-error --single-transaction --no-owner --dbname DATABASE_URL FILE."
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def backup(file: Path, as_json: bool) -> None:
    """Copy the SQLite database into a new FILE, also while it is written to."""
    source = _database_file()
    if file.exists():
        raise AlreadyExists(f"{file} exists already.")
    if not source.exists():
        raise NotFound(f"There is no database at {source}.")
    with _unfinished(file) as unfinished:
        _copy(source, unfinished)
        _sync(unfinished)
        unfinished.rename(file)
    size = file.stat().st_size
    fields: dict[str, object] = {"file": str(file), "bytes": size}
    say(f"{file}: {size:,} bytes. Keep the secret key with it.", fields, as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Overwrite the database that is there.")
@as_json
def restore(file: Path, replace: bool, as_json: bool) -> None:
    """Put a backup in the place of the database and bring it up to this release."""
    target = _database_file()
    if not file.is_file():
        raise NotFound(f"There is no file {file}.")
    if target.exists() and not replace:
        raise AlreadyExists(f"There is a database at {target}; --replace overwrites it.")
    if (at := check(file)) is None:
        raise Unavailable(f"{file} is no backup of ours: it is at no revision.")
    migrate.refuse_unknown(at)
    at = _put(file, target.resolve())
    fields: dict[str, object] = {"file": str(target), "revision": at}
    say(f"{target} is restored, at {at}", fields, as_json=as_json)


def _put(file: Path, target: Path) -> str | None:
    """Copy and migrate beside the database, then take its place; returns the revision."""
    with _unfinished(target) as unfinished:
        _copy(file, unfinished)
        at = _migrated(unfinished)
        if target.exists():
            _give_to_owner_of(target, unfinished)
        # This may take seconds; a service that is started meanwhile is seen.
        _sync(unfinished)
        if target.exists():
            _refuse_opened(target)
        # Before the file they belong to: SQLite would read the old log into the new database.
        _unlink_logs(target)
        unfinished.rename(target)
        _sync(target)
    return at


@contextmanager
def _unfinished(file: Path) -> Iterator[Path]:
    """A file of another name to write into, which is gone at the end."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        # Readers' words and e-mail addresses are in it: for nobody else to read.
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield unfinished
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error}") from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
            _unlink_logs(unfinished)


def _unlink_logs(file: Path) -> None:
    for ending in ("-wal", "-shm"):
        file.with_name(f"{file.name}{ending}").unlink(missing_ok=True)


def _migrated(file: Path) -> str | None:
    database = Database(f"sqlite:///{file}")
    try:
        migrate.upgrade(database)
        return migrate.current(database)
    except DBAPIError as error:
        raise Unavailable(f"The backup cannot be migrated: {error.orig}") from None
    finally:
        database.dispose()


def _refuse_opened(file: Path) -> None:
    """Raise Unavailable where a process has it open: it would go on with the old file."""
    try:
        with closing(_open(file)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
    except sqlite_driver().Error as error:
        # What is damaged may be replaced.
        if "locked" in str(error):
            raise Unavailable(f"{file} is in use; stop the service first.") from None


def _give_to_owner_of(file: Path, another: Path) -> None:
    owner = file.stat()
    with suppress(PermissionError):
        os.chown(another, owner.st_uid, owner.st_gid)


def check(file: Path) -> str | None:
    """The revision it is at; raises Unavailable unless it is a whole SQLite database of ours."""
    driver = sqlite_driver()
    try:
        with closing(_open(file)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchall()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except driver.Error as error:
        raise Unavailable(f"{file} is no backup of ours: {error}") from None
    if found != [("ok",)]:
        raise Unavailable(f"{file} is damaged: {found[0][0]}")
    return row[0] if row else None


def _copy(source: Path, target: Path) -> None:
    driver = sqlite_driver()
    try:
        with closing(_open(source)) as old, closing(_open(target)) as new:
            # In one step: between two of them a commit would have it begin anew, again and again.
            old.backup(new)
        check(target)
    except driver.Error as error:
        raise Unavailable(f"The database cannot be copied: {error}") from None


def _open(file: Path) -> Any:
    return sqlite_driver().connect(str(file), timeout=LOCK_SECONDS)


def _sync(file: Path) -> None:
    for place in (file, file.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _database_file() -> Path:
    url = make_url(settings_module.read().database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise Disabled(FOR_POSTGRESQL)
    return Path(url.database)
