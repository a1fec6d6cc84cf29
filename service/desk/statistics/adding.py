"""Adding one day up from what is kept: the one definition of every figure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Result, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.desk.statistics.sums import Key, Sums
from service.models import Article, Category, Correction, Report, State

Instant = InstrumentedAttribute[Any]
Between = tuple[datetime, datetime]

ROWS_AT_ONCE = 500
"""So many rows stand in memory at a time."""

DAY = timedelta(days=1)
TAKEN = frozenset({State.ACCEPTED, State.FIXED})
Kind = tuple[str | None, Category | None, str | None, UUID]
"""A section, category, language and article: all that one row is counted under."""
_DIMENSIONS = (Article.section, Correction.category, Article.lang, Correction.article_id)


def begin(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins in a time zone."""
    return datetime.combine(day, time(), zone)


def day(session: Session, site_id: UUID, day: date, zone: ZoneInfo) -> Mapping[Key, Sums]:
    """The sums of one day of a site by dimension and value.

    Suspected corrections do not count, nor those that a split put back has emptied.
    """
    kinds: dict[Kind, Sums] = defaultdict(Sums)
    between = begin(day, zone), begin(day + DAY, zone)
    reports = (
        _of(func.count().label("number"))
        .join(Report, Report.correction_id == Correction.id)
        .where(Report.site_id == site_id, _within(Report.created_at, between))
        .group_by(*_DIMENSIONS)
    )
    for row in session.execute(reports):
        kinds[row[:4]].reports += row.number
    for row in _counted(session, site_id, Correction.created_at, between):
        kinds[row[:4]].corrections += row.number
    for row in _counted(session, site_id, Correction.closed_at, between):
        kinds[row[:4]].closed += row.number
    for row in _rows(session, site_id, Correction.first_decided_at, between):
        sums = kinds[row[:4]]
        sums.decided += 1
        sums.accepted += row.state in TAKEN
        sums.rejected += row.state is State.REJECTED
        sums.waits.append((_minutes(row.created_at, row.ended_at),))
    for row in _rows(session, site_id, Correction.fixed_at, between):
        sums = kinds[row[:4]]
        sums.fixed += 1
        sums.repairs.append((_minutes(row.created_at, row.ended_at),))
    return _by_dimension(kinds)


def _by_dimension(kinds: dict[Kind, Sums]) -> Mapping[Key, Sums]:
    found: dict[Key, Sums] = defaultdict(Sums)
    # Taken out, so that a day of many articles does not stand in memory twice.
    while kinds:
        kind, sums = kinds.popitem()
        for key in _keys(*kind):
            found[key].add(sums)
    for sums in found.values():
        sums.waits = _sorted(sums.waits)
        sums.repairs = _sorted(sums.repairs)
    return found


def _sorted(single: list[Sequence[int]]) -> list[Sequence[int]]:
    return [sorted(minutes for (minutes,) in single)] if single else single


def _keys(
    section: str | None, category: Category | None, language: str | None, article_id: UUID
) -> Iterator[Key]:
    yield "all", ""
    yield "section", section or ""
    yield "category", category.value if category else ""
    yield "language", (language or "").lower()
    yield "article", article_id.hex


def _of(*columns: Any) -> Select[Any]:
    """These columns of corrections that count, behind the dimensions."""
    return (
        select(*_DIMENSIONS, *columns)
        .select_from(Correction)
        .join(Article, Article.id == Correction.article_id)
        .where(Correction.suspected.is_(False), Correction.report_count > 0)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )


def _within(column: Instant, between: Between) -> Any:
    return (column >= between[0]) & (column < between[1])


def _counted(session: Session, site_id: UUID, column: Instant, between: Between) -> Result[Any]:
    return session.execute(
        _of(func.count().label("number"))
        .where(Correction.site_id == site_id, _within(column, between))
        .group_by(*_DIMENSIONS)
    )


def _rows(session: Session, site_id: UUID, column: Instant, between: Between) -> Result[Any]:
    return session.execute(
        _of(Correction.state, Correction.created_at, column.label("ended_at")).where(
            Correction.site_id == site_id, _within(column, between)
        )
    )


def _minutes(began: datetime, ended: datetime) -> int:
    return max(0, int((ended - began).total_seconds() // 60))
