"""The audit log: everything an admin does, with what was before and after; never a secret."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.models import Audit

COMMAND_LINE = "command line"
"""How the log names whoever has a shell on the server."""


def note(
    session: Session,
    site_id: UUID,
    action: str,
    subject: str,
    *,
    by: str,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write down what was done, in the transaction that does it; `action` as in `token.made`."""
    session.add(
        Audit(
            site_id=site_id,
            by=by,
            action=action,
            subject=subject[:300],
            before=before or {},
            after=after or {},
            created_at=now,
        )
    )
    session.flush()


def note_change(
    session: Session,
    site_id: UUID,
    action: str,
    subject: str,
    *,
    by: str,
    now: datetime,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    masked: Set[str] = frozenset(),
) -> None:
    """Write down the fields that differ, and the `masked` ones, of which that cannot be seen."""
    differ = {field for field in after if before[field] != after[field]} | masked
    if differ:
        was, is_now = ({field: each[field] for field in differ} for each in (before, after))
        note(session, site_id, action, subject, by=by, now=now, before=was, after=is_now)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a site's log, the newest first."""

    entries: Sequence[Audit]
    next: UUID | None
    """Where the following page begins."""


def page(
    session: Session,
    site_id: UUID,
    *,
    by: str | None = None,
    action: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> Page:
    """The log of a site, by whom and what, older than `before`."""
    wanted = select(Audit).where(Audit.site_id == site_id)
    if by:
        wanted = wanted.where(Audit.by == by)
    if action:
        wanted = wanted.where(Audit.action == action)
    if before:
        wanted = wanted.where(Audit.id < before)
    found = session.scalars(wanted.order_by(Audit.id.desc()).limit(limit + 1)).all()
    shown = found[:limit]
    return Page(shown, shown[-1].id if len(found) > limit else None)


def names(session: Session, site_id: UUID) -> tuple[Sequence[str], Sequence[str]]:
    """Who did something on a site, and which actions there were, to filter the log by."""
    everybody = select(Audit.by).where(Audit.site_id == site_id).distinct().order_by(Audit.by)
    actions = select(Audit.action).where(Audit.site_id == site_id).distinct()
    return session.scalars(everybody).all(), session.scalars(actions.order_by(Audit.action)).all()


def since(
    session: Session, site_id: UUID, kind: str, subject: str, at: datetime
) -> Sequence[Audit]:
    """What was done after a moment to the `webhook` or other thing that is called so by now."""
    return session.scalars(
        select(Audit)
        .where(
            Audit.site_id == site_id,
            Audit.action.startswith(f"{kind}."),
            Audit.subject == subject[:300],
            Audit.created_at > at,
        )
        .order_by(Audit.id.desc())
        .limit(10)
    ).all()
