"""The worker: hands events out, claims what is due, sends it, writes down what became of it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.db import Database, new_id
from service.dispatch import backoff, claim, notices, outlets, results
from service.dispatch.claim import Task
from service.dispatch.client import DEADLINE_SECONDS, Client, SendFailed
from service.dispatch.clock import JUMP, database_now, mend
from service.dispatch.fan_out import BATCH, fan_out, is_waiting
from service.dispatch.lanes import Lanes
from service.dispatch.outlets import Take
from service.dispatch.parcels import Carriers, Outcome, Outlet
from service.dispatch.recorder import Recorder
from service.dispatch.results import Result
from service.dispatch.to_webhooks import Contents
from service.errors import Unavailable
from service.letters import PLAIN, Writers
from service.settings import Settings

POLL_SECONDS = 0.25
USABLE_SECONDS = claim.LEASE.total_seconds() - 1.5 * DEADLINE_SECONDS
"""How long after its claim a delivery may still begin."""

GATHER_SECONDS = 0.05
GATHER_REST = 5
"""So long, or so many times longer than a look took, events gather: each look is for many."""

REST = 2
MOST_REST_SECONDS = 0.1
"""A look that was asked for waits so many times longer than the last one took."""

CHORE_SECONDS = 10.0
CHORE_REST = 20
"""Chores rest so many times longer than they took: they are work for idle hours."""

FAULT_SECONDS = 1.0
"""The pause after the database refused."""

log = logging.getLogger(__name__)


class Worker:
    """Delivers events and letters, at least once; any number may run beside each other.

    `writers` compose the letters, by their kind; `chores` are done every CHORE_SECONDS.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        client: Client | None = None,
        clock: Callable[[Session], datetime] = database_now,
        delays: tuple[timedelta, ...] = backoff.DELAYS,
        writers: Writers = PLAIN,
        chores: Sequence[Callable[[], object]] = (),
    ) -> None:
        self.id = new_id()
        self._database = database
        self._client = client or Client(settings.webhook_allow_networks)
        self._carriers = Carriers.of(settings, self._client)
        self._contents = Contents()
        self._clock = clock
        self._delays = delays
        self._writers = {**PLAIN, **writers}
        self._chores = chores
        self._next_chores = 0.0
        self._next_fan_out = 0.0
        self._woken = threading.Event()
        self._was_woken = False
        self._silence = GATHER_SECONDS
        self._last: datetime | None = None

    def wake(self) -> None:
        """Look for work soon: something was committed."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; returns when all that was begun is sent and written down."""
        self._recorder = Recorder(self._write)
        self._lanes = Lanes(self._send, self._end)
        try:
            while not stop.is_set():
                self._was_woken = self._woken.is_set()
                self._woken.clear()
                began = time.monotonic()
                pause = self._try_step()
                calm = min(REST * (time.monotonic() - began), MOST_REST_SECONDS)
                if pause and self._woken.wait(pause):
                    stop.wait(max(calm, self._next_fan_out - time.monotonic()))
        finally:
            rest = self._lanes.close()
            self._recorder.close()
            self._client.close()
            self._give_back(rest)

    def _try_step(self) -> float:
        try:
            self._do_chores()
            return self._step()
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("the database refused the worker: %s", error)
        except Exception:  # whatever it is: nobody would miss the thread until a newsroom wonders
            log.exception("the worker stumbled")
        time.sleep(FAULT_SECONDS)
        return POLL_SECONDS

    def _do_chores(self) -> None:
        if time.monotonic() >= self._next_chores:
            began = time.monotonic()
            for chore in self._chores:
                self._try_chore(chore)
            took = time.monotonic() - began
            self._next_chores = began + took + max(CHORE_SECONDS, CHORE_REST * took)

    def _try_chore(self, chore: Callable[[], object]) -> None:
        try:
            chore()
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("the database refused a chore: %s", error)
        except Exception:  # whatever it is, the others are done all the same
            log.exception("a chore failed")

    def _step(self) -> float:
        """One look around; how long nothing more is to be done, unless somebody wakes it."""
        with self._database.read() as session:
            now = self._clock(session)
            has_events = is_waiting(session)
            due = outlets.due(
                session,
                now=now,
                contents=self._contents,
                writers=self._writers,
                has_mail=self._carriers.mailer is not None,
            )
            waiting = self._lanes.waiting()
            changed_at = outlets.changed_at(session, waiting) if waiting else {}
        self._mind_the_clock(now)
        if not has_events and not due:
            # Who is woken again and again by what nobody listens to looks ever more rarely.
            longer = min(2 * self._silence, POLL_SECONDS)
            self._silence = longer if self._was_woken else GATHER_SECONDS
            self._next_fan_out = max(self._next_fan_out, time.monotonic() + self._silence)
        handed_out = self._hand_out(now) if has_events else 0
        self._give_back(self._lanes.take_back(changed_at))
        rooms = {lane_id: room for lane_id in due if (room := self._lanes.room(lane_id))}
        if rooms:
            self._claim(due, rooms, now)
        # What is left is asked for when there is room for it again.
        if handed_out:
            return 0
        return GATHER_SECONDS if has_events else POLL_SECONDS

    def _hand_out(self, now: datetime) -> int:
        if time.monotonic() < self._next_fan_out:
            return 0
        began = time.monotonic()
        with self._database.write() as session:
            number = fan_out(session, now=now)
        if number < BATCH:
            took = time.monotonic() - began
            self._next_fan_out = began + took + max(GATHER_SECONDS, GATHER_REST * took)
        return number

    def _claim(self, due: dict[UUID, Take], rooms: dict[UUID, int], now: datetime) -> None:
        with self._database.write() as session:
            taken = {
                lane_id: due[lane_id](session, worker_id=self.id, now=now, limit=room)
                for lane_id, room in rooms.items()
            }
        for lane_id, tasks in taken.items():
            self._lanes.add(lane_id, tasks)

    def _send(self, task: Task) -> Result | None:
        if time.monotonic() - task.taken_at > USABLE_SECONDS:
            # Too little of the lease is left; it will lapse, and the delivery is claimed again.
            return None
        began, started_at = time.perf_counter(), datetime.now(UTC)
        request: dict[str, str] = {}
        outcome: Outcome
        try:
            request, outcome = task.parcel.send(self._carriers, started_at)
        except Exception as error:
            log.exception("a delivery could not be sent", extra=_fields(task))
            outcome = SendFailed("internal", type(error).__name__)
        return Result(task, started_at, time.perf_counter() - began, request, outcome)

    def _end(self, result: Result, is_low: bool) -> None:
        self._recorder.add(result)
        if is_low:
            self.wake()

    def _write(self, ended: Sequence[Result]) -> None:
        with self._database.write() as session:
            disabled = results.record(
                session,
                ended,
                worker_id=self.id,
                now=self._clock(session),
                delays=self._delays,
                writers=self._writers,
            )
            if self._carriers.mailer is not None:
                for outlet in disabled:
                    self._tell_admins(session, outlet)
        for outlet in disabled:
            fields = {"kind": type(outlet).__name__.lower(), "id": str(outlet.id)}
            log.warning("an outlet was disabled", extra={"fields": fields})
        # What waited for one of these may go now, where there is room for it.
        if any(self._lanes.room(lane_id) for lane_id in {each.task.lane_id for each in ended}):
            self.wake()

    def _tell_admins(self, session: Session, outlet: Outlet) -> None:
        reason = session.scalar(
            select(type(outlet).disabled_reason).where(type(outlet).id == outlet.id)
        )
        notices.tell_admins(
            session,
            outlet,
            reason or "",
            public_url=self._carriers.public_url,
            now=self._clock(session),
        )

    def _give_back(self, tasks: Sequence[Task]) -> None:
        if not tasks:
            return
        try:
            with self._database.write() as session:
                ids = [key for task in tasks for key in task.delivery_ids]
                claim.release(session, ids, worker_id=self.id)
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("leases could not be given back, they will lapse: %s", error)

    def _mind_the_clock(self, now: datetime) -> None:
        is_jump = self._last is not None and now < self._last - JUMP
        if is_jump or self._last is None:
            with self._database.write() as session:
                mend(session, now=now, is_jump=is_jump)
        self._last = now


def _fields(task: Task) -> dict[str, dict[str, str]]:
    return {"fields": {"delivery": str(task.delivery_ids[0]), "lane": str(task.lane_id)}}
