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

from service import letters
from service.db import Database, new_id
from service.dispatch import webhooks
from service.dispatch.webhooks import CheckedUrl
from service.models import Delivery, DeliveryState, Event, Site, Webhook
from tests.conftest import Say
from tests.dispatch.mailbox import receiving
from tests.dispatch.receivers import Got, Receiver, running
from tests.faults.load import row, store_of
from tests.processes import COMMAND, environment
from tests.servers import PATIENCE, wait_until

EVENTS = 300
KILLS = 4


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


def half_a_minute_passes(database: Database) -> None:
    """Every lease lapses, those of the dead and those of the living."""
    lapsed = datetime.now(UTC) - timedelta(seconds=1)
    with database.write() as session:
        held = update(Delivery).where(Delivery.leased_until.is_not(None))
        session.execute(held.values(leased_until=lapsed))


def delivered(database: Database) -> int:
    with database.read() as session:
        wanted = select(func.count()).where(Delivery.state == DeliveryState.DELIVERED)
        return session.scalar(wanted) or 0


def show(
    say: Say,
    fault: str,
    times: int,
    told: set[str],
    got: list[str],
    since: float,
) -> tuple[int, int]:
    """Print one line of the table of faults; how many events were lost, and how many came twice."""
    counts = collections.Counter(got)
    lost, twice = len(told - set(counts)), sum(counts.values()) - len(counts)
    say(row(f"{fault} ({len(told)} events)", times, lost, twice, time.monotonic() - since))
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
        wait_until(lambda: not doomed, PATIENCE, "the worker is killed")
        killed = time.monotonic()
        half_a_minute_passes(database)
        with workers(env, 1):
            receiver.wait_for(2)
            wait_until(lambda: delivered(database) == 1, PATIENCE, "the delivery is recorded")
        receiver.verified(webhook.secret)
    assert receiver.ids() == [str(event_id)] * 2
    assert len({got.body for got in receiver.got}) == 1
    ids = {str(event_id)}
    fault = f"worker killed before recording, {store_of(database)}"
    assert show(say, fault, 1, ids, receiver.ids(), killed) == (0, 1)


def test_killed_at_random_loses_nothing(
    env: dict[str, str], database: Database, site: Site, say: Say
) -> None:
    chance = random.Random(0)
    told: set[str] = set()
    is_told = threading.Event()

    def keep_telling() -> None:
        while len(told) < EVENTS:
            told.update(str(event_id) for event_id in tell(database, site, 5))
            receiver.wait_for(len(told) // 2)
        is_told.set()

    with running(Receiver(lambda _got: (time.sleep(0.01), (200, {}))[1])) as receiver:  # type: ignore[func-returns-value]
        webhook = subscribe(database, site, receiver.url)
        teller = threading.Thread(target=keep_telling)
        with workers(env, 2) as alive:
            told.update(str(event_id) for event_id in tell(database, site))
            receiver.wait_for(1)
            teller.start()
            for _ in range(KILLS):
                half_a_minute_passes(database)
                receiver.wait_for(len(receiver.ids()) + chance.randrange(5, 40))
                victim = alive.pop(chance.randrange(2))
                os.kill(victim.pid, 9)
                victim.wait()
                alive.append(start_worker(env))
            killed = time.monotonic()
            assert is_told.wait(PATIENCE)
            half_a_minute_passes(database)
            wait_until(
                lambda: delivered(database) == len(told), 3 * PATIENCE, "everything is delivered"
            )
        teller.join()
        receiver.verified(webhook.secret)
    fault = f"workers killed at random, {store_of(database)}"
    lost, _ = show(say, fault, KILLS, told, receiver.ids(), killed)
    assert lost == 0
    assert set(receiver.ids()) == told
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_killed_between_sending_and_recording_sends_the_same_letter_again(
    env: dict[str, str], database: Database, site: Site
) -> None:
    doomed: list[subprocess.Popen[bytes]] = []

    def kill_the_sender() -> None:
        while doomed:
            worker = doomed.pop()
            worker.kill()
            worker.wait()

    with receiving(before_answer=kill_the_sender) as mailbox:
        env["CORRIGENDA_SMTP_URL"] = mailbox.url
        doomed.append(start_worker(env))
        now = datetime.now(UTC)
        with database.write() as session:
            said = {"subject": "Decided", "text": "Thank you."}
            letter = letters.enqueue(
                session, site.id, letters.NOTICE, "reader@example.org", said, now=now
            )
        mailbox.wait_for(1)
        wait_until(lambda: not doomed, PATIENCE, "the worker is killed")
        half_a_minute_passes(database)
        with workers(env, 1):
            mailbox.wait_for(2)
            wait_until(lambda: delivered(database) == 1, PATIENCE, "the delivery is recorded")
    assert {got["Message-ID"] for got in mailbox.messages} == {f"<{letter.id}@127.0.0.1>"}
    assert len(mailbox.messages) == 2
