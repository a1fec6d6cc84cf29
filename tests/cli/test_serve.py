import asyncio
import http.client
import json
import logging
import socket
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gunicorn.asgi import protocol
from gunicorn.config import Config
from sqlalchemy import func, select

from service.accounts import sites
from service.cli import patience, serve
from service.db import Database, new_id
from service.db.engines import sqlite_driver
from service.dispatch import webhooks
from service.dispatch.webhooks import CheckedUrl
from service.models import Delivery, DeliveryState, Event
from tests.conftest import ORIGIN
from tests.dispatch.receivers import Got, Receiver, running
from tests.loops import run_in_loop
from tests.processes import Serving, environment, run, run_json
from tests.servers import free_port

GUNICORN: dict[str, Any] = {
    "cfg": Config(),
    "log": logging.getLogger(__name__),
    "asgi": None,
    "alive": True,
    "nr_conns": 0,
}


def answer_to(
    serving: Serving, path: str, headers: dict[str, str | bytes]
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=30)
    connection.putrequest("GET", path)
    for name, value in {**headers, "Connection": "close"}.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse()


def test_serve_answers_and_stops_cleanly(tmp_path: Path, sqlite_url: str) -> None:
    serving = Serving(environment(tmp_path, DATABASE_URL=sqlite_url))
    serving.start()
    assert serving.stop() == 0


def test_delivery_under_way_is_written_down_before_the_stop(
    tmp_path: Path, sqlite_url: str
) -> None:
    """And what waits behind it may be sent at once by the next."""
    may_answer = threading.Event()

    def answer(_got: Got) -> tuple[int, dict[str, str]]:
        may_answer.wait(30)
        return 204, {}

    env = environment(tmp_path, DATABASE_URL=sqlite_url, WEBHOOK_ALLOW_NETWORKS="127.0.0.0/8")
    key = run_json(["site", "create", "News", "--origin", ORIGIN], env)["key"]
    database, now = Database(sqlite_url), datetime.now(UTC)
    with running(Receiver(answer)) as receiver:
        with database.write() as session:
            site = sites.find(session, key)
            webhooks.create(session, site.id, CheckedUrl(receiver.url), ["*"], now=now)
            told = {"type": "correction.created", "data": {}, "created_at": now}
            session.add_all(Event(site_id=site.id, subject_id=new_id(), **told) for _ in range(20))
        with Serving(env) as serving:
            receiver.wait_for(1)
            assert serving.process is not None
            serving.process.terminate()
            time.sleep(2)
            begun = len(receiver.got)
            may_answer.set()
            assert serving.process.wait(40) == 0
    with database.read() as session:
        kinds = (Delivery.state, Delivery.leased_by)
        counts = session.execute(select(*kinds, func.count()).group_by(*kinds))
        assert {tuple(row) for row in counts} == {
            (DeliveryState.DELIVERED, None, begun),
            (DeliveryState.PENDING, None, 20 - begun),
        }
    assert len(receiver.got) == begun
    database.dispose()


def test_folder_that_cannot_be_written_to_is_told(sqlite_url: str) -> None:
    env = environment(Path("/proc"), DATABASE_URL=sqlite_url, SECRET_KEY="k")
    done = run(["serve", "--port", str(free_port())], env, seconds=30)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith("corrigenda: /proc cannot be written to: ")


def sent(
    serving: Serving, method: str, path: str, body: bytes, *, chunked: bool, **headers: str
) -> int:
    """The status of a request whose body comes whole, or in pieces."""
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=30)
    named = {"Content-Type": "application/json", **headers}
    with closing(connection):
        if chunked:
            pieces = (body[at : at + 9_000] for at in range(0, len(body), 9_000))
            connection.request(method, path, pieces, named, encode_chunked=True)
        else:
            connection.request(method, path, body, named)
        return connection.getresponse().status


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_have_their_limits_however_they_come(
    tmp_path: Path, sqlite_url: str, chunked: bool
) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url, REPORT_LIMITS="100/minute")
    key = run_json(["site", "create", "News", "--origin", ORIGIN], env)["key"]
    token = run_json(["token", "create", "--site", key, "--scope", "publish"], env)["token"]
    with Serving(env) as serving:

        def article(size: int) -> int:
            body = json.dumps({"url": f"{ORIGIN}/a", "text": "word"}).encode().ljust(size)
            bearer = f"Bearer {token}"
            return sent(
                serving, "PUT", "/api/v1/articles", body, chunked=chunked, Authorization=bearer
            )

        def report(size: int) -> int:
            body = {"target": {"source": f"{ORIGIN}/a"}, "comment": f"Typo in {size}."}
            named = {"Origin": ORIGIN, "Idempotency-Key": f"report-{size}"}
            path = f"/api/v1/sites/{key}/reports"
            raw = json.dumps(body).encode().ljust(size)
            return sent(serving, "POST", path, raw, chunked=chunked, **named)

        most = 64 * 1024
        assert [article(size) for size in (most + 1, 32 * most, 32 * most + 1)] == [200, 200, 413]
        assert [report(size) for size in (most, most + 1, 9 * most)] == [201, 413, 413]


def test_connections_at_rest_do_not_hold_up_the_stop(tmp_path: Path, sqlite_url: str) -> None:
    with Serving(environment(tmp_path, DATABASE_URL=sqlite_url)) as serving:
        address = ("127.0.0.1", serving.port)
        with socket.create_connection(address) as silent, socket.create_connection(address) as slow:
            slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
            with answer_to(serving, "/healthz", {}) as answer:
                assert answer.status == 200
            began = time.monotonic()
            assert serving.stop() == 0
            assert time.monotonic() - began < serve.DRAIN_SECONDS / 2
            assert (silent.recv(1), slow.recv(1)) == (b"", b"")


def test_a_head_that_does_not_end_is_given_up(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.05)
    worker = cast("patience.Worker", SimpleNamespace(**GUNICORN, connections=set()))

    async def wait() -> bool:
        worker.loop = asyncio.get_running_loop()
        listening = await worker.loop.create_server(
            lambda: patience.Connection(worker), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: ")
        is_ended = await reader.read() == b""
        writer.close()
        listening.close()
        return is_ended

    assert run_in_loop(wait())
    assert worker.connections == set()


def test_taken_port_is_one_line(tmp_path: Path, sqlite_url: str) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    with Serving(env) as serving:
        done = run(["serve", "--port", str(serving.port)], env)
    assert (done.returncode, done.stderr) == (
        1,
        f"corrigenda: Port {serving.port} is taken by another program; try --port.\n",
    )


def test_every_status_has_its_reason() -> None:
    known = protocol._REASON_PHRASES  # type: ignore[attr-defined] # the stubs leave it out
    assert [each.value for each in HTTPStatus if each.value not in known] == []
    assert (known[200], known[412]) == ("OK", "Precondition Failed")


def test_foreign_address_is_one_line(tmp_path: Path, sqlite_url: str) -> None:
    done = run(
        ["serve", "--host", "192.0.2.1", "--port", str(free_port())],
        environment(tmp_path, DATABASE_URL=sqlite_url),
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_address_under_a_name_with_underscores_is_not_believed(
    tmp_path: Path, sqlite_url: str
) -> None:
    # Many proxies replace `X-Forwarded-For` only, and pass this one on.
    sent: dict[str, str | bytes] = {
        "X-Forwarded-For": "203.0.113.9",
        "X_Forwarded_For": "198.51.100.2, 198.51.100.3",
    }
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    with Serving(env) as serving, answer_to(serving, "/readyz?forwarded", sent) as answer:
        assert json.load(answer)["forwarded"] == 1


def test_cookie_in_another_alphabet_takes_no_other_with_it(tmp_path: Path, sqlite_url: str) -> None:
    # The newspaper's own cookies arrive too, with whatever its scripts put into them.
    sent = "city=Київ; corrigenda=of-a-session-that-is-over".encode()
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    with Serving(env) as serving, answer_to(serving, "/review", {"Cookie": sent}) as answer:
        assert answer.status == 401


def test_export_that_fails_midway_is_not_taken_for_a_whole_one(
    tmp_path: Path, sqlite_url: str
) -> None:
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    token = run_json(["token", "create", "--site", key, "--scope", "read"], env)["token"]
    assert run(["seed", "--site", key, "--corrections", "600"], env).returncode == 0
    with closing(sqlite_driver().connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        last = "(SELECT max(id) FROM corrections)"
        database.execute(f"UPDATE corrections SET created_at = 'never' WHERE id = {last}")
        database.commit()
    with Serving(env) as serving:
        bearer: dict[str, str | bytes] = {"Authorization": f"Bearer {token}"}
        with answer_to(serving, "/api/v1/corrections.jsonl", bearer) as answer:
            assert answer.status == 200
            with pytest.raises(http.client.IncompleteRead) as broken:
                answer.read()
    assert broken.value.partial.endswith(b"\n")
