import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser
from standardwebhooks import Webhook as Signature

from service.app import create_app
from service.db import Database
from service.models import Site, Webhook
from service.settings import Settings
from service.text import article_text
from service.web import demo
from tests.conftest import Clock

SECRET = "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
EVENT = {
    "type": "correction.created",
    "timestamp": "2026-03-01T12:00:00Z",
    "data": {
        "id": "0195",
        "selector": [{"type": "TextQuoteSelector", "exact": "wrold"}],
        "suggestions": [{"text": "world", "count": 1}],
        "wording": None,
    },
}


@pytest.fixture
def reader(settings: Settings, database: Database, site: Site, clock: Clock) -> FlaskClient:
    """A client of an application with the demo's pages."""
    clock.at = datetime.now(UTC)
    with database.write() as session:
        webhook, applier = (
            Webhook(
                site_id=site.id,
                url=f"http://127.0.0.1/demo/{path}",
                events=events,
                secret=SECRET,
                created_at=clock(),
                updated_at=clock(),
            )
            for path, events in (("receiver", ["*"]), ("apply", ["correction.apply"]))
        )
        session.add_all([webhook, applier])
    app = create_app(replace(settings, public_url="https://localhost"), database, clock=clock)
    demo.register(app, demo.Demo(site.key, webhook.id, applier.id))
    return app.test_client()


def send(reader: FlaskClient, event: Any, *, secret: str = SECRET, **headers: str) -> int:
    body = json.dumps(event)
    now = datetime.now(UTC)
    signed = {
        "webhook-id": "msg-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signature(secret).sign("msg-1", now, body),
    }
    return reader.post("/demo/receiver", data=body, headers={**signed, **headers}).status_code


def came(reader: FlaskClient, after: int = 0) -> Any:
    return reader.get(f"/demo/receiver/arrivals?after={after}").json


def test_receiver_verifies_and_lists_what_came(reader: FlaskClient, clock: Clock) -> None:
    assert send(reader, EVENT) == 204
    [arrival] = came(reader)
    assert arrival == {
        "number": 1,
        "at": clock().isoformat(timespec="seconds"),
        "verified": True,
        "verdict": "verified",
        "type": "correction.created",
        "id": "msg-1",
        "correction": "0195",
        "summary": "wrold → world",
        "payload": json.dumps(EVENT, indent=2),
    }


def test_receiver_refuses_another_secret_and_shows_it(reader: FlaskClient) -> None:
    assert send(reader, EVENT, secret="whsec_YW5vdGhlciBzZWNyZXQgYW5vdGhlcg==") == 401
    [arrival] = came(reader)
    assert arrival["verified"] is False
    assert arrival["verdict"] == "refused: No matching signature found"
    assert arrival["type"] == "not read"
    assert arrival["payload"] == json.dumps(EVENT)


@pytest.mark.parametrize(
    "signature", ["", "v1", "v1,%%%", "v1,", "v2,AAAA", "v1,AAAA,BBBB", "nonsense \N{SNOWMAN}"]
)
def test_receiver_refuses_a_signature_that_is_none(reader: FlaskClient, signature: str) -> None:
    assert send(reader, EVENT, **{"webhook-signature": signature}) == 401


@pytest.mark.parametrize("stamp", ["", "yesterday", "0", "99999999999999999999"])
def test_receiver_refuses_a_time_that_is_not_now(reader: FlaskClient, stamp: str) -> None:
    assert send(reader, EVENT, **{"webhook-timestamp": stamp}) == 401


def test_receiver_lists_only_what_came_after_a_number(reader: FlaskClient) -> None:
    for _ in range(3):
        send(reader, EVENT)
    assert [arrival["number"] for arrival in came(reader, after=1)] == [2, 3]
    assert came(reader, after=3) == []


def test_receiver_lists_all_to_a_page_that_is_older_than_the_process(reader: FlaskClient) -> None:
    send(reader, EVENT)
    assert [arrival["number"] for arrival in came(reader, after=50)] == [1]


def test_receiver_page_works_without_script(reader: FlaskClient) -> None:
    assert 'id="empty">' in reader.get("/demo/receiver").text
    send(reader, {**EVENT, "type": "<b>"})
    send(reader, EVENT)
    page = LexborHTMLParser(reader.get("/demo/receiver").text)
    cards = page.css("#arrivals > .arrival")
    assert [card.css_first("[data-field=type]").text() for card in cards] == [
        "correction.created",
        "<b>",
    ]
    assert [card.css_first("[data-field=verdict]").text() for card in cards] == ["verified"] * 2
    empty = page.css_first("#empty")
    assert empty is not None
    assert "hidden" in empty.attributes


@pytest.mark.parametrize("story", demo.STORIES, ids=lambda story: story.slug)
def test_story_is_laid_out_like_an_article(reader: FlaskClient, story: demo.Story) -> None:
    html = reader.get(f"/demo/{story.slug}").text
    page = LexborHTMLParser(html)
    assert len(page.css("article p")) >= 8
    for part in ("h1", "h2", "figure figcaption", "table caption", "p a", "em", "strong", "ul li"):
        assert page.css(f"article {part}"), part
    for part in ("a[data-corrigenda=report]", "kbd", ".support a", ".plea", ".links a"):
        assert page.css(f".foot {part}"), part
    assert len(page.css(".also a")) == 2
    root = page.css_first("html")
    assert root is not None
    assert root.attributes["lang"] == story.lang
    assert root.attributes["dir"] == ("rtl" if story.lang == "ar" else "ltr")
    assert article_text(html).splitlines()[2] == story.title
    title = page.css_first("title")
    assert title is not None
    paper = {"en": "The Lantern", "uk": "Ліхтар", "ar": "الفانوس"}[story.lang]
    assert title.text() == f"{story.title} — {paper}"
    assert html.startswith("<!doctype html>")


PLANTED = {
    "night-buses": ["accomodate", "the the", "£580,000", "St Owsin’s", "quiter"],
    "library": ["Приміщеня", "що що", "32 550", "Вербіського"],
    "rain": ["الامطار", "في في", "67 ملم", "الينبايع"],
}


@pytest.mark.parametrize("slug", PLANTED)
def test_planted_mistakes_stand_once_each(reader: FlaskClient, slug: str) -> None:
    text = article_text(reader.get(f"/demo/{slug}").text)
    assert {mistake: text.count(mistake) for mistake in PLANTED[slug]} == dict.fromkeys(
        PLANTED[slug], 1
    )


def wanted(exact: str, wording: str, *, slug: str = "night-buses", **around: str) -> dict[str, Any]:
    article = {"url": f"http://localhost/demo/{slug}", "title": None, "lang": "en"}
    words = {"exact": exact, "prefix": "", "suffix": "", "wording": wording, **around}
    return {"type": "correction.apply", "data": {"id": "0195", "article": article, **words}}


def apply(reader: FlaskClient, event: Any, message_id: str = "msg-1") -> Any:
    body, now = json.dumps(event), datetime.now(UTC)
    signed = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signature(SECRET).sign(message_id, now, body),
    }
    return reader.post("/demo/apply", data=body, headers=signed)


def text_of(reader: FlaskClient, slug: str = "night-buses") -> str:
    return article_text(reader.get(f"/demo/{slug}").text)


def test_apply_puts_corrections_into_the_article_until_the_demo_stops(reader: FlaskClient) -> None:
    before = text_of(reader)
    spelt = wanted("accomodate", "accommodate <b>&", prefix="open wide enough to ")
    removed = wanted("the ", "", prefix="asking for the ", suffix="bus.”")
    assert [apply(reader, spelt, "a").json, apply(reader, removed, "b").json] == [
        {"result": "applied"}
    ] * 2
    assert text_of(reader) == before.replace("accomodate", "accommodate <b>&").replace(
        "for the the bus", "for the bus"
    )
    assert [arrival["verdict"] for arrival in came(reader)] == ["verified, answered: applied"] * 2
    assert came(reader)[1]["summary"] == "the  → ∅"


def test_apply_answers_a_known_message_as_before_and_a_new_one_by_the_article(
    reader: FlaskClient,
) -> None:
    event = wanted("quiter", "quieter", prefix="It is ", suffix=" than")
    assert apply(reader, event, "a").json == {"result": "applied"}
    assert apply(reader, event, "a").json == {"result": "applied"}
    assert apply(reader, event, "b").json == {"result": "already_applied"}


@pytest.mark.parametrize(
    ("event", "result"),
    [
        (wanted("quiter", "quieter", slug="none"), "not_found"),
        (wanted("never there", "nor here"), "not_found"),
        (wanted("quiter", "quieter", prefix="It was "), "conflict"),
        (wanted("bus", "tram"), "conflict"),
        # It begins in one element and ends in another.
        (wanted("meet every time", "meet always"), "conflict"),
    ],
)
def test_apply_changes_nothing_where_it_is_not_safe(
    reader: FlaskClient, event: Any, result: str
) -> None:
    before = text_of(reader)
    assert apply(reader, event).json["result"] == result
    assert text_of(reader) == before


def test_apply_takes_a_ping_and_refuses_strangers(reader: FlaskClient) -> None:
    assert apply(reader, {"type": "ping", "data": {}}).status_code == 204
    assert reader.post("/demo/apply", data="{}").status_code == 401
    assert [arrival["verified"] for arrival in came(reader)] == [True, False]
