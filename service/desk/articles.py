"""The articles of a site, by how many of their corrections are open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from service import addresses
from service.db import has_words
from service.desk.moves import OPEN
from service.errors import invalid
from service.models import Article, Correction

LIMIT = 50


@dataclass(frozen=True, slots=True)
class Row:
    """An article and its corrections; those suspected to be spam do not count."""

    id: UUID
    url: str
    title: str | None
    section: str | None
    open: int
    total: int
    newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some articles, and the cursor of the next page where there is one."""

    rows: Sequence[Row]
    next: str | None


def page(
    session: Session,
    site_id: UUID,
    *,
    only_open: bool = True,
    q: str = "",
    cursor: str = "",
    limit: int = LIMIT,
) -> Page:
    """Those with open corrections, the most first; or all that came, the newest first.

    Each word of `q` is in the title or the address. Raises InvalidFields on a foreign cursor.
    """
    words = [_mentions(session, word) for word in q.split()[:10]]
    # What is open is counted in an index; the articles themselves are looked at for words only.
    name: Any = Correction.article_id if only_open else Article.id
    number: Any = func.count() if only_open else Article.id
    found = (
        select(name.label("id"), number.label("place"))
        .where(*words)
        .order_by(number.desc(), name.desc())
        .limit(limit + 1)
    )
    if only_open:
        found = found.where(Correction.site_id == site_id, _OPEN).group_by(name)
        found = found.join(Article, Article.id == name) if words else found
    else:
        found = found.where(Article.site_id == site_id)
    if cursor:
        place, last = _read(cursor)
        after = tuple_(number, name) < (place, last) if only_open else name < last
        found = found.having(after) if only_open else found.where(after)
    rows = session.execute(found).all()
    more = rows[limit - 1] if len(rows) > limit else None
    place_of = more and (more.place if only_open else 0)
    return Page(
        _rows(session, [row.id for row in rows[:limit]]),
        f"{place_of}.{more.id.hex}" if more else None,
    )


_BELIEVED = Correction.suspected.is_(False)
_OPEN = and_(_BELIEVED, Correction.state.in_(OPEN))


def _mentions(session: Session, word: str) -> ColumnElement[bool]:
    return or_(
        has_words(session, Article.title, word),
        has_words(session, Article.url, addresses.spelt(word)),
    )


def _read(cursor: str) -> tuple[int, UUID]:
    place, _, last = cursor.partition(".")
    try:
        if len(place) > 9 or not place.isdecimal():
            raise ValueError
        return int(place), UUID(hex=last)
    except ValueError:
        raise invalid("/cursor", "This cursor is not from this list.") from None


def _rows(session: Session, ids: Sequence[UUID]) -> Sequence[Row]:
    """The articles in this order."""
    rows = session.execute(
        select(
            Article.id,
            Article.url,
            Article.title,
            Article.section,
            func.count(case((_OPEN, 1))),
            func.count(Correction.id),
            func.max(Correction.created_at),
        )
        .outerjoin(Correction, and_(Correction.article_id == Article.id, _BELIEVED))
        .where(Article.id.in_(ids))
        .group_by(Article.id, Article.url, Article.title, Article.section)
    )
    found = {row.id: Row(*row) for row in rows}
    return [found[each] for each in ids]
