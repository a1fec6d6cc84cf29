from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from service.accounts import tokens
from service.db import Database
from service.dispatch import fan_out
from service.models import Delivery, DeliveryState, Site
from tests.conftest import Clock
from tests.reporting import report

Headers = dict[str, str]
HOOKS = "/api/v1/webhooks"
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def webhook(client: FlaskClient, bearer: Headers) -> dict[str, Any]:
    answer = client.post(HOOKS, json={"url": URL, "events": ["*"]}, headers=bearer)
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json
    return made


@pytest.fixture
def at(webhook: dict[str, Any]) -> str:
    return f"{HOOKS}/{webhook['id']}"


def hand_out(database: Database, clock: Clock) -> None:
    with database.write() as session:
        fan_out.fan_out(session, now=clock())


def fail_all(database: Database, clock: Clock) -> None:
    with database.write() as session:
        session.execute(
            update(Delivery).values(
                state=DeliveryState.FAILED, finished_at=clock(), attempt_count=8
            )
        )


def test_create_shows_the_secret_once(client: FlaskClient, bearer: Headers) -> None:
    answer = client.post(
        HOOKS,
        json={
            "url": URL,
            "events": ["correction.*", "ping"],
            "description": "The CMS",
            "headers": {"Authorization": "Bearer x"},
        },
        headers=bearer,
    )
    assert answer.status_code == 201
    made = answer.json
    assert made.pop("secret").startswith("whsec_")
    assert made == {
        "id": made["id"],
        "url": URL,
        "events": ["correction.*", "ping"],
        "description": "The CMS",
        "headers": {"Authorization": "…"},
        "enabled": True,
        "disabled_reason": None,
        "failing_since": None,
        "previous_secret_until": None,
        "created_at": "2026-03-01T12:00:00.000Z",
        "updated_at": "2026-03-01T12:00:00.000Z",
    }
    assert answer.headers["Location"] == f"{HOOKS}/{made['id']}"
    assert client.get(f"{HOOKS}/{made['id']}", headers=bearer).json == made
    assert client.get(HOOKS, headers=bearer).json == {"items": [made]}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"events": ["*"]}, "/url"),
        ({"url": ""}, "/url"),
        ({"url": 5}, "/url"),
        ({"url": "http://169.254.169.254/latest"}, "/url"),
        ({"url": "http://[::1]/"}, "/url"),
        ({"url": "http://[::ffff:127.0.0.1]/"}, "/url"),
        ({"url": "http://2130706433/"}, "/url"),
        ({"url": "http://10.0.0.1/"}, "/url"),
        ({"url": "https://8.8.8.8:8443/"}, "/url"),
        ({"url": "https://user@hooks.example/"}, "/url"),
        ({"url": "ftp://hooks.example/"}, "/url"),
        ({"url": "javascript:alert(1)"}, "/url"),
        ({"url": URL, "events": []}, "/events"),
        ({"url": URL, "events": ["correction.eaten"]}, "/events/0"),
        ({"url": URL, "events": ["*", "correction"]}, "/events/1"),
        ({"url": URL, "headers": {"webhook-id": "x"}}, "/headers/webhook-id"),
        ({"url": URL, "headers": {"Host": "x"}}, "/headers/Host"),
        ({"url": URL, "headers": {"Content-Length": "0"}}, "/headers/Content-Length"),
        ({"url": URL, "headers": {"X-A": "b\r\nX-C: d"}}, "/headers/X-A"),
        ({"url": URL, "headers": {"X A": "b"}}, "/headers/X A"),
        ({"url": URL, "secret": "whsec_mine"}, "/secret"),
    ],
)
def test_create_bad_field(
    client: FlaskClient, bearer: Headers, body: dict[str, Any], pointer: str
) -> None:
    answer = client.post(HOOKS, json=body, headers=bearer)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"].startswith(pointer)
    assert client.get(HOOKS, headers=bearer).json == {"items": []}


def test_change_only_what_is_given(
    client: FlaskClient, bearer: Headers, webhook: dict[str, Any], at: str, clock: Clock
) -> None:
    clock.advance(minutes=1)
    webhook.pop("secret")
    changed = {"events": ["correction.fixed"], "description": "Only fixes"}
    answer = client.patch(at, json=changed, headers=bearer)
    assert answer.status_code == 200
    assert answer.json == {**webhook, **changed, "updated_at": "2026-03-01T12:01:00.000Z"}
    answer = client.patch(at, json={"url": "http://10.0.0.1/"}, headers=bearer)
    assert answer.status_code == 422
    assert client.get(at, headers=bearer).json["url"] == URL


def test_change_disabling_fails_what_waits(
    client: FlaskClient, bearer: Headers, at: str, database: Database, site: Site, clock: Clock
) -> None:
    report(database, site, clock())
    hand_out(database, clock)
    assert client.patch(at, json={"enabled": False}, headers=bearer).json["enabled"] is False
    items = client.get(f"{at}/deliveries", headers=bearer).json["items"]
    assert [(item["type"], item["state"], item["next_attempt_at"]) for item in items] == [
        ("correction.created", "failed", None),
        ("report.created", "failed", None),
    ]
    for path in ("/ping", "/redeliver", "/replay"):
        answer = client.post(at + path, json={"since": "2026-03-01T00:00:00Z"}, headers=bearer)
        assert answer.status_code == 409
    delivery = f"/api/v1/deliveries/{items[0]['id']}/redeliver"
    assert client.post(delivery, headers=bearer).status_code == 409
    assert client.patch(at, json={"enabled": True}, headers=bearer).json["disabled_reason"] is None
    assert client.post(delivery, headers=bearer).json["state"] == "pending"


def test_delete_takes_deliveries_and_pings_along(
    client: FlaskClient, bearer: Headers, at: str, database: Database, site: Site, clock: Clock
) -> None:
    report(database, site, clock())
    hand_out(database, clock)
    client.post(f"{at}/ping", headers=bearer)
    assert client.delete(at, headers=bearer).status_code == 204
    assert client.get(at, headers=bearer).status_code == 404
    assert client.get(HOOKS, headers=bearer).json == {"items": []}


def test_ping_is_queued_at_once(client: FlaskClient, bearer: Headers, at: str) -> None:
    answer = client.post(f"{at}/ping", headers=bearer)
    assert answer.status_code == 202
    assert (answer.json["type"], answer.json["state"]) == ("ping", "pending")
    assert client.get(f"{at}/deliveries", headers=bearer).json["items"] == [answer.json]


def test_rotate_secret_shows_another(
    client: FlaskClient, bearer: Headers, webhook: dict[str, Any], at: str
) -> None:
    answer = client.post(f"{at}/rotate-secret", headers=bearer)
    assert answer.status_code == 200
    assert answer.json["secret"].startswith("whsec_")
    assert answer.json["secret"] != webhook["secret"]
    assert answer.json["previous_secret_until"] == "2026-03-02T12:00:00.000Z"


def test_deliveries_are_walked_by_cursor(
    client: FlaskClient, bearer: Headers, at: str, database: Database, site: Site, clock: Clock
) -> None:
    for word in "abc":
        report(database, site, clock(), exact=word, start=None)
    hand_out(database, clock)
    seen, url = [], f"{at}/deliveries?limit=4"
    while url:
        answer = client.get(url, headers=bearer)
        seen += [item["id"] for item in answer.json["items"]]
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next"] is None)
        url = link.partition(">")[0][1:] if link else ""
    assert len(set(seen)) == 6
    assert seen == sorted(seen, reverse=True)
    fail_all(database, clock)
    assert len(client.get(f"{at}/deliveries?state=failed", headers=bearer).json["items"]) == 6
    assert client.get(f"{at}/deliveries?state=pending", headers=bearer).json["items"] == []
    for query in ("limit=0", "limit=201", "limit=x", "cursor=x", "state=x"):
        assert client.get(f"{at}/deliveries?{query}", headers=bearer).status_code == 422


def test_redeliver_all_failed_since(
    client: FlaskClient, bearer: Headers, at: str, database: Database, site: Site, clock: Clock
) -> None:
    report(database, site, clock())
    hand_out(database, clock)
    fail_all(database, clock)
    later = (clock() + timedelta(seconds=1)).isoformat()
    counts = [
        client.post(f"{at}/redeliver", json={"since": since}, headers=bearer).json["count"]
        for since in (later, clock().isoformat(), clock().isoformat())
    ]
    assert counts == [0, 2, 0]
    items = client.get(f"{at}/deliveries?state=pending", headers=bearer).json["items"]
    assert [item["attempt_count"] for item in items] == [0, 0]
    extremes = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
    for since in (None, "yesterday", "2026-03-01T12:00:00", 5, *extremes):
        for path in ("redeliver", "replay"):
            answer = client.post(f"{at}/{path}", json={"since": since}, headers=bearer)
            assert answer.status_code == 422


def test_replay_to_a_new_endpoint(
    client: FlaskClient, bearer: Headers, database: Database, site: Site, clock: Clock
) -> None:
    report(database, site, clock(), exact="old", start=None)
    clock.advance(days=1)
    report(database, site, clock(), exact="new", start=None)
    hand_out(database, clock)
    wanted = {"url": URL, "events": ["correction.*"]}
    at = f"{HOOKS}/{client.post(HOOKS, json=wanted, headers=bearer).json['id']}"
    client.post(f"{at}/ping", headers=bearer)
    counts = [
        client.post(f"{at}/replay", json={"since": since}, headers=bearer).json["count"]
        for since in ("2026-03-02T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z")
    ]
    assert counts == [1, 1, 0]


def test_other_site_sees_nothing(
    client: FlaskClient, bearer: Headers, other_bearer: Headers, webhook: dict[str, Any], at: str
) -> None:
    delivery = client.post(f"{at}/ping", headers=bearer).json["id"]
    since = {"since": "2026-03-01T00:00:00Z"}
    answers = [
        client.get(at, headers=other_bearer),
        client.patch(at, json={"enabled": False}, headers=other_bearer),
        client.delete(at, headers=other_bearer),
        client.post(f"{at}/ping", headers=other_bearer),
        client.post(f"{at}/rotate-secret", headers=other_bearer),
        client.get(f"{at}/deliveries", headers=other_bearer),
        client.post(f"{at}/redeliver", json=since, headers=other_bearer),
        client.post(f"{at}/replay", json=since, headers=other_bearer),
        client.post(f"/api/v1/deliveries/{delivery}/redeliver", headers=other_bearer),
        client.post(f"/api/v1/deliveries/{uuid4()}/redeliver", headers=bearer),
    ]
    assert [answer.status_code for answer in answers] == [404] * 10
    assert client.get(HOOKS, headers=other_bearer).json == {"items": []}
    webhook.pop("secret")
    assert client.get(at, headers=bearer).json == webhook


def test_scopes(client: FlaskClient, database: Database, site: Site, at: str, clock: Clock) -> None:
    def scoped(scope: str) -> Headers:
        with database.write() as session:
            _, secret = tokens.create(session, site, [scope], now=clock())
        return {"Authorization": f"Bearer {secret}"}

    reading, reviewing = scoped("read"), scoped("review")
    assert client.get(at).status_code == 401
    assert client.get(at, headers=reviewing).status_code == 403
    assert client.get(at, headers=reading).status_code == 200
    assert client.get(f"{at}/deliveries", headers=reading).status_code == 200
    assert client.post(HOOKS, json={"url": URL}, headers=reading).status_code == 403
    for method, path in (
        ("patch", ""),
        ("delete", ""),
        ("post", "/ping"),
        ("post", "/rotate-secret"),
    ):
        answer = client.open(at + path, method=method.upper(), json={}, headers=reading)
        assert answer.status_code == 403


def test_openapi_names_every_route(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]
    assert {path: sorted(set(item) - {"parameters"}) for path, item in paths.items() if "webhook" in path or "deliver" in path} == {
        "/api/v1/webhooks": ["get", "post"],
        "/api/v1/webhooks/{webhook_id}": ["delete", "get", "patch"],
        "/api/v1/webhooks/{webhook_id}/ping": ["post"],
        "/api/v1/webhooks/{webhook_id}/rotate-secret": ["post"],
        "/api/v1/webhooks/{webhook_id}/deliveries": ["get"],
        "/api/v1/webhooks/{webhook_id}/redeliver": ["post"],
        "/api/v1/webhooks/{webhook_id}/replay": ["post"],
        "/api/v1/deliveries/{delivery_id}/redeliver": ["post"],
    }  # fmt: skip
