"""CORS for the public API: the site's own origins, letter by letter, and never credentials."""

import time

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from service.accounts import sites
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
    if "site" not in g:
        g.site = _find((request.view_args or {})["key"])
    found: Site = g.site
    return found


def _find(key: str) -> Site:
    parts = current.parts()
    changes, now = parts.database.changes, time.monotonic()
    known = parts.sites.get(key)
    if known and known.changes == changes and now < known.until:
        return known.site
    with parts.database.read() as session:
        site = sites.find(session, key)
    parts.sites[key] = current.KnownSite(site, changes, now + SITE_SECONDS)
    return site


def require_origin() -> None:
    """Raise ForeignOrigin unless the Origin header is one of the site's."""
    if request.headers.get("Origin") not in site().origins:
        raise ForeignOrigin("Reports come from the site's own pages only.")


def _is_public() -> bool:
    return request.path.startswith("/api/v1/sites/") and "key" in (request.view_args or {})


def _before() -> Response | None:
    if not _is_public() or request.method not in {"OPTIONS", "POST"}:
        return None
    require_origin()
    if request.method == "POST":
        return None
    made = Response(status=204)
    made.headers["Access-Control-Allow-Methods"] = "GET, POST"
    made.headers["Access-Control-Allow-Headers"] = "Content-Type, Idempotency-Key"
    made.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return made


def _after(response: Response) -> Response:
    if not _is_public():
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    try:
        if origin and origin in site().origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Idempotent-Replayed, Retry-After"
    except (NotFound, SQLAlchemyError):
        # A database that is gone has been told of already; this answer tells it.
        pass
    return response
