"""Pages behind links that work once: an invitation, a forgotten password."""

from typing import Any

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from service.accounts import editors, invitations, passwords, sites
from service.errors import InvalidFields
from service.web import cookies, current, forms
from service.web.cookies import Answer
from service.web.limits import limiter
from service.web.pages import post
from service.web.pages.frame import blueprint
from service.web.pages.signing_in import account_key


@blueprint.get("/invitation/<token>")
@limiter.limit("30/minute")
def invitation(token: str) -> Answer:
    """What the link invites to."""
    with current.database().read() as session:
        invited = invitations.read(session, token, now=current.now())
    return secret("invitation.html", invited=invited, editor_id=cookies.editor_id())


@blueprint.post("/invitation/<token>")
@limiter.limit("30/minute")
def join(token: str) -> Answer:
    """Join the site."""
    forms.check_origin()
    with current.database().read() as session:
        invited = invitations.read(session, token, now=current.now())
    name = request.form.get("name", "").strip()
    password_hash, editor_id = "", cookies.editor_id()
    if invited.editor_id:
        if invited.editor_id != editor_id:
            return secret("invitation.html", 401, invited=invited, editor_id=editor_id)
    else:
        try:
            password_hash = editors.hashed(request.form.get("password", ""))
            editors.checked_name(name)
        except InvalidFields as refusal:
            return secret(
                "invitation.html", 422, invited=invited, name=name, errors=forms.told(refusal)
            )
    with current.database().write() as session:
        invitations.accept(
            session,
            token,
            name=name,
            password_hash=password_hash,
            now=current.now(),
            signed_in=editor_id,
        )
    return redirect("/review" if invited.editor_id else "/login?done=joined", 303)


@blueprint.get("/password/forgotten")
def forgotten() -> str:
    """Ask for a new password."""
    return render_template("forgotten.html", sends=bool(current.settings().smtp_url))


@blueprint.post("/password/forgotten")
@limiter.limit("10/minute;50/hour")
@limiter.limit("3/minute;10/hour", key_func=account_key)
def forget() -> str:
    """Send a link to a new password; the answer never tells whether there is an account."""
    forms.check_origin()
    email = forms.storable_text("email")
    with current.database().write() as session:
        token, editor = passwords.forget(session, email, now=current.now())
        if editor:
            for site in sites.of_editor(session, editor.id)[:1]:
                post.reset(session, site.id, editor.email, post.link(f"/password/{token}"))
    current.parts().on_event()
    return render_template("forgotten.html", sends=bool(current.settings().smtp_url), asked=email)


@blueprint.get("/password/<token>")
@limiter.limit("30/minute")
def new_password(token: str) -> Answer:
    """Choose a new password."""
    with current.database().read() as session:
        email = passwords.address_of(session, token, now=current.now())
    return secret("password.html", email=email)


@blueprint.post("/password/<token>")
@limiter.limit("30/minute")
def reset_password(token: str) -> Answer:
    """Set the new password."""
    forms.check_origin()
    with current.database().read() as session:
        email = passwords.address_of(session, token, now=current.now())
    try:
        password_hash = editors.hashed(request.form.get("password", ""))
    except InvalidFields as refusal:
        return secret("password.html", 422, email=email, errors=forms.told(refusal))
    with current.database().write() as session:
        passwords.reset(session, token, password_hash, now=current.now())
    return redirect("/login?done=password", 303)


def secret(template: str, status: int = 200, **values: Any) -> Response:
    """A page whose address is a secret."""
    made = make_response(render_template(template, **{"errors": {}, **values}), status)
    made.headers["Referrer-Policy"] = "no-referrer"
    made.headers["X-Robots-Tag"] = "noindex"
    return made
