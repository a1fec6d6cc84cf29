"""Editors: people who sign in; their passwords are kept as argon2id hashes."""

from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.errors import AlreadyExists, NotFound, WrongCredentials, invalid
from service.models import Editor, EditorSession, Membership, Role, Site

PASSWORD_LENGTH = range(10, 1025)

_hasher = PasswordHasher()


@cache
def _nobody() -> str:
    # Checked where the address is unknown, so that both answers take the same time.
    return _hasher.hash("nobody has this password")


def create(
    session: Session, email: str, password: str, site: Site, role: Role, *, now: datetime
) -> Editor:
    """Make an editor of a site, or add the site to one who exists (whose password stays).

    Raises InvalidFields, and AlreadyExists where the editor is on the site already.
    """
    address = _checked_email(email)
    editor = _by_email(session, address)
    if editor is None:
        editor = Editor(
            email=address, password_hash=_hasher.hash(_checked_password(password)), created_at=now
        )
        session.add(editor)
        session.flush()
    elif session.get(Membership, (editor.id, site.id)):
        raise AlreadyExists(f"{address} is an editor of this site already.")
    session.add(Membership(editor_id=editor.id, site_id=site.id, role=role))
    session.flush()
    return editor


def check_password(session: Session, email: str, password: str) -> Editor:
    """The editor with this address and password; raises WrongCredentials, in the same time."""
    editor = _by_email(session, email.strip().lower())
    nobody = _nobody()
    known = editor.password_hash if editor and editor.disabled_at is None else nobody
    try:
        _hasher.verify(known, password)
    except (VerificationError, InvalidHashError):
        raise WrongCredentials from None
    if editor is None or editor.disabled_at is not None:
        raise WrongCredentials
    return editor


def set_password(session: Session, email: str, password: str, *, now: datetime) -> None:
    """Give an editor another password and end all their sessions; raises NotFound."""
    editor = _existing(session, email)
    editor.password_hash = _hasher.hash(_checked_password(password))
    _end_sessions(session, editor, now)


def disable(session: Session, email: str, *, now: datetime) -> None:
    """Shut an editor out at once; raises NotFound."""
    editor = _existing(session, email)
    editor.disabled_at = now
    _end_sessions(session, editor, now)


def _end_sessions(session: Session, editor: Editor, now: datetime) -> None:
    session.execute(
        update(EditorSession)
        .where(EditorSession.editor_id == editor.id, EditorSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _by_email(session: Session, address: str) -> Editor | None:
    return session.scalar(select(Editor).where(Editor.email == address))


def _existing(session: Session, email: str) -> Editor:
    editor = _by_email(session, email.strip().lower())
    if editor is None:
        raise NotFound(f"There is no editor {email}.")
    return editor


def _checked_email(email: str) -> str:
    address = email.strip().lower()
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or len(address) > 254 or any(c.isspace() for c in address):
        raise invalid("/email", "This is not an e-mail address.")
    return address


def _checked_password(password: str) -> str:
    if len(password) not in PASSWORD_LENGTH:
        raise invalid("/password", "A password has 10 to 1,024 characters.")
    return password
