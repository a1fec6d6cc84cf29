"""The straight way of a report: what Flask does for every request would take half of the time.

Only what is right goes it to the end. All else goes the whole way, through Flask, which then tells
what is wrong; both ways lead through the same rules and give the same answers (ADR 7).
"""

import io
import re
import time
from collections.abc import Iterable
from functools import lru_cache
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import marshmallow as ma
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from service.db import new_id
from service.errors import Refusal
from service.intake import Submission
from service.models import Site
from service.web import bodies, cors, current, headers, hosts, limits, ops, reports
from service.web.current import Parts
from service.web.schemas import ReportIn, ReportKey

RULE = "/api/v1/sites/<key>/reports"
LIMITED = ("service.web.public.create_report.create_report", "public.create_report", "POST")
"""The view whose limits hold: its name for the limiter, its endpoint, and the method."""

_PATH = re.compile(RULE.replace("<key>", "([^/]+)"))


class Straight:
    """A Flask application, and the straight way past it."""

    def __init__(self, app: Flask) -> None:
        self.app: WSGIApplication = app.wsgi_app
        self._flask = app
        self._schema, self._key = ReportIn(), ReportKey()
        self._fixed = [*headers.of(self._parts.settings), ("Content-Type", "application/json")]
        known = self._parts.settings.hosts
        self._is_ours = lru_cache(maxsize=64)(lambda host: hosts.are_ours(host, known))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, one way or the other."""
        began = time.perf_counter()
        given = self._given(environ)
        if given is None or not self._is_allowed(environ):
            return self.app(environ, start_response)
        try:
            receipt = reports.keep(self._parts, given)
        except Exception as error:  # whatever it is, the view raises it where it is dealt with
            environ[reports.REFUSED] = error
            return self.app(environ, start_response)
        body, request_id = reports.answer(self._parts, receipt), new_id().hex
        told = [
            *self._fixed,
            ("Content-Length", str(len(body))),
            ("Vary", cors.VARY),
            *cors.allowing(environ["HTTP_ORIGIN"]),
            *reports.marks(receipt),
            (ops.REQUEST_ID, request_id),
        ]
        ops.tell(request_id, "POST", RULE, 201, began)
        start_response("201 CREATED", told)
        return [body]

    @property
    def _parts(self) -> Parts:
        return current.parts_of(self._flask)

    def _given(self, environ: WSGIEnvironment) -> Submission | None:
        """The checked report; None where there is none, or something about it is not right."""
        if environ["REQUEST_METHOD"] != "POST" or not (at := _PATH.fullmatch(environ["PATH_INFO"])):
            return None
        if environ.get("CONTENT_TYPE") != "application/json" or not self._is_plain(environ):
            return None
        try:
            site = cors.find(self._parts, at[1])
            if environ.get("HTTP_ORIGIN") not in site.origins:
                return None
            return self._submission(environ, site)
        except (Refusal, ma.ValidationError, SQLAlchemyError):
            return None

    def _submission(self, environ: WSGIEnvironment, site: Site) -> Submission | None:
        length = environ.get("CONTENT_LENGTH", "")
        if not length.isdecimal() or int(length) > bodies.BODY_LIMIT:
            return None
        raw = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(raw)
        if len(raw) < int(length):
            return None
        new = self._schema.load(bodies.parse(raw))
        key = self._key.load({"Idempotency-Key": environ.get("HTTP_IDEMPOTENCY_KEY", ma.missing)})
        parts, address = self._parts, environ.get("REMOTE_ADDR", "")
        secret, now = parts.settings.secret_key, parts.clock()
        given = Submission(site, new, key["idempotency_key"], secret, now, address)
        given.check()
        return given

    def _is_plain(self, environ: WSGIEnvironment) -> bool:
        """Whether it is for us, and says no more than what we listen to."""
        if not self._parts.settings.trusted_proxies and "HTTP_X_FORWARDED_FOR" in environ:
            return False
        return self._is_ours(environ.get("HTTP_HOST"))

    def _is_allowed(self, environ: WSGIEnvironment) -> bool:
        parts, known = self._parts, self._parts.limits.get(LIMITED)
        if known is None:
            with self._flask.app_context():
                known = limits.limiter.of(parts, *LIMITED)
        who = limits.key_of(parts, environ.get("REMOTE_ADDR", ""))
        return limits.limiter.allows(environ, known, who)
