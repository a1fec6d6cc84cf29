"""The application, wired: nothing is decided here."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import flask_smorest
from flask import Flask, Request, Response
from flask.sessions import SessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from service import __version__
from service.db import Database
from service.settings import Settings
from service.web import (
    articles,
    assets,
    campaigns,
    compression,
    cors,
    current,
    editors,
    exports,
    headers,
    hosts,
    languages,
    limits,
    metrics,
    ops,
    pages,
    problems,
    public,
    publications,
    record,
    reference,
    statistics,
    webhooks,
)
from service.web.bodies import set_limit
from service.web.schemas import ProblemOut
from service.web.straight import Straight


class Api(flask_smorest.Api):  # type: ignore[misc] # it has no types
    """flask-smorest's OpenAPI document, with our problems in it instead of its own errors."""

    ERROR_SCHEMA = ProblemOut

    def _register_error_handlers(self) -> None:
        """Leave errors to `problems`."""

    def _register_responses(self) -> None:
        # Only refusals are registered here; they have a media type of their own.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = problems.MEDIA_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE


class NoSessions(SessionInterface):
    """Editors' cookies are read where they are asked for; Flask's own session holds nothing."""

    def open_session(self, app: Flask, request: Request) -> None:
        """No session: what is written to the one that stands in for it raises RuntimeError."""


class Application(Flask):
    """Flask for plain functions: it need not ask of each, at every call, whether it is one."""

    session_interface = NoSessions()

    def send_static_file(self, filename: str) -> Response:
        """A built file; raises NotFound."""
        return assets.answer(assets.find(str(self.static_folder), filename))

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: none here is a coroutine."""
        return func


def utc_now() -> datetime:
    """This instant."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    database: Database,
    *,
    clock: Callable[[], datetime] = utc_now,
    on_event: Callable[[], None] = lambda: None,
) -> Flask:
    """The WSGI application for these settings and this database."""
    app = Application(
        "service",
        static_folder=str(static_folder()),
        static_url_path="/static",
        template_folder="web/templates",
    )
    app.config.update(
        API_TITLE="Corrigenda",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS=_spec_options(),
        SECRET_KEY=settings.secret_key,
    )
    app.extensions[current.NAME] = current.Parts(database, settings, clock, on_event)
    app.wsgi_app = Straight(app)  # type: ignore[method-assign] # Flask's own way to wrap it
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign] # Flask's own way to wrap it
    ops.register(app)
    hosts.register(app, settings)
    app.before_request(set_limit)
    problems.register(app)
    headers.register(app, settings)
    cors.register(app)
    assets.register(app)
    compression.register(app)
    limits.register(app, settings)
    languages.register(app)
    api = Api(app)
    for blueprint in (
        public.blueprint,
        record.blueprint,
        editors.blueprint,
        exports.blueprint,
        publications.blueprint,
        articles.blueprint,
        campaigns.blueprint,
        statistics.blueprint,
        webhooks.blueprint,
    ):
        api.register_blueprint(blueprint)
    app.register_blueprint(ops.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(reference.blueprint)
    pages.register(app)
    app.extensions["openapi"] = api
    return app


def static_folder() -> Path:
    """Where the widget's built files are: in the wheel, else beside the package in a checkout."""
    packaged = Path(str(resources.files("service"))) / "static"
    return packaged if packaged.is_dir() else packaged.parent.parent / "static"


def _spec_options() -> dict[str, Any]:
    return {
        "info": {
            "description": "Readers report, editors decide, newsrooms hear of it.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }
