"""Moves: an editor decides what becomes of a correction, and every decision is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service import documents, events
from service.desk import timeline
from service.errors import NotAllowedMove, NotFound, Refusal, StaleVersion
from service.models import Correction, Move, Publication, State

ALLOWED_FROM: dict[State, frozenset[State]] = {
    State.ACCEPTED: frozenset({State.NEW}),
    State.FIXED: frozenset({State.NEW, State.ACCEPTED}),
    State.REJECTED: frozenset({State.NEW, State.ACCEPTED}),
    State.SPAM: frozenset(State) - {State.SPAM},
    State.NEW: frozenset(State) - {State.NEW},
}
"""From which states a correction may move to which."""

KEPT = ("wording", "public_note", "suspected")
"""What a move may change besides the state; kept with it, so that it can be undone."""


OPEN = frozenset({State.NEW, State.ACCEPTED})


@dataclass(frozen=True, slots=True)
class Decision:
    """Where to, why, and what is put down with it; None leaves a text as it is."""

    to: State
    reason: str | None = None
    wording: str | None = None
    public_note: str | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who decides, as the history names them."""

    label: str
    editor_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the one who decides has seen; a correction that is different by now is not moved."""

    versions: frozenset[int] | None = None
    state: State | None = None


ANYTHING = Seen()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one correction in a bulk move."""

    id: str
    refusal: Refusal | None = None


def decide(
    session: Session,
    site_id: UUID,
    correction_id: UUID,
    decision: Decision,
    *,
    by: By,
    now: datetime,
    seen: Seen = ANYTHING,
) -> Correction:
    """Move a correction to another state; of two racing moves only the first counts.

    Accepting, fixing or rejecting frees a correction that was suspected to be spam. Raises
    NotFound, StaleVersion, NotAllowedMove.
    """
    before = of_site(session, site_id, correction_id)
    origin, was_suspected = before.state, before.suspected
    check_version(before, seen.versions)
    if origin not in ALLOWED_FROM[decision.to] or seen.state not in {None, origin}:
        raise not_allowed(session, before, decision.to)
    values = _values(decision) | _instants(origin, decision.to, now)
    kept = {name: getattr(before, name) for name in KEPT}
    changed = {
        name: {"was": was, "now": values[name]}
        for name, was in kept.items()
        if values.get(name, was) != was
    }
    # The state that was read is asked for again: the database decides who was first.
    wanted = [Correction.id == correction_id, Correction.state == origin]
    if seen.versions is not None:
        wanted.append(Correction.version == before.version)
    moved = session.scalar(
        update(Correction)
        .where(*wanted)
        .values(**values, version=Correction.version + 1, updated_at=now)
        .returning(Correction.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(before)
    if before.wording != kept["wording"]:
        documents.refresh(session, Correction.id == correction_id)
    if moved is None:
        check_version(before, seen.versions)
        raise not_allowed(session, before, decision.to)
    session.add(
        Move(
            correction_id=correction_id,
            from_state=origin,
            to_state=decision.to,
            by=by.label,
            editor_id=by.editor_id,
            reason=decision.reason,
            before=changed,
            created_at=now,
        )
    )
    if decision.to not in {State.ACCEPTED, State.FIXED}:
        take_back(session, correction_id, now)
    timeline.keep(session, correction_id, kept, values, by=by, now=now)
    # Nobody is told of one that a split put back has emptied: it says nothing.
    if before.report_count and was_suspected and not before.suspected:
        events.emit(session, "correction.created", before, now=now)
    if before.report_count and not before.suspected:
        events.emit(session, event_of(decision.to), before, now=now)
    return before


def event_of(state: State) -> str:
    """The type of the event that tells of a move to this state."""
    return "correction.reopened" if state is State.NEW else f"correction.{state}"


def decide_each(
    session: Session,
    site_id: UUID,
    ids: Sequence[str],
    decision: Decision,
    *,
    by: By,
    now: datetime,
) -> list[Outcome]:
    """Move many; each stands for itself, and its outcome says what became of it."""

    def move(correction_id: UUID, seen: Seen) -> None:
        decide(session, site_id, correction_id, decision, by=by, now=now, seen=seen)

    return for_each(ids, move)


def for_each(ids: Sequence[str], verb: Callable[[UUID, Seen], object]) -> list[Outcome]:
    """Do the same with many corrections; an id may carry the version that was seen: `ID.3`."""
    outcomes = []
    for text in ids:
        correction_id, _, version = text.partition(".")
        refusal = None
        try:
            verb(parsed(correction_id), _seen(version))
        except Refusal as refused:
            refusal = refused
        outcomes.append(Outcome(correction_id, refusal))
    return outcomes


def _seen(version: str) -> Seen:
    return Seen(frozenset({int(version)})) if version.isdecimal() else ANYTHING


def history(session: Session, correction_id: UUID) -> Sequence[Move]:
    """All moves of a correction, the oldest first."""
    return session.scalars(
        select(Move).where(Move.correction_id == correction_id).order_by(Move.id)
    ).all()


def check_version(correction: Correction, versions: frozenset[int] | None) -> None:
    """Raise StaleVersion unless the correction's version is one of these."""
    if versions is not None and correction.version not in versions:
        raise StaleVersion(
            "Somebody changed this correction in the meantime: it is at version %(version)s now "
            "and %(state)s.",
            values={"version": correction.version, "state": correction.state},
        )


def take_back(session: Session, correction_id: UUID, now: datetime) -> None:
    """What is not yet to be seen in the record never will be."""
    session.execute(
        update(Publication)
        .where(Publication.correction_id == correction_id, Publication.published_at > now)
        .values(published_at=None)
    )


def of_site(session: Session, site_id: UUID, correction_id: UUID) -> Correction:
    """The correction as the database has it now; raises NotFound."""
    found = session.scalar(
        select(Correction)
        .where(Correction.id == correction_id, Correction.site_id == site_id)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("There is no such correction.")
    return found


def _instants(origin: State, to: State, now: datetime) -> dict[str, Any]:
    """Since when it is decided, fixed and closed, told to the database with the move."""
    closed_at = now if origin in OPEN else Correction.closed_at
    return {
        "first_decided_at": func.coalesce(Correction.first_decided_at, now),
        "decided_at": None if to is State.NEW else now,
        "fixed_at": now if to is State.FIXED else None,
        "closed_at": None if to in OPEN else closed_at,
    }


def _values(decision: Decision) -> dict[str, Any]:
    values: dict[str, Any] = {"state": decision.to}
    if decision.to in {State.ACCEPTED, State.FIXED, State.REJECTED}:
        values["suspected"] = False
    if decision.wording is not None:
        values["wording"] = decision.wording
    if decision.public_note is not None:
        values["public_note"] = decision.public_note
    return values


def not_allowed(session: Session, correction: Correction, to: State) -> NotAllowedMove:
    last = session.scalar(
        select(Move).where(Move.correction_id == correction.id).order_by(Move.id.desc()).limit(1)
    )
    states = {"state": correction.state, "to": to}
    if last is None:
        return NotAllowedMove(
            "This correction is %(state)s and cannot become %(to)s. Nobody has moved it yet.",
            values=states,
        )
    at = last.created_at.astimezone(UTC)
    return NotAllowedMove(
        "This correction is %(state)s and cannot become %(to)s. %(who)s moved it from %(from)s on "
        "%(day)s at %(time)s UTC.",
        values={
            **states,
            "who": last.by,
            "from": last.from_state,
            "day": f"{at:%Y-%m-%d}",
            "time": f"{at:%H:%M}",
        },
    )


def parsed(text: str) -> UUID:
    """The id that a text is; raises NotFound."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such correction.") from None
