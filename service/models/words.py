"""The words that a column may hold, and the column type for them."""

from enum import StrEnum

from sqlalchemy import Enum


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


class LinkKind(StrEnum):
    """What a link that works once is for."""

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105


class Role(StrEnum):
    """What an editor may do on a site."""

    EDITOR = "editor"
    ADMIN = "admin"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"
    """Nobody wants it any more: a letter whose reason was taken back."""


class Medium(StrEnum):
    """How a channel speaks."""

    MAIL = "mail"
    SLACK = "slack"
    MATTERMOST = "mattermost"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    TEAMS = "teams"


class Pace(StrEnum):
    """How soon a channel is told."""

    AT_ONCE = "at_once"
    HOURLY = "hourly"
    DAILY = "daily"


class Kind(StrEnum):
    """What a published entry of the record is."""

    CORRECTION = "correction"
    CLARIFICATION = "clarification"
    UPDATE = "update"
    RETRACTION = "retraction"


class Place(StrEnum):
    """Where on a page a support ask stands."""

    BLOCK = "block"
    THANKS = "thanks"
    BAR = "bar"


class CountKind(StrEnum):
    """What is counted of a support ask."""

    VIEW = "view"
    CLICK = "click"
    DISMISS = "dismiss"
    COPY = "copy"


def word(kind: type[StrEnum], name: str) -> Enum:
    """A column type for these words, checked by the database."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )
