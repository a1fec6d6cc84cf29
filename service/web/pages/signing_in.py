"""Signing in, in one or two steps, and out; going on with another site."""

import marshmallow as ma
from flask import Response, make_response, redirect, render_template, request, url_for

from service.accounts import editors, sessions, two_step
from service.accounts.principals import Principal, Scope
from service.errors import Refusal, WrongCredentials
from service.hashing import keyed
from service.models import Editor
from service.web import again, agents, cookies, current, forms, tickets, words
from service.web.cookies import Answer, signed_in
from service.web.limits import address_key, limiter
from service.web.pages.frame import blueprint
from service.web.schemas import storable


@blueprint.get("/login")
def login() -> str:
    """The sign-in form."""
    return render_template(
        "login.html",
        next=forms.place(request.args.get("next")),
        done=request.args.get("done"),
    )


def account_key() -> str:
    """The account that was named, for limits that hold from whatever address it is tried.

    Browsers in which its owner signed in before count by themselves: whoever guesses elsewhere
    does not keep the owner out.
    """
    email = forms.storable_text("email").strip().lower()
    account = keyed(current.settings().secret_key, "login", email)

    def named() -> Editor | None:
        with current.database().read() as session:
            return editors.by_email(session, email)

    return f"{account} known" if cookies.is_known(named) else account


@blueprint.post("/login")
@limiter.limit("20/minute;200/hour")
@limiter.limit("10/minute;50/hour", key_func=account_key)
def sign_in() -> Answer:
    """Begin a session, with a new token each time, or ask for the second step."""
    forms.check_origin()
    email, password = request.form.get("email", ""), request.form.get("password", "")
    place = forms.place(request.form.get("next"))
    try:
        editor = _editor(email, password)
        if editor.two_step_since:
            return _second(tickets.give(editor, current.now()), place)
        return _begin(editor, place)
    except Refusal as refusal:
        page = render_template(
            "login.html", next=place, email=email, message=words.refused(refusal)
        )
        return make_response(page, refusal.status)


def _editor(email: str, password: str) -> Editor:
    try:
        storable(email)
    except ma.ValidationError:
        raise WrongCredentials from None
    with current.database().read() as session:
        # Not within the write: hashing takes long, and others wait for the lock.
        return editors.check_password(session, email, password)


def _whose() -> str:
    """Guesses count against the account whose ticket was sent, else against the address."""
    try:
        with current.database().read() as session:
            editor = tickets.read(session, request.form.get("ticket", ""), current.now())
    except Refusal:
        return f"no ticket {address_key()}"
    return keyed(current.settings().secret_key, "second step", str(editor.id))


@blueprint.post("/login/code")
@limiter.limit("20/minute;200/hour")
@limiter.limit("10/minute;30/hour", key_func=_whose)
def sign_in_by_code() -> Answer:
    """The second step: a one-time code or a recovery code."""
    forms.check_origin()
    ticket, place = request.form.get("ticket", ""), forms.place(request.form.get("next"))
    with current.database().read() as session:
        try:
            editor = tickets.read(session, ticket, current.now())
        except Refusal as refusal:
            page = render_template("login.html", next=place, message=words.refused(refusal))
            return make_response(page, refusal.status)
    try:
        with current.database().write() as session:
            two_step.check(
                session,
                current.settings().secret_key,
                editor,
                request.form.get("code", ""),
                now=current.now(),
            )
    except Refusal as refusal:
        return _second(ticket, place, words.refused(refusal)), refusal.status
    return _begin(editor, place)


def _second(ticket: str, place: str, message: str = "") -> str:
    return render_template("two-step.html", ticket=ticket, next=place, message=message)


def _begin(editor: Editor, place: str) -> Answer:
    with current.database().write() as session:
        if cookies.token():
            sessions.end(session, cookies.token(), now=current.now())
        agent = agents.family(request.user_agent.string)
        token = sessions.begin(session, editor, now=current.now(), agent=agent)
    made = _offered(token, place) or redirect(place, 303)
    cookies.give(made, token)
    cookies.know(made, editor)
    return made


def _offered(token: str, place: str) -> Response | None:
    """The form that came when the session before was over, to be sent again; None without one."""
    form = again.read()
    if form is None:
        return None
    # The form's own token is the new session's, which this request does not have yet.
    given = forms.token_for(token)
    return make_response(render_template("again.html", form=form, form_token=given, next=place))


@blueprint.post("/review/site")
@signed_in(Scope.READ)
def switch_site(who: Principal) -> Answer:
    """Go on with another site."""
    with current.database().write() as session:
        sessions.switch(session, cookies.token(), request.form.get("site", ""))
    return redirect("/review", 303)


@blueprint.post("/logout")
@signed_in(Scope.READ)
def logout(who: Principal) -> Answer:
    """End the session."""
    with current.database().write() as session:
        sessions.end(session, cookies.token(), now=current.now())
    made = redirect(url_for("pages.login"), 303)
    cookies.take(made)
    return made
