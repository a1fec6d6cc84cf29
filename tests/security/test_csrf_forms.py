"""Every form of our pages, made from the URL map: sent by somebody else's page, nothing happens."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from service.accounts import editors
from service.db import Database
from service.models import Editor, Role, Site
from service.web.limits import limiter
from tests.conftest import PASSWORD
from tests.security.belongings import belongings
from tests.security.tally import Tally
from tests.security.test_another_site import state
from tests.security.test_askers import address, in_order
from tests.web.test_pages import OURS, cookie_of, form_token, sign_in

# Who may send a form does not depend on the database; what forms do is tried on both elsewhere.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ROW = "CSRF"

WITHOUT_A_SESSION = {
    "pages.agree",
    "pages.forget",
    "pages.join",
    "pages.reset_password",
    "pages.send_report",
    "pages.sign_in",
    "pages.sign_in_by_code",
}
"""Forms for whoever opens them: no session to ride on, but none of them may be sent from elsewhere."""

FROM_ANYWHERE = {"pages.stop_channel", "pages.stop_mail"}
"""By the secret in its address, from a mail program too (RFC 8058); nothing rides on a cookie."""

ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://localhost"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
    {"Sec-Fetch-Site": "SAME-ORIGIN"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "https://localhost.evil.example"},
    {"Origin": "http://localhost"},
    {"Origin": "https://localhost:8443"},
]

FIELDS = {
    "to": "spam",
    "email": "mine@evil.example",
    "password": PASSWORD,
    "name": "mine",
    "note": "mine",
    "role": "admin",
    "scope": "admin",
    "code": "123456",
    "url": "https://news.example/a",
    "comment": "mine",
    "key": "mine",
    "public_note": "mine",
}


def forms(app: Flask) -> list[Rule]:
    return [
        rule
        for method, rule in in_order(app)
        if method == "POST"
        and not rule.rule.startswith("/api/")
        and rule.endpoint not in FROM_ANYWHERE
    ]


@pytest.fixture
def ids(database: Database, site: Site, admin: Editor, now: datetime) -> dict[str, str]:
    """What stands for the arguments: things that the admin may change."""
    unknown = {"token": "a" * 43, "stop_token": "a" * 43, "publication_id": str(uuid4())}
    others = {"key": site.key, "filename": "widget.js"}
    return {**belongings(database, site, now, admin), **others, **unknown}


@pytest.fixture
def outcome() -> Callable[..., int]:
    """Asks, and gives back the status: whoever asks is let ask as often as they like."""

    def outcome(client: FlaskClient, method: str, path: str, **sent: Any) -> int:
        limiter.reset()
        with client.open(path, method=method, **sent) as answer:
            return answer.status_code

    return outcome


@pytest.fixture
def colleague(database: Database, site: Site, now: datetime) -> Editor:
    with database.write() as session:
        return editors.create(
            session, "colleague@news.example", PASSWORD, site, Role.ADMIN, now=now
        )


def tokens(app: Flask, me: Editor, colleague: Editor, used: str) -> Iterator[str | None]:
    """What somebody may send as the token who does not know it."""
    yield from (
        None,
        "",
        " ",
        "null",
        "undefined",
        used[:-1],
        used + "0",
        used.swapcase(),
        used[::-1],
    )
    for other in (me, colleague):
        client = app.test_client()
        sign_in(client, other)
        yield form_token(client)
    yield cookie_of(sign_in(app.test_client(), me))


def test_every_form_is_refused_unless_our_own_page_sent_it(
    app: Flask,
    client: FlaskClient,
    database: Database,
    admin: Editor,
    ids: dict[str, str],
    outcome: Callable[..., int],
    tally: Tally,
) -> None:
    sign_in(client, admin)
    token = form_token(client)
    before = state(database)
    for rule in forms(app):
        for headers in ELSEWHERE:
            sent = {**FIELDS, "form_token": token}
            status = outcome(client, "POST", address(rule, ids), data=sent, headers=headers)
            tally.add((rule.rule, headers, status), held=status == 403)
    assert state(database) == before


def test_every_form_of_the_desk_needs_this_sessions_token(
    app: Flask,
    client: FlaskClient,
    database: Database,
    admin: Editor,
    colleague: Editor,
    ids: dict[str, str],
    outcome: Callable[..., int],
    tally: Tally,
) -> None:
    sign_in(client, admin)
    wrong = [*tokens(app, admin, colleague, form_token(client))]
    before = state(database)
    desk = [rule for rule in forms(app) if rule.endpoint not in WITHOUT_A_SESSION]
    assert len(desk) == len(forms(app)) - len(WITHOUT_A_SESSION)
    for rule in desk:
        for token in wrong:
            sent = FIELDS if token is None else {**FIELDS, "form_token": token}
            status = outcome(client, "POST", address(rule, ids), data=sent, headers=OURS)
            tally.add((rule.rule, token, status), held=status == 403)
        # In the address or a header it does not count, nor as JSON.
        token = form_token(client)
        strays: list[dict[str, Any]] = [
            {"query_string": {"form_token": token}, "data": FIELDS},
            {"data": FIELDS, "headers": {**OURS, "X-CSRF-Token": token}},
            {"json": {**FIELDS, "form_token": token}},
        ]
        for stray in strays:
            status = outcome(client, "POST", address(rule, ids), **{"headers": OURS, **stray})
            tally.add((rule.rule, stray, status), held=status == 403)
    assert state(database) == before


def test_with_its_token_each_form_is_not_refused(
    app: Flask, client: FlaskClient, admin: Editor, ids: dict[str, str], outcome: Callable[..., int]
) -> None:
    """The attacks fail for want of the token, and for nothing else."""
    for rule in forms(app):
        sign_in(client, admin)
        sent = {"form_token": form_token(client)}
        assert outcome(client, "POST", address(rule, ids), data=sent, headers=OURS) != 403, rule


def test_reading_never_changes_anything(
    app: Flask,
    client: FlaskClient,
    database: Database,
    admin: Editor,
    bearer: dict[str, str],
    ids: dict[str, str],
    outcome: Callable[..., int],
    tally: Tally,
) -> None:
    """GET, HEAD and OPTIONS of every route, with all the fields, and asking to be taken for a POST."""
    sign_in(client, admin)
    sent = {**FIELDS, "form_token": form_token(client), "_method": "POST"}
    override = {
        "X-HTTP-Method-Override": "POST",
        "X-HTTP-Method": "DELETE",
        "X-Method-Override": "PUT",
    }
    before = state(database)
    for rule in app.url_map.iter_rules():
        path = address(rule, ids)
        asking = bearer if rule.rule.startswith("/api/") else {}
        for method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            headers = {**override, **asking}
            status = outcome(client, method, path, query_string=sent, headers=headers)
            tally.add((method, rule.rule, status), held=status < 500)
        tally.add(rule.rule, held=state(database) == before)
