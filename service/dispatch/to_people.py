"""Letters: composed when they are claimed, dropped where their writer no longer wants them."""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.dispatch import claim
from service.dispatch.claim import Task
from service.dispatch.client import SendFailed
from service.dispatch.mail import Mail
from service.dispatch.parcels import Carriers, Outcome
from service.letters import Writers, erase
from service.models import LETTERS, Delivery, DeliveryState, Letter

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LetterParcel:
    """One letter; where composing it failed, that."""

    letter_id: UUID
    mail: Mail | SendFailed
    outlet: None = None

    def send(self, carriers: Carriers, at: datetime) -> tuple[dict[str, str], Outcome]:
        """Hand it to the SMTP server; the address is not kept."""
        if isinstance(self.mail, SendFailed):
            return {}, self.mail
        return {"Message-ID": str(self.letter_id)}, carriers.mail(self.mail, at)


def take(
    session: Session, writers: Writers, *, worker_id: UUID, now: datetime, limit: int
) -> list[Task]:
    """Lease at most `limit` due letters and compose them."""
    leased = claim.lease(
        session, claim.first_due(LETTERS, now, limit), worker_id=worker_id, now=now
    )
    rows = session.execute(
        select(Delivery.id, Letter)
        .join(Letter, Letter.id == Delivery.letter_id)
        .where(Delivery.id.in_(leased))
        .order_by(Delivery.next_attempt_at, Delivery.id)
    ).all()
    tasks = []
    for delivery_id, letter in rows:
        mail = _compose(session, letter, writers)
        if mail is None:
            _drop(session, delivery_id, letter, writers, now=now)
        else:
            tasks.append(Task((delivery_id,), LETTERS, LetterParcel(letter.id, mail)))
    return tasks


def _compose(session: Session, letter: Letter, writers: Writers) -> Mail | SendFailed | None:
    try:
        composed = writers[letter.kind].compose(session, letter)
    except SQLAlchemyError:
        raise
    except Exception as error:
        # One letter that cannot be composed holds up no other; it is tried again as if sent.
        log.exception("a letter could not be composed", extra={"fields": {"kind": letter.kind}})
        return SendFailed("internal", type(error).__name__)
    if composed is None or letter.recipient is None:
        return None
    return Mail(
        letter.id, letter.recipient, composed.subject, composed.text, composed.unsubscribe_url
    )


def _drop(
    session: Session, delivery_id: UUID, letter: Letter, writers: Writers, *, now: datetime
) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id)
        .values(
            state=DeliveryState.DROPPED,
            finished_at=now,
            next_attempt_at=None,
            leased_until=None,
            leased_by=None,
        )
        .execution_options(synchronize_session=False)
    )
    end(session, [letter.id], DeliveryState.DROPPED, writers, now=now)


def end(
    session: Session, ids: list[UUID], state: DeliveryState, writers: Writers, *, now: datetime
) -> None:
    """Tell the writers of letters that these have ended, then erase them."""
    for letter in session.scalars(select(Letter).where(Letter.id.in_(ids)).order_by(Letter.id)):
        if writer := writers.get(letter.kind):
            writer.ended(session, letter, state, now)
    session.flush()
    erase(session, ids)
