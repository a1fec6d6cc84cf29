"""What else is reported in the same article, the nearest first."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.models import Correction

MOST = 12


def nearest(session: Session, correction: Correction, limit: int = MOST) -> Sequence[Correction]:
    """Other corrections of the article by their distance; whole-page ones come last."""
    place = func.coalesce(Correction.anchor_start, Correction.start)
    here = correction.start if correction.anchor_start is None else correction.anchor_start
    far = func.abs(place - (here or 0))
    return session.scalars(
        select(Correction)
        .where(
            Correction.article_id == correction.article_id,
            Correction.id != correction.id,
            Correction.suspected.is_(False),
        )
        .order_by(place.is_(None), far, Correction.id)
        .limit(limit)
    ).all()


def repeats(session: Session, correction: Correction) -> Sequence[Correction]:
    """The corrections that were joined to this one."""
    return session.scalars(
        select(Correction).where(Correction.duplicate_of == correction.id).order_by(Correction.id)
    ).all()
