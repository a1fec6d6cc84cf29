"""My account: name, language, time zone; password; sessions."""

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import g, request
from flask_babel import lazy_gettext
from marshmallow import fields, validate

from service.accounts import editors, passwords, sessions, two_step
from service.accounts.principals import Principal, Scope
from service.accounts.zones import TIME_ZONES
from service.errors import InvalidFields
from service.models import Editor
from service.web import cookies, current, forms
from service.web.cookies import Answer, signed_in
from service.web.languages import DESK
from service.web.limits import limiter
from service.web.pages.frame import blueprint
from service.web.pages.settings.frame import back, show
from service.web.schemas import Text


class ProfileIn(ma.Schema):
    """How an editor wants to be called and spoken to."""

    name = Text(100, load_default="", allow_none=True)
    locale = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(DESK, error=lazy_gettext("The desk does not speak this language.")),
    )
    time_zone = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(TIME_ZONES, error=lazy_gettext("There is no such time zone.")),
    )


@blueprint.get("/review/settings/account")
@signed_in(Scope.READ)
def account(who: Principal) -> Answer:
    """The editor's own settings."""
    return _page(who)


@blueprint.post("/review/settings/account")
@signed_in(Scope.READ)
def change_account(who: Principal) -> Answer:
    """Change name, language and time zone."""
    try:
        wanted = forms.read(ProfileIn())
    except InvalidFields as refusal:
        return _page(who, typed=request.form, errors=forms.told(refusal)), refusal.status
    with current.database().write() as session:
        editors.change(session, who.editor_id, **wanted)
    return back("account", "profile")


def whose_password() -> str:
    """Guesses at the password of whoever left a session open count against the account."""
    return str(g.principal.editor_id)


@blueprint.post("/review/settings/account/password")
@signed_in(Scope.READ)
@limiter.limit("10/minute;30/hour", key_func=whose_password)
def change_password(who: Principal) -> Answer:
    """Change the password; every other session ends."""
    try:
        with current.database().read() as session:
            passwords.confirm(session, who.editor_id, request.form.get("password", ""))
        password_hash = editors.hashed(request.form.get("new_password", ""), "/new_password")
    except InvalidFields as refusal:
        return _page(who, errors=forms.told(refusal)), refusal.status
    with current.database().write() as session:
        passwords.change(
            session, who.editor_id, password_hash, keep=cookies.token(), now=current.now()
        )
    return back("account", "password")


@blueprint.post("/review/settings/account/sessions/<uuid:session_id>/end")
@signed_in(Scope.READ)
def end_session(who: Principal, session_id: UUID) -> Answer:
    """End one of one's sessions."""
    with current.database().write() as session:
        sessions.end_one(session, who.editor_id, session_id, now=current.now())
    return back("account", "session")


@blueprint.post("/review/settings/account/sessions/end")
@signed_in(Scope.READ)
def end_other_sessions(who: Principal) -> Answer:
    """End all of one's sessions but this one."""
    with current.database().write() as session:
        sessions.end_all(session, who.editor_id, now=current.now(), keep=cookies.token())
    return back("account", "sessions")


def _page(who: Principal, **values: Any) -> str:
    with current.database().read() as session:
        return show(
            session,
            who,
            "account",
            editor=session.get_one(Editor, who.editor_id),
            sessions=sessions.of_editor(session, who.editor_id, now=current.now()),
            this=sessions.id_of(session, cookies.token()),
            codes_left=two_step.left(session, who.editor_id),
            languages=DESK,
            time_zones=[(zone, zone.replace("_", " ")) for zone in TIME_ZONES],
            **values,
        )
