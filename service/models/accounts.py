"""Sites, and who may work on them."""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.db import Base, new_id
from service.models.words import Category, Role, word

EVERY_CATEGORY = [category.value for category in Category]


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
    corrections_policy_url: Mapped[str | None] = mapped_column(String(2048))
    categories: Mapped[list[str]] = mapped_column(
        default=lambda: list(EVERY_CATEGORY), server_default=json.dumps(EVERY_CATEGORY)
    )
    """Those that readers are offered."""
    languages: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Those that readers are spoken to in; empty: every one there is."""
    reject_reasons: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """What the menu of reasons offers; empty: the desk's own."""
    email_retention_days: Mapped[int] = mapped_column(default=90, server_default="90")
    network_retention_days: Mapped[int] = mapped_column(default=30, server_default="30")
    spam_threshold: Mapped[int] = mapped_column(default=50, server_default="50")
    """The score from which a report is suspected, 1 to 100."""
    challenge_threshold: Mapped[int | None]
    """The score from which a challenge is asked for; None: never."""
    blocked_words: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    """An IANA name, by which the site's days begin."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Goes up with every change of the settings."""
    created_at: Mapped[datetime]


class Editor(Base):
    """A person who signs in to the desk."""

    __tablename__ = "editors"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100), default="", server_default="")
    """How they want to be called; may be empty."""
    password_hash: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str | None] = mapped_column(String(35))
    """The desk's language; None: what the browser asks for."""
    time_zone: Mapped[str | None] = mapped_column(String(64))
    """An IANA name; None: UTC."""
    two_step_seed: Mapped[str | None] = mapped_column(String(64))
    """What the secret of the one-time codes is derived from; None: no second step."""
    two_step_since: Mapped[datetime | None]
    """None while the set-up is not confirmed."""
    two_step_spent: Mapped[int | None]
    """The newest time step (RFC 6238) whose code was used."""
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Membership(Base):
    """An editor's role on one site."""

    __tablename__ = "memberships"

    editor_id: Mapped[UUID] = mapped_column(ForeignKey("editors.id"), primary_key=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(word(Role, "role"))


class EditorSession(Base):
    """One sign-in of an editor in one browser; the cookie's token is kept as a hash only."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    editor_id: Mapped[UUID] = mapped_column(ForeignKey("editors.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    agent: Mapped[str] = mapped_column(String(60), default="", server_default="")
    """The browser and system as far as its User-Agent tells, as `Firefox, Linux`."""
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
