"""Editors' sessions: random tokens, kept as fingerprints, that end at once when they should."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from service.accounts.principals import ROLE_SCOPES, Principal
from service.errors import MissingScope, NotFound, NotSignedIn
from service.hashing import fingerprint
from service.models import Editor, EditorSession, Membership, Site

IDLE = timedelta(hours=12)
"""A session that was not used for so long is over."""

LIFETIME = timedelta(days=14)
"""No session is older, however busy."""

SEEN_STEP = timedelta(minutes=5)
"""How finely the last use is kept: no write for every page."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session belongs to."""

    session_id: UUID
    principal: Principal
    is_use_due: bool
    """Whether the last use should be written down again."""


def begin(session: Session, editor: Editor, *, now: datetime, agent: str = "") -> str:
    """Sign an editor in to the site they used last; the token is returned this once.

    Raises MissingScope where the editor belongs to no site.
    """
    site_id = _site_of(session, editor.id)
    if site_id is None:
        raise MissingScope("You are not an editor of any site.")
    token = secrets.token_urlsafe(32)
    session.add(
        EditorSession(
            editor_id=editor.id,
            site_id=site_id,
            token_hash=fingerprint(token),
            agent=agent,
            created_at=now,
            seen_at=now,
        )
    )
    session.flush()
    return token


def authenticate(session: Session, token: str, *, now: datetime) -> SignedIn:
    """Who the cookie's token belongs to; raises NotSignedIn.

    The role is read anew each time, so that it changes at once for those who are signed in.
    """
    row = session.execute(
        select(EditorSession, Editor, Membership.role)
        .join(Editor, Editor.id == EditorSession.editor_id)
        .join(
            Membership,
            (Membership.editor_id == EditorSession.editor_id)
            & (Membership.site_id == EditorSession.site_id),
        )
        .where(
            EditorSession.token_hash == fingerprint(token),
            *_is_open(now),
            Editor.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise NotSignedIn("Your session is over. Please sign in again.")
    found, editor, role = row
    return SignedIn(
        session_id=found.id,
        principal=Principal(
            found.site_id,
            ROLE_SCOPES[role],
            editor.email,
            editor.id,
            locale=editor.locale,
            time_zone=editor.time_zone,
        ),
        is_use_due=now - found.seen_at >= SEEN_STEP,
    )


def switch(session: Session, token: str, site_key: str) -> None:
    """Turn a session to another of its editor's sites; raises NotFound."""
    turned = session.scalar(
        update(EditorSession)
        .where(
            EditorSession.token_hash == fingerprint(token),
            EditorSession.editor_id == Membership.editor_id,
            Membership.site_id == Site.id,
            Site.key == site_key,
        )
        .values(site_id=Site.id)
        .returning(EditorSession.id)
    )
    if turned is None:
        raise NotFound("You are not an editor of such a site.")


def id_of(session: Session, token: str) -> UUID | None:
    """The session of a token."""
    wanted = select(EditorSession.id).where(EditorSession.token_hash == fingerprint(token))
    return session.scalar(wanted)


def note_use(session: Session, session_id: UUID, *, now: datetime) -> None:
    """Write down the last use."""
    session.execute(update(EditorSession).where(EditorSession.id == session_id).values(seen_at=now))


def of_editor(
    session: Session, editor_id: UUID | None, *, now: datetime
) -> Sequence[EditorSession]:
    """An editor's sessions that are not over, the last used first."""
    return session.scalars(
        select(EditorSession)
        .where(EditorSession.editor_id == editor_id, *_is_open(now))
        .order_by(EditorSession.seen_at.desc(), EditorSession.id.desc())
    ).all()


def end_one(session: Session, editor_id: UUID | None, session_id: UUID, *, now: datetime) -> None:
    """End one of an editor's sessions; raises NotFound."""
    ended = session.scalar(
        update(EditorSession)
        .where(
            EditorSession.id == session_id,
            EditorSession.editor_id == editor_id,
            EditorSession.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(EditorSession.id)
    )
    if ended is None:
        raise NotFound("There is no such session.")


def end_all(
    session: Session, editor_id: UUID | None, *, now: datetime, keep: str | None = None
) -> None:
    """End all of an editor's sessions, but for the one whose token is `keep`."""
    kept = fingerprint(keep) if keep else ""
    session.execute(
        update(EditorSession)
        .where(
            EditorSession.editor_id == editor_id,
            EditorSession.ended_at.is_(None),
            EditorSession.token_hash != kept,
        )
        .values(ended_at=now)
    )


def leave_site(session: Session, editor_id: UUID, site_id: UUID, *, now: datetime) -> None:
    """Turn the sessions on a site that the editor left to another of theirs, or end them."""
    other = _site_of(session, editor_id)
    session.execute(
        update(EditorSession)
        .where(
            EditorSession.editor_id == editor_id,
            EditorSession.site_id == site_id,
            EditorSession.ended_at.is_(None),
        )
        .values(site_id=other or site_id, ended_at=None if other else now)
    )


def end(session: Session, token: str, *, now: datetime) -> None:
    """End the session of this token, if there is one."""
    session.execute(
        update(EditorSession)
        .where(EditorSession.token_hash == fingerprint(token), EditorSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        EditorSession.ended_at.is_(None),
        EditorSession.created_at > now - LIFETIME,
        EditorSession.seen_at > now - IDLE,
    )


def _site_of(session: Session, editor_id: UUID) -> UUID | None:
    """The site that the editor used last, else their first."""
    last = (
        select(func.max(EditorSession.seen_at))
        .where(EditorSession.editor_id == editor_id, EditorSession.site_id == Membership.site_id)
        .scalar_subquery()
    )
    return session.scalar(
        select(Membership.site_id)
        .where(Membership.editor_id == editor_id)
        .order_by(last.desc().nulls_last(), Membership.site_id)
        .limit(1)
    )
