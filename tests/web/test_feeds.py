"""The record's feeds, sitemap and oEmbed, read by other people's readers."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import feedparser
import jsonschema_rs
import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser

from service.db import Database
from service.models import Publication, Site
from service.record import publications
from service.record.publications import Entry
from tests.conftest import Clock
from tests.record.publishing import published

HOME = "/record/the-daily"
PUBLIC = f"https://localhost{HOME}"
CACHED = "public, max-age=60, stale-while-revalidate=600"
SCHEMA = Path(__file__).parents[1] / "record" / "json_feed_schema.json"
VALIDATOR = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()), validate_formats=True)
HOSTILE = 'A <b>&amp;</b> "title" ]]> \x0b\x1b \ufffe end'


def atom(client: FlaskClient) -> Any:
    answer = client.get(f"{HOME}.atom")
    assert (answer.status_code, answer.mimetype) == (200, "application/atom+xml")
    found = feedparser.parse(
        answer.data, response_headers={"content-type": answer.headers["Content-Type"]}
    )
    assert (found.bozo, found.version) == (False, "atom10")
    return found


def feed(client: FlaskClient, path: str = f"{HOME}.json") -> dict[str, Any]:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/feed+json")
    found: dict[str, Any] = json.loads(answer.text)
    VALIDATOR.validate(found)
    return found


def test_feeds_tell_the_same_entries(
    client: FlaskClient, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    older = published(database, site, now, note="A slip.")
    newer = published(database, site, now + timedelta(hours=1), says="earth", path="/b?x=1&y=2")
    clock.advance(hours=2)
    read, items = atom(client), feed(client)["items"]
    ids = [f"urn:uuid:{newer}", f"urn:uuid:{older}"]
    links = [f"{PUBLIC}/{newer}", f"{PUBLIC}/{older}"]
    assert [each.id for each in read.entries] == [each["id"] for each in items] == ids
    assert [each.link for each in read.entries] == [each["url"] for each in items] == links
    assert [each.title for each in read.entries] == [each["title"] for each in items]
    assert items[0]["external_url"] == "https://news.example/b?x=1&y=2"
    assert items[1]["content_text"] == "It said: wrold\nIt says now: world\nA slip."
    assert read.entries[1].content[0].value == items[1]["content_html"]
    assert [each.published for each in read.entries] == [each["date_published"] for each in items]
    assert read.entries[0].tags[0].term == items[0]["tags"][0] == "correction"


def test_atom_names_itself(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    empty = atom(client)
    assert (empty.feed.id, empty.feed.updated, empty.entries) == (
        PUBLIC, "2026-03-01T12:00:00.000Z", [],
    )  # fmt: skip
    published(database, site, now)
    found = atom(client).feed
    assert found.title == "The Daily: Corrections"
    assert found.author == "The Daily"
    assert {link.rel: link.href for link in found.links} == {
        "self": f"{PUBLIC}.atom", "alternate": PUBLIC,
    }  # fmt: skip


def test_feeds_date_a_change(
    client: FlaskClient, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    made = published(database, site, now)
    later = clock.advance(days=1)
    with database.write() as session:
        row = session.get_one(Publication, made)
        changed = Entry(row.kind, said="wrold", says="the world")
        publications.publish(session, site.id, row.correction_id, changed, by="x", now=later)
    read, [item] = atom(client), feed(client)["items"]
    assert read.feed.updated == read.entries[0].updated == item["date_modified"]
    assert item["date_modified"] == "2026-03-02T12:00:00.000Z"
    assert item["date_published"] == "2026-03-01T12:00:00.000Z"


def test_feeds_hold_hostile_words_as_text(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    published(database, site, now, title=HOSTILE, said=HOSTILE, says="plain", note=HOSTILE)
    [read], [item] = atom(client).entries, feed(client)["items"]
    assert item["title"] == f"Correction: {HOSTILE}"
    assert read.title_detail.type == "text/plain"
    html = LexborHTMLParser(item["content_html"])
    assert html.css("script, img, [onerror]") == []
    assert 'A <b>&amp;</b> "title" ]]>' in html.text()
    assert "<b>&amp;</b>" not in item["content_html"]


def test_feed_goes_on_from_page_to_page(
    client: FlaskClient, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    for number in range(52):
        published(database, site, now + timedelta(minutes=number), path=f"/{number}")
    clock.advance(days=1)
    first = feed(client)
    assert len(first["items"]) == 50
    rest = feed(client, first["next_url"].removeprefix("https://localhost"))
    assert (len(rest["items"]), "next_url" in rest) == (2, False)
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert len(set(ids)) == 52


def test_sitemap_names_every_permalink(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    made = published(database, site, now)
    published(database, site, now + timedelta(days=1), says="to come")
    answer = client.get(f"{HOME}/sitemap.xml")
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    root = Xml.fromstring(answer.data)
    assert root.tag == f"{space}urlset"
    assert [(url.findtext(f"{space}loc"), url.findtext(f"{space}lastmod")) for url in root] == [
        (PUBLIC, "2026-03-01T12:00:00.000Z"),
        (f"{PUBLIC}/{made}", "2026-03-01T12:00:00.000Z"),
    ]


def test_oembed_gives_an_entry_or_an_articles(
    client: FlaskClient, database: Database, site: Site, now: datetime
) -> None:
    made = published(database, site, now, says="<i>world</i>")
    published(database, site, now, says="other", path="/b")
    for url in (f"{PUBLIC}/{made}", "https://news.example/a"):
        answer = client.get(f"{HOME}/oembed", query_string={"url": url, "maxwidth": "300"})
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        told = answer.json
        html = LexborHTMLParser(told.pop("html"))
        assert told == {
            "version": "1.0",
            "type": "rich",
            "title": "Correction: The bus is late",
            "provider_name": "The Daily",
            "provider_url": PUBLIC,
            "cache_age": 60,
            "width": 300,
            "height": None,
        }
        assert html.css("script, style, iframe, i") == []
        assert len(html.css("article")) == 1
        assert "<i>world</i>" in html.text()


@pytest.mark.parametrize(
    ("url", "status"),
    [("https://news.example/none", 404), (f"{PUBLIC}/{'0' * 8}-0000-0000-0000-{'0' * 12}", 404), ("", 404)],
)  # fmt: skip
def test_oembed_of_nothing_is_not_there(
    client: FlaskClient, site: Site, url: str, status: int
) -> None:
    assert client.get(f"{HOME}/oembed", query_string={"url": url}).status_code == status


@pytest.mark.parametrize("path", [f"{HOME}.atom", f"{HOME}.json", f"{HOME}/sitemap.xml"])
def test_feeds_are_cacheable_and_shared(
    client: FlaskClient, database: Database, site: Site, now: datetime, path: str
) -> None:
    published(database, site, now)
    answer = client.get(path, headers={"Origin": "https://reader.example"})
    assert answer.headers["Cache-Control"] == CACHED
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers.getlist("Set-Cookie") == []
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
