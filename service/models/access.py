"""Ways in: links that work once, recovery codes; and what admins did."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id
from service.models.words import LinkKind, Role, word


class Link(Base):
    """A link that works once: an invitation to a site, or a new password."""

    __tablename__ = "links"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[LinkKind] = mapped_column(word(LinkKind, "kind"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("sites.id"), index=True)
    """The site that an invitation is to."""
    role: Mapped[Role | None] = mapped_column(word(Role, "role"))
    by: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that stands in for a one-time code, once; kept as a hash only."""

    __tablename__ = "recovery_codes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    editor_id: Mapped[UUID] = mapped_column(ForeignKey("editors.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    spent_at: Mapped[datetime | None]


class Audit(Base):
    """Something an admin did: who, when, to what; never a secret."""

    __tablename__ = "audits"
    __table_args__ = (Index("ix_audits_site_id_id", "site_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    by: Mapped[str] = mapped_column(String(300))
    """An address, `token:NAME`, or `command line`."""
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(300))
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
