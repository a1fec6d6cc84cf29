"""A database while it takes very many rows: what slows each row down is made once at the end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.models import Document, Tally

TABS = ("new", "accepted", "fixed", "rejected", "spam", "suspected")
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

SQLITE_CACHE_KIB = 524_288
SORTING = "512MB"
"""What PostgreSQL may take to make an index."""

GATHERED, USUALLY = 64 * 2**20, 2**20
"""So many bytes of SQLite's search index are gathered before they are written as a part."""


@contextmanager
def loading(session: Session, tables: Sequence[str], *, remakes: bool) -> Iterator[None]:
    """Put these tables' triggers aside for the block; `remakes`: indexes and foreign keys too.

    They are made anew at its end, in the session's transaction: whoever else looks, and a process
    that is killed, has them all the while. The rows must agree with each other by themselves.
    """
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    put_aside = _of_sqlite if is_sqlite else _of_postgresql
    again = put_aside(connection, tables, remakes=remakes)
    yield
    for statement in again:
        connection.exec_driver_sql(statement)


def newest_document(session: Session) -> int:
    """The id of the document that came last; 0 where there is none."""
    return session.scalar(select(func.max(Document.id))) or 0


def index_documents(session: Session, after: int) -> None:
    """Let the search find the documents that came after this; PostgreSQL does it by itself."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(
            "INSERT INTO documents_index (rowid, text) "
            "SELECT id, text FROM documents WHERE id > ? ORDER BY id",
            (after,),
        )


def tally(session: Session, site_id: UUID, came: Mapping[str, int]) -> None:
    """Count the corrections that came by tab, as the triggers would have."""
    counts = {f"{tab}_count": came.get(tab, 0) for tab in TABS}
    values = {**counts, "site_id": site_id, "shard": 0, "changes": sum(counts.values())}
    insert = _INSERTS[session.get_bind().dialect.name](Tally)
    more = {name: getattr(Tally, name) + insert.excluded[name] for name in (*counts, "changes")}
    made = insert.values(values)
    session.execute(made.on_conflict_do_update(index_elements=["site_id", "shard"], set_=more))


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
    gather = "INSERT INTO documents_index (documents_index, rank) VALUES ('hashsize', {})"
    connection.exec_driver_sql(gather.format(GATHERED))
    return [row.sql for row in found] + [gather.format(USUALLY)]


def _of_postgresql(connection: Connection, tables: Sequence[str], *, remakes: bool) -> list[str]:
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
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
