"""A reader's own report, found by the secret link; never another reader's words."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import hashing, snapshots
from service.errors import NotFound
from service.models import Article, Correction, Report, Site, State
from service.record import stages


def find(session: Session, token: str, *, now: datetime) -> dict[str, Any]:
    """What became of the report; raises NotFound."""
    row = session.execute(
        select(Report, Correction, Article, Site)
        .join(Correction, Correction.id == Report.correction_id)
        .join(Article, Article.id == Correction.article_id)
        .join(Site, Site.id == Report.site_id)
        .where(Report.receipt_hash.in_(hashing.receipt_marks(token)))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no receipt at this address.")
    report, correction, article, site = row
    standing = stages.of(session, correction, now=now)
    state = standing.correction.state
    return {
        # A reader whose report was taken for spam is told no more than that it was not used.
        "state": State.REJECTED if state is State.SPAM else state,
        "stage": standing.stage,
        "public_note": standing.correction.public_note or correction.public_note,
        "site": site,
        "article": {"url": article.url, "title": article.title},
        "lang": report.lang,
        "section": article.section,
        "tags": article.tags,
        "exact": report.exact,
        "suggestion": report.suggestion,
        "comment": report.comment,
        "mail": _mail(report),
        "publication_id": str(standing.published.id) if standing.published else None,
        "created_at": snapshots.instant(report.created_at),
        "updated_at": snapshots.instant(standing.correction.updated_at),
    }


def _mail(report: Report) -> str | None:
    """Whether the reader will hear: `asked` to confirm an address, or `agreed`."""
    if report.email is None:
        return None
    if report.email_confirmed_at is not None:
        return "agreed"
    return "asked" if report.email_hash is not None else None
