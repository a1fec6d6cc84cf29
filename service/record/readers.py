"""What is kept about a reader, found by their e-mail address: handed out, or erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from service import audits, letters, snapshots
from service.models import Article, Correction, Delivery, DeliveryState, Letter, Report
from service.record.answers import ANSWER, QUESTION
from service.snapshots import instant


def kept(session: Session, site_id: UUID, email: str) -> list[dict[str, Any]]:
    """All that a site keeps with this address, the oldest first; capitals make no difference."""
    rows = session.execute(
        select(Report, Correction, Article)
        .join(Correction, Correction.id == Report.correction_id)
        .join(Article, Article.id == Correction.article_id)
        .where(Report.id.in_(_reports(session, site_id, email)))
        .order_by(Report.id)
    )
    return [_told(report, correction, article) for report, correction, article in rows]


def hand_out(
    session: Session, site_id: UUID, email: str, *, by: str, now: datetime
) -> list[dict[str, Any]]:
    """What `kept` finds; the audit log says that it was handed out, not whose it is."""
    found = kept(session, site_id, email)
    _note(session, site_id, "reader.exported", len(found), by=by, now=now)
    return found


def erase(session: Session, site_id: UUID, email: str, *, by: str, now: datetime) -> int:
    """Erase the address and the networks of its reports, and drop the letters to it; how many.

    What was reported stays, and belongs to nobody from now on.
    """
    ids = _reports(session, site_id, email)
    for report_id in ids:
        letters.cancel(session, report_id, now=now)
    session.execute(
        update(Report)
        .where(Report.id.in_(ids))
        .values(email=None, email_hash=None, email_confirmed_at=None, network=None)
        .execution_options(synchronize_session=False)
    )
    _note(session, site_id, "reader.erased", len(ids), by=by, now=now)
    return len(ids)


def _note(
    session: Session, site_id: UUID, action: str, number: int, *, by: str, now: datetime
) -> None:
    audits.note(session, site_id, action, "", by=by, now=now, after={"reports": number})


def _reports(session: Session, site_id: UUID, email: str) -> Sequence[UUID]:
    """The reports that came with the address, also where only a letter about them has it yet."""
    leaving = (
        select(Letter.subject_id)
        .join(Delivery, Delivery.letter_id == Letter.id)
        .where(
            Letter.site_id == site_id,
            Letter.kind.in_((QUESTION, ANSWER)),
            Delivery.state == DeliveryState.PENDING,
        )
    )
    addressed = select(Report.email).where(Report.site_id == site_id, Report.email.is_not(None))
    written = session.scalars(addressed.union(leaving.with_only_columns(Letter.recipient)))
    # Databases know the capitals of English alone.
    wanted = email.strip().lower()
    known = [each for each in written if each and each.lower() == wanted]
    has_letter = Report.id.in_(leaving.where(Letter.recipient.in_(known)))
    return session.scalars(
        select(Report.id).where(Report.site_id == site_id, or_(Report.email.in_(known), has_letter))
    ).all()


def _told(report: Report, correction: Correction, article: Article) -> dict[str, Any]:
    return {
        "id": str(report.id),
        "email": report.email,
        "email_confirmed_at": instant(report.email_confirmed_at),
        "created_at": instant(report.created_at),
        "article": {"url": article.url, "title": article.title},
        "source": report.source,
        "lang": report.lang,
        "selector": snapshots.selector(report),
        "suggestion": report.suggestion,
        "comment": report.comment,
        "category": report.category.value if report.category else None,
        "has_network": report.network is not None,
        "state": correction.state.value,
        "public_note": correction.public_note,
    }
