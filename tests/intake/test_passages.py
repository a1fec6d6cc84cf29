from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from service import hashing, intake
from service.db import Database
from service.desk import moves, revisions
from service.desk.moves import By, Decision
from service.desk.revisions import NewText
from service.intake import NewReport, Receipt
from service.intake.passages import CANDIDATES
from service.models import AnchorState, Correction, Event, Move, Report, Site, State
from tests.conftest import ORIGIN
from tests.racing import wait_for_waiting

LEAD = "The council met on Monday and talked for three hours about the buses of the town."
MISTAKE = "Passengers who hold a pass will recieve the night service at no additional cost."
TEXT = f"{LEAD}\n\n{MISTAKE}"
FIXED = TEXT.replace("recieve", "receive")


def send(
    database: Database,
    site: Site,
    now: datetime,
    exact: str,
    suggestion: str | None,
    text: str = TEXT,
    **more: Any,
) -> Receipt:
    """Send what the widget on a page with this text would send."""
    at = text.index(exact)
    new = NewReport(
        source=f"{ORIGIN}/a",
        exact=exact,
        prefix=text[max(0, at - 64) : at],
        suffix=text[at + len(exact) : at + len(exact) + 64],
        start=at,
        end=at + len(exact),
        suggestion=suggestion,
        **{"comment": "Look.", "revision": hashing.short(text), **more},
    )
    with database.write() as session:
        return intake.submit(session, site, new, key=uuid4().hex, secret="tests", now=now)


def push(database: Database, site: Site, text: str, now: datetime) -> None:
    with database.write() as session:
        revisions.push(session, site, NewText(f"{ORIGIN}/a", text), now=now)


def proposals(database: Database, correction_id: UUID) -> list[str | None]:
    with database.read() as session:
        return list(
            session.scalars(
                select(Report.proposal)
                .where(Report.correction_id == correction_id)
                .order_by(Report.ordinal)
            )
        )


def correction(database: Database, receipt: Receipt) -> Correction:
    with database.read() as session:
        return session.get_one(Correction, receipt.correction_id)


@pytest.mark.parametrize(
    ("exact", "suggestion"),
    [
        ("recieve", "receive"),
        ("will recieve the", "will receive the"),
        (MISTAKE, MISTAKE.replace("recieve", "receive")),
        ("recieve the", "receive the"),
    ],
)
def test_however_much_is_selected_it_is_one_correction_with_one_suggestion(
    database: Database, site: Site, now: datetime, exact: str, suggestion: str
) -> None:
    first = send(database, site, now, "recieve", "receive")
    second = send(database, site, now, exact, suggestion)
    assert (second.correction_id, second.already_reported) == (first.correction_id, 1)
    assert proposals(database, first.correction_id) == ["receive", "receive"]
    assert correction(database, first).version == 2


def test_tighter_suggestion_is_told_for_the_wider_words(
    database: Database, site: Site, now: datetime
) -> None:
    first = send(database, site, now, "will recieve the", "will receive the")
    send(database, site, now, "recieve", "receive")
    send(database, site, now, "recieve", "")
    assert proposals(database, first.correction_id) == [
        "will receive the",
        "will receive the",
        "will  the",
    ]


def test_two_errors_of_one_sentence_stay_two(database: Database, site: Site, now: datetime) -> None:
    first = send(database, site, now, "recieve", "receive")
    second = send(database, site, now, "additional cost", "extra cost")
    assert first.correction_id != second.correction_id


def test_page_with_the_newest_text_places_the_report_exactly(
    database: Database, site: Site, now: datetime
) -> None:
    push(database, site, TEXT, now)
    found = correction(database, send(database, site, now, "recieve", "receive"))
    assert (found.anchor_state, found.anchor_start) == (AnchorState.EXACT, TEXT.index("recieve"))


def test_readers_of_two_revisions_meet_in_one_correction(
    database: Database, site: Site, now: datetime
) -> None:
    push(database, site, TEXT, now)
    first = send(database, site, now, "recieve", "receive")
    longer = "Words that are new, and many of them.\n\n" + TEXT
    push(database, site, longer, now)
    current = send(database, site, now, "recieve", "receive", text=longer)
    cached = send(database, site, now, "recieve the", "receive the")
    assert {current.correction_id, cached.correction_id} == {first.correction_id}
    assert correction(database, first).report_count == 3


def test_report_from_an_old_page_of_what_is_fixed_says_so(
    database: Database, site: Site, now: datetime
) -> None:
    push(database, site, TEXT, now)
    push(database, site, FIXED, now)
    receipt = send(database, site, now, "recieve", "receive")
    assert receipt.already_fixed
    found = correction(database, receipt)
    assert found.state is State.FIXED
    with database.read() as session:
        kept = session.scalars(select(Move)).one()
        told = session.scalars(select(Event.type).order_by(Event.id)).all()
    assert (kept.from_state, kept.to_state, kept.by) == (State.NEW, State.FIXED, "revision")
    assert told == ["report.created", "correction.created", "correction.fixed"]


def test_report_from_an_old_page_joins_the_correction_that_was_fixed(
    database: Database, site: Site, now: datetime
) -> None:
    push(database, site, TEXT, now)
    first = send(database, site, now, "recieve", "receive")
    push(database, site, FIXED, now)
    late = send(database, site, now, "will recieve the", "will receive the")
    assert (late.correction_id, late.already_fixed) == (first.correction_id, True)
    assert correction(database, first).state is State.FIXED
    with database.read() as session:
        assert len(session.scalars(select(Move)).all()) == 1


@pytest.mark.parametrize("state", [State.REJECTED, State.FIXED])
def test_report_from_an_old_page_leaves_what_an_editor_decides_at_the_same_moment(
    database: Database, site: Site, now: datetime, state: State
) -> None:
    push(database, site, TEXT, now)
    push(database, site, FIXED, now)
    first = send(database, site, now, "recieve", "receive", revision=None)
    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            moves.decide(
                session, site.id, first.correction_id, Decision(state), by=By("token:t"), now=now
            )
            late = pool.submit(send, database, site, now, "recieve", "receive")
            wait_for_waiting(database)
        assert late.result().already_fixed
    assert correction(database, first).state is state
    with database.read() as session:
        [kept] = moves.history(session, first.correction_id)
    assert (kept.to_state, kept.by) == (state, "token:t")


@pytest.mark.parametrize("revision", [None, "00000000"])
def test_report_from_an_unknown_page_is_never_called_fixed(
    database: Database, site: Site, now: datetime, revision: str | None
) -> None:
    push(database, site, TEXT, now)
    push(database, site, FIXED, now)
    receipt = send(database, site, now, "recieve", "receive", revision=revision)
    found = correction(database, receipt)
    assert (receipt.already_fixed, found.state, found.anchor_state) == (
        False,
        State.NEW,
        AnchorState.CHANGED,
    )


def test_report_of_another_change_from_an_old_page_stays_open(
    database: Database, site: Site, now: datetime
) -> None:
    push(database, site, TEXT, now)
    push(database, site, FIXED, now)
    receipt = send(database, site, now, "recieve", "get")
    assert (receipt.already_fixed, correction(database, receipt).state) == (False, State.NEW)


def test_suspected_report_fixes_nothing(database: Database, site: Site, now: datetime) -> None:
    push(database, site, TEXT, now)
    push(database, site, FIXED, now)
    receipt = send(database, site, now, "recieve", "receive", website="spam")
    assert (receipt.already_fixed, correction(database, receipt).state) == (False, State.NEW)


@pytest.mark.parametrize("start", [None, TEXT.index("recieve")])
def test_reports_meet_in_an_article_with_more_corrections_than_are_compared(
    database: Database, site: Site, now: datetime, start: int | None
) -> None:
    def new(exact: str, start: int | None = None) -> NewReport:
        source = f"{ORIGIN}/a"
        return NewReport(source=source, exact=exact, prefix=MISTAKE[:32], start=start, comment="!")

    with database.write() as session:
        for number in range(CANDIDATES + 1):
            other = new(f"other {number}")
            intake.submit(session, site, other, key=uuid4().hex, secret="tests", now=now)
        receipts = [
            intake.submit(session, site, given, key=uuid4().hex, secret="tests", now=now)
            for given in [new("recieve"), new("recieve", start)]
        ]
    assert len({receipt.correction_id for receipt in receipts}) == 1
    assert receipts[1].already_reported == 1
