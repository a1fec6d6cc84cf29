"""Mail to one person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id


class Letter(Base):
    """A message to one person; whom it goes to and what it says is erased when it has ended."""

    __tablename__ = "letters"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    """Also what its Message-ID is made of."""
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    """Which writer composes it when it is sent."""
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    """What it is about: a report, a correction, a webhook."""
    recipient: Mapped[str | None] = mapped_column(String(254))
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
