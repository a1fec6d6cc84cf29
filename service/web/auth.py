"""Who is asking: a bearer token on the API; `g.principal` holds the answer."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import g, request

from service.accounts import tokens
from service.accounts.principals import Principal, Scope
from service.errors import NotSignedIn
from service.web import current

P = ParamSpec("P")
R = TypeVar("R")

SECURITY: list[dict[str, list[str]]] = [{"bearer": []}]


def principal() -> Principal:
    """Who the current request comes from; set by `needs`."""
    found: Principal = g.principal
    return found


def needs(scope: Scope) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a route run only for the holder of a token with this scope.

    Raises NotSignedIn (401) and MissingScope (403).
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.principal = _bearer()
            g.principal.require(scope)
            return view(*args, **kwargs)

        return guarded

    return decorate


def _bearer() -> Principal:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        raise NotSignedIn("Send a token: Authorization: Bearer …")
    now = current.now()
    with current.database().read() as session:
        found, token = tokens.authenticate(session, secret.strip())
    if tokens.is_use_due(token, now):
        with current.database().write() as session:
            tokens.note_use(session, token.id, now=now)
    return found
