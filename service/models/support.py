"""Support asks, how often they were seen, and the two site-wide lines beside them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id
from service.db.schema import Json
from service.models.words import CountKind, Place, word


class Campaign(Base):
    """A support ask: what it says, in which variants, where and when it is shown."""

    __tablename__ = "campaigns"
    __table_args__ = (UniqueConstraint("site_id", "key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    key: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    enabled: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    places: Mapped[list[str]]
    """Of Place."""
    sections: Mapped[list[str]]
    """Names of sections in lower case; none means all. `tags` and `languages` likewise."""
    tags: Mapped[list[str]]
    languages: Mapped[list[str]]
    after_articles: Mapped[int]
    """Shown from this many articles read within `period_days` on."""
    max_views: Mapped[int]
    """Shown at most so often within `period_days`; 0 is without limit."""
    period_days: Mapped[int]
    quiet_days: Mapped[int]
    """Not shown for so long after a reader closed it; twice as long after each further closing."""
    image_url: Mapped[str | None] = mapped_column(String(2048))
    link_parameters: Mapped[str] = mapped_column(String(500))
    """Added to every link's query; may name `{site}`, `{campaign}`, `{variant}`, `{place}`."""
    variants: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """Each `{key, weight, texts: {locale: {title, text, ways, amounts, image_alt}}}`; ways and
    amounts are lists of `{label, url}`, of the ways the first is the primary one."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SupportCount(Base):
    """How often something happened to one variant in one place on one day (UTC); no people."""

    __tablename__ = "support_counts"
    __table_args__ = (CheckConstraint("total > 0", name="total"),)

    campaign_id: Mapped[UUID] = mapped_column(
        ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(String(20), primary_key=True)
    place: Mapped[Place] = mapped_column(word(Place, "place"), primary_key=True)
    kind: Mapped[CountKind] = mapped_column(word(CountKind, "kind"), primary_key=True)
    total: Mapped[int]


class SupportLines(Base):
    """A site's appeal to readers with ad blockers, and its rule for quoting; both off at first."""

    __tablename__ = "support_lines"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    appeal_to: Mapped[str | None] = mapped_column(String(10))
    """`all`, `blocked` (where a bait is hidden), or nobody."""
    appeal_texts: Mapped[dict[str, Any]]
    """One line a locale."""
    quote_from: Mapped[int | None]
    """Copies of more characters than this get the article's link; None leaves copies alone."""
    quote_texts: Mapped[dict[str, Any]]
    """The policy in one line a locale."""
    updated_at: Mapped[datetime]
