"""An event becomes one delivery for each webhook and channel that wants to hear of it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, defer

from service.db import Prepared, new_id
from service.dispatch import schedule
from service.models import Channel, Delivery, DeliveryState, Event, Webhook

T = TypeVar("T", Webhook, Channel)

BATCH = 500
ADVISORY_LOCK = 0x66616E73  # "fans"


_WAITING = select(Event.id).where(Event.fanned_out_at.is_(None)).limit(1)


def is_waiting(session: Session) -> bool:
    """Whether any event has not been handed out yet."""
    return session.scalar(_WAITING) is not None


_NEW = Prepared.insert(
    Delivery,
    "id event_id lane_id webhook_id channel_id subject_id state attempt_count next_attempt_at"
    " created_at",
)


def fan_out(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Hand out the oldest events that wait; how many they were.

    One worker at a time: with two, a later event could become visible before an earlier one.
    """
    if not _is_my_turn(session):
        return 0
    channels = _by_site(session.scalars(select(Channel).where(Channel.enabled)))
    waiting = session.scalars(
        select(Event)
        # Only channels look into an event, and it may be long.
        .options(*([] if channels else [defer(Event.data)]))
        .where(Event.fanned_out_at.is_(None))
        .order_by(Event.id)
        .limit(limit)
    ).all()
    if not waiting:
        return 0
    sites = {event.site_id for event in waiting}
    webhooks = _by_site(
        session.scalars(select(Webhook).where(Webhook.site_id.in_(sites), Webhook.enabled))
    )
    rows = [
        row
        for event in waiting
        for row in (
            *deliveries(event, webhooks[event.site_id], now=now),
            *_notes(event, channels[event.site_id], now=now),
        )
    ]
    if rows:
        _NEW.run(session, *rows)
    session.execute(
        update(Event)
        .where(Event.id.in_([event.id for event in waiting]))
        .values(fanned_out_at=now)
        .execution_options(synchronize_session=False)
    )
    return len(waiting)


def deliveries(
    event: Event, webhooks: Iterable[Webhook], *, now: datetime
) -> list[dict[str, object]]:
    """The rows of an event's deliveries to webhooks, due at once."""
    return [
        _row(event, webhook.id, now) | {"webhook_id": webhook.id}
        for webhook in webhooks
        if is_wanted(event, webhook)
    ]


def _notes(event: Event, channels: Iterable[Channel], *, now: datetime) -> list[dict[str, object]]:
    return [
        _row(event, channel.id, now)
        | {"channel_id": channel.id, "next_attempt_at": schedule.due_at(channel, now)}
        for channel in channels
        if is_told(event, channel)
    ]


def _row(event: Event, lane_id: UUID, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "event_id": event.id,
        "lane_id": lane_id,
        "webhook_id": None,
        "channel_id": None,
        "subject_id": event.subject_id,
        "state": DeliveryState.PENDING,
        "attempt_count": 0,
        "next_attempt_at": min(event.created_at, now),
        "created_at": now,
    }


def is_wanted(event: Event, webhook: Webhook) -> bool:
    """Whether a webhook hears of an event; a ping goes to the one it is meant for."""
    if event.webhook_id is not None:
        return event.webhook_id == webhook.id
    return any(matches(pattern, event.type) for pattern in webhook.events)


def is_told(event: Event, channel: Channel) -> bool:
    """Whether a channel is told of an event: not of suspected spam, nor of what too few reported.

    A correction is new to a channel when as many as it asks for have reported it.
    """
    if event.type == "ping" or event.data.get("suspected"):
        return False
    count = event.data.get("report_count") or 1
    kinds = {event.type}
    if event.type == "report.created" and count == channel.least_reports > 1:
        kinds.add("correction.created")
    return count >= channel.least_reports and any(
        matches(pattern, kind) for pattern in channel.events for kind in kinds
    )


def matches(pattern: str, kind: str) -> bool:
    """Whether a pattern names a type: itself, `correction.*`, or `*` for everything."""
    return pattern in {kind, "*"} or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


def _by_site(rows: Iterable[T]) -> dict[UUID, list[T]]:
    found: dict[UUID, list[T]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id):
        found[row.site_id].append(row)
    return found


def _is_my_turn(session: Session) -> bool:
    if session.get_bind().dialect.name == "sqlite":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(session.scalar(lock, {"key": ADVISORY_LOCK}))
