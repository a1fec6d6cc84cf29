"""The figures of a range of days: what is folded is read, what changed since is added up anew."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from service.desk.statistics import adding
from service.desk.statistics.folding import days_of_hours, stale, zone_of
from service.desk.statistics.sums import DIMENSIONS, Key, Sums, percentile
from service.errors import invalid
from service.models import Article, Publication, RollUp, Site

DAY = timedelta(days=1)
_COLUMNS = RollUp.__table__.columns
MOST_DAYS = 3660
ARTICLES = 20
"""So many articles are told, those with the most reports."""


@dataclass(frozen=True, slots=True)
class Range:
    """Days from the first to the last, both counted."""

    first: date
    last: date

    def check(self) -> None:
        """Raise InvalidFields unless the days are in order and not too many."""
        if self.last < self.first:
            raise invalid("/to", "The range ends before it begins.")
        if (self.last - self.first).days >= MOST_DAYS:
            raise invalid("/from", "A range has at most ten years.")

    def days(self) -> Iterator[date]:
        """Each day."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + number * DAY


@dataclass(frozen=True, slots=True)
class Daily:
    """One day of the plots; `open` is how many were open at its end."""

    day: date
    reports: int
    corrections: int
    decided: int
    fixed: int
    open: int


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of a whole range: of all, or of one section, category, language or article."""

    value: str
    reports: int
    corrections: int
    decided: int
    accepted: int
    rejected: int
    fixed: int
    accepted_share: float | None
    decision_median: int | None
    decision_p90: int | None
    fix_median: int | None
    fix_p90: int | None
    title: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is told of a range; minutes, shares from 0 to 1."""

    range: Range
    days: Sequence[Daily]
    total: Line
    open: int
    thanked: int
    thanked_share: float | None
    sections: Sequence[Line]
    categories: Sequence[Line]
    languages: Sequence[Line]
    articles: Sequence[Line]


def read(session: Session, site: Site, asked: Range) -> Figures:
    """The figures of these days of the site's time zone, exact as of this moment.

    The session is one of `Database.read_one_moment`: what is folded and what changed since
    belong together. Raises InvalidFields on a range that is none.
    """
    asked.check()
    changed = days_of_hours(stale(session, site.id), zone_of(site))
    fresh = {
        day: adding.day(session, site.id, day, zone_of(site))
        for day in changed
        if day <= asked.last
    }
    days = _days(session, site.id, asked, fresh)
    sums = _sums(session, site.id, asked, changed, fresh)
    total = _line("", sums.pop(("all", ""), Sums()))
    thanked = _thanked(session, site, asked)
    return Figures(
        asked,
        days,
        total,
        days[-1].open,
        thanked,
        min(1.0, thanked / total.fixed) if total.fixed else None,
        _lines(sums, "section"),
        _lines(sums, "category"),
        _lines(sums, "language"),
        _articles(session, site.id, asked, changed, fresh),
    )


Fresh = Mapping[date, Mapping[Key, Sums]]


def _days(session: Session, site_id: UUID, asked: Range, fresh: Fresh) -> Sequence[Daily]:
    """Each day of the range; what is open is what came and was not closed since the beginning."""
    rows = select(
        RollUp.since,
        RollUp.reports,
        RollUp.corrections,
        RollUp.decided,
        RollUp.fixed,
        RollUp.closed,
    ).where(
        RollUp.site_id == site_id,
        RollUp.grain == "day",
        RollUp.dimension == "all",
        RollUp.since <= asked.last,
    )
    found: dict[date, Any] = {
        row.since: row for row in session.execute(rows) if row.since not in fresh
    }
    found |= {day: sums["all", ""] for day, sums in fresh.items() if ("all", "") in sums}
    is_open = sum(row.corrections - row.closed for day, row in found.items() if day < asked.first)
    days = []
    for day in asked.days():
        row = found.get(day, Sums())
        is_open += row.corrections - row.closed
        days.append(Daily(day, row.reports, row.corrections, row.decided, row.fixed, is_open))
    return days


@dataclass(frozen=True, slots=True)
class Span:
    """Days or months that are read as they are folded: from the first to the last."""

    grain: str
    first: date
    last: date


def _sums(
    session: Session, site_id: UUID, asked: Range, changed: set[date], fresh: Fresh
) -> dict[Key, Sums]:
    """The sums of the range for everything but articles."""
    found: dict[Key, Sums] = defaultdict(Sums)
    few = RollUp.dimension.in_([name for name in DIMENSIONS if name != "article"])
    for row in session.execute(
        union_all(
            *(
                select(*_COLUMNS).where(few, *_within(site_id, span, changed))
                for span in _spans(session, site_id, asked, changed)
            )
        )
    ):
        found[row.dimension, row.value].add(row)
    for day, sums in fresh.items():
        if asked.first <= day:
            for (dimension, value), one in sums.items():
                if dimension != "article":
                    found[dimension, value].add(one)
    return found


def _spans(session: Session, site_id: UUID, asked: Range, changed: set[date]) -> Sequence[Span]:
    """What makes up the range: whole months where they are folded, else their days."""
    stale_months = {day.replace(day=1) for day in changed}
    folded = session.scalars(
        select(RollUp.since).where(
            RollUp.site_id == site_id, RollUp.grain == "month", RollUp.dimension == "all"
        )
    )
    whole = sorted(
        month
        for month in folded
        if month not in stale_months and asked.first <= month and _last(month) <= asked.last
    )
    spans, begin = [], asked.first
    for month in whole:
        if begin < month:
            spans.append(Span("day", begin, month - DAY))
            begin = month
        goes_on = bool(spans) and spans[-1].grain == "month"
        first = spans.pop().first if goes_on else month
        begin = _last(month) + DAY
        spans.append(Span("month", first, month))
    if begin <= asked.last:
        spans.append(Span("day", begin, asked.last))
    return spans


def _within(site_id: UUID, span: Span, changed: set[date]) -> Iterator[Any]:
    """That a row is the site's and of the span; one index leads there in one step."""
    yield RollUp.site_id == site_id
    yield RollUp.grain == span.grain
    yield RollUp.since.between(span.first, span.last)
    if span.grain == "day" and changed:
        yield RollUp.since.not_in(changed)


def _last(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - DAY


def _line(value: str, sums: Sums, **more: str | None) -> Line:
    return Line(
        value,
        sums.reports,
        sums.corrections,
        sums.decided,
        sums.accepted,
        sums.rejected,
        sums.fixed,
        sums.accepted_share,
        percentile(sums.waits, 0.5),
        percentile(sums.waits, 0.9),
        percentile(sums.repairs, 0.5),
        percentile(sums.repairs, 0.9),
        **more,
    )


def _lines(sums: Mapping[Key, Sums], dimension: str) -> Sequence[Line]:
    lines = [_line(value, one) for (of, value), one in sums.items() if of == dimension]
    return sorted(lines, key=lambda line: (-line.reports, -line.corrections, line.value))


def _articles(
    session: Session, site_id: UUID, asked: Range, changed: set[date], fresh: Fresh
) -> Sequence[Line]:
    """The articles with the most reports in the range."""
    spans = _spans(session, site_id, asked, changed)
    told = union_all(
        *(
            select(RollUp.value, RollUp.reports).where(
                *_within(site_id, span, changed), RollUp.dimension == "article", RollUp.reports > 0
            )
            for span in spans
        )
    ).subquery()
    reports = func.sum(told.c.reports)
    most = session.execute(
        select(told.c.value)
        .group_by(told.c.value)
        .order_by(reports.desc(), told.c.value)
        .limit(ARTICLES)
    )
    # One that is not among them can only have come among them by what changed since.
    ours = [sums for day, sums in fresh.items() if asked.first <= day]
    names = {row.value for row in most} | {
        value
        for sums in ours
        for (dimension, value), one in sums.items()
        if dimension == "article" and one.reports
    }
    found: dict[str, Sums] = defaultdict(Sums)
    for sums in ours:
        for name in names:
            if ("article", name) in sums:
                found[name].add(sums["article", name])
    for span in spans:
        _add_folded(session, [*_within(site_id, span, changed)], sorted(names), found)
    ranked = sorted(found.items(), key=lambda pair: (-pair[1].reports, pair[0]))
    chosen = [(value, sums) for value, sums in ranked if sums.reports][:ARTICLES]
    articles = {
        article.id.hex: article
        for article in session.scalars(
            select(Article).where(Article.id.in_([UUID(value) for value, _ in chosen]))
        )
    }
    return [
        _line(value, sums, title=articles[value].title, url=articles[value].url)
        for value, sums in chosen
        if value in articles
    ]


def _add_folded(
    session: Session, within: Sequence[Any], names: Sequence[str], found: dict[str, Sums]
) -> None:
    """Add what is folded of these articles."""
    for first in range(0, len(names), 500):
        rows = select(*_COLUMNS).where(
            *within,
            RollUp.dimension == "article",
            RollUp.value.in_(names[first : first + 500]),
        )
        for row in session.execute(rows):
            found[row.value].add(row)


def _thanked(session: Session, site: Site, asked: Range) -> int:
    """How many entries of the record that thank a reader appeared in the range."""
    zone = zone_of(site)
    return (
        session.scalar(
            select(func.count()).where(
                Publication.site_id == site.id,
                Publication.published_at >= adding.begin(asked.first, zone),
                Publication.published_at < adding.begin(asked.last + DAY, zone),
                Publication.thanks.is_not(None),
                Publication.withdrawn_at.is_(None),
            )
        )
        or 0
    )
