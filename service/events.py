"""The outbox: a fact is written in the same transaction as the change it tells of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service import snapshots
from service.models import Correction, Event

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
    session.flush()
    [data] = snapshots.of_corrections(
        session, [correction.id], reports=snapshots.EVENT_REPORTS, with_email=False
    )
    session.add(
        Event(
            site_id=correction.site_id,
            type=kind,
            subject_id=correction.id,
            data=data,
            created_at=now,
        )
    )


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
