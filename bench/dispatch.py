"""How fast deliveries leave: 20,000 events, four endpoints, two workers, one of them killed twice.

`python -m bench.dispatch [--events N] [--database URL]`; without a URL a private PostgreSQL is
started. One endpoint hangs and one fails every second request. Beside it the ceiling: a bare loop
of the same HTTP client with the same concurrency against the same receiver, before and after; and
what a request costs in time of this machine's processors, which others' work changes less.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from sqlalchemy import func, insert, select

from service import settings as settings_module
from service.accounts import sites
from service.db import Database, migrate, new_id
from service.dispatch import messages, webhooks
from service.dispatch.client import Client
from service.dispatch.lanes import MOST
from service.dispatch.messages import Content, Message, new_secret
from service.dispatch.webhooks import CheckedUrl
from service.dispatch.worker import Worker
from service.models import Attempt, Delivery, DeliveryState, Event, Site, Webhook
from tests.servers import PostgreSQL, free_port, wait_until

ROOT = Path(__file__).parent.parent
WELL = ("/well-1", "/well-2")
PATHS = (*WELL, "/flaky", "/hangs")
WORKERS = 2
AIM = 0.6


class Receiver(asyncio.Protocol):
    """As little HTTP as a receiver can speak; counts what came where."""

    got: dict[str, Counter[str]] = {path: Counter() for path in PATHS}  # noqa: RUF012
    times: list[float] = []  # noqa: RUF012
    total: Counter[str] = Counter()  # noqa: RUF012
    requests = 0

    def connection_made(self, transport: Any) -> None:
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].decode()
            lines = head.split("\r\n")
            headers = {
                name.lower(): value
                for name, _, value in (line.partition(": ") for line in lines[1:])
            }
            size = end + 4 + int(headers.get("content-length", 0))
            if len(self.data) < size:
                return
            self.data = self.data[size:]
            self.answer(lines[0].split(" ")[1], headers.get("webhook-id", ""))

    def answer(self, path: str, event_id: str) -> None:
        kind = type(self)
        if path == "/stats":
            return self.tell()
        if path == "/bare":
            return self.say(b"204 No Content")
        if path == "/hangs":
            kind.total[path] += 1
            return None
        kind.requests += 1
        if path == "/flaky" and kind.requests % 2:
            return self.say(b"500 Oh")
        kind.got[path][event_id] += 1
        kind.total[path] += 1
        kind.times.append(time.time())
        return self.say(b"204 No Content")

    def say(self, status: bytes, body: bytes = b"") -> None:
        length = b"Content-Length: %d\r\n" % len(body) if body or status[:3] != b"204" else b""
        self.transport.write(b"HTTP/1.1 " + status + b"\r\n" + length + b"\r\n" + body)

    def tell(self) -> None:
        kind = type(self)
        told = {
            "requests": kind.requests + kind.total["/hangs"],
            "got": {path: [len(ids), kind.total[path]] for path, ids in kind.got.items()},
            "times": [kind.times[int(len(kind.times) * part)] for part in (0.02, 0.22, 0.05, 0.95)]
            if kind.times
            else [],
        }
        self.say(b"200 OK", json.dumps(told).encode())


async def receive(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(
        Receiver, "127.0.0.1", port, backlog=512
    )
    await server.serve_forever()


def work(url: str) -> None:
    Worker(Database(url), _settings(url), delays=(timedelta(seconds=0.2),) * 30).run(
        threading.Event()
    )


def bare(port: int, count: int) -> None:
    """The ceiling: threads that post and do nothing else."""
    client = Client(_settings("sqlite:///unused").webhook_allow_networks)
    message = Message(new_id(), "correction.created", datetime.now(UTC), _data())
    content = Content.of(message)
    url, webhook = f"http://127.0.0.1:{port}/bare", Webhook(secret=new_secret(), headers={})
    # The same bytes as a delivery's, made once.
    body, headers = content.text.encode(), messages.headers(content, webhook, at=message.created_at)
    todo = iter(range(count))

    def post() -> None:
        for _ in todo:
            client.post(url, body, headers)

    # As many at once as a worker has under way to the three endpoints that answer.
    threads = [threading.Thread(target=post) for _ in range(3 * MOST)]
    began, spent = time.time(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps([began, time.time(), time.process_time() - spent]))


def _settings(url: str) -> settings_module.Settings:
    return settings_module.read(
        {
            "CORRIGENDA_DATABASE_URL": url,
            "CORRIGENDA_SECRET_KEY": "bench",
            "CORRIGENDA_DATA_DIR": tempfile.gettempdir(),
            "CORRIGENDA_WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
        }
    )


def _data() -> dict[str, Any]:
    return {
        "id": str(new_id()),
        "state": "new",
        "reports": [{"comment": "a comment of a reader " * 20}],
    }


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.dispatch", *map(str, arguments)],
        cwd=ROOT,
        text=True,
        **options,
    )


def stats(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def ceiling(port: int, count: int) -> tuple[float, float]:
    """Posts a second, and processor seconds that the loops spent on each."""
    loops = [start("bare", port, count // WORKERS, stdout=subprocess.PIPE) for _ in range(WORKERS)]
    spans = [json.loads(loop.communicate()[0]) for loop in loops]
    rate = count / (max(end for _, end, _ in spans) - min(began for began, _, _ in spans))
    return rate, sum(spent for _, _, spent in spans) / count


def _spent() -> float:
    """Processor seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def prepare(database: Database, port: int, count: int) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        site: Site = sites.create(session, "Bench", ["https://news.example"], now=now)
        for path in PATHS:
            webhooks.create(
                session, site.id, CheckedUrl(f"http://127.0.0.1:{port}{path}"), ["*"], now=now
            )
        session.execute(
            insert(Event),
            [
                {
                    "id": new_id(),
                    "site_id": site.id,
                    "type": "correction.created",
                    "subject_id": new_id(),
                    "data": _data(),
                    "created_at": now,
                }
                for _ in range(count)
            ],
        )


def run(url: str, count: int) -> bool:
    database, port = Database(url), free_port()
    migrate.upgrade(database)
    receiver = start("receive", port)
    workers: list[subprocess.Popen[str]] = []
    try:
        wait_until(lambda: _answers(port), 20, "the receiver listens")
        before, cost = ceiling(port, count)
        prepare(database, port, count)
        spent = _spent()
        workers += [start("work", url, stderr=None) for _ in range(WORKERS)]
        wanted = 3 * count
        for share in (0.25, 0.5):
            wait_until(
                lambda share=share: _done(port) >= wanted * share, 900, f"{share:.0%} arrived"
            )
            workers[0].kill()
            workers[0].wait()
            workers[0] = start("work", url, stderr=None)
        wait_until(lambda: _done(port) >= wanted, 900, "all arrived")
        wait_until(lambda: _recorded(database) >= wanted, 120, "all recorded")
        told = stats(port)
        while workers:
            process = workers.pop()
            process.kill()
            process.wait()
        spent = _spent() - spent
        after, _ = ceiling(port, count)
        print(f"bare loop, {WORKERS} processes: {before:,.0f} posts/s before, {after:,.0f} after")
        print(f"processor time: {cost * 1000:.2f} ms a post of the bare loop, ", end="")
        print(f"{spent / told['requests'] * 1000:.2f} ms a request of the workers")
        return show(database, told, count, (before + after) / 2)
    finally:
        for process in [*workers, receiver]:
            process.kill()
            process.wait()
        database.dispose()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(stats(port))
    return False


def _done(port: int) -> int:
    # Who asks all the time takes from what is measured.
    time.sleep(0.1)
    return sum(count for path, (count, _) in stats(port)["got"].items() if path != "/hangs")


def _recorded(database: Database) -> int:
    with database.read() as session:
        wanted = select(func.count()).where(Delivery.state == DeliveryState.DELIVERED)
        return session.scalar(wanted) or 0


def show(database: Database, told: dict[str, Any], count: int, top: float) -> bool:
    with database.read() as session:
        attempts = session.scalar(select(func.count()).select_from(Attempt)) or 0
        hanging = session.scalar(
            select(func.count())
            .select_from(Attempt)
            .join(Delivery)
            .join(Webhook, Webhook.id == Delivery.webhook_id)
            .where(Webhook.url.endswith("/hangs"))
        )
    lost = sum(count - told["got"][path][0] for path in PATHS if path != "/hangs")
    twice = sum(total - ids for path, (ids, total) in told["got"].items() if path != "/hangs")
    first, killed, early, late = told["times"]
    undisturbed, rate = 3 * count * 0.2 / (killed - first), 3 * count * 0.9 / (late - early)
    # The bare loop's posts are all taken: so is every request here, but for half of /flaky's.
    asked = told["requests"] / (3 * count)
    print(f"{count:,} events to 3 endpoints that answer: {3 * count:,} deliveries")
    print(f"  {attempts:,} attempts recorded, {hanging} of them at an endpoint that hangs")
    print(f"  lost {lost}, duplicates {twice} (one worker killed twice)")
    for name, found in (("before the first kill", undisturbed), ("over both kills", rate)):
        share = found * asked / top
        print(f"  {name}: {found:,.0f} deliveries/s; {found * asked:,.0f} requests/s, ", end="")
        print(f"{share:.0%} of the bare loop")
    print(f"  (aim: {AIM:.0%}; what a killed worker held rests for half a minute)")
    return lost == 0


@contextlib.contextmanager
def a_database(server: str | None) -> Iterator[str]:
    private = None
    if server is None:
        private = PostgreSQL()
        private.start()
        server = private.url()
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        durable = connection.execute("SHOW fsync").fetchone()
        version = connection.info.server_version // 10000
        print(f"PostgreSQL {version}, fsync {durable and durable[0]}, {os.cpu_count()} cores")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        if private:
            private.remove()


def main() -> None:
    match sys.argv[1:]:
        case ["receive", port]:
            asyncio.run(receive(int(port)))
        case ["work", url]:
            work(url)
        case ["bare", port, count]:
            bare(int(port), int(count))
        case _:
            parser = argparse.ArgumentParser(description=__doc__)
            parser.add_argument("--events", type=int, default=20_000)
            parser.add_argument("--database", help="a PostgreSQL on which a database may be made")
            chosen = parser.parse_args()
            with a_database(chosen.database) as url:
                sys.exit(0 if run(url, chosen.events) else 1)


main()
