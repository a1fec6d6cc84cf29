"""Reading what leaves: corrections of a site with all that belongs to them, a batch at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db import Database
from service.desk import queue
from service.desk.filters import Filters
from service.desk.queue import Sort
from service.models import Article, Correction, Editor, Move, Publication, Report

BATCH = 500

_CORRECTIONS = (
    select(
        *Correction.__table__.columns,
        Article.url,
        Article.title,
        Article.lang,
        Editor.email.label("assignee"),
    )
    .join(Article, Article.id == Correction.article_id)
    .outerjoin(Editor, Editor.id == Correction.assignee_id)
    # Those that a split put back has emptied say nothing.
    .where(Correction.report_count > 0)
)


@dataclass(frozen=True, slots=True)
class Whole:
    """A correction and its article as one row, its reports and moves in their order."""

    correction: Any
    reports: Sequence[Any]
    moves: Sequence[Any]
    publication: Publication | None

    def suggestions(self) -> list[str]:
        """The distinct suggestions, the one made most often first."""
        made = Counter(row.proposal for row in self.reports if row.proposal is not None)
        return [suggestion for suggestion, _ in made.most_common()]

    def comments(self) -> list[str]:
        """What readers said besides, each text once."""
        return list(dict.fromkeys(row.comment for row in self.reports if row.comment))


def batches(database: Database, site_id: UUID, filters: Filters) -> Iterator[list[Whole]]:
    """The corrections that the filters let through, the oldest first, each once.

    Each batch is of one moment; between two of them no connection is held, however slow the
    reader is.
    """
    cursor = None
    while True:
        with database.read_one_moment() as session:
            page = queue.page(
                session, site_id, filters, sort=Sort.OLDEST, limit=BATCH, cursor=cursor
            )
            found = _whole(session, page.ids)
        yield found
        cursor = page.next
        if cursor is None:
            return


def _whole(session: Session, ids: Sequence[UUID]) -> list[Whole]:
    rows = session.execute(_CORRECTIONS.where(Correction.id.in_(ids)).order_by(Correction.id))
    reports = _by_correction(session, Report, ids)
    moves = _by_correction(session, Move, ids)
    published = session.scalars(
        select(Publication).where(
            Publication.correction_id.in_(ids), Publication.published_at.is_not(None)
        )
    )
    publications = {row.correction_id: row for row in published}
    return [
        Whole(row, reports[row.id], moves[row.id], publications.get(row.id)) for row in rows.all()
    ]


def _by_correction(
    session: Session, table: type[Report] | type[Move], ids: Sequence[UUID]
) -> dict[UUID, list[Any]]:
    found = defaultdict(list)
    rows = select(*table.__table__.columns)
    for row in session.execute(rows.where(table.correction_id.in_(ids)).order_by(table.id)):
        found[row.correction_id].append(row)
    return found
