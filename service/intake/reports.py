"""What a reader sends, and what intake answers."""

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from uuid import UUID

from service import addresses, hashing, text
from service.errors import FieldError, InvalidFields, Refusal, invalid
from service.intake import networks
from service.models import Category, Site

LONG_ENOUGH = 16
"""Shorter comments are the same by chance: many readers write "typo"."""


@dataclass(frozen=True, slots=True)
class NewReport:
    """One report as it arrived, its single fields already checked; positions in code points."""

    source: str
    canonical: str | None = None
    title: str | None = None
    lang: str | None = None
    exact: str | None = None
    prefix: str = ""
    suffix: str = ""
    start: int | None = None
    end: int | None = None
    suggestion: str | None = None
    comment: str | None = None
    category: Category | None = None
    email: str | None = None
    website: str = ""
    revision: str | None = None
    """The short hash of the article's text that the reader saw."""
    seconds: float | None = None
    """How long the form was open, as the sender says."""
    altcha: str | None = None
    """The solution of a challenge, Base64 of its JSON."""

    @property
    def is_trapped(self) -> bool:
        """Whether the field that people do not see was filled."""
        return bool(self.website)

    def body_hash(self) -> str:
        """SHA-256 over what is said: the same report sent again has the same.

        A solution may come along when it is sent again, and is no part of it.
        """
        said = {name: getattr(self, name) for name in _SAID}
        if self.seconds is None:
            del said["seconds"]
        return hashlib.sha256(_SORTED.encode(said).encode()).hexdigest()

    def comment_hash(self) -> str | None:
        """By which the same comment is known again; None where it is short."""
        comment = text.normalise(self.comment or "")
        return hashing.fingerprint(comment) if len(comment) >= LONG_ENOUGH else None

    def check(self, excerpt_limit: int) -> None:
        """Check what one field alone does not tell; raises InvalidFields."""
        found: list[FieldError] = []
        if self.exact is not None and len(self.exact) > excerpt_limit:
            found.append(
                {
                    "pointer": "/target/selector/0/exact",
                    "detail": f"At most {excerpt_limit} characters may be quoted; "
                    f"this excerpt has {len(self.exact)}.",
                }
            )
        if self.suggestion is not None and self.exact is None:
            found.append(
                {"pointer": "/suggestion", "detail": "A suggestion needs the passage it is for."}
            )
        if not self.comment and (self.exact is None or self.suggestion is None):
            found.append(
                {"pointer": "/comment", "detail": "Say in a comment what should be corrected."}
            )
        if not self.comment and self.exact is not None and self.suggestion == self.exact:
            found.append(
                {"pointer": "/suggestion", "detail": "The suggestion is the same as the text."}
            )
        if found:
            raise InvalidFields(found[0]["detail"], errors=found)


_SORTED = json.JSONEncoder(sort_keys=True)
_SAID = [field.name for field in fields(NewReport) if field.name != "altcha"]


@dataclass(frozen=True)
class Submission:
    """A report on its way in, and what can be told of it without the database."""

    site: Site
    new: NewReport
    key: str
    """The idempotency key."""
    secret: str
    now: datetime
    address: str = ""
    """The reader's; only its network's hash is kept."""

    def check(self) -> None:
        """Check what needs no database; raises InvalidFields."""
        self.new.check(self.site.excerpt_limit)
        _ = self.url

    @cached_property
    def url(self) -> str:
        """The article's address; raises InvalidFields."""
        try:
            return addresses.article_address(self.new.source, self.new.canonical, self.site.origins)
        except addresses.BadAddress as error:
            raise invalid("/target/source", f"The address {error}.") from None

    @cached_property
    def prefix(self) -> str | None:
        """The network's own address."""
        return networks.prefix(self.address)

    @cached_property
    def body_hash(self) -> str:
        """The report's."""
        return self.new.body_hash()

    @cached_property
    def comment_hash(self) -> str | None:
        """The report's."""
        return self.new.comment_hash()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the reader gets back."""

    report_id: UUID
    correction_id: UUID
    token: str
    already_reported: int
    is_replay: bool = False
    already_fixed: bool = False
    """Whether the reader saw an old text, and the newest one has the suggestion in it."""


Outcome = Receipt | Refusal
"""What becomes of a submission."""
