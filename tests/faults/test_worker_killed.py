"""`kill -9` of real workers: every event arrives, and what arrives twice has the same id."""

import collections
import contextlib
import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from service.db import Database, new_id
from service.dispatch import webhooks
from service.dispatch.webhooks import CheckedUrl
from service.models import Delivery, DeliveryState, Event, Site, Webhook
from tests.conftest import Say
from tests.dispatch.receivers import Got, Receiver, running
from tests.processes import COMMAND, environment
from tests.servers import wait_until

EVENTS = 500
KILLS = 8


@pytest.fixture
def env(tmp_path: Path, database_url: str) -> dict[str, str]:
    return environment(
        tmp_path,
        DATABASE_URL=database_url,
        SECRET_KEY="a secret for tests",
        WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8",
    )


def start_worker(env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([COMMAND, "worker"], env=env, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def workers(env: dict[str, str], count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    alive = [start_worker(env) for _ in range(count)]
    try:
        yield alive
    finally:
        for worker in alive:
            worker.kill()
            worker.wait()


def subscribe(database: Database, site: Site, url: str) -> Webhook:
    with database.write() as session:
        return webhooks.create(session, site.id, CheckedUrl(url), ["*"], now=datetime.now(UTC))


def tell(database: Database, site: Site, count: int = 1) -> list[UUID]:
    events = [
        Event(
            site_id=site.id,
            type="correction.created",
            subject_id=new_id(),
            data={"id": "a correction"},
            created_at=datetime.now(UTC),
        )
        for _ in range(count)
    ]
    with database.write() as session:
        session.add_all(events)
    return [event.id for event in events]


def delivered(database: Database) -> int:
    with database.read() as session:
        wanted = select(func.count()).where(Delivery.state == DeliveryState.DELIVERED)
        return session.scalar(wanted) or 0


def show(
    say: Say,
    fault: str,
    database: Database,
    times: int,
    told: set[str],
    got: list[str],
) -> tuple[int, int]:
    """Print one line of the table of faults; how many events were lost, and how many came twice."""
    counts = collections.Counter(got)
    lost, twice = len(told - set(counts)), sum(counts.values()) - len(counts)
    name = "SQLite" if database.is_sqlite else "PostgreSQL"
    say(f"{fault} ({name}): {times} kills, {len(told)} events, {lost} lost, {twice} duplicates")
    return lost, twice


def test_killed_between_sending_and_recording_sends_the_same_id_again(
    env: dict[str, str], database: Database, site: Site, say: Say
) -> None:
    doomed: list[subprocess.Popen[bytes]] = []

    def kill_the_sender(_got: Got) -> tuple[int, dict[str, str]]:
        while doomed:
            # Before the answer: the receiver has it, the worker will never know.
            worker = doomed.pop()
            worker.kill()
            worker.wait()
        return 200, {}

    with running(Receiver(kill_the_sender)) as receiver:
        webhook = subscribe(database, site, receiver.url)
        doomed.append(start_worker(env))
        [event_id] = tell(database, site)
        receiver.wait_for(1)
        wait_until(lambda: not doomed, 10, "the worker is killed")
        with database.write() as session:
            # Half a minute passes.
            lapsed = datetime.now(UTC) - timedelta(seconds=1)
            session.execute(update(Delivery).values(leased_until=lapsed))
        with workers(env, 1):
            receiver.wait_for(2)
            wait_until(lambda: delivered(database) == 1, 10, "the delivery is recorded")
        receiver.verified(webhook.secret)
    assert receiver.ids() == [str(event_id)] * 2
    assert len({got.body for got in receiver.got}) == 1
    ids = {str(event_id)}
    assert show(say, "worker killed before recording", database, 1, ids, receiver.ids()) == (
        0,
        1,
    )


def test_killed_at_random_loses_nothing(
    env: dict[str, str], database: Database, site: Site, say: Say
) -> None:
    chance = random.Random(0)
    told: set[str] = set()
    is_told = threading.Event()

    def keep_telling() -> None:
        while len(told) < EVENTS:
            told.update(str(event_id) for event_id in tell(database, site, 5))
            time.sleep(0.02)
        is_told.set()

    with running(Receiver(lambda _got: (time.sleep(0.01), (200, {}))[1])) as receiver:  # type: ignore[func-returns-value]
        webhook = subscribe(database, site, receiver.url)
        teller = threading.Thread(target=keep_telling)
        with workers(env, 2) as alive:
            told.update(str(event_id) for event_id in tell(database, site))
            receiver.wait_for(1)
            teller.start()
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.1, 1.2))
                victim = alive.pop(chance.randrange(2))
                os.kill(victim.pid, 9)
                victim.wait()
                alive.append(start_worker(env))
            assert is_told.wait(60)
            wait_until(lambda: delivered(database) == len(told), 120, "everything is delivered")
        teller.join()
        receiver.verified(webhook.secret)
    lost, _ = show(say, "workers killed at random", database, KILLS, told, receiver.ids())
    assert lost == 0
    assert set(receiver.ids()) == told
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
