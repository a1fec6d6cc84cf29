"""Editors: people who sign in; their passwords are kept as argon2id hashes."""

from datetime import datetime
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import audits
from service.accounts import links, sessions
from service.errors import AlreadyExists, NotFound, WrongCredentials, invalid
from service.models import Editor, LinkKind, Membership, Role, Site

PASSWORD_LENGTH = range(10, 1025)

hasher = PasswordHasher()
"""Argon2id as RFC 9106 recommends for little memory; tests put a cheaper one here."""


@cache
def _hash_of_nobody(by: PasswordHasher) -> str:
    # Checked where the address is unknown, so that both answers take the same time.
    return by.hash("nobody has this password")


def create(
    session: Session,
    email: str,
    password: str,
    site: Site,
    role: Role,
    *,
    now: datetime,
    by: str = audits.COMMAND_LINE,
) -> Editor:
    """Make an editor of a site, or add the site to one who exists (whose password stays).

    Raises InvalidFields, and AlreadyExists where the editor is on the site already.
    """
    address = checked_email(email)
    editor = by_email(session, address)
    if editor is None:
        editor = Editor(email=address, password_hash=hashed(password), created_at=now)
        session.add(editor)
        session.flush()
    join(session, editor, site, role, by=by, now=now)
    return editor


def join(
    session: Session, editor: Editor, site: Site, role: Role, *, by: str, now: datetime
) -> None:
    """Add an editor to a site; raises AlreadyExists where they are on it already."""
    if session.get(Membership, (editor.id, site.id)):
        raise AlreadyExists(
            "%(who)s is an editor of this site already.", values={"who": editor.email}
        )
    # An admin of an earlier site may have made one, and must not get into this site by it.
    links.end(session, LinkKind.PASSWORD, editor.email, now=now)
    session.add(Membership(editor_id=editor.id, site_id=site.id, role=role))
    after = {"role": role.value}
    audits.note(session, site.id, "editor.joined", editor.email, by=by, now=now, after=after)


def hashed(password: str, pointer: str = "/password") -> str:
    """A password as it is kept; takes long by design. Raises InvalidFields of the field."""
    if len(password) not in PASSWORD_LENGTH:
        raise invalid(pointer, "A password has 10 to 1,024 characters.")
    return hasher.hash(password)


def is_password(editor: Editor, password: str) -> bool:
    """Whether this is the editor's password; takes long by design."""
    try:
        return hasher.verify(editor.password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def check_password(session: Session, email: str, password: str) -> Editor:
    """The editor with this address and password; raises WrongCredentials, in the same time."""
    editor = by_email(session, email.strip().lower())
    nobody = _hash_of_nobody(hasher)
    known = editor.password_hash if editor and editor.disabled_at is None else nobody
    try:
        hasher.verify(known, password)
    except (VerificationError, InvalidHashError):
        raise WrongCredentials from None
    if editor is None or editor.disabled_at is not None:
        raise WrongCredentials
    return editor


def set_password(session: Session, email: str, password: str, *, now: datetime) -> None:
    """Give an editor another password and end all their sessions; raises NotFound."""
    editor = _existing(session, email)
    editor.password_hash = hashed(password)
    sessions.end_all(session, editor.id, now=now)
    audit(session, editor, "editor.password_set", now=now)


def change(
    session: Session,
    editor_id: UUID | None,
    *,
    name: str | None,
    locale: str | None,
    time_zone: str | None,
) -> None:
    """Set how an editor is called, in which language and time zone the desk speaks to them."""
    session.execute(
        update(Editor)
        .where(Editor.id == editor_id)
        .values(name=name or "", locale=locale, time_zone=time_zone)
    )


def disable(session: Session, email: str, *, now: datetime) -> None:
    """Shut an editor out at once; raises NotFound."""
    editor = _existing(session, email)
    editor.disabled_at = now
    sessions.end_all(session, editor.id, now=now)
    audit(session, editor, "editor.disabled", now=now)


def audit(session: Session, editor: Editor, action: str, *, now: datetime) -> None:
    """Note in the log of each of the editor's sites what the command line did to them."""
    sites = select(Membership.site_id).where(Membership.editor_id == editor.id)
    for site_id in session.scalars(sites).all():
        audits.note(session, site_id, action, editor.email, by=audits.COMMAND_LINE, now=now)


def by_email(session: Session, address: str) -> Editor | None:
    """The editor with this address, in lower case."""
    return session.scalar(select(Editor).where(Editor.email == address))


def _existing(session: Session, email: str) -> Editor:
    editor = by_email(session, email.strip().lower())
    if editor is None:
        raise NotFound("There is no editor %(who)s.", values={"who": email})
    return editor


def checked_email(email: str) -> str:
    """An address as it is kept; raises InvalidFields."""
    address = email.strip().lower()
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or len(address) > 254 or any(c.isspace() for c in address):
        raise invalid("/email", "This is not an e-mail address.")
    return address


def checked_name(name: str) -> str:
    """How an editor is called; raises InvalidFields."""
    if len(name) > 100 or not name.isprintable():
        raise invalid("/name", "A name has at most 100 characters.")
    return name
