"""Folding: days in which something changed are added up again and kept; whole months, too."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Delete, delete, func, insert, select
from sqlalchemy.orm import Session

from service.db import Database, takes_turn
from service.desk.statistics import adding
from service.desk.statistics.sums import COUNTS, DIMENSIONS, Key, Sums, packed
from service.models import RollUp, Site, StaleHour

DAYS_AT_ONCE = 5
"""So many days are folded in one transaction: others wait for it on SQLite."""

HOURS_AT_ONCE = 26 * (DAYS_AT_ONCE + 1)
"""So many stale hours are looked at for them: a day has parts of 26 at the most."""

ROWS_AT_ONCE = 200
"""So many rows are put down by one statement: they stand in memory several times meanwhile."""

DAYS_AT_A_TURN = 20
"""So many days a worker folds before it looks after its deliveries again."""

_TURN = 4_110_017_001
"""The advisory lock on PostgreSQL of the one who folds."""


_ROLL_UPS = RollUp.metadata.tables["roll_ups"]


def zone_of(site: Site) -> ZoneInfo:
    """The time zone by which the site's days begin."""
    return ZoneInfo(site.time_zone)


def days_of(hour: datetime, zone: ZoneInfo) -> set[date]:
    """The days of a time zone that an hour of UTC is part of: two where it is cut by midnight."""
    last = hour + timedelta(minutes=59, seconds=59)
    return {hour.astimezone(zone).date(), last.astimezone(zone).date()}


def days_of_hours(hours: Iterable[datetime], zone: ZoneInfo) -> set[date]:
    """The days of a time zone that these hours are part of."""
    return {day for hour in hours for day in days_of(hour, zone)}


def stale(
    session: Session, site_id: UUID, *, before: datetime | None = None, most: int | None = None
) -> Sequence[datetime]:
    """The hours in which something changed since their days were folded; the first `most`."""
    found = select(StaleHour.hour).where(StaleHour.site_id == site_id)
    if before:
        found = found.where(StaleHour.hour < before)
    return session.scalars(found.distinct().order_by(StaleHour.hour).limit(most)).all()


def fold(database: Database, *, before: datetime | None = None, most: int | None = None) -> int:
    """Add up what changed on all sites, `most` days at the most; returns how many days it was.

    Only hours `before` count: the one under way would be stale again with the next report, and
    whoever looks adds it up. Each transaction folds a few days; on PostgreSQL only one process
    folds at a time.
    """
    folded = 0
    with database.read() as session:
        site_ids = session.scalars(select(StaleHour.site_id).distinct()).all()
    for site_id in site_ids:
        while most is None or folded < most:
            with database.write() as session:
                number = fold_some(session, site_id, before=before)
            if not number:
                break
            folded += number
    return folded


def fold_some(session: Session, site_id: UUID, *, before: datetime | None = None) -> int:
    """Fold the site's first stale days in this transaction; returns how many they were."""
    if not _take_turn(session):
        return 0
    site = session.get(Site, site_id)
    if site is None:
        session.execute(delete(StaleHour).where(StaleHour.site_id == site_id))
        return 0
    zone = zone_of(site)
    hours = stale(session, site_id, before=before, most=HOURS_AT_ONCE)
    chosen = set(sorted(days_of_hours(hours, zone))[:DAYS_AT_ONCE])
    for day in chosen:
        _keep(session, site_id, "day", day, adding.day(session, site_id, day, zone))
    for month in {day.replace(day=1) for day in chosen}:
        session.execute(_of(site_id, "month", month))
    # An hour that midnight cuts is done with when both its days are.
    done = [hour for hour in hours if days_of(hour, zone) <= chosen]
    session.execute(delete(StaleHour).where(StaleHour.site_id == site_id, StaleHour.hour.in_(done)))
    _fold_month(session, site_id, zone)
    return len(chosen)


def _take_turn(session: Session) -> bool:
    """Whether this transaction may fold; it sees one moment's state from here on."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return takes_turn(session, _TURN)


def _of(site_id: UUID, grain: str, since: date) -> Delete:
    return delete(RollUp).where(
        RollUp.site_id == site_id,
        RollUp.grain == grain,
        RollUp.dimension.in_(DIMENSIONS),
        RollUp.since == since,
    )


def _keep(
    session: Session, site_id: UUID, grain: str, since: date, sums: Mapping[Key, Sums]
) -> None:
    session.execute(_of(site_id, grain, since))
    rows = (
        {
            "site_id": site_id,
            "grain": grain,
            "dimension": dimension,
            "since": since,
            "value": value,
            **{name: getattr(found, name) for name in COUNTS},
            "waits": packed(minutes for part in found.waits for minutes in part),
            "repairs": packed(minutes for part in found.repairs for minutes in part),
        }
        for (dimension, value), found in sums.items()
    )
    while some := list(islice(rows, ROWS_AT_ONCE)):
        session.execute(insert(_ROLL_UPS), some)


def _fold_month(session: Session, site_id: UUID, zone: ZoneInfo) -> None:
    """Add up the first month whose days are all folded, where that is not done."""
    days = session.scalars(
        select(RollUp.since)
        .where(RollUp.site_id == site_id, RollUp.grain == "day", RollUp.dimension == "all")
        .order_by(RollUp.since)
    )
    months = {day.replace(day=1) for day in days}
    done = set(
        session.scalars(
            select(RollUp.since).where(
                RollUp.site_id == site_id, RollUp.grain == "month", RollUp.dimension == "all"
            )
        )
    )
    last = session.scalar(select(func.max(StaleHour.hour)).where(StaleHour.site_id == site_id))
    coming = {day.replace(day=1) for day in (days_of(last, zone) if last else ())}
    newest = max(months | coming, default=None)
    # The newest month changes all day long: its days are enough.
    for month in sorted(months - done - {newest}):
        if not _is_stale(session, site_id, month, zone):
            _keep(session, site_id, "month", month, _month(session, site_id, month))
            break


def _after(month: date) -> date:
    """The month that comes next."""
    return (month + timedelta(days=31)).replace(day=1)


def _is_stale(session: Session, site_id: UUID, month: date, zone: ZoneInfo) -> bool:
    """Whether a day of the month has still to be folded."""
    began = adding.begin(month, zone) - timedelta(hours=1)
    found = select(StaleHour.id).where(
        StaleHour.site_id == site_id,
        StaleHour.hour > began,
        StaleHour.hour < adding.begin(_after(month), zone),
    )
    return session.scalar(found.limit(1)) is not None


def _month(session: Session, site_id: UUID, month: date) -> Mapping[Key, Sums]:
    found: dict[Key, Sums] = defaultdict(Sums)
    rows = select(*RollUp.__table__.columns).where(
        RollUp.site_id == site_id,
        RollUp.grain == "day",
        RollUp.dimension.in_(DIMENSIONS),
        RollUp.since >= month,
        RollUp.since < _after(month),
    )
    for row in session.execute(rows):
        found[row.dimension, row.value].add(row)
    return found
