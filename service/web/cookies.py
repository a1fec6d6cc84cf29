"""The session's cookie, and the pages that need one."""

import hmac
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from flask import Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from service.accounts import sessions
from service.accounts.principals import Principal, Scope
from service.errors import NotSignedIn
from service.hashing import keyed
from service.models import Editor
from service.web import again, current, forms, words

P = ParamSpec("P")
Answer = str | AnyResponse | tuple[str, int]
SAFE_METHODS = frozenset({"GET", "HEAD"})
KNOWN_FOR = timedelta(days=180)
"""So long a browser in which somebody signed in is known."""
DIGITS = 12
"""An instant in seconds has no more, for a long time to come."""


def name() -> str:
    """`__Host-corrigenda`; over plain http, where browsers refuse that prefix, `corrigenda`."""
    return "__Host-corrigenda" if current.settings().is_secure else "corrigenda"


def give(response: AnyResponse, token: str) -> None:
    """Set the cookie; it goes when the browser does, or when the session is over."""
    response.set_cookie(
        name(), token, path="/", secure=current.settings().is_secure, httponly=True, samesite="Lax"
    )


def take(response: AnyResponse) -> None:
    """Delete the cookie."""
    response.delete_cookie(
        name(), path="/", secure=current.settings().is_secure, httponly=True, samesite="Lax"
    )


def token() -> str:
    """The cookie's token, empty where there is none."""
    return request.cookies.get(name(), "")


def know(response: AnyResponse, editor: Editor) -> None:
    """Set the cookie of a browser in which this editor signed in, good until the next password."""
    given = int(current.now().timestamp())
    response.set_cookie(
        f"{name()}-known",
        f"{given}.{_seal(editor, given)}",
        path="/",
        max_age=KNOWN_FOR,
        secure=current.settings().is_secure,
        httponly=True,
        samesite="Strict",
    )


def is_known(find: Callable[[], Editor | None]) -> bool:
    """Whether this editor, who is looked for only if need be, signed in in this browser before."""
    given, _, seal = request.cookies.get(f"{name()}-known", "").partition(".")
    if not (given.isascii() and given.isdecimal() and len(given) <= DIGITS):
        return False
    is_over = int(given) < (current.now() - KNOWN_FOR).timestamp()
    editor = None if is_over else find()
    if editor is None:
        return False
    return hmac.compare_digest(seal.encode(), _seal(editor, int(given)).encode())


def _seal(editor: Editor, given: int) -> str:
    sealed = f"{editor.id}.{given}.{editor.password_hash}"
    return keyed(current.settings().secret_key, "known browser", sealed)


def signed_in(
    scope: Scope,
) -> Callable[[Callable[Concatenate[Principal, P], Answer]], Callable[P, Answer]]:
    """Show a page only to an editor with this scope; others are asked to sign in first.

    Whoever has no session is led to the sign-in; whoever had one, or typed something, gets it in
    place, as a 401: what the form says is kept until then.
    Whatever is sent must come from a form of this session.
    """

    def decorate(view: Callable[Concatenate[Principal, P], Answer]) -> Callable[P, Answer]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Answer:
            if not token() and not _kept():
                return redirect(url_for("pages.login", next=_here()), 303)
            try:
                who = _authenticated()
            except NotSignedIn as refusal:
                return over(refusal)
            g.principal = who
            if request.method not in SAFE_METHODS:
                forms.check(token())
            who.require(scope)
            return view(who, *args, **kwargs)

        return guarded

    return decorate


def over(refusal: NotSignedIn) -> Response:
    """The sign-in form where a page would have been."""
    page = render_template("login.html", next=_here(), kept=_kept(), message=words.refused(refusal))
    made = make_response(page, refusal.status)
    # Where another site sent a form, the browser has the cookie and did not send it.
    if token():
        take(made)
    return made


def _kept() -> str:
    return "" if request.method in SAFE_METHODS else again.keep()


def _here() -> str:
    if request.method not in SAFE_METHODS:
        return forms.place(request.form.get("next"))
    return request.full_path.rstrip("?")


def editor_id() -> UUID | None:
    """The editor who is signed in; None where nobody is."""
    try:
        return _authenticated().editor_id
    except NotSignedIn:
        return None


def _authenticated() -> Principal:
    now = current.now()
    with current.database().read() as session:
        found = sessions.authenticate(session, token(), now=now)
    if found.is_use_due:
        with current.database().write() as session:
            sessions.note_use(session, found.session_id, now=now)
    return found.principal
