"""How the deliveries stand, as numbers: for whoever runs the service."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service.db.schema import id_at
from service.models import Attempt, Delivery, DeliveryState, Event, Webhook

LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts of what is there now; ages in seconds, 0 where nothing waits."""

    events_waiting: int
    """Not handed out to endpoints yet."""
    deliveries_pending: int
    deliveries_failed: int
    oldest_due_seconds: float
    """How long the delivery that is due the longest has been so."""
    webhooks_failing: int
    webhooks_disabled: int
    attempts_last_hour: int
    """To webhooks, channels and mail servers."""
    failures_last_hour: int
    """Of those, the ones that did not arrive."""


def measure(session: Session, *, now: datetime) -> Measures:
    """Count; a look for now and then, not for every request."""
    pending = Delivery.state == DeliveryState.PENDING
    oldest = session.scalar(
        select(func.min(Delivery.next_attempt_at)).where(pending, Delivery.next_attempt_at <= now)
    )

    # By the primary key, which sorts by time: there is no other way that stays cheap.
    lately = Attempt.id >= id_at((now - LATELY).timestamp(), 0)
    not_arrived = or_(Attempt.status.is_(None), ~Attempt.status.between(200, 299))

    def count(what: type[Event | Delivery | Webhook | Attempt], *conditions: object) -> int:
        wanted = select(func.count()).select_from(what).where(*conditions)  # type: ignore[arg-type]
        return session.scalar(wanted) or 0

    return Measures(
        events_waiting=count(Event, Event.fanned_out_at.is_(None)),
        deliveries_pending=count(Delivery, pending),
        deliveries_failed=count(Delivery, Delivery.state == DeliveryState.FAILED),
        oldest_due_seconds=(now - oldest).total_seconds() if oldest else 0.0,
        webhooks_failing=count(Webhook, Webhook.failing_since.is_not(None)),
        webhooks_disabled=count(Webhook, ~Webhook.enabled),
        attempts_last_hour=count(Attempt, lately),
        failures_last_hour=count(Attempt, lately, not_arrived),
    )
