from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.accounts import tokens
from service.db import Database
from service.models import Article, Site
from service.web.bodies import ARTICLE_LIMIT
from tests.conftest import ORIGIN
from tests.reporting import report

PAGE = (
    "<html><body><nav>Home</nav><article><h1>Buses</h1>"
    "<p>Passengers will {} the night service at no cost.</p></article></body></html>"
)
ZEROS = {"kept": 0, "moved": 0, "changed": 0, "orphaned": 0, "fixed": [], "reopened": []}


def put(client: FlaskClient, headers: dict[str, str], **sent: Any) -> Any:
    return client.put("/api/v1/articles", json={"url": f"{ORIGIN}/a", **sent}, headers=headers)


def test_pushed_page_fixes_what_is_corrected_in_it(
    client: FlaskClient, database: Database, site: Site, bearer: dict[str, str], now: datetime
) -> None:
    correction_id = report(
        database, site, now, exact="recieve", suggestion="receive", start=23,
        prefix="Buses\n\nPassengers will ", suffix=" the night service at no cost.",
    )  # fmt: skip
    first = put(client, bearer, html=PAGE.format("recieve"))
    assert (first.status_code, first.json) == (200, {"revision": 1, **ZEROS, "kept": 1})
    second = put(client, bearer, html=PAGE.format("receive"), title="Buses", published_at=None)
    assert second.json == {"revision": 2, **ZEROS, "fixed": [str(correction_id)]}
    again = put(
        client, bearer, text="Buses\r\n\r\nPassengers will receive the night service at no cost.\n"
    )
    assert again.json == {"revision": 2, **ZEROS}


def test_section_and_tags_are_kept_until_others_come(
    client: FlaskClient, database: Database, site: Site, bearer: dict[str, str]
) -> None:
    def filed() -> tuple[str | None, list[str]]:
        with database.read() as session:
            article = session.scalars(select(Article)).one()
            return article.section, article.tags

    url = f"{ORIGIN}/city%20life/a"
    put(client, bearer, url=url, text="a")
    assert filed() == ("city life", [])
    put(client, bearer, url=url, text="a", section=" Town ", tags=["buses", "night"])
    assert filed() == ("Town", ["buses", "night"])
    put(client, bearer, url=url, text="b")
    assert filed() == ("Town", ["buses", "night"])


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({}, "/html"),
        ({"html": "<p>a", "text": "a"}, "/html"),
        ({"text": "a\x00b"}, "/text"),
        ({"text": "a", "url": "https://foreign.example/a"}, "/url"),
        ({"text": "a", "url": "javascript:alert(1)"}, "/url"),
        ({"text": "a", "published_at": "yesterday"}, "/published_at"),
        ({"text": "a", "published_at": "9999-12-31T23:59:59-23:59"}, "/published_at"),
        ({"text": "a", "published_at": "0001-01-01T00:00:00+23:59"}, "/published_at"),
        ({"text": 1}, "/text"),
        ({"text": "a", "section": "s" * 101}, "/section"),
        ({"text": "a", "tags": ["", "a"]}, "/tags/0"),
    ],
)
def test_bad_article_is_refused_by_name(
    client: FlaskClient, site: Site, bearer: dict[str, str], sent: Any, pointer: str
) -> None:
    answer = put(client, bearer, **sent)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_article_may_be_larger_than_other_bodies_but_not_endless(
    client: FlaskClient, site: Site, bearer: dict[str, str]
) -> None:
    assert put(client, bearer, text="word " * 200_000).status_code == 200
    refused = put(client, bearer, text="a" * ARTICLE_LIMIT)
    assert (refused.status_code, refused.json["detail"]) == (
        413,
        "This body may have at most 2,048 KiB.",
    )
    other = client.post(
        "/api/v1/corrections/moves", json={"ids": ["a" * 70_000], "to": "spam"}, headers=bearer
    )
    assert (other.status_code, other.json["detail"]) == (413, "This body may have at most 64 KiB.")


def test_push_needs_its_scope(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    with database.write() as session:
        _, secret = tokens.create(session, site, ["read", "review", "admin"], now=now)
    assert put(client, {}, text="a").status_code == 401
    assert put(client, {"Authorization": f"Bearer {secret}"}, text="a").status_code == 403


def test_push_of_another_site_is_another_article(
    client: FlaskClient,
    database: Database,
    site: Site,
    other_bearer: dict[str, str],
    now: datetime,
) -> None:
    report(database, site, now)
    assert put(client, other_bearer, text="hello world text").status_code == 422
