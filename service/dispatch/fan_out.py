"""An event becomes one delivery for each webhook and channel that wants to hear of it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.db import Prepared, among, at_most, new_id
from service.dispatch import schedule
from service.models import Channel, Delivery, DeliveryState, Event, Webhook

Told = Event | Any
"""An event, or its columns."""

BATCH = 500
ADVISORY_LOCK = 0x66616E73  # "fans"


_WAITING = Prepared(select(Event.id).where(Event.fanned_out_at.is_(None)).limit(at_most(1)))
_CHANNELS = Prepared(select(Channel).where(Channel.enabled))
_WEBHOOKS = Prepared(
    lambda dialect: select(Webhook).where(among(Webhook.site_id, "sites", dialect), Webhook.enabled)
)


def _first_waiting(*told: InstrumentedAttribute[Any]) -> Select[Any]:
    return (
        select(*told)
        .where(Event.fanned_out_at.is_(None))
        .order_by(Event.id)
        .limit(bindparam("most"))
    )


def is_waiting(session: Session) -> bool:
    """Whether any event has not been handed out yet."""
    return _WAITING.one(session, {}) is not None


_TELLING = (
    Event.id,
    Event.site_id,
    Event.type,
    Event.subject_id,
    Event.webhook_id,
    Event.created_at,
)
_WAITS = Prepared(_first_waiting(*_TELLING))
_WHOLE = Prepared(_first_waiting(*_TELLING, Event.data))
_HANDED_OUT = Prepared(
    lambda dialect: (
        update(Event)
        .where(among(Event.id, "events", dialect))
        .values(fanned_out_at=bindparam("at"))
    )
)
_LISTENS = Prepared(select(Webhook.id).where(Webhook.enabled).limit(at_most(1)))
_HEARD_BY_NOBODY = Prepared(
    update(Event)
    .where(Event.id.in_(_first_waiting(Event.id)))
    .values(fanned_out_at=bindparam("at"))
)
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
    channels = _by_site(_CHANNELS.all(session, {}))
    if not channels and _LISTENS.one(session, {}) is None:
        return _HEARD_BY_NOBODY.run(session, {"most": limit, "at": now})
    # Only channels look into an event, and it may be long.
    wanted = _WHOLE if channels else _WAITS
    waiting = wanted.all(session, {"most": limit})
    if not waiting:
        return 0
    sites = {event.site_id for event in waiting}
    webhooks = _by_site(_WEBHOOKS.all(session, {"sites": sites}))
    rows = [
        row
        for event in waiting
        for row in (
            *deliveries(event, webhooks[event.site_id], now=now),
            *_notes(event, channels[event.site_id], now=now),
        )
    ]
    _NEW.run(session, *rows)
    _HANDED_OUT.run(session, {"events": [event.id for event in waiting], "at": now})
    return len(waiting)


def deliveries(
    event: Told, webhooks: Iterable[Webhook], *, now: datetime
) -> list[dict[str, object]]:
    """The rows of an event's deliveries to webhooks, due at once."""
    due_at = min(event.created_at, now)
    return [
        _row(event, webhook.id, due_at, now, webhook_id=webhook.id)
        for webhook in webhooks
        if is_wanted(event, webhook)
    ]


def _notes(event: Told, channels: Iterable[Channel], *, now: datetime) -> list[dict[str, object]]:
    return [
        _row(event, channel.id, schedule.due_at(channel, now), now, channel_id=channel.id)
        for channel in channels
        if is_told(event, channel)
    ]


def _row(
    event: Told,
    lane_id: UUID,
    due_at: datetime,
    now: datetime,
    *,
    webhook_id: UUID | None = None,
    channel_id: UUID | None = None,
) -> dict[str, object]:
    return {
        "id": new_id(),
        "event_id": event.id,
        "lane_id": lane_id,
        "webhook_id": webhook_id,
        "channel_id": channel_id,
        "subject_id": event.subject_id,
        "state": DeliveryState.PENDING,
        "attempt_count": 0,
        "next_attempt_at": due_at,
        "created_at": now,
    }


def is_wanted(event: Told, webhook: Webhook) -> bool:
    """Whether a webhook hears of an event; a ping goes to the one it is meant for."""
    if event.webhook_id is not None:
        return event.webhook_id == webhook.id
    return any(matches(pattern, event.type) for pattern in webhook.events)


def is_told(event: Told, channel: Channel) -> bool:
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


def _by_site(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id):
        found[row.site_id].append(row)
    return found


def _is_my_turn(session: Session) -> bool:
    if session.get_bind().dialect.name == "sqlite":
        return True
    lock = text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(session.scalar(lock, {"key": ADVISORY_LOCK}))
