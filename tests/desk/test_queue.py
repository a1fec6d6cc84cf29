from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, update

from service import documents
from service.db import Database
from service.desk import changes, moves, queue
from service.desk.filters import Filters
from service.desk.moves import By, Decision
from service.desk.queue import Count, Sort
from service.errors import InvalidFields
from service.models import Correction, Document, Editor, Site, State
from service.seed.sow import Plan, sow
from tests.plans import plans
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


SORTS = [*Sort]


def walk(database: Database, site: Site, sort: Sort, filters: Filters) -> list[UUID]:
    """All pages of one each."""
    seen: list[UUID] = []
    cursor = None
    while True:
        with database.read() as session:
            found = queue.page(session, site.id, filters, sort=sort, limit=1, cursor=cursor)
        seen += found.ids
        cursor = found.next
        if cursor is None:
            return seen


@pytest.fixture
def many(database: Database, site: Site) -> list[Correction]:
    """Corrections in every state, some of them suspected."""
    until = datetime(2026, 2, 1, tzinfo=UTC)
    sow(database, site, Plan(80, until.timestamp(), random_seed=5), people=[], secret="a")
    with database.write() as session:
        some = select(Correction.id).order_by(Correction.passage_hash, Correction.id).limit(30)
        session.execute(update(Correction).where(Correction.id.in_(some)).values(suspected=True))
    with database.read() as session:
        return list(session.scalars(select(Correction)))


ORDERS: dict[Sort, Any] = {
    Sort.NEWEST: lambda each: [-each.id.int],
    Sort.OLDEST: lambda each: [each.id.int],
    Sort.MOST_REPORTED: lambda each: [-each.report_count, -each.id.int],
    Sort.BY_ARTICLE: lambda each: [-each.article_id.int, -each.id.int],
}


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("suspected", [False, None])
def test_pages_of_every_state_are_in_order(
    database: Database, site: Site, many: list[Correction], sort: Sort, suspected: bool | None
) -> None:
    expected = sorted(
        (each for each in many if suspected in {None, each.suspected}), key=ORDERS[sort]
    )
    assert len({each.state for each in expected}) == 5
    found = walk(database, site, sort, Filters(suspected=suspected))
    assert found == [each.id for each in expected]


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST, Sort.MOST_REPORTED])
@pytest.mark.parametrize(
    ("few", "look", "regions", "near", "spare"),
    [
        (10_000, 1, (), 1_000, 2),
        (10_000, 1, (), 2, 2),
        (2, 1, (), 1_000, 2),
        (2, 20, (), 1_000, 2),
        (2, 1_000, (), 1_000, 2),
        (2, 1, (20, 40), 1_000, 2),
        (2, 1, (40, 1_000), 1_000, 2),
        (2, 1, (40, 1_000), 1_000, 1),
        (2, 1, (40, 1_000), 5, 2),
    ],
)
def test_pages_of_a_search_are_the_same_whichever_way_they_are_found(
    database: Database,
    site: Site,
    many: list[Correction],
    sort: Sort,
    few: int,
    look: int,
    regions: tuple[int, ...],
    near: int,
    spare: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "FEW", few)
    monkeypatch.setattr(queue, "LOOK_FIRST", 1)
    monkeypatch.setattr(queue, "LOOK", look)
    monkeypatch.setattr(queue, "REGIONS", regions)
    with database.read() as session:
        holds = select(Document.correction_id).where(Document.text.contains("story"))
        has = set(session.scalars(holds))
    monkeypatch.setattr(documents, "NEAR", near)
    monkeypatch.setattr(queue, "NEAR", near)
    monkeypatch.setattr(queue, "SPARE", spare)
    expected = [
        each.id for each in sorted(many, key=ORDERS[sort]) if each.id in has and not each.suspected
    ]
    assert len(expected) > 3
    assert walk(database, site, sort, Filters(q="story")) == expected


@pytest.mark.parametrize("few", [10_000, 2])
def test_counts_of_a_search_are_the_same_whichever_way_they_are_found(
    database: Database,
    site: Site,
    many: list[Correction],
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "FEW", few)
    with database.read() as session:
        holds = select(Document.correction_id).where(Document.text.contains("story"))
        has = set(session.scalars(holds))
        counted = queue.count(session, site.id, Filters(q="story", state=State.FIXED))
    found = [each for each in many if each.id in has]
    listed = [each.state.value for each in found if not each.suspected]
    expected = {name: listed.count(name) for name in ("new", "accepted", "fixed", "rejected")}
    expected["spam"] = sum(each.state is State.SPAM for each in found)
    expected["suspected"] = sum(each.suspected and each.state is State.NEW for each in found)
    assert min(expected["fixed"], expected["suspected"]) > 0
    assert counted == {name: Count(number) for name, number in expected.items()}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("suspected", [False, None])
def test_no_page_looks_at_more_than_it_shows(
    database: Database, site: Site, sort: Sort, suspected: bool | None
) -> None:
    filters = Filters(suspected=suspected)
    steps = plans(database, lambda session: queue.page(session, site.id, filters, sort=sort))
    looked = [step for step in steps if "SEARCH corrections" in step]
    has_states = sort in {Sort.MOST_REPORTED, Sort.BY_ARTICLE}
    led_by = "site_id=? AND suspected=?" + " AND state=?" * has_states
    assert len(looked) == (2 if suspected is None else 1) * (5 if has_states else 1)
    assert all(f"({led_by})" in step for step in looked)
    for before, step in pairwise(steps):
        # What is sorted are pages, where several are put together.
        assert step != "USE TEMP B-TREE FOR ORDER BY" or before.startswith("SCAN anon")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_search_for_what_few_have_looks_at_those(
    database: Database, site: Site, many: list[Correction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LOOK_FIRST", 1)
    asked = Filters(q="story", state=State.FIXED)
    steps = plans(database, lambda session: queue.page(session, site.id, asked))
    first, *others = [step for step in steps if "corrections USING INDEX" in step]
    assert "site_id=?" in first
    assert others
    assert all(step.endswith("(id=?)") for step in others)
