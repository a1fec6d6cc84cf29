"""Group commit: work that waits for its turn to write shares a transaction, and one sync."""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.util import await_only

from service import errors
from service.db import loops

Given = TypeVar("Given")
Result = TypeVar("Result")
Verb = Callable[[Connection, Sequence[Given]], Sequence[Result | Exception]]
"""Does the work of several callers: for each its result, or what its caller raises.

What the verb itself raises undoes the work of all of them; they come again one by one.
"""

MOST = 64
"""So many share a transaction, and so many wait for the next one; more are told to come back."""

GATHER_SECONDS = 0.002
"""So long a group in an event loop waits for as many as were in the last one."""

DEADLOCK = "40P01"
"""PostgreSQL's word for two transactions of which each waits for the other."""


class Busy(Exception):
    """Writing would have to wait."""


class Transaction(Protocol):
    """Begins a transaction, committed at the end of its block."""

    def __call__(self, *, at_once: bool) -> AbstractContextManager[Connection]:
        """Raises Busy where it is wanted at once and would have to wait."""


class Gate:
    """Where the caller in a thread waits to be called, once."""

    def __init__(self) -> None:
        # Half of what an Event takes; held until `call`.
        self._lock = threading.Lock()
        self._lock.acquire()

    def call(self) -> None:
        """Let the caller go on: the work is done, or it is the caller's turn to lead."""
        self._lock.release()

    def wait(self) -> None:
        """Wait for that."""
        self._lock.acquire()


class LoopGate:
    """Where a caller in a greenlet of an event loop waits; the loop goes on meanwhile."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._called = self._loop.create_future()

    def call(self) -> None:
        """Let the caller go on, from whatever thread."""
        if threading.get_ident() == self._thread:
            _settle(self._called)
        else:
            self._loop.call_soon_threadsafe(_settle, self._called)

    def wait(self) -> None:
        """Wait for that."""
        await_only(self._called)


def _settle(future: "asyncio.Future[None]") -> None:
    """Let whoever waits go on; by now nobody may, or another may have done it."""
    if not future.done():
        future.set_result(None)


class Job(Generic[Given, Result]):
    """One caller's work, and what came of it."""

    def __init__(self, verb: Verb[Given, Result], given: Given) -> None:
        self.verb, self.given = verb, given
        self.gate = LoopGate() if loops.is_in_one() else Gate()
        self.is_done = self.is_to_lead = False
        self.outcome: Result | Exception = errors.Unavailable()

    def end(self) -> Result:
        """The result; raises what came instead."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def is_of_all(error: Exception) -> bool:
    """Whether what went wrong would go wrong for each of a group alone, too."""
    if isinstance(error, OperationalError):
        return getattr(error.orig, "sqlstate", None) != DEADLOCK
    return isinstance(error, errors.Refusal | NoConnection)


class Group:
    """Callers' work in shared transactions: who comes first leads, who comes meanwhile follows.

    Everyone returns only after the commit of the transaction that their work was in. There is no
    thread of its own: a caller that waits is either told its outcome or leads the next group.
    A caller in an event loop's greenlet leads in the loop itself, once nothing new comes; a thread
    does the work where the loop would have to wait.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._mutex = threading.Lock()
        self._waiting: deque[Job[Any, Any]] = deque()
        self._is_led = False
        self._last = 0
        """So many the last group had."""
        self._enough: asyncio.Future[None] | None = None
        """Where the leader in an event loop waits for as many."""

    def run(self, verb: Verb[Given, Result], given: Given) -> Result:
        """What the verb returns for what is given, once it is durable; raises what came instead.

        Raises Unavailable where too many wait already.
        """
        job = Job(verb, given)
        self._join(job)
        try:
            job.gate.wait()
        except BaseException:
            self._leave(job)
            raise
        if not job.is_done:
            try:
                if loops.is_in_one():
                    self._gather()
            finally:
                self._lead()
        return job.end()

    def _join(self, job: Job[Any, Any]) -> None:
        with self._mutex:
            if len(self._waiting) >= MOST:
                raise errors.Unavailable("Too many are writing at once; try again.", retry_after=2)
            self._waiting.append(job)
            if self._enough and len(self._waiting) == self._last and loops.is_in_one():
                _settle(self._enough)
            if not self._is_led:
                self._call_next()

    def _leave(self, job: Job[Any, Any]) -> None:
        """Take out a caller that waits no longer, such as a cancelled task; the next one leads."""
        with self._mutex:
            if job not in self._waiting:
                return
            self._waiting.remove(job)
            if job.is_to_lead:
                self._call_next()

    def _call_next(self) -> None:
        self._is_led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].is_to_lead = True
            self._waiting[0].gate.call()

    def _gather(self) -> None:
        """Let the loop go on until as many have come as last time, and while more come."""
        if len(self._waiting) < self._last:
            loop = asyncio.get_running_loop()
            self._enough = loop.create_future()
            timer = loop.call_later(GATHER_SECONDS, _settle, self._enough)
            await_only(self._enough)
            timer.cancel()
            self._enough = None
        known = 0
        while len(self._waiting) > known:
            known = len(self._waiting)
            await_only(asyncio.sleep(0))

    def _lead(self) -> None:
        with self._mutex:
            jobs, self._waiting = list(self._waiting), deque()
            self._last = len(jobs)
        alike = defaultdict(list)
        for job in jobs:
            alike[job.verb].append(job)
        try:
            for those in alike.values():
                self._work(those)
        finally:
            self._dismiss(jobs)

    def _work(self, jobs: Sequence[Job[Any, Any]]) -> None:
        """Do the work of those who have one verb; the bad one fails alone."""
        try:
            with self._transaction(at_once=loops.is_in_one()) as connection:
                outcomes = jobs[0].verb(connection, [job.given for job in jobs])
        except Busy:
            loops.aside(partial(self._work, jobs))
            return
        except Exception as error:  # whatever it is, each job's caller raises it
            if len(jobs) > 1 and not is_of_all(error):
                for job in jobs:
                    self._work([job])
                return
            outcomes = [error] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            job.outcome = outcome

    def _dismiss(self, jobs: list[Job[Any, Any]]) -> None:
        with self._mutex:
            self._call_next()
        _leader, *followers = jobs
        for job in followers:
            job.is_done = True
            job.gate.call()
