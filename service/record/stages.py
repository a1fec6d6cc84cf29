"""How far a correction has come, as readers are told: one of four stages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from service.models import Change, Correction, Publication, State


class Stage(StrEnum):
    """What a reader's report has come to."""

    RECEIVED = "received"
    LOOKED_AT = "looked_at"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Standing:
    """A correction's stage; where it repeats another one, that one's."""

    stage: Stage
    correction: Correction
    published: Publication | None
    """What everybody can read of it."""
    settled_at: datetime | None
    """Since when it is corrected or not changed, and repeats what it does."""


def of(session: Session, correction: Correction, *, now: datetime) -> Standing:
    """How far a correction has come, or the one that it repeats."""
    chain = [correction] if correction.state is State.SPAM else _chain(session, correction)
    shown = chain[-1]
    published = session.scalar(
        select(Publication).where(
            Publication.correction_id == shown.id,
            Publication.published_at <= now,
            Publication.withdrawn_at.is_(None),
        )
    )
    stage, settled_at = _stage(shown, published)
    if settled_at is not None:
        settled_at = max([settled_at, *_joined_at(session, chain)])
    return Standing(stage, shown, published, settled_at)


def may_be_settled(now: datetime) -> ColumnElement[bool]:
    """Which corrections are worth asking `of`: all that are settled, few others."""
    published = exists().where(
        Publication.correction_id == Correction.id, Publication.published_at <= now
    )
    return or_(
        Correction.state.in_((State.FIXED, State.REJECTED)),
        and_(Correction.state == State.ACCEPTED, published),
        Correction.duplicate_of.is_not(None),
    )


def _chain(session: Session, correction: Correction) -> Sequence[Correction]:
    """The correction, the one that it repeats, and so on to the last."""
    chain, seen = [correction], {correction.id}
    # An import of an older release may have closed a circle.
    while (other_id := chain[-1].duplicate_of) is not None and other_id not in seen:
        chain.append(session.get_one(Correction, other_id))
        seen.add(other_id)
    return chain


def _joined_at(session: Session, chain: Sequence[Correction]) -> Sequence[datetime]:
    """When these were joined to each other, got reports back, or the last one was parted."""
    return session.scalars(
        select(Change.created_at).where(
            Change.correction_id.in_([each.id for each in chain]),
            Change.field.in_(("duplicate_of", "put_back")),
        )
    ).all()


def _stage(correction: Correction, published: Publication | None) -> tuple[Stage, datetime | None]:
    match correction.state:
        case State.FIXED:
            return Stage.CORRECTED, correction.decided_at
        case State.REJECTED:
            return Stage.UNCHANGED, correction.decided_at
        case State.SPAM:
            # A reader whose report was taken for spam is told no more than that it was not used.
            return Stage.UNCHANGED, None
        case State.ACCEPTED if published:
            return Stage.CORRECTED, published.published_at
    has_been_seen = correction.assignee_id or correction.first_decided_at
    return Stage.LOOKED_AT if has_been_seen else Stage.RECEIVED, None
