from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import select

from service import intake, snapshots
from service.db import Database
from service.desk import revisions
from service.desk.revisions import NewText
from service.errors import KeyReused
from service.intake import NewReport
from service.models import Article, Correction, Document, Event, Site
from tests.conftest import ORIGIN
from tests.reporting import report


def send(database: Database, site: Site, suggestion: str, now: datetime) -> intake.Receipt:
    """Report one passage with everything that an event tells of."""
    new = NewReport(
        f"{ORIGIN}/a",
        title="A story",
        lang="en",
        exact="wrold",
        prefix="hello ",
        suffix=" text",
        start=6,
        end=11,
        suggestion=suggestion,
        comment="See www.elsewhere.example",
        email="reader@example.org",
    )
    given = intake.Submission(site, new, suggestion, "a secret for tests", now)
    return database.write_together(intake.submit_all, given)


def test_events_tell_of_the_correction_as_it_is_read(
    database: Database, site: Site, now: datetime
) -> None:
    for suggestion in ("world", "globe"):
        receipt = send(database, site, suggestion, now)
        with database.read() as session:
            [read] = snapshots.of_corrections(
                session, [receipt.correction_id], reports=10, with_email=False
            )
            told = session.scalars(select(Event).order_by(Event.id)).all()
        assert told[-1].data == read
    assert [event.type for event in told] == [
        "report.created",
        "correction.created",
        "report.created",
    ]
    assert told[0].data == told[1].data


def told(outcome: object) -> object:
    """What of an outcome does not change from run to run."""
    if isinstance(outcome, intake.Receipt):
        return outcome.already_reported, outcome.is_replay, outcome.already_fixed
    return type(outcome), str(outcome)


def crowd(site: Site, now: datetime) -> list[intake.Submission]:
    """Reports of which some know of each other, as they may arrive in one moment."""

    def given(key: str, path: str = "/a", address: str = "", **fields: Any) -> intake.Submission:
        words = {"exact": "wrold", "prefix": "hello ", "start": 6, "end": 11, **fields}
        new = NewReport(f"{ORIGIN}{path}", title="A story", **{"suggestion": "world", **words})
        return intake.Submission(site, new, key, "a secret for tests", now, address)

    page = {"exact": None, "start": None, "end": None, "prefix": "", "suggestion": None}
    return [
        given("1"),
        given("2", "/b"),
        given("3", suggestion="globe"),
        given("1"),
        given("2", "/c"),
        given("4", "/c", start=90, end=95),
        *(given(f"page {n}", f"/{n}", comment="The same words again", **page) for n in range(6)),
        *(given(f"net {n}", f"/net{n:02}", "203.0.113.7") for n in range(12)),
        given("trap", "/d", website="https://spam.example"),
        given("5", "/d"),
    ]


def state_of(database: Database, site: Site) -> list[object]:
    """What the editors see of the site, and what the outbox tells, without ids."""
    with database.read() as session:
        items = snapshots.of_corrections(
            session,
            session.scalars(select(Correction.id).where(Correction.site_id == site.id)).all(),
        )
        events = session.execute(
            select(Event.type, Event.data).where(Event.site_id == site.id)
        ).all()
    seen = [
        (
            item["article"]["url"],
            item["suspected"],
            item["report_count"],
            item["suggestions"],
            item["selector"],
            sorted(
                (report["spam"]["score"], report["comment"] or "") for report in item["reports"]
            ),
        )
        for item in items
    ]
    heard = Counter((kind, data["article"]["url"], data["report_count"]) for kind, data in events)
    return [sorted(map(repr, seen)), sorted(heard.items())]


def test_reports_that_come_together_are_kept_as_if_one_by_one(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    with database.write() as session:
        session.get_one(Site, other_site.id).origins = site.origins
    other_site.origins = site.origins
    alone = list[object]()
    for given in crowd(other_site, now):
        with database.write() as session:
            alone += intake.submit_all(session, [given])
    with database.write() as session:
        together = intake.submit_all(session, crowd(site, now))
    assert list(map(told, together)) == list(map(told, alone))
    assert {type(outcome) for outcome in together} == {intake.Receipt, KeyReused}
    assert state_of(database, site) == state_of(database, other_site)


def test_report_tells_what_the_push_of_its_article_did_not(
    database: Database, site: Site, now: datetime
) -> None:
    def told() -> tuple[str | None, str | None]:
        with database.read() as session:
            article = session.scalars(select(Article)).one()
            return article.title, article.lang

    with database.write() as session:
        revisions.push(session, site, NewText(f"{ORIGIN}/a", "hello wrold text"), now=now)
    report(database, site, now, title="Spam", lang="xx", website="x")
    assert told() == (None, None)
    place: dict[str, Any] = {"exact": "hello", "prefix": "", "suffix": " wrold text", "start": 0}
    first = report(database, site, now, **place, title=None, lang=None)
    receipt = send(database, site, "world", now)
    assert told() == ("A story", "en")
    with database.read() as session:
        own = select(Document.text).where(
            Document.report_id.is_(None),
            Document.correction_id.in_([first, receipt.correction_id]),
        )
        assert ["a story" in text for text in session.scalars(own)] == [True, True]
        [read] = snapshots.of_corrections(session, [receipt.correction_id])
        event = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert (event.data["article"], read["article"]["lang"]) == (read["article"], "en")
    report(database, site, now, title="Another", lang="uk")
    assert told() == ("A story", "en")
