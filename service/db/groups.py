"""Group commit: work that waits for SQLite's one writer shares a transaction, and one sync."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar, cast

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from service import errors

Result = TypeVar("Result")

MOST = 64
"""So many share a transaction, and so many wait for the next one; more are told to come back."""


class Job(Generic[Result]):
    """One caller's work, and what came of it."""

    def __init__(self, work: Callable[[Session], Result]) -> None:
        self.work = work
        self.called = threading.Event()
        """Set once the work is done, or once it is its caller's turn to lead."""
        self.is_done = False
        self.result: Result | None = None
        self.error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        """Do the work in a savepoint of the transaction; what it raises is its caller's alone."""
        # SQLAlchemy's own savepoint takes forty times as long; the session makes one where it works
        # with objects, so that their flushes can fail.
        driver: Any = connection.connection.driver_connection
        driver.execute("SAVEPOINT job")
        try:
            with Session(
                connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
            ) as session:
                self.result = self.work(session)
                if session.in_transaction():
                    session.commit()
            driver.execute("RELEASE job")
        except Exception as error:  # whatever it is, its caller raises it
            self.error = error
            # A full disk ends the whole transaction: what follows would be in none.
            if not driver.in_transaction:
                raise
            driver.execute("ROLLBACK TO job")
            driver.execute("RELEASE job")


class Group:
    """Callers' work in shared transactions: who comes first leads, who comes meanwhile follows.

    Everyone returns only after the commit of the transaction that their work was in. There is no
    thread of its own: a caller that waits is either told its outcome or leads the next group.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction
        self._mutex = threading.Lock()
        self._waiting: deque[Job[Any]] = deque()
        self._is_led = False

    def run(self, work: Callable[[Session], Result]) -> Result:
        """What the work returns, once it is durable; raises what it raises.

        Raises Unavailable where too many wait already.
        """
        job = Job(work)
        self._join(job)
        job.called.wait()
        if not job.is_done:
            self._lead()
        if job.error is not None:
            raise job.error
        return cast("Result", job.result)

    def _join(self, job: Job[Any]) -> None:
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
        try:
            with self._transaction() as connection:
                for job in jobs:
                    job.run(connection)
        except BaseException as error:
            # Nothing of the group was kept; those that failed by themselves know already.
            for job in jobs:
                job.error = job.error or error
        self._dismiss(jobs)

    def _dismiss(self, jobs: list[Job[Any]]) -> None:
        with self._mutex:
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].called.set()
        for job in jobs:
            job.is_done = True
            job.called.set()
