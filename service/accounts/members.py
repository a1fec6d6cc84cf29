"""Who works on a site: roles, and leaving. A site keeps at least one admin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, aliased

from service import audits
from service.accounts import sessions
from service.errors import LastAdmin, NotFound
from service.models import Editor, Membership, Role, Site


@dataclass(frozen=True, slots=True)
class Member:
    """An editor of a site."""

    editor: Editor
    role: Role
    is_only_here: bool
    """Whether they belong to no other site."""


def of_site(session: Session, site_id: UUID) -> Sequence[Member]:
    """The editors of a site, by address."""
    everywhere = aliased(Membership)
    sites = (
        select(func.count())
        .select_from(everywhere)
        .where(everywhere.editor_id == Editor.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Editor, Membership.role, sites)
        .join(Membership, Membership.editor_id == Editor.id)
        .where(Membership.site_id == site_id)
        .order_by(Editor.email)
    )
    return [Member(editor, role, count == 1) for editor, role, count in rows]


def find(session: Session, site_id: UUID, editor_id: UUID) -> Member:
    """One editor of a site; raises NotFound."""
    for member in of_site(session, site_id):
        if member.editor.id == editor_id:
            return member
    raise NotFound("There is no such editor on this site.")


def set_role(
    session: Session, site_id: UUID, editor_id: UUID, role: Role, *, by: str, now: datetime
) -> None:
    """Make an editor an admin of the site, or the other way round; raises NotFound, LastAdmin."""
    _in_turn(session, site_id)
    member = find(session, site_id, editor_id)
    session.execute(
        update(Membership)
        .where(Membership.site_id == site_id, Membership.editor_id == editor_id)
        .values(role=role)
    )
    _keep_an_admin(session, site_id)
    audits.note(
        session,
        site_id,
        "editor.role_changed",
        member.editor.email,
        by=by,
        now=now,
        before={"role": member.role.value},
        after={"role": role.value},
    )


def remove(session: Session, site_id: UUID, editor_id: UUID, *, by: str, now: datetime) -> None:
    """Take an editor off the site; what they did stays. Raises NotFound, LastAdmin."""
    _in_turn(session, site_id)
    member = find(session, site_id, editor_id)
    session.execute(
        delete(Membership).where(Membership.site_id == site_id, Membership.editor_id == editor_id)
    )
    _keep_an_admin(session, site_id)
    sessions.leave_site(session, editor_id, site_id, now=now)
    audits.note(
        session,
        site_id,
        "editor.removed",
        member.editor.email,
        by=by,
        now=now,
        before={"role": member.role.value},
    )


def _in_turn(session: Session, site_id: UUID) -> None:
    # Two admins who demote each other at once must not both succeed.
    session.execute(select(Site.id).where(Site.id == site_id).with_for_update())


def _keep_an_admin(session: Session, site_id: UUID) -> None:
    admins = select(Membership.editor_id).where(
        Membership.site_id == site_id, Membership.role == Role.ADMIN
    )
    if session.scalar(admins.limit(1)) is None:
        raise LastAdmin("A site needs an admin. Make somebody else one first.")
