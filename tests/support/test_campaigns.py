from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from service import audits
from service.db import Database
from service.errors import InvalidFields, NotFound, StaleVersion
from service.models import Site
from service.support import campaigns
from service.support.campaigns import Draft
from tests.support.conftest import text, variant

Make = Callable[..., Draft]


def put(database: Database, site: Site, key: str, draft: Draft, now: datetime, **seen: Any) -> int:
    with database.write() as session:
        return campaigns.put(
            session, site.id, key, draft, by="admin@news.example", now=now, **seen
        ).version


def faults(database: Database, site: Site, key: str, draft: Draft, now: datetime) -> dict[str, str]:
    with pytest.raises(InvalidFields) as refused:
        put(database, site, key, draft, now)
    return {fault["pointer"]: fault["detail"] for fault in refused.value.errors}


def test_campaign_is_kept_whole_and_replaced_whole(
    database: Database, site: Site, now: datetime, draft: Make
) -> None:
    assert put(database, site, "autumn", draft(tags=["rivers"], quiet_days=7), now) == 1
    assert put(database, site, "autumn", draft(name="Late autumn"), now) == 2
    with database.read() as session:
        kept = campaigns.find(session, site.id, "autumn")
        assert (kept.name, kept.tags, kept.quiet_days) == ("Late autumn", [], 30)
        assert [each.key for each in campaigns.of_site(session, site.id)] == ["autumn"]


def test_what_becomes_of_a_campaign_is_in_the_log(
    database: Database, site: Site, now: datetime, draft: Make
) -> None:
    def logged() -> list[tuple[str, str, str, set[str]]]:
        with database.read() as session:
            found = audits.page(session, site.id).entries
            told = [each for each in found if each.action.startswith("campaign.")]
            return [(each.action, each.subject, each.by, set(each.after)) for each in told]

    put(database, site, "autumn", draft(), now)
    [made] = logged()
    assert made[:3] == ("campaign.made", "autumn", "admin@news.example")
    assert made[3] == set(Draft.__dataclass_fields__)
    put(database, site, "autumn", draft(), now)
    assert len(logged()) == 1
    other = draft(name="Late autumn", starts_at=now, variants=[variant(en=text("Other words"))])
    put(database, site, "autumn", other, now)
    assert logged()[0] == (
        "campaign.changed", "autumn", "admin@news.example", {"name", "starts_at", "variants"},
    )  # fmt: skip
    with database.write() as session:
        campaigns.remove(session, site.id, "autumn", by="admin@news.example", now=now)
    assert logged()[0] == ("campaign.removed", "autumn", "admin@news.example", set())


def test_campaign_of_another_site_is_not_found(
    database: Database, site: Site, other_site: Site, now: datetime, draft: Make
) -> None:
    put(database, other_site, "autumn", draft(), now)
    with database.write() as session:
        with pytest.raises(NotFound):
            campaigns.find(session, site.id, "autumn")
        with pytest.raises(NotFound):
            campaigns.remove(session, site.id, "autumn", by="admin@news.example", now=now)
        assert campaigns.find(session, other_site.id, "autumn").name == "Autumn"


def test_every_fault_is_told_at_its_field(
    database: Database, site: Site, now: datetime, draft: Make
) -> None:
    bad = {"label": " ", "url": "javascript:alert(1)"}
    wrong = draft(
        starts_at=now,
        ends_at=now,
        places=[],
        languages=["en", "uk"],
        image_url="ftp://news.example/a.png",
        link_parameters="utm_source={paper}",
        variants=[
            variant("a", 0, en=text(" ", ways=[])),
            variant("a", 0, en=text(ways=[bad], amounts=[bad]), uk=text()),
        ],
    )
    assert faults(database, site, "Autumn!", wrong, now) == {
        "/key": "1 to 40 of a to z, 0 to 9 and -, not beginning with -.",
        "/ends_at": "The end must come after the beginning.",
        "/places": "Choose at least one place.",
        "/image_url": "This is not an http or https address.",
        "/link_parameters": "There is no {paper}; there are campaign, place, site, variant.",
        "/variants": "At least one variant needs a weight over 0.",
        "/variants/0/key": "Another variant has this key.",
        "/variants/0/texts/uk": "The text in this language is missing.",
        "/variants/0/texts/en/title": "This must not be empty.",
        "/variants/0/texts/en/ways": "Name at least one way to support.",
        "/variants/1/key": "Another variant has this key.",
        "/variants/1/texts/en/ways/0/label": "This must not be empty.",
        "/variants/1/texts/en/ways/0/url": "This is not an http or https address.",
        "/variants/1/texts/en/amounts/0/label": "This must not be empty.",
        "/variants/1/texts/en/amounts/0/url": "This is not an http or https address.",
    }


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ("utm_source={site}&utm_medium={place}", None),
        ("utm_source=a b", "Write them as name=value&name=value."),
        ("utm_source", "Write them as name=value&name=value."),
        ("a=1&b=#x", "Write them as name=value&name=value."),
        ("a={site", "A brace is not closed."),
        ("a={}", "There is no {}; there are campaign, place, site, variant."),
        ("a={site:9}", "There is no {site:9}; there are campaign, place, site, variant."),
        ("a={site!r}", "There is no {site!r}; there are campaign, place, site, variant."),
        (
            "a={site.__class__}",
            "There is no {site.__class__}; there are campaign, place, site, variant.",
        ),
    ],
)
def test_link_parameters_name_only_what_there_is(
    database: Database, site: Site, now: datetime, draft: Make, parameters: str, fault: str | None
) -> None:
    wanted = draft(link_parameters=parameters)
    if fault is None:
        assert put(database, site, "autumn", wanted, now) == 1
    else:
        assert faults(database, site, "autumn", wanted, now) == {"/link_parameters": fault}


@pytest.mark.parametrize(
    ("changed", "meets"),
    [
        ({}, True),
        ({"places": ["bar"]}, False),
        ({"enabled": False}, False),
        ({"sections": ["sport"]}, True),
        ({"sections": ["culture"]}, False),
        ({"languages": ["uk"]}, True),
        ({"languages": ["uk-UA"]}, True),
        ({"languages": ["en-GB"]}, True),
        ({"languages": ["ukr"]}, False),
        ({"languages": ["fr"]}, False),
        ({"starts": 10, "ends": 20}, False),
        ({"starts": 9, "ends": 20}, True),
        ({"ends": 0}, False),
        ({"ends": 1}, True),
    ],
)
def test_two_campaigns_do_not_want_one_place_at_one_time(
    database: Database,
    site: Site,
    now: datetime,
    draft: Make,
    changed: dict[str, Any],
    meets: bool,
) -> None:
    first = draft(
        sections=["sport"] if "sections" in changed else [],
        languages=["en", "uk"] if "languages" in changed else [],
        variants=[variant(en=text(), uk=text())],
        starts_at=now,
        ends_at=now + timedelta(days=10),
    )
    put(database, site, "first", first, now)
    second = draft(
        **{k: v for k, v in changed.items() if k not in {"starts", "ends"}},
        variants=[variant(**dict.fromkeys(["en", "uk", *changed.get("languages", [])], text()))],
        starts_at=now + timedelta(days=changed["starts"]) if "starts" in changed else None,
        ends_at=now + timedelta(days=changed["ends"]) if "ends" in changed else None,
    )
    if meets:
        assert faults(database, site, "second", second, now) == {
            "/places": "The campaign 'Autumn' wants the same place at the same time."
        }
    else:
        assert put(database, site, "second", second, now) == 1


def test_second_of_two_editors_is_refused_and_loses_nothing_of_the_first(
    database: Database, site: Site, now: datetime, draft: Make
) -> None:
    put(database, site, "autumn", draft(), now)

    def change(name: str) -> bool:
        try:
            put(database, site, "autumn", draft(name=name), now, versions=frozenset({1}))
        except StaleVersion:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        kept = dict(zip("ab", pool.map(change, "ab"), strict=True))
    assert sorted(kept.values()) == [False, True]
    with database.read() as session:
        found = campaigns.find(session, site.id, "autumn")
        assert kept[found.name]
        assert found.version == 2


def test_campaign_that_somebody_made_meanwhile_is_not_overwritten(
    database: Database, site: Site, now: datetime, draft: Make
) -> None:
    put(database, site, "autumn", draft(), now)
    with pytest.raises(StaleVersion):
        put(database, site, "autumn", draft(name="Mine"), now, versions=frozenset({0}))


def test_only_what_runs_at_this_moment_is_running(
    database: Database, site: Site, now: datetime, draft: Make
) -> None:
    day = timedelta(days=1)
    put(database, site, "over", draft(ends_at=now), now)
    put(database, site, "runs", draft(starts_at=now, ends_at=now + day), now)
    put(database, site, "comes", draft(starts_at=now + day), now)
    put(database, site, "off", draft(enabled=False), now)
    with database.read() as session:
        for moment, keys in (
            (now - day, ["over"]),
            (now, ["runs"]),
            (now + day, ["comes"]),
        ):
            found = campaigns.running(session, site.id, now=moment)
            assert [each.key for each in found] == keys
