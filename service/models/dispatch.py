"""The outbox, and what leaves by it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id
from service.models.words import DeliveryState, word


class Event(Base):
    """A fact that happened, written in the same transaction as the change: the outbox."""

    __tablename__ = "events"
    __table_args__ = (
        Index(
            "ix_events_waiting",
            "id",
            sqlite_where=text("fanned_out_at IS NULL"),
            postgresql_where=text("fanned_out_at IS NULL"),
        ),
        Index(
            "ix_events_of_one_webhook",
            "subject_id",
            "id",
            sqlite_where=text("webhook_id IS NOT NULL"),
            postgresql_where=text("webhook_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[UUID]
    data: Mapped[dict[str, Any]]
    webhook_id: Mapped[UUID | None] = mapped_column(ForeignKey("webhooks.id"))
    """Set where the event is meant for one endpoint only: a ping, or what is to be applied."""
    created_at: Mapped[datetime]
    fanned_out_at: Mapped[datetime | None]


class Webhook(Base):
    """An endpoint that wants to hear of events."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), index=True)
    url: Mapped[str] = mapped_column(String(2048))
    description: Mapped[str] = mapped_column(String(200), default="", server_default="")
    events: Mapped[list[str]]
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Sent along with every delivery; the values are secrets and never shown again."""
    enabled: Mapped[bool] = mapped_column(default=True)
    secret: Mapped[str] = mapped_column(String(100))
    previous_secret: Mapped[str | None] = mapped_column(String(100))
    previous_secret_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    disabled_reason: Mapped[str | None] = mapped_column(String(200))
    failing_since: Mapped[datetime | None]


LETTERS = UUID(int=0)
"""The lane of all letters: there is one mail server."""


class Delivery(Base):
    """An event on its way to a webhook or a channel, or a letter on its way to a person."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "lane_id"),
        UniqueConstraint("letter_id"),
        CheckConstraint(
            "(webhook_id IS NOT NULL AND channel_id IS NULL AND letter_id IS NULL)"
            " OR (webhook_id IS NULL AND channel_id IS NOT NULL AND letter_id IS NULL)"
            " OR (webhook_id IS NULL AND channel_id IS NULL AND letter_id IS NOT NULL)",
            name="one_way",
        ),
        CheckConstraint("(event_id IS NULL) = (letter_id IS NOT NULL)", name="one_content"),
        Index(
            "ix_deliveries_due",
            "lane_id",
            "next_attempt_at",
            "id",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_deliveries_order",
            "lane_id",
            "subject_id",
            "event_id",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_deliveries_webhook_id", "webhook_id", "id"),
        Index(
            "ix_deliveries_channel_id",
            "channel_id",
            "id",
            sqlite_where=text("channel_id IS NOT NULL"),
            postgresql_where=text("channel_id IS NOT NULL"),
        ),
        # Room on each page: a row that is leased stays there, and its indexes as they are.
        {"postgresql_with": {"fillfactor": "70"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    event_id: Mapped[UUID | None] = mapped_column(ForeignKey("events.id"))
    lane_id: Mapped[UUID]
    """What queues together: the webhook, the channel, or `LETTERS`."""
    webhook_id: Mapped[UUID | None] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    channel_id: Mapped[UUID | None] = mapped_column(ForeignKey("channels.id", ondelete="CASCADE"))
    letter_id: Mapped[UUID | None] = mapped_column(ForeignKey("letters.id", ondelete="CASCADE"))
    message_id: Mapped[UUID | None]
    """The message to a channel that it travels in with others, fixed when it is first claimed."""
    subject_id: Mapped[UUID | None]
    """The event's subject, again: events of one subject leave in order."""
    state: Mapped[DeliveryState] = mapped_column(
        word(DeliveryState, "state"), default=DeliveryState.PENDING
    )
    attempt_count: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    leased_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Attempt(Base):
    """One try of a delivery and what came back."""

    __tablename__ = "attempts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    delivery_id: Mapped[UUID] = mapped_column(
        ForeignKey("deliveries.id", ondelete="CASCADE"), index=True
    )
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    request: Mapped[dict[str, Any] | None]
    """The headers as they were sent, own ones masked."""
    status: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(500))
    response: Mapped[str | None] = mapped_column(Text)
