"""What became of attempts, written down many at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, Uuid, bindparam, false, func, select, update
from sqlalchemy.orm import Session

from service.db import Prepared, UtcDateTime, among, new_id
from service.dispatch import backoff, health, to_people
from service.dispatch.claim import Task
from service.dispatch.client import Answer, SendFailed
from service.dispatch.parcels import Outcome, Outlet
from service.letters import PLAIN, Writers
from service.models import Attempt, Delivery, DeliveryState

GONE = 410

Held = Any
"""A delivery's id, state, whether this worker holds its lease, count of attempts and letter."""


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt and how it ended."""

    task: Task
    started_at: datetime
    seconds: float
    request: dict[str, str]
    outcome: Outcome

    @property
    def is_success(self) -> bool:
        """Whether the receiver has it."""
        return isinstance(self.outcome, Answer) and self.outcome.is_success

    @property
    def is_final(self) -> bool:
        """Whether trying again cannot help."""
        if isinstance(self.outcome, SendFailed):
            return self.outcome.is_final
        return self.is_success or self.outcome.status == GONE

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
    writers: Writers = PLAIN,
) -> list[Outlet]:
    """Write attempts and their deliveries' new states; the webhooks and channels this disabled.

    Outlets before deliveries, each in the order of ids, as everywhere: no two wait for each other.
    """
    disabled = _note_health(session, results, now=now)
    tried = {"tried": [key for key, _ in _each(results)], "worker": worker_id}
    alive = {row.id: row for row in _HELD.all(session, tried)}
    kept = [(result, held) for key, result in _each(results) if (held := alive.get(key))]
    if kept:
        _ATTEMPTED.run(session, *(attempt(held.id, result) for result, held in kept))
    counted = [(result, held) for result, held in kept if _counts(result, held)]
    arrived = [held.id for result, held in counted if result.is_success]
    if arrived:
        _ARRIVED.run(session, {"arrived": arrived, "at": now})
    failed = [
        _failure(result, held, now=now, delays=delays)
        for result, held in counted
        if not result.is_success
    ]
    if failed:
        _FAILED.run(session, *failed)
    letters = {held.id: held.letter_id for _, held in counted if held.letter_id}
    given_up = [row["key"] for row in failed if row["state"] == DeliveryState.FAILED]
    for state, keys in ((DeliveryState.DELIVERED, arrived), (DeliveryState.FAILED, given_up)):
        if letters and (ended := [letters[key] for key in keys if key in letters]):
            to_people.end(session, ended, state, writers, now=now)
    return disabled


def _each(results: Sequence[Result]) -> Iterator[tuple[UUID, Result]]:
    for result in results:
        for key in result.task.delivery_ids:
            yield key, result


_ATTEMPTED = Prepared.insert(
    Attempt, "id delivery_id started_at duration_ms request status error response"
)

_HELD = Prepared(
    lambda dialect: (
        select(
            Delivery.id,
            Delivery.state,
            func.coalesce(Delivery.leased_by == bindparam("worker"), false()).label("is_ours"),
            Delivery.attempt_count,
            Delivery.letter_id,
        )
        .where(among(Delivery.id, "tried", dialect))
        .order_by(Delivery.id)
        .with_for_update()
    )
)

_ARRIVED = Prepared(
    lambda dialect: (
        update(Delivery)
        .where(among(Delivery.id, "arrived", dialect))
        .values(
            state=DeliveryState.DELIVERED,
            attempt_count=Delivery.attempt_count + 1,
            next_attempt_at=None,
            finished_at=bindparam("at"),
            leased_until=None,
            leased_by=None,
        )
    )
)

_FAILED = Prepared.each(
    lambda given: (
        update(Delivery)
        .where(Delivery.id == given["key"])
        .values(
            state=given["state"],
            attempt_count=given["attempt_count"],
            next_attempt_at=given["next_attempt_at"],
            finished_at=given["finished_at"],
            leased_until=None,
            leased_by=None,
        )
    ),
    key=Uuid(),
    state=String(),
    attempt_count=Integer(),
    next_attempt_at=UtcDateTime(),
    finished_at=UtcDateTime(),
)


def _note_health(session: Session, results: Sequence[Result], *, now: datetime) -> list[Outlet]:
    by_outlet: dict[UUID, list[Result]] = {}
    for result in results:
        if result.task.parcel.outlet is not None:
            by_outlet.setdefault(result.task.lane_id, []).append(result)
    disabled = []
    for outlet_id, ended in sorted(by_outlet.items()):
        outlet = ended[0].task.parcel.outlet
        if outlet and _has_just_ended(session, type(outlet), outlet_id, ended, now=now):
            disabled.append(outlet)
    return disabled


def _has_just_ended(
    session: Session, kind: health.Kind, outlet_id: UUID, ended: Sequence[Result], *, now: datetime
) -> bool:
    is_dead = False
    if any(result.is_success for result in ended):
        health.note_success(session, kind, outlet_id)
    else:
        is_dead = health.note_failure(session, kind, outlet_id, now=now)
    if any(_status(result) == GONE for result in ended):
        return health.disable(session, kind, outlet_id, health.GONE, now=now) or is_dead
    return is_dead


def _status(result: Result) -> int | None:
    return result.outcome.status if isinstance(result.outcome, Answer) else None


def attempt(delivery_id: UUID, result: Result) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "id": new_id(),
        "delivery_id": delivery_id,
        "started_at": result.started_at,
        "duration_ms": round(result.seconds * 1000),
        "request": result.request,
        "status": _status(result),
        "error": str(outcome)[:500] if isinstance(outcome, SendFailed) else None,
        "response": outcome.body if isinstance(outcome, Answer) else None,
    }


def _counts(result: Result, row: Held) -> bool:
    # A success is one whoever holds the lease by now; a failure is only the holder's to tell.
    if result.is_success:
        return bool(row.state != DeliveryState.DELIVERED)
    return bool(row.state == DeliveryState.PENDING and row.is_ours)


def _failure(
    result: Result, row: Held, *, now: datetime, delays: tuple[timedelta, ...]
) -> dict[str, Any]:
    tries = row.attempt_count + 1
    delay = None if result.is_final else backoff.next_delay(tries, result.retry_after, delays)
    return {
        "key": row.id,
        "state": DeliveryState.FAILED if delay is None else DeliveryState.PENDING,
        "attempt_count": tries,
        "next_attempt_at": None if delay is None else now + delay,
        "finished_at": now if delay is None else None,
    }
