"""The queue: corrections of one site, filtered, sorted and paged by key."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select, true, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from service.desk import tallies
from service.desk.filters import Conditions, Filters
from service.documents import NEAR, REGIONS, Order, Query
from service.errors import invalid
from service.models import Correction, State

Rows = Select[*tuple[Any, ...]]
LIMIT = 50
LOOK = 10_000
"""So many of a tab's newest are counted where filters narrow it."""

LOOK_SEARCHED = 2_000
"""The same where the words of each are read."""

SPARE = 2
"""So many times a page's rows are looked for at first: other filters may leave some of them out."""

HOPE = 8
"""The next region is so many times as large; where that would not fill a page, the index leads."""

LOOK_FIRST = 500
"""So many are asked for the words of a search before an index is."""

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
    asked = Asked(filters, sort, limit, cursor)
    rows = _found(session, asked, Conditions(session, site_id, filters))
    more, shown = len(rows) > limit, rows[:limit]
    if sort is Sort.BY_ARTICLE:
        shown = _as_read(shown)
    return Page([row.id for row in shown], _cursor(sort, rows[limit - 1]) if more else None)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a page is asked for."""

    filters: Filters
    sort: Sort
    limit: int
    cursor: str | None


def _found(session: Session, asked: Asked, conditions: Conditions) -> Sequence[Any]:
    """The page's rows and one more.

    What many have is soon found among the first; what some have, among the documents of those that
    come next; what few have, the index leads to. Where it leads to many and they are not among the
    first, it leads to them all the same.
    """
    query = conditions.query
    if query and query.has_index and asked.sort in {Sort.NEWEST, Sort.OLDEST}:
        asking = conditions.asking(query)
        if (rows := _first(session, asked, asking, LOOK_FIRST)) is not None:
            return rows
        if (rows := _near(session, asked, conditions, query)) is not None:
            return rows
        if not query.is_pointed:
            rows = _first(session, asked, asking, LOOK)
            return _rows(session, asked, conditions.led(query)) if rows is None else rows
    return _rows(session, asked, conditions.searched())


def _first(
    session: Session, asked: Asked, conditions: Conditions, look: int
) -> Sequence[Any] | None:
    """The same, from the first so many; None where they do not decide it."""
    filters, *others = _in_order(asked.filters, asked.sort)
    if others:
        return None
    found = _from_cursor(conditions.which(filters), asked)
    ids = found.with_only_columns(Correction.id)
    end = session.scalar(_sorted(ids, asked.sort).offset(look).limit(1))
    if end is not None:
        is_before = Correction.id > end if asked.sort is Sort.NEWEST else Correction.id < end
        found = found.where(is_before)
    found = found.where(*conditions.ask())
    rows = session.execute(_sorted(found, asked.sort).limit(asked.limit + 1)).all()
    return rows if end is None or len(rows) > asked.limit else None


def _near(
    session: Session, asked: Asked, conditions: Conditions, query: Query
) -> Sequence[Any] | None:
    """The same, from what the search finds next; None where that does not fill the page."""
    after = _read_cursor(asked.cursor, asked.sort)[1] if asked.cursor else None
    order = Order(asked.sort is Sort.NEWEST, after)

    def rows_of(ids: Sequence[str]) -> Sequence[Any]:
        return _rows(session, asked, conditions.among(query, ids)) if ids else []

    enough = SPARE * (asked.limit + 1)
    for most in REGIONS:
        ids = query.near(order, most, enough)
        rows = rows_of(ids)
        if len(rows) <= asked.limit and len(ids) >= enough:
            enough = NEAR
            rows = rows_of(query.near(order, most, enough))
        if len(rows) > asked.limit:
            return rows
        if len(rows) * HOPE <= asked.limit:
            break
    rows = rows_of(query.nearest(order))
    return rows if len(rows) > asked.limit else None


def _rows(session: Session, asked: Asked, conditions: Conditions) -> Sequence[Any]:
    """The page's rows and one more, as the conditions lead to them."""
    parts = [
        _sorted(
            _from_cursor(conditions.which(filters), asked).where(*conditions.ask()), asked.sort
        ).limit(asked.limit + 1)
        for filters in (
            [asked.filters] if conditions.lead() else _in_order(asked.filters, asked.sort)
        )
    ]
    if len(parts) == 1:
        return session.execute(parts[0]).all()
    together = union_all(*(select(part.subquery()) for part in parts)).subquery()
    merged = _sorted(select(together), asked.sort, together.c)
    return session.execute(merged.limit(asked.limit + 1)).all()


def _from_cursor(which: Sequence[Any], asked: Asked) -> Rows:
    found: Rows = select(
        Correction.id, Correction.report_count, Correction.article_id, Correction.anchor_start
    ).where(*which)
    return _after(found, asked.sort, asked.cursor) if asked.cursor else found


def _in_order(filters: Filters, sort: Sort) -> list[Filters]:
    """The filters in such parts that an index has the rows of each in this order."""
    if filters.state is State.SPAM and filters.suspected is None:
        return [filters]
    has_states = filters.state is None and sort in {Sort.MOST_REPORTED, Sort.BY_ARTICLE}
    return [
        replace(filters, state=state, suspected=suspected)
        for state in (State if has_states else [filters.state])
        for suspected in ([False, True] if filters.suspected is None else [filters.suspected])
    ]


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
    conditions = Conditions(session, site_id, filters).searched()
    tabs = {name: _tab(filters, name) for name in tallies.TABS}
    if conditions.is_led_by_search:
        return _counted_together(session, tabs, conditions)
    look = LOOK_SEARCHED if conditions.query else LOOK
    return {name: _counted(session, tab, conditions, look) for name, tab in tabs.items()}


def _tab(filters: Filters, name: str) -> Filters:
    """The filters under another tab."""
    if name == "suspected":
        return replace(filters, state=State.NEW, suspected=True)
    state = State(name)
    return replace(filters, state=state, suspected=None if state is State.SPAM else False)


def _counted_together(
    session: Session, tabs: Mapping[str, Filters], conditions: Conditions
) -> dict[str, Count]:
    """All tabs at once: what the search leads to is gone through once."""
    kind = (Correction.state, Correction.suspected)
    asked = (*conditions.which(Filters(suspected=None)), *conditions.ask())
    rows = session.execute(select(*kind, func.count()).where(*asked).group_by(*kind)).all()
    return {
        name: Count(
            sum(
                number
                for state, suspected, number in rows
                if state is tab.state and tab.suspected in {None, suspected}
            )
        )
        for name, tab in tabs.items()
    }


def _counted(session: Session, filters: Filters, conditions: Conditions, look: int) -> Count:
    newest = (
        select(*(getattr(Correction, name) for name in _COUNTED))
        .where(*conditions.which(filters))
        .order_by(Correction.id.desc())
        .limit(look)
        .subquery()
    )
    asked = conditions.ask(aliased(Correction, newest))
    row = session.execute(
        select(
            func.count().label("looked"),
            func.count().filter(and_(true(), *asked)).label("found"),
        ).select_from(newest)
    ).one()
    return Count(row.found, is_whole=row.looked < look)


def total(session: Session, site_id: UUID, filters: Filters) -> int:
    """How many there are altogether."""
    conditions = Conditions(session, site_id, filters).searched()
    asked = (*conditions.which(filters), *conditions.ask())
    return session.scalar(select(func.count()).select_from(Correction).where(*asked)) or 0


_COUNTED = (
    "id",
    "article_id",
    "category",
    "anchor_state",
    "report_count",
    "created_at",
)


def _sorted(found: Rows, sort: Sort, of: Any = Correction) -> Rows:
    match sort:
        case Sort.NEWEST:
            return found.order_by(of.id.desc())
        case Sort.OLDEST:
            return found.order_by(of.id)
        case Sort.MOST_REPORTED:
            return found.order_by(of.report_count.desc(), of.id.desc())
        case Sort.BY_ARTICLE:
            return found.order_by(of.article_id.desc(), of.id.desc())


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
