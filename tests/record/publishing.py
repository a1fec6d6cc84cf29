"""Entries of the record, made by the rooms' own verbs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from service.db import Database
from service.desk import moves
from service.desk.moves import By, Decision
from service.models import Kind, Site, State
from service.record import publications
from service.record.publications import Entry
from tests.reporting import report


def published(
    database: Database,
    site: Site,
    now: datetime,
    *,
    path: str = "/a",
    title: str = "The bus is late",
    said: str | None = "wrold",
    says: str | None = "world",
    kind: Kind = Kind.CORRECTION,
    visible_at: datetime | None = None,
    **more: Any,
) -> UUID:
    """Report, fix and publish; the id of the entry."""
    quoted = said or "the whole story"
    made = report(
        database, site, now, source=site.origins[0] + path, title=title, exact=quoted, suggestion="x",
        start=None, prefix=f"{says}-"[:128],
    )  # fmt: skip
    with database.write() as session:
        moves.decide(session, site.id, made, Decision(State.FIXED), by=By("tests"), now=now)
        entry = Entry(kind, said=said, says=says, **more)
        return publications.publish(
            session, site.id, made, entry, by="tests", now=now, visible_at=visible_at
        ).id
