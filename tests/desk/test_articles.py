from datetime import datetime, timedelta

import pytest

from service.db import Database
from service.desk import articles, moves
from service.desk.moves import By, Decision
from service.errors import InvalidFields
from service.models import Site, State
from tests.conftest import ORIGIN
from tests.reporting import report


def rows(database: Database, site: Site, **asked: object) -> list[tuple[str, int, int]]:
    with database.read() as session:
        page = articles.page(session, site.id, **asked)  # type: ignore[arg-type]
    return [(row.url.removeprefix(ORIGIN), row.open, row.total) for row in page.rows]


@pytest.fixture(autouse=True)
def four(database: Database, site: Site, other_site: Site, now: datetime) -> None:
    """Articles with no, one, two and three open corrections, and a suspected one beside."""
    for article, words in (("/none", 1), ("/one", 1), ("/two", 2), ("/three", 3)):
        for number in range(words):
            found = report(
                database, site, now + timedelta(minutes=number), exact=f"word {number}", start=None,
                source=f"{ORIGIN}{article}", title=f"About {article[1:]} 100%",
            )  # fmt: skip
        if article == "/none":
            with database.write() as session:
                decision = Decision(State.REJECTED)
                moves.decide(session, site.id, found, decision, by=By("x"), now=now)
    report(database, site, now, exact="x", start=None, source=f"{ORIGIN}/one", website="robot")
    report(database, other_site, now)


def test_most_open_come_first_and_suspected_do_not_count(database: Database, site: Site) -> None:
    assert rows(database, site) == [("/three", 3, 3), ("/two", 2, 2), ("/one", 1, 1)]


def test_all_come_by_age(database: Database, site: Site) -> None:
    assert rows(database, site, only_open=False) == [
        ("/three", 3, 3), ("/two", 2, 2), ("/one", 1, 1), ("/none", 0, 1),
    ]  # fmt: skip


def test_words_of_title_and_address_find(database: Database, site: Site) -> None:
    assert rows(database, site, q="ABOUT two") == [("/two", 2, 2)]
    assert rows(database, site, q="news.example/one") == [("/one", 1, 1)]
    assert rows(database, site, q="none", only_open=False) == [("/none", 0, 1)]
    assert rows(database, site, q="100% one") == [("/one", 1, 1)]
    assert rows(database, site, q="_") == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_words_of_every_script_find_whatever_their_case(
    database: Database, site: Site, now: datetime
) -> None:
    # On PostgreSQL its locale decides, which is C in tests.
    report(database, site, now, source=f"{ORIGIN}/city", title="Київ чекає")
    assert rows(database, site, q="київ ЧЕКАЄ") == [("/city", 1, 1)]
    assert rows(database, site, q="львів") == []


@pytest.mark.parametrize("only_open", [True, False])
def test_pages_hold_each_article_once(database: Database, site: Site, only_open: bool) -> None:
    seen, cursor = [], ""
    while True:
        with database.read() as session:
            page = articles.page(session, site.id, only_open=only_open, cursor=cursor, limit=1)
        seen += [row.url.removeprefix(ORIGIN) for row in page.rows]
        if page.next is None:
            break
        cursor = page.next
    assert seen == [url for url, *_ in rows(database, site, only_open=only_open)]


@pytest.mark.parametrize("cursor", ["x", "1.", "1.zz", ".0", "99999999999." + "0" * 32])
def test_cursor_that_is_none_is_refused(database: Database, site: Site, cursor: str) -> None:
    with pytest.raises(InvalidFields):
        rows(database, site, cursor=cursor)
