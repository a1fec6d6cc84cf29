"""The record's page and permalinks."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from service.accounts import sites
from service.db import Database
from service.models import Kind, Site
from service.record import publications
from tests.conftest import Clock
from tests.record.publishing import published
from tests.record.vocabulary import check

HOME = "/record/the-daily"
CACHED = "public, max-age=60, stale-while-revalidate=600"


def page(client: FlaskClient, path: str = HOME, **query: str) -> LexborHTMLParser:
    answer = client.get(path, query_string=query or None)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.headers["Cache-Control"] == CACHED
    assert answer.headers.getlist("Set-Cookie") == []
    return LexborHTMLParser(answer.text)


def texts(found: LexborHTMLParser, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in found.css(selector)]


def json_ld(found: LexborHTMLParser) -> Any:
    [script] = found.css("script")
    assert script.attributes == {"type": "application/ld+json"}
    return json.loads(script.text())


def test_page_tells_what_it_said_and_says(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    published(
        database, site, now, said="the wrold is round", says="the world is round",
        note="A slip of the keyboard.", thanks="a reader in Kyiv",
    )  # fmt: skip
    found = page(client)
    assert texts(found, "dt") == ["It said", "It says now"]
    assert texts(found, "dd") == ["the wrold is round", "the world is round"]
    assert (texts(found, "del"), texts(found, "ins")) == (["wrold"], ["world"])
    assert texts(found, ".kind, .entry h2, .note, .thanks, .entry time") == [
        "Correction",
        "The bus is late",
        "A slip of the keyboard.",
        "Thanks: a reader in Kyiv",
        "March 1, 2026",
    ]
    link = found.css_first(".entry h2 a")
    assert link is not None
    assert link.attributes["href"] == "https://news.example/a"


def test_page_of_an_empty_record_says_so(client: FlaskClient, site: Site) -> None:
    found = page(client)
    assert texts(found, ".empty") == ["Nothing has been corrected yet."]
    assert found.css("form") == []
    assert found.css("script") == []


def test_page_is_narrowed_by_month_kind_article_and_words(
    client: FlaskClient, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    published(database, site, now - timedelta(days=40), says="old words")
    published(database, site, now, says="new words", path="/b", kind=Kind.UPDATE)
    found = page(client)
    assert [node.attributes["value"] for node in found.css("[name=month] option")] == [
        "", "2026-03", "2026-01",
    ]  # fmt: skip
    assert texts(found, "[name=month] option") == ["Every month", "March 2026", "January 2026"]
    assert texts(found, ".month") == ["March 2026", "January 2026"]
    for query, shown in (
        ({}, ["new words", "old words"]),
        ({"month": "2026-01", "q": ""}, ["old words"]),
        ({"kind": "update"}, ["new words"]),
        ({"url": "https://news.example/b#x"}, ["new words"]),
        ({"q": "NEW WORDS"}, ["new words"]),
        ({"q": "nowhere"}, []),
    ):
        narrowed = page(client, **query)
        assert (query, texts(narrowed, ".entry div:nth-child(2) dd")) == (query, shown)
        assert (texts(narrowed, ".empty") == ["Nothing was found."]) == (not shown)


def test_page_leads_to_older_entries_and_back(
    client: FlaskClient, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    for number in range(3):
        published(database, site, now + timedelta(minutes=number), says=f"words {number}")
    clock.advance(hours=1)
    first = page(client, limit="2", q="words")
    [older] = first.css("[rel=next]")
    assert texts(first, ".entry div:nth-child(2) dd") == ["words 2", "words 1"]
    second = page(client, str(older.attributes["href"]))
    assert texts(second, ".entry div:nth-child(2) dd") == ["words 0"]
    [newest] = second.css(".more a")
    assert newest.attributes["href"] == f"{HOME}?limit=2&q=words"


@pytest.mark.parametrize("query", ["month=March", "kind=joke", "limit=0", "cursor=x"])
def test_page_refuses_a_bad_query(client: FlaskClient, site: Site, query: str) -> None:
    assert client.get(f"{HOME}?{query}").status_code == 422


@pytest.mark.parametrize(
    ("language", "locale", "direction", "title", "day"),
    [
        ("uk", "uk", "ltr", "Виправлення", "1 березня 2026 р."),
        ("ar", "ar", "rtl", "التصحيحات", "1 مارس 2026"),
        ("de-AT", "de", "ltr", "Korrekturen", "1. März 2026"),
    ],
)
def test_page_speaks_the_language_of_the_site_or_the_one_asked_for(
    client: FlaskClient,
    database: Database,
    site: Site,
    now: datetime,
    language: str,
    locale: str,
    direction: str,
    title: str,
    day: str,
) -> None:
    published(database, site, now)
    with database.write() as session:
        sites.change(session.merge(site), language=language)
    for found in (page(client), page(client, locale=language)):
        root = found.css_first("html")
        assert root is not None
        assert (root.attributes["lang"], root.attributes["dir"]) == (locale, direction)
        assert texts(found, "h1") == [title]
        assert texts(found, ".entry time") == [day]
    assert texts(page(client, locale="en"), "h1") == ["Corrections"]


def test_entry_stands_alone_under_its_address(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    made = published(database, site, now, title="A </script><b>title</b>", says="world <b>")
    published(database, site, now, says="elsewhere", path="/b")
    older = published(database, site, now - timedelta(days=1), says="before")
    found = page(client, f"{HOME}/{made}")
    assert texts(found, "h1") == ["A </script><b>title</b>"]
    assert texts(found, ".others") == ["February 28, 2026 Correction"]
    assert [link.attributes["href"] for link in found.css(".others a")] == [f"{HOME}/{older}"]
    [embed] = found.css("link[type='application/json+oembed']")
    assert embed.attributes["href"] == (
        f"https://localhost{HOME}/oembed?url=https%3A%2F%2Flocalhost%2Frecord%2Fthe-daily%2F{made}"
    )


def test_entry_that_is_withdrawn_says_when_and_why_alone(
    client: FlaskClient, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    made = published(database, site, now, note="Gone words.", thanks="somebody")
    with database.write() as session:
        row = session.get_one(publications.Publication, made)
        publications.withdraw(
            session, site.id, row.correction_id, by="x", now=clock.advance(days=2),
            reason="It was right.",
        )  # fmt: skip
    for path in (HOME, f"{HOME}/{made}"):
        found = page(client, path)
        assert texts(found, ".withdrawn") == [
            "This entry was withdrawn on March 3, 2026. Reason: It was right."
        ]
        assert found.css("dd, .note, .thanks, script") == []


def test_entry_that_nobody_may_see_is_not_there(
    client: FlaskClient, database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    later = published(database, site, now + timedelta(seconds=1))
    theirs = published(database, other_site, now)
    for path in (f"{HOME}/{later}", f"{HOME}/{theirs}", "/record/unknown", f"{HOME}/x"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")


def test_json_ld_is_in_schema_orgs_words_and_ends_no_script(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    with database.write() as session:
        session.merge(site).corrections_policy_url = "https://news.example/policy"
    attack = '</script><script>alert("1")</script><!--'
    made = published(database, site, now, title=attack, says=attack, note=attack)
    answer = client.get(f"{HOME}/{made}")
    raw = re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert len(raw) == 1
    assert "<" not in raw[0]
    data = json_ld(LexborHTMLParser(answer.text))
    assert data == client.get(
        "/api/v1/sites/the-daily/record", query_string={"url": "https://news.example/a"}
    ).json["json_ld"]  # fmt: skip
    assert check(data) == []
    assert data["headline"] == attack
    assert data["publisher"]["correctionsPolicy"] == "https://news.example/policy"
    [comment] = data["correction"]
    assert comment["@type"] == "CorrectionComment"
    assert comment["url"] == f"https://localhost{HOME}/{made}"
    assert comment["text"] == f"It said: wrold\nIt says now: {attack}\n{attack}"
    assert (comment["datePublished"], data["dateModified"]) == ("2026-03-01T12:00:00.000Z",) * 2


def test_json_ld_is_not_told_of_several_articles(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    published(database, site, now)
    assert json_ld(page(client))["url"] == "https://news.example/a"
    published(database, site, now, path="/b")
    assert page(client).css("script") == []
    assert json_ld(page(client, url="https://news.example/b"))["url"] == "https://news.example/b"
    assert client.get("/api/v1/sites/the-daily/record").json["json_ld"] is None


def test_policy_is_linked_where_it_is_safe(
    client: FlaskClient, database: Database, site: Site
) -> None:
    for url, links in (
        ("https://news.example/policy", ["https://news.example/policy"]),
        ("javascript:alert(1)", []),
    ):
        with database.write() as session:
            session.get_one(Site, site.id).corrections_policy_url = url
        ends = page(client).css(".ends a")
        assert [each.attributes["href"] for each in ends[:-1]] == links


def test_pages_of_the_record_are_limited(app: Flask, site: Site) -> None:
    client = app.test_client()
    statuses = {client.get(HOME).status_code for _ in range(125)}
    assert statuses == {200, 429}
