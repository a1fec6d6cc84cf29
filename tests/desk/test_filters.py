from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from service.db import Database
from service.desk import changes, filters, moves, queue
from service.desk.filters import Age, Filters, bounds
from service.desk.moves import By, Decision
from service.desk.queue import Count, Sort
from service.models import AnchorState, Category, Correction, Editor, Site, State
from tests.reporting import report

BY = By("token:tests")


def found(database: Database, site: Site, **fields: Any) -> list[UUID]:
    with database.read() as session:
        return list(queue.page(session, site.id, Filters(**fields), sort=Sort.OLDEST).ids)


@pytest.fixture
def made(database: Database, site: Site, now: datetime) -> list[UUID]:
    """Three corrections: a typo in English, a fact in Ukrainian a week ago, two reports in none."""
    long_ago = now - timedelta(days=8)
    first = report(database, site, now, category=Category.TYPO)
    second = report(
        database, site, long_ago, category=Category.FACT, lang="uk",
        source="https://news.example/uk", exact="слвоо", suggestion="слово",
    )  # fmt: skip
    for _ in range(2):
        third = report(
            database, site, now, lang=None, source="https://news.example/c", exact="thier"
        )
    return [first, second, third]


def test_each_filter_narrows(
    database: Database, site: Site, editor: Editor, made: list[UUID], now: datetime
) -> None:
    first, second, third = made
    with database.write() as session:
        changes.change(session, site.id, first, {"assignee": editor.email}, by=BY, now=now)
        session.execute(
            update(Correction)
            .where(Correction.id == third)
            .values(anchor_state=AnchorState.CHANGED)
        )
    assert found(database, site, category=Category.FACT) == [second]
    assert found(database, site, language="uk") == [second]
    assert found(database, site, reports=2) == [third]
    assert found(database, site, anchor=AnchorState.CHANGED) == [third]
    assert found(database, site, assignee="nobody") == [second, third]
    assert found(database, site, assignee=editor.email) == [first]
    ages = {age: bounds(age, now) for age in Age}
    by_age = {
        age: found(database, site, since=since, until=until) for age, (since, until) in ages.items()
    }
    assert by_age == {
        Age.LAST_DAY: [first, third],
        Age.LAST_WEEK: [first, third],
        Age.OVER_WEEK: [second],
        Age.OVER_MONTH: [],
    }
    assert found(database, site, q="слово", category=Category.FACT, language="uk") == [second]
    assert found(database, site, q="слово", category=Category.TYPO) == []


def test_frequent_language_is_found_as_well(
    database: Database, site: Site, made: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "FEW", 0)
    assert found(database, site, language="uk") == [made[1]]
    with database.read() as session:
        assert queue.count(session, site.id, Filters(language="uk"))["new"] == Count(1)


def test_languages_are_those_of_the_sites_articles(
    database: Database, site: Site, other_site: Site, made: list[UUID], now: datetime
) -> None:
    report(database, other_site, now, lang="de")
    with database.read() as session:
        assert filters.languages(session, site.id) == ["en", "uk"]


def test_all_that_was_called_spam_is_in_one_list(
    database: Database, site: Site, made: list[UUID], now: datetime
) -> None:
    trapped = report(database, site, now, website="spam")
    with database.write() as session:
        for each in (made[0], trapped):
            moves.decide(session, site.id, each, Decision(State.SPAM), by=BY, now=now)
    assert found(database, site, state=State.SPAM, suspected=None) == [made[0], trapped]


def test_counts_of_a_narrowed_list_say_where_they_stop(
    database: Database, site: Site, made: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrowed = Filters(category=Category.FACT)
    with database.read() as session:
        whole = queue.count(session, site.id, narrowed)
        monkeypatch.setattr(queue, "LOOK", 2)
        looked = queue.count(session, site.id, narrowed)
    assert whole["new"] == Count(1)
    assert looked["new"] == Count(1, is_whole=False)
    assert looked["fixed"] == Count(0)


def test_pages_by_article_keep_each_article_together_as_it_is_read(
    database: Database, site: Site, now: datetime
) -> None:
    ids: dict[str, UUID] = {}
    for path, start in [("a", 60), ("b", 10), ("a", 20), ("b", 90), ("a", 40)]:
        name = f"{path}{start}"
        ids[name] = report(
            database, site, now, source=f"https://news.example/{path}", exact=name, start=start
        )
    with database.read() as session:
        whole = queue.page(session, site.id, Filters(), sort=Sort.BY_ARTICLE)
        first = queue.page(session, site.id, Filters(), sort=Sort.BY_ARTICLE, limit=2)
        rest = queue.page(session, site.id, Filters(), sort=Sort.BY_ARTICLE, cursor=first.next)
    assert whole.ids == [ids[name] for name in ("b10", "b90", "a20", "a40", "a60")]
    assert [*first.ids, *rest.ids] == whole.ids
    assert rest.next is None
