"""Changes to a correction that are not moves: who has it, what kind it is, what it repeats."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import documents, events
from service.desk import timeline
from service.desk.moves import By, check_version
from service.errors import NotFound, StaleVersion, invalid
from service.models import Correction, Editor, Membership, Site, State

CHANGEABLE = frozenset(
    {"assignee", "category", "wording", "public_note", "duplicate_of", "suspected"}
)


def change(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    changes: Mapping[str, Any],
    *,
    by: By,
    now: datetime,
    versions: frozenset[int] | None = None,
) -> Correction:
    """Set some of CHANGEABLE: `assignee` is an e-mail address, `duplicate_of` an id.

    Freeing a suspected correction (`suspected` false) tells the outbox that it was created.
    Raises NotFound, StaleVersion, InvalidFields.
    """
    if "duplicate_of" in changes:
        # One at a time for the site, or two at once could join each to the other.
        session.execute(select(Site.id).where(Site.id == site_id).with_for_update(key_share=True))
    correction = find(session, site_id, correction_id)
    check_version(correction, versions)
    values = {
        field: value
        for field, value in _resolved(session, correction, changes).items()
        if getattr(correction, field) != value
    }
    if not values:
        return correction
    before = {field: getattr(correction, field) for field in values}
    changed = session.scalar(
        update(Correction)
        .where(Correction.id == correction_id, Correction.version == correction.version)
        .values(**values, version=Correction.version + 1, updated_at=now)
        .returning(Correction.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(correction)
    if changed is None:
        raise StaleVersion("Somebody changed this correction at the same moment; look again.")
    if "wording" in values:
        documents.refresh(session, Correction.id == correction_id)
    timeline.keep(session, correction_id, before, values, by=by, now=now)
    # Nobody is told of one that a split put back has emptied.
    if before.get("suspected") and not correction.suspected and correction.report_count:
        events.emit(session, "correction.created", correction, now=now)
    return correction


def find(session: Session, site_id: UUID, correction_id: UUID) -> Correction:
    """A correction of the site; raises NotFound."""
    found = session.scalar(
        select(Correction).where(Correction.id == correction_id, Correction.site_id == site_id)
    )
    if found is None:
        raise NotFound("There is no such correction.")
    return found


def _resolved(
    session: Session, correction: Correction, changes: Mapping[str, Any]
) -> dict[str, Any]:
    resolved: dict[str, Any] = {}
    for field, value in changes.items():
        match field:
            case "assignee":
                resolved["assignee_id"] = _assignee(session, correction.site_id, value)
            case "duplicate_of":
                resolved[field] = _original(session, correction, value)
            case "suspected" if value and correction.state is not State.NEW:
                raise invalid("/suspected", "An editor has decided on this correction already.")
            case "category" | "wording" | "public_note" | "suspected":
                resolved[field] = value
            case _:
                raise invalid(f"/{field}", "This cannot be changed.")
    return resolved


def _assignee(session: Session, site_id: UUID, email: str | None) -> UUID | None:
    if email is None:
        return None
    found = session.scalar(
        select(Editor.id)
        .join(Membership, Membership.editor_id == Editor.id)
        .where(
            Membership.site_id == site_id,
            Editor.email == email.strip().lower(),
            Editor.disabled_at.is_(None),
        )
    )
    if found is None:
        raise invalid("/assignee", "There is no such editor on this site.")
    return found


def _original(session: Session, correction: Correction, other_id: UUID | None) -> UUID | None:
    seen, at = {correction.id}, other_id
    while at is not None:
        if at in seen:
            raise invalid("/duplicate_of", "A correction cannot repeat itself.")
        seen.add(at)
        try:
            at = find(session, correction.site_id, at).duplicate_of
        except NotFound:
            raise invalid("/duplicate_of", "There is no such correction.") from None
    return other_id
