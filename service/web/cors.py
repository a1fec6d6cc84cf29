"""CORS for the public API: the site's own origins, letter by letter, and never credentials."""

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from service.accounts import sites
from service.errors import ForeignOrigin, NotFound
from service.models import Site
from service.web import current

PREFLIGHT_SECONDS = 600


def register(app: Flask) -> None:
    """Answer preflights and mark the answers of every route under a site's key."""
    app.before_request(_before)
    app.after_request(_after)


def site() -> Site:
    """The site that the request's URL names; raises NotFound."""
    key = (request.view_args or {})["key"]
    if "site" not in g:
        with current.database().read() as session:
            g.site = sites.find(session, key)
    found: Site = g.site
    return found


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
