"""Deliveries to webhooks: each its own signed request, in order for one subject."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from service.dispatch import claim, messages
from service.dispatch.claim import Task
from service.dispatch.messages import Message
from service.dispatch.parcels import Carriers, Outcome
from service.models import Delivery, DeliveryState, Event, Webhook

PATIENCE = 2
"""A later event of the same subject waits until an earlier one has failed this many times."""


@dataclass(frozen=True, slots=True)
class WebhookParcel:
    """One event for one webhook."""

    outlet: Webhook
    message: Message

    def send(self, carriers: Carriers, at: datetime) -> tuple[dict[str, str], Outcome]:
        """Sign and post it."""
        content = messages.body(self.message)
        request = messages.headers(self.message.id, content, self.outlet, at=at)
        outcome = carriers.post(self.outlet.url, content, request)
        return messages.masked(request, self.outlet), outcome


def _next() -> Select[UUID]:
    other = aliased(Delivery)
    # A scalar: made a join, this is computed for the whole backlog before the limit counts.
    first = (
        select(other.event_id)
        .where(
            other.lane_id == claim.LANE,
            other.subject_id == Delivery.subject_id,
            other.state == DeliveryState.PENDING,
            other.attempt_count < PATIENCE,
        )
        .order_by(other.event_id)
        .limit(1)
        .scalar_subquery()
    )
    return claim.first_due(claim.LANE, claim.NOW, claim.MOST).where(
        Delivery.event_id <= func.coalesce(first, Delivery.event_id)
    )


_LEASE = claim.leasing(_next())

_TOLD = (
    select(Delivery.id, Event.id.label("event_id"), Event.type, Event.created_at, Event.data)
    .join(Event, Event.id == Delivery.event_id)
    .where(Delivery.id.in_(bindparam("leased", expanding=True)))
    .order_by(Delivery.next_attempt_at, Delivery.id)
)


def take(
    session: Session, webhook_id: UUID, *, worker_id: UUID, now: datetime, limit: int
) -> list[Task]:
    """Lease at most `limit` due deliveries of one webhook, the longest due first."""
    due = {"lane": webhook_id, "now": now, "most": limit}
    leased = session.scalars(_LEASE, due | claim.lease_of(worker_id, now)).all()
    if not leased:
        return []
    rows = session.execute(_TOLD, {"leased": leased})
    webhook = session.get_one(Webhook, webhook_id)
    return [Task((key,), webhook_id, WebhookParcel(webhook, Message(*told))) for key, *told in rows]
