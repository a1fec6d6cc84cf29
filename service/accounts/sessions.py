"""Editors' sessions: random tokens, kept as fingerprints, that end at once when they should."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.accounts.principals import ROLE_SCOPES, Principal
from service.errors import MissingScope, NotSignedIn
from service.hashing import fingerprint
from service.models import Editor, EditorSession, Membership

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


def begin(session: Session, editor: Editor, *, now: datetime) -> str:
    """Sign an editor in to their first site; the token is returned this once.

    Raises MissingScope where the editor belongs to no site.
    """
    site_id = session.scalar(
        select(Membership.site_id)
        .where(Membership.editor_id == editor.id)
        .order_by(Membership.site_id)
        .limit(1)
    )
    if site_id is None:
        raise MissingScope("You are not an editor of any site.")
    token = secrets.token_urlsafe(32)
    session.add(
        EditorSession(
            editor_id=editor.id,
            site_id=site_id,
            token_hash=fingerprint(token),
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
        select(EditorSession, Editor.email, Membership.role)
        .join(Editor, Editor.id == EditorSession.editor_id)
        .join(
            Membership,
            (Membership.editor_id == EditorSession.editor_id)
            & (Membership.site_id == EditorSession.site_id),
        )
        .where(
            EditorSession.token_hash == fingerprint(token),
            EditorSession.ended_at.is_(None),
            EditorSession.created_at > now - LIFETIME,
            EditorSession.seen_at > now - IDLE,
            Editor.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise NotSignedIn("Your session is over. Please sign in again.")
    found, email, role = row
    return SignedIn(
        session_id=found.id,
        principal=Principal(found.site_id, ROLE_SCOPES[role], email, found.editor_id),
        is_use_due=now - found.seen_at >= SEEN_STEP,
    )


def note_use(session: Session, session_id: UUID, *, now: datetime) -> None:
    """Write down the last use."""
    session.execute(update(EditorSession).where(EditorSession.id == session_id).values(seen_at=now))


def end(session: Session, token: str, *, now: datetime) -> None:
    """End the session of this token, if there is one."""
    session.execute(
        update(EditorSession)
        .where(EditorSession.token_hash == fingerprint(token), EditorSession.ended_at.is_(None))
        .values(ended_at=now)
    )
