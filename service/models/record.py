"""What is published of corrections, and every wording it has had."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db import Base, new_id
from service.models.articles import Article
from service.models.words import Kind, word


class Publication(Base):
    """What the record says of one correction; its id is the permalink's."""

    __tablename__ = "publications"
    __table_args__ = (
        Index("ix_publications_record", "site_id", "published_at", "id"),
        Index("ix_publications_article", "article_id", "published_at"),
        Index(
            "ix_publications_unannounced",
            "published_at",
            sqlite_where=text("announced_at IS NULL"),
            postgresql_where=text("announced_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    article_id: Mapped[UUID] = mapped_column(ForeignKey("articles.id"))
    correction_id: Mapped[UUID] = mapped_column(ForeignKey("corrections.id"), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[Kind] = mapped_column(word(Kind, "kind"))
    said: Mapped[str | None] = mapped_column(String(2000))
    says: Mapped[str | None] = mapped_column(String(2000))
    note: Mapped[str | None] = mapped_column(String(2000))
    thanks: Mapped[str | None] = mapped_column(String(200))
    published_at: Mapped[datetime | None]
    """From when on everybody sees it; None where it was taken back before anybody could."""
    changed_at: Mapped[datetime | None]
    """When its words last changed after they could be seen."""
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(String(500))
    announced_at: Mapped[datetime | None]
    """When the outbox was told."""
    created_at: Mapped[datetime]

    article: Mapped[Article] = relationship(lazy="raise")


class PublicationVersion(Base):
    """One step in a publication's life, with its words as they were then."""

    __tablename__ = "publication_versions"
    __table_args__ = (UniqueConstraint("publication_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    publication_id: Mapped[UUID] = mapped_column(ForeignKey("publications.id"))
    number: Mapped[int]
    """From 1, in their order."""
    kind: Mapped[Kind] = mapped_column(word(Kind, "kind"))
    said: Mapped[str | None] = mapped_column(String(2000))
    says: Mapped[str | None] = mapped_column(String(2000))
    note: Mapped[str | None] = mapped_column(String(2000))
    thanks: Mapped[str | None] = mapped_column(String(200))
    withdrawn: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(254))
    """An editor's e-mail address or `token:NAME`."""
    created_at: Mapped[datetime]
