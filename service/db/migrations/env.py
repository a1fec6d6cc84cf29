"""Alembic's environment: one upgrade at a time, and either the whole of it or nothing.

SQLite: `BEGIN IMMEDIATE` before the version is read, DDL inside that transaction. PostgreSQL: an
advisory lock of the transaction. A second instance waits and then finds nothing left to do.
"""

from alembic import context
from sqlalchemy import Connection, text

from service.db import Base, Database

ADVISORY_LOCK = 0x636F7272  # "corr"


def _run(connection: Connection, *, is_sqlite: bool) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=is_sqlite,
        compare_type=True,
        # The transaction is ours: stepping outside it would let a second instance in.
        transactional_ddl=True,
        transaction_per_migration=False,
    )
    context.run_migrations()


def _main() -> None:
    database: Database = context.config.attributes["database"]
    writer = database.engine.execution_options(corrigenda_write=True)
    with writer.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        _run(connection, is_sqlite=database.is_sqlite)


_main()
