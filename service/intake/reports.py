"""What a reader sends, and what intake answers."""

import hashlib
import json
from dataclasses import dataclass, fields
from uuid import UUID

from service.errors import FieldError, InvalidFields
from service.models import Category


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
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

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


_SAID = [field.name for field in fields(NewReport) if field.name != "altcha"]


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
