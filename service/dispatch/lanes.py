"""One lane for each webhook and channel, and one for all letters: none holds all threads."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from service.dispatch.claim import Task
from service.dispatch.client import Answer
from service.dispatch.results import Result

THREADS = 64
START = 4
MOST = 12
"""Deliveries under way to one endpoint, at the start and at most."""

SHARE = 4
"""A lane may take one in so many of the threads that are free."""

AHEAD_SECONDS = 2.0
AHEAD_TASKS = 512
"""How much work is leased ahead of the sending."""

REST_SECONDS = 60.0
"""The longest rest of an endpoint that does not answer, or asks to be left alone."""


@dataclass(slots=True)
class _Lane:
    limit: int = START
    running: int = 0
    waiting: deque[Task] = field(default_factory=deque)
    pace: float = AHEAD_SECONDS
    """Seconds that one delivery takes, lately."""
    timeouts: int = 0
    """In a row."""
    rests_until: float = 0.0

    def room(self) -> int:
        if time.monotonic() < self.rests_until:
            return 0
        ahead = min(AHEAD_TASKS, int(self.limit * AHEAD_SECONDS / max(self.pace, 0.001)))
        wanted = max(self.limit, ahead)
        held = self.running + len(self.waiting)
        # Half empty or more: many at once cost little more than one.
        return wanted - held if held <= wanted // 2 else 0

    def is_old(self, lane_id: UUID, changed_at: Mapping[UUID, datetime | None]) -> bool:
        if lane_id not in changed_at or not self.waiting:
            return False
        # What waits behind it was claimed later.
        outlet = self.waiting[0].parcel.outlet
        return outlet is not None and outlet.updated_at != changed_at[lane_id]

    def note(self, result: Result) -> None:
        self.pace += (result.seconds - self.pace) / 8
        answer = result.outcome
        rest = 0.0
        if not isinstance(answer, Answer) and answer.kind == "timeout":
            self.timeouts += 1
            self.limit = max(1, self.limit // 2)
            rest = 2.0**self.timeouts
        else:
            self.timeouts = 0
            self.limit = min(MOST, self.limit + 1)
        if not result.is_success and result.retry_after:
            rest = result.retry_after.total_seconds()
        if rest:
            self.rests_until = time.monotonic() + min(rest, REST_SECONDS)


class Lanes:
    """Runs tasks on threads, each endpoint's within its lane; `send` does one and never raises."""

    def __init__(
        self, send: Callable[[Task], Result | None], done: Callable[[Result, bool], None]
    ) -> None:
        """`done` hears of each result, and whether the lane's backlog has room for more."""
        self._send, self._done = send, done
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="send")
        self._lanes: dict[UUID, _Lane] = {}
        self._running = 0
        self._is_open = True
        self._lock = threading.Lock()

    def room(self, lane_id: UUID) -> int:
        """How many more deliveries this endpoint's lane takes now."""
        with self._lock:
            return self._lanes.setdefault(lane_id, _Lane()).room()

    def add(self, lane_id: UUID, tasks: list[Task]) -> None:
        """Queue tasks that are leased."""
        with self._lock:
            self._lanes[lane_id].waiting.extend(tasks)
            self._start(self._lanes[lane_id])

    def waiting(self) -> list[UUID]:
        """The lanes in which something waits."""
        with self._lock:
            return [lane_id for lane_id, lane in self._lanes.items() if lane.waiting]

    def take_back(self, changed_at: Mapping[UUID, datetime | None]) -> list[Task]:
        """Tasks that need not wait here: their endpoint rests, or rested and nothing goes on.

        And those that were claimed before their outlet was changed; None of one that is no more.
        """
        with self._lock:
            now = time.monotonic()
            return [
                task
                for lane_id, lane in self._lanes.items()
                if lane.rests_until > now or not lane.running or lane.is_old(lane_id, changed_at)
                for task in _emptied(lane.waiting)
            ]

    def close(self) -> list[Task]:
        """Begin nothing more, wait for what is under way, give back the rest."""
        with self._lock:
            self._is_open = False
            rest = [task for lane in self._lanes.values() for task in _emptied(lane.waiting)]
        self._pool.shutdown(wait=True)
        return rest

    def _start(self, lane: _Lane) -> None:
        while (task := self._next(lane)) is not None:
            self._pool.submit(self._run, lane, task)

    def _next(self, lane: _Lane) -> Task | None:
        if not (self._is_open and lane.waiting) or time.monotonic() < lane.rests_until:
            return None
        share = max(1, (THREADS - self._running) // SHARE)
        if lane.running >= min(lane.limit, share):
            return None
        lane.running += 1
        self._running += 1
        return lane.waiting.popleft()

    def _run(self, lane: _Lane, task: Task) -> None:
        # And then what waits behind it: handing each task to the pool takes longer.
        following: Task | None = task
        while following is not None:
            result = self._send(following)
            following, is_low = self._after(lane, result)
            if result is not None:
                self._done(result, is_low)

    def _after(self, lane: _Lane, result: Result | None) -> tuple[Task | None, bool]:
        with self._lock:
            lane.running -= 1
            self._running -= 1
            if result is not None:
                lane.note(result)
            following = self._next(lane)
            self._start(lane)
            return following, bool(lane.waiting) and lane.room() > 0


def _emptied(waiting: deque[Task]) -> list[Task]:
    tasks = list(waiting)
    waiting.clear()
    return tasks
