"""When a channel is told: at once or by digest, and not in its quiet hours; by its zone's clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service.models import Channel, Pace

GATHER = timedelta(seconds=20)
"""A channel that is told at once is told so much later: a burst becomes one message."""


def due_at(channel: Channel, at: datetime) -> datetime:
    """When the channel is told of what happens at `at`: an aware instant, no earlier than that."""
    # Arithmetic with a zone's own times counts by the wall clock.
    at, zone = at.astimezone(UTC), ZoneInfo(channel.zone)
    match channel.pace:
        case Pace.HOURLY:
            due = _next_hour(at, zone)
        case Pace.DAILY:
            due = _next_day_hour(at, channel.hour, zone)
        case Pace.AT_ONCE:
            due = at + GATHER
    return _after_quiet(channel, due, zone)


def _next_hour(at: datetime, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return at - past + timedelta(hours=1)


def _next_day_hour(at: datetime, hour: int, zone: ZoneInfo) -> datetime:
    today = at.astimezone(zone).date()
    due = _instant(today, hour * 60, zone)
    return due if due > at else _instant(today + timedelta(days=1), hour * 60, zone)


def _after_quiet(channel: Channel, due: datetime, zone: ZoneInfo) -> datetime:
    begin, end = channel.quiet_from, channel.quiet_until
    if begin is None or end is None or begin == end:
        return due
    local = due.astimezone(zone)
    minute = local.hour * 60 + local.minute
    is_over_midnight = begin > end
    is_quiet = (minute >= begin or minute < end) if is_over_midnight else begin <= minute < end
    if not is_quiet:
        return due
    day = local.date() + timedelta(days=1 if is_over_midnight and minute >= begin else 0)
    until = _instant(day, end, zone)
    # When clocks are set back an hour comes twice: its second half-past may be the one.
    return until if until > due else _instant(day, end, zone, fold=1)


def _instant(day: date, minute: int, zone: ZoneInfo, fold: int = 0) -> datetime:
    """The instant of a wall clock's time; of one that is skipped, as much after the gap."""
    at = time(minute // 60, minute % 60, fold=fold)
    return datetime.combine(day, at, zone).astimezone(UTC)
