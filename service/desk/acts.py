"""What an editor does in the queue, with one correction or with many, each for itself.

A row is named by a key: its id and, behind a dot, the instant up to which the editor had seen it.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.desk import changes, moves, timeline, undo
from service.desk.moves import ANYTHING, By, Decision, Seen
from service.errors import Refusal, StaleVersion
from service.models import Change, Correction, Move, Note, State

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Act(StrEnum):
    """What can be done; the first five are moves to the state of that name."""

    ACCEPTED = "accepted"
    FIXED = "fixed"
    REJECTED = "rejected"
    SPAM = "spam"
    NEW = "new"
    UNDO = "undo"
    TAKE = "take"
    LEAVE = "leave"
    FREE = "free"
    WORD = "word"


MOVES = frozenset(Act(state.value) for state in State)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to do, and with which words."""

    act: Act
    reason: str | None = None
    wording: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one: as it is now or, where refused, why, and who had been there first."""

    id: str
    now: Correction | None = None
    key: str | None = None
    """Its key as it is now."""
    refusal: Refusal | None = None
    first: timeline.Entry | None = None


def mark(instant: datetime) -> int:
    """An instant in whole microseconds since 1970."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def keys(session: Session, ids: Sequence[UUID]) -> dict[str, str]:
    """The keys of corrections as they are now, by their ids.

    To be asked for before what is shown of them, never after, or something could be overlooked.
    """
    found = newest(session, ids)
    return {str(each): f"{each}.{mark(instant)}" for each, instant in found.items()}


def newest(session: Session, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the last thing happened to each of these: an update, a move, a change or a note."""
    last = [
        select(func.max(table.created_at))
        .where(table.correction_id == Correction.id)
        .scalar_subquery()
        for table in (Move, Change, Note)
    ]
    rows = session.execute(
        select(Correction.id, Correction.updated_at, *last).where(Correction.id.in_(ids))
    )
    return {row[0]: max(instant for instant in row[1:] if instant) for row in rows}


def ids(names: Iterable[str]) -> list[UUID]:
    """The ids that keys name; what is none is left out."""
    found = []
    for name in names:
        with suppress(ValueError):
            found.append(UUID(name.partition(".")[0]))
    return found


def each(
    session: Session,
    site_id: UUID,
    names: Sequence[str],
    wanted: Wanted,
    *,
    by: By,
    now: datetime,
) -> list[Outcome]:
    """Do the same with all that are named by their keys."""
    return [_one(session, site_id, name, wanted, by=by, now=now) for name in names]


def _one(
    session: Session, site_id: UUID, name: str, wanted: Wanted, *, by: By, now: datetime
) -> Outcome:
    text, _, seen_at = name.partition(".")
    since: Sequence[timeline.Entry] = ()
    try:
        found = moves.of_site(session, site_id, moves.parsed(text))
        seen = ANYTHING
        if seen_at.isdecimal() and len(seen_at) <= 17:
            since = timeline.entries(
                session, found.id, EPOCH + timedelta(microseconds=int(seen_at))
            )
            if since:
                raise StaleVersion("Somebody else was first.")
            # Reports that came meanwhile make nothing old.
            seen = Seen(frozenset({found.version}))
        done = _do(session, site_id, found.id, wanted, seen, by=by, now=now)
        # Where nothing was left to do, a note that was seen is newer than what is done.
        until = (
            mark(done.updated_at) if seen is ANYTHING else max(mark(done.updated_at), int(seen_at))
        )
        return Outcome(text, done, f"{text}.{until}")
    except Refusal as refusal:
        return Outcome(text, refusal=refusal, first=since[-1] if since else None)


def _do(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    wanted: Wanted,
    seen: Seen,
    *,
    by: By,
    now: datetime,
) -> Correction:
    if wanted.act is Act.UNDO:
        return undo.undo(session, site_id, correction_id, by=by, now=now, seen=seen)
    if wanted.act in MOVES:
        decision = Decision(State(wanted.act), wanted.reason, wanted.wording)
        return moves.decide(session, site_id, correction_id, decision, by=by, now=now, seen=seen)
    changed: dict[Act, dict[str, Any]] = {
        Act.TAKE: {"assignee": by.label},
        Act.LEAVE: {"assignee": None},
        Act.FREE: {"suspected": False},
        Act.WORD: {"wording": wanted.wording},
    }
    return changes.change(
        session,
        site_id,
        correction_id,
        changed[wanted.act],
        by=by,
        now=now,
        versions=seen.versions,
    )
