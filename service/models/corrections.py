"""Reports, the corrections they join, and the moves of editors."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db import Base, new_id
from service.db.schema import Json
from service.models.accounts import Editor
from service.models.articles import TITLE_LIMIT, Article
from service.models.words import AnchorState, Category, State, word


def _where(name: str, *columns_and_condition: str) -> Index:
    """An index of the rows for which the condition, said last, holds."""
    *columns, condition = columns_and_condition
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


class Correction(Base):
    """What editors review: one passage of one article and the reports about it."""

    __tablename__ = "corrections"
    __table_args__ = (
        CheckConstraint("report_count >= 0", name="report_count"),
        Index("ix_corrections_all", "site_id", "suspected", "id"),
        Index("ix_corrections_queue", "site_id", "suspected", "state", "id"),
        Index(
            "ix_corrections_most_reported", "site_id", "suspected", "state", "report_count", "id"
        ),
        Index("ix_corrections_by_article", "site_id", "suspected", "state", "article_id", "id"),
        _where("ix_corrections_spam", "site_id", "id", "state = 'spam'"),
        Index("ix_corrections_article", "article_id", "suspected", "state", "id"),
        Index(
            "ix_corrections_assignee",
            "assignee_id",
            "suspected",
            "state",
            "id",
            sqlite_where=text("assignee_id IS NOT NULL"),
            postgresql_where=text("assignee_id IS NOT NULL"),
        ),
        Index("ix_corrections_created_at", "site_id", "created_at"),
        *(
            Index(
                f"ix_corrections_{name}",
                "site_id",
                name,
                sqlite_where=text(f"{name} IS NOT NULL"),
                postgresql_where=text(f"{name} IS NOT NULL"),
            )
            for name in ("first_decided_at", "fixed_at", "closed_at")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    article_id: Mapped[UUID] = mapped_column(ForeignKey("articles.id"))
    state: Mapped[State] = mapped_column(word(State, "state"), default=State.NEW)
    version: Mapped[int] = mapped_column(default=1)
    suspected: Mapped[bool] = mapped_column(default=False)
    exact: Mapped[str | None] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(String(128), default="")
    suffix: Mapped[str] = mapped_column(String(128), default="")
    start: Mapped[int | None]
    end: Mapped[int | None]
    passage_hash: Mapped[str | None] = mapped_column(String(64))
    anchor_state: Mapped[AnchorState] = mapped_column(
        word(AnchorState, "anchor_state"), default=AnchorState.EXACT
    )
    anchor_start: Mapped[int | None]
    anchor_end: Mapped[int | None]
    category: Mapped[Category | None] = mapped_column(word(Category, "category"))
    wording: Mapped[str | None] = mapped_column(String(1000))
    public_note: Mapped[str | None] = mapped_column(String(2000))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("editors.id"))
    duplicate_of: Mapped[UUID | None] = mapped_column(ForeignKey("corrections.id"))
    report_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    first_decided_at: Mapped[datetime | None]
    """The first move away from new; what is undone later was decided nonetheless."""
    fixed_at: Mapped[datetime | None]
    """Since when it is fixed."""
    closed_at: Mapped[datetime | None]
    """Since when it is fixed, rejected or spam."""
    decided_at: Mapped[datetime | None]
    """When the move was made by which it stands where it does; None while it is new."""

    article: Mapped[Article] = relationship(lazy="raise")
    assignee: Mapped[Editor | None] = relationship(lazy="raise")


class Report(Base):
    """What one reader sent once; never edited."""

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("site_id", "idempotency_key"),
        Index("ix_reports_correction_id", "correction_id", "id"),
        Index("ix_reports_created_at", "site_id", "created_at"),
        _where("ix_reports_network", "site_id", "network", "created_at", "network IS NOT NULL"),
        _where(
            "ix_reports_comments",
            "site_id",
            "comment_hash",
            "created_at",
            "comment_hash IS NOT NULL",
        ),
        _where("ix_reports_email", "site_id", "email", "email IS NOT NULL"),
        _where("ix_reports_unasked", "id", "email IS NOT NULL AND email_asked_at IS NULL"),
        _where("ix_reports_email_hash", "email_hash", "email_hash IS NOT NULL"),
        _where(
            "ix_reports_confirmed",
            "correction_id",
            "email IS NOT NULL AND email_confirmed_at IS NOT NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    correction_id: Mapped[UUID] = mapped_column(ForeignKey("corrections.id"))
    idempotency_key: Mapped[str] = mapped_column(String(255))
    body_hash: Mapped[str] = mapped_column(String(64))
    receipt_hash: Mapped[str] = mapped_column(String(64), unique=True)
    ordinal: Mapped[int]
    """Which report of its correction this is, from 1."""
    source: Mapped[str] = mapped_column(String(2048))
    title: Mapped[str | None] = mapped_column(String(TITLE_LIMIT))
    lang: Mapped[str | None] = mapped_column(String(35))
    exact: Mapped[str | None] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(String(128), default="")
    suffix: Mapped[str] = mapped_column(String(128), default="")
    start: Mapped[int | None]
    end: Mapped[int | None]
    revision: Mapped[str | None] = mapped_column(String(8))
    """The short hash of the article's text that the reader saw."""
    suggestion: Mapped[str | None] = mapped_column(String(1000))
    proposal: Mapped[str | None] = mapped_column(Text)
    """The suggestion for just those words that the correction is about."""
    already_fixed: Mapped[bool] = mapped_column(default=False)
    """Whether the reader saw an old text, and the newest one had the suggestion in it."""
    comment: Mapped[str | None] = mapped_column(String(2000))
    category: Mapped[Category | None] = mapped_column(word(Category, "category"))
    email: Mapped[str | None] = mapped_column(String(254))
    """Erased once the reader has heard, says stop, or was promised so long ago."""
    email_asked_at: Mapped[datetime | None]
    """When the address was asked whether it is the reader's, or passed over."""
    email_hash: Mapped[str | None] = mapped_column(String(43))
    """Keyed, of the mailbox that was asked; erased after a day: by it letters are counted."""
    email_confirmed_at: Mapped[datetime | None]
    suspected: Mapped[bool] = mapped_column(default=False)
    spam_score: Mapped[int] = mapped_column(default=0, server_default="0")
    """0 to 100."""
    spam_reasons: Mapped[list[dict[str, Any]]] = mapped_column(
        Json, default=list, server_default="[]"
    )
    """What the score is made of: `reason`, `points`, and `count` where something was counted."""
    network: Mapped[str | None] = mapped_column(String(43))
    """The reader's network, hashed under the site's key of the period; erased with that key."""
    comment_hash: Mapped[str | None] = mapped_column(String(64))
    """Of a comment that is long enough not to be written twice by chance."""
    created_at: Mapped[datetime]


class Move(Base):
    """One change of a correction's state: who, when, why."""

    __tablename__ = "moves"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    correction_id: Mapped[UUID] = mapped_column(ForeignKey("corrections.id"), index=True)
    from_state: Mapped[State] = mapped_column(word(State, "from_state"))
    to_state: Mapped[State] = mapped_column(word(State, "to_state"))
    by: Mapped[str] = mapped_column(String(254))
    """An editor's e-mail address, `token:NAME`, or `revision`."""
    editor_id: Mapped[UUID | None] = mapped_column(ForeignKey("editors.id"))
    reason: Mapped[str | None] = mapped_column(String(2000))
    before: Mapped[dict[str, Any] | None]
    """What else it changed of `moves.KEPT`: of each field what it `was` and what it is `now`.

    In moves of older releases all fields as they had been; None in those of still older ones.
    """
    undoes: Mapped[UUID | None]
    """The move that this one takes back."""
    created_at: Mapped[datetime]
