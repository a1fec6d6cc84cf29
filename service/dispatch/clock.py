"""Whose clock counts: the database's, for leases and retries; and what to do when it jumps back."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.dispatch.backoff import DELAYS, JITTER
from service.dispatch.claim import LEASE
from service.models import Delivery, DeliveryState

JUMP = timedelta(seconds=5)
"""A clock that is so much earlier than it was has been set back."""


_CLOCK = select(func.clock_timestamp())


def database_now(session: Session) -> datetime:
    """This instant by PostgreSQL's clock; by this machine's, where SQLite's file is, otherwise."""
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    found: datetime = session.scalars(_CLOCK).one()
    return found


def mend(session: Session, *, now: datetime, is_jump: bool) -> None:
    """Bring leases, first tries and (after a jump) retries near that a clock put too far off.

    Doing it twice changes nothing more, so several workers may.
    """
    pending = Delivery.state == DeliveryState.PENDING
    session.execute(
        update(Delivery)
        # Not what another worker leased after this instant was read.
        .where(pending, Delivery.leased_until > now + LEASE + JUMP)
        .values(leased_until=None)
    )
    session.execute(
        update(Delivery)
        .where(
            pending,
            # Digests and letters are meant to wait.
            Delivery.webhook_id.is_not(None),
            Delivery.attempt_count == 0,
            Delivery.next_attempt_at > now,
        )
        .values(next_attempt_at=now)
    )
    if not is_jump:
        return
    for tries, delay in enumerate(DELAYS, start=1):
        latest = now + delay * (1 + JITTER)
        session.execute(
            update(Delivery)
            .where(pending, Delivery.attempt_count == tries, Delivery.next_attempt_at > latest)
            .values(next_attempt_at=latest)
        )
