"""How SQLite goes about what it is asked: the same with few rows and with a million."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from service.db import Database


def plans(database: Database, ask: Callable[[Session], Any]) -> list[str]:
    """The steps of the plan of every statement, in their order."""
    asked: list[tuple[str, Any]] = []

    def keep(_: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", keep)
    try:
        with database.read_one_moment() as session:
            ask(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", keep)
    with database.read() as session:
        explain = session.connection().exec_driver_sql
        return [
            step.detail
            for statement, parameters in asked
            for step in explain(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
