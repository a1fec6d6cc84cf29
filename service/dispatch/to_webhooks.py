"""Deliveries to webhooks: each its own signed request, in order for one subject."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from service.db import Prepared, among, at_most
from service.dispatch import claim, messages
from service.dispatch.claim import Task
from service.dispatch.messages import Content, Message
from service.dispatch.parcels import Carriers, Outcome
from service.models import Delivery, DeliveryState, Event, Webhook

PATIENCE = 2
"""A later event of the same subject waits until an earlier one has failed this many times."""


@dataclass(frozen=True, slots=True)
class WebhookParcel:
    """One event for one webhook."""

    outlet: Webhook
    content: Content

    def send(self, carriers: Carriers, at: datetime) -> tuple[dict[str, str], Outcome]:
        """Sign and post it."""
        request = messages.headers(self.content, self.outlet, at=at)
        outcome = carriers.post(self.outlet.url, self.content.text.encode(), request)
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
        .limit(at_most(1))
        .scalar_subquery()
    )
    return claim.first_due(claim.LANE, claim.NOW, claim.MOST).where(
        Delivery.event_id <= func.coalesce(first, Delivery.event_id)
    )


_LEASE = Prepared(claim.leasing(_next(), Delivery.id, Delivery.event_id, Delivery.next_attempt_at))
_TOLD = Prepared(
    lambda dialect: select(Event.id, Event.type, Event.created_at, Event.data).where(
        among(Event.id, "told", dialect)
    )
)

# Numbers: ids compare in Python itself.
_in_due_order = attrgetter("next_attempt_at", "id.int")


class Contents:
    """What waits or is under way, by event: its deliveries to all webhooks share one content."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[UUID, Content] = WeakValueDictionary()

    def of(self, session: Session, ids: Collection[UUID]) -> dict[UUID, Content]:
        """The contents of events, read where they are not known."""
        found = {key: content for key in ids if (content := self._known.get(key))}
        unknown = [key for key in ids if key not in found]
        for row in _TOLD.all(session, {"told": unknown}) if unknown else ():
            found[row.id] = self._known[row.id] = Content.of(Message(*row))
        return found


def take(
    session: Session,
    webhook_id: UUID,
    contents: Contents,
    *,
    worker_id: UUID,
    now: datetime,
    limit: int,
) -> list[Task]:
    """Lease at most `limit` due deliveries of one webhook, the longest due first."""
    due = {"lane": webhook_id, "now": now, "most": limit}
    leased = sorted(_LEASE.all(session, due | claim.lease_of(worker_id, now)), key=_in_due_order)
    if not leased:
        return []
    webhook = session.get_one(Webhook, webhook_id)
    found = contents.of(session, [row.event_id for row in leased])
    return [
        Task((row.id,), webhook_id, WebhookParcel(webhook, found[row.event_id])) for row in leased
    ]
