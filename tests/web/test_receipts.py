import base64
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from service import hashing, intake
from service.db import Database
from service.desk import changes, moves
from service.desk.moves import By, Decision
from service.intake import NewReport
from service.models import Editor, Kind, Report, Site, State
from service.record import answers, publications
from service.record.publications import Entry
from service.record.stages import Stage
from service.support import campaigns
from tests.conftest import ORIGIN
from tests.support.conftest import asking

BY = By("editor@news.example")
READER = "reader@example.org"
Send = Callable[..., tuple[UUID, str]]
Decide = Callable[..., None]


@pytest.fixture
def send(database: Database, site: Site, now: datetime) -> Send:
    """Keeps a report; gives back its correction's id and its receipt's token."""

    def send(**fields: Any) -> tuple[UUID, str]:
        told = {"title": "The bus", "exact": "wrold", "suggestion": "world", **fields}
        with database.write() as session:
            made = intake.submit(
                session,
                site,
                NewReport(f"{ORIGIN}/a", **told),
                key=uuid4().hex,
                secret="x",
                now=now,
            )
        return made.correction_id, made.token

    return send


@pytest.fixture
def decide(database: Database, site: Site, now: datetime) -> Decide:
    def decide(correction_id: UUID, to: State, **said: str) -> None:
        with database.write() as session:
            moves.decide(session, site.id, correction_id, Decision(to, **said), by=BY, now=now)

    return decide


def told(client: FlaskClient, token: str, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/receipts/{token}{query}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def test_receipt_is_read_by_the_sites_own_pages(client: FlaskClient, send: Send) -> None:
    _, token = send(comment="typo")
    allowed = {}
    for origin in (ORIGIN, "https://evil.example"):
        answer = client.get(f"/api/v1/receipts/{token}", headers={"Origin": origin})
        allowed[origin] = answer.headers.get("Access-Control-Allow-Origin")
        assert "Origin" in answer.headers["Vary"]
    assert allowed == {ORIGIN: ORIGIN, "https://evil.example": None}


def test_receipt_as_json(client: FlaskClient, send: Send) -> None:
    _, token = send(comment="typo", email=READER, lang="en")
    assert told(client, token) == {
        "state": "new",
        "stage": "received",
        "title": "Received",
        "detail": "It has arrived. No editor has looked at it yet.",
        "locale": "en",
        "public_note": None,
        "record_url": None,
        "mail": None,
        "article": {"url": f"{ORIGIN}/a", "title": "The bus"},
        "exact": "wrold",
        "suggestion": "world",
        "comment": "typo",
        "created_at": "2026-03-01T12:00:00.000Z",
        "updated_at": "2026-03-01T12:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("to", "stage", "state", "detail"),
    [
        (State.ACCEPTED, Stage.LOOKED_AT, "accepted", "The editors agree"),
        (State.FIXED, Stage.CORRECTED, "fixed", "The article has been corrected."),
        (State.REJECTED, Stage.UNCHANGED, "rejected", "The editors have read it"),
        (State.SPAM, Stage.UNCHANGED, "rejected", "The editors have read it"),
    ],
)
def test_receipt_tells_how_far_it_has_come(
    client: FlaskClient,
    send: Send,
    decide: Decide,
    to: State,
    stage: Stage,
    state: str,
    detail: str,
) -> None:
    correction_id, token = send()
    decide(correction_id, to)
    found = told(client, token)
    assert (found["stage"], found["state"]) == (stage, state)
    assert found["detail"].startswith(detail)


def test_receipt_of_one_that_an_editor_has_taken_is_being_looked_at(
    client: FlaskClient, send: Send, database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    correction_id, token = send()
    with database.write() as session:
        taken = {"assignee": editor.email}
        changes.change(session, site.id, correction_id, taken, by=BY, now=now)
    assert told(client, token)["stage"] == "looked_at"


def test_receipt_of_a_published_one_leads_to_the_record(
    client: FlaskClient, send: Send, decide: Decide, database: Database, site: Site, now: datetime
) -> None:
    correction_id, token = send()
    decide(correction_id, State.ACCEPTED)
    with database.write() as session:
        entry, held = Entry(Kind.CORRECTION, "wrold", "world"), now + timedelta(minutes=10)
        made = publications.publish(
            session, site.id, correction_id, entry, by=BY.label, now=now, visible_at=held
        )
    assert told(client, token)["stage"] == "looked_at"
    with database.write() as session:
        made = publications.publish(session, site.id, correction_id, entry, by=BY.label, now=now)
    found = told(client, token)
    url = f"https://localhost/record/{site.key}/{made.id}"
    assert (found["stage"], found["record_url"]) == ("corrected", url)
    assert f'<a href="{url}">See it in the public record</a>' in client.get(f"/r/{token}").text


def test_receipt_page_has_the_readers_words_and_nobody_elses(
    client: FlaskClient, send: Send, decide: Decide
) -> None:
    correction_id, token = send(comment="my <words>")
    send(suggestion="other words", comment="another reader", email="x@example.org")
    decide(correction_id, State.FIXED, reason="inside", public_note="We looked <it> up.")
    answer = client.get(f"/r/{token}")
    assert answer.status_code == 200
    assert "We looked &lt;it&gt; up." in answer.text
    assert "my &lt;words&gt;" in answer.text
    for secret in ("other words", "another reader", "x@example.org", "inside", "editor@"):
        assert secret not in answer.text
    assert re.findall(r'<li class="(\w+)"', answer.text) == ["past", "past", "here"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("sections", [[], ["sport"]])
def test_ask_stands_under_the_thanks_where_it_belongs(
    client: FlaskClient,
    send: Send,
    decide: Decide,
    database: Database,
    site: Site,
    now: datetime,
    sections: list[str],
) -> None:
    draft = asking(enabled=True, sections=sections, link_parameters="from={place}")
    with database.write() as session:
        campaigns.put(session, site.id, "autumn", draft, by="admin@news.example", now=now)
    correction_id, token = send()
    assert "Keep us independent" not in client.get(f"/r/{token}").text
    decide(correction_id, State.FIXED)
    page = client.get(f"/r/{token}").text
    assert ("Keep us independent" in page) == (not sections)
    link = '<a href="https://news.example/patrons?from=thanks" rel="noopener">Become a patron</a>'
    assert (link in page) == (not sections)


@pytest.mark.parametrize(
    ("query", "accepted", "lang", "expected"),
    [
        ("?locale=uk", "de", "fr", ("uk", "Отримано", "ltr")),
        ("", "de-AT,en;q=0.5", "fr", ("de", "Eingegangen", "ltr")),
        ("", "tlh", "ar", ("ar", "استُلم", "rtl")),
        ("", "", None, ("en", "Received", "ltr")),
    ],
)
def test_receipt_is_in_the_readers_language(
    client: FlaskClient,
    send: Send,
    query: str,
    accepted: str,
    lang: str | None,
    expected: tuple[str, str, str],
) -> None:
    _, token = send(lang=lang)
    answer = client.get(f"/r/{token}{query}", headers={"Accept-Language": accepted})
    locale, title, direction = expected
    assert f'<html lang="{locale}" dir="{direction}">' in answer.text
    assert f"<strong>{title}</strong>" in answer.text
    asked = client.get(f"/api/v1/receipts/{token}{query}", headers={"Accept-Language": accepted})
    assert (asked.json["locale"], asked.json["title"]) == (locale, title)


def test_unknown_receipt_is_a_page_that_says_so(client: FlaskClient) -> None:
    answer = client.get("/r/unknown", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "There is no receipt at this address." in answer.text


# What letters lead to


@pytest.fixture
def link(app: Flask, site: Site, send: Send, database: Database, now: datetime) -> str:
    """The path in the letter to a reader who was asked."""
    send(email=READER)
    with database.write() as session:
        secret = "a secret for tests"
        answers.ask(session, answers.unasked(session, now=now), secret=secret, now=now)
    return f"/mail/{site.key}/{answers.mark(secret, site.id, READER)}"


def addresses(database: Database) -> list[tuple[str | None, bool]]:
    with database.read() as session:
        rows = session.execute(select(Report.email, Report.email_confirmed_at))
        return [(email, confirmed_at is not None) for email, confirmed_at in rows]


def test_opening_the_letters_link_confirms_nothing(
    client: FlaskClient, link: str, database: Database
) -> None:
    for method in ("GET", "HEAD"):
        answer = client.open(link, method=method)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert '<button type="submit" class="yes">Yes, write to me</button>' in client.get(link).text
    assert addresses(database) == [(READER, False)]


def test_button_confirms_and_is_told_again_by_the_page(
    client: FlaskClient, link: str, database: Database
) -> None:
    answer = client.post(f"{link}?locale=uk")
    assert answer.status_code == 200
    assert "Дякуємо. The Daily напише вам, коли ухвалять рішення." in answer.text
    assert addresses(database) == [(READER, True)]
    assert "The Daily will write to you when it is decided." in client.get(link).text


def test_receipt_tells_of_the_question_and_of_the_answer(
    client: FlaskClient, link: str, database: Database, send: Send
) -> None:
    _, token = send(exact="another")
    with database.write() as session:
        asked = {"email": READER, "email_hash": "x"}
        session.execute(update(Report).where(Report.exact == "another").values(**asked))
    assert told(client, token)["mail"] == "asked"
    assert "Open the link in the letter" in client.get(f"/r/{token}").text
    client.post(link)
    assert told(client, token)["mail"] == "agreed"
    assert "You will get one e-mail" in client.get(f"/r/{token}").text


def test_one_click_of_a_mail_program_stops(
    client: FlaskClient, link: str, database: Database
) -> None:
    asked = client.get(f"{link}/stop")
    assert "Erase my address" in asked.text
    assert addresses(database) == [(READER, False)]
    answer = client.post(f"{link}/stop", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "The Daily has erased your address." in answer.text
    assert addresses(database) == [(None, False)]
    for page in (link, f"{link}/stop"):
        assert "Nothing is waiting here" in client.get(page).text


def test_link_of_nobody_confirms_and_stops_nothing(
    client: FlaskClient, link: str, database: Database, site: Site
) -> None:
    for path in (f"/mail/{site.key}/unknown", f"/mail/{site.key}/unknown/stop"):
        assert "Nothing is waiting here" in client.get(path).text
        assert client.post(path).status_code == 200
    assert addresses(database) == [(READER, False)]
    assert client.get(link.replace(site.key, "no-such-site")).status_code == 404


def test_confirming_from_another_site_is_refused(
    client: FlaskClient, link: str, database: Database
) -> None:
    answer = client.post(link, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert addresses(database) == [(READER, False)]


def test_receipts_of_earlier_releases_open(
    client: FlaskClient, send: Send, database: Database, site: Site, now: datetime
) -> None:
    correction_id, token = send()
    with database.write() as session:
        report = session.scalars(select(Report)).one()
        old = hashing.keyed("x", "receipt", str(report.id))
        report.receipt_hash = hashing.fingerprint(old)
        key = report.idempotency_key
    assert client.get(f"/api/v1/receipts/{old}").json["exact"] == "wrold"
    assert client.get(f"/api/v1/receipts/{token}").status_code == 404
    new = NewReport(f"{ORIGIN}/a", title="The bus", exact="wrold", suggestion="world")
    with database.write() as session:
        again = intake.submit(session, site, new, key=key, secret="x", now=now)
    assert (again.is_replay, again.token, again.correction_id) == (True, old, correction_id)


def test_receipts_are_not_guessed_from_ids(client: FlaskClient, send: Send) -> None:
    _, token = send()
    assert len(token) == 43
    raw = base64.urlsafe_b64decode(f"{token}=")
    guesses = [raw[:16] + bytes(16), raw[:-1] + bytes([raw[-1] ^ 1]), bytes(16) + raw[16:]]
    for each in guesses:
        guess = base64.urlsafe_b64encode(each).rstrip(b"=").decode()
        assert client.get(f"/api/v1/receipts/{guess}").status_code == 404
    for crooked in (token[:-1], f"{token}A", token.lower(), "é" * 43, "=" * 43):
        assert client.get(f"/api/v1/receipts/{crooked}").status_code == 404
    assert client.get(f"/api/v1/receipts/{token}").status_code == 200
