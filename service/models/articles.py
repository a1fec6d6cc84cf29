"""Articles and their texts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id

TITLE_LIMIT = 500
"""So many characters a title has at most."""


class Article(Base):
    """One page of a site, known by its canonical URL."""

    __tablename__ = "articles"
    __table_args__ = (
        UniqueConstraint("site_id", "url"),
        Index("ix_articles_lang", "site_id", "lang"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    url: Mapped[str] = mapped_column(String(2048))
    title: Mapped[str | None] = mapped_column(String(TITLE_LIMIT))
    lang: Mapped[str | None] = mapped_column(String(35))
    section: Mapped[str | None] = mapped_column(String(100))
    """As the newsroom pushed it, else the first folder of the address."""
    tags: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    created_at: Mapped[datetime]


class Revision(Base):
    """An article's text at a time, as the newsroom pushed it."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("article_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    article_id: Mapped[UUID] = mapped_column(ForeignKey("articles.id"))
    number: Mapped[int]
    """From 1, by the order in which they arrived."""
    text: Mapped[str] = mapped_column(Text)
    """By the text rule; positions count its code points."""
    mark: Mapped[str] = mapped_column(String(8))
    """The text's short hash, by which a reader's page says what it showed."""
    published_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
