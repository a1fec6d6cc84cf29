import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.accounts import sites
from service.db import Database
from service.models import Article, Correction, Event, Report, Site
from service.web import current
from tests.conftest import ORIGIN, Clock


def body(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "target": {
            "source": f"{ORIGIN}/a?utm_source=x",
            "canonical": f"{ORIGIN}/a",
            "title": "A title",
            "lang": "en",
            "selector": [
                {
                    "type": "TextQuoteSelector",
                    "exact": "wrold",
                    "prefix": "hello ",
                    "suffix": " text",
                },
                {"type": "TextPositionSelector", "start": 6, "end": 11},
            ],
        },
        "suggestion": "world",
        "category": "typo",
        "website": "",
    }
    target = changes.pop("target", {})
    made.update(changes)
    made["target"].update(target)
    return {name: value for name, value in made.items() if value is not ...}


def post(
    client: FlaskClient,
    site: Site,
    sent: Any,
    key: str = "k1",
    environ_base: dict[str, str] | None = None,
    **headers: str,
) -> Any:
    return client.post(
        f"/api/v1/sites/{site.key}/reports",
        json=sent,
        headers={"Origin": ORIGIN, "Idempotency-Key": key, **headers},
        environ_base=environ_base or {},
    )


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json["errors"]]


def counts(database: Database) -> tuple[int, int]:
    with database.read() as session:
        return (
            session.scalar(select(func.count()).select_from(Correction)) or 0,
            session.scalar(select(func.count()).select_from(Report)) or 0,
        )


def test_report_is_kept_with_its_selector(
    client: FlaskClient, site: Site, database: Database
) -> None:
    answer = post(client, site, body())
    assert answer.status_code == 201
    assert set(answer.json) == {"id", "correction_id", "receipt_url", "already_reported"}
    assert answer.json["already_reported"] == 0
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    with database.read() as session:
        report = session.scalars(select(Report)).one()
        assert (report.exact, report.prefix, report.suffix) == ("wrold", "hello ", " text")
        assert (report.start, report.end, report.suggestion) == (6, 11, "world")
        assert session.scalars(select(Article.url)).one() == f"{ORIGIN}/a"
        assert session.scalars(select(Event.type).order_by(Event.id)).all() == [
            "report.created",
            "correction.created",
        ]


def test_report_sent_again_gets_the_same_answer(
    client: FlaskClient, site: Site, database: Database
) -> None:
    first, again = post(client, site, body()), post(client, site, body())
    assert again.status_code == 201
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert counts(database) == (1, 1)


@pytest.mark.parametrize("source", [f"{ORIGIN}/a", f"{ORIGIN}/another"])
def test_key_with_another_body_is_refused(
    client: FlaskClient, site: Site, database: Database, source: str
) -> None:
    post(client, site, body())
    other = post(client, site, body(suggestion="whirled", target={"canonical": source}))
    assert other.status_code == 422
    assert other.json["type"].endswith("/idempotency-key-reused")
    assert counts(database) == (1, 1)


def test_key_is_scoped_by_site(
    client: FlaskClient, site: Site, other_site: Site, database: Database
) -> None:
    assert post(client, site, body()).status_code == 201
    url = "https://other.example/a"
    answer = post(
        client,
        other_site,
        body(target={"source": url, "canonical": url}),
        Origin="https://other.example",
    )
    assert answer.status_code == 201
    assert counts(database) == (2, 2)


def test_fifty_posts_with_one_key_make_one_report(
    app: Flask, site: Site, database: Database
) -> None:
    barrier = threading.Barrier(50)

    def send(_: int) -> tuple[int, str]:
        barrier.wait()
        answer = post(app.test_client(), site, body())
        return answer.status_code, answer.headers.get("Idempotent-Replayed", "false")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))
    assert answers.count((201, "false")) == 1
    assert answers.count((201, "true")) == 49
    assert counts(database) == (1, 1)


def test_fifty_reports_of_one_word_make_one_correction(
    app: Flask, site: Site, database: Database
) -> None:
    barrier = threading.Barrier(50)

    def send(number: int) -> int:
        barrier.wait()
        return int(
            post(app.test_client(), site, body(), key=f"key-{number}").json["already_reported"]
        )

    with ThreadPoolExecutor(50) as pool:
        assert sorted(pool.map(send, range(50))) == list(range(50))
    assert counts(database) == (1, 50)
    with database.read() as session:
        assert session.scalars(select(Correction.report_count)).one() == 50


def test_suggestions_are_counted_once_each(
    client: FlaskClient, site: Site, bearer: dict[str, str]
) -> None:
    for key, suggestion in [("1", "world"), ("2", "word"), ("3", "world")]:
        post(client, site, body(suggestion=suggestion), key=key)
    [correction] = client.get("/api/v1/corrections", headers=bearer).json["items"]
    assert correction["suggestions"] == [
        {"text": "world", "count": 2},
        {"text": "word", "count": 1},
    ]
    assert correction["report_count"] == 3


def test_same_words_elsewhere_are_another_correction(
    client: FlaskClient, site: Site, database: Database
) -> None:
    post(client, site, body())
    elsewhere = [
        {"type": "TextQuoteSelector", "exact": "wrold", "prefix": "good ", "suffix": " order"},
        {"type": "TextPositionSelector", "start": 600, "end": 605},
    ]
    post(client, site, body(target={"selector": elsewhere}), key="k2")
    assert counts(database) == (2, 2)


def test_page_level_report_needs_a_comment(client: FlaskClient, site: Site) -> None:
    bare = body(suggestion=...)
    del bare["target"]["selector"]
    refused = post(client, site, bare)
    assert (refused.status_code, pointers(refused)) == (422, ["/comment"])
    assert post(client, site, {**bare, "comment": "The map is missing."}).status_code == 201


def test_emptied_suggestion_means_delete(
    client: FlaskClient, site: Site, database: Database
) -> None:
    assert post(client, site, body(suggestion="")).status_code == 201
    with database.read() as session:
        assert session.scalars(select(Report.suggestion)).one() == ""


@pytest.mark.parametrize("filled", ["https://spam.example", "x" * 9_000, 3, ["a"], {"a": "b"}])
def test_honeypot_is_answered_and_suspected(
    client: FlaskClient, site: Site, database: Database, filled: object
) -> None:
    assert post(client, site, body(website=filled)).status_code == 201
    post(client, site, body(), key="k2")
    with database.read() as session:
        rows = session.execute(
            select(Correction.suspected, Correction.report_count).order_by(Correction.id)
        )
        assert [tuple(row) for row in rows] == [(True, 1), (False, 1)]
        kinds = session.scalars(select(Event.type).order_by(Event.id)).all()
    assert kinds == ["report.created", "report.created", "correction.created"]


BAD_FIELDS = [
    ({"suggestion": "wrold"}, "/suggestion"),
    ({"suggestion": ..., "comment": " "}, "/comment"),
    ({"suggestion": "x" * 1001}, "/suggestion"),
    ({"comment": "x" * 2001}, "/comment"),
    ({"category": "gossip"}, "/category"),
    ({"email": "nobody"}, "/email"),
    ({"email": "a@b.example\nBcc: c@d.example"}, "/email"),
    ({"surplus": 1}, "/surplus"),
    ({"suggestion": 5}, "/suggestion"),
    ({"suggestion": "a\x00b"}, "/suggestion"),
    ({"comment": "half \ud83d"}, "/comment"),
    ({"target": {"source": "https://elsewhere.example/a", "canonical": None}}, "/target/source"),
    ({"target": {"source": "javascript:alert(1)"}}, "/target/source"),
    ({"target": {"source": f"{ORIGIN.replace('//', '//me@')}/a"}}, "/target/source"),
    ({"target": {"source": f"{ORIGIN}/\u202egnp.exe"}}, "/target/source"),
    ({"target": {"source": f"{ORIGIN}/" + "a" * 2048}}, "/target/source"),
    ({"target": {"title": "x" * 501}}, "/target/title"),
    ({"target": {"lang": "x" * 36}}, "/target/lang"),
    ({"target": {"lang": "<b>"}}, "/target/lang"),
    ({"target": {"lang": "en<b>"}}, "/target/lang"),
    ({"target": {"lang": "en\u0001"}}, "/target/lang"),
    ({"target": {"lang": "en\n"}}, "/target/lang"),
    ({"target": {"selector": []}}, "/target/selector"),
    ({"target": {"selector": [{"type": "XPathSelector"}]}}, "/target/selector/0/type"),
    (
        {"target": {"selector": [{"type": "TextPositionSelector", "start": 1, "end": 2}]}},
        "/target/selector",
    ),
    (
        {"target": {"selector": [{"type": "TextQuoteSelector", "exact": "x" * 501}]}},
        "/target/selector/0/exact",
    ),
    (
        {"target": {"selector": [{"type": "TextQuoteSelector", "exact": ""}]}},
        "/target/selector/0/exact",
    ),
    (
        {
            "target": {
                "selector": [{"type": "TextQuoteSelector", "exact": "a", "prefix": "x" * 129}]
            }
        },
        "/target/selector/0/prefix",
    ),
    (
        {
            "target": {
                "selector": [
                    {"type": "TextQuoteSelector", "exact": "a"},
                    {"type": "TextPositionSelector", "start": 5, "end": 2},
                ]
            }
        },
        "/target/selector/1/end",
    ),
    (
        {
            "target": {
                "selector": [
                    {"type": "TextQuoteSelector", "exact": "a"},
                    {"type": "TextPositionSelector", "start": -1, "end": 10**30},
                ]
            }
        },
        "/target/selector/1/start",
    ),
]


@pytest.mark.parametrize(("changes", "pointer"), BAD_FIELDS)
def test_bad_field_is_named_by_a_pointer(
    client: FlaskClient, site: Site, database: Database, changes: dict[str, Any], pointer: str
) -> None:
    answer = post(client, site, body(**changes))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert pointer in pointers(answer)
    assert counts(database) == (0, 0)


def test_lengths_count_code_points(client: FlaskClient, site: Site) -> None:
    astral = "\U0001f600" * 500
    quote = [{"type": "TextQuoteSelector", "exact": astral}]
    assert post(client, site, body(target={"selector": quote})).status_code == 201


def test_site_may_quote_less(client: FlaskClient, site: Site, database: Database) -> None:
    with database.write() as session:
        session.merge(site).excerpt_limit = 4
    answer = post(client, site, body())
    assert (answer.status_code, pointers(answer)) == (422, ["/target/selector/0/exact"])


def test_key_header_is_needed(client: FlaskClient, site: Site) -> None:
    answer = client.post(
        f"/api/v1/sites/{site.key}/reports", json=body(), headers={"Origin": ORIGIN}
    )
    assert (answer.status_code, pointers(answer)) == (422, ["/Idempotency-Key"])


FOREIGN_ORIGINS = [
    None,
    "null",
    "https://news.example.evil.example",
    "https://news.example:8443",
    "http://news.example",
    "https://NEWS.example",
    "https://sub.news.example",
    "https://news.example/",
    "https://news.example.",
    "*",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_foreign_origin_is_refused(
    client: FlaskClient, site: Site, database: Database, origin: str | None
) -> None:
    headers = {"Idempotency-Key": "k"} | ({"Origin": origin} if origin else {})
    answer = client.post(f"/api/v1/sites/{site.key}/reports", json=body(), headers=headers)
    assert answer.status_code == 403
    assert answer.json["type"].endswith("/foreign-origin")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]
    assert counts(database) == (0, 0)


def test_preflight_names_what_is_allowed(client: FlaskClient, site: Site) -> None:
    answer = client.options(
        f"/api/v1/sites/{site.key}/reports",
        headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"},
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type, Idempotency-Key"


def test_unknown_site_is_not_found(client: FlaskClient, site: Site) -> None:
    site.key = "no-such-site"
    assert post(client, site, body()).status_code == 404


def test_problem_can_be_read_by_the_page(client: FlaskClient, site: Site) -> None:
    answer = post(client, site, body(suggestion=5))
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_receipt_tells_the_state_and_nobody_elses_words(client: FlaskClient, site: Site) -> None:
    first = post(client, site, body(comment="my own words", email="reader@mail.example"))
    post(client, site, body(suggestion="whirled", comment="a stranger's words"), key="k2")
    token = first.json["receipt_url"].rpartition("/")[2]
    answer = client.get(f"/api/v1/receipts/{token}")
    assert answer.json["state"] == "new"
    assert answer.json["suggestion"] == "world"
    assert "stranger" not in answer.text
    assert "mail.example" not in answer.text
    assert client.get("/api/v1/receipts/unknown").status_code == 404


def test_widget_answer_is_cacheable(client: FlaskClient, site: Site) -> None:
    answer = client.get(f"/api/v1/sites/{site.key}/widget?locale=uk-UA", headers={"Origin": ORIGIN})
    assert (answer.json["locale"], answer.json["dir"]) == ("uk", "ltr")
    assert answer.json["limits"]["exact"] == 500
    assert "public" in answer.headers["Cache-Control"]
    again = client.get(
        f"/api/v1/sites/{site.key}/widget?locale=uk-UA",
        headers={"If-None-Match": answer.headers["ETag"]},
    )
    assert again.status_code == 304


def test_widget_answer_of_a_moment_ago_is_as_good(
    client: FlaskClient, site: Site, database: Database, database_url: str, clock: Clock
) -> None:
    def told() -> str | None:
        return client.get(f"/api/v1/sites/{site.key}/widget").json["links"]["contact"]

    def write(address: str, by: Database) -> str:
        with by.write() as session:
            session.get_one(Site, site.id).contact_url = address
        return address

    first = write("https://news.example/write", database)
    assert told() == first
    another = Database(database_url)
    second = write("https://news.example/to-us", another)
    another.dispose()
    assert told() == first
    clock.advance(seconds=1)
    assert told() == second
    third = write("https://news.example/here", database)
    assert told() == third


def test_only_so_many_answers_are_remembered(app: Flask) -> None:
    known, parts = current.Lately[int](2), app.extensions[current.NAME]
    read = iter(range(9)).__next__
    assert [known.of(parts, key, read) for key in "aabcbca"] == [0, 0, 1, 2, 1, 2, 3]


def test_change_of_a_site_holds_for_the_next_report(
    client: FlaskClient, site: Site, database: Database, database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def allow(origin: str, by: Database) -> None:
        with by.write() as session:
            session.get_one(Site, site.id).origins = [origin]

    monkeypatch.setattr(current, "LATELY", timedelta(seconds=1000))
    assert post(client, site, body()).status_code == 201
    allow("https://elsewhere.example", database)
    assert post(client, site, body(), "k2").status_code == 403
    # Another process is heard of once what is known is too old.
    client.application.extensions[current.NAME].sites.clear()
    monkeypatch.setattr(current, "LATELY", timedelta(0))
    assert post(client, site, body(), "k2").status_code == 403
    another = Database(database_url)
    allow(ORIGIN, another)
    another.dispose()
    assert post(client, site, body()).status_code == 201


def test_site_of_a_name_in_letters_hears_its_browsers(
    client: FlaskClient, database: Database, now: datetime
) -> None:
    with database.write() as session:
        named = sites.create(session, "Новини", ["https://новини.укр"], now=now)
    origin = "https://xn--b1amarcd.xn--j1amh"
    sent = body(target={"source": f"{origin}/a", "canonical": "https://новини.укр/т"})
    answer = post(client, named, sent, Origin=origin)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (201, origin)
    with database.read() as session:
        assert session.scalars(select(Article.url)).one() == f"{origin}/%D1%82"
