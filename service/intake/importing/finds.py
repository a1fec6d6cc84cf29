"""What is found in a file: a correction with its reports and moves, or a row that is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from service import addresses
from service.models import Site

Columns = dict[str, Any]
Word = TypeVar("Word", bound=StrEnum)

# PostgreSQL refuses NUL; nobody can encode half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadRow(ValueError):
    """A row that cannot be kept, and why; `line` counts from 1."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Sent:
    """One report; its columns but for the ids, and what it is known by."""

    key: str
    """The same at every reading, and none that a reader could send."""
    columns: Columns
    original: UUID | None = None
    """Its id where it comes from, which may be this very site."""


@dataclass(frozen=True, slots=True)
class Found:
    """A correction as another system knew it; the dictionaries hold columns of its tables."""

    line: int
    url: str
    title: str | None
    lang: str | None
    correction: Columns
    reports: Sequence[Sent]
    moves: Sequence[Columns] = ()
    """Without `created_at` where nobody wrote down when; `undoes` is the `id` of one of them."""
    publication: Columns | None = None
    original: UUID | None = None
    duplicate_of: UUID | None = None
    """An id of the same kind as `original`."""
    assignee: str | None = None
    """An editor's e-mail address."""
    joins: bool = False
    """Whether it may join a correction of the same words in the same state."""


def key(*parts: object) -> str:
    """What a report is known by: with a space, which a reader's key never has."""
    return " ".join(map(str, parts))


def address(value: object, site: Site) -> str:
    """The address of an article of the site."""
    if not isinstance(value, str) or not value:
        raise BadRow("there is no address")
    try:
        return addresses.article_address(value, None, site.origins)
    except addresses.BadAddress as error:
        raise BadRow(f"the address {error}") from None


def text(value: object, what: str, cap: int) -> str | None:
    """A text of at most so many characters; None where there is none."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRow(f"{what} is not a text")
    if len(value) > cap:
        raise BadRow(f"{what} is longer than {cap:,} characters")
    if _UNSTORABLE.search(value):
        raise BadRow(f"{what} has characters that are not valid UTF-8")
    return value


def identity(value: object, what: str) -> UUID | None:
    """An id, perhaps as a URN (RFC 9562); None where there is none."""
    if value is None:
        return None
    try:
        return UUID(value) if isinstance(value, str) else UUID(int=-1)
    except ValueError:
        raise BadRow(f"{what} is not an id") from None


def number(value: object, what: str, most: int = 2**31 - 1) -> int | None:
    """A whole number from 0 on; None where there is none."""
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= most:
        raise BadRow(f"{what} is not a number from 0 to {most:,}")
    return value


def word(kind: type[Word], value: object, what: str) -> Word:
    """One of the words."""
    if not isinstance(value, str) or value not in set(kind):
        raise BadRow(f"{what} is not one of {', '.join(kind)}")
    return kind(value)


def instant(value: object, what: str) -> datetime:
    """An instant with its zone, as `2026-01-02T03:04:05.678Z`."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadRow(f"{what} is not an instant with its zone")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise BadRow(f"{what} is out of range") from None
