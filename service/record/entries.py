"""The record as the public reads it: entries that are visible, newest first, paged by key."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload

from service import addresses, snapshots
from service.db import has_words
from service.errors import NotFound, invalid
from service.models import Article, Kind, Publication, Site
from service.record.publications import Entry
from service.text import whole_word_diff

Rows = Select[*tuple[Any, ...]]
LIMIT = 50
MOST_PLACES = 50_000 - 1
"""As many as a sitemap may hold beside the record's own page."""

_ID = re.compile(r"[0-9a-f]{32}")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which entries: every field that is set narrows the list; `month` is as in `2026-03`."""

    url: str | None = None
    month: str | None = None
    kind: Kind | None = None
    q: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of entries, and the cursor of the next where there is one."""

    entries: Sequence[dict[str, Any]]
    next: str | None


def page(
    session: Session,
    site: Site,
    narrowed: Narrowed,
    *,
    now: datetime,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page:
    """One page of a site's record; raises InvalidFields on a bad month or cursor."""
    found = _visible(site, now).options(joinedload(Publication.article))
    found = _narrow(session, found, site, narrowed)
    if cursor:
        place = tuple_(Publication.published_at, Publication.id)
        found = found.where(place < _place(session, site, cursor))
    newest_first = found.order_by(Publication.published_at.desc(), Publication.id.desc())
    rows = session.scalars(newest_first.limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page([_entry(row) for row in rows[:limit]], last.id.hex if last else None)


def of_article(session: Session, site: Site, url: str, *, now: datetime) -> list[dict[str, Any]]:
    """The entries of one article, the newest first, at most 200; none for an unknown article."""
    return list(page(session, site, Narrowed(url=url), now=now, limit=200).entries)


def find(session: Session, site: Site, publication_id: UUID, *, now: datetime) -> dict[str, Any]:
    """One entry; raises NotFound where nobody may see it (yet)."""
    wanted = _visible(site, now).where(Publication.id == publication_id)
    row = session.scalar(wanted.options(joinedload(Publication.article)))
    if row is None:
        raise NotFound("There is no such entry in the record.")
    return _entry(row)


def preview(article: Article, entry: Entry, *, now: datetime) -> dict[str, Any]:
    """An entry as the public would read it from now on; it has no id, and nothing is kept."""
    row = Publication(article=article, published_at=now, **asdict(entry))
    return {**_entry(row), "id": None}


def months(session: Session, site: Site, *, now: datetime) -> list[str]:
    """The months (UTC) that have entries, as in `2026-03`, the newest first."""
    if session.get_bind().dialect.name == "sqlite":
        month = func.strftime("%Y-%m", Publication.published_at)
    else:
        month = func.to_char(func.timezone("UTC", Publication.published_at), "YYYY-MM")
    found = _visible(site, now).with_only_columns(month).distinct().order_by(month.desc())
    return list(session.scalars(found))


def places(session: Session, site: Site, *, now: datetime) -> list[tuple[UUID, datetime]]:
    """The ids of all entries, the newest 50,000, each with when it last changed for readers."""
    moments = Publication.published_at, Publication.changed_at, Publication.withdrawn_at
    rows = session.execute(
        _visible(site, now)
        .with_only_columns(Publication.id, *moments)
        .order_by(Publication.published_at.desc(), Publication.id.desc())
        .limit(MOST_PLACES)
    )
    return [(key, max(moment for moment in seen if moment)) for key, *seen in rows]


def changed_at(session: Session, site: Site, *, now: datetime) -> datetime | None:
    """When the record last changed for its readers; None where it is empty."""
    newest = func.max(Publication.published_at), func.max(Publication.changed_at)
    row = session.execute(
        _visible(site, now).with_only_columns(*newest, func.max(Publication.withdrawn_at))
    ).one()
    return max((moment for moment in row if moment is not None), default=None)


def _visible(site: Site, now: datetime) -> Any:
    return select(Publication).where(
        Publication.site_id == site.id, Publication.published_at <= now
    )


def _narrow(session: Session, found: Any, site: Site, narrowed: Narrowed) -> Any:
    if narrowed.url:
        found = found.where(Publication.article_id.in_(_article(site, narrowed.url)))
    if narrowed.kind:
        found = found.where(Publication.kind == narrowed.kind)
    if narrowed.month:
        begin, end = _bounds(narrowed.month)
        found = found.where(Publication.published_at >= begin, Publication.published_at < end)
    if q := narrowed.q.strip():
        found = found.where(Publication.withdrawn_at.is_(None), _mentions(session, site, q))
    return found


def _article(site: Site, url: str) -> Any:
    try:
        known_as = addresses.canonical(url)
    except addresses.BadAddress:
        known_as = url
    return select(Article.id).where(Article.site_id == site.id, Article.url == known_as)


def _mentions(session: Session, site: Site, q: str) -> Any:
    def has(column: Any, words: str = q) -> Any:
        return has_words(session, column, words)

    of_site = select(Article.id).where(Article.site_id == site.id)
    named = or_(has(Article.title), has(Article.url, addresses.spelt(q)))
    return or_(
        *(has(getattr(Publication, name)) for name in ("said", "says", "note")),
        Publication.article_id.in_(of_site.where(named)),
    )


def _bounds(month: str) -> tuple[datetime, datetime]:
    parts = _MONTH.fullmatch(month)
    if parts is None or not 1970 <= int(parts[1]) < 9999:
        raise invalid("/month", "Name a month as in 2026-03.")
    year, number = int(parts[1]), int(parts[2])
    return (
        datetime(year, number, 1, tzinfo=UTC),
        datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC),
    )


def _entry(row: Publication) -> dict[str, Any]:
    shown = row if row.withdrawn_at is None else None
    said, says = (shown.said, shown.says) if shown else (None, None)
    return {
        "id": str(row.id),
        "kind": row.kind.value,
        "article": {
            "url": row.article.url,
            "title": row.article.title,
            "lang": row.article.lang,
        },
        "said": said,
        "says": says,
        "diff": _diff(said, says),
        "note": shown.note if shown else None,
        "thanks": shown.thanks if shown else None,
        "published_at": snapshots.instant(row.published_at),
        "changed_at": snapshots.instant(row.changed_at),
        "withdrawn_at": snapshots.instant(row.withdrawn_at),
        "withdrawn_reason": row.withdrawn_reason,
    }


def _diff(said: str | None, says: str | None) -> list[dict[str, str]]:
    if said is None or says is None:
        return []
    return [{"kind": piece.kind, "text": piece.text} for piece in whole_word_diff(said, says)]


def _place(session: Session, site: Site, cursor: str) -> tuple[datetime, UUID]:
    """Where a page ended: a cursor is the id of its last entry."""
    if _ID.fullmatch(cursor):
        found = session.execute(
            select(Publication.published_at, Publication.id).where(
                Publication.site_id == site.id, Publication.id == UUID(cursor)
            )
        ).one_or_none()
        if found is not None and found.published_at is not None:
            return found.published_at, found.id
    raise invalid("/cursor", "This cursor is not from the record.")
