"""What a database is made of, to compare before and after."""

from typing import Any

from service.db import Database


def schema(database: Database) -> dict[str, Any]:
    """Everything but the rows: tables, columns, indexes, keys and triggers, by their texts."""
    of_sqlite = "SELECT type || ' ' || name, sql FROM sqlite_master"
    of_postgresql = (
        "SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION "
        "SELECT 'key ' || conrelid::regclass || conname, pg_get_constraintdef(oid) FROM "
        "pg_constraint UNION SELECT 'trigger ' || tgname, tgenabled::text || pg_get_triggerdef(oid) "
        "FROM pg_trigger WHERE NOT tgisinternal"
    )
    with database.read() as session:
        asked = of_sqlite if database.is_sqlite else of_postgresql
        return dict(map(tuple, session.connection().exec_driver_sql(asked)))
