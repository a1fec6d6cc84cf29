from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.db import Database
from service.models import Site, SupportCount
from tests.conftest import ORIGIN
from tests.support.conftest import text

Headers = dict[str, str]


def body(**changed: Any) -> dict[str, Any]:
    return {"name": "Autumn", "variants": [{"key": "a", "texts": {"en": text()}}], **changed}


def put(client: FlaskClient, bearer: Headers, sent: Any, key: str = "autumn", **more: str) -> Any:
    return client.put(f"/api/v1/campaigns/{key}", json=sent, headers={**bearer, **more})


def note(client: FlaskClient, site: Site, **changed: Any) -> Any:
    sent = {"campaign": "autumn", "variant": "a", "kind": "view", **changed}
    return client.post(
        f"/api/v1/sites/{site.key}/support-events", json=sent, headers={"Origin": ORIGIN}
    )


def test_campaign_comes_back_as_it_went_in(client: FlaskClient, bearer: Headers) -> None:
    answer = put(client, bearer, body(sections=["Sport"], ends_at="2026-12-01T00:00:00+02:00"))
    assert answer.status_code == 200
    assert answer.json == {
        "key": "autumn",
        "version": 1,
        "name": "Autumn",
        "enabled": True,
        "starts_at": None,
        "ends_at": "2026-11-30T22:00:00.000Z",
        "places": ["block", "thanks"],
        "sections": ["sport"],
        "tags": [],
        "languages": [],
        "after_articles": 0,
        "max_views": 0,
        "period_days": 30,
        "quiet_days": 30,
        "image_url": None,
        "link_parameters": "",
        "variants": [{"key": "a", "weight": 1, "texts": {"en": text()}}],
        "created_at": "2026-03-01T12:00:00.000Z",
        "updated_at": "2026-03-01T12:00:00.000Z",
    }
    one = client.get("/api/v1/campaigns/autumn", headers=bearer)
    assert (one.json, one.headers["ETag"]) == (answer.json, '"1"')
    assert client.get("/api/v1/campaigns", headers=bearer).json == {"items": [answer.json]}


def test_stale_campaign_is_refused(client: FlaskClient, bearer: Headers) -> None:
    put(client, bearer, body())
    changed = put(client, bearer, body(name="Mine"), **{"If-Match": '"1"'})
    stale = put(client, bearer, body(name="Theirs"), **{"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert (stale.status_code, stale.json["type"].rpartition("/")[2]) == (412, "stale-version")
    assert client.get("/api/v1/campaigns/autumn", headers=bearer).json["name"] == "Mine"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"variants": [{"key": "a", "texts": {"uk": text()}}]}, "/variants/0/texts/en"),
        ({"ends_at": "tomorrow"}, "/ends_at"),
        ({"starts_at": "2026-03-01T00:00:00"}, "/starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+23:59"}, "/starts_at"),
        ({"ends_at": "9999-12-31T23:59:59Z"}, "/ends_at"),
        ({"places": ["popup"]}, "/places/0"),
        ({"period_days": 0}, "/period_days"),
        ({"image_url": "javascript:alert(1)"}, "/image_url"),
    ],
)
def test_faults_are_told_at_their_fields(
    client: FlaskClient, bearer: Headers, changed: dict[str, Any], pointer: str
) -> None:
    answer = put(client, bearer, body(**changed))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert client.get("/api/v1/campaigns", headers=bearer).json == {"items": []}


def test_removed_campaign_is_gone_with_its_counts(
    client: FlaskClient, database: Database, site: Site, bearer: Headers
) -> None:
    put(client, bearer, body())
    assert note(client, site).status_code == 204
    assert client.delete("/api/v1/campaigns/autumn", headers=bearer).status_code == 204
    assert client.get("/api/v1/campaigns/autumn", headers=bearer).status_code == 404
    with database.read() as session:
        assert session.scalars(select(SupportCount.total)).all() == []


def test_events_at_once_are_all_counted(
    app: Flask, client: FlaskClient, database: Database, site: Site, bearer: Headers
) -> None:
    put(client, bearer, body())
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: note(app.test_client(), site).status_code, range(50))
        assert set(answers) == {204}
    with database.read() as session:
        assert session.scalars(select(SupportCount.total)).all() == [50]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"campaign": "winter"}, 404),
        ({"variant": "z"}, 422),
        ({"place": "bar"}, 422),
        ({"kind": "buy"}, 422),
        ({"reader": "somebody"}, 422),
    ],
)
def test_forged_event_counts_nothing(
    client: FlaskClient,
    database: Database,
    site: Site,
    bearer: Headers,
    changed: dict[str, Any],
    status: int,
) -> None:
    put(client, bearer, body())
    assert note(client, site, **changed).status_code == status
    with database.read() as session:
        assert session.scalars(select(SupportCount.total)).all() == []


def test_events_of_one_address_are_limited(
    client: FlaskClient, database: Database, site: Site, bearer: Headers
) -> None:
    put(client, bearer, body())
    answers = [note(client, site) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [204] * 60 + [429]
    assert int(answers[-1].headers["Retry-After"]) in range(1, 61)
    with database.read() as session:
        assert session.scalars(select(SupportCount.total)).all() == [60]


def test_widget_gets_the_ask_for_its_thanks(
    client: FlaskClient, site: Site, bearer: Headers
) -> None:
    address = f"/api/v1/sites/{site.key}/widget?locale=en"
    assert client.get(address).json["campaign"] is None
    put(client, bearer, body(places=["block"]), key="elsewhere")
    assert client.get(address).json["campaign"] is None
    put(client, bearer, body(places=["thanks"]), key="here")
    campaign = client.get(address).json["campaign"]
    assert (campaign["key"], campaign["variants"][0]["title"]) == ("here", text()["title"])
