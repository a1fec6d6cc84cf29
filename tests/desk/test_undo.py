from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from service.db import Database
from service.desk import changes, moves
from service.desk.moves import ANYTHING, By, Decision, Seen
from service.desk.undo import undo
from service.errors import NotAllowedMove, NotFound, StaleVersion
from service.models import Correction, Event, Move, Site, State
from tests.conftest import Clock
from tests.reporting import report

NEW, ACCEPTED, FIXED, REJECTED, SPAM = State
BY = By("token:tests")
OTHER = By("other@news.example")


def decide(
    database: Database, site: Site, correction_id: UUID, to: State, now: datetime, **more: Any
) -> Correction:
    with database.write() as session:
        return moves.decide(session, site.id, correction_id, Decision(to, **more), by=BY, now=now)


def take_back(
    database: Database, site: Site, correction_id: UUID, now: datetime, seen: Seen = ANYTHING
) -> Correction:
    with database.write() as session:
        return undo(session, site.id, correction_id, by=BY, now=now, seen=seen)


def change(
    database: Database, site: Site, correction_id: UUID, now: datetime, **changed: Any
) -> None:
    with database.write() as session:
        changes.change(session, site.id, correction_id, changed, by=OTHER, now=now)


@pytest.mark.parametrize("to", [ACCEPTED, FIXED, REJECTED, SPAM])
def test_undo_restores_state_wording_and_note(
    database: Database, site: Site, clock: Clock, to: State
) -> None:
    correction_id = report(database, site, clock())
    decide(database, site, correction_id, to, clock(), wording="World", public_note="Thanks.")
    back = take_back(database, site, correction_id, clock.advance(seconds=5))
    assert (back.state, back.wording, back.public_note, back.decided_at, back.version) == (
        NEW,
        None,
        None,
        None,
        3,
    )
    with database.read() as session:
        first, second = moves.history(session, correction_id)
        told = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert (second.from_state, second.to_state, second.undoes) == (to, NEW, first.id)
    assert (told.type, told.data["state"], told.data["version"]) == (
        "correction.reopened",
        "new",
        3,
    )


def test_undo_goes_back_step_by_step(database: Database, site: Site, clock: Clock) -> None:
    correction_id = report(database, site, clock())
    began = clock()
    decide(database, site, correction_id, ACCEPTED, began, wording="World")
    decide(database, site, correction_id, FIXED, clock.advance(minutes=1), wording="world")
    back = take_back(database, site, correction_id, clock.advance(minutes=1))
    assert (back.state, back.wording, back.decided_at) == (ACCEPTED, "World", began)
    decide(database, site, correction_id, REJECTED, clock.advance(minutes=1))
    assert take_back(database, site, correction_id, clock()).state is ACCEPTED
    back = take_back(database, site, correction_id, clock())
    assert (back.state, back.wording, back.decided_at) == (NEW, None, None)
    with pytest.raises(NotAllowedMove, match="no decision to undo"):
        take_back(database, site, correction_id, clock())


def test_undo_leaves_what_was_changed_after_the_move(
    database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    decide(database, site, correction_id, ACCEPTED, clock())
    change(database, site, correction_id, clock(), wording="World", public_note="Thanks.")
    back = take_back(database, site, correction_id, clock.advance(minutes=1))
    assert (back.state, back.wording, back.public_note) == (NEW, "World", "Thanks.")
    decide(database, site, correction_id, FIXED, clock(), wording="world", public_note="Fixed.")
    change(database, site, correction_id, clock(), wording="The world")
    back = take_back(database, site, correction_id, clock.advance(minutes=1))
    assert (back.state, back.wording, back.public_note) == (NEW, "The world", "Thanks.")


def test_undo_of_what_was_freed_after_the_move_suspects_nobody(
    database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock(), website="spam")
    decide(database, site, correction_id, SPAM, clock())
    change(database, site, correction_id, clock.advance(minutes=1), suspected=False)
    back = take_back(database, site, correction_id, clock.advance(minutes=1))
    change(database, site, correction_id, clock(), suspected=False)
    assert (back.state, back.suspected) == (NEW, False)
    with database.read() as session:
        types = list(session.scalars(select(Event.type).order_by(Event.id)))
    assert types == ["report.created", "correction.created", "correction.reopened"]


def test_undo_of_a_move_of_an_older_release_restores_what_it_changed(
    database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock(), website="spam")
    decide(database, site, correction_id, ACCEPTED, clock(), wording="World")
    whole = {"wording": None, "public_note": None, "suspected": True}
    with database.write() as session:
        session.execute(update(Move).values(before=whole))
    change(database, site, correction_id, clock.advance(minutes=1), public_note="Thanks.")
    back = take_back(database, site, correction_id, clock.advance(minutes=1))
    assert (back.wording, back.public_note, back.suspected) == (None, "Thanks.", True)


def test_undo_of_a_reopening_is_fixed_since_it_was(
    database: Database, site: Site, clock: Clock
) -> None:
    correction_id = report(database, site, clock())
    began = clock()
    decide(database, site, correction_id, FIXED, began)
    decide(database, site, correction_id, NEW, clock.advance(minutes=1))
    back = take_back(database, site, correction_id, clock.advance(minutes=1))
    assert (back.state, back.decided_at, back.fixed_at, back.closed_at) == (
        FIXED,
        began,
        began,
        began,
    )


def test_undo_of_a_freed_suspicion_suspects_again(
    database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now, website="spam")
    decide(database, site, correction_id, ACCEPTED, now)
    back = take_back(database, site, correction_id, now)
    assert (back.state, back.suspected) == (NEW, True)
    decide(database, site, correction_id, SPAM, now)
    assert take_back(database, site, correction_id, now).suspected
    with database.read() as session:
        types = list(session.scalars(select(Event.type).order_by(Event.id)))
    assert types == [
        "report.created",
        "correction.created",
        "correction.accepted",
        "correction.reopened",
    ]


def test_undo_of_a_reopening_decides_nothing_that_is_suspected_by_now(
    database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    decide(database, site, correction_id, ACCEPTED, now)
    decide(database, site, correction_id, NEW, now)
    change(database, site, correction_id, now, suspected=True)
    with pytest.raises(NotAllowedMove, match="suspected to be spam by now"):
        take_back(database, site, correction_id, now)
    change(database, site, correction_id, now, suspected=False)
    assert take_back(database, site, correction_id, now).state is ACCEPTED


def test_undo_of_what_another_changed_meanwhile_is_stale(
    database: Database, site: Site, now: datetime
) -> None:
    correction_id = report(database, site, now)
    decide(database, site, correction_id, ACCEPTED, now)
    decide(database, site, correction_id, FIXED, now)
    with pytest.raises(StaleVersion):
        take_back(database, site, correction_id, now, Seen(versions=frozenset({2})))
    with database.read() as session:
        assert changes.find(session, site.id, correction_id).state is FIXED


def test_undo_of_another_site_is_not_found(
    database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    correction_id = report(database, other_site, now)
    decide(database, other_site, correction_id, ACCEPTED, now)
    with pytest.raises(NotFound):
        take_back(database, site, correction_id, now)


def test_many_are_undone_each_by_itself(database: Database, site: Site, now: datetime) -> None:
    first = report(database, site, now)
    second = report(database, site, now, exact="thier", start=40)
    decide(database, site, first, ACCEPTED, now)
    with database.write() as session:
        outcomes = moves.for_each(
            [f"{first}.2", f"{second}.7", str(second), "x"],
            lambda each, seen: undo(session, site.id, each, by=BY, now=now, seen=seen),
        )
    assert [(one.id, type(one.refusal)) for one in outcomes] == [
        (str(first), type(None)),
        (str(second), StaleVersion),
        (str(second), NotAllowedMove),
        ("x", NotFound),
    ]
