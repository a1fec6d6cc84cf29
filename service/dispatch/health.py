"""Which webhooks and channels still take what they are sent, and the end of those that do not."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from service.db import Prepared
from service.models import Channel, Delivery, DeliveryState, Webhook

GIVE_UP = timedelta(days=5)
"""After so long with nothing but failures an outlet is disabled."""

GONE = "The receiver answered 410 Gone."
DEAD = "Nothing but failures for five days."

Kind = type[Webhook] | type[Channel]


def note_success(session: Session, kind: Kind, outlet_id: UUID) -> None:
    """Something arrived: the outlet is well."""
    _WELL[kind].run(session, {"outlet": outlet_id})


_WELL = {
    kind: Prepared(
        update(kind)
        .where(kind.id == bindparam("outlet"), kind.failing_since.is_not(None))
        .values(failing_since=None)
    )
    for kind in (Webhook, Channel)
}


def note_failure(session: Session, kind: Kind, outlet_id: UUID, *, now: datetime) -> bool:
    """Nothing arrived; whether that disabled the outlet."""
    session.execute(
        update(kind)
        .where(kind.id == outlet_id, kind.failing_since.is_(None))
        .values(failing_since=now)
        .execution_options(synchronize_session=False)
    )
    return disable(session, kind, outlet_id, DEAD, failing_before=now - GIVE_UP, now=now)


def disable(
    session: Session,
    kind: Kind,
    outlet_id: UUID,
    reason: str | None,
    *,
    now: datetime,
    failing_before: datetime | None = None,
) -> bool:
    """Disable an outlet and fail what waits for it; whether it was enabled until now.

    With `failing_before`, only one that has been failing since that moment or longer.
    """
    still = [] if failing_before is None else [kind.failing_since <= failing_before]
    ended = session.scalar(
        update(kind)
        .where(kind.id == outlet_id, kind.enabled, *still)
        .values(enabled=False, disabled_reason=reason, updated_at=now)
        .returning(kind.id)
    )
    if ended is None:
        return False
    session.execute(
        update(Delivery)
        .where(Delivery.lane_id == outlet_id, Delivery.state == DeliveryState.PENDING)
        .values(state=DeliveryState.FAILED, finished_at=now, next_attempt_at=None)
    )
    return True
