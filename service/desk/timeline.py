"""The timeline of a correction: who did what, and when; nothing is ever taken out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import Change, Editor, Move, Note

if TYPE_CHECKING:
    from service.desk.moves import By

KEPT = ("assignee_id", "category", "wording", "public_note", "duplicate_of", "suspected")
"""The fields whose changes are kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline: a move, a change or a note."""

    at: datetime
    by: str
    what: Move | Change | Note

    @property
    def kind(self) -> str:
        """`move`, `change` or `note`."""
        return type(self.what).__name__.lower()


def keep(
    session: Session,
    correction_id: UUID,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    by: "By",
    now: datetime,
) -> None:
    """Write down each field of KEPT that is another one afterwards."""
    for field in KEPT:
        if field in after and before[field] != after[field]:
            was, then = _told(session, field, before[field]), _told(session, field, after[field])
            add(session, correction_id, field.removesuffix("_id"), was, then, by=by, now=now)


def add(
    session: Session,
    correction_id: UUID,
    field: str,
    was: str | None,
    then: str | None,
    *,
    by: "By",
    now: datetime,
) -> None:
    """Write one change down."""
    session.add(
        Change(
            correction_id=correction_id,
            field=field,
            was=was,
            now=then,
            by=by.label,
            editor_id=by.editor_id,
            created_at=now,
        )
    )


def entries(
    session: Session, correction_id: UUID, since: datetime | None = None
) -> Sequence[Entry]:
    """All moves, changes and notes of a correction, the oldest first; or those after an instant."""
    after = datetime.min.replace(tzinfo=UTC) if since is None else since
    rows: list[Move | Change | Note] = []
    for table in (Move, Change, Note):
        made = select(table).where(table.correction_id == correction_id, table.created_at > after)
        rows += session.scalars(made)
    found = [Entry(row.created_at, row.by, row) for row in rows]
    return sorted(found, key=lambda entry: (entry.at, entry.what.id))


def _told(session: Session, field: str, value: Any) -> str | None:
    """A value as people read it years later, when its editor may be gone."""
    if value is None:
        return None
    if field == "assignee_id":
        return session.get_one(Editor, value).email
    if field == "suspected":
        return "yes" if value else "no"
    return str(value)
