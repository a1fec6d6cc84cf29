import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from service import snapshots
from service.db import Database
from service.desk import changes, handovers, moves, revisions, splits, timeline
from service.desk.moves import By, Decision
from service.desk.revisions import NewText
from service.desk.undo import undo
from service.errors import InvalidFields, NotAllowedMove, NotFound, Refusal, StaleVersion
from service.models import AnchorState, Correction, Event, Report, Site, State
from tests.conftest import ORIGIN
from tests.reporting import report

BY = By("token:tests")
TEXT = "hello wrold text. The buses stood in the rain for three hours."


def reports_of(database: Database, correction_id: UUID) -> list[tuple[UUID, int, str | None]]:
    with database.read() as session:
        rows = session.scalars(
            select(Report).where(Report.correction_id == correction_id).order_by(Report.id)
        )
        return [(row.id, row.ordinal, row.suggestion) for row in rows]


def split(
    database: Database, site: Site, correction_id: UUID, ids: list[UUID], now: datetime, *seen: int
) -> Correction:
    with database.write() as session:
        versions = frozenset(seen) or None
        return splits.split(session, site.id, correction_id, ids, by=BY, now=now, versions=versions)


def put_back(database: Database, site: Site, correction_id: UUID, now: datetime) -> Correction:
    with database.write() as session:
        return splits.put_back(session, site.id, correction_id, by=BY, now=now)


def kept(database: Database, site: Site, correction_id: UUID) -> Correction:
    with database.read() as session:
        return changes.find(session, site.id, correction_id)


def told(database: Database, correction_id: UUID) -> list[tuple[str, str]]:
    with database.read() as session:
        entries = timeline.entries(session, correction_id)
        return [(entry.by, getattr(entry.what, "field", entry.kind)) for entry in entries]


def check_counts(database: Database) -> None:
    """Every correction counts its reports, which are numbered from 1."""
    with database.read() as session:
        counted = dict(
            session.execute(
                select(Report.correction_id, func.count()).group_by(Report.correction_id)
            ).all()
        )
        for correction in session.scalars(select(Correction)):
            assert correction.report_count == counted.get(correction.id, 0)
            ordinals = [ordinal for _, ordinal, _ in reports_of(database, correction.id)]
            assert ordinals == list(range(1, correction.report_count + 1))


@pytest.fixture
def correction_id(database: Database, site: Site, now: datetime) -> UUID:
    """Three readers of one passage, the second of whom means something else."""
    ids = {
        report(database, site, now, suggestion=suggestion)
        for suggestion in ("world", "word", "world")
    }
    assert len(ids) == 1
    return ids.pop()


def test_split_takes_the_chosen_reports_out(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    first, second, third = [row[0] for row in reports_of(database, correction_id)]
    made = split(database, site, correction_id, [second], now, 3)
    assert reports_of(database, correction_id) == [(first, 1, "world"), (third, 2, "world")]
    assert reports_of(database, made.id) == [(second, 1, "word")]
    assert (made.state, made.exact, made.start, made.report_count) == (State.NEW, "wrold", 6, 1)
    assert told(database, correction_id) == [("token:tests", "split_into")]
    assert told(database, made.id) == [("token:tests", "split_from")]
    check_counts(database)
    with database.read() as session:
        last = session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert (last.type, last.subject_id) == ("correction.created", made.id)


def test_first_report_can_be_taken_out_too(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    first = reports_of(database, correction_id)[0][0]
    split(database, site, correction_id, [first], now)
    check_counts(database)
    # The next reader joins the one that is left: its first report speaks for it.
    assert report(database, site, now, suggestion="word") in {correction_id}


def test_split_off_passage_is_found_in_the_newest_text(
    database: Database, site: Site, now: datetime
) -> None:
    one = report(database, site, now, suffix=" text. The buses")
    two = report(
        database, site, now, exact="wrold text", suffix=". The buses", suggestion="world text"
    )
    assert one == two
    with database.write() as session:
        revisions.push(session, site, NewText(f"{ORIGIN}/a", f"News. {TEXT}"), now=now)
    second = reports_of(database, one)[1][0]
    made = kept(database, site, split(database, site, one, [second], now).id)
    assert (made.exact, made.anchor_state) == ("wrold text", AnchorState.MOVED)
    assert (made.anchor_start, made.anchor_end) == (12, 22)


WIDE = {
    "exact": "hello wrold text",
    "prefix": "Oh ",
    "suffix": ". The buses",
    "start": 0,
    "suggestion": "hello world text",
}


def suggestions(database: Database, correction_id: UUID) -> list[tuple[str, int]]:
    with database.read() as session:
        [found] = snapshots.of_corrections(session, [correction_id])
    return [(each["text"], each["count"]) for each in found["suggestions"]]


def test_reports_put_back_suggest_what_they_did_before(
    database: Database, site: Site, now: datetime
) -> None:
    one = report(database, site, now)
    assert {report(database, site, now, **WIDE) for _ in range(2)} == {one}
    assert suggestions(database, one) == [("world", 3)]
    ids = [row[0] for row in reports_of(database, one)]
    made = split(database, site, one, ids[1:], now)
    assert suggestions(database, made.id) == [("hello world text", 2)]
    put_back(database, site, made.id, now)
    assert suggestions(database, one) == [("world", 3)]
    with database.write() as session:
        applied = handovers.prepare(session, site.id, one, Decision(State.ACCEPTED), by=BY, now=now)
    assert (applied.exact, applied.wording) == ("wrold", "world")


@pytest.mark.parametrize("has_text", [True, False])
def test_reports_split_off_suggest_for_the_words_of_the_first(
    database: Database, site: Site, now: datetime, has_text: bool
) -> None:
    one = report(database, site, now, suffix=" text. The buses")
    report(database, site, now, **WIDE)
    report(database, site, now, exact="wrold text", suffix=". The buses", suggestion="worlds text")
    report(database, site, now, exact="hello wrold", start=0, suggestion="hello word")
    ids = [row[0] for row in reports_of(database, one)]
    assert len(ids) == 4
    if has_text:
        with database.write() as session:
            pushed = NewText(f"{ORIGIN}/a", f"Of wrold news. Oh {TEXT}")
            revisions.push(session, site, pushed, now=now)
    made = split(database, site, one, ids[1:], now)
    assert made.exact == "hello wrold text"
    assert sorted(suggestions(database, made.id)) == [
        ("hello word text", 1),
        ("hello world text", 1),
        ("hello worlds text", 1),
    ]


def test_put_back_undoes_a_split(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    before = reports_of(database, correction_id)
    made = split(database, site, correction_id, [before[0][0], before[1][0]], now)
    assert put_back(database, site, made.id, now).id == correction_id
    assert reports_of(database, correction_id) == before
    emptied = kept(database, site, made.id)
    assert (emptied.state, emptied.report_count) == (State.REJECTED, 0)
    assert emptied.duplicate_of == correction_id
    assert told(database, correction_id)[-1] == ("token:tests", "put_back")
    check_counts(database)
    with pytest.raises(NotAllowedMove):
        put_back(database, site, made.id, now)


def test_what_was_split_off_an_emptied_one_goes_back_to_where_that_came_from(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    before = reports_of(database, correction_id)
    between = split(database, site, correction_id, [before[0][0], before[1][0]], now)
    last = split(database, site, between.id, [before[1][0]], now)
    assert put_back(database, site, between.id, now).id == correction_id
    assert put_back(database, site, last.id, now).id == correction_id
    assert reports_of(database, correction_id) == before
    assert kept(database, site, last.id).duplicate_of == correction_id
    check_counts(database)


def test_nobody_is_told_of_what_a_split_put_back_has_emptied(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    made = split(database, site, correction_id, [reports_of(database, correction_id)[1][0]], now)
    with database.write() as session:
        changes.change(session, site.id, made.id, {"suspected": True}, by=BY, now=now)
        before = session.scalars(select(Event.id)).all()
    put_back(database, site, made.id, now)
    emptied = kept(database, site, made.id)
    assert (emptied.state, emptied.suspected) == (State.REJECTED, False)
    assert emptied.first_decided_at == emptied.decided_at == emptied.closed_at == now
    with database.read() as session:
        assert session.scalars(select(Event.id)).all() == before
        [move] = moves.history(session, made.id)
    assert (move.to_state, move.reason) == (State.REJECTED, "Put back")


def test_what_was_emptied_comes_back_into_the_queue_by_no_undo(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    made = split(database, site, correction_id, [reports_of(database, correction_id)[1][0]], now)
    put_back(database, site, made.id, now)
    with database.write() as session:
        before = session.scalars(select(Event.id)).all()
        with pytest.raises(NotAllowedMove, match="were put back"):
            undo(session, site.id, made.id, by=BY, now=now)
        moves.decide(session, site.id, made.id, Decision(State.NEW), by=BY, now=now)
        undo(session, site.id, made.id, by=BY, now=now)
    assert kept(database, site, made.id).state is State.REJECTED
    with database.write() as session:
        moves.decide(session, site.id, made.id, Decision(State.NEW), by=BY, now=now)
        for suspected in (True, False):
            changes.change(session, site.id, made.id, {"suspected": suspected}, by=BY, now=now)
    with database.read() as session:
        assert session.scalars(select(Event.id)).all() == before


@pytest.mark.parametrize("is_direct", [True, False])
def test_put_back_parts_what_was_joined_to_the_split_off_one(
    database: Database, site: Site, now: datetime, correction_id: UUID, is_direct: bool
) -> None:
    between = report(database, site, now, exact="thier", start=40)
    made = split(database, site, correction_id, [reports_of(database, correction_id)[1][0]], now)
    joined = [(correction_id, made.id)]
    if not is_direct:
        joined = [(correction_id, between), (between, made.id)]
    for one, other in joined:
        with database.write() as session:
            changes.change(session, site.id, one, {"duplicate_of": other}, by=BY, now=now)
    put_back(database, site, made.id, now)
    assert kept(database, site, made.id).duplicate_of == correction_id
    assert kept(database, site, joined[-1][0]).duplicate_of is None
    assert len(reports_of(database, correction_id)) == 3
    check_counts(database)


def test_what_was_decided_or_never_split_is_not_put_back(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    with pytest.raises(NotAllowedMove):
        put_back(database, site, correction_id, now)
    made = split(database, site, correction_id, [reports_of(database, correction_id)[1][0]], now)
    with database.write() as session:
        moves.decide(session, site.id, made.id, Decision(State.ACCEPTED), by=BY, now=now)
    with pytest.raises(NotAllowedMove, match="accepted by now"):
        put_back(database, site, made.id, now)
    check_counts(database)


def test_impossible_splits_change_nothing(
    database: Database, site: Site, other_site: Site, now: datetime, correction_id: UUID
) -> None:
    ids = [row[0] for row in reports_of(database, correction_id)]
    for chosen in ([], ids, [uuid4()], [ids[0], uuid4()]):
        with pytest.raises(InvalidFields):
            split(database, site, correction_id, chosen, now)
    with pytest.raises(StaleVersion):
        split(database, site, correction_id, ids[:1], now, 2)
    with pytest.raises(NotFound):
        split(database, other_site, correction_id, ids[:1], now)
    assert [row[0] for row in reports_of(database, correction_id)] == ids


def test_splits_reports_and_returns_at_once_lose_nothing(
    database: Database, site: Site, now: datetime, correction_id: UUID
) -> None:
    ids = [row[0] for row in reports_of(database, correction_id)]
    barrier = threading.Barrier(4)

    def at_once(number: int) -> None:
        barrier.wait(10)
        try:
            if number < 2:
                made = split(database, site, correction_id, [ids[number]], now)
                put_back(database, site, made.id, now)
            else:
                report(database, site, now, suggestion="world")
        except Refusal:
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(at_once, range(4)))
    check_counts(database)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Report)) == 5
