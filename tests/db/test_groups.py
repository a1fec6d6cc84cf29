"""Group commit, on both databases."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from service.db import Database, groups
from service.db.groups import Verb
from service.errors import NotFound, Unavailable
from service.models import SpentChallenge
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
    event.listen(database.writer, "commit", lambda _connection: commits.append(True))
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
