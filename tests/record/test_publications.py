import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.db import Database
from service.desk import moves, undo
from service.desk.moves import By, Decision
from service.errors import (
    InvalidFields,
    NotAllowedMove,
    NotFound,
    Refusal,
    StaleVersion,
)
from service.models import Correction, Event, Kind, Publication, Site, State
from service.record import entries, publications
from service.record.entries import Narrowed
from service.record.publications import Entry
from service.snapshots import instant
from tests.reporting import report

BY = "editor@news.example"
ENTRY = Entry(Kind.CORRECTION, said="wrold", says="world", note="A letter was out of place.")
HOLD = timedelta(minutes=10)


@pytest.fixture
def fixed(database: Database, site: Site, now: datetime) -> UUID:
    """The id of a correction that is fixed, and so may be published."""
    made = report(database, site, now)
    move(database, site, made, State.FIXED, now)
    return made


def move(database: Database, site: Site, made: UUID, to: State, now: datetime) -> None:
    with database.write() as session:
        moves.decide(session, site.id, made, Decision(to), by=By("token:tests"), now=now)


def publish(
    database: Database, site: Site, made: UUID, now: datetime, entry: Entry = ENTRY, **more: Any
) -> None:
    with database.write() as session:
        publications.publish(session, site.id, made, entry, by=BY, now=now, **more)


def withdraw(database: Database, site: Site, made: UUID, now: datetime, **more: Any) -> None:
    with database.write() as session:
        publications.withdraw(session, site.id, made, by=BY, now=now, **more)


def seen(database: Database, site: Site, now: datetime) -> list[dict[str, Any]]:
    with database.read() as session:
        return list(entries.page(session, site, Narrowed(), now=now).entries)


def told(database: Database) -> list[dict[str, Any]]:
    """What events of publications said, in their order."""
    with database.read() as session:
        rows = session.scalars(
            select(Event).where(Event.type == "correction.published").order_by(Event.id)
        )
        return [row.data["publication"] for row in rows]


def announce(database: Database, now: datetime) -> int:
    with database.write() as session:
        return publications.announce(session, now=now)


def history(database: Database, made: UUID) -> list[tuple[int, str | None, bool, str | None]]:
    with database.read() as session:
        row = session.scalars(select(Publication).where(Publication.correction_id == made)).one()
        return [
            (step.number, step.says, step.withdrawn, step.reason)
            for step in publications.versions_of(session, row)
        ]


def test_publish_is_seen_and_told_at_once(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now)
    [entry] = seen(database, site, now)
    assert entry == {
        "id": entry["id"],
        "kind": "correction",
        "article": {"url": "https://news.example/a", "title": "The bus is late", "lang": "en"},
        "said": "wrold",
        "says": "world",
        "diff": [
            {"kind": "delete", "text": "wrold"},
            {"kind": "insert", "text": "world"},
        ],
        "note": "A letter was out of place.",
        "thanks": None,
        "published_at": instant(now),
        "changed_at": None,
        "withdrawn_at": None,
        "withdrawn_reason": None,
    }
    [event] = told(database)
    assert (event["id"], event["version"], event["says"]) == (entry["id"], 1, "world")
    assert announce(database, now) == 0


def test_publish_that_is_held_is_seen_and_told_only_then(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now, visible_at=now + HOLD)
    just_before = now + HOLD - timedelta(seconds=1)
    assert (seen(database, site, just_before), told(database)) == ([], [])
    assert announce(database, just_before) == 0
    assert len(seen(database, site, now + HOLD)) == 1
    with database.read() as session:
        assert not publications.is_due(session, just_before)
        assert publications.is_due(session, now + HOLD)
    assert announce(database, now + HOLD) == 1
    assert [event["published_at"] for event in told(database)] == [instant(now + HOLD)]
    assert announce(database, now + 2 * HOLD) == 0


def test_publish_now_ends_the_hold(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now, visible_at=now + HOLD)
    publish(database, site, fixed, now)
    assert [entry["published_at"] for entry in seen(database, site, now)] == [instant(now)]
    assert len(told(database)) == 1


@pytest.mark.parametrize("to", [State.NEW, State.SPAM])
def test_undoing_the_decision_within_the_hold_means_it_never_was(
    database: Database, site: Site, fixed: UUID, now: datetime, to: State
) -> None:
    publish(database, site, fixed, now, visible_at=now + HOLD)
    move(database, site, fixed, to, now)
    assert announce(database, now + 2 * HOLD) == 0
    assert (seen(database, site, now + 2 * HOLD), told(database)) == ([], [])


def test_undo_within_the_hold_means_it_never_was(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now, visible_at=now + HOLD)
    with database.write() as session:
        undo.undo(session, site.id, fixed, by=By("token:tests"), now=now)
    assert announce(database, now + 2 * HOLD) == 0
    assert (seen(database, site, now + 2 * HOLD), told(database)) == ([], [])


def test_undoing_the_decision_later_leaves_the_record_alone(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now)
    move(database, site, fixed, State.NEW, now + HOLD)
    assert [entry["says"] for entry in seen(database, site, now + HOLD)] == ["world"]


def test_withdraw_within_the_hold_leaves_no_trace_but_the_words(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now, visible_at=now + HOLD)
    withdraw(database, site, fixed, now)
    assert announce(database, now + 2 * HOLD) == 0
    assert (seen(database, site, now + 2 * HOLD), told(database)) == ([], [])
    with database.read() as session:
        kept = publications.of_correction(session, fixed)
        assert kept is not None
        assert (kept.says, kept.published_at, kept.withdrawn_at) == ("world", None, None)
    with pytest.raises(NotFound):
        withdraw(database, site, fixed, now)


def test_withdraw_leaves_when_and_why(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now)
    gone = now + timedelta(days=1)
    withdraw(database, site, fixed, gone, reason="The first text was right.")
    [entry] = seen(database, site, gone)
    shown = {name: entry[name] for name in ("said", "says", "diff", "note", "thanks")}
    assert shown == {"said": None, "says": None, "diff": [], "note": None, "thanks": None}
    assert (entry["withdrawn_at"], entry["withdrawn_reason"], entry["published_at"]) == (
        instant(gone),
        "The first text was right.",
        instant(now),
    )
    with pytest.raises(NotFound):
        withdraw(database, site, fixed, gone)
    assert history(database, fixed) == [
        (2, "world", True, "The first text was right."),
        (1, "world", False, None),
    ]


def test_withdrawn_entry_is_published_anew_under_the_same_address(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now)
    [before] = seen(database, site, now)
    withdraw(database, site, fixed, now, reason="Too early.")
    later = now + timedelta(hours=1)
    publish(database, site, fixed, later, visible_at=later + HOLD)
    [after] = seen(database, site, later)
    assert after == {**before, "published_at": instant(later)}
    assert len(told(database)) == 2
    withdraw(database, site, fixed, later, reason="Too early again.")
    [entry] = seen(database, site, later)
    assert (entry["withdrawn_at"], entry["withdrawn_reason"]) == (
        instant(later),
        "Too early again.",
    )


def test_change_of_what_is_seen_is_dated_and_told(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    publish(database, site, fixed, now)
    later = now + timedelta(hours=1)
    publish(database, site, fixed, later, Entry(Kind.UPDATE, note="New."), visible_at=later + HOLD)
    [entry] = seen(database, site, later)
    assert (entry["kind"], entry["says"], entry["note"]) == ("update", None, "New.")
    assert (entry["published_at"], entry["changed_at"]) == (instant(now), instant(later))
    assert [event["version"] for event in told(database)] == [1, 2]
    assert history(database, fixed) == [(2, None, False, None), (1, "world", False, None)]


@pytest.mark.parametrize("state", [State.NEW, State.REJECTED, State.SPAM])
def test_publish_refuses_what_is_not_accepted_or_fixed(
    database: Database, site: Site, now: datetime, state: State
) -> None:
    made = report(database, site, now)
    if state is not State.NEW:
        move(database, site, made, state, now)
    with pytest.raises(NotAllowedMove, match=f"is {state}"):
        publish(database, site, made, now)
    assert seen(database, site, now) == []
    with database.read() as session:
        assert session.get_one(Correction, made).version == (1 if state is State.NEW else 2)


@pytest.mark.parametrize(
    ("entry", "pointer"),
    [
        (Entry(Kind.CORRECTION), "/says"),
        (Entry(Kind.CORRECTION, said="wrold"), "/says"),
        (Entry(Kind.CORRECTION, said="same", says="same"), "/says"),
        (Entry(Kind.CORRECTION, says=""), "/said"),
        (Entry(Kind.CORRECTION, says="", note="Words went."), "/said"),
    ],
)
def test_publish_refuses_what_tells_nothing(
    database: Database, site: Site, fixed: UUID, now: datetime, entry: Entry, pointer: str
) -> None:
    with pytest.raises(InvalidFields) as refused:
        publish(database, site, fixed, now, entry)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


def test_publish_finds_nothing_of_another_site(
    database: Database, other_site: Site, fixed: UUID, now: datetime
) -> None:
    with pytest.raises(NotFound):
        publish(database, other_site, fixed, now)
    with pytest.raises(NotFound):
        withdraw(database, other_site, fixed, now)


def test_publish_refuses_a_stale_version(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    with pytest.raises(StaleVersion, match="it is at version 2 now and fixed"):
        publish(database, site, fixed, now, versions=frozenset({1}))
    publish(database, site, fixed, now, versions=frozenset({2}))
    with pytest.raises(StaleVersion):
        withdraw(database, site, fixed, now, versions=frozenset({2}))


def test_of_two_who_publish_the_same_version_at_once_one_is_told(
    database: Database, site: Site, fixed: UUID, now: datetime
) -> None:
    barrier = threading.Barrier(2)

    def attempt(text: str) -> str:
        barrier.wait()
        try:
            publish(
                database, site, fixed, now, Entry(Kind.UPDATE, note=text), versions=frozenset({2})
            )
        except Refusal as refusal:
            return refusal.code
        return text

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(attempt, ["one", "other"]))
    [won] = {"one", "other"} & set(outcomes)
    assert sorted(outcomes) == sorted([won, "stale-version"])
    assert [entry["note"] for entry in seen(database, site, now)] == [won]
