"""Which endpoints still take what they are sent, and the end of those that do not."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.models import Delivery, DeliveryState, Webhook

GIVE_UP = timedelta(days=5)
"""After so long with nothing but failures an endpoint is disabled."""

GONE = "The receiver answered 410 Gone."
DEAD = "Nothing but failures for five days."


def note_success(session: Session, webhook_id: UUID) -> None:
    """Something arrived: the endpoint is well."""
    session.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.failing_since.is_not(None))
        .values(failing_since=None)
    )


def note_failure(session: Session, webhook_id: UUID, *, now: datetime) -> bool:
    """Nothing arrived; whether that disabled the endpoint."""
    session.execute(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.failing_since.is_(None))
        .values(failing_since=now)
    )
    return disable(session, webhook_id, DEAD, failing_before=now - GIVE_UP, now=now)


def disable(
    session: Session,
    webhook_id: UUID,
    reason: str | None,
    *,
    now: datetime,
    failing_before: datetime | None = None,
) -> bool:
    """Disable an endpoint and fail what waits for it; whether it was enabled until now.

    With `failing_before`, only one that has been failing since that moment or longer.
    """
    still = [] if failing_before is None else [Webhook.failing_since <= failing_before]
    ended = session.scalar(
        update(Webhook)
        .where(Webhook.id == webhook_id, Webhook.enabled, *still)
        .values(enabled=False, disabled_reason=reason, updated_at=now)
        .returning(Webhook.id)
    )
    if ended is None:
        return False
    session.execute(
        update(Delivery)
        .where(Delivery.webhook_id == webhook_id, Delivery.state == DeliveryState.PENDING)
        .values(state=DeliveryState.FAILED, finished_at=now, next_attempt_at=None)
    )
    return True
