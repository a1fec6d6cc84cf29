"""Accepting a correction to have it applied, and what becomes of it by the answer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.desk import changes, moves, timeline
from service.desk.moves import ANYTHING, OPEN, By, Decision, Seen
from service.errors import NotAllowedMove, NotFound, invalid
from service.models import Change, Correction, Report, State

FIELD = "handed_over"
"""The field of the timeline's lines about it; `now` is a word and, behind a space, a detail."""

UNANSWERED = "unanswered"


def prepare(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    decision: Decision,
    *,
    by: By,
    now: datetime,
    seen: Seen = ANYTHING,
) -> Correction:
    """Accept a correction with its final wording, or renew the wording of one that is accepted.

    The decision's wording, else the one there is, else what most readers suggest; the correction
    is locked. Raises NotFound, StaleVersion, NotAllowedMove, InvalidFields.
    """
    found = _locked(session, site_id, correction_id)
    moves.check_version(found, seen.versions)
    if found.state not in OPEN or seen.state not in {None, found.state}:
        raise moves.not_allowed(session, found, State.ACCEPTED)
    if found.exact is None:
        raise invalid("/suggestion", "This is about the whole page: there are no words to replace.")
    wording = _wording(session, found) if decision.wording is None else decision.wording
    if wording is None:
        raise invalid("/suggestion", "Write the final wording first.")
    if wording == found.exact:
        raise invalid("/suggestion", "The final wording is what the article says already.")
    if found.state is State.NEW:
        accepted = Decision(State.ACCEPTED, decision.reason, wording, decision.public_note)
        moves.decide(session, site_id, correction_id, accepted, by=by, now=now, seen=seen)
    else:
        kept = {"wording": wording, "public_note": decision.public_note or found.public_note}
        changes.change(session, site_id, correction_id, kept, by=by, now=now)
    return found


def settle(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    word: str,
    detail: str,
    *,
    is_applied: bool,
    by: By,
    now: datetime,
    reason: str | None = None,
) -> Correction:
    """Keep what the content system said; what is applied is fixed.

    A correction that somebody moved meanwhile stays where it is. Raises NotFound.
    """
    timeline.add(session, correction_id, FIELD, None, f"{word} {detail}".strip(), by=by, now=now)
    if is_applied:
        try:
            fixed = Decision(State.FIXED, reason)
            expected = Seen(state=State.ACCEPTED)
            return moves.decide(
                session, site_id, correction_id, fixed, by=by, now=now, seen=expected
            )
        except NotAllowedMove:
            pass
    session.execute(
        update(Correction)
        .where(Correction.id == correction_id, Correction.site_id == site_id)
        .values(version=Correction.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    return moves.of_site(session, site_id, correction_id)


def last_word(entries: Sequence[timeline.Entry]) -> timeline.Entry | None:
    """The line of a timeline that tells what came of the last hand-over; None without one."""
    told = (
        entry
        for entry in reversed(entries)
        if isinstance(entry.what, Change) and entry.what.field == FIELD
    )
    return next(told, None)


def _locked(session: Session, site_id: UUID, correction_id: UUID) -> Correction:
    found = session.scalar(
        select(Correction)
        .where(Correction.id == correction_id, Correction.site_id == site_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("There is no such correction.")
    return found


def _wording(session: Session, correction: Correction) -> str | None:
    if correction.wording is not None:
        return correction.wording
    return session.scalar(
        select(Report.proposal)
        .where(Report.correction_id == correction.id, Report.proposal.is_not(None))
        .group_by(Report.proposal)
        .order_by(func.count().desc(), func.min(Report.ordinal))
        .limit(1)
    )
