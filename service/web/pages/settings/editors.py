"""The editors of a site: roles, invitations, leaving."""

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import request
from flask_babel import lazy_gettext
from marshmallow import fields, validate

from service.accounts import invitations, members, passwords
from service.accounts.principals import Principal, Scope
from service.errors import AlreadyExists, InvalidFields, invalid
from service.models import Role, Site
from service.web import current, forms, words
from service.web.cookies import Answer, signed_in
from service.web.pages import post
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import back, show
from service.web.schemas import Text


class RoleIn(ma.Schema):
    """A role."""

    role = fields.Enum(Role, by_value=True, required=True)


class InvitationIn(RoleIn):
    """Who is invited, as what."""

    email = Text(
        254,
        validate.Length(min=1, error=lazy_gettext("This is not an e-mail address.")),
        required=True,
    )


@blueprint.get("/review/settings/editors")
@signed_in(Scope.ADMIN)
def editors(who: Principal) -> Answer:
    """Who works on the site."""
    return _page(who)


@blueprint.post("/review/settings/editors")
@signed_in(Scope.ADMIN)
def invite(who: Principal) -> Answer:
    """Invite somebody; the link is shown once, and mailed where mail is set up."""
    try:
        wanted = forms.read(InvitationIn())
        with current.database().write() as session:
            site = session.get_one(Site, who.site_id)
            email, token = invitations.invite(
                session, site, **wanted, by=who.label, now=current.now()
            )
            url = post.link(f"/invitation/{token}")
            post.invite(session, site.id, site.name, email, url)
    except AlreadyExists as refusal:
        told = forms.told(invalid("/email", words.refused(refusal)))
        return _page(who, typed=request.form, errors=told), refusal.status
    except InvalidFields as refusal:
        return _page(who, typed=request.form, errors=forms.told(refusal)), refusal.status
    current.parts().on_event()
    return _page(who, invited={"email": email, "url": url})


@blueprint.post("/review/settings/editors/invitations/<uuid:link_id>/withdraw")
@signed_in(Scope.ADMIN)
def withdraw_invitation(who: Principal, link_id: UUID) -> Answer:
    """Let an invitation's link work no more."""
    with current.database().write() as session:
        invitations.withdraw(session, who.site_id, link_id, by=who.label, now=current.now())
    return back("editors", "withdrawn")


@blueprint.post("/review/settings/editors/<uuid:editor_id>/role")
@signed_in(Scope.ADMIN)
def set_role(who: Principal, editor_id: UUID) -> Answer:
    """Make an editor an admin, or the other way round."""
    wanted = forms.read(RoleIn())
    with current.database().write() as session:
        members.set_role(session, who.site_id, editor_id, **wanted, by=who.label, now=current.now())
    return back("editors", "role")


@blueprint.post("/review/settings/editors/<uuid:editor_id>/remove")
@signed_in(Scope.ADMIN)
def remove_editor(who: Principal, editor_id: UUID) -> Answer:
    """Take an editor off the site."""
    with current.database().write() as session:
        members.remove(session, who.site_id, editor_id, by=who.label, now=current.now())
    return back("editors", "removed")


@blueprint.post("/review/settings/editors/<uuid:editor_id>/password-link")
@signed_in(Scope.ADMIN)
def make_password_link(who: Principal, editor_id: UUID) -> Answer:
    """Make a link to a new password, for who belongs to this site alone."""
    with current.database().write() as session:
        email, token = passwords.link_for(
            session, who.site_id, editor_id, by=who.label, now=current.now()
        )
    return _page(who, reset={"email": email, "url": post.link(f"/password/{token}")})


def _page(who: Principal, **values: Any) -> str:
    with current.database().read() as session:
        return show(
            session,
            who,
            "editors",
            members=members.of_site(session, who.site_id),
            invitations=invitations.of_site(session, who.site_id, now=current.now()),
            roles=tuple(Role),
            sends=bool(current.settings().smtp_url),
            **values,
        )
