"""Prepared statements: SQLAlchemy's types and errors, the driver's calls, on both databases."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Integer, String, Uuid, bindparam, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.db import Database, Prepared, UtcDateTime, among, new_id
from service.models import AnchorState, Article, Correction, Event, Site, State

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone(timedelta(hours=2)))
NEW = Prepared.insert(Article, "id site_id url title tags created_at")
IN_ENGLISH = Prepared.insert(Article, "id site_id url title lang tags created_at")
LEFT = Prepared.insert(Article, "id site_id url title tags created_at", or_leave=True)
BY_URL = Prepared(select(Article).where(Article.url == bindparam("url")).limit(1))
RENAME = Prepared(
    update(Article)
    .where(Article.url == bindparam("at"))
    .values(title=bindparam("to"))
    .returning(Article.id, Article.title)
)


def row(site: Site, url: str, **values: object) -> dict[str, object]:
    shared = {"site_id": site.id, "title": None, "tags": ["a", "б"], "created_at": NOW}
    return {"id": new_id(), "url": url, **shared, **values}


def test_types_go_in_and_come_out_as_the_models_say(database: Database, site: Site) -> None:
    new = row(site, "https://news.example/a")
    with database.write() as session:
        assert NEW.run(session, new) == 1
    with database.read() as session:
        found = BY_URL.one(session, {"url": new["url"]})
        assert BY_URL.one(session, {"url": "https://news.example/other"}) is None
        read = session.scalars(select(Article)).one()
    assert found == (
        new["id"], site.id, new["url"], None, None, None, ["a", "б"], NOW.astimezone(UTC),
    )  # fmt: skip
    assert found.created_at.tzinfo is UTC
    assert (read.id, read.tags, read.created_at) == (found.id, found.tags, found.created_at)


def test_many_rows_go_in_at_once_and_what_is_changed_comes_back(
    database: Database, site: Site
) -> None:
    rows = [row(site, f"https://news.example/{number}") for number in range(3)]
    with database.write() as session:
        assert NEW.run(session, *rows) == 3
        renamed = RENAME.all(session, {"at": rows[1]["url"], "to": "Б"})
    assert renamed == [(rows[1]["id"], "Б")]


def test_rows_for_many_values_come_in_their_order(database: Database, site: Site) -> None:
    locked = Prepared(
        select(Article.url, Article.id).where(Article.url == bindparam("url")).with_for_update()
    )
    rows = [row(site, f"https://news.example/{number}") for number in range(75)]
    wanted = [{"url": f"https://news.example/{number}"} for number in reversed(range(80))]
    with database.write() as session:
        assert LEFT.run(session, *rows) == 75
        found = locked.one_for(session, wanted)
        assert locked.all_for(session, []) == []
    assert found[:5] == [None] * 5
    assert found[5:] == [(made["url"], made["id"]) for made in reversed(rows)]


def test_many_values_are_told_apart_whatever_they_are(database: Database, site: Site) -> None:
    urls = ["", "NULL", '{"a,b}', "back\\slash", "%s %(url)s", "two\nlines", "ü'🙂"]
    wanted = Prepared(
        select(Article.url, Article.created_at).where(
            Article.site_id == bindparam("site"),
            Article.url == bindparam("url"),
            Article.created_at > bindparam("since"),
            (Article.title == bindparam("title")) | (Article.id == bindparam("known")),
            func.length(Article.url) < bindparam("most", type_=Integer),
            (Article.lang == "en") == bindparam("is_english"),
        )
    )
    rows = [row(site, url, title="t", lang="en") for url in urls]
    shared = {"site": site.id, "since": NOW - timedelta(days=1), "title": "t", "known": None}
    shared |= {"most": 2000, "is_english": True}
    asked = [{**shared, "url": url} for url in urls]
    asked += [
        {**shared, "url": "NULL", **one}
        for one in (
            {"since": NOW},
            {"title": None},
            {"title": None, "known": rows[1]["id"]},
            {"most": 4},
            {"is_english": False},
            {"url": None},
        )
    ]
    with database.write() as session:
        IN_ENGLISH.run(session, *rows)
        found = wanted.one_for(session, asked)
        nothing = wanted.one_for(session, [{**shared, "url": None}] * 3)
    assert [each and each.url for each in found] == [*urls, None, None, "NULL", None, None, None]
    assert found[0].created_at == NOW
    assert nothing == [None] * 3


def test_columns_may_be_named_by_words_of_the_language(database: Database, site: Site) -> None:
    words = Prepared.insert(
        Correction, "id state site_id article_id prefix suffix start end anchor_state created_at"
        " updated_at version suspected report_count",
    )  # fmt: skip
    article = row(site, "https://news.example/a")
    shared = {"site_id": site.id, "article_id": article["id"], "prefix": "", "suffix": ""}
    shared |= {"state": State.NEW, "anchor_state": AnchorState.EXACT, "report_count": 1}
    shared |= {"created_at": NOW, "updated_at": NOW, "version": 1, "suspected": False}
    with database.write() as session:
        NEW.run(session, article)
        made = [{"id": new_id(), "start": n, "end": n + 1, **shared} for n in range(3)]
        assert words.run(session, *made) == 3
    with database.read() as session:
        ends = session.scalars(select(Correction.end).order_by(Correction.end)).all()
    assert ends == [1, 2, 3]


def test_what_is_there_already_is_left_or_is_the_databases_refusal(
    database: Database, site: Site
) -> None:
    with database.write() as session:
        assert LEFT.run(session, row(site, "https://news.example/a", title="first")) == 1
        assert LEFT.run(session, row(site, "https://news.example/a", title="second")) == 0
    with pytest.raises(IntegrityError), database.write() as session:
        NEW.run(session, row(site, "https://news.example/a", title="third"))
    with database.read() as session:
        assert [
            found.title for found in BY_URL.all(session, {"url": "https://news.example/a"})
        ] == ["first"]


def test_what_the_session_holds_back_is_written_first(database: Database, site: Site) -> None:
    with database.write() as session:
        session.add(Article(site_id=site.id, url="https://news.example/a", created_at=NOW))
        assert BY_URL.one(session, {"url": "https://news.example/a"}).site_id == site.id


def test_lost_connection_is_given_up(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    ask = Prepared(select(Event.id).limit(1))
    kill = text("SELECT pg_terminate_backend(:pid)")
    with pytest.raises(DBAPIError) as refused, database.read() as session, database.read() as other:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        other.execute(kill, {"pid": pid})
        ask.one(session, {})
    assert refused.value.connection_invalidated
    with database.read() as session:
        assert ask.one(session, {}) is None
    database.dispose()


def test_many_rows_are_changed_each_by_its_own_values(database: Database, site: Site) -> None:
    rows = [row(site, f"https://news.example/{number}") for number in range(4)]
    rename = Prepared.each(
        lambda given: (
            update(Article)
            .where(Article.id == given["key"])
            .values(title=given["title"], created_at=given["at"])
        ),
        key=Uuid(),
        title=String(),
        at=UtcDateTime(),
    )
    later = NOW + timedelta(days=1)
    with database.write() as session:
        NEW.run(session, *rows)
        told = [('Б "q" \\ {1}', later), (None, NOW)]
        pairs = zip(rows, told, strict=False)
        given = [{"key": r["id"], "title": title, "at": at} for r, (title, at) in pairs]
        assert rename.run(session, *given) == 2
        assert rename.run(session, {"key": rows[2]["id"], "title": "one", "at": NOW}) == 1
    with database.read() as session:
        found = session.execute(select(Article.title, Article.created_at).order_by(Article.id))
        assert [tuple(each) for each in found] == [*told, ("one", NOW), (None, NOW)]


def test_among_a_list_of_any_length(database: Database, site: Site) -> None:
    rows = [row(site, f"https://news.example/{number}") for number in range(3)]
    wanted = Prepared(
        lambda dialect: (
            select(Article.url)
            .where(among(Article.id, "ids", dialect), Article.tags == ["a", "б"])
            .order_by(Article.id)
        )
    )
    with database.write() as session:
        NEW.run(session, *rows)
        for ids in ([], [rows[1]], rows[1:]):
            found = wanted.all(session, {"ids": [each["id"] for each in ids]})
            assert [each.url for each in found] == [each["url"] for each in ids]


def test_many_rows_of_which_one_is_refused_are_the_databases_refusal(
    database: Database, site: Site
) -> None:
    twice = [row(site, "https://news.example/a"), row(site, "https://news.example/a")]
    with pytest.raises(IntegrityError), database.write() as session:
        NEW.run(session, *twice)
    with database.read() as session:
        assert session.scalars(select(Article)).all() == []
