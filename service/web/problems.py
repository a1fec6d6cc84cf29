"""Every refusal leaves as RFC 9457 `application/problem+json`, or as a page for a browser."""

import logging
from collections.abc import Sequence

from flask import Flask, Response, json, render_template, request
from flask_babel import gettext
from flask_limiter.errors import RateLimitExceeded
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from service.errors import (
    InvalidFields,
    NotSignedIn,
    Refusal,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from service.web import words

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "/problems/"

log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Translate refusals, HTTP exceptions and database faults, each once.

    What has NUL in its path is not there, whatever a database or a file system says to it.
    """
    app.before_request(_check_path)
    app.register_error_handler(Refusal, of_refusal)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(DataError, of_data)
    app.register_error_handler(DBAPIError, of_database)
    app.register_error_handler(PoolTimeout, of_database)
    app.register_error_handler(Exception, of_bug)


def of_refusal(refusal: Refusal) -> Response:
    """The problem of one refusal."""
    if _is_for_people():
        told = gettext(refusal.title), words.refused(refusal)
        made = _page(refusal.status, *told, [gettext(each["detail"]) for each in refusal.errors])
    else:
        made = _json(body_of(refusal), refusal.status)
    if refusal.retry_after is not None:
        made.headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, NotSignedIn):
        made.headers["WWW-Authenticate"] = "Bearer"
    return made


def body_of(refusal: Refusal) -> dict[str, object]:
    """The members of a refusal's problem."""
    body: dict[str, object] = {
        "type": TYPE_BASE + refusal.code,
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
    }
    if refusal.errors:
        body["errors"] = refusal.errors
    return {**body, **refusal.members}


def of_http(error: HTTPException) -> Response:
    """The problem of what Werkzeug or an extension raised."""
    if isinstance(error, RateLimitExceeded):
        return of_refusal(_too_many(error))
    if isinstance(error, RequestEntityTooLarge):
        most = (request.max_content_length or 0) // 1024
        return of_refusal(
            TooLarge("This body may have at most %(most)s KiB.", values={"most": f"{most:,}"})
        )
    status = error.code or 500
    made = _problem(
        {
            "type": "about:blank",
            "title": error.name,
            "status": status,
            "detail": error.description or error.name,
        },
        status,
    )
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            made.headers[name] = value
    return made


def of_data(error: DataError) -> Response:
    """What a database does not take: refused where somebody sent NUL, which PostgreSQL refuses."""
    sent = [*request.args.items(multi=True), *request.form.items(multi=True)]
    if any("\0" in text for _, text in sent):
        return of_refusal(InvalidFields("Has a character that cannot be stored."))
    return of_database(error)


def of_database(error: Exception) -> Response:
    """A database that is gone, locked or out of disk: come back later."""
    log.error("the database refused", exc_info=error)
    return of_refusal(Unavailable("The service cannot read or write just now.", retry_after=5))


def of_bug(error: Exception) -> Response:
    """What nobody expected: logged whole, told in one sentence."""
    log.error("unexpected error", exc_info=error)
    body = {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong on our side; it has been written down.",
    }
    return _problem(body, 500)


def _check_path() -> None:
    if "\0" in request.path:
        raise NotFound


def _too_many(error: RateLimitExceeded) -> TooManyRequests:
    from service.web.limits import seconds_to_wait

    wait = seconds_to_wait(error)
    return TooManyRequests(
        "That was a lot at once. Please try again in %(wait)s seconds.",
        values={"wait": wait},
        retry_after=wait,
    )


def _problem(body: dict[str, object], status: int) -> Response:
    if _is_for_people():
        return _page(status, *words.FAULTS.get(status, words.FAULT))
    return _json(body, status)


def _page(status: int, title: str, detail: str, errors: Sequence[str] = ()) -> Response:
    page = render_template(
        "problem.html",
        status=status,
        title=title,
        details=[each for each in dict.fromkeys((detail, *errors)) if each != title],
    )
    return _bodiless(Response(page, status))


def _json(body: dict[str, object], status: int) -> Response:
    return _bodiless(Response(json.dumps(body), status, mimetype=MEDIA_TYPE))


def _bodiless(made: Response) -> Response:
    if request.method == "HEAD":
        made.set_data(b"")
    return made


def _is_for_people() -> bool:
    accepted = request.accept_mimetypes
    is_api = request.path.startswith("/api/")
    return not is_api and accepted["text/html"] > accepted["application/json"]
