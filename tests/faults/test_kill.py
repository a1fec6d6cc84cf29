"""`kill -9` of server and worker at random moments under load, on both databases."""

import json
import os
import random
import subprocess
import time
import urllib.request
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select, update

from service.db import Database
from service.models import Delivery, DeliveryState, Event
from tests.conftest import ORIGIN, Say
from tests.dispatch.receivers import Receiver, running
from tests.faults.load import Load, check_counters, check_integrity, kept, row, store_of
from tests.processes import COMMAND, Serving, environment, run_json
from tests.servers import wait_until

KILLS = int(os.environ.get("CORRIGENDA_TEST_KILLS", "3"))


class Worker:
    """A `corrigenda worker` in a process of its own."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [COMMAND, "worker"],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        os.killpg(self.process.pid, 9)
        self.process.wait(10)


def pending(database: Database) -> int:
    with database.read() as session:
        waiting = session.scalar(select(func.count()).where(Event.fanned_out_at.is_(None))) or 0
        under_way = (
            session.scalar(select(func.count()).where(Delivery.state == DeliveryState.PENDING)) or 0
        )
    return waiting + under_way


def test_nothing_acknowledged_is_lost_and_every_event_arrives(
    database_url: str, tmp_path: Path, say: Say
) -> None:
    env = environment(
        tmp_path,
        DATABASE_URL=database_url,
        REPORT_LIMITS="1000000/minute",
        WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8",
    )
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    token = run_json(["token", "create", "--site", key, "--scope", "admin"], env)["token"]
    chance, down = random.Random(6), 0.0
    with running(Receiver()) as receiver:
        server, database = Serving(env), Database(database_url)
        server.start()
        worker = Worker(env)
        subscribe(server.url, token, receiver.url)
        load = Load(server.url, key)
        for _ in range(KILLS):
            with load:
                before = len(load.acknowledged)
                wait_until(
                    lambda before=before: len(load.acknowledged) >= before + 5,
                    60,
                    "reports are taken",
                )
                time.sleep(chance.uniform(0, 0.5))
                victims = chance.choice([[server], [worker], [server, worker]])
                for victim in victims:
                    victim.kill()
                killed = time.monotonic()
                for victim in victims:
                    victim.start()
                wait_until(
                    lambda killed=killed: load.answered_at > killed, 60, "reports are taken again"
                )
                down = max(down, load.answered_at - killed)
            assert {status for status, *_ in load.refused} <= {503}
        # A killed worker's leases rest for a minute: as if it had passed.
        worker.kill()
        with database.write() as session:
            session.execute(update(Delivery).values(leased_until=None))
        worker.start()
        wait_until(lambda: pending(database) == 0, 180, "everything is delivered")
        worker.kill()
        server.stop()
        lost = load.acknowledged - kept(database)
        with database.read() as session:
            events = {str(found) for found in session.scalars(select(Event.id))}
        arrived = Counter(got.id for got in receiver.got)
        assert lost == set()
        assert events - set(arrived) == set()
        check_counters(database)
        check_integrity(database)
        # What was written down but not acknowledged in time was sent again under its key.
        assert len(events) >= len(load.acknowledged) > 5 * KILLS
    repeated = sum(arrived.values()) - len(arrived)
    say(
        row(
            f"kill -9, {store_of(database)} ({len(load.acknowledged)} reports)",
            KILLS,
            len(lost),
            repeated,
            down,
        )
    )
    database.dispose()


def subscribe(url: str, token: str, receiver: str) -> None:
    request = urllib.request.Request(
        f"{url}/api/v1/webhooks",
        json.dumps({"url": receiver, "events": ["*"]}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201
