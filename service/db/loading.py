"""A database while it takes very many rows: what slows each row down is made once at the end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

SQLITE_CACHE_KIB = 524_288
SORTING = "512MB"
"""What PostgreSQL may take to make an index."""


@contextmanager
def loading(connection: Connection, tables: Sequence[str], *, remakes: bool) -> Iterator[None]:
    """Put these tables' triggers aside for the block; `remakes`: indexes and foreign keys too.

    They are made anew at its end, in the same transaction: whoever else looks, and a process that
    is killed, has them all the while. The rows must agree with each other by themselves.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    put_aside = _of_sqlite if is_sqlite else _of_postgresql
    again = put_aside(connection, tables, remakes=remakes)
    yield
    for statement in again:
        connection.exec_driver_sql(statement)


def _of_sqlite(connection: Connection, tables: Sequence[str], *, remakes: bool) -> list[str]:
    connection.exec_driver_sql(f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}")
    # Indexes that a constraint made have no statement.
    rows = connection.exec_driver_sql(
        "SELECT type, name, tbl_name, sql FROM sqlite_master "
        "WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY rowid"
    )
    kinds = {"trigger", "index"} if remakes else {"trigger"}
    found = [row for row in rows if row.tbl_name in tables and row.type in kinds]
    for row in found:
        connection.exec_driver_sql(f'DROP {row.type} "{row.name}"')
    return [row.sql for row in found]


def _of_postgresql(connection: Connection, tables: Sequence[str], *, remakes: bool) -> list[str]:
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    again = []
    for table in tables:
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        again.append(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    if remakes:
        connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{SORTING}'")
        again += _made_again(connection, tables)
    return again


def _made_again(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Drop the foreign keys and indexes; returns what makes them, and then looks at the rows."""
    given = (list(tables),)
    keys = connection.exec_driver_sql(
        "SELECT conrelid::regclass AS of, conname AS name, pg_get_constraintdef(oid) AS sql "
        "FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY (%s::regclass[]) ORDER BY 1, 2",
        given,
    ).all()
    indexes = connection.exec_driver_sql(
        "SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS sql FROM pg_index "
        "WHERE NOT indisunique AND indrelid = ANY (%s::regclass[]) ORDER BY 1",
        given,
    ).all()
    for key in keys:
        connection.exec_driver_sql(f'ALTER TABLE {key.of} DROP CONSTRAINT "{key.name}"')
    for index in indexes:
        connection.exec_driver_sql(f"DROP INDEX {index.name}")
    return [
        *(index.sql for index in indexes),
        *(f'ALTER TABLE {key.of} ADD CONSTRAINT "{key.name}" {key.sql}' for key in keys),
        *(f"ANALYZE {table}" for table in tables),
    ]
