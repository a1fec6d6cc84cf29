"""What something is due for: each webhook and channel, and the letters; and how each is claimed."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import UUID

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.db import Prepared, among
from service.dispatch import to_channels, to_people, to_webhooks
from service.dispatch.claim import NOW, Task, is_due
from service.dispatch.health import Kind
from service.dispatch.to_webhooks import Contents
from service.letters import Writers
from service.models import LETTERS, Channel, Delivery, Medium, Webhook


class Take(Protocol):
    """Leases what is due in one lane."""

    def __call__(
        self, session: Session, *, worker_id: UUID, now: datetime, limit: int
    ) -> list[Task]:
        """At most `limit` tasks, the longest due first."""


def _has_due(lane_id: InstrumentedAttribute[UUID] | UUID) -> Exists:
    return exists().where(Delivery.lane_id == lane_id, *is_due(NOW))


_CHANNEL = select(Channel.id).where(Channel.enabled, _has_due(Channel.id)).order_by(Channel.id)
_CHANNELS = Prepared(_CHANNEL)
_SILENT = Prepared(_CHANNEL.where(Channel.medium != Medium.MAIL))
_WEBHOOKS = Prepared(
    select(Webhook.id).where(Webhook.enabled, _has_due(Webhook.id)).order_by(Webhook.id)
)
_LETTERS = Prepared(select(_has_due(LETTERS).label("any")))


def due(
    session: Session,
    *,
    now: datetime,
    contents: Contents,
    writers: Writers,
    has_mail: bool,
) -> dict[UUID, Take]:
    """How to claim what is due, by lane; without an SMTP server mail waits."""
    at = {"now": now}
    found: dict[UUID, Take] = {
        webhook_id: partial(to_webhooks.take, webhook_id=webhook_id, contents=contents)
        for (webhook_id,) in _WEBHOOKS.all(session, at)
    }
    found |= {
        channel_id: partial(to_channels.take, channel_id=channel_id)
        for (channel_id,) in (_CHANNELS if has_mail else _SILENT).all(session, at)
    }
    if has_mail and _LETTERS.one(session, at).any:
        found[LETTERS] = partial(to_people.take, writers=writers)
    return found


def _enabled(kind: Kind) -> Prepared:
    return Prepared(
        lambda dialect: select(kind.id, kind.updated_at).where(
            kind.enabled, among(kind.id, "asked", dialect)
        )
    )


_ENABLED = [_enabled(Webhook), _enabled(Channel)]


def changed_at(session: Session, ids: Collection[UUID]) -> dict[UUID, datetime | None]:
    """When each of these webhooks and channels was changed last; None of what is no more."""
    asked = {"asked": ids}
    found = {row.id: row.updated_at for each in _ENABLED for row in each.all(session, asked)}
    return {key: found.get(key) for key in ids}
