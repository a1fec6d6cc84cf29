"""Webhook addresses that lead inside: refused when they are set, blocked again when they are sent to."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.db import Database
from service.dispatch import webhooks
from service.dispatch.client import Client, SendFailed
from service.dispatch.webhooks import CheckedUrl
from service.models import Attempt, Site, Webhook
from service.settings import Settings
from tests.conftest import Clock
from tests.dispatch.receivers import Receiver, running
from tests.security.tally import Tally
from tests.servers import wait_until

ROW = "SSRF by webhook URL"

HOSTS = [
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127.255.255.254", "0.0.0.0", "0", "00000000000",
    "2130706433", "0x7f000001", "0x7f.0x0.0x0.0x1", "0x7f.1", "017700000001", "0177.0.0.1", "0177.0.0.01",
    "127.0.0.0x1", "0x0a000001", "10.0.0.1", "012.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "3232235521", "0xc0a80001", "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376",
    "169.254.43518", "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "192.0.2.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "localhost", "LOCALHOST", "localhost.", "①②⑦.⓪.⓪.①",
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]", "[::ffff:169.254.169.254]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001::1]", "[2001:0:7f00:1::]",
    "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%25eth0]", "[fec0::1]", "[feff::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
    "[100::1]", "[5f00::1]", "[3fff::1]", "[2001:db8::1]", "[::1%251]",
]  # fmt: skip
URLS = [
    "http://8.8.8.8:22/", "http://8.8.8.8:6379/", "http://8.8.8.8:8080/", "https://8.8.8.8:8443/", "http://8.8.8.8:0/",
    "http://8.8.8.8:65536/", "ftp://8.8.8.8/", "gopher://8.8.8.8/", "file:///etc/passwd", "dict://8.8.8.8:11211/",
    "ldap://8.8.8.8/", "unix:/run/a.sock", "http://8.8.8.8@127.0.0.1/", "http://127.0.0.1@8.8.8.8/",
    "http://8.8.8.8#@127.0.0.1/\\", "http://8.8.8.8\\@127.0.0.1/", "http://8.8.8.8\t.127.0.0.1/", "http://8.8.8.8/\r\nHost: a",
    "http:127.0.0.1/", "http:/127.0.0.1/", "//127.0.0.1/", "127.0.0.1", "", "http://", "http://?", "javascript:1",
]  # fmt: skip


@pytest.fixture
def closed(settings: Settings, database: Database, clock: Clock) -> FlaskClient:
    """An application whose webhooks reach public addresses only."""
    strict = replace(settings, webhook_allow_networks=(), public_url="https://localhost")
    return create_app(strict, database, clock=clock).test_client()


@pytest.fixture
def trap() -> Iterator[list[object]]:
    """Listens on loopback; whoever comes is written down."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        stop = threading.Event()

        def watch() -> None:
            while not stop.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                came.append(address)
                connection.close()

        thread = threading.Thread(target=watch)
        thread.start()
        came.append(server.getsockname()[1])
        yield came
        stop.set()
        thread.join()


def test_address_inside_is_refused_when_it_is_set(
    closed: FlaskClient, database: Database, bearer: dict[str, str], tally: Tally
) -> None:
    made = closed.post("/api/v1/webhooks", json={"url": "https://8.8.8.8/"}, headers=bearer)
    assert made.status_code == 201
    at = f"/api/v1/webhooks/{made.json['id']}"
    # A name that nobody knows may be set: whether it is one depends on the resolver of this machine.
    known = [host for host in HOSTS if host != "localhost."]
    for url in [
        *(f"http://{host}/" for host in known),
        *(f"https://{host}/" for host in known),
        *URLS,
    ]:
        for answer in (
            closed.post("/api/v1/webhooks", json={"url": url}, headers=bearer),
            closed.patch(at, json={"url": url}, headers=bearer),
        ):
            tally.add((url, answer.status_code), held=answer.status_code == 422)
    with database.read() as session:
        assert session.scalars(select(Webhook.url)).all() == ["https://8.8.8.8/"]


def test_address_inside_is_never_connected_to(trap: list[object], tally: Tally) -> None:
    """Also where it got into the table some other way; nothing is asked on the way."""
    port, *_ = trap
    sender = Client(seconds=2)
    for host in HOSTS:
        for url in (f"http://{host}:{port}/", f"http://{host}/"):
            try:
                sender.post(url, b"{}", {})
                kind = "sent"
            except SendFailed as failed:
                kind = failed.kind
            tally.add((url, kind), held=kind in {"blocked", "name"})
    sender.close()
    assert trap == [port]


def test_name_that_changes_its_answer_gains_nothing(trap: list[object], tally: Tally) -> None:
    port, *_ = trap
    inside = [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fec0::1",
    ]
    for address in inside:
        for answers in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
            asked: list[str] = []

            def flip(
                host: str, _port: int, answers: list[str] = answers, asked: list[str] = asked
            ) -> list[str]:
                asked.append(host)
                return answers

            sender = Client(seconds=2, resolver=flip)
            with pytest.raises(SendFailed) as failed:
                sender.post(f"http://hooks.example:{port}/", b"{}", {})
            tally.add(
                (answers, failed.value.kind),
                held=failed.value.kind == "blocked" and len(asked) == 1,
            )
            sender.close()
    assert trap == [port]


def test_redirect_to_the_inside_is_not_followed(trap: list[object], tally: Tally) -> None:
    port, *_ = trap
    places = [
        f"http://127.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        f"//127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
    ]
    for status in (301, 302, 303, 307, 308, 300, 201):
        for place in places:
            with running(Receiver(lambda _, s=status, p=place: (s, {"Location": p}))) as receiver:
                sender = Client((ipaddress.ip_network("127.0.0.0/8"),), seconds=5)
                answer = sender.post(receiver.url, b"{}", {})
                sender.close()
                tally.add((status, place), held=answer.status == status and len(receiver.got) == 1)
    assert trap == [port]


def test_ping_button_reaches_nothing_inside(
    settings: Settings,
    database: Database,
    site: Site,
    bearer: dict[str, str],
    closed: FlaskClient,
    trap: list[object],
    tally: Tally,
) -> None:
    """The one way by which an editor says when a request goes out, and reads what came back."""
    from service.dispatch.worker import Worker

    port, *_ = trap
    hosts = ["127.0.0.1", "0x7f000001", "[::ffff:127.0.0.1]", "localhost", "[::1]", "127.1"]
    now = datetime.now(UTC)
    with database.write() as session:
        made = [
            webhooks.create(
                session, site.id, CheckedUrl(f"http://{host}:{port}/"), ["*"], now=now
            ).id
            for host in hosts
        ]
    for webhook_id in made:
        assert closed.post(f"/api/v1/webhooks/{webhook_id}/ping", headers=bearer).status_code == 202
    worker, stop = Worker(database, replace(settings, webhook_allow_networks=())), threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()

    def errors() -> list[str | None]:
        with database.read() as session:
            return list(session.scalars(select(Attempt.error)))

    wait_until(lambda: len(errors()) >= len(hosts), 20, "every ping was tried")
    stop.set()
    worker.wake()
    thread.join(30)
    for error in errors():
        tally.add(error, held=bool(error and error.startswith("blocked")))
    assert trap == [port]
