from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event

from service.db import Database
from service.desk import acts, changes, moves, notes
from service.desk.acts import Act, Outcome, Wanted
from service.desk.moves import By, Decision
from service.errors import InvalidFields, NotAllowedMove, NotFound, StaleVersion
from service.models import Editor, Site, State
from tests.reporting import report

OTHER = By("other@news.example")


@pytest.fixture
def later(now: datetime) -> datetime:
    return now + timedelta(minutes=5)


def key(database: Database, correction_id: UUID) -> str:
    with database.read() as session:
        return acts.keys(session, [correction_id])[str(correction_id)]


def do(
    database: Database, site: Site, names: list[str], wanted: Wanted, by: By, now: datetime
) -> list[Outcome]:
    with database.write() as session:
        return acts.each(session, site.id, names, wanted, by=by, now=now)


def refusals(outcomes: list[Outcome]) -> list[type | None]:
    return [type(each.refusal) if each.refusal else None for each in outcomes]


def test_each_has_its_own_outcome(
    database: Database, site: Site, other_site: Site, editor: Editor, now: datetime, later: datetime
) -> None:
    by = By(editor.email, editor.id)
    good, taken = (report(database, site, now, exact=word, start=None) for word in "ab")
    foreign = report(database, other_site, now)
    names = [key(database, each) for each in (good, taken, foreign)]
    with database.write() as session:
        moves.decide(session, site.id, taken, Decision(State.FIXED), by=OTHER, now=later)
    found = do(
        database, site, [*names, "x", str(uuid4())], Wanted(Act.REJECTED, "House style"), by, later
    )
    assert refusals(found) == [None, StaleVersion, NotFound, NotFound, NotFound]
    assert found[1].first is not None
    assert (found[1].first.by, found[1].first.kind) == (OTHER.label, "move")
    with database.read() as session:
        states = [changes.find(session, site.id, each).state for each in (good, taken)]
        assert states == [State.REJECTED, State.FIXED]
        assert [move.reason for move in moves.history(session, good)] == ["House style"]


def test_another_report_makes_nothing_old(
    database: Database, site: Site, now: datetime, later: datetime
) -> None:
    made = report(database, site, now)
    seen = key(database, made)
    assert report(database, site, later) == made
    assert key(database, made) != seen
    assert refusals(do(database, site, [seen], Wanted(Act.ACCEPTED), OTHER, later)) == [None]


def test_what_was_seen_makes_nothing_old(
    database: Database, site: Site, editor: Editor, now: datetime, later: datetime
) -> None:
    by = By(editor.email, editor.id)
    made = report(database, site, now)
    with database.write() as session:
        notes.add(session, site.id, made, "Sure?", by=OTHER, now=later)
    much_later = later + timedelta(minutes=1)
    for wanted in (Act.ACCEPTED, Act.TAKE, Act.UNDO):
        name = key(database, made)
        assert refusals(do(database, site, [name], Wanted(wanted), by, much_later)) == [None]


def test_note_that_was_not_seen_is_first(
    database: Database, site: Site, now: datetime, later: datetime
) -> None:
    made = report(database, site, now)
    seen = key(database, made)
    with database.write() as session:
        notes.add(session, site.id, made, "Sure?", by=OTHER, now=later)
    [found] = do(database, site, [seen], Wanted(Act.ACCEPTED), By("me"), later)
    assert refusals([found]) == [StaleVersion]
    assert found.first is not None
    assert found.first.kind == "note"


def test_outcome_has_a_key_for_the_next_act(
    database: Database, site: Site, now: datetime, later: datetime
) -> None:
    made = report(database, site, now)
    with database.write() as session:
        notes.add(session, site.id, made, "Sure?", by=OTHER, now=later)
    for wanted in (Act.LEAVE, Act.ACCEPTED):
        name = key(database, made)
        [done] = do(database, site, [name], Wanted(wanted), By("me"), later)
        assert done.key == key(database, made)


def test_report_written_after_a_later_decision_makes_nothing_old(
    database: Database, site: Site, now: datetime, later: datetime
) -> None:
    made = report(database, site, now)
    with database.write() as session:
        moves.decide(session, site.id, made, Decision(State.ACCEPTED), by=OTHER, now=later)
    assert report(database, site, later - timedelta(milliseconds=5)) == made
    with database.read() as session:
        assert changes.find(session, site.id, made).updated_at == later
    [done] = do(database, site, [key(database, made)], Wanted(Act.FIXED), By("me"), later)
    assert done.refusal is None


def test_keys_of_many_are_one_statement(database: Database, site: Site, now: datetime) -> None:
    made = [report(database, site, now, exact=word, start=None) for word in "abc"]
    asked: list[str] = []

    def keep(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    with database.read() as session:
        session.connection()
        event.listen(database.engine, "before_cursor_execute", keep)
        found = acts.keys(session, made)
        event.remove(database.engine, "before_cursor_execute", keep)
    assert found == {str(each): f"{each}.{acts.mark(now)}" for each in made}
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("change", "kind"), [({"public_note": "Thanks"}, "change"), ({"wording": "word"}, "change")]
)
def test_what_another_changed_is_not_written_over(
    database: Database,
    site: Site,
    now: datetime,
    later: datetime,
    change: dict[str, str],
    kind: str,
) -> None:
    made = report(database, site, now)
    seen = key(database, made)
    with database.write() as session:
        changes.change(session, site.id, made, change, by=OTHER, now=later)
    [found] = do(database, site, [seen], Wanted(Act.WORD, wording="mine"), By("me"), later)
    assert refusals([found]) == [StaleVersion]
    assert found.first is not None
    assert found.first.kind == kind


def test_taking_wording_freeing_and_giving_back(
    database: Database, site: Site, editor: Editor, now: datetime, later: datetime
) -> None:
    by = By(editor.email, editor.id)
    made = report(database, site, now, website="spam")
    steps = [Wanted(Act.TAKE), Wanted(Act.FREE), Wanted(Act.WORD, wording="words")]
    for step in steps:
        assert refusals(do(database, site, [str(made)], step, by, later)) == [None]
    with database.read() as session:
        found = changes.find(session, site.id, made)
    assert (found.assignee_id, found.suspected, found.wording) == (editor.id, False, "words")
    [back] = do(database, site, [key(database, made)], Wanted(Act.LEAVE), by, later)
    assert back.now is not None
    assert back.now.assignee_id is None


def test_undo_takes_back_what_was_seen_only(
    database: Database, site: Site, now: datetime, later: datetime
) -> None:
    made = report(database, site, now)
    [done] = do(database, site, [key(database, made)], Wanted(Act.FIXED), By("me"), later)
    assert done.now is not None
    mine = f"{made}.{acts.mark(done.now.updated_at)}"
    much_later = later + timedelta(minutes=1)
    with database.write() as session:
        moves.decide(session, site.id, made, Decision(State.SPAM), by=OTHER, now=much_later)
    assert refusals(do(database, site, [mine], Wanted(Act.UNDO), By("me"), much_later)) == [
        StaleVersion
    ]
    last = key(database, made)
    assert refusals(do(database, site, [last], Wanted(Act.UNDO), By("me"), much_later)) == [None]
    with database.read() as session:
        assert changes.find(session, site.id, made).state is State.FIXED


def test_what_cannot_be_done_is_refused(
    database: Database, site: Site, now: datetime, later: datetime
) -> None:
    made = report(database, site, now)
    nobody = By("nobody@news.example")
    found = [
        *do(database, site, [str(made)], Wanted(Act.UNDO), nobody, later),
        *do(database, site, [str(made)], Wanted(Act.TAKE), nobody, later),
        *do(database, site, [str(made)], Wanted(Act.NEW), nobody, later),
    ]
    assert refusals(found) == [NotAllowedMove, InvalidFields, NotAllowedMove]
