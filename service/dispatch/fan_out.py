"""An event becomes one delivery for each endpoint that wants to hear of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session, defer

from service.db import new_id
from service.models import Delivery, DeliveryState, Event, Webhook

BATCH = 500
ADVISORY_LOCK = 0x66616E73  # "fans"


def is_waiting(session: Session) -> bool:
    """Whether any event has not been handed out yet."""
    return (
        session.scalar(select(Event.id).where(Event.fanned_out_at.is_(None)).limit(1)) is not None
    )


def fan_out(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Hand out the oldest events that wait; how many they were.

    One worker at a time: with two, a later event could become visible before an earlier one.
    """
    if not _is_my_turn(session):
        return 0
    waiting = session.scalars(
        select(Event)
        .options(defer(Event.data))
        .where(Event.fanned_out_at.is_(None))
        .order_by(Event.id)
        .limit(limit)
    ).all()
    if not waiting:
        return 0
    endpoints = _endpoints(session, {event.site_id for event in waiting})
    rows = [
        row for event in waiting for row in deliveries(event, endpoints[event.site_id], now=now)
    ]
    if rows:
        session.connection().execute(insert(Delivery.__table__), rows)  # type: ignore[arg-type]
    session.execute(
        update(Event).where(Event.id.in_([event.id for event in waiting])).values(fanned_out_at=now)
    )
    return len(waiting)


def deliveries(
    event: Event, endpoints: Iterable[Webhook], *, now: datetime
) -> list[dict[str, object]]:
    """The rows of an event's deliveries, due at once."""
    return [
        {
            "id": new_id(),
            "event_id": event.id,
            "webhook_id": endpoint.id,
            "subject_id": event.subject_id,
            "state": DeliveryState.PENDING,
            "attempt_count": 0,
            "next_attempt_at": min(event.created_at, now),
            "created_at": now,
        }
        for endpoint in endpoints
        if is_wanted(event, endpoint)
    ]


def is_wanted(event: Event, endpoint: Webhook) -> bool:
    """Whether an endpoint hears of an event; a ping goes to the one it is meant for."""
    if event.webhook_id is not None:
        return event.webhook_id == endpoint.id
    return any(matches(pattern, event.type) for pattern in endpoint.events)


def matches(pattern: str, kind: str) -> bool:
    """Whether a pattern names a type: itself, `correction.*`, or `*` for everything."""
    return pattern in {kind, "*"} or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def _endpoints(session: Session, sites: set[UUID]) -> dict[UUID, list[Webhook]]:
    found: dict[UUID, list[Webhook]] = defaultdict(list)
    rows: Sequence[Webhook] = session.scalars(
        select(Webhook).where(Webhook.site_id.in_(sites), Webhook.enabled).order_by(Webhook.id)
    ).all()
    for webhook in rows:
        found[webhook.site_id].append(webhook)
    return found


def _is_my_turn(session: Session) -> bool:
    if session.get_bind().dialect.name == "sqlite":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(session.scalar(lock, {"key": ADVISORY_LOCK}))
