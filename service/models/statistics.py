"""Totals of days and months, and the hours in which something changed since."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id


class StaleHour(Base):
    """An hour in which something changed after its day was added up; triggers write these.

    Without foreign keys: a trigger must never be the reason why something else fails.
    """

    __tablename__ = "stale_hours"
    __table_args__ = (Index("ix_stale_hours_site_id_hour", "site_id", "hour"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID]
    hour: Mapped[datetime]


class RollUp(Base):
    """One day or month of a site: all of it, or one section, category, language or article."""

    __tablename__ = "roll_ups"
    __table_args__ = (
        Index("ix_roll_ups_reports", "site_id", "grain", "dimension", "since", "value", "reports"),
    )

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    grain: Mapped[str] = mapped_column(String(5), primary_key=True)
    """`day` or `month`, of the site's time zone."""
    dimension: Mapped[str] = mapped_column(String(10), primary_key=True)
    """`all`, `section`, `category`, `language` or `article`."""
    since: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(String(100), primary_key=True)
    """The section, category, language or article's id; empty where there is none."""
    reports: Mapped[int]
    corrections: Mapped[int]
    decided: Mapped[int]
    accepted: Mapped[int]
    rejected: Mapped[int]
    fixed: Mapped[int]
    closed: Mapped[int]
    waits: Mapped[bytes] = mapped_column(LargeBinary)
    """Minutes until the first decision of those decided, sorted; 4 bytes each, little-endian."""
    repairs: Mapped[bytes] = mapped_column(LargeBinary)
    """Minutes until those fixed were fixed, likewise."""
