"""The two lines beside the asks: the appeal to readers with ad blockers, the rule for quoting."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service import audits
from service.errors import FieldError, InvalidFields, StaleVersion
from service.models import Site, SupportLines
from service.support.checks import fault

APPEALS = ("all", "blocked")
"""Shown to every reader, or only where a bait element is hidden."""

LOCALES, LOCALE_LIMIT = 40, 35

_LINE = re.compile(r"[^\x00-\x1f\x7f]{0,300}")


@dataclass(frozen=True, slots=True)
class Lines:
    """Both lines as somebody wants them; texts are one line a locale."""

    appeal_to: str | None = None
    appeal_texts: dict[str, str] = field(default_factory=dict)
    quote_from: int | None = None
    quote_texts: dict[str, str] = field(default_factory=dict)


def put(
    session: Session,
    site: Site,
    lines: Lines,
    *,
    by: str,
    now: datetime,
    seen: int | None = None,
) -> SupportLines:
    """Keep both lines; `seen` is the version the editor has seen, 0 for none.

    Raises InvalidFields with every fault, StaleVersion where somebody else was first.
    """
    if faults := list(_faults(lines, site.language)):
        raise InvalidFields(errors=faults)
    known = find(session, site.id, lock=True)
    if seen is not None and (known.version if known else 0) != seen:
        raise StaleVersion("Somebody changed these lines in the meantime; nothing was kept.")
    if known is None:
        known = SupportLines(site_id=site.id, version=0)
        session.add(known)
    wanted = asdict(lines)
    was = {name: getattr(known, name) for name in wanted} if known.version else asdict(Lines())
    for name, value in wanted.items():
        setattr(known, name, value)
    known.version += 1
    known.updated_at = now
    session.flush()
    audits.note_change(
        session, site.id, "support_lines.changed", "", by=by, now=now, before=was, after=wanted
    )
    return known


def find(session: Session, site_id: UUID, *, lock: bool = False) -> SupportLines | None:
    """The site's lines; None where nobody has written any."""
    return session.get(SupportLines, site_id, with_for_update=lock or None)


def _faults(lines: Lines, language: str) -> Iterator[FieldError]:
    if lines.appeal_to is not None and lines.appeal_to not in APPEALS:
        yield fault("/appeal_to", f"One of: {', '.join(APPEALS)}.")
    yield from _texts("/appeal_texts", lines.appeal_texts, language, lines.appeal_to)
    if lines.quote_from is not None and not 50 <= lines.quote_from <= 10_000:
        yield fault("/quote_from", "A number of characters from 50 to 10,000.")
    yield from _texts("/quote_texts", lines.quote_texts, language, lines.quote_from)


def _texts(at: str, texts: dict[str, str], language: str, is_on: object) -> Iterator[FieldError]:
    if is_on is not None and not texts.get(language, "").strip():
        yield fault(f"{at}/{language}", "The text in this language is missing.")
    if len(texts) > LOCALES or any(len(locale) > LOCALE_LIMIT for locale in texts):
        yield fault(at, "Too many languages.")
    for locale, text in texts.items():
        if not _LINE.fullmatch(text):
            yield fault(f"{at}/{locale}", "One line of at most 300 characters.")
