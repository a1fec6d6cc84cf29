from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import event

from service.db import Database
from service.desk import changes, moves, queue
from service.desk.filters import Filters
from service.desk.moves import By, Decision
from service.desk.queue import Count, Sort
from service.errors import InvalidFields
from service.models import Editor, Site, State
from tests.reporting import report


def ids(database: Database, site: Site, sort: Sort = Sort.NEWEST, **filters: object) -> list[UUID]:
    with database.read() as session:
        found = queue.page(session, site.id, Filters(**filters), sort=sort)  # type: ignore[arg-type]
    assert found.next is None
    return list(found.ids)


@pytest.fixture
def words(database: Database, site: Site, other_site: Site, now: datetime) -> dict[str, UUID]:
    """Three corrections of the site, the second with three reports; one of another site."""
    report(database, other_site, now)
    found = {}
    for exact, start, reports in [("wrold", 6, 1), ("thier", 40, 3), ("слвоо", 80, 2)]:
        for _ in range(reports):
            found[exact] = report(
                database, site, now, exact=exact, start=start, suggestion=f"better {exact}"
            )
    return found


def test_newest_and_oldest_are_opposite(
    database: Database, site: Site, words: dict[str, UUID]
) -> None:
    assert ids(database, site, Sort.OLDEST) == list(words.values())
    assert ids(database, site, Sort.NEWEST) == list(words.values())[::-1]


def test_most_reported_comes_first(database: Database, site: Site, words: dict[str, UUID]) -> None:
    assert ids(database, site, Sort.MOST_REPORTED) == [
        words["thier"],
        words["слвоо"],
        words["wrold"],
    ]


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST, Sort.MOST_REPORTED])
def test_pages_hold_each_correction_once(
    database: Database, site: Site, words: dict[str, UUID], sort: Sort
) -> None:
    seen: list[UUID] = []
    cursor = None
    for _ in words:
        with database.read() as session:
            found = queue.page(session, site.id, Filters(), sort=sort, limit=1, cursor=cursor)
        seen += found.ids
        cursor = found.next
    assert cursor is None
    assert seen == ids(database, site, sort)


@pytest.mark.parametrize(
    "cursor", ["x", "=", "%", "bmV3ZXN0", "bmV3ZXN0OjE6eno", "ñ", "a" * 199, "bmV3ZXN0OjE6\n"]
)
def test_cursor_that_is_none_is_refused(database: Database, site: Site, cursor: str) -> None:
    with database.read() as session, pytest.raises(InvalidFields) as refused:
        queue.page(session, site.id, Filters(), cursor=cursor)
    assert refused.value.errors[0]["pointer"] == "/cursor"


def test_cursor_of_another_sort_is_refused(
    database: Database, site: Site, words: dict[str, UUID]
) -> None:
    with database.read() as session:
        cursor = queue.page(session, site.id, Filters(), sort=Sort.NEWEST, limit=1).next
        with pytest.raises(InvalidFields):
            queue.page(session, site.id, Filters(), sort=Sort.OLDEST, cursor=cursor)


def test_filters_narrow(
    database: Database, site: Site, editor: Editor, words: dict[str, UUID], now: datetime
) -> None:
    with database.write() as session:
        moves.decide(
            session,
            site.id,
            words["thier"],
            Decision(State.ACCEPTED),
            by=By("token:tests"),
            now=now,
        )
        changes.change(
            session, site.id, words["wrold"], {"assignee": editor.email}, by=By("tests"), now=now
        )
    elsewhere = report(database, site, now, source="https://news.example/b", title="Слово дня")
    assert ids(database, site, state=State.ACCEPTED) == [words["thier"]]
    assert ids(database, site, assignee=" Editor@news.example ") == [words["wrold"]]
    assert ids(database, site, article="https://news.example/b?utm_source=x#top") == [elsewhere]
    assert ids(database, site, article="not an address") == []
    assert ids(database, site, q="слв") == [words["слвоо"]]
    assert ids(database, site, q="THIER") == [words["thier"]]
    assert ids(database, site, q="better w") == [words["wrold"]]
    assert ids(database, site, q="%") == []
    assert ids(database, site, q="Слово дня") == [elsewhere]


def test_suspected_are_listed_only_when_asked_for(
    database: Database, site: Site, words: dict[str, UUID], now: datetime
) -> None:
    trapped = report(database, site, now, website="spam")
    assert trapped not in ids(database, site)
    assert ids(database, site, suspected=True) == [trapped]


def test_counts_leave_the_state_out_of_the_filters(
    database: Database, site: Site, words: dict[str, UUID], now: datetime
) -> None:
    report(database, site, now, website="spam")
    with database.write() as session:
        moves.decide(
            session, site.id, words["wrold"], Decision(State.FIXED), by=By("token:tests"), now=now
        )
    with database.read() as session:
        counted = queue.count(session, site.id, Filters(state=State.FIXED))
        narrowed = queue.count(session, site.id, Filters(q="слв"))
    numbers = {"new": 2, "accepted": 0, "fixed": 1, "rejected": 0, "spam": 0, "suspected": 1}
    assert counted == {name: Count(number) for name, number in numbers.items()}
    assert narrowed == {name: Count(int(name == "new")) for name in numbers}


def test_no_ids_are_looked_for_nowhere(database: Database, site: Site) -> None:
    asked: list[str] = []

    def keep(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    with database.read() as session:
        session.connection()
        event.listen(database.engine, "before_cursor_execute", keep)
        found = queue.of_site(session, site.id, [])
        event.remove(database.engine, "before_cursor_execute", keep)
    assert (found, asked) == ([], [])
