"""API tokens: random, scoped, of one site; only their fingerprint is kept."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import audits
from service.accounts.principals import Principal, Scope
from service.errors import NotFound, NotSignedIn, invalid
from service.hashing import fingerprint
from service.models import Site, Token

USE_STEP = timedelta(minutes=1)
"""How finely the last use is kept: no write for every request."""


def create(
    session: Session,
    site: Site,
    scopes: Sequence[str],
    *,
    name: str = "",
    now: datetime,
    by: str = audits.COMMAND_LINE,
) -> tuple[Token, str]:
    """Make a token; its secret is returned this once. Raises InvalidFields."""
    unknown = [scope for scope in scopes if scope not in {member.value for member in Scope}]
    if len(name) > 100 or not name.isprintable():
        raise invalid("/name", "A name has at most 100 characters.")
    if unknown or not scopes:
        known = ", ".join(member.value for member in Scope)
        raise invalid("/scopes", f"Scopes are some of: {known}.")
    secret = f"corr_{secrets.token_urlsafe(32)}"
    token = Token(
        site_id=site.id,
        name=name,
        token_hash=fingerprint(secret),
        scopes=sorted(set(scopes)),
        created_at=now,
    )
    session.add(token)
    session.flush()
    after = {"scopes": token.scopes}
    audits.note(session, site.id, "token.made", name or str(token.id), by=by, now=now, after=after)
    return token, secret


def authenticate(session: Session, secret: str) -> tuple[Principal, Token]:
    """Who holds this token; raises NotSignedIn."""
    token = session.scalar(
        select(Token).where(Token.token_hash == fingerprint(secret), Token.revoked_at.is_(None))
    )
    if token is None:
        raise NotSignedIn("This token is not known or was revoked.")
    scopes = frozenset(Scope(scope) for scope in token.scopes)
    return Principal(token.site_id, scopes, f"token:{token.name or token.id}"), token


def is_use_due(token: Token, now: datetime) -> bool:
    """Whether the last use should be written down again."""
    return token.used_at is None or now - token.used_at >= USE_STEP


def note_use(session: Session, token_id: UUID, *, now: datetime) -> None:
    """Write down the last use."""
    session.execute(update(Token).where(Token.id == token_id).values(used_at=now))


def of_site(session: Session, site: Site) -> Sequence[Token]:
    """The site's tokens, the oldest first."""
    return session.scalars(select(Token).where(Token.site_id == site.id).order_by(Token.id)).all()


def revoke(
    session: Session,
    token_id: UUID,
    *,
    now: datetime,
    site_id: UUID | None = None,
    by: str = audits.COMMAND_LINE,
) -> None:
    """End a token at once; raises NotFound, also where it is not the given site's."""
    ended = session.execute(
        update(Token)
        .where(
            Token.id == token_id,
            Token.revoked_at.is_(None),
            Token.site_id == (site_id or Token.site_id),
        )
        .values(revoked_at=now)
        .returning(Token.site_id, Token.name)
    ).one_or_none()
    if ended is None:
        raise NotFound("There is no such token in use.")
    name = ended.name or str(token_id)
    audits.note(session, ended.site_id, "token.revoked", name, by=by, now=now)
