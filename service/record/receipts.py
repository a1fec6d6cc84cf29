"""A reader's own report, found by the secret link; never another reader's words."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import hashing, snapshots
from service.errors import NotFound
from service.models import Article, Correction, Report, State


def find(session: Session, token: str) -> dict[str, Any]:
    """What became of the report; raises NotFound."""
    row = session.execute(
        select(Report, Correction, Article)
        .join(Correction, Correction.id == Report.correction_id)
        .join(Article, Article.id == Correction.article_id)
        .where(Report.receipt_hash == hashing.fingerprint(token))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no receipt at this address.")
    report, correction, article = row
    return {
        # A reader whose report was taken for spam is told no more than that it was not used.
        "state": State.REJECTED if correction.state is State.SPAM else correction.state,
        "public_note": correction.public_note,
        "article": {"url": article.url, "title": article.title},
        "exact": report.exact,
        "suggestion": report.suggestion,
        "created_at": snapshots.instant(report.created_at),
        "updated_at": snapshots.instant(correction.updated_at),
    }
