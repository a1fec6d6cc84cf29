"""The API tokens of a site: made, shown once, revoked."""

from typing import Any
from uuid import UUID

from flask import request

from service.accounts import tokens as verbs
from service.accounts.principals import Principal, Scope
from service.errors import InvalidFields
from service.models import Site
from service.web import current, forms
from service.web.cookies import Answer, signed_in
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import back, show


@blueprint.get("/review/settings/tokens")
@signed_in(Scope.ADMIN)
def tokens(who: Principal) -> Answer:
    """The site's tokens."""
    return _page(who)


@blueprint.post("/review/settings/tokens")
@signed_in(Scope.ADMIN)
def make_token(who: Principal) -> Answer:
    """Make a token and show it, this once."""
    try:
        with current.database().write() as session:
            site = session.get_one(Site, who.site_id)
            _, secret = verbs.create(
                session,
                site,
                request.form.getlist("scopes"),
                name=request.form.get("name", "").strip(),
                now=current.now(),
                by=who.label,
            )
    except InvalidFields as refusal:
        return _page(who, typed=request.form, errors=forms.told(refusal)), refusal.status
    return _page(who, secret=secret)


@blueprint.post("/review/settings/tokens/<uuid:token_id>/revoke")
@signed_in(Scope.ADMIN)
def revoke_token(who: Principal, token_id: UUID) -> Answer:
    """End a token at once."""
    with current.database().write() as session:
        verbs.revoke(session, token_id, site_id=who.site_id, by=who.label, now=current.now())
    return back("tokens", "revoked")


def _page(who: Principal, **values: Any) -> str:
    with current.database().read() as session:
        site = session.get_one(Site, who.site_id)
        return show(
            session,
            who,
            "tokens",
            tokens=verbs.of_site(session, site),
            scopes=tuple(Scope),
            **values,
        )
