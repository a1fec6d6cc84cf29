"""Taking work: a lease on deliveries that are due, so that no two workers send the same one."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from service.dispatch.client import DEADLINE_SECONDS
from service.dispatch.messages import Message
from service.models import Delivery, DeliveryState, Event, Webhook

LEASE = timedelta(seconds=2 * DEADLINE_SECONDS)
"""Long enough to wait for a free thread, send and record; a killed worker's work rests as long."""

PATIENCE = 2
"""A later event of the same subject waits until an earlier one has failed this many times."""


@dataclass(frozen=True, slots=True)
class Task:
    """One leased delivery with everything that sending it takes."""

    delivery_id: UUID
    tries: int
    """Made before this one."""
    message: Message
    webhook: Webhook
    taken_at: float
    """By the monotonic clock."""


def _is_due(now: datetime) -> list[ColumnElement[bool]]:
    return [
        Delivery.state == DeliveryState.PENDING,
        Delivery.next_attempt_at <= now,
        or_(Delivery.leased_until.is_(None), Delivery.leased_until <= now),
    ]


def endpoints(session: Session, *, now: datetime) -> Sequence[UUID]:
    """The enabled webhooks that something is due for."""
    due = exists().where(Delivery.webhook_id == Webhook.id, *_is_due(now))
    return session.scalars(select(Webhook.id).where(Webhook.enabled, due)).all()


def claim(
    session: Session, webhook_id: UUID, *, worker_id: UUID, now: datetime, limit: int
) -> list[Task]:
    """Lease at most `limit` due deliveries of one webhook, the longest due first."""
    until = now + LEASE
    # As a common table expression: PostgreSQL may run a plain subquery more than once.
    due = _next(webhook_id, now, limit).cte("due")
    leased = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(select(due.c.id)))
        .values(leased_until=until, leased_by=worker_id)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not leased:
        return []
    rows = session.execute(
        select(
            Delivery.id,
            Delivery.attempt_count,
            Event.id.label("event_id"),
            Event.type,
            Event.created_at,
            Event.data,
        )
        .join(Event, Event.id == Delivery.event_id)
        .where(Delivery.id.in_(leased))
        .order_by(Delivery.next_attempt_at, Delivery.id)
    )
    webhook, taken_at = session.get_one(Webhook, webhook_id), time.monotonic()
    return [Task(key, tries, Message(*told), webhook, taken_at) for key, tries, *told in rows]


def _next(webhook_id: UUID, now: datetime, limit: int) -> Select[UUID]:
    other = aliased(Delivery)
    # A scalar: made a join, this is computed for the whole backlog before the limit counts.
    first = (
        select(other.event_id)
        .where(
            other.webhook_id == webhook_id,
            other.subject_id == Delivery.subject_id,
            other.state == DeliveryState.PENDING,
            other.attempt_count < PATIENCE,
        )
        .order_by(other.event_id)
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(Delivery.id)
        .where(
            Delivery.webhook_id == webhook_id,
            *_is_due(now),
            Delivery.event_id <= func.coalesce(first, Delivery.event_id),
        )
        .order_by(Delivery.next_attempt_at, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def release(session: Session, ids: Collection[UUID], *, worker_id: UUID) -> None:
    """Give back leases on what was not begun."""
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.leased_by == worker_id)
        .values(leased_until=None, leased_by=None)
    )
