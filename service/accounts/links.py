"""Links that work once: made, looked at, spent; only the fingerprint of each is kept."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from service.db import Database
from service.errors import NotFound
from service.hashing import fingerprint
from service.models import Link, LinkKind, Role

LIFETIMES = {LinkKind.INVITATION: timedelta(days=7), LinkKind.PASSWORD: timedelta(hours=1)}


def make(
    session: Session,
    kind: LinkKind,
    email: str,
    *,
    by: str,
    now: datetime,
    site_id: UUID | None = None,
    role: Role | None = None,
) -> str:
    """Make a link and return its token, this once; earlier ones for the same end with it."""
    session.execute(
        update(Link)
        .where(
            Link.kind == kind,
            Link.email == email,
            Link.site_id.is_not_distinct_from(site_id),
            Link.spent_at.is_(None),
        )
        .values(spent_at=now)
    )
    token = secrets.token_urlsafe(32)
    session.add(
        Link(
            kind=kind,
            token_hash=fingerprint(token),
            email=email,
            site_id=site_id,
            role=role,
            by=by,
            created_at=now,
            expires_at=now + LIFETIMES[kind],
        )
    )
    session.flush()
    return token


def find(session: Session, kind: LinkKind, token: str, *, now: datetime) -> Link:
    """A link that still works; raises NotFound."""
    found = session.scalar(select(Link).where(*_is_open(kind, token, now)))
    if found is None:
        raise NotFound("This link was used already, has expired, or never was.")
    return found


def spend(session: Session, kind: LinkKind, token: str, *, now: datetime) -> Link:
    """Use a link up: of two at once only one; raises NotFound."""
    spent: Link | None = session.scalar(
        update(Link).where(*_is_open(kind, token, now)).values(spent_at=now).returning(Link)
    )
    if spent is None:
        raise NotFound("This link was used already, has expired, or never was.")
    return spent


def end(session: Session, kind: LinkKind, email: str, *, now: datetime) -> None:
    """Let no link of this kind to this address work any more."""
    session.execute(
        update(Link)
        .where(Link.kind == kind, Link.email == email, Link.spent_at.is_(None))
        .values(spent_at=now)
    )


def prune(database: Database, *, now: datetime) -> int:
    """Erase links that have ended, with their addresses; how many it was."""
    is_over = Link.expires_at <= now
    # Looked at first: on SQLite others would wait for a write that erases nothing.
    with database.read() as session:
        if session.scalar(select(Link.id).where(is_over).limit(1)) is None:
            return 0
    with database.write() as session:
        return len(session.execute(delete(Link).where(is_over).returning(Link.id)).all())


def _is_open(kind: LinkKind, token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Link.kind == kind,
        Link.token_hash == fingerprint(token),
        Link.spent_at.is_(None),
        Link.expires_at > now,
    )
