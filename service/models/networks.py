"""What keeps abuse out without keeping an address."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id


class NetworkKey(Base):
    """A site's key of one period, under which its reports' networks are hashed."""

    __tablename__ = "network_keys"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    period: Mapped[int] = mapped_column(primary_key=True)
    """Counts stretches of 30 days since 1970."""
    secret: Mapped[str] = mapped_column(String(64))


class Block(Base):
    """A network whose reports a site refuses for some days."""

    __tablename__ = "blocks"
    __table_args__ = (
        UniqueConstraint("site_id", "network"),
        ForeignKeyConstraint(
            ["site_id", "period"],
            ["network_keys.site_id", "network_keys.period"],
            name="fk_blocks_key_network_keys",
            ondelete="CASCADE",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID]
    period: Mapped[int]
    network: Mapped[str] = mapped_column(String(43))
    by: Mapped[str] = mapped_column(String(254))
    """As in a move."""
    created_at: Mapped[datetime]
    until: Mapped[datetime]


class SpentChallenge(Base):
    """A challenge that was solved for a report; nobody can use it again."""

    __tablename__ = "spent_challenges"

    signature: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """When the challenge is no longer valid anyway, and this row not needed."""
