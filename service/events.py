"""The outbox: a fact is written in the same transaction as the change it tells of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from service import snapshots
from service.db import Asking, Prepared, at_most, connection_of, new_id
from service.models import Channel, Correction, Event, Webhook

TYPES = (
    "report.created",
    "correction.created",
    "correction.accepted",
    "correction.fixed",
    "correction.rejected",
    "correction.spam",
    "correction.reopened",
    "correction.published",
    "ping",
)


def emit(session: Session, kind: str, correction: Correction, *, now: datetime) -> None:
    """Write one event about a correction; its data is the correction as it is at this moment."""
    session.add(
        Event(
            site_id=correction.site_id,
            type=kind,
            subject_id=correction.id,
            data=of_correction(session, correction.id),
            created_at=now,
        )
    )


def of_new(
    kinds: Sequence[str], report: Mapping[str, Any], data: dict[str, Any]
) -> list[dict[str, Any]]:
    """The rows of events that a report (site, correction, instant) is the reason of."""
    shared = {
        "site_id": report["site_id"],
        "subject_id": report["correction_id"],
        "data": data,
        "created_at": report["created_at"],
    }
    return [{"id": new_id(), "type": kind, **shared} for kind in kinds]


def tell(session: Asking, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as `of_new` makes them; where nobody listens, none waits to be handed out."""
    connection = connection_of(session)
    # Only one writes to SQLite; on PostgreSQL a webhook may be made while this commits.
    waits = connection.dialect.name != "sqlite" or _HEARD.one(connection, {}) is not None
    _TELL.run(
        connection,
        *({**row, "fanned_out_at": None if waits else row["created_at"]} for row in rows),
    )


_TELL = Prepared.insert(Event, "id site_id type subject_id data created_at fanned_out_at")
_HEARD = Prepared(
    union_all(
        select(Webhook.id).where(Webhook.enabled), select(Channel.id).where(Channel.enabled)
    ).limit(at_most(1))
)


def of_correction(session: Session, correction_id: UUID) -> dict[str, Any]:
    """A correction as events tell of it at this moment."""
    [data] = of_corrections(session, [correction_id])
    return data


def of_corrections(session: Asking, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Corrections as events tell of them, in the order of `ids`."""
    return snapshots.of_corrections(session, ids, reports=snapshots.EVENT_REPORTS, with_email=False)


def emit_ping(session: Session, *, site_id: UUID, webhook_id: UUID, now: datetime) -> Event:
    """Write a `ping` meant for one endpoint only."""
    event = Event(
        site_id=site_id,
        type="ping",
        subject_id=webhook_id,
        webhook_id=webhook_id,
        data={"webhook_id": str(webhook_id)},
        created_at=now,
    )
    session.add(event)
    return event
