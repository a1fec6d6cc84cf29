"""CORS for the public API: the site's own origins, letter by letter, and never credentials."""

from functools import partial

from flask import Flask, Request, Response, g, request
from flask.globals import request_ctx
from sqlalchemy.exc import SQLAlchemyError

from service.accounts import sites
from service.db.loops import aside
from service.errors import ForeignOrigin, NotFound
from service.models import Site
from service.web import current

PREFLIGHT_SECONDS = 600

VARY = "Origin"


def register(app: Flask) -> None:
    """Answer preflights and mark the answers of every route under a site's key."""
    app.before_request(_before)
    app.after_request(_after)


def site() -> Site:
    """The site that the request's URL names; raises NotFound."""
    found: Site | None = g.get("site")
    if found is None:
        found = g.site = find(current.parts(), (request.view_args or {})["key"])
    return found


def find(parts: current.Parts, key: str) -> Site:
    """The site of this key; raises NotFound."""

    def read() -> Site:
        with parts.database.read() as session:
            return sites.find(session, key)

    # A server of databases may keep us waiting; a file does not.
    return parts.sites.of(parts, key, read if parts.database.is_sqlite else partial(aside, read))


def allowing(origin: str) -> list[tuple[str, str]]:
    """The headers by which a page of this origin may read an answer."""
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", "Idempotent-Replayed, Retry-After"),
    ]


def _is_public(asked: Request) -> bool:
    if asked.path.startswith("/api/v1/sites/"):
        return "key" in (asked.view_args or {})
    # Of a receipt the view has found the site, if there is one.
    return asked.path.startswith("/api/v1/receipts/") and "site" in g


def _before() -> Response | None:
    asked = request_ctx.request
    if asked.method not in {"OPTIONS", "POST"} or not _is_public(asked):
        return None
    if asked.headers.get("Origin") not in site().origins:
        raise ForeignOrigin("Reports come from the site's own pages only.")
    if asked.method == "POST":
        return None
    made = Response(status=204)
    made.headers["Access-Control-Allow-Methods"] = "GET, POST"
    made.headers["Access-Control-Allow-Headers"] = "Content-Type, Idempotency-Key"
    made.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return made


def _after(response: Response) -> Response:
    asked = request_ctx.request
    if not _is_public(asked):
        return response
    headers, origin = response.headers, asked.headers.get("Origin")
    headers["Vary"] = ", ".join([*headers.getlist("Vary"), VARY])
    try:
        if origin and origin in site().origins:
            headers.extend(allowing(origin))
    except (NotFound, SQLAlchemyError):
        # A database that is gone has been told of already; this answer tells it.
        pass
    return response
