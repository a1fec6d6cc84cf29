"""Words in a column, whatever their case, in every script."""

from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

_FOLDED = "folded"


def has_words(session: Session, column: Any, words: str) -> ColumnElement[bool]:
    """Whether the column has the words, for a statement of this session's transaction.

    SQLite knows the case of ASCII alone: for other words it asks a function of ours.
    """
    found: ColumnElement[bool]
    if words.isascii() or session.get_bind().dialect.name != "sqlite":
        found = column.icontains(words, autoescape=True)
        return found
    connection = session.connection()
    if _FOLDED not in connection.info:
        driver: Any = connection.connection.driver_connection
        driver.create_function(_FOLDED, 1, _folded, deterministic=True)
        connection.info[_FOLDED] = True
    found = func.instr(func.folded(column), words.lower()) > 0
    return found


def _folded(text: str | None) -> str | None:
    return None if text is None else text.lower()
