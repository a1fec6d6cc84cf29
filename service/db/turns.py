"""Work that only one process does at a time."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def takes_turn(session: Session, turn: int) -> bool:
    """Whether this transaction may do the work of that number, until it ends.

    On SQLite a transaction that writes is alone; on PostgreSQL an advisory lock decides.
    """
    if session.get_bind().dialect.name == "sqlite":
        return True
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(turn))))
