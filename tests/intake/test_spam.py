from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service import snapshots
from service.db import Database
from service.desk import changes
from service.desk.moves import By
from service.intake import NewReport, spam, submit
from service.intake.spam import Reason
from service.models import Correction, Event, Report, Site
from tests.conftest import ORIGIN

LONG = "The name of the minister is wrong."


def new(**fields: Any) -> NewReport:
    return NewReport(
        **{"source": f"{ORIGIN}/a", "exact": "wrold", "suggestion": "world", "start": 6, **fields}
    )


def keep(
    database: Database, site: Site, now: datetime, key: str, address: str = "", **fields: Any
) -> Report:
    with database.write() as session:
        submit(session, site, new(**fields), key=key, secret="s", now=now, address=address)
    with database.read() as session:
        return session.scalars(select(Report).where(Report.idempotency_key == key)).one()


def alone(**fields: Any) -> list[Reason]:
    return spam.alone(new(**fields), [ORIGIN], ["casino", "à la carte", "カジノ", "купить"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"website": "x"}, [Reason("trapped", 100)]),
        ({"seconds": 2.9}, [Reason("quick", 20)]),
        ({"seconds": 3}, []),
        ({"comment": f"See {ORIGIN}/b and www.news.example"}, []),
        ({"comment": "See http://a.example/?q=1 WWW.b.example"}, [Reason("links", 40, 2)]),
        ({"suggestion": "https://a.example " * 5}, [Reason("links", 60, 5)]),
        ({"comment": "http://[ http://user@x"}, [Reason("links", 40, 2)]),
        ({"comment": "Best CASINO!"}, [Reason("blocked-word", 50)]),
        ({"comment": "Best ca\u200bsi\u00adno"}, [Reason("blocked-word", 50)]),
        ({"comment": "casinos, occasion, casino-like"}, [Reason("blocked-word", 50)]),
        ({"comment": "casinos and occasions"}, []),
        ({"comment": "A\u0300 la  carte"}, [Reason("blocked-word", 50)]),
        ({"comment": "à la minute carte"}, []),
        ({"comment": "新しいカジノです"}, [Reason("blocked-word", 50)]),
        ({"comment": "КУПИТЬ сейчас"}, [Reason("blocked-word", 50)]),
    ],
)
def test_reasons_of_a_report_alone(fields: dict[str, Any], expected: list[Reason]) -> None:
    assert alone(**fields) == expected


def test_links_to_the_sites_own_name_in_letters_are_not_foreign() -> None:
    written = "https://новини.укр/b www.новини.укр https://xn--b1amarcd.xn--j1amh https://ні.укр"
    assert spam.foreign_links(written, ["https://xn--b1amarcd.xn--j1amh"]) == 1


def test_score_ends_at_a_hundred() -> None:
    assert spam.score(alone(website="x", comment="casino http://a.example")) == 100


def test_same_long_comment_adds_up(database: Database, site: Site, now: datetime) -> None:
    found = [
        keep(database, site, now, f"k{number}", source=f"{ORIGIN}/{number}", comment=LONG)
        for number in range(6)
    ]
    assert [report.spam_score for report in found] == [0, 15, 30, 45, 60, 60]
    assert [report.suspected for report in found] == [False] * 4 + [True] * 2
    assert found[2].spam_reasons == [{"reason": "repeated", "points": 30, "count": 2}]
    later = now + timedelta(days=1)
    assert keep(database, site, later, "later", comment=LONG.upper()).spam_score == 0


def test_same_short_comment_is_chance(database: Database, site: Site, now: datetime) -> None:
    assert [
        keep(database, site, now, f"k{number}", comment="A typo.").spam_score for number in range(5)
    ] == [0] * 5


def test_burst_of_one_network_counts(database: Database, site: Site, now: datetime) -> None:
    found = [
        keep(database, site, now, f"k{number}", f"203.0.113.{number}").spam_score
        for number in range(22)
    ]
    assert found == [0] * 10 + [20] * 10 + [40] * 2
    assert keep(database, site, now, "other", "203.0.114.1").spam_score == 0
    later = now + timedelta(minutes=10)
    assert keep(database, site, later, "later", "203.0.113.1").spam_score == 0


def test_score_over_the_threshold_is_suspected_and_told(
    database: Database, site: Site, now: datetime
) -> None:
    site.spam_threshold = 40
    links = "http://a.example http://b.example"
    report = keep(database, site, now, "k", comment=links)
    with database.read() as session:
        [told] = snapshots.of_corrections(session, [report.correction_id])
        events = session.scalars(select(Event.type)).all()
    spam_told = {"score": 40, "reasons": [{"reason": "links", "points": 40, "count": 2}]}
    assert (told["suspected"], told["spam"], told["reports"][0]["spam"]) == (
        True,
        spam_told,
        spam_told,
    )
    assert events == ["report.created"]


def test_suspected_report_leaves_the_passage_s_correction_alone(
    database: Database, site: Site, now: datetime
) -> None:
    good = keep(database, site, now, "good")
    bad = keep(database, site, now, "bad", website="x")
    worse = keep(database, site, now, "worse", website="y")
    again = keep(database, site, now, "again")
    assert good.correction_id == again.correction_id
    assert bad.correction_id == worse.correction_id != good.correction_id
    with database.read() as session:
        kept = {
            correction.id: (correction.suspected, correction.report_count)
            for correction in session.scalars(select(Correction))
        }
    assert kept == {good.correction_id: (False, 2), bad.correction_id: (True, 2)}


def test_freed_correction_takes_honest_reports_and_stays_free(
    database: Database, site: Site, now: datetime
) -> None:
    bad = keep(database, site, now, "bad", website="x")
    with database.write() as session:
        changes.change(
            session, site.id, bad.correction_id, {"suspected": False}, by=By("e", None), now=now
        )
    good = keep(database, site, now, "good")
    worse = keep(database, site, now, "worse", website="x")
    assert good.correction_id == bad.correction_id != worse.correction_id
    with database.read() as session:
        assert not session.get_one(Correction, bad.correction_id).suspected
