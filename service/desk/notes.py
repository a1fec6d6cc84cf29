"""Notes that editors leave each other on a correction, and who is named in them."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from service.desk.changes import find
from service.desk.moves import By
from service.errors import NotFound, invalid
from service.models import Correction, Editor, Membership, Mention, Note

LIMIT = 2000
_NAMED = re.compile(r"(?<![\w@.])@([\w.+-]+(?:@[\w.-]+\w)?)")
MOST = 100
"""So many mentions are listed."""


def add(
    session: Session, site_id: UUID, correction_id: UUID, text: str, *, by: By, now: datetime
) -> Note:
    """Keep a note; `@name` and `@name@host` name an editor of the site, who finds it waiting.

    Raises NotFound, InvalidFields where it is empty, too long, or names nobody of the site.
    """
    find(session, site_id, correction_id)
    words = text.strip()
    if not words or len(words) > LIMIT:
        raise invalid("/note", f"A note has 1 to {LIMIT:,} characters.")
    named = _named(session, site_id, words)
    note = Note(
        correction_id=correction_id,
        text=words,
        by=by.label,
        editor_id=by.editor_id,
        created_at=now,
    )
    session.add(note)
    session.flush()
    session.add_all(Mention(note_id=note.id, editor_id=each) for each in named)
    return note


def _named(session: Session, site_id: UUID, text: str) -> set[UUID]:
    """The editors whom a text names; raises InvalidFields where one is unknown or ambiguous."""
    known = editors(session, site_id)
    found = set()
    for name in _NAMED.findall(text):
        wanted = name.rstrip(".-").lower()
        match = [
            editor_id
            for email, editor_id in known.items()
            if wanted in {email, email.partition("@")[0]}
        ]
        if not match:
            raise invalid("/note", f"No editor of this site is called @{wanted}.")
        if len(match) > 1:
            raise invalid("/note", f"Several editors are called @{wanted}: write the address.")
        found.add(match[0])
    return found


def editors(session: Session, site_id: UUID) -> Mapping[str, UUID]:
    """The addresses of a site's editors who may be named."""
    rows = session.execute(
        select(Editor.email, Editor.id)
        .join(Membership, Membership.editor_id == Editor.id)
        .where(Membership.site_id == site_id, Editor.disabled_at.is_(None))
    )
    return {row.email: row.id for row in rows}


def unseen(session: Session, site_id: UUID, editor_id: UUID) -> int:
    """How many mentions wait for an editor on a site."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Mention)
            .join(Mention.note)
            .join(Note.correction)
            .where(
                Mention.editor_id == editor_id,
                Mention.seen_at.is_(None),
                Correction.site_id == site_id,
            )
        )
        or 0
    )


def mentions(session: Session, site_id: UUID, editor_id: UUID) -> Sequence[Mention]:
    """The newest notes that name an editor on a site, those not yet ticked off first."""
    return session.scalars(
        select(Mention)
        .join(Mention.note)
        .join(Note.correction)
        .where(Mention.editor_id == editor_id, Correction.site_id == site_id)
        .options(
            joinedload(Mention.note).joinedload(Note.correction).joinedload(Correction.article)
        )
        .order_by(Mention.seen_at.is_not(None), Note.id.desc())
        .limit(MOST)
    ).all()


def tick_off(
    session: Session, site_id: UUID, editor_id: UUID, note_id: UUID, *, now: datetime
) -> None:
    """Say that an editor has seen a mention; raises NotFound where the note does not name them."""
    of_site = select(Note.id).join(Note.correction).where(Correction.site_id == site_id)
    seen = session.scalar(
        update(Mention)
        .where(
            Mention.note_id == note_id, Mention.editor_id == editor_id, Mention.note_id.in_(of_site)
        )
        .values(seen_at=func.coalesce(Mention.seen_at, now))
        .returning(Mention.note_id)
        .execution_options(synchronize_session=False)
    )
    if seen is None:
        raise NotFound("There is no such mention.")
