"""Where the newsroom hears of events: mail and chat."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id
from service.models.words import Medium, Pace, word


class Channel(Base):
    """A mailbox or a chat that is told of events, several in one message."""

    __tablename__ = "channels"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), index=True)
    medium: Mapped[Medium] = mapped_column(word(Medium, "medium"))
    name: Mapped[str] = mapped_column(String(100))
    target: Mapped[dict[str, Any]]
    """Where exactly, by medium: an address, a URL, a bot's token and chat; partly secret."""
    events: Mapped[list[str]]
    pace: Mapped[Pace] = mapped_column(word(Pace, "pace"), default=Pace.AT_ONCE)
    hour: Mapped[int] = mapped_column(default=9)
    """When a daily digest goes out, by the channel's zone."""
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    """Minutes of the day by the zone's clock; nothing is sent from the one to the other."""
    least_reports: Mapped[int] = mapped_column(default=1)
    """Corrections that fewer readers reported are not told of."""
    enabled: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None] = mapped_column(String(200))
    failing_since: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
