import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from service.db import Database
from service.desk import changes, moves
from service.desk.moves import By, Decision, Seen
from service.errors import NotAllowedMove, NotFound, Refusal, StaleVersion
from service.models import Correction, Editor, Event, Site, State
from tests.conftest import Clock
from tests.reporting import report

NEW, ACCEPTED, FIXED, REJECTED, SPAM = State
BY = By("token:tests")
# The contract's sentence, written out move by move.
ALLOWED = {
    (NEW, ACCEPTED), (NEW, FIXED), (NEW, REJECTED), (NEW, SPAM),
    (ACCEPTED, FIXED), (ACCEPTED, REJECTED), (ACCEPTED, SPAM), (ACCEPTED, NEW),
    (FIXED, SPAM), (FIXED, NEW),
    (REJECTED, SPAM), (REJECTED, NEW),
    (SPAM, NEW),
}  # fmt: skip
ROUTES = {
    NEW: [],
    ACCEPTED: [ACCEPTED],
    FIXED: [FIXED],
    REJECTED: [REJECTED],
    SPAM: [SPAM],
}


def move(
    database: Database, site: Site, correction_id: UUID, to: State, now: datetime, **more: object
) -> Correction:
    seen = more.pop("seen", moves.ANYTHING)
    assert isinstance(seen, Seen)
    with database.write() as session:
        decision = Decision(to, **more)  # type: ignore[arg-type]
        return moves.decide(session, site.id, correction_id, decision, by=BY, now=now, seen=seen)


def event_types(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Event.type).order_by(Event.id)))


@pytest.mark.parametrize("origin", list(State))
@pytest.mark.parametrize("to", list(State))
def test_move_is_allowed_exactly_as_the_contract_says(
    database: Database, site: Site, now: datetime, origin: State, to: State
) -> None:
    correction_id = report(database, site, now)
    for step in ROUTES[origin]:
        move(database, site, correction_id, step, now)
    if (origin, to) in ALLOWED:
        assert move(database, site, correction_id, to, now).state is to
    else:
        with pytest.raises(NotAllowedMove):
            move(database, site, correction_id, to, now)
        with database.read() as session:
            assert changes.find(session, site.id, correction_id).state is origin


def test_move_is_kept_told_and_counted(
    database: Database, site: Site, editor: Editor, now: datetime
) -> None:
    correction_id = report(database, site, now)
    with database.write() as session:
        moved = moves.decide(
            session,
            site.id,
            correction_id,
            Decision(ACCEPTED, "clear", wording="World", public_note="Thank you."),
            by=By(editor.email, editor.id),
            now=now,
        )
    assert (moved.version, moved.wording, moved.public_note) == (2, "World", "Thank you.")
    with database.read() as session:
        [kept] = moves.history(session, correction_id)
        told = session.scalars(select(Event).where(Event.type == "correction.accepted")).one()
    assert (kept.from_state, kept.to_state, kept.by, kept.editor_id, kept.reason) == (
        NEW,
        ACCEPTED,
        editor.email,
        editor.id,
        "clear",
    )
    assert (told.data["state"], told.data["version"], told.data["wording"]) == (
        "accepted",
        2,
        "World",
    )


def test_move_without_a_wording_leaves_the_one_there_is(
    database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    move(database, site, correction_id, ACCEPTED, now, wording="World")
    assert move(database, site, correction_id, FIXED, now).wording == "World"


def test_undo_is_a_recorded_move_back(database: Database, site: Site, now: datetime) -> None:
    correction_id = report(database, site, now)
    move(database, site, correction_id, REJECTED, now)
    move(database, site, correction_id, NEW, now)
    with database.read() as session:
        kept = moves.history(session, correction_id)
    assert [(step.from_state, step.to_state) for step in kept] == [(NEW, REJECTED), (REJECTED, NEW)]
    assert event_types(database)[-2:] == ["correction.rejected", "correction.reopened"]


def test_refused_move_says_who_did_what(database: Database, site: Site, now: datetime) -> None:
    correction_id = report(database, site, now)
    move(database, site, correction_id, REJECTED, now)
    with pytest.raises(NotAllowedMove) as refused:
        move(database, site, correction_id, ACCEPTED, now)
    assert refused.value.detail == (
        "This correction is rejected and cannot become accepted. "
        "token:tests moved it from new on 2026-03-01 at 12:00 UTC."
    )


def test_move_with_an_old_version_is_stale(database: Database, site: Site, now: datetime) -> None:
    correction_id = report(database, site, now)
    move(database, site, correction_id, ACCEPTED, now, seen=Seen(versions=frozenset({1})))
    with pytest.raises(StaleVersion):
        move(database, site, correction_id, FIXED, now, seen=Seen(versions=frozenset({1})))
    assert move(database, site, correction_id, FIXED, now, seen=Seen(versions=frozenset({2})))


def test_move_from_another_state_than_was_seen_is_refused(
    database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    move(database, site, correction_id, ACCEPTED, now)
    with pytest.raises(NotAllowedMove):
        move(database, site, correction_id, FIXED, now, seen=Seen(state=NEW))


def test_correction_of_another_site_is_not_found(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    correction_id = report(database, other_site, now)
    with pytest.raises(NotFound):
        move(database, site, correction_id, ACCEPTED, now)
    with pytest.raises(NotFound):
        move(database, site, uuid4(), ACCEPTED, now)


@pytest.mark.parametrize("to", [ACCEPTED, FIXED, REJECTED])
def test_decision_frees_a_suspected_correction(
    database: Database, site: Site, now: datetime, to: State
) -> None:
    correction_id = report(database, site, now, website="spam")
    assert event_types(database) == ["report.created"]
    assert move(database, site, correction_id, to, now).suspected is False
    assert event_types(database) == ["report.created", "correction.created", f"correction.{to}"]


def test_suspected_correction_called_spam_tells_nobody_and_can_be_undone(
    database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now, website="spam")
    move(database, site, correction_id, SPAM, now)
    back = move(database, site, correction_id, NEW, now)
    assert (back.state, back.suspected) == (NEW, True)
    assert event_types(database) == ["report.created"]


def test_bulk_move_gives_each_its_outcome(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    mine = report(database, site, now)
    done = report(database, site, now, exact="thier", start=40)
    foreign = report(database, other_site, now)
    move(database, site, done, SPAM, now)
    ids = [str(mine), str(done), str(foreign), "no id"]
    with database.write() as session:
        outcomes = moves.decide_each(session, site.id, ids, Decision(SPAM), by=BY, now=now)
    assert [outcome.id for outcome in outcomes] == ids
    assert [type(outcome.refusal) for outcome in outcomes] == [
        type(None),
        NotAllowedMove,
        NotFound,
        NotFound,
    ]
    with database.read() as session:
        assert changes.find(session, site.id, mine).state is SPAM


def test_of_two_editors_at_once_one_wins(database: Database, site: Site, now: datetime) -> None:
    for round_number in range(10):
        correction_id = report(database, site, now, exact=f"wrold{round_number}", start=None)
        barrier = threading.Barrier(2)

        def decide(
            to: State, correction_id: UUID = correction_id, barrier: threading.Barrier = barrier
        ) -> str:
            barrier.wait()
            try:
                move(database, site, correction_id, to, now, seen=Seen(state=NEW))
            except Refusal as refusal:
                return refusal.code
            return "moved"

        with ThreadPoolExecutor(2) as pool:
            answers = sorted(pool.map(decide, [ACCEPTED, REJECTED]))
        assert answers == ["move-not-allowed", "moved"]
        with database.read() as session:
            assert len(moves.history(session, correction_id)) == 1
            assert changes.find(session, site.id, correction_id).version == 2


def test_instants_say_since_when(
    database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    correction_id = report(database, site, now)
    first, second, third, fourth, fifth = [clock.advance(hours=1) for _ in range(5)]
    told = []
    for to, at in [
        (ACCEPTED, first),
        (FIXED, second),
        (SPAM, third),
        (NEW, fourth),
        (FIXED, fifth),
    ]:
        moved = move(database, site, correction_id, to, at)
        told.append((moved.first_decided_at, moved.fixed_at, moved.closed_at))
    assert told == [
        (first, None, None),
        (first, second, second),
        (first, None, second),
        (first, None, None),
        (first, fifth, fifth),
    ]
