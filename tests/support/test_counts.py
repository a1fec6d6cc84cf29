from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from service.db import Database
from service.errors import InvalidFields
from service.models import Campaign, CountKind, Place, Site, SupportCount
from service.support import campaigns, counts, results
from service.support.campaigns import Draft
from tests.support.conftest import variant

VIEW, CLICK = CountKind.VIEW, CountKind.CLICK


@pytest.fixture
def campaign(
    database: Database, site: Site, now: datetime, draft: Callable[..., Draft]
) -> Campaign:
    with database.write() as session:
        wanted = draft(variants=[variant("a"), variant("b")])
        return campaigns.put(session, site.id, "autumn", wanted, by="admin@news.example", now=now)


def note(
    database: Database,
    campaign: Campaign,
    now: datetime,
    kind: CountKind = VIEW,
    variant: str = "a",
    place: Place = Place.BLOCK,
) -> None:
    with database.write() as session:
        counts.note(session, campaign, variant, place, kind, now=now)


def add(
    database: Database, campaign: Campaign, now: datetime, variant: str, views: int, clicks: int
) -> None:
    with database.write() as session:
        for kind, total in ((VIEW, views), (CLICK, clicks)):
            session.add(
                SupportCount(
                    campaign_id=campaign.id,
                    day=now.date(),
                    variant=variant,
                    place=Place.BLOCK,
                    kind=kind,
                    total=total,
                )
            )


def test_fifty_at_once_are_fifty(database: Database, campaign: Campaign, now: datetime) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: note(database, campaign, now), range(50)))
    with database.read() as session:
        assert session.scalars(select(SupportCount.total)).all() == [50]


def test_each_day_variant_place_and_kind_has_its_own_number(
    database: Database, campaign: Campaign, now: datetime
) -> None:
    note(database, campaign, now)
    note(database, campaign, now, place=Place.THANKS)
    note(database, campaign, now, variant="b")
    note(database, campaign, now, kind=CLICK)
    note(database, campaign, now + timedelta(days=1))
    note(database, campaign, now)
    with database.read() as session:
        rows = session.execute(
            select(
                SupportCount.day,
                SupportCount.variant,
                SupportCount.place,
                SupportCount.kind,
                SupportCount.total,
            )
        ).all()
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    assert {tuple(row) for row in rows} == {
        (first, "a", Place.BLOCK, VIEW, 2),
        (first, "a", Place.THANKS, VIEW, 1),
        (first, "b", Place.BLOCK, VIEW, 1),
        (first, "a", Place.BLOCK, CLICK, 1),
        (second, "a", Place.BLOCK, VIEW, 1),
    }


@pytest.mark.parametrize(
    ("variant", "place", "pointer"),
    [("c", Place.BLOCK, "/variant"), ("a", Place.BAR, "/place")],
)
def test_what_the_campaign_does_not_have_is_not_counted(
    database: Database,
    campaign: Campaign,
    now: datetime,
    variant: str,
    place: Place,
    pointer: str,
) -> None:
    with pytest.raises(InvalidFields) as refused:
        note(database, campaign, now, variant=variant, place=place)
    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]
    with database.read() as session:
        assert session.scalars(select(SupportCount.total)).all() == []


def test_clearly_better_variant_is_told(
    database: Database, campaign: Campaign, now: datetime
) -> None:
    add(database, campaign, now, "a", 80, 48)
    add(database, campaign, now, "b", 70, 56)
    with database.read() as session:
        first, second = results.compare(session, campaign, now.date(), now.date())
    assert (first.variant, first.against_first, first.is_different) == ("a", None, False)
    assert second.against_first is not None
    assert round(second.against_first.low, 4) == 0.0524
    assert round(second.against_first.high, 4) == 0.3339
    assert second.is_enough
    assert second.is_different


def test_too_little_is_said_to_be_too_little(
    database: Database, campaign: Campaign, now: datetime
) -> None:
    add(database, campaign, now, "a", 20, 1)
    add(database, campaign, now, "b", 100, 9)
    with database.read() as session:
        found = results.compare(session, campaign, now.date(), now.date())
        elsewhen = results.compare(session, campaign, date(2020, 1, 1), date(2020, 1, 2))
        days = results.by_day(session, campaign, now.date(), now.date())
    assert [(each.is_enough, each.is_different) for each in found] == [(False, False)] * 2
    assert [(each.share, each.against_first) for each in elsewhen] == [(None, None)] * 2
    assert [(each.day, each.totals[VIEW], each.totals[CLICK]) for each in days] == [
        (now.date(), 120, 10)
    ]


def test_more_clicks_than_views_are_no_share_over_one(
    database: Database, campaign: Campaign, now: datetime
) -> None:
    add(database, campaign, now, "a", 5, 9)
    with database.read() as session:
        first, _ = results.compare(session, campaign, now.date(), now.date())
    assert first.share is not None
    assert (first.share.estimate, first.share.high) == (1, 1)
