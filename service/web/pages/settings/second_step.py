"""My account's second step: set up with an authenticator, recovery codes, turn off."""

import io
from typing import Any

from flask import redirect, request
from markupsafe import Markup

from service.accounts import passwords, two_step
from service.accounts.principals import Principal, Scope
from service.errors import InvalidFields, WrongCode
from service.models import Editor
from service.web import current, forms, words
from service.web.cookies import Answer, signed_in
from service.web.limits import limiter
from service.web.pages.frame import blueprint
from service.web.pages.settings.account import whose_password
from service.web.pages.settings.frame import back, show


@blueprint.get("/review/settings/account/second-step")
@signed_in(Scope.READ)
def second_step(who: Principal) -> Answer:
    """Where the second step is set up, or turned off."""
    return _page(who)


@blueprint.post("/review/settings/account/second-step")
@signed_in(Scope.READ)
def begin_second_step(who: Principal) -> Answer:
    """Make a secret to be put into an authenticator."""
    with current.database().write() as session:
        two_step.begin(session, who.editor_id)
    return redirect("/review/settings/account/second-step", 303)


@blueprint.post("/review/settings/account/second-step/confirm")
@signed_in(Scope.READ)
@limiter.limit("10/minute;30/hour", key_func=whose_password)
def confirm_second_step(who: Principal) -> Answer:
    """Turn the second step on by a first code; show the recovery codes, this once."""
    code = "".join(request.form.get("code", "").split())
    try:
        with current.database().write() as session:
            codes = two_step.confirm(
                session, current.settings().secret_key, who.editor_id, code, now=current.now()
            )
    except WrongCode as refusal:
        return _page(who, errors={"code": words.refused(refusal)}), 422
    return _page(who, codes=codes)


@blueprint.post("/review/settings/account/second-step/codes")
@signed_in(Scope.READ)
@limiter.limit("10/minute;30/hour", key_func=whose_password)
def renew_codes(who: Principal) -> Answer:
    """Make new recovery codes and show them, this once."""
    try:
        _confirm(who)
    except InvalidFields as refusal:
        return _page(who, errors=forms.told(refusal)), refusal.status
    with current.database().write() as session:
        codes = two_step.renew(session, session.get_one(Editor, who.editor_id).id)
    return _page(who, codes=codes)


@blueprint.post("/review/settings/account/second-step/off")
@signed_in(Scope.READ)
@limiter.limit("10/minute;30/hour", key_func=whose_password)
def turn_off_second_step(who: Principal) -> Answer:
    """Sign in without a second step from now on."""
    try:
        _confirm(who)
    except InvalidFields as refusal:
        return _page(who, errors=forms.told(refusal)), refusal.status
    with current.database().write() as session:
        two_step.turn_off(session, who.editor_id)
    return back("account", "second-step")


def _confirm(who: Principal) -> None:
    with current.database().read() as session:
        passwords.confirm(session, who.editor_id, request.form.get("password", ""))


def _page(who: Principal, **values: Any) -> str:
    with current.database().read() as session:
        editor = session.get_one(Editor, who.editor_id)
        secret = two_step.secret_of(current.settings().secret_key, editor.two_step_seed or "")
        return show(
            session,
            who,
            "account",
            template="second-step",
            editor=editor,
            secret=two_step.as_text(secret),
            picture=_picture(two_step.address(secret, editor.email)),
            codes_left=two_step.left(session, editor.id),
            **values,
        )


def _picture(text: str) -> Markup:
    """The text as a QR code, an SVG element without style attributes."""
    # Drawn once in an editor's life; nobody else has to carry it in memory.
    import segno

    drawn = io.BytesIO()
    segno.make(text, error="m").save(
        drawn,
        kind="svg",
        xmldecl=False,
        svgns=False,
        border=4,
        dark="#000",
        light="#fff",
        svgclass="qr",
        lineclass=None,
        omitsize=True,
    )
    return Markup(drawn.getvalue().decode())  # noqa: S704 (segno's own markup, no words of anybody)
