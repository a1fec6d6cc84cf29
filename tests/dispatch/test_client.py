import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from service.dispatch.client import ANSWER_BYTES, Client, SendFailed
from service.dispatch.connections import trusting
from tests.dispatch import receivers
from tests.dispatch.receivers import Misbehaving, Receiver, misbehaving, running

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
HEADERS = {"Content-Type": "application/json", "webhook-id": "1"}


Make = Callable[..., Client]


@pytest.fixture
def client() -> Iterator[Make]:
    """Makes clients that may reach this machine; closes them in the end."""
    made = []

    def make(seconds: float = 10, **options: Any) -> Client:
        made.append(Client(LOOPBACK, seconds=seconds, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def fault(sender: Client, url: str) -> SendFailed:
    with pytest.raises(SendFailed) as raised:
        sender.post(url, b"{}", HEADERS)
    return raised.value


@pytest.mark.parametrize("status", [200, 201, 204, 301, 302, 307, 400, 404, 410, 429, 500, 503])
def test_post_tells_the_status_and_follows_nothing(client: Make, status: int) -> None:
    elsewhere = {"Location": "http://169.254.169.254/", "Retry-After": "7"}
    with running(Receiver(lambda _got: (status, elsewhere))) as receiver:
        answer = client().post(receiver.url + "?a=b", b'{"a":1}', HEADERS)
    assert (answer.status, answer.is_success, answer.retry_after) == (status, status < 300, "7")
    assert answer.body == ("" if status == 204 else "an answer")
    [got] = receiver.got
    assert (got.path, got.body) == ("/hook?a=b", b'{"a":1}')
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("do", "reads", "kind"),
    [
        (receivers.hang, True, "timeout"),
        (receivers.hang, False, "timeout"),
        (receivers.drip_head, True, "timeout"),
        (receivers.flood_interim, True, "timeout"),
        (receivers.reset, True, "reset"),
        (receivers.truncate_head, True, "protocol"),
        (receivers.speak_nonsense, True, "protocol"),
    ],
)
def test_post_receiver_misbehaves(
    client: Make, do: Callable[[Misbehaving, socket.socket], None], reads: bool, kind: str
) -> None:
    with misbehaving(do, reads=reads) as server:
        assert fault(client(seconds=0.6), server.url).kind == kind


def test_post_dripping_head_is_hung_up_on_at_the_deadline(client: Make) -> None:
    with misbehaving(receivers.drip_head) as server:
        fault(client(seconds=0.6), server.url)
        assert server.hung_up.wait(10)
    assert server.sent < 100


def test_post_dripping_body_keeps_status_and_what_came(client: Make) -> None:
    with misbehaving(receivers.drip_body) as server:
        answer = client(seconds=0.6).post(server.url, b"{}", HEADERS)
        assert server.hung_up.wait(10)
    assert answer.status == 500
    assert 0 < len(answer.body) < 100


def test_post_reads_no_more_of_a_huge_answer_than_it_keeps(client: Make) -> None:
    with misbehaving(receivers.huge) as server:
        answer = client().post(server.url, b"{}", HEADERS)
        assert server.hung_up.wait(10)
    assert (answer.status, len(answer.body)) == (200, ANSWER_BYTES)
    assert server.sent < 64 * 1024 * 1024


def test_post_unpacks_no_bomb(client: Make) -> None:
    with misbehaving(receivers.bomb) as server:
        answer = client().post(server.url, b"{}", HEADERS)
    assert answer.status == 200
    assert len(answer.body) <= ANSWER_BYTES
    assert "\0" not in answer.body


def test_post_keeps_no_nul_of_what_is_not_http(client: Make) -> None:
    def nul(_: Misbehaving, connection: socket.socket) -> None:
        connection.sendall(b"\0\r\n\r\n")

    with misbehaving(nul) as server:
        found = fault(client(), server.url)
    assert (found.kind, "\0" in found.detail) == ("protocol", False)


def test_post_nobody_listens(client: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert fault(client(), f"http://127.0.0.1:{port}/").kind == "connect"


def test_post_speaks_tls_with_the_name_though_it_connects_to_the_address(client: Make) -> None:
    with running(Receiver(), receivers.server_tls()) as receiver:
        sender = client(tls=receivers.trusting_tls(), resolver=lambda *_: ["127.0.0.1"])
        url = f"https://receiver.test:{receiver.port}/hook"
        assert sender.post(url, b"{}", HEADERS).status == 204
        assert receiver.got[0].headers["host"] == f"receiver.test:{receiver.port}"
        wrong_name = f"https://other.test:{receiver.port}/hook"
        assert fault(sender, wrong_name).kind == "tls"
        stranger = client(resolver=lambda *_: ["127.0.0.1"])
        assert fault(stranger, url).kind == "tls"
    assert len(receiver.got) == 1


@pytest.mark.parametrize("do", [receivers.hang, receivers.speak_nonsense])
def test_post_receiver_does_not_finish_the_handshake(
    client: Make,
    do: Callable[[Misbehaving, socket.socket], None],
) -> None:
    with misbehaving(do, reads=False) as server:
        sender = client(seconds=0.6, tls=receivers.trusting_tls())
        expected = "timeout" if do is receivers.hang else "tls"
        assert fault(sender, f"https://127.0.0.1:{server.port}/").kind == expected


def test_post_dripping_handshake_buys_no_time(client: Make) -> None:
    def drip(server: Misbehaving, connection: socket.socket) -> None:
        connection.recv(1)
        # The head of a TLS record of 600 bytes, then the record, slowly.
        for byte in b"\x16\x03\x03\x02\x58" + b"\x02" * 600:
            server.send(connection, bytes([byte]))
            receivers.time.sleep(0.1)

    with misbehaving(drip, reads=False) as server:
        sender = client(seconds=0.6, tls=receivers.trusting_tls())
        assert fault(sender, f"https://127.0.0.1:{server.port}/").kind in {"timeout", "tls"}
        assert server.hung_up.wait(10)
    assert server.sent < 100


def test_post_resolves_once_and_checks_every_time(client: Make) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "169.254.169.254"]])
    asked = []

    def flip(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    with running(Receiver()) as receiver:
        sender = client(resolver=flip)
        url = f"http://rebinding.test:{receiver.port}/"
        assert sender.post(url, b"{}", HEADERS).status == 204
        assert fault(sender, url).kind == "blocked"
        assert fault(sender, url).kind == "blocked"
    assert len(asked) == 3
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "http://localhost/", "http://[::1]/", "http://2130706433/"],
)
def test_post_private_address_is_not_connected_to(url: str) -> None:
    assert fault(Client(seconds=5), url).kind == "blocked"


def test_post_name_without_address(client: Make) -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("unknown")

    assert fault(client(resolver=unknown), "https://nowhere.test/").kind == "name"


def test_post_uses_a_connection_again(client: Make) -> None:
    with running(Receiver()) as receiver:
        sender = client()
        for _ in range(5):
            sender.post(receiver.url, b"{}", HEADERS)
        assert (len(receiver.got), receiver.connections) == (5, 1)


def test_post_connection_was_closed_while_it_waited(client: Make) -> None:
    with misbehaving(receivers.answer_and_close) as server:
        sender = client()
        for _ in range(3):
            assert sender.post(server.url, b"{}", HEADERS).body == "ok"


def test_post_keeps_a_body_that_comes_after_its_head_on_a_connection_that_closes(
    client: Make,
) -> None:
    with misbehaving(receivers.close_after_a_late_body) as server:
        assert client().post(server.url, b"{}", HEADERS).body == "late"


def test_post_default_tls_verifies() -> None:
    assert trusting().verify_mode == ssl.CERT_REQUIRED
    assert trusting().check_hostname
