import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from service.cli import workers
from service.db import Database
from service.dispatch import fan_out, history, webhooks
from service.dispatch.webhooks import CheckedUrl
from service.models import Attempt, Delivery, DeliveryState, Event, Publication, Site
from service.record import publications
from service.settings import Settings
from tests.conftest import Clock
from tests.dispatch.receivers import Receiver, running
from tests.processes import COMMAND, environment, run, run_json
from tests.record.publishing import published
from tests.reporting import report
from tests.servers import PATIENCE, wait_until


@pytest.fixture
def env(tmp_path: Path, database_url: str) -> dict[str, str]:
    return environment(
        tmp_path,
        DATABASE_URL=database_url,
        SECRET_KEY="a secret for tests",
        WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8",
    )


def states(database: Database) -> list[DeliveryState]:
    with database.read() as session:
        return list(session.scalars(select(Delivery.state)))


def test_worker_delivers_until_a_signal_and_its_deliveries_are_managed(
    env: dict[str, str], database: Database, site: Site
) -> None:
    with running(Receiver()) as receiver:
        now = datetime.now(UTC)
        with database.write() as session:
            webhooks.create(session, site.id, CheckedUrl(receiver.url), ["*"], now=now)
        worker = subprocess.Popen([COMMAND, "worker"], env=env, stderr=subprocess.PIPE)
        report(database, site, now)
        receiver.wait_for(2)
        wait_until(lambda: states(database) == [DeliveryState.DELIVERED] * 2, PATIENCE, "recorded")
        worker.terminate()
        _, written = worker.communicate(timeout=30)
        assert (worker.returncode, written) == (0, b"")

    listed = [
        json.loads(line)
        for line in run(
            ["deliveries", "list", "--site", site.key, "--json"], env
        ).stdout.splitlines()
    ]
    assert [(one["type"], one["state"], one["last_answer"]) for one in listed] == [
        ("correction.created", "delivered", "204"),
        ("report.created", "delivered", "204"),
    ]
    again = ["deliveries", "redeliver", "--site", site.key]
    assert run_json([*again, listed[0]["id"]], env) == {"count": 1}
    assert run_json([*again, "--failed-since", "2026-01-01"], env) == {"count": 0}
    for bad in ([], [listed[0]["id"], "--failed-since", "2026-01-01"], [listed[0]["event_id"]]):
        refused = run([*again, *bad], env)
        assert refused.returncode == 1
        assert refused.stderr.count("\n") == 1
    pending = run(["deliveries", "list", "--site", site.key, "--state", "pending"], env).stdout
    assert pending.count("\n") == 1


TOLD_WHILE_IT_BEGINS_TO_WAIT = """
import os, signal, sys, threading
from service import cli

wait = threading.Condition.wait

def tell(self, timeout=None):
    if timeout and threading.current_thread() is threading.main_thread():
        os.kill(os.getpid(), signal.SIGTERM)
    return wait(self, timeout)

threading.Condition.wait = tell
sys.argv[1:] = ["worker"]
cli.main()
"""


def test_worker_stops_whenever_it_is_told(env: dict[str, str]) -> None:
    argv = [sys.executable, "-c", TOLD_WHILE_IT_BEGINS_TO_WAIT]
    done = subprocess.run(argv, env=env, check=False, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_prune_deletes_what_ended_long_ago(
    env: dict[str, str], database: Database, site: Site
) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        webhook = webhooks.create(session, site.id, CheckedUrl("http://127.0.0.1/"), ["*"], now=now)
        for _ in range(3):
            webhooks.ping(session, webhook, now=now)
        old, recent, _waiting = session.scalars(select(Delivery).order_by(Delivery.id))
        long_ago = now - timedelta(days=91)
        session.add(Attempt(delivery_id=old.id, started_at=long_ago, duration_ms=1))
        old.state, old.finished_at = DeliveryState.DELIVERED, long_ago
        recent.state, recent.finished_at = DeliveryState.DELIVERED, now
        session.execute(update(Event).values(fanned_out_at=long_ago))
    assert run_json(["deliveries", "prune"], env) == {"count": 1}
    assert run_json(["deliveries", "prune"], env) == {"count": 0}
    with database.read() as session:
        assert len(session.scalars(select(Delivery)).all()) == 2
        assert len(session.scalars(select(Event)).all()) == 2
        assert session.scalars(select(Attempt)).all() == []


def test_much_is_pruned_a_little_at_a_time(
    database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write in between; one statement could take longer than PostgreSQL lets it."""
    now = datetime.now(UTC)
    with database.write() as session:
        webhook = webhooks.create(session, site.id, CheckedUrl("http://127.0.0.1/"), ["*"], now=now)
        for _ in range(5):
            webhooks.ping(session, webhook, now=now)
        long_ago = now - timedelta(days=91)
        session.execute(update(Delivery).values(state=DeliveryState.FAILED, finished_at=long_ago))
        session.execute(update(Event).values(fanned_out_at=long_ago))
    monkeypatch.setattr(history, "AT_ONCE", 2)
    before = database.changes
    assert history.prune(database, before=now - timedelta(days=90)) == 5
    assert database.changes - before == 6
    with database.read() as session:
        assert [session.scalars(select(table)).all() for table in (Delivery, Event)] == [[], []]


def test_worker_publishes_what_was_held_once_it_is_due(
    settings: Settings, database: Database, site: Site, now: datetime, clock: Clock
) -> None:
    """A real worker by a clock that stands still: nothing before the hold is over, then all."""
    with running(Receiver()) as receiver:
        with database.write() as session:
            webhooks.create(
                session, site.id, CheckedUrl(receiver.url), ["correction.published"], now=now
            )
        held = published(database, site, now, visible_at=now + timedelta(minutes=10))
        first = publish_until_idle(settings, database, clock)
        clock.advance(minutes=10)
        second = publish_until_idle(settings, database, clock)
    assert (first, second) == (0, 1)
    [request] = receiver.got
    assert json.loads(request.body)["type"] == "correction.published"
    with database.read() as session:
        assert session.get_one(Publication, held).announced_at == clock()


def publish_until_idle(settings: Settings, database: Database, clock: Clock) -> int:
    """Let a worker do all that is due at this instant; how many deliveries have arrived."""
    worker, stop = workers.make(database, settings, clock=lambda _: clock()), threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    wait_until(lambda: is_idle(database, clock), 20, "nothing is due")
    stop.set()
    worker.wake()
    thread.join(30)
    return states(database).count(DeliveryState.DELIVERED)


def is_idle(database: Database, clock: Clock) -> bool:
    with database.read_one_moment() as session:
        waiting = session.scalar(
            select(Delivery.id).where(Delivery.state == DeliveryState.PENDING).limit(1)
        )
        is_due = publications.is_due(session, clock())
        return not (waiting or is_due or fan_out.is_waiting(session))
