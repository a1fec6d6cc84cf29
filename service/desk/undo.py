"""Taking a decision back: a recorded move to the state, wording and note there were before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from service import documents, events
from service.desk import moves, timeline
from service.desk.moves import ANYTHING, OPEN, By, Seen
from service.errors import NotAllowedMove, StaleVersion
from service.models import Change, Correction, Move, State

_UNDECIDED = frozenset({State.NEW, State.SPAM})
"""In which states a correction may be suspected."""


def undo(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    *,
    by: By,
    now: datetime,
    seen: Seen = ANYTHING,
) -> Correction:
    """Take back the last move that still stands; emits `correction.reopened`.

    What somebody changed after the move stays. Again, it takes back the one before. Raises
    NotFound, StaleVersion, and NotAllowedMove where there is nothing to take back, where one that
    is suspected to be spam would be decided, or one without reports open.
    """
    found = moves.of_site(session, site_id, correction_id)
    moves.check_version(found, seen.versions)
    standing = _standing(session, correction_id)
    if not standing or standing[0].to_state is not found.state:
        raise NotAllowedMove(
            "This correction is %(state)s; there is no decision to undo.",
            values={"state": found.state},
        )
    last, back = standing[0], standing[0].from_state
    decided_at = standing[1].created_at if standing[1:] and back is not State.NEW else None
    is_told = found.report_count and not found.suspected
    stood = {name: getattr(found, name) for name in moves.KEPT}
    back_again = {
        name: each["was"]
        for name, each in _changed(session, last).items()
        if stood[name] == each["now"]
    }
    if back_again.get("suspected", found.suspected) and back not in _UNDECIDED:
        raise NotAllowedMove(
            "This correction is suspected to be spam by now; say first that it is not."
        )
    if found.report_count == 0 and back in OPEN:
        raise NotAllowedMove("The reports of this correction were put back where they came from.")
    undone: UUID | None = session.scalar(
        update(Correction)
        .where(Correction.id == correction_id, Correction.version == found.version)
        .values(
            **back_again,
            state=back,
            decided_at=decided_at,
            fixed_at=decided_at if back is State.FIXED else None,
            closed_at=None if back in OPEN else func.coalesce(Correction.closed_at, decided_at),
            version=Correction.version + 1,
            updated_at=now,
        )
        .returning(Correction.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(found)
    if undone is None:
        raise StaleVersion("Somebody changed this correction at the same moment; look again.")
    if found.wording != stood["wording"]:
        documents.refresh(session, Correction.id == correction_id)
    session.add(
        Move(
            correction_id=correction_id,
            from_state=last.to_state,
            to_state=back,
            by=by.label,
            editor_id=by.editor_id,
            undoes=last.id,
            created_at=now,
        )
    )
    moves.take_back(session, correction_id, now)
    timeline.keep(session, correction_id, stood, back_again, by=by, now=now)
    if is_told:
        events.emit(session, "correction.reopened", found, now=now)
    return found


def _changed(session: Session, move: Move) -> dict[str, dict[str, Any]]:
    """What a move changed besides the state: of each field what it `was` and is `now`."""
    before = move.before or {}
    if all(isinstance(each, dict) for each in before.values()):
        return before
    # Older releases kept all fields as they were; the timeline has what the move made of them.
    made = session.scalars(
        select(Change).where(
            Change.correction_id == move.correction_id,
            Change.created_at == move.created_at,
            Change.by == move.by,
            Change.field.in_(before),
        )
    )
    told = {
        each.field: each.now == "yes" if each.field == "suspected" else each.now for each in made
    }
    return {field: {"was": before[field], "now": now} for field, now in told.items()}


def _standing(session: Session, correction_id: UUID) -> Sequence[Move]:
    """The last two moves that were not undone, the newest first."""
    taken_back = aliased(Move)
    return session.scalars(
        select(Move)
        .where(
            Move.correction_id == correction_id,
            Move.undoes.is_(None),
            ~exists().where(
                taken_back.correction_id == correction_id, taken_back.undoes == Move.id
            ),
        )
        .order_by(Move.id.desc())
        .limit(2)
    ).all()
