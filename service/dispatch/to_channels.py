"""Deliveries to channels: all that is due, and all that is about to be, in one message."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from service.db import new_id
from service.dispatch import claim, notes
from service.dispatch.channels import CHATS, mail
from service.dispatch.claim import Task
from service.dispatch.messages import USER_AGENT
from service.dispatch.notes import Note, Told
from service.dispatch.parcels import Carriers, Outcome
from service.dispatch.schedule import GATHER
from service.models import Channel, Delivery, Event, Medium, Site

MOST = 500
"""Events that one message tells of."""


@dataclass(frozen=True, slots=True)
class ChannelParcel:
    """What one message tells a channel; nothing told is a test."""

    outlet: Channel
    site_name: str
    language: str
    told: Sequence[Told]
    message_id: UUID

    def send(self, carriers: Carriers, at: datetime) -> tuple[dict[str, str], Outcome]:
        """Say it as the medium does; secrets of the address are not kept."""
        channel, note = self.outlet, self._note(carriers)
        if channel.medium is Medium.MAIL:
            made = mail.compose(channel.target["address"], note, self.language, self.message_id)
            return {"Message-ID": str(self.message_id)}, carriers.mail(made, at)
        chat = CHATS[channel.medium]
        content = json.dumps(chat.payload(channel.target, note, self.language)).encode()
        request = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        return request, carriers.post(chat.address(channel.target), content, request)

    def _note(self, carriers: Carriers) -> Note:
        stop_url = carriers.stop_url(self.outlet.id)
        if not self.told:
            return notes.trial(
                site_name=self.site_name,
                language=self.language,
                public_url=carriers.public_url,
                stop_url=stop_url,
            )
        return notes.about(
            self.told,
            site_name=self.site_name,
            language=self.language,
            public_url=carriers.public_url,
            stop_url=stop_url,
        )


def take(
    session: Session, channel_id: UUID, *, worker_id: UUID, now: datetime, limit: int
) -> list[Task]:
    """Lease what one message tells, if anything is due: what an earlier attempt told, or the new.

    A message that was claimed once keeps its content and its id, whatever has come since.
    """
    channel = session.scalar(
        select(Channel)
        .where(Channel.id == channel_id, Channel.enabled)
        .with_for_update(skip_locked=True, key_share=True)
    )
    oldest = session.execute(
        select(Delivery.id, Delivery.message_id)
        .where(Delivery.lane_id == channel_id, *claim.is_due(now))
        .order_by(Delivery.next_attempt_at, Delivery.id)
        .limit(1)
    ).first()
    if channel is None or oldest is None or limit < 1:
        return []
    message_id = oldest.message_id or new_id()
    wanted = _again(message_id, now) if oldest.message_id else _gathered(channel_id, now)
    leased = claim.lease(session, wanted, worker_id=worker_id, now=now)
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(leased))
        .values(message_id=message_id)
        .execution_options(synchronize_session=False)
    )
    site = session.get_one(Site, channel.site_id)
    parcel = ChannelParcel(channel, site.name, site.language, _told(session, leased), message_id)
    return [Task(tuple(leased), channel_id, parcel)] if leased else []


def _gathered(channel_id: UUID, now: datetime) -> Select[UUID]:
    return (
        select(Delivery.id)
        .where(
            Delivery.lane_id == channel_id,
            Delivery.message_id.is_(None),
            *claim.is_due(now + GATHER),
        )
        .order_by(Delivery.event_id)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )


def _again(message_id: UUID, now: datetime) -> Select[UUID]:
    return (
        select(Delivery.id)
        .where(Delivery.message_id == message_id, *claim.is_due(now))
        .with_for_update(skip_locked=True)
    )


def _told(session: Session, ids: Sequence[UUID]) -> list[Told]:
    rows = session.execute(
        select(Event.type, Event.data)
        .join(Delivery, Delivery.event_id == Event.id)
        .where(Delivery.id.in_(ids))
        .order_by(Event.id)
    )
    return [Told(kind, data) for kind, data in rows]
