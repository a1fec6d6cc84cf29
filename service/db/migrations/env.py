"""Alembic's environment: one upgrade at a time, and either the whole of it or nothing.

SQLite: `BEGIN IMMEDIATE` before the version is read, DDL inside that transaction, foreign keys held
against all rows at its end. PostgreSQL: an advisory lock of the transaction. A second instance waits,
however long the first one takes, and then finds nothing left to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from service.db import Base, Database
from service.db.migrate import is_modelled

ADVISORY_LOCK = 0x636F7272  # "corr"

WAIT_MILLISECONDS = 24 * 60 * 60 * 1000
"""For SQLite's lock: an upgrade of a large database takes longer than a request may wait."""


def _run(connection: Connection, *, is_sqlite: bool) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=is_sqlite,
        compare_type=True,
        include_object=is_modelled,
        # The transaction is ours: stepping outside it would let a second instance in.
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    context.run_migrations()


def _main() -> None:
    database: Database = context.config.attributes["database"]
    with (
        database.writer.connect() as connection,
        _prepared(connection, database.is_sqlite),
        connection.begin(),
    ):
        if not database.is_sqlite:
            # What a request may take is too little for an upgrade, and for the wait for one.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        _run(connection, is_sqlite=database.is_sqlite)
        if database.is_sqlite:
            _check_references(connection)


@contextmanager
def _prepared(connection: Connection, is_sqlite: bool) -> Iterator[None]:
    """Patience on SQLite, and foreign keys off: dropping a table that was copied deletes its rows first."""
    if not is_sqlite:
        yield
        return
    # The driver's own connection: inside a transaction the pragmas do nothing.
    driver: Any = connection.connection.driver_connection
    [(patience,)] = driver.execute("PRAGMA busy_timeout").fetchall()
    driver.execute(f"PRAGMA busy_timeout={WAIT_MILLISECONDS}")
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
        driver.execute(f"PRAGMA busy_timeout={patience}")


def _check_references(connection: Connection) -> None:
    strays = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if strays:
        raise RuntimeError(f"{len(strays)} rows refer to rows that are not there: {strays[:3]}")


_main()
