"""Passwords that are forgotten or changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service import audits
from service.accounts import editors, links, sessions
from service.errors import NotFound, invalid
from service.models import Editor, LinkKind, Membership


def forget(session: Session, email: str, *, now: datetime) -> tuple[str, Editor | None]:
    """Make a link to a new password: its token, and to whom it goes.

    An address that nobody has gets a link as well, which opens nothing: both take the same time.
    """
    address = email.strip().lower()[:254]
    token = links.make(session, LinkKind.PASSWORD, address, by=address, now=now)
    editor = editors.by_email(session, address)
    return token, editor if editor and editor.disabled_at is None else None


def link_for(
    session: Session, site_id: UUID, editor_id: UUID, *, by: str, now: datetime
) -> tuple[str, str]:
    """Make a link for an editor of this site and no other: their address, and the link's token.

    Raises NotFound where the editor is not on the site, or on another one too: an admin of one
    site must not take over an account that opens others.
    """
    here = select(Membership.editor_id).where(
        Membership.editor_id == editor_id, Membership.site_id == site_id
    )
    count = select(func.count()).where(Membership.editor_id == editor_id)
    editor = session.get(Editor, editor_id)
    if editor is None or session.scalar(here) is None or session.scalar(count) != 1:
        raise NotFound("There is nobody who belongs to this site alone.")
    token = links.make(session, LinkKind.PASSWORD, editor.email, by=by, now=now)
    audits.note(session, site_id, "editor.password_link_made", editor.email, by=by, now=now)
    return editor.email, token


def address_of(session: Session, token: str, *, now: datetime) -> str:
    """Whose password a link sets; raises NotFound."""
    link = links.find(session, LinkKind.PASSWORD, token, now=now)
    if editors.by_email(session, link.email) is None:
        raise NotFound("This link was used already, has expired, or never was.")
    return link.email


def reset(session: Session, token: str, password_hash: str, *, now: datetime) -> None:
    """Set the password by a link and end all sessions; raises NotFound."""
    link = links.spend(session, LinkKind.PASSWORD, token, now=now)
    editor = editors.by_email(session, link.email)
    if editor is None or editor.disabled_at is not None:
        raise NotFound("This link was used already, has expired, or never was.")
    _set(session, editor.id, password_hash)
    sessions.end_all(session, editor.id, now=now)


def confirm(session: Session, editor_id: UUID | None, password: str) -> Editor:
    """The editor, where the password is theirs; raises InvalidFields."""
    editor = session.get_one(Editor, editor_id)
    if not editors.is_password(editor, password):
        raise invalid("/password", "This is not your password.")
    return editor


def change(
    session: Session, editor_id: UUID | None, password_hash: str, *, keep: str, now: datetime
) -> None:
    """Set another password; ends all sessions but the one whose token is `keep`."""
    editor = session.get_one(Editor, editor_id)
    _set(session, editor.id, password_hash)
    sessions.end_all(session, editor.id, now=now, keep=keep)


def _set(session: Session, editor_id: UUID, password_hash: str) -> None:
    session.execute(
        update(Editor).where(Editor.id == editor_id).values(password_hash=password_hash)
    )
