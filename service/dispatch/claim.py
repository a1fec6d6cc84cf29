"""Taking work: a lease on deliveries that are due, so that no two workers send the same one."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.dml import ReturningUpdate

from service.dispatch.client import DEADLINE_SECONDS
from service.dispatch.parcels import Parcel
from service.models import Delivery, DeliveryState

LEASE = timedelta(seconds=2 * DEADLINE_SECONDS)
"""Long enough to wait for a free thread, send and record; a killed worker's work rests as long."""


@dataclass(frozen=True, slots=True)
class Task:
    """Leased deliveries that one message carries, and everything that sending it takes."""

    delivery_ids: tuple[UUID, ...]
    lane_id: UUID
    parcel: Parcel
    taken_at: float = field(default_factory=time.monotonic)
    """By the monotonic clock."""


NOW: BindParameter[Any] = bindparam("now")
LANE: BindParameter[Any] = bindparam("lane")
MOST: BindParameter[Any] = bindparam("most")
"""Left open in statements that are built once: building one takes longer than it runs."""


def is_due(now: datetime | BindParameter[Any]) -> list[ColumnElement[bool]]:
    """What waits for this moment or an earlier one, and is nobody's."""
    return [
        Delivery.state == DeliveryState.PENDING,
        Delivery.next_attempt_at <= now,
        or_(Delivery.leased_until.is_(None), Delivery.leased_until <= now),
    ]


def first_due(
    lane_id: UUID | BindParameter[Any],
    now: datetime | BindParameter[Any],
    limit: int | BindParameter[Any],
) -> Select[UUID]:
    """Ids of what is due in a lane, the longest due first; another worker's rows are skipped."""
    return (
        select(Delivery.id)
        .where(Delivery.lane_id == lane_id, *is_due(now))
        .order_by(Delivery.next_attempt_at, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def lease(
    session: Session, wanted: Select[UUID], *, worker_id: UUID, now: datetime
) -> Sequence[UUID]:
    """Lease what a selection of ids names; the ids."""
    return session.scalars(leasing(wanted, Delivery.id), lease_of(worker_id, now)).all()


def leasing(wanted: Select[UUID], *told: InstrumentedAttribute[Any]) -> ReturningUpdate[Any]:
    """The statement that leases what a selection of ids names, and tells some of it."""
    # As a common table expression: PostgreSQL may run a plain subquery more than once.
    due = wanted.cte("due")
    return (
        update(Delivery)
        .where(Delivery.id.in_(select(due.c.id)))
        .values(leased_until=bindparam("until"), leased_by=bindparam("worker"))
        .returning(*told)
        .execution_options(synchronize_session=False)
    )


def lease_of(worker_id: UUID, now: datetime) -> dict[str, Any]:
    """Whose lease it is, and how long."""
    return {"until": now + LEASE, "worker": worker_id}


def release(session: Session, ids: Collection[UUID], *, worker_id: UUID) -> None:
    """Give back leases on what was not begun."""
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.leased_by == worker_id)
        .values(leased_until=None, leased_by=None)
        .execution_options(synchronize_session=False)
    )
