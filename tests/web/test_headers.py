"""The headers of every route, as a table: a new route has to be put in it."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.db import Database
from service.models import Editor, Site
from service.settings import Settings
from tests.reporting import report
from tests.web.test_pages import OURS, form_token, sign_in

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types corrigenda"
)
EVERYWHERE = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
NO_STORE = "no-store"
# What differs, by endpoint: caching, and any other header.
RECORD = "public, max-age=60, stale-while-revalidate=600"
CACHED = {
    "public.places_script": "public, max-age=300",
    "public.widget": "public, max-age=300",
    "pages.atom": RECORD,
    "pages.json_feed": RECORD,
    "pages.record": RECORD,
    "pages.sitemap": RECORD,
    "record.record": RECORD,
    "static": "no-cache",
}
DIFFERENT: dict[str, dict[str, str]] = {
    "static": {"Cross-Origin-Resource-Policy": "cross-origin"},
    "pages.receipt": {"Referrer-Policy": "no-referrer"},
    "pages.report_sent": {"Referrer-Policy": "no-referrer"},
    "pages.mail": {"Referrer-Policy": "no-referrer"},
    "pages.agree": {"Referrer-Policy": "no-referrer"},
    "pages.ask_to_stop_mail": {"Referrer-Policy": "no-referrer"},
    "pages.stop_mail": {"Referrer-Policy": "no-referrer"},
    "pages.atom": {"Cross-Origin-Resource-Policy": "cross-origin"},
    "pages.json_feed": {"Cross-Origin-Resource-Policy": "cross-origin"},
    "pages.sitemap": {"Cross-Origin-Resource-Policy": "cross-origin"},
}
VALUES = {
    "path:filename": "widget.js",
    "key": "the-daily",
    "campaign_key": "none",
    "token": "unknown",
    "stop_token": "unknown",
}
REVEALING = {"Server", "X-Powered-By", "Via", "X-AspNet-Version", "X-Runtime"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """No header depends on the database."""
    return sqlite_url


def paths(app: Flask, correction_id: UUID) -> list[tuple[str, str, str]]:
    """Endpoint, method, path: once for each method of each route."""
    found = []
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for name, value in VALUES.items():
            path = path.replace(f"<{name}>", value)
        for name in rule.arguments:
            path = path.replace(f"<uuid:{name}>", str(correction_id))
        assert "<" not in path, f"say what stands for the arguments of {rule.rule}"
        found += [
            (rule.endpoint, method, path)
            for method in sorted((rule.methods or set()) - {"OPTIONS"})
        ]
    return found


@pytest.fixture
def correction_id(database: Database, site: Site, now: datetime) -> UUID:
    return report(database, site, now)


@pytest.mark.parametrize("who", ["stranger", "editor", "token"])
def test_every_route_carries_the_same_headers(
    app: Flask,
    client: FlaskClient,
    editor: Editor,
    bearer: dict[str, str],
    correction_id: UUID,
    who: str,
) -> None:
    if who == "editor":
        sign_in(client, editor)
    for endpoint, method, path in paths(app, correction_id):
        if endpoint == "pages.logout":
            continue
        answer = client.open(path, method=method, headers=bearer if who == "token" else {})
        shown = {name: answer.headers.get(name) for name in EVERYWHERE}
        is_refused = answer.status_code >= 400
        different = {} if is_refused and endpoint != "static" else DIFFERENT.get(endpoint, {})
        assert (endpoint, shown) == (endpoint, {**EVERYWHERE, **different})
        cached = NO_STORE if is_refused else CACHED.get(endpoint, NO_STORE)
        assert (endpoint, method, answer.headers["Cache-Control"]) == (endpoint, method, cached)
        assert not REVEALING & {name for name, _ in answer.headers}
        assert "Access-Control-Allow-Credentials" not in answer.headers
        answer.close()


def test_no_route_but_the_sign_in_sets_a_cookie(
    app: Flask, client: FlaskClient, editor: Editor, correction_id: UUID
) -> None:
    for endpoint, method, path in paths(app, correction_id):
        answer = app.test_client().open(path, method=method)
        assert (endpoint, answer.headers.getlist("Set-Cookie")) == (endpoint, [])
        answer.close()
    names = [
        each.partition("=")[0] for each in sign_in(client, editor).headers.getlist("Set-Cookie")
    ]
    assert names == ["__Host-corrigenda", "__Host-corrigenda-known"]
    ended = client.post("/logout", data={"form_token": form_token(client)}, headers=OURS)
    assert "Max-Age=0" in ended.headers["Set-Cookie"]


def test_what_is_not_there_carries_them_too(client: FlaskClient) -> None:
    for path in ("/nothing", "/api/v1/nothing", "/static/nothing", "/review/nothing"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert {**EVERYWHERE, **{name: answer.headers.get(name) for name in EVERYWHERE}} == {
            **EVERYWHERE,
            **(DIFFERENT["static"] if path.startswith("/static/") else {}),
        }
        assert answer.headers["Cache-Control"] == NO_STORE


def test_problem_of_an_unexpected_error_carries_them_too(
    settings: Settings, database: Database
) -> None:
    app = create_app(replace(settings, public_url="https://localhost"), database)
    app.add_url_rule("/breaks", view_func=lambda: 1 / 0)
    answer = app.test_client().get("/breaks")
    assert (answer.status_code, answer.json["title"]) == (500, "Internal Server Error")
    assert "division" not in answer.text
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
