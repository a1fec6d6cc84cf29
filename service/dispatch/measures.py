"""How the deliveries stand, as numbers: for whoever runs the service."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.models import Delivery, DeliveryState, Event, Webhook


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


def measure(session: Session, *, now: datetime) -> Measures:
    """Count; a look for now and then, not for every request."""
    pending = Delivery.state == DeliveryState.PENDING
    oldest = session.scalar(
        select(func.min(Delivery.next_attempt_at)).where(pending, Delivery.next_attempt_at <= now)
    )

    def count(what: type[Event | Delivery | Webhook], *conditions: object) -> int:
        wanted = select(func.count()).select_from(what).where(*conditions)  # type: ignore[arg-type]
        return session.scalar(wanted) or 0

    return Measures(
        events_waiting=count(Event, Event.fanned_out_at.is_(None)),
        deliveries_pending=count(Delivery, pending),
        deliveries_failed=count(Delivery, Delivery.state == DeliveryState.FAILED),
        oldest_due_seconds=(now - oldest).total_seconds() if oldest else 0.0,
        webhooks_failing=count(Webhook, Webhook.failing_since.is_not(None)),
        webhooks_disabled=count(Webhook, ~Webhook.enabled),
    )
