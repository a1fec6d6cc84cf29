"""Invitations: an admin passes on a link; whoever opens it joins the site."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import audits
from service.accounts import editors, links
from service.errors import AlreadyExists, NotFound, NotSignedIn
from service.models import Editor, Link, LinkKind, Membership, Role, Site


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the invited person is shown."""

    email: str
    site_name: str
    role: Role
    editor_id: UUID | None
    """The account that the address has."""


def invite(
    session: Session, site: Site, email: str, role: Role, *, by: str, now: datetime
) -> tuple[str, str]:
    """Invite an address to a site: the address as it is kept, and the link's token, this once.

    Raises InvalidFields, and AlreadyExists where the person is on the site.
    """
    address = editors.checked_email(email)
    if session.scalar(
        select(Membership.editor_id)
        .join(Editor, Editor.id == Membership.editor_id)
        .where(Editor.email == address, Membership.site_id == site.id)
    ):
        raise AlreadyExists("This person is an editor of this site already.")
    token = links.make(
        session, LinkKind.INVITATION, address, by=by, now=now, site_id=site.id, role=role
    )
    audits.note(
        session, site.id, "editor.invited", address, by=by, now=now, after={"role": role.value}
    )
    return address, token


def of_site(session: Session, site_id: UUID, *, now: datetime) -> Sequence[Link]:
    """The invitations that wait for an answer, the newest first."""
    return session.scalars(
        select(Link)
        .where(Link.site_id == site_id, Link.spent_at.is_(None), Link.expires_at > now)
        .order_by(Link.id.desc())
    ).all()


def withdraw(session: Session, site_id: UUID, link_id: UUID, *, by: str, now: datetime) -> None:
    """Let an invitation's link work no more; raises NotFound."""
    email = session.scalar(
        update(Link)
        .where(Link.id == link_id, Link.site_id == site_id, Link.spent_at.is_(None))
        .values(spent_at=now)
        .returning(Link.email)
    )
    if email is None:
        raise NotFound("There is no such invitation.")
    audits.note(session, site_id, "invitation.withdrawn", email, by=by, now=now)


def read(session: Session, token: str, *, now: datetime) -> Invitation:
    """What a link invites to; raises NotFound."""
    link = links.find(session, LinkKind.INVITATION, token, now=now)
    site = session.get_one(Site, link.site_id)
    known = editors.by_email(session, link.email)
    return Invitation(link.email, site.name, link.role or Role.EDITOR, known.id if known else None)


def accept(
    session: Session,
    token: str,
    *,
    name: str,
    password_hash: str,
    now: datetime,
    signed_in: UUID | None = None,
) -> Editor:
    """Join the site; who has no account gets one. Raises NotFound, AlreadyExists, NotSignedIn.

    Whoever has an account keeps name and password, and must be signed in: another site's admin,
    who saw an earlier link, may have made it and chosen its password.
    """
    link = links.spend(session, LinkKind.INVITATION, token, now=now)
    editor = editors.by_email(session, link.email)
    if editor is not None and editor.id != signed_in:
        raise NotSignedIn("Sign in with the account that is invited.")
    if editor is None:
        editor = Editor(email=link.email, name=name, password_hash=password_hash, created_at=now)
        session.add(editor)
        session.flush()
    site = session.get_one(Site, link.site_id)
    role = link.role or Role.EDITOR
    editors.join(session, editor, site, role, by=editor.email, now=now)
    return editor
