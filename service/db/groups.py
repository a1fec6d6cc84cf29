"""Group commit: work that waits for SQLite's one writer shares a transaction, and one sync."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar, cast

from sqlalchemy.engine import Connection

from service import errors

Given = TypeVar("Given")
Result = TypeVar("Result")
Verb = Callable[[Connection, Sequence[Given]], Sequence[Result | Exception]]
"""Does the work of several callers: for each its result, or what its caller raises.

What the verb itself raises undoes the work of all of them; they come again one by one.
"""

MOST = 64
"""So many share a transaction, and so many wait for the next one; more are told to come back."""


class Job(Generic[Given, Result]):
    """One caller's work, and what came of it."""

    def __init__(self, verb: Verb[Given, Result], given: Given) -> None:
        self.verb, self.given = verb, given
        self.called = threading.Event()
        """Set once the work is done, or once it is its caller's turn to lead."""
        self.is_done = False
        self.outcome: Result | BaseException | None = None

    def end(self) -> Result:
        """The result; raises what came instead."""
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return cast("Result", self.outcome)


def work(connection: Connection, jobs: Sequence[Job[Any, Any]]) -> None:
    """Do the work of those who have one verb; each fails alone.

    Raises only what has ended the whole transaction.
    """
    try:
        outcomes = _in_savepoint(connection, jobs)
    except Exception as error:
        # A full disk ends the transaction: what follows would be in none.
        if not _driver(connection).in_transaction:
            raise
        if len(jobs) > 1:
            for job in jobs:
                work(connection, [job])
            return
        outcomes = [error]
    for job, outcome in zip(jobs, outcomes, strict=True):
        job.outcome = outcome


def _in_savepoint(connection: Connection, jobs: Sequence[Job[Any, Any]]) -> Sequence[Any]:
    # SQLAlchemy's own savepoint takes forty times as long.
    driver = _driver(connection)
    driver.execute("SAVEPOINT job")
    try:
        outcomes = jobs[0].verb(connection, [job.given for job in jobs])
    except Exception:
        if driver.in_transaction:
            driver.execute("ROLLBACK TO job")
            driver.execute("RELEASE job")
        raise
    driver.execute("RELEASE job")
    return outcomes


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


class Group:
    """Callers' work in shared transactions: who comes first leads, who comes meanwhile follows.

    Everyone returns only after the commit of the transaction that their work was in. There is no
    thread of its own: a caller that waits is either told its outcome or leads the next group.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction
        self._mutex = threading.Lock()
        self._waiting: deque[Job[Any, Any]] = deque()
        self._is_led = False

    def run(self, verb: Verb[Given, Result], given: Given) -> Result:
        """What the verb returns for what is given, once it is durable; raises what came instead.

        Raises Unavailable where too many wait already.
        """
        job = Job(verb, given)
        self._join(job)
        job.called.wait()
        if not job.is_done:
            self._lead()
        return job.end()

    def _join(self, job: Job[Any, Any]) -> None:
        with self._mutex:
            if len(self._waiting) >= MOST:
                raise errors.Unavailable("Too many are writing at once; try again.", retry_after=2)
            self._waiting.append(job)
            if not self._is_led:
                self._is_led = True
                job.called.set()

    def _lead(self) -> None:
        with self._mutex:
            jobs, self._waiting = list(self._waiting), deque()
        alike = defaultdict(list)
        for job in jobs:
            alike[job.verb].append(job)
        try:
            with self._transaction() as connection:
                for those in alike.values():
                    work(connection, those)
        except BaseException as error:
            # Nothing of the group was kept; those that failed by themselves know already.
            for job in jobs:
                if not isinstance(job.outcome, BaseException):
                    job.outcome = error
        self._dismiss(jobs)

    def _dismiss(self, jobs: list[Job[Any, Any]]) -> None:
        with self._mutex:
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].called.set()
        for job in jobs:
            job.is_done = True
            job.called.set()
