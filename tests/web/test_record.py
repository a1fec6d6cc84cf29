from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from service.db import Database
from service.models import Site
from tests.conftest import ORIGIN, Clock
from tests.record.publishing import published

URL = "/api/v1/sites/the-daily/record"
CACHED = "public, max-age=60, stale-while-revalidate=600"


def test_record_is_cacheable_and_asked_for_by_its_tag(
    client: FlaskClient, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    published(database, site, now)
    answer = client.get(URL)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, CACHED)
    tag = {"If-None-Match": answer.headers["ETag"]}
    again = client.get(URL, headers=tag)
    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", CACHED)
    published(database, site, now, says="words")
    changed = client.get(URL, headers=tag)
    assert [item["says"] for item in changed.json["items"]] == ["words", "world"]


def test_record_of_an_article_is_asked_for_by_any_of_its_addresses(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    published(database, site, now, path="/a?page=2")
    published(database, site, now, path="/b")
    answer = client.get(
        URL, query_string={"url": "https://News.example/a?utm_source=feed&page=2#top"}
    )
    assert [item["article"]["url"] for item in answer.json["items"]] == [
        "https://news.example/a?page=2"
    ]
    assert answer.json["next"] is None
    assert answer.json["record_url"] == "https://localhost/record/the-daily"


def test_record_is_read_by_the_pages_of_the_site_alone(client: FlaskClient, site: Site) -> None:
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://other.example", None)):
        answer = client.get(URL, headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_record_is_walked_by_its_links(
    client: FlaskClient, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    for number in range(5):
        published(database, site, now + timedelta(minutes=number), says=f"words {number}")
    clock.advance(hours=1)
    seen, where = [], f"{URL}?limit=2&q="
    while where:
        answer = client.get(where)
        seen += [item["says"] for item in answer.json["items"]]
        link = answer.headers.get("Link", "")
        assert (answer.json["next"] is None) == (link == "")
        where = link.removeprefix("<").removesuffix('>; rel="next"')
    assert seen == [f"words {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "cursor=x", "month=2026", "kind=joke", "q=%00", "url=%00"]
)
def test_record_refuses_a_bad_query_by_name(client: FlaskClient, site: Site, query: str) -> None:
    answer = client.get(f"{URL}?{query}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{query.partition('=')[0]}"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_record_of_an_unknown_site_is_not_there(client: FlaskClient) -> None:
    assert client.get("/api/v1/sites/unknown/record").status_code == 404
