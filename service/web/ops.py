"""For whoever runs it: is the process up, can it work; request ids and the log of requests."""

import time
from uuid import uuid4

from flask import Blueprint, Flask, Response, g, jsonify, request

from service.db import migrate
from service.logs import log_request
from service.web import current

blueprint = Blueprint("ops", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process is up."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database reachable and migrated, disk writable; 503 and what is wrong otherwise."""
    faults = [fault for fault in (_database_fault(), _disk_fault()) if fault]
    if faults:
        return jsonify(status="not ready", faults=faults), 503
    return jsonify(status="ready"), 200


def _database_fault() -> str | None:
    try:
        at = migrate.current(current.database())
    except Exception as error:
        return f"database: {type(error).__name__}"
    if at != migrate.head():
        return f"database: at revision {at}, this release needs {migrate.head()}"
    return None


def _disk_fault() -> str | None:
    probe = current.settings().data_dir / f".probe-{uuid4().hex}"
    try:
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        return f"disk: {error.strerror}"
    return None


def register(app: Flask) -> None:
    """Give every request an id, and write one line about it when it is answered."""

    @app.before_request
    def begin() -> None:
        g.request_id, g.began = uuid4().hex, time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        # The rule, not the path: a path may hold a secret link.
        rule = request.url_rule.rule if request.url_rule else "(none)"
        milliseconds = (time.perf_counter() - g.began) * 1000
        log_request(g.request_id, request.method, rule, response.status_code, milliseconds)
        return response
