"""The worker: hands events out, claims what is due, sends it, writes down what became of it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.db import Database, new_id
from service.dispatch import backoff, claim, messages, results
from service.dispatch.claim import Task
from service.dispatch.client import DEADLINE_SECONDS, Answer, Client, SendFailed
from service.dispatch.clock import JUMP, database_now, mend
from service.dispatch.fan_out import fan_out, is_waiting
from service.dispatch.lanes import Lanes
from service.dispatch.recorder import Recorder
from service.dispatch.results import Result
from service.errors import Unavailable
from service.settings import Settings

POLL_SECONDS = 0.25
USABLE_SECONDS = claim.LEASE.total_seconds() - 1.5 * DEADLINE_SECONDS
"""How long after its claim a delivery may still begin."""

FAULT_SECONDS = 1.0
"""The pause after the database refused."""

log = logging.getLogger(__name__)


class Worker:
    """Delivers events to webhooks, at least once; any number may run beside each other."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        client: Client | None = None,
        clock: Callable[[Session], datetime] = database_now,
        delays: tuple[timedelta, ...] = backoff.DELAYS,
    ) -> None:
        self.id = new_id()
        self._database = database
        self._client = client or Client(settings.webhook_allow_networks)
        self._clock = clock
        self._delays = delays
        self._woken = threading.Event()
        self._last: datetime | None = None

    def wake(self) -> None:
        """Look for work now: something was committed."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; returns when all that was begun is sent and written down."""
        self._recorder = Recorder(self._write)
        self._lanes = Lanes(self._send, self._recorder.add)
        try:
            while not stop.is_set():
                self._woken.clear()
                pause = self._try_step()
                if pause:
                    self._woken.wait(pause)
        finally:
            rest = self._lanes.close()
            self._recorder.close()
            self._client.close()
            self._give_back(rest)

    def _try_step(self) -> float:
        try:
            return 0 if self._step() else POLL_SECONDS
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("the database refused the worker: %s", error)
            time.sleep(FAULT_SECONDS)
            return POLL_SECONDS

    def _step(self) -> bool:
        """One look around; whether there may be more to do at once."""
        with self._database.read() as session:
            now = self._clock(session)
            has_events = is_waiting(session)
            due = claim.endpoints(session, now=now)
        self._mind_the_clock(now)
        if has_events:
            with self._database.write() as session:
                if fan_out(session, now=now):
                    return True
        self._give_back(self._lanes.take_back())
        rooms = {webhook_id: self._lanes.room(webhook_id) for webhook_id in due}
        return any(rooms.values()) and self._claim(rooms, now)

    def _claim(self, rooms: dict[UUID, int], now: datetime) -> bool:
        taken = {}
        with self._database.write() as session:
            for webhook_id, room in rooms.items():
                if room:
                    taken[webhook_id] = claim.claim(
                        session, webhook_id, worker_id=self.id, now=now, limit=room
                    )
        for webhook_id, tasks in taken.items():
            self._lanes.add(webhook_id, tasks)
        return any(taken.values())

    def _send(self, task: Task) -> Result | None:
        if time.monotonic() - task.taken_at > USABLE_SECONDS:
            # Too little of the lease is left; it will lapse, and the delivery is claimed again.
            return None
        webhook, began, started_at = task.webhook, time.perf_counter(), datetime.now(UTC)
        outcome: Answer | SendFailed
        request: dict[str, str] = {}
        try:
            content = messages.body(task.message)
            request = messages.headers(task.message.id, content, webhook, at=started_at)
            outcome = self._client.post(webhook.url, content, request)
        except SendFailed as failed:
            outcome = failed
        except Exception as error:
            log.exception("a delivery could not be sent", extra=_fields(task))
            outcome = SendFailed("internal", type(error).__name__)
        shown = messages.masked(request, webhook)
        return Result(task, started_at, time.perf_counter() - began, shown, outcome)

    def _write(self, ended: Sequence[Result]) -> None:
        with self._database.write() as session:
            disabled = results.record(
                session, ended, worker_id=self.id, now=self._clock(session), delays=self._delays
            )
        for webhook_id in disabled:
            log.warning("a webhook was disabled", extra={"fields": {"webhook": str(webhook_id)}})
        # What waited for one of these may go now.
        self.wake()

    def _give_back(self, tasks: Sequence[Task]) -> None:
        if not tasks:
            return
        try:
            with self._database.write() as session:
                claim.release(session, [task.delivery_id for task in tasks], worker_id=self.id)
        except (SQLAlchemyError, Unavailable) as error:
            log.warning("leases could not be given back, they will lapse: %s", error)

    def _mind_the_clock(self, now: datetime) -> None:
        is_jump = self._last is not None and now < self._last - JUMP
        if is_jump or self._last is None:
            with self._database.write() as session:
                mend(session, now=now, is_jump=is_jump)
        self._last = now


def _fields(task: Task) -> dict[str, dict[str, str]]:
    return {"fields": {"delivery": str(task.delivery_id), "webhook": str(task.webhook.id)}}
