from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.dispatch.schedule import GATHER, due_at
from service.models import Channel, Medium, Pace

KYIV, NEW_YORK = "Europe/Kyiv", "America/New_York"


def channel(pace: Pace, zone: str = KYIV, **more: int) -> Channel:
    return Channel(medium=Medium.MAIL, pace=pace, zone=zone, **{"hour": 9, **more})


def local(text: str, zone: str = KYIV, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def told(made: Channel, at: datetime) -> str:
    """When it is told, by its own clock."""
    due = due_at(made, at)
    assert due >= at.astimezone(UTC)
    return due.astimezone(ZoneInfo(made.zone)).strftime("%m-%d %H:%M %Z")


def test_due_at_once_waits_for_the_rest_of_a_burst() -> None:
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert due_at(channel(Pace.AT_ONCE), at) == at + GATHER == at + timedelta(seconds=20)


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-01-15T10:00:00", "01-15 11:00 EET"),
        ("2026-01-15T10:59:59", "01-15 11:00 EET"),
        ("2026-01-15T23:30:00", "01-16 00:00 EET"),
        ("2026-03-29T02:30:00", "03-29 04:00 EEST"),
    ],
)
def test_due_at_the_next_full_hour(at: str, due: str) -> None:
    assert told(channel(Pace.HOURLY), local(at)) == due


def test_due_at_the_next_full_hour_where_zones_differ_by_minutes() -> None:
    made = channel(Pace.HOURLY, "Asia/Kathmandu")
    assert told(made, local("2026-01-15T10:20:00", "Asia/Kathmandu")) == "01-15 11:00 +0545"


def test_due_every_hour_of_the_night_that_has_one_twice() -> None:
    made, at, hours = channel(Pace.HOURLY), local("2026-10-25T01:30:00"), []
    for _ in range(4):
        hours.append(told(made, at))
        at = due_at(made, at)
    assert hours == ["10-25 02:00 EEST", "10-25 03:00 EEST", "10-25 03:00 EET", "10-25 04:00 EET"]


@pytest.mark.parametrize(
    ("zone", "hour", "at", "due"),
    [
        (KYIV, 9, "2026-01-15T08:59:59", "01-15 09:00 EET"),
        (KYIV, 9, "2026-01-15T09:00:00", "01-16 09:00 EET"),
        (KYIV, 9, "2026-03-28T10:00:00", "03-29 09:00 EEST"),
        (KYIV, 9, "2026-10-24T10:00:00", "10-25 09:00 EET"),
        # The hour is skipped: as much after the gap as it would be after two.
        (KYIV, 3, "2026-03-29T00:00:00", "03-29 04:00 EEST"),
        (NEW_YORK, 2, "2026-03-08T00:00:00", "03-08 03:00 EDT"),
        # The hour comes twice: the first one counts, and only that.
        (KYIV, 3, "2026-10-25T00:00:00", "10-25 03:00 EEST"),
        (NEW_YORK, 1, "2026-11-01T00:00:00", "11-01 01:00 EDT"),
        (NEW_YORK, 0, "2026-12-31T12:00:00", "01-01 00:00 EST"),
    ],
)
def test_due_daily(zone: str, hour: int, at: str, due: str) -> None:
    assert told(channel(Pace.DAILY, zone, hour=hour), local(at, zone)) == due


def test_due_daily_in_the_hours_second_coming_is_tomorrow() -> None:
    made = channel(Pace.DAILY, hour=3)
    assert told(made, local("2026-10-25T03:10:00", fold=1)) == "10-26 03:00 EET"


@pytest.mark.parametrize(
    ("begin", "end", "at", "due"),
    [
        (22 * 60, 7 * 60, "2026-01-15T21:59:00", "01-15 21:59 EET"),
        (22 * 60, 7 * 60, "2026-01-15T22:00:00", "01-16 07:00 EET"),
        (22 * 60, 7 * 60, "2026-01-15T03:00:00", "01-15 07:00 EET"),
        (22 * 60, 7 * 60, "2026-01-15T07:00:00", "01-15 07:00 EET"),
        (12 * 60, 13 * 60 + 30, "2026-01-15T12:10:00", "01-15 13:30 EET"),
        (12 * 60, 13 * 60 + 30, "2026-01-15T13:30:00", "01-15 13:30 EET"),
        (9 * 60, 9 * 60, "2026-01-15T09:00:00", "01-15 09:00 EET"),
        # The end is skipped, or comes twice.
        (22 * 60, 3 * 60 + 30, "2026-03-29T01:00:00", "03-29 04:30 EEST"),
        (22 * 60, 3 * 60 + 30, "2026-10-25T01:00:00", "10-25 03:30 EEST"),
    ],
)
def test_due_after_quiet_hours(begin: int, end: int, at: str, due: str) -> None:
    made = channel(Pace.AT_ONCE, quiet_from=begin, quiet_until=end)
    assert told(made, local(at)) == due


def test_due_after_quiet_hours_that_end_in_an_hour_that_comes_twice() -> None:
    made = channel(Pace.AT_ONCE, quiet_from=22 * 60, quiet_until=3 * 60 + 30)
    assert told(made, local("2026-10-25T03:10:00", fold=1)) == "10-25 03:30 EET"


def test_due_digest_waits_for_the_end_of_quiet_hours() -> None:
    made = channel(Pace.DAILY, hour=6, quiet_from=22 * 60, quiet_until=7 * 60)
    assert told(made, local("2026-01-15T12:00:00")) == "01-16 07:00 EET"
