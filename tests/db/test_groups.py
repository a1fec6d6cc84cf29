"""Group commit, on both databases."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.util import greenlet_spawn

from service.db import Database, groups
from service.db.groups import Verb
from service.errors import NotFound, Unavailable
from service.models import SpentChallenge
from tests.loops import run_in_loop
from tests.servers import wait_until

NOW = datetime(2026, 1, 2, tzinfo=UTC)


Work = Callable[[Connection], object]


def each(connection: Connection, works: Sequence[Work]) -> list[object]:
    """The verb of these tests: a work that is refused is the outcome, all else undoes the rest."""
    outcomes: list[object] = []
    for work in works:
        try:
            outcomes.append(work(connection))
        except NotFound as refusal:
            outcomes.append(refusal)
    return outcomes


def spend(signature: str) -> Work:
    """Work that writes one row."""

    def work(connection: Connection) -> str:
        connection.execute(insert(SpentChallenge).values(signature=signature, expires_at=NOW))
        return signature

    return work


def spent(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(SpentChallenge.signature)))


class Callers:
    """Callers of `write_together`, each in a thread; what each of them got."""

    def __init__(self, database: Database, verb: Verb[Work, object] = each) -> None:
        self.database, self.verb, self.got = database, verb, dict[str, Any]()
        self._threads: list[threading.Thread] = []

    def call(self, name: str, work: Work) -> None:
        def run() -> None:
            try:
                self.got[name] = self.database.write_together(self.verb, work)
            except Exception as error:
                self.got[name] = type(error)

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def lead(self) -> threading.Event:
        """Start a leader that holds the group open until the event is set."""
        has_begun, may_end = threading.Event(), threading.Event()

        def work(_connection: Connection) -> None:
            has_begun.set()
            assert may_end.wait(30)

        self.call("leader", work)
        assert has_begun.wait(30)
        return may_end

    def waiting(self) -> int:
        return len(self.database._group._waiting)

    def finish(self) -> dict[str, Any]:
        for thread in self._threads:
            thread.join(30)
        return self.got


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    made = Database(sqlite_url)
    yield made
    made.dispose()


def test_work_is_kept_and_answered(database: Database) -> None:
    assert database.write_together(each, spend("a")) == "a"
    assert spent(database) == ["a"]


def test_work_that_fails_keeps_nothing(database: Database) -> None:
    def refuse(connection: Connection) -> None:
        spend("a")(connection)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        database.write_together(each, refuse)
    assert spent(database) == []


def test_those_who_wait_share_a_call_and_a_commit(database: Database) -> None:
    commits = list[bool]()
    event.listen(database.grouped, "commit", lambda _connection: commits.append(True))
    callers = Callers(database)
    may_end = callers.lead()
    for number, name in enumerate("abc", 1):
        callers.call(name, spend(name))
        wait_until(lambda number=number: callers.waiting() == number, 30, f"{number} wait")
    may_end.set()
    assert callers.finish() == {"leader": None, "a": "a", "b": "b", "c": "c"}
    assert spent(database) == ["a", "b", "c"]
    assert len(commits) == 2


def test_the_bad_one_fails_alone_and_who_is_refused_keeps_nobody_up(database: Database) -> None:
    calls = list[int]()

    def counted(connection: Connection, works: Sequence[Work]) -> list[object]:
        calls.append(len(works))
        return each(connection, works)

    def refuse(_connection: Connection) -> None:
        raise NotFound

    callers = Callers(database, counted)
    may_end = callers.lead()
    works = {"a": spend("a"), "no": refuse, "again": spend("a"), "b": spend("b")}
    for number, (name, work) in enumerate(works.items(), 1):
        callers.call(name, work)
        wait_until(lambda number=number: callers.waiting() == number, 30, f"{name} waits")
    may_end.set()
    assert callers.finish() == {
        "leader": None,
        "a": "a",
        "no": NotFound,
        "again": IntegrityError,
        "b": "b",
    }
    assert spent(database) == ["a", "b"]
    assert calls == [1, 4, 1, 1, 1, 1]


def test_more_than_may_wait_are_told_to_come_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST", 1)
    callers = Callers(database)
    may_end = callers.lead()
    callers.call("a", spend("a"))
    wait_until(lambda: callers.waiting() == 1, 30, "one waits")
    with pytest.raises(Unavailable) as refused:
        database.write_together(each, spend("b"))
    may_end.set()
    callers.finish()
    assert refused.value.retry_after == 2
    assert spent(database) == ["a"]


def test_nobody_is_told_of_success_when_the_database_ended_the_transaction(
    sqlite: Database,
) -> None:
    def end_it(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("SELECT no_such_column")

    callers = Callers(sqlite)
    may_end = callers.lead()
    for number, (name, work) in enumerate(
        {"a": spend("a"), "end": end_it, "b": spend("b")}.items()
    ):
        callers.call(name, work)
        wait_until(lambda number=number: callers.waiting() == number + 1, 30, f"{name} waits")
    may_end.set()
    assert callers.finish() == {
        "leader": None,
        "a": OperationalError,
        "end": OperationalError,
        "b": OperationalError,
    }
    assert spent(sqlite) == []
    assert sqlite.write_together(each, spend("c")) == "c"


def in_a_loop(database: Database, works: list[Work], *beside: Any) -> list[Any]:
    """What callers in greenlets of one event loop got."""

    async def all_of_them() -> list[Any]:
        calls = [greenlet_spawn(database.write_together, each, work) for work in works]
        return await asyncio.gather(*calls, *(one() for one in beside), return_exceptions=True)

    got: list[Any] = run_in_loop(all_of_them())
    return got


def test_callers_in_an_event_loop_share_a_commit(database: Database) -> None:
    commits = list[bool]()
    event.listen(database.grouped, "commit", lambda _connection: commits.append(True))
    assert in_a_loop(database, [spend(name) for name in "abc"]) == ["a", "b", "c"]
    assert spent(database) == ["a", "b", "c"]
    assert len(commits) == 1


def test_the_bad_one_of_an_event_loop_fails_alone(database: Database) -> None:
    def refuse(_connection: Connection) -> None:
        raise NotFound("No such thing.")

    got = in_a_loop(database, [spend("a"), spend("a"), refuse, spend("b")])
    assert [type(each) for each in got] == [str, IntegrityError, NotFound, str]
    assert spent(database) == ["a", "b"]


def moved(database: Database) -> int:
    """The bytes of the database without its log."""
    return Path(str(database.engine.url.database)).stat().st_size


def test_what_an_event_loop_commits_leaves_the_log_beside_it(sqlite: Database) -> None:
    before = moved(sqlite)

    async def until_moved() -> bool:
        for _ in range(3000):
            if moved(sqlite) > before:
                return True
            await asyncio.sleep(0.01)
        return False

    assert in_a_loop(sqlite, [spend("x" * 60_000)], until_moved)[1] is True


def test_log_that_cannot_be_emptied_keeps_nobody_up(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise OperationalError("PRAGMA", {}, Exception("disk I/O error"))

    monkeypatch.setattr(sqlite.engine, "connect", refuse)
    assert in_a_loop(sqlite, [spend("a")]) == ["a"]
    wait_until(lambda: "could not be moved" in caplog.text, 30, "it is told")
    monkeypatch.undo()
    wait_until(lambda: sqlite._next_tidy <= time.monotonic(), 30, "it is tried again")
    assert in_a_loop(sqlite, [spend("b")]) == ["b"]


def test_an_event_loop_goes_on_while_another_process_writes(sqlite: Database) -> None:
    other = sqlite.engine.raw_connection()
    other.driver_connection.execute("BEGIN IMMEDIATE")

    async def free_it() -> bool:
        for _ in range(20):
            await asyncio.sleep(0.01)
        was_free = bool(spent(sqlite))
        other.driver_connection.execute("ROLLBACK")
        return was_free

    assert in_a_loop(sqlite, [spend("a"), spend("b")], free_it) == ["a", "b", False]
    assert spent(sqlite) == ["a", "b"]
    other.close()


def test_an_event_loop_goes_on_while_a_thread_writes(sqlite: Database) -> None:
    may_end = threading.Event()

    async def free_it() -> bool:
        await asyncio.sleep(0.1)
        may_end.set()
        return True

    callers = Callers(sqlite)
    has_begun = threading.Event()

    def hold() -> None:
        with sqlite.write():
            has_begun.set()
            assert may_end.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert has_begun.wait(30)
    callers.call("thread", spend("a"))
    wait_until(lambda: callers.database._group._is_led, 30, "a thread leads")
    assert in_a_loop(sqlite, [spend("b"), spend("c")], free_it) == ["b", "c", True]
    thread.join(30)
    assert callers.finish() == {"thread": "a"}
    assert spent(sqlite) == ["a", "b", "c"]


def test_a_loop_and_threads_lead_in_turn_until_all_is_written(database: Database) -> None:
    callers = Callers(database)
    for number in range(20):
        callers.call(f"t{number}", spend(f"t{number}"))
    got = list[Any]()
    for number in range(10):
        got += in_a_loop(database, [spend(f"l{number}.{each}") for each in range(5)])
    assert callers.finish() == {f"t{number}": f"t{number}" for number in range(20)}
    assert set(spent(database)) == {*callers.got, *got}
    assert len(got) == 50


@pytest.mark.parametrize("is_to_lead", [False, True])
def test_caller_that_is_cancelled_keeps_nobody_up(database: Database, is_to_lead: bool) -> None:
    callers = Callers(database)
    may_end = callers.lead()
    group = database._group

    async def cancel_the_first() -> list[Any]:
        works = [spend("first"), spend("second")]
        first, second = (
            asyncio.create_task(greenlet_spawn(database.write_together, each, work))
            for work in works
        )
        while callers.waiting() < 2:
            await asyncio.sleep(0)
        if is_to_lead:
            # The loop stands still meanwhile: the first one does not hear of it.
            may_end.set()
            wait_until(lambda: group._waiting[0].is_to_lead, 30, "the first one is to lead")
        first.cancel()
        if not is_to_lead:
            await asyncio.wait([first])
            may_end.set()
        got = asyncio.gather(first, second, return_exceptions=True)
        return await asyncio.wait_for(got, 30)

    cancelled, kept = run_in_loop(cancel_the_first())
    assert (type(cancelled), kept) == (asyncio.CancelledError, "second")
    assert callers.finish() == {"leader": None}
    assert database.write_together(each, spend("third")) == "third"
    assert spent(database) == ["second", "third"]
