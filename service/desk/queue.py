"""The queue: corrections of one site, filtered, sorted and paged by key."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from service import addresses
from service.errors import invalid
from service.models import Article, Correction, Editor, Report, State

Rows = Select[*tuple[Any, ...]]
LIMIT = 50
_CURSOR = re.compile(r"([a-z-]{6,13}):(\d{1,9}):([0-9a-f]{32})")


class Sort(StrEnum):
    """In which order."""

    NEWEST = "newest"
    OLDEST = "oldest"
    MOST_REPORTED = "most-reported"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which corrections: every field that is set narrows the list; `suspected` None is both."""

    state: State | None = None
    article: str | None = None
    q: str = ""
    assignee: str | None = None
    suspected: bool | None = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of ids, and the cursor of the next where there is one."""

    ids: Sequence[UUID]
    next: str | None


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
    wanted: Rows = select(Correction.id, Correction.report_count)
    found = _filtered(wanted, site_id, filters)
    if cursor:
        found = _after(found, sort, cursor)
    rows = session.execute(_sorted(found, sort).limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        [row.id for row in rows[:limit]],
        _cursor(sort, last.report_count, last.id) if last else None,
    )


def count(session: Session, site_id: UUID, filters: Filters) -> dict[str, int]:
    """How many there are in each state, and of the new ones how many are suspected.

    The state and the suspicion asked for are left out of the filters.
    """
    group = case(
        (Correction.state == State.SPAM, State.SPAM.value),
        (Correction.suspected, "suspected"),
        else_=Correction.state,
    )
    counted = select(group.label("tab"), func.count().label("total")).group_by(group)
    everywhere = replace(filters, state=None, suspected=None)
    rows = session.execute(_filtered(counted, site_id, everywhere)).all()
    found = {row.tab: row.total for row in rows}
    return {name: found.get(name, 0) for name in [*State, "suspected"]}


def _filtered(found: Rows, site_id: UUID, filters: Filters) -> Rows:
    found = found.where(Correction.site_id == site_id)
    if filters.suspected is not None:
        found = found.where(Correction.suspected.is_(filters.suspected))
    if filters.state:
        found = found.where(Correction.state == filters.state)
    if filters.article:
        found = found.where(Correction.article_id.in_(_article(site_id, filters.article)))
    if filters.assignee:
        address = filters.assignee.strip().lower()
        found = found.where(
            Correction.assignee_id.in_(select(Editor.id).where(Editor.email == address))
        )
    if filters.q.strip():
        found = found.where(_mentions(filters.q.strip()))
    return found


def _article(site_id: UUID, url: str) -> Rows:
    try:
        known_as = addresses.canonical(url)
    except addresses.BadAddress:
        known_as = url
    return select(Article.id).where(Article.site_id == site_id, Article.url == known_as)


def _mentions(q: str) -> Any:
    def has(column: Any) -> Any:
        return column.icontains(q, autoescape=True)

    return or_(
        has(Correction.exact),
        Correction.id.in_(
            select(Report.correction_id).where(or_(has(Report.suggestion), has(Report.comment)))
        ),
        Correction.article_id.in_(
            select(Article.id).where(or_(has(Article.title), has(Article.url)))
        ),
    )


def _sorted(found: Rows, sort: Sort) -> Rows:
    match sort:
        case Sort.NEWEST:
            return found.order_by(Correction.id.desc())
        case Sort.OLDEST:
            return found.order_by(Correction.id)
        case Sort.MOST_REPORTED:
            return found.order_by(Correction.report_count.desc(), Correction.id.desc())


def _after(found: Rows, sort: Sort, cursor: str) -> Rows:
    report_count, correction_id = _read_cursor(cursor, sort)
    match sort:
        case Sort.NEWEST:
            return found.where(Correction.id < correction_id)
        case Sort.OLDEST:
            return found.where(Correction.id > correction_id)
        case Sort.MOST_REPORTED:
            place = tuple_(Correction.report_count, Correction.id)
            return found.where(place < (report_count, correction_id))


def _cursor(sort: Sort, report_count: int, correction_id: UUID) -> str:
    text = f"{sort}:{report_count}:{correction_id.hex}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str, sort: Sort) -> tuple[int, UUID]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    parts = _CURSOR.fullmatch(text)
    if parts is None or parts[1] != sort:
        raise invalid("/cursor", "This cursor is not from a list with the same sort.")
    return int(parts[2]), UUID(parts[3])
