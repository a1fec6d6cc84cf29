"""Mail to people: a letter is written in the same transaction as its reason, and sent later.

`enqueue` puts it into the outbox; the worker claims it when it is due, and has its writer compose
it then: a writer that gives back None no longer wants it sent. When it has ended, however it did,
the address and the data are erased.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.models import LETTERS, Delivery, DeliveryState, Letter


@dataclass(frozen=True, slots=True)
class Composed:
    """What a letter says: one line, plain text, and where one click stops more of them."""

    subject: str
    text: str
    unsubscribe_url: str | None = None


def _nothing(_session: Session, _letter: Letter, _state: DeliveryState, _now: datetime) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Writer:
    """Composes the letters of one kind, in the transaction that claims one of them."""

    compose: Callable[[Session, Letter], Composed | None]
    """None where the letter is no longer wanted: it is dropped."""
    ended: Callable[[Session, Letter, DeliveryState, datetime], None] = _nothing
    """Called in the transaction that writes down its end, before the address is erased."""


Writers = Mapping[str, Writer]
"""By the kind of letter."""


def as_written(_session: Session, letter: Letter) -> Composed:
    """What `data` holds: `subject`, `text`, perhaps `unsubscribe_url`."""
    return Composed(**letter.data)


NOTICE = "notice"
"""The kind of letter that says what its data holds."""

PLAIN: Writers = {NOTICE: Writer(as_written)}


def enqueue(
    session: Session,
    site_id: UUID,
    kind: str,
    recipient: str,
    data: dict[str, Any],
    *,
    now: datetime,
    send_at: datetime | None = None,
    subject_id: UUID | None = None,
) -> Letter:
    """Put a letter into the outbox, not to be sent before `send_at`."""
    letter = Letter(
        site_id=site_id,
        kind=kind,
        recipient=recipient,
        data=data,
        subject_id=subject_id,
        created_at=now,
    )
    session.add(letter)
    session.flush()
    session.add(
        Delivery(
            letter_id=letter.id,
            lane_id=LETTERS,
            subject_id=subject_id,
            next_attempt_at=send_at or now,
            created_at=now,
        )
    )
    return letter


def cancel(session: Session, subject_id: UUID, *, now: datetime, kind: str | None = None) -> int:
    """Drop what has not left of the letters about a subject, and erase it; how many."""
    about = select(Letter.id).where(Letter.subject_id == subject_id)
    if kind is not None:
        about = about.where(Letter.kind == kind)
    dropped = session.scalars(
        update(Delivery)
        .where(Delivery.letter_id.in_(about), Delivery.state == DeliveryState.PENDING)
        .values(state=DeliveryState.DROPPED, finished_at=now, next_attempt_at=None)
        .returning(Delivery.letter_id)
        .execution_options(synchronize_session=False)
    ).all()
    erase(session, [letter_id for letter_id in dropped if letter_id is not None])
    return len(dropped)


def erase(session: Session, ids: list[UUID]) -> None:
    """Forget to whom letters went and what they said."""
    session.execute(
        update(Letter)
        .where(Letter.id.in_(ids))
        .values(recipient=None, data={})
        .execution_options(synchronize_session=False)
    )
