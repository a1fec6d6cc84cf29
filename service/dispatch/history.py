"""What was sent and what came of it: the list of deliveries, sending again, replaying, pruning."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Update, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from service import audits
from service.db import Database
from service.dispatch import fan_out
from service.dispatch.applying import APPLY
from service.dispatch.parcels import Outlet
from service.errors import Disabled, NotAllowedMove, NotFound
from service.models import Attempt, Delivery, DeliveryState, Event, Letter, Webhook
from service.snapshots import instant

REPLAY_BATCH = 500

AT_ONCE = 1_000
"""So many rows are deleted in one transaction: others wait for it on SQLite."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery with its event and its attempts, the oldest first."""

    delivery: Delivery
    event: Event
    attempts: Sequence[Attempt]


def deliveries(
    session: Session,
    outlet: Outlet,
    *,
    limit: int,
    before: UUID | None = None,
    state: DeliveryState | None = None,
) -> list[Sent]:
    """At most `limit` of the outlet's deliveries, the newest first, older than `before`."""
    way = Delivery.webhook_id if isinstance(outlet, Webhook) else Delivery.channel_id
    wanted = (
        select(Delivery, Event)
        .join(Event, Event.id == Delivery.event_id)
        .where(way == outlet.id)
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


def find(session: Session, site_id: UUID, delivery_id: UUID) -> tuple[Sent, Webhook]:
    """One delivery to one of the site's webhooks; raises NotFound."""
    found = session.execute(
        select(Delivery, Event, Webhook)
        .join(Event, Event.id == Delivery.event_id)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Delivery.id == delivery_id, Webhook.site_id == site_id)
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such delivery.")
    delivery, event, webhook = found
    return Sent(delivery, event, _attempts(session, [delivery_id])[delivery_id]), webhook


def redeliver(
    session: Session,
    site_id: UUID,
    delivery_id: UUID,
    *,
    now: datetime,
    by: str = audits.COMMAND_LINE,
) -> Sent:
    """Send one delivery again, under the same id; raises NotFound, Disabled, NotAllowedMove."""
    sent, webhook = find(session, site_id, delivery_id)
    _require_enabled(webhook)
    if sent.event.type == APPLY:
        raise NotAllowedMove("Hand the correction over again: somebody has to hear the answer.")
    session.execute(_again(now).where(Delivery.id == delivery_id))
    session.refresh(sent.delivery)
    _note(session, webhook, "redelivered", {"event": str(sent.event.id)}, by=by, now=now)
    return sent


def redeliver_failed(
    session: Session,
    webhook: Webhook,
    *,
    since: datetime,
    now: datetime,
    by: str = audits.COMMAND_LINE,
) -> int:
    """Send again what has failed since a moment; how many. Raises Disabled."""
    _require_enabled(webhook)
    failed = session.scalars(
        _again(now)
        .where(
            Delivery.webhook_id == webhook.id,
            Delivery.state == DeliveryState.FAILED,
            Delivery.finished_at >= since,
            ~exists().where(Event.id == Delivery.event_id, Event.type == APPLY),
        )
        .returning(Delivery.id)
    )
    count = len(failed.all())
    _note(session, webhook, "redelivered", _since(since, count), by=by, now=now)
    return count


def replay(session: Session, webhook: Webhook, *, since: datetime, now: datetime, by: str) -> int:
    """Hand out past events that the webhook has not heard of, from a moment on; how many.

    Only what matches its patterns and what was already handed out. Raises Disabled.
    """
    _require_enabled(webhook)
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
    _note(session, webhook, "replayed", _since(since, count), by=by, now=now)
    return count


def _require_enabled(webhook: Webhook) -> None:
    if not webhook.enabled:
        raise Disabled("This webhook is disabled; enable it first.")


def _since(since: datetime, count: int) -> dict[str, Any]:
    return {"since": instant(since), "count": count}


def _note(
    session: Session, webhook: Webhook, done: str, what: dict[str, Any], *, by: str, now: datetime
) -> None:
    audits.note(
        session, webhook.site_id, f"webhook.{done}", webhook.url, by=by, now=now, after=what
    )


def prune(database: Database, *, before: datetime) -> int:
    """Delete deliveries that ended before a moment; how many.

    Letters go with theirs, and events that have none left: replays reach back to that moment only.
    """
    count = _delete(database, Delivery, Delivery.finished_at < before)
    is_told = exists().where(Delivery.event_id == Event.id)
    _delete(database, Event, Event.fanned_out_at < before, ~is_told)
    is_sent = exists().where(Delivery.letter_id == Letter.id)
    _delete(database, Letter, Letter.created_at < before, ~is_sent)
    return count


def _delete(
    database: Database, table: type[Delivery | Event | Letter], *is_old: ColumnElement[bool]
) -> int:
    count, last = 0, UUID(int=0)
    old = select(table.id).where(*is_old).order_by(table.id).limit(AT_ONCE)
    while True:
        with database.read() as session:
            ids = session.scalars(old.where(table.id > last)).all()
        if not ids:
            return count
        with database.write() as session:
            # What was queued again meanwhile stays.
            gone = delete(table).where(table.id.in_(ids), *is_old).returning(table.id)
            count += len(session.scalars(gone).all())
        last = ids[-1]


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
