"""The queue: corrections of one site, filtered, sorted and paged by key."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from service.desk import tallies
from service.desk.filters import Conditions, Filters, listed
from service.errors import invalid
from service.models import Correction, State

Rows = Select[*tuple[Any, ...]]
LIMIT = 50
LOOK = 10_000
"""So many of a tab's newest are counted where filters narrow it."""
_CURSOR = re.compile(r"([a-z-]{6,13}):(\d{1,9}|[0-9a-f]{32}):([0-9a-f]{32})")


class Sort(StrEnum):
    """In which order; by article, the newest article comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    MOST_REPORTED = "most-reported"
    BY_ARTICLE = "by-article"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of ids, and the cursor of the next where there is one."""

    ids: Sequence[UUID]
    next: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are, or at least are."""

    number: int
    is_whole: bool = True


def page(
    session: Session,
    site_id: UUID,
    filters: Filters,
    *,
    sort: Sort = Sort.NEWEST,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page:
    """One page of the queue; raises InvalidFields on a cursor that is not from the same sort."""
    wanted: Rows = select(
        Correction.id, Correction.report_count, Correction.article_id, Correction.anchor_start
    )
    conditions = Conditions(session, site_id, filters)
    found = wanted.where(*listed(site_id, filters), *conditions.lead(), *conditions.ask())
    if cursor:
        found = _after(found, sort, cursor)
    rows = session.execute(_sorted(found, sort).limit(limit + 1)).all()
    more, shown = len(rows) > limit, rows[:limit]
    if sort is Sort.BY_ARTICLE:
        shown = _as_read(shown)
    return Page([row.id for row in shown], _cursor(sort, rows[limit - 1]) if more else None)


def _as_read(rows: Sequence[Any]) -> list[Any]:
    """The articles in their order, and in each what stands first in the text first."""
    articles = dict.fromkeys(row.article_id for row in rows)
    places = {article_id: place for place, article_id in enumerate(articles)}
    return sorted(rows, key=lambda row: (places[row.article_id], row.anchor_start or 0))


def of_site(session: Session, site_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the ids that are the site's, in their order."""
    if not ids:
        # SQLite would look through all of the site for none.
        return []
    known = select(Correction.id).where(Correction.site_id == site_id, Correction.id.in_(ids))
    ours = set(session.scalars(known))
    return [each for each in ids if each in ours]


def count(session: Session, site_id: UUID, filters: Filters) -> dict[str, Count]:
    """How many there are under each tab; the tab asked for is left out of the filters."""
    if not filters.narrowing:
        told = tallies.of_site(session, site_id).counts
        return {name: Count(number) for name, number in told.items()}
    conditions = Conditions(session, site_id, filters)
    return {
        name: _counted(session, site_id, _tab(filters, name), conditions) for name in tallies.TABS
    }


def _tab(filters: Filters, name: str) -> Filters:
    """The filters under another tab."""
    if name == "suspected":
        return replace(filters, state=State.NEW, suspected=True)
    state = State(name)
    return replace(filters, state=state, suspected=None if state is State.SPAM else False)


def _counted(session: Session, site_id: UUID, filters: Filters, conditions: Conditions) -> Count:
    newest = (
        select(*(getattr(Correction, name) for name in _COUNTED))
        .where(*listed(site_id, filters), *conditions.lead())
        .order_by(Correction.id.desc())
        .limit(LOOK)
        .subquery()
    )
    asked = conditions.ask(aliased(Correction, newest))
    row = session.execute(
        select(
            func.count().label("looked"),
            func.count().filter(and_(true(), *asked)).label("found"),
        ).select_from(newest)
    ).one()
    return Count(row.found, is_whole=row.looked < LOOK)


def total(session: Session, site_id: UUID, filters: Filters) -> int:
    """How many there are altogether."""
    conditions = Conditions(session, site_id, filters)
    asked = (*listed(site_id, filters), *conditions.lead(), *conditions.ask())
    return session.scalar(select(func.count()).select_from(Correction).where(*asked)) or 0


_COUNTED = ("id", "article_id", "category", "anchor_state", "report_count", "created_at")


def _sorted(found: Rows, sort: Sort) -> Rows:
    match sort:
        case Sort.NEWEST:
            return found.order_by(Correction.id.desc())
        case Sort.OLDEST:
            return found.order_by(Correction.id)
        case Sort.MOST_REPORTED:
            return found.order_by(Correction.report_count.desc(), Correction.id.desc())
        case Sort.BY_ARTICLE:
            return found.order_by(Correction.article_id.desc(), Correction.id.desc())


def _after(found: Rows, sort: Sort, cursor: str) -> Rows:
    key, correction_id = _read_cursor(cursor, sort)
    match sort:
        case Sort.NEWEST:
            return found.where(Correction.id < correction_id)
        case Sort.OLDEST:
            return found.where(Correction.id > correction_id)
        case Sort.MOST_REPORTED:
            place = tuple_(Correction.report_count, Correction.id)
            return found.where(place < (key, correction_id))
        case Sort.BY_ARTICLE:
            place = tuple_(Correction.article_id, Correction.id)
            return found.where(place < (key, correction_id))


def _cursor(sort: Sort, last: Any) -> str:
    key = last.article_id.hex if sort is Sort.BY_ARTICLE else last.report_count
    text = f"{sort}:{key}:{last.id.hex}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str, sort: Sort) -> tuple[int | UUID, UUID]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    parts = _CURSOR.fullmatch(text)
    if parts is None or parts[1] != sort or (len(parts[2]) == 32) != (sort is Sort.BY_ARTICLE):
        raise invalid("/cursor", "This cursor is not from a list with the same sort.")
    key = UUID(parts[2]) if sort is Sort.BY_ARTICLE else int(parts[2])
    return key, UUID(parts[3])
