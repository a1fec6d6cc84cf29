"""CORS for the public API: the site's own origins, letter by letter, and never credentials."""

import time

from flask import Flask, Request, Response, g, request
from flask.globals import request_ctx
from sqlalchemy.exc import SQLAlchemyError

from service.accounts import sites
from service.db.loops import aside
from service.errors import ForeignOrigin, NotFound
from service.models import Site
from service.web import current

PREFLIGHT_SECONDS = 600

SITE_SECONDS = 1
"""So long another process's change of a site may go unseen."""


def register(app: Flask) -> None:
    """Answer preflights and mark the answers of every route under a site's key."""
    app.before_request(_before)
    app.after_request(_after)


def site() -> Site:
    """The site that the request's URL names; raises NotFound."""
    found: Site | None = g.get("site")
    if found is None:
        found = g.site = _find((request.view_args or {})["key"])
    return found


def _find(key: str) -> Site:
    parts = current.parts()
    changes, now = parts.database.changes, time.monotonic()
    known = parts.sites.get(key)
    if known and known.changes == changes and now < known.until:
        return known.site

    def find() -> Site:
        with parts.database.read() as session:
            return sites.find(session, key)

    # A server of databases may keep us waiting; a file does not.
    site = find() if parts.database.is_sqlite else aside(find)
    parts.sites[key] = current.KnownSite(site, changes, now + SITE_SECONDS)
    return site


def _is_public(asked: Request) -> bool:
    return asked.path.startswith("/api/v1/sites/") and "key" in (asked.view_args or {})


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
    headers["Vary"] = ", ".join([*headers.getlist("Vary"), "Origin"])
    try:
        if origin and origin in site().origins:
            headers.add("Access-Control-Allow-Origin", origin)
            headers.add("Access-Control-Expose-Headers", "Idempotent-Replayed, Retry-After")
    except (NotFound, SQLAlchemyError):
        # A database that is gone has been told of already; this answer tells it.
        pass
    return response
