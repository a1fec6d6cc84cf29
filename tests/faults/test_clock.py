"""The worker's clock steps an hour forwards and back: no storm of attempts, and no stall."""

import threading
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from service.db import Database
from service.dispatch.worker import Worker
from service.models import DeliveryState
from service.settings import Settings
from tests.conftest import Say
from tests.dispatch.conftest import Subscribe, Tell, state_of, subscribe, tell
from tests.dispatch.receivers import Receiver, running
from tests.faults.load import row, store_of
from tests.servers import wait_until

__all__ = ["subscribe", "tell"]

STEPS = [
    timedelta(hours=1),
    timedelta(hours=-1),
    timedelta(0),
    timedelta(hours=-1),
    timedelta(hours=1),
]


def test_steps_of_an_hour_neither_stall_nor_storm(
    database: Database,
    settings: Settings,
    subscribe: Subscribe,
    tell: Tell,
    say: Say,
) -> None:
    step = timedelta(0)

    def clock(_session: Session) -> datetime:
        return datetime.now(UTC) + step

    slowest = 0.0
    with running(Receiver(lambda got: (500 if got.path == "/fails" else 204, {}))) as receiver:
        subscribe(receiver.url)
        subscribe(receiver.url.replace("/hook", "/fails"))
        worker, stop = Worker(database, settings, clock=clock), threading.Event()
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        try:
            told = []
            for jump in STEPS:
                step = jump
                told.append(str(tell()))
                worker.wake()
                began = time.monotonic()
                wait_until(
                    lambda: {got.id for got in receiver.got if got.path == "/hook"} >= set(told),
                    30,
                    "the event arrives",
                )
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(1)
        finally:
            stop.set()
            worker.wake()
            thread.join(30)
    good = [got.id for got in receiver.got if got.path == "/hook"]
    failing = [got.id for got in receiver.got if got.path == "/fails"]
    assert set(good) == set(told)
    # A failed delivery's next try is due again after each step forwards, and no oftener.
    assert len(failing) <= len(told) * (1 + len(STEPS))
    deliveries, _ = state_of(database)
    done = [delivery for delivery in deliveries if delivery.state is DeliveryState.DELIVERED]
    assert len(done) == len(told)
    lost, repeated = len(set(told) - set(good)), len(good) - len(set(good))
    say(row(f"clock ±1 h, {store_of(database)}", len(STEPS), lost, repeated, slowest))
