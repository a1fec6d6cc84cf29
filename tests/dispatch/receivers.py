"""Receivers on real sockets: one that behaves, and one for every way of misbehaving."""

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook as Verifier

from tests.servers import PATIENCE

TLS = Path(__file__).parent / "tls"


def server_tls() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    return made


def trusting_tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(TLS / "certificate.pem"))


@dataclass(frozen=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Answers each request with what `answer` says: a status, and headers if any."""

    answer: Callable[[Got], tuple[int, dict[str, str]]] = lambda _got: (204, {})
    got: list[Got] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def ids(self) -> list[str]:
        with self.lock:
            return [got.id for got in self.got]

    def wait_for(self, count: int, seconds: float = PATIENCE) -> list[Got]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self.lock:
                if len(self.got) >= count:
                    return list(self.got)
            time.sleep(0.01)
        raise AssertionError(f"{len(self.got)} of {count} arrived within {seconds} s")

    def verified(self, secret: str) -> list[object]:
        """What arrived, as the library reads it; raises where a signature is wrong."""
        with self.lock:
            return [Verifier(secret).verify(got.body, got.headers) for got in self.got]


@contextlib.contextmanager
def running(receiver: Receiver, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            with receiver.lock:
                receiver.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.path, headers, body, time.monotonic())
            with receiver.lock:
                receiver.got.append(got)
            status, more = receiver.answer(got)
            self.send_response(status)
            content = b"" if status == 204 else b"an answer"
            for name, value in more.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            # Clients that hang up are what these tests are about.
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    receiver.port = server.server_address[1]
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Misbehaving:
    """A socket server that does one thing to every connection after reading the request."""

    do: Callable[[socket.socket], None]
    reads: bool = True
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when the client closed before this server was through."""
    sent: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def send(self, connection: socket.socket, part: bytes) -> None:
        try:
            connection.sendall(part)
        except OSError:
            self.hung_up.set()
            raise
        self.sent += len(part)


@contextlib.contextmanager
def misbehaving(
    do: Callable[[Misbehaving, socket.socket], None], *, reads: bool = True
) -> Iterator[Misbehaving]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Misbehaving(lambda connection: do(server, connection), reads)
    server.port = listener.getsockname()[1]

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if server.reads:
                read_request(connection)
            server.do(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    [length] = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while len(body) < length:
        body += connection.recv(65536)
    return data


def drip_head(server: Misbehaving, connection: socket.socket, pause: float = 0.1) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 600:
        server.send(connection, bytes([byte]))
        time.sleep(pause)


def drip_body(server: Misbehaving, connection: socket.socket, pause: float = 0.1) -> None:
    server.send(connection, b"HTTP/1.1 500 Oh\r\nContent-Length: 600\r\n\r\n")
    for _ in range(600):
        server.send(connection, b"a")
        time.sleep(pause)


def hang(server: Misbehaving, connection: socket.socket) -> None:
    while connection.recv(65536):
        pass
    server.hung_up.set()


def reset(_server: Misbehaving, connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def truncate_head(server: Misbehaving, connection: socket.socket) -> None:
    server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Ty")


def speak_nonsense(server: Misbehaving, connection: socket.socket) -> None:
    server.send(connection, b"220 mail.example ESMTP\r\n")


def flood_interim(server: Misbehaving, connection: socket.socket) -> None:
    while True:
        server.send(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        # Endless, but other threads of this process have to get their turn.
        time.sleep(0.01)


def huge(server: Misbehaving, connection: socket.socket) -> None:
    size = 1024**3
    server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    for _ in range(size // 65536):
        server.send(connection, b"a" * 65536)


def bomb(server: Misbehaving, connection: socket.socket) -> None:
    """A quarter of a gigabyte: members of gzip may follow one another (RFC 1952, 2.2)."""
    packed = gzip.compress(bytes(1024 * 1024)) * 256
    server.send(
        connection,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed),
    )
    server.send(connection, packed)


def close_after_a_late_body(server: Misbehaving, connection: socket.socket) -> None:
    """Says that it will close, and its body comes after its head has been read."""
    server.send(connection, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\n")
    time.sleep(0.05)
    server.send(connection, b"late")


def answer_and_close(server: Misbehaving, connection: socket.socket) -> None:
    """Says that the connection stays open, and closes it."""
    server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
