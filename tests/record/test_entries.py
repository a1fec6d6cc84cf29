from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.db import Database
from service.errors import InvalidFields, NotFound
from service.models import Kind, Site
from service.record import entries
from service.record.entries import Narrowed
from tests.record.publishing import published

EVERYTHING = Narrowed()
FEBRUARY = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)


def walk(
    database: Database, site: Site, now: datetime, narrowed: Narrowed = EVERYTHING, limit: int = 200
) -> list[str]:
    """The words that all pages show, in their order."""
    found: list[str] = []
    cursor = None
    while True:
        with database.read() as session:
            page = entries.page(session, site, narrowed, now=now, limit=limit, cursor=cursor)
        assert len(page.entries) <= limit
        found += [entry["says"] or entry["kind"] for entry in page.entries]
        cursor = page.next
        if cursor is None:
            return found


@pytest.fixture
def filled(database: Database, site: Site, other_site: Site, now: datetime) -> dict[str, UUID]:
    """Five entries on two articles and in two months, and one of another site."""
    told: list[tuple[str, datetime, dict[str, Any]]] = [
        ("first", FEBRUARY, {"path": "/a"}),
        ("second", now, {"path": "/a", "note": "100% sure"}),
        ("third", now, {"path": "/b", "kind": Kind.CLARIFICATION}),
        ("fourth", now + timedelta(hours=1), {"path": "/b"}),
        ("fifth", now + timedelta(days=30, hours=12), {"path": "/a"}),
    ]
    made = {says: published(database, site, at, says=says, **more) for says, at, more in told}
    published(database, other_site, now, says="theirs", path="/a")
    return made


def test_page_is_newest_first_without_what_is_to_come(
    database: Database, site: Site, filled: dict[str, UUID], now: datetime
) -> None:
    assert walk(database, site, now) == ["third", "second", "first"]
    assert walk(database, site, now + timedelta(days=60)) == [
        "fifth", "fourth", "third", "second", "first",
    ]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
def test_pages_join_to_the_whole(
    database: Database, site: Site, filled: dict[str, UUID], now: datetime, limit: int
) -> None:
    late = now + timedelta(days=60)
    assert walk(database, site, late, limit=limit) == walk(database, site, late)


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        (Narrowed(url="https://NEWS.example/b?utm_source=x#top"), ["fourth", "third"]),
        (Narrowed(url="https://news.example/unknown"), []),
        (Narrowed(url="not an address"), []),
        (Narrowed(month="2026-02"), ["first"]),
        (Narrowed(month="2026-03"), ["fourth", "third", "second"]),
        (Narrowed(month="2026-12"), []),
        (Narrowed(kind=Kind.CLARIFICATION), ["third"]),
        (Narrowed(q="FOURTH"), ["fourth"]),
        (Narrowed(q="100%"), ["second"]),
        (Narrowed(q="%"), ["second"]),
        (Narrowed(q="/b"), ["fourth", "third"]),
        (Narrowed(q="theirs"), []),
        (Narrowed(month="2026-03", q="s", kind=Kind.CORRECTION), ["fourth", "second"]),
    ],
)
def test_page_is_narrowed(
    database: Database,
    site: Site,
    filled: dict[str, UUID],
    now: datetime,
    narrowed: Narrowed,
    expected: list[str],
) -> None:
    assert walk(database, site, now + timedelta(days=30), narrowed) == expected


def test_words_of_every_script_find_in_addresses(
    database: Database, site: Site, now: datetime
) -> None:
    published(database, site, now, path="/новини/київ")
    assert walk(database, site, now, Narrowed(q="/новини/київ")) == ["world"]
    assert walk(database, site, now, Narrowed(q="/новини/львів")) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("q", ["київ", "КИЇВ І", "столиця — к", "πόλη"])
def test_words_of_every_script_find_whatever_their_case(
    database: Database, site: Site, now: datetime, q: str
) -> None:
    # On PostgreSQL its locale decides, which is C in tests.
    published(database, site, now, says="Столиця — Київ і ΠΌΛΗ", note=None)
    published(database, site, now, says="Львів")
    assert walk(database, site, now, Narrowed(q=q)) == ["Столиця — Київ і ΠΌΛΗ"]


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-00", "0001-01", "9999-12", "2026-1"])
def test_page_refuses_a_month_that_is_none(
    database: Database, site: Site, now: datetime, month: str
) -> None:
    with pytest.raises(InvalidFields) as refused:
        walk(database, site, now, Narrowed(month=month))
    assert refused.value.errors[0]["pointer"] == "/month"


def test_page_refuses_a_cursor_of_another_record(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    theirs = published(database, other_site, now, says="theirs")
    for cursor in (theirs.hex, uuid4().hex, "x", str(theirs)):
        with database.read() as session, pytest.raises(InvalidFields) as refused:
            entries.page(session, site, Narrowed(), now=now, cursor=cursor)
        assert refused.value.errors[0]["pointer"] == "/cursor"


def test_of_article_tells_its_entries_alone(
    database: Database, site: Site, filled: dict[str, UUID], now: datetime
) -> None:
    with database.read() as session:
        found = entries.of_article(session, site, "https://news.example/a", now=now)
    assert [entry["says"] for entry in found] == ["second", "first"]


def test_find_tells_one_that_may_be_seen(
    database: Database, site: Site, other_site: Site, filled: dict[str, UUID], now: datetime
) -> None:
    with database.read() as session:
        assert entries.find(session, site, filled["first"], now=now)["says"] == "first"
        for asked, wanted in (
            (other_site, filled["first"]),
            (site, filled["fifth"]),
            (site, uuid4()),
        ):
            with pytest.raises(NotFound):
                entries.find(session, asked, wanted, now=now)


def test_months_are_those_with_entries(
    database: Database, site: Site, filled: dict[str, UUID], now: datetime
) -> None:
    with database.read() as session:
        assert entries.months(session, site, now=now) == ["2026-03", "2026-02"]


def test_changed_at_is_the_last_thing_that_readers_saw_change(
    database: Database, site: Site, filled: dict[str, UUID], now: datetime
) -> None:
    with database.read() as session:
        assert entries.changed_at(session, site, now=FEBRUARY) == FEBRUARY
        assert entries.changed_at(session, site, now=now) == now
        assert entries.changed_at(session, site, now=FEBRUARY - timedelta(days=1)) is None
