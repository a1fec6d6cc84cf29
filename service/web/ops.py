"""For whoever runs it: is the process up, can it work; request ids and the log of requests."""

import logging
import time
from secrets import token_hex
from threading import Event

from flask import Blueprint, Flask, Response, g, jsonify, request
from flask.globals import app_ctx, request_ctx

from service.db import migrate, new_id
from service.logs import log_request
from service.web import current, metrics

blueprint = Blueprint("ops", __name__)

log = logging.getLogger(__name__)

REQUEST_ID = "X-Request-Id"


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process is up."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database reachable and migrated, disk writable; 503 and what is wrong otherwise.

    Asked with `?forwarded` it also says how many proxies named themselves on the way.
    """
    seen = {"forwarded": _forwarded()} if "forwarded" in request.args else {}
    faults = [fault for fault in (_database_fault(), _disk_fault()) if fault]
    if faults:
        return jsonify(status="not ready", faults=faults, **seen), 503
    return jsonify(status="ready", **seen), 200


def _forwarded() -> int:
    """How many addresses the request's forwarded headers hold: one for each proxy."""
    return sum(
        len(value.split(",")) for value in request.headers.getlist("X-Forwarded-For") if value
    )


def _database_fault() -> str | None:
    try:
        at = migrate.current(current.database())
    except Exception as error:
        return f"database: {type(error).__name__}"
    if at != migrate.head():
        return f"database: at revision {at}, this release needs {migrate.head()}"
    return None


def _disk_fault() -> str | None:
    probe = current.settings().data_dir / f".probe-{token_hex()}"
    try:
        try:
            probe.write_bytes(b"x" * 4096)
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        return f"disk: {error.strerror}"
    return None


def register(app: Flask) -> None:
    """Give every request an id, and write one line about it when it is answered."""
    warned = Event()

    @app.before_request
    def begin() -> None:
        g.request_id, g.began = new_id().hex, time.perf_counter()
        if not current.settings().trusted_proxies and _forwarded() and not warned.is_set():
            warned.set()
            log.warning("forwarded headers are ignored: is CORRIGENDA_TRUSTED_PROXIES 0 right?")

    @app.after_request
    def end(response: Response) -> Response:
        asked, kept = request_ctx.request, app_ctx.g
        response.headers[REQUEST_ID] = kept.request_id
        # The rule, not the path: a path may hold a secret link.
        rule = asked.url_rule.rule if asked.url_rule else "(none)"
        tell(kept.request_id, asked.method, rule, response.status_code, kept.began)
        return response


def tell(request_id: str, method: str, rule: str, status: int, began: float) -> None:
    """Log and count one request that is answered."""
    seconds = time.perf_counter() - began
    log_request(request_id, method, rule, status, seconds * 1000)
    metrics.count(rule, status, seconds)
