"""Every table, its columns and constraints; no verbs."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.db import Base, new_id


class State(StrEnum):
    """Where a correction stands."""

    NEW = "new"
    ACCEPTED = "accepted"
    FIXED = "fixed"
    REJECTED = "rejected"
    SPAM = "spam"


class Category(StrEnum):
    """What kind of mistake a reader says it is."""

    TYPO = "typo"
    GRAMMAR = "grammar"
    FACT = "fact"
    CLARIFICATION = "clarification"
    TRANSLATION = "translation"
    LINK = "link"
    OTHER = "other"


class AnchorState(StrEnum):
    """How the passage was found in the newest text that is known."""

    EXACT = "exact"
    MOVED = "moved"
    CHANGED = "changed"
    ORPHANED = "orphaned"


class Role(StrEnum):
    """What an editor may do on a site."""

    EDITOR = "editor"
    ADMIN = "admin"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


def _words(kind: type[StrEnum], name: str) -> Enum:
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


class Site(Base):
    """One publication; everything belongs to a site."""

    __tablename__ = "sites"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    origins: Mapped[list[str]]
    language: Mapped[str] = mapped_column(String(35), default="en")
    article_selector: Mapped[str | None] = mapped_column(String(500))
    excerpt_limit: Mapped[int] = mapped_column(default=500)
    privacy_url: Mapped[str | None] = mapped_column(String(2048))
    contact_url: Mapped[str | None] = mapped_column(String(2048))
    created_at: Mapped[datetime]


class Editor(Base):
    """A person who signs in to the desk."""

    __tablename__ = "editors"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Membership(Base):
    """An editor's role on one site."""

    __tablename__ = "memberships"

    editor_id: Mapped[UUID] = mapped_column(ForeignKey("editors.id"), primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(_words(Role, "role"))


class EditorSession(Base):
    """One sign-in of an editor in one browser; the cookie's token is kept as a hash only."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    editor_id: Mapped[UUID] = mapped_column(ForeignKey("editors.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Token(Base):
    """An API token of one site; its secret is kept as a SHA-256 hash only."""

    __tablename__ = "tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), index=True)
    name: Mapped[str] = mapped_column(String(100), default="")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Article(Base):
    """One page of a site, known by its canonical URL."""

    __tablename__ = "articles"
    __table_args__ = (UniqueConstraint("site_id", "url"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    url: Mapped[str] = mapped_column(String(2048))
    title: Mapped[str | None] = mapped_column(String(500))
    lang: Mapped[str | None] = mapped_column(String(35))
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


class Correction(Base):
    """What editors review: one passage of one article and the reports about it."""

    __tablename__ = "corrections"
    __table_args__ = (
        CheckConstraint("report_count >= 0", name="report_count"),
        Index("ix_corrections_queue", "site_id", "suspected", "state", "id"),
        Index(
            "ix_corrections_most_reported", "site_id", "suspected", "state", "report_count", "id"
        ),
        Index("ix_corrections_passage", "article_id", "passage_hash"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    article_id: Mapped[UUID] = mapped_column(ForeignKey("articles.id"))
    state: Mapped[State] = mapped_column(_words(State, "state"), default=State.NEW)
    version: Mapped[int] = mapped_column(default=1)
    suspected: Mapped[bool] = mapped_column(default=False)
    exact: Mapped[str | None] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(String(128), default="")
    suffix: Mapped[str] = mapped_column(String(128), default="")
    start: Mapped[int | None]
    end: Mapped[int | None]
    passage_hash: Mapped[str | None] = mapped_column(String(64))
    anchor_state: Mapped[AnchorState] = mapped_column(
        _words(AnchorState, "anchor_state"), default=AnchorState.EXACT
    )
    anchor_start: Mapped[int | None]
    anchor_end: Mapped[int | None]
    category: Mapped[Category | None] = mapped_column(_words(Category, "category"))
    wording: Mapped[str | None] = mapped_column(String(1000))
    public_note: Mapped[str | None] = mapped_column(String(2000))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("editors.id"))
    duplicate_of: Mapped[UUID | None] = mapped_column(ForeignKey("corrections.id"))
    report_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    article: Mapped[Article] = relationship(lazy="raise")
    assignee: Mapped[Editor | None] = relationship(lazy="raise")


class Report(Base):
    """What one reader sent once; never edited."""

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("site_id", "idempotency_key"),
        Index("ix_reports_correction_id", "correction_id", "id"),
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
    title: Mapped[str | None] = mapped_column(String(500))
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
    category: Mapped[Category | None] = mapped_column(_words(Category, "category"))
    email: Mapped[str | None] = mapped_column(String(254))
    suspected: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Move(Base):
    """One change of a correction's state: who, when, why."""

    __tablename__ = "moves"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    correction_id: Mapped[UUID] = mapped_column(ForeignKey("corrections.id"), index=True)
    from_state: Mapped[State] = mapped_column(_words(State, "from_state"))
    to_state: Mapped[State] = mapped_column(_words(State, "to_state"))
    by: Mapped[str] = mapped_column(String(254))
    """An editor's e-mail address, `token:NAME`, or `revision`."""
    editor_id: Mapped[UUID | None] = mapped_column(ForeignKey("editors.id"))
    reason: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[datetime]


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
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[UUID]
    data: Mapped[dict[str, Any]]
    webhook_id: Mapped[UUID | None] = mapped_column(ForeignKey("webhooks.id"))
    """Set where the event is meant for one endpoint only (a ping)."""
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


class Delivery(Base):
    """One event on its way to one endpoint."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "webhook_id"),
        Index(
            "ix_deliveries_due",
            "webhook_id",
            "next_attempt_at",
            "id",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_deliveries_order",
            "webhook_id",
            "subject_id",
            "event_id",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_deliveries_webhook_id", "webhook_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id"))
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    subject_id: Mapped[UUID | None]
    """The event's subject, again: events of one subject leave in order."""
    state: Mapped[DeliveryState] = mapped_column(
        _words(DeliveryState, "state"), default=DeliveryState.PENDING
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
