from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text

from service import letters
from service.db import Base, Database
from service.models import Audit, Delivery, DeliveryState, Letter, Report, Site
from service.record import answers, readers
from tests.conftest import ORIGIN
from tests.reporting import report

EMAIL = "Reader.Ж@mail.example"


@pytest.fixture
def reported(database: Database, site: Site, other_site: Site, now: datetime) -> list[UUID]:
    """Two reports of the reader on the site; one of another reader, one on another site."""
    found = [
        report(database, site, now, exact=f"word {number}", start=None, email=email)
        for number, email in enumerate((EMAIL, EMAIL.lower(), "other@mail.example"))
    ]
    report(database, other_site, now, email=EMAIL)
    return found


def everywhere(database: Database, word: str) -> set[str]:
    """The tables in which a text stands, whatever its case."""
    with database.read() as session:
        return {
            table.name
            for table in Base.metadata.sorted_tables
            for row in session.execute(text(f'SELECT * FROM "{table.name}"'))
            if word.lower() in repr(tuple(row)).lower()
        }


def test_all_that_is_kept_with_an_address_is_handed_out(
    database: Database, site: Site, reported: list[UUID], now: datetime
) -> None:
    with database.write() as session:
        found = readers.hand_out(session, site.id, f" {EMAIL.upper()} ", by="admin", now=now)
    first = found[0]
    assert first.pop("id")
    quote = {"type": "TextQuoteSelector", "exact": "word 0", "prefix": "hello ", "suffix": " text"}
    assert first == {
        "email": EMAIL, "email_confirmed_at": None, "created_at": "2026-03-01T12:00:00.000Z",
        "article": {"url": f"{ORIGIN}/a", "title": "The bus is late"}, "source": f"{ORIGIN}/a",
        "lang": "en", "selector": [quote], "suggestion": "world", "comment": None,
        "category": None, "has_network": False, "state": "new", "public_note": None,
    }  # fmt: skip
    assert [each["selector"][0]["exact"] for each in found] == ["word 0", "word 1"]
    with database.read() as session:
        [logged] = session.scalars(select(Audit).where(Audit.action == "reader.exported"))
    assert (logged.by, logged.after) == ("admin", {"reports": 2})
    assert everywhere(database, EMAIL) == {"reports"}


def test_erasing_takes_the_address_away_and_leaves_what_was_said(
    database: Database, site: Site, other_site: Site, reported: list[UUID], now: datetime
) -> None:
    with database.write() as session:
        assert readers.erase(session, site.id, EMAIL, by="admin", now=now) == 2
    with database.read() as session:
        rows = session.scalars(select(Report).where(Report.site_id == site.id).order_by(Report.id))
        assert [(row.email, row.exact) for row in rows] == [
            (None, "word 0"), (None, "word 1"), ("other@mail.example", "word 2"),
        ]  # fmt: skip
        [logged] = session.scalars(select(Audit).where(Audit.action == "reader.erased"))
        assert readers.kept(session, site.id, EMAIL) == []
        assert len(readers.kept(session, other_site.id, EMAIL)) == 1
    assert (logged.by, logged.after) == ("admin", {"reports": 2})
    with database.write() as session:
        readers.erase(session, other_site.id, EMAIL, by="admin", now=now)
    assert everywhere(database, EMAIL) == set()


def test_letter_that_has_not_left_is_dropped_and_forgotten(
    database: Database, site: Site, reported: list[UUID], now: datetime
) -> None:
    with database.write() as session:
        first = session.scalars(select(Report).order_by(Report.id)).first()
        assert first is not None
        letters.enqueue(session, site.id, answers.ANSWER, EMAIL, {}, now=now, subject_id=first.id)
        # Its address is handed over to the letter.
        first.email = None
    with database.write() as session:
        assert readers.erase(session, site.id, EMAIL, by="admin", now=now) == 2
    with database.read() as session:
        assert session.scalars(select(Delivery.state)).all() == [DeliveryState.DROPPED]
        assert session.scalars(select(Letter.recipient)).all() == [None]


def test_address_that_is_not_known_changes_nothing(
    database: Database, site: Site, reported: list[UUID], now: datetime
) -> None:
    for address in ("", "%", "stranger@mail.example"):
        with database.write() as session:
            assert readers.erase(session, site.id, address, by="admin", now=now) == 0
    assert everywhere(database, EMAIL) == {"reports"}
