from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from service import documents, hashing
from service.db import Base, Database
from service.desk import tallies
from service.intake.spam import Reason, score
from service.models import (
    AnchorState,
    Article,
    Correction,
    Document,
    Editor,
    Move,
    Report,
    Revision,
    Site,
    StaleHour,
    State,
)
from service.record import receipts
from service.seed.sow import Person, Plan, sow
from tests.faults.load import check_counters, check_integrity
from tests.reporting import report
from tests.schema import schema

UNTIL = datetime(2026, 2, 1, tzinfo=UTC)
PLAN = Plan(1_500, UNTIL.timestamp(), random_seed=7)


@pytest.fixture
def sown(database: Database, site: Site, editor: Editor) -> int:
    return sow(database, site, PLAN, people=[Person(editor.id, editor.email)], secret="a secret")


def test_sown_rows_are_as_many_as_were_told(database: Database, sown: int) -> None:
    with database.read() as session:
        tables = [Article, Revision, Correction, Report, Move, Document]
        counts = [session.scalar(select(func.count()).select_from(table)) for table in tables]
    assert sum(filter(None, counts)) == sown
    assert counts[2] == PLAN.corrections
    assert min(filter(None, counts)) > 0


def stale(database: Database) -> set[datetime]:
    with database.read() as session:
        return set(session.scalars(select(StaleHour.hour)))


def test_what_was_put_aside_is_back(
    database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.seed.sow.REMADE_FROM", 0)
    before = schema(database)
    assert len(before) > 40
    for number, corrections in enumerate((30, 20)):
        plan = Plan(corrections, UNTIL.timestamp(), random_seed=number)
        sow(database, site, plan, people=[], secret="a secret")
        assert schema(database) == before
        check_counters(database)
        check_integrity(database)


def test_seed_that_fails_leaves_all_as_it_was(
    database: Database, site: Site, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.seed.sow.REMADE_FROM", 0)
    monkeypatch.setattr("service.seed.sow.BATCH", 20)
    report(database, site, now)
    before, batches = schema(database), list[int]()

    def fail(count: int) -> None:
        batches.append(count)
        if len(batches) == 2:
            raise LookupError

    plan = Plan(60, UNTIL.timestamp())
    with pytest.raises(LookupError):
        sow(database, site, plan, people=[], secret="a secret", on_batch=fail)
    assert (batches, schema(database)) == ([20, 20], before)
    report(database, site, now, exact="thier", start=40)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Correction)) == 2
        assert tallies.of_site(session, site.id).changes == 2
    check_counters(database)


def test_site_is_counted_searched_and_told_as_by_the_triggers(
    database: Database, site: Site, sown: int
) -> None:
    more = Plan(40, UNTIL.timestamp(), random_seed=8)
    sow(database, site, more, people=[], secret="a secret")
    check_counters(database)
    check_integrity(database)
    hours = stale(database)
    with database.write() as session:
        assert tallies.of_site(session, site.id).changes == PLAN.corrections + more.corrections
        words = select(Document.correction_id, Document.report_id, Document.text)
        made = set(map(tuple, session.execute(words)))
        session.execute(delete(Document))
        session.execute(delete(StaleHour))
        documents.fill(session.connection())
        assert set(map(tuple, session.execute(words))) == made
        # What the triggers say of the same rows once each has changed.
        session.execute(update(Correction).values(suspected=~Correction.suspected))
    assert stale(database) == hours


def test_sown_words_are_found(database: Database, sown: int) -> None:
    asked = "library keeps"
    with database.read() as session:
        holds = select(Document.correction_id).where(Document.text.contains(asked))
        expected = set(session.scalars(holds))
        query = documents.Query(session, asked)
        assert query.is_pointed
        found = set(session.scalars(select(Correction.id).where(query.few(Correction))))
    assert len(expected) > 10
    assert found == expected


def test_counts_and_instants_equal_their_recounts(database: Database, sown: int) -> None:
    with database.read() as session:
        corrections = session.scalars(select(Correction)).all()
        reports = session.execute(
            select(Report.correction_id, func.count(), func.max(Report.ordinal)).group_by(
                Report.correction_id
            )
        ).all()
        moves: dict[Any, list[Move]] = {each.id: [] for each in corrections}
        for move in session.scalars(select(Move).order_by(Move.id)):
            moves[move.correction_id].append(move)
    counted = {row[0]: (row[1], row[2]) for row in reports}
    for each in corrections:
        steps = moves[each.id]
        assert (each.report_count, each.report_count) == counted[each.id]
        states = [State.NEW, *(step.to_state for step in steps)]
        assert [step.from_state for step in steps] == states[:-1]
        assert each.state is states[-1]
        assert each.first_decided_at == (steps[0].created_at if steps else None)
        assert each.fixed_at == (steps[-1].created_at if each.state is State.FIXED else None)
        is_closed = each.state in {State.FIXED, State.REJECTED, State.SPAM}
        assert each.closed_at == (steps[-1].created_at if is_closed else None)
        assert all(a.created_at < b.created_at for a, b in pairwise(steps))
        assert UNTIL - timedelta(days=731) < each.created_at <= each.updated_at <= UNTIL


def test_every_state_anchor_and_script_is_there(database: Database, sown: int) -> None:
    with database.read() as session:
        states = set(session.scalars(select(Correction.state).distinct()))
        anchors = set(session.scalars(select(Correction.anchor_state).distinct()))
        languages = set(session.scalars(select(Article.lang).distinct()))
        suspected = set(session.scalars(select(Correction.state).where(Correction.suspected)))
        largest = session.scalar(select(func.max(Correction.report_count)))
    assert (states, anchors) == (set(State), set(AnchorState))
    assert languages == {"en", "uk", "de", "ar", "zh-Hans", "ja", "hi"}
    assert suspected == {State.NEW}
    assert largest is not None
    assert largest > 20


def test_suspected_reports_say_why_and_no_others(database: Database, site: Site, sown: int) -> None:
    with database.read() as session:
        reports = session.scalars(select(Report)).all()
    for each in reports:
        reasons = [Reason(**told) for told in each.spam_reasons]
        assert each.spam_score == score(reasons)
        assert each.suspected is (each.spam_score >= site.spam_threshold)
    found = {told["reason"] for each in reports for told in each.spam_reasons}
    assert found == {"trapped", "quick", "repeated", "burst"}


def test_open_passages_stand_where_the_newest_revision_has_them(
    database: Database, sown: int
) -> None:
    with database.read() as session:
        newest = (
            select(Revision.article_id, func.max(Revision.number).label("number"))
            .group_by(Revision.article_id)
            .subquery()
        )
        rows = session.execute(
            select(Correction, Revision.text, Revision.number)
            .join(newest, newest.c.article_id == Correction.article_id)
            .join(
                Revision,
                (Revision.article_id == newest.c.article_id) & (Revision.number == newest.c.number),
            )
            .where(
                Correction.state.in_([State.NEW, State.ACCEPTED]),
                Correction.exact.is_not(None),
                Correction.anchor_state.in_([AnchorState.EXACT, AnchorState.MOVED]),
            )
        ).all()
    found = Counter(
        text[correction.anchor_start : correction.anchor_end] == correction.exact
        for correction, text, _ in rows
    )
    assert set(found) == {True}
    assert {number for *_, number in rows} == {1, 2}


def test_receipt_of_a_sown_report_opens(database: Database, sown: int) -> None:
    with database.read() as session:
        report = session.scalars(select(Report).limit(1)).one()
        token = hashing.receipt_token("a secret", report.id)
        assert (
            receipts.find(session, token, now=datetime.now(UTC))["suggestion"] == report.suggestion
        )


def test_same_seed_sows_the_same(database: Database, site: Site, other_site: Site) -> None:
    def rows(of: Site) -> list[tuple[Any, ...]]:
        with database.read() as session:
            corrections = Base.metadata.tables["corrections"]
            kept = [c for c in corrections.columns if not c.name.endswith("id")]
            return [
                tuple(row)
                for row in session.execute(
                    select(*kept)
                    .where(corrections.c.site_id == of.id)
                    .order_by(corrections.c.created_at, corrections.c.exact)
                )
            ]

    plan = Plan(200, UNTIL.timestamp(), random_seed=3)
    sow(database, site, plan, people=[], secret="a")
    before = rows(site)
    with database.write() as session:
        for name in ("moves", "reports", "corrections", "revisions", "articles"):
            session.execute(Base.metadata.tables[name].delete())
    sow(database, site, plan, people=[], secret="b")
    assert rows(site) == before
