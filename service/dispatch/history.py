"""What was sent and what came of it: the list of deliveries, sending again, replaying, pruning."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Update, delete, insert, select, update
from sqlalchemy.orm import Session

from service.dispatch import fan_out
from service.errors import Disabled, NotFound
from service.models import Attempt, Delivery, DeliveryState, Event, Webhook

REPLAY_BATCH = 500


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery with its event and its attempts, the oldest first."""

    delivery: Delivery
    event: Event
    attempts: Sequence[Attempt]


def deliveries(
    session: Session,
    webhook: Webhook,
    *,
    limit: int,
    before: UUID | None = None,
    state: DeliveryState | None = None,
) -> list[Sent]:
    """At most `limit` of the webhook's deliveries, the newest first, older than `before`."""
    wanted = (
        select(Delivery, Event)
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.webhook_id == webhook.id)
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(Delivery.id < before)
    if state is not None:
        wanted = wanted.where(Delivery.state == state)
    rows = session.execute(wanted).all()
    attempts = _attempts(session, [delivery.id for delivery, _ in rows])
    return [Sent(delivery, event, attempts[delivery.id]) for delivery, event in rows]


def _attempts(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[Attempt]]:
    found: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in session.scalars(
        select(Attempt).where(Attempt.delivery_id.in_(ids)).order_by(Attempt.id)
    ):
        found[attempt.delivery_id].append(attempt)
    return found


def redeliver(session: Session, site_id: UUID, delivery_id: UUID, *, now: datetime) -> Sent:
    """Send one delivery again, under the same id; raises NotFound, Disabled."""
    found = session.execute(
        select(Delivery, Event, Webhook)
        .join(Event, Event.id == Delivery.event_id)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Delivery.id == delivery_id, Webhook.site_id == site_id)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such delivery.")
    delivery, event, webhook = found
    if not webhook.enabled:
        raise Disabled("The webhook of this delivery is disabled; enable it first.")
    session.execute(_again(now).where(Delivery.id == delivery_id))
    session.refresh(delivery)
    return Sent(delivery, event, _attempts(session, [delivery_id])[delivery_id])


def redeliver_failed(session: Session, webhook: Webhook, *, since: datetime, now: datetime) -> int:
    """Send again what has failed since a moment; how many. Raises Disabled."""
    if not webhook.enabled:
        raise Disabled("This webhook is disabled; enable it first.")
    failed = session.scalars(
        _again(now)
        .where(
            Delivery.webhook_id == webhook.id,
            Delivery.state == DeliveryState.FAILED,
            Delivery.finished_at >= since,
        )
        .returning(Delivery.id)
    )
    return len(failed.all())


def replay(session: Session, webhook: Webhook, *, since: datetime, now: datetime) -> int:
    """Hand out past events that the webhook has not heard of, from a moment on; how many.

    Only what matches its patterns and what was already handed out. Raises Disabled.
    """
    if not webhook.enabled:
        raise Disabled("This webhook is disabled; enable it first.")
    known = select(Delivery.event_id).where(Delivery.webhook_id == webhook.id)
    past = session.scalars(
        select(Event)
        .where(
            Event.site_id == webhook.site_id,
            Event.created_at >= since,
            Event.fanned_out_at.is_not(None),
            Event.webhook_id.is_(None),
            Event.id.not_in(known),
        )
        .order_by(Event.id)
        .execution_options(yield_per=REPLAY_BATCH)
    )
    count = 0
    for part in past.partitions():
        rows = [row for event in part for row in fan_out.deliveries(event, [webhook], now=now)]
        if rows:
            session.execute(insert(Delivery), rows)
        count += len(rows)
    return count


def prune(session: Session, *, before: datetime) -> int:
    """Delete deliveries that ended before a moment, and events that have none; how many the first.

    Replays reach back to that moment only.
    """
    ended = session.scalars(
        delete(Delivery).where(Delivery.finished_at < before).returning(Delivery.id)
    ).all()
    session.execute(
        delete(Event).where(
            Event.fanned_out_at < before, Event.id.not_in(select(Delivery.event_id))
        )
    )
    return len(ended)


def _again(now: datetime) -> Update:
    return (
        update(Delivery)
        .values(
            state=DeliveryState.PENDING,
            attempt_count=0,
            next_attempt_at=now,
            finished_at=None,
            leased_until=None,
            leased_by=None,
        )
        .execution_options(synchronize_session=False)
    )
