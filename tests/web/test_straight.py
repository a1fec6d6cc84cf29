"""Reports past Flask: the same answers, the same rules, and back to it where something is wrong."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from service.app import create_app
from service.db import Database
from service.models import Report, Site
from service.settings import Settings
from service.web import limits, metrics
from service.web.straight import LIMITED, RULE, Straight
from tests.conftest import ORIGIN, Clock
from tests.web.test_public import body, post


@pytest.fixture
def whole(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of requests that went the whole way."""
    way, gone = app.wsgi_app, list[str]()
    assert isinstance(way, Straight)
    through = way.app

    def seen(environ: Any, start_response: Any) -> Any:
        gone.append(environ["PATH_INFO"])
        return through(environ, start_response)

    monkeypatch.setattr(way, "app", seen)
    return gone


@pytest.fixture
def roundabout(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A client all of whose requests go the whole way."""
    way = app.wsgi_app
    assert isinstance(way, Straight)
    other = Flask("other")
    monkeypatch.setattr(other, "wsgi_app", way.app)
    return other.test_client()


def test_right_report_goes_straight(client: FlaskClient, site: Site, whole: list[str]) -> None:
    assert post(client, site, body()).status_code == 201
    assert whole == []


def test_both_ways_answer_alike(
    client: FlaskClient, roundabout: FlaskClient, site: Site, whole: list[str]
) -> None:
    straight, around = (post(each, site, body()) for each in (client, roundabout))
    assert straight.json == around.json
    assert straight.json["receipt_url"].startswith("https://")
    named = [
        {name: value for name, value in each.headers if name != "X-Request-Id"}
        for each in (straight, around)
    ]
    assert named[1].pop("Idempotent-Replayed") == "true"
    assert named[0] == named[1]
    assert len(straight.headers) == len(around.headers) - 1
    assert post(client, site, body()).headers["Idempotent-Replayed"] == "true"
    assert whole == []


WRONG: dict[str, tuple[dict[str, Any], int]] = {
    "no origin": ({"headers": {"Origin": None}}, 403),
    "a foreign origin": ({"headers": {"Origin": "https://other.example"}}, 403),
    "no key": ({"headers": {"Idempotency-Key": None}}, 422),
    "a key of spaces": ({"headers": {"Idempotency-Key": "a b"}}, 422),
    "another media type": ({"content_type": "text/plain"}, 415),
    "no JSON": ({"data": b"{"}, 400),
    "a list": ({"data": b"[]"}, 422),
    "an unknown field": ({"json": body(other=1)}, 422),
    "no comment and no suggestion": ({"json": body(suggestion=...)}, 422),
    "somebody else's article": (
        {"json": body(target={"source": "https://x.example/", "canonical": None})},
        422,
    ),
    "too large": ({"data": b" " * 70_000}, 413),
    "an unknown site": ({"path": "/api/v1/sites/none/reports"}, 404),
    "a foreign host": ({"headers": {"Host": "evil.example"}}, 400),
    "another method": ({"method": "PUT"}, 405),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_goes_the_whole_way(
    client: FlaskClient,
    roundabout: FlaskClient,
    site: Site,
    database: Database,
    whole: list[str],
    wrong: str,
) -> None:
    change, status = WRONG[wrong]
    headers = {"Origin": ORIGIN, "Idempotency-Key": "k", **change.get("headers", {})}
    sent: dict[str, Any] = {
        "path": f"/api/v1/sites/{site.key}/reports",
        "method": "POST",
        "data": None,
        "json": None if "data" in change else body(),
        "content_type": "application/json",
        **change,
        "headers": {name: value for name, value in headers.items() if value is not None},
    }
    answers = [each.open(**sent) for each in (client, roundabout)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert answers[0].get_data() == answers[1].get_data()
    assert whole == [sent["path"]]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Report)) == 0


def test_forwarded_address_without_proxies_is_looked_at_by_flask(
    client: FlaskClient, site: Site, whole: list[str]
) -> None:
    sent = post(client, site, body(), **{"X-Forwarded-For": "203.0.113.7"})
    assert (sent.status_code, len(whole)) == (201, 1)


def limited(settings: Settings, database: Database, clock: Clock, said: str) -> FlaskClient:
    tight = replace(settings, report_limits=said, public_url="https://localhost")
    return create_app(tight, database, clock=clock).test_client()


def test_each_report_counts_once(
    settings: Settings, database: Database, clock: Clock, site: Site
) -> None:
    client = limited(settings, database, clock, "4/minute")
    sent = [body(), body(other=1), body(), body(suggestion=...), body()]
    statuses = [
        post(client, site, each, key=str(number)).status_code for number, each in enumerate(sent)
    ]
    assert statuses == [201, 422, 201, 422, 429]


def test_what_one_limit_refuses_the_others_count_once(
    settings: Settings, database: Database, clock: Clock, site: Site
) -> None:
    client = limited(settings, database, clock, "9/minute;2/hour")
    statuses = [post(client, site, body(), key=key).status_code for key in "abcd"]
    assert statuses == [201, 201, 429, 429]
    shortest, *_ = limits.limiter.of(client.application.extensions["corrigenda"], *LIMITED)
    with client.application.app_context():
        who = limits.key_of(client.application.extensions["corrigenda"], "127.0.0.1")
    store: Any = limits.limiter.storage
    counted = store.get_moving_window(shortest.name_of(who), shortest.most, shortest.seconds)
    assert counted[1] == 4


@pytest.mark.parametrize(
    ("error", "status"),
    [(OperationalError("INSERT", {}, Exception("disk I/O error")), 503), (ValueError("bug"), 500)],
)
def test_what_goes_wrong_is_tried_once_and_told(
    client: FlaskClient,
    site: Site,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    tried = []

    def fail(*given: object) -> None:
        tried.append(given)
        raise error

    monkeypatch.setattr(database, "write_together", fail)
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    answer = post(client, site, body())
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert len(tried) == 1


def test_refused_one_is_tried_once(
    client: FlaskClient, site: Site, whole: list[str], database: Database
) -> None:
    post(client, site, body())
    refused = post(client, site, body(suggestion="other"))
    assert (refused.status_code, refused.json["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(whole) == 1


def test_database_that_is_gone_is_told_by_flask(
    client: FlaskClient, site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(database, "read", gone)
    assert post(client, site, body()).status_code == 503


def test_straight_ones_are_logged_and_counted(
    client: FlaskClient, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    def count() -> float:
        labels = {"route": RULE, "status": "201"}
        return metrics._own.get_sample_value("corrigenda_answers_total", labels) or 0

    before = count()
    caplog.set_level(logging.INFO, "service.requests")
    answer = post(client, site, body())
    [record] = [record for record in caplog.records if record.name == "service.requests"]
    assert record.getMessage() == f"POST {RULE} 201"
    assert record.__dict__["fields"]["request_id"] == answer.headers["X-Request-Id"]
    assert count() == before + 1


def test_path_and_view_are_the_applications_own(app: Flask) -> None:
    [rule] = [each for each in app.url_map.iter_rules() if each.endpoint == LIMITED[1]]
    assert rule.rule == RULE
    assert LIMITED[2] in (rule.methods or ())
