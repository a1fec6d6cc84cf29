from collections.abc import Callable
from datetime import datetime

import pytest

from service import audits
from service.db import Database
from service.errors import InvalidFields, StaleVersion
from service.models import Site
from service.support import asks, campaigns, lines
from service.support.campaigns import Draft
from service.support.lines import Lines
from tests.support.conftest import text, variant


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/", "https://a.example/?u=1"),
        ("https://a.example/?x=2", "https://a.example/?x=2&u=1"),
        ("https://a.example/p#part", "https://a.example/p?u=1#part"),
    ],
)
def test_parameters_join_the_query(url: str, expected: str) -> None:
    assert asks.with_parameters(url, "u=1") == expected
    assert asks.with_parameters(url, "") == url


def test_ask_speaks_the_pages_language_else_the_sites(
    database: Database, site: Site, now: datetime, draft: Callable[..., Draft]
) -> None:
    spoken = variant(en=text("English"), pt=text("Português"), uk=text("Українською"))
    with database.write() as session:
        campaigns.put(
            session, site.id, "autumn", draft(variants=[spoken]), by="admin@news.example", now=now
        )
    titles = {}
    with database.read() as session:
        for locale in ("uk", "pt-BR", "UK-ua", "de", ""):
            [ask] = asks.shown(session, site, locale, now=now)
            titles[locale] = ask["variants"][0]["title"]
    assert titles == {
        "uk": "Українською",
        "pt-BR": "Português",
        "UK-ua": "Українською",
        "de": "English",
        "": "English",
    }


def test_ask_speaks_any_language_where_the_sites_has_changed(
    database: Database, site: Site, now: datetime, draft: Callable[..., Draft]
) -> None:
    with database.write() as session:
        campaigns.put(
            session, site.id, "autumn", draft(variants=[variant(en=text("English"))]),
            by="admin@news.example", now=now,
        )  # fmt: skip
        session.merge(site).language = "de"
    with database.read() as session:
        moved = session.get_one(Site, site.id)
        for locale in ("uk", "de", "en"):
            [ask] = asks.shown(session, moved, locale, now=now)
            assert ask["variants"][0]["title"] == "English"


def test_ask_for_some_languages_is_not_shown_in_others(
    database: Database, site: Site, now: datetime, draft: Callable[..., Draft]
) -> None:
    spoken = variant(en=text(), uk=text())
    with database.write() as session:
        wanted = draft(variants=[spoken], languages=["uk"])
        campaigns.put(session, site.id, "autumn", wanted, by="admin@news.example", now=now)
    with database.read() as session:
        assert [len(asks.shown(session, site, each, now=now)) for each in ("uk-UA", "en")] == [1, 0]


def test_links_say_where_they_stood(
    database: Database, site: Site, now: datetime, draft: Callable[..., Draft]
) -> None:
    amount = {"label": "5", "url": "https://pay.example/?sum=5"}
    wanted = draft(
        link_parameters="utm_source={site}&utm_medium={place}&utm_content={campaign}-{variant}",
        variants=[variant(en=text(amounts=[amount]))],
    )
    with database.write() as session:
        campaigns.put(session, site.id, "autumn", wanted, by="admin@news.example", now=now)
    with database.read() as session:
        [ask] = asks.shown(session, site, "en", now=now)
    added = "utm_source=the-daily&utm_medium={place}&utm_content=autumn-a"
    [shown] = ask["variants"]
    assert shown["ways"][0]["url"] == f"https://news.example/patrons?{added}"
    assert shown["amounts"][0]["url"] == f"https://pay.example/?sum=5&{added}"


def test_lines_are_off_until_written(database: Database, site: Site, now: datetime) -> None:
    with database.read() as session:
        assert asks.lines(session, site, "en") == {"appeal": None, "quote": None}
    wanted = Lines("all", {"en": "Please let us show notices."}, 500, {"en": "At most {n}."})
    with database.write() as session:
        lines.put(session, site, wanted, by="admin@news.example", now=now, seen=0)
    with database.read() as session:
        assert asks.lines(session, site, "uk") == {
            "appeal": {"to": "all", "text": "Please let us show notices."},
            "quote": {"from": 500, "text": "At most {n}."},
        }
        [noted] = audits.page(session, site.id, action="support_lines.changed").entries
    assert (noted.action, noted.by, noted.after) == (
        "support_lines.changed",
        "admin@news.example",
        {
            "appeal_to": "all", "appeal_texts": {"en": "Please let us show notices."},
            "quote_from": 500, "quote_texts": {"en": "At most {n}."},
        },
    )  # fmt: skip


def test_lines_are_checked_and_kept_by_the_first(
    database: Database, site: Site, now: datetime
) -> None:
    with database.write() as session, pytest.raises(InvalidFields) as refused:
        lines.put(
            session, site, Lines("some", {"en": " "}, 5, {}), by="admin@news.example", now=now
        )
    assert [fault["pointer"] for fault in refused.value.errors] == [
        "/appeal_to",
        "/appeal_texts/en",
        "/quote_from",
        "/quote_texts/en",
    ]
    with database.write() as session:
        lines.put(session, site, Lines(), by="admin@news.example", now=now, seen=0)
    with database.write() as session, pytest.raises(StaleVersion):
        lines.put(session, site, Lines(), by="admin@news.example", now=now, seen=0)
