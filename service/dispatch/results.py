"""What became of attempts, written down many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, Update, bindparam, insert, select, update
from sqlalchemy.orm import Session

from service.db import new_id
from service.dispatch import backoff, health
from service.dispatch.claim import Task
from service.dispatch.client import Answer, SendFailed
from service.models import Attempt, Delivery, DeliveryState

GONE = 410

Held = Row[UUID, DeliveryState, UUID | None, int]
"""A delivery's id, state, leaseholder and count of attempts."""


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt and how it ended."""

    task: Task
    started_at: datetime
    seconds: float
    request: dict[str, str]
    outcome: Answer | SendFailed

    @property
    def is_success(self) -> bool:
        """Whether the receiver has it."""
        return isinstance(self.outcome, Answer) and self.outcome.is_success

    @property
    def retry_after(self) -> timedelta | None:
        """What the receiver asks to wait."""
        header = self.outcome.retry_after if isinstance(self.outcome, Answer) else None
        return backoff.retry_after(header, self.started_at)


def record(
    session: Session,
    results: Sequence[Result],
    *,
    worker_id: UUID,
    now: datetime,
    delays: tuple[timedelta, ...] = backoff.DELAYS,
) -> list[UUID]:
    """Write attempts and their deliveries' new states; the webhooks that this disabled.

    Webhooks before deliveries, each in the order of ids, as everywhere: no two wait for each other.
    """
    disabled = _note_health(session, results, now=now)
    alive = {
        row.id: row
        for row in session.execute(
            select(Delivery.id, Delivery.state, Delivery.leased_by, Delivery.attempt_count)
            .where(Delivery.id.in_([result.task.delivery_id for result in results]))
            .order_by(Delivery.id)
            .with_for_update()
        )
    }
    kept = [result for result in results if result.task.delivery_id in alive]
    connection = session.connection()
    if kept:
        connection.execute(insert(_ATTEMPTS), [_attempt(result) for result in kept])
    counted = [
        (result, alive[result.task.delivery_id])
        for result in kept
        if _counts(result, alive[result.task.delivery_id], worker_id)
    ]
    arrived = [held.id for result, held in counted if result.is_success]
    if arrived:
        connection.execute(_arrived(now).where(_DELIVERIES.c.id.in_(arrived)))
    failed = [
        _failure(result, held, now=now, delays=delays)
        for result, held in counted
        if not result.is_success
    ]
    if failed:
        connection.execute(_FAILED, failed)
    return disabled


_ATTEMPTS: Table = Attempt.__table__  # type: ignore[assignment]
_DELIVERIES: Table = Delivery.__table__  # type: ignore[assignment]

_FAILED = (
    update(_DELIVERIES)
    .where(_DELIVERIES.c.id == bindparam("key"))
    .values(
        state=bindparam("state"),
        attempt_count=bindparam("attempt_count"),
        next_attempt_at=bindparam("next_attempt_at"),
        finished_at=bindparam("finished_at"),
        leased_until=None,
        leased_by=None,
    )
)


def _arrived(now: datetime) -> Update:
    return update(_DELIVERIES).values(
        state=DeliveryState.DELIVERED,
        attempt_count=_DELIVERIES.c.attempt_count + 1,
        next_attempt_at=None,
        finished_at=now,
        leased_until=None,
        leased_by=None,
    )


def _note_health(session: Session, results: Sequence[Result], *, now: datetime) -> list[UUID]:
    by_webhook: dict[UUID, list[Result]] = {}
    for result in results:
        by_webhook.setdefault(result.task.webhook.id, []).append(result)
    disabled = []
    for webhook_id, ended in sorted(by_webhook.items()):
        if any(result.is_success for result in ended):
            health.note_success(session, webhook_id)
        elif health.note_failure(session, webhook_id, now=now):
            disabled.append(webhook_id)
        if any(_status(result) == GONE for result in ended) and health.disable(
            session, webhook_id, health.GONE, now=now
        ):
            disabled.append(webhook_id)
    return disabled


def _status(result: Result) -> int | None:
    return result.outcome.status if isinstance(result.outcome, Answer) else None


def _attempt(result: Result) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "id": new_id(),
        "delivery_id": result.task.delivery_id,
        "started_at": result.started_at,
        "duration_ms": round(result.seconds * 1000),
        "request": result.request,
        "status": _status(result),
        "error": str(outcome)[:500] if isinstance(outcome, SendFailed) else None,
        "response": outcome.body if isinstance(outcome, Answer) else None,
    }


def _counts(result: Result, row: Held, worker_id: UUID) -> bool:
    # A success is one whoever holds the lease by now; a failure is only the holder's to tell.
    if result.is_success:
        return bool(row.state != DeliveryState.DELIVERED)
    return bool(row.state == DeliveryState.PENDING and row.leased_by == worker_id)


def _failure(
    result: Result, row: Held, *, now: datetime, delays: tuple[timedelta, ...]
) -> dict[str, Any]:
    tries = row.attempt_count + 1
    is_gone = _status(result) == GONE
    delay = None if is_gone else backoff.next_delay(tries, result.retry_after, delays)
    return {
        "key": row.id,
        "state": DeliveryState.FAILED if delay is None else DeliveryState.PENDING,
        "attempt_count": tries,
        "next_attempt_at": None if delay is None else now + delay,
        "finished_at": now if delay is None else None,
    }
