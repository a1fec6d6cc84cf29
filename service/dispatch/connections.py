"""Connections to checked addresses, on which every call shares one deadline."""

import io
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from service.dispatch.guard import Address, Endpoint

IDLE_SECONDS = 20.0
IDLE_CONNECTIONS = 16
"""Kept open per receiver."""

Key = tuple[str, str, int]
"""Scheme, host and port."""


class NotConnected(Exception):
    """No address of the receiver took the connection."""


@dataclass(slots=True)
class Connection:
    """An open connection: `http` speaks, `timed` keeps the deadline."""

    http: HTTPConnection
    timed: "TimedSocket"
    address: Address
    idle_since: float = 0.0


@cache
def trusting() -> ssl.SSLContext:
    """What checks certificates by the machine's authorities: read once, when first needed."""
    return ssl.create_default_context()


def left(until: float) -> float:
    """Seconds to a moment of the monotonic clock; raises TimeoutError when there are none."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def connect(
    endpoint: Endpoint, found: Sequence[Address], until: float, tls: ssl.SSLContext | None = None
) -> Connection:
    """Connect to the first address that takes it; nobody resolves anything again.

    Certificates are checked by `tls`, or as `trusting` does.
    Raises NotConnected, TimeoutError, ssl.SSLError.
    """
    refused: OSError | None = None
    for address in found:
        http = _dial(endpoint, address, until, tls)
        try:
            http.connect()
        except (TimeoutError, ssl.SSLError):
            http.close()
            raise
        except OSError as error:
            http.close()
            refused = error
            continue
        timed = TimedSocket(http.sock, until)
        http.sock = timed
        return Connection(http, timed, address)
    raise NotConnected((refused and refused.strerror) or "there is no address")


def _dial(
    endpoint: Endpoint, address: Address, until: float, tls: ssl.SSLContext | None = None
) -> HTTPConnection:
    if endpoint.scheme == "http":
        return _Plain(str(address), endpoint.port, timeout=left(until))
    # The certificate has to be the name's, not the address's.
    checking = tls or trusting()
    secure = _Secure(
        str(address), endpoint.port, ssl_context=checking, server_hostname=endpoint.host
    )
    secure.until = until
    return secure


class _Plain(HTTPConnection):
    def _new_conn(self) -> Any:
        # urllib3's own wraps the operating system's errors, whose kinds we tell apart.
        return create_connection(
            (self.host, self.port), self.timeout, socket_options=self.socket_options
        )


class _Secure(HTTPSConnection):
    until: float

    def _new_conn(self) -> Any:
        sock = create_connection(
            (self.host, self.port), left(self.until), socket_options=self.socket_options
        )
        # A handshake keeps the socket's timeout as one deadline for all of its round trips.
        sock.settimeout(left(self.until))
        return sock


class TimedSocket:
    """A socket whose calls share one deadline: dripping bytes buy no time."""

    def __init__(self, sock: Any, until: float) -> None:
        self._sock = sock
        self.until = until
        self.has_ended = False
        """Whether the other side has sent its last byte."""
        self._unsent = bytearray()
        self._readers = 0
        self._is_unwanted = False

    def settimeout(self, _seconds: float | None) -> None:
        """Ignored: `until` decides."""

    def sendall(self, data: bytes) -> None:
        """Put something into what `flush` sends: a request's head and body leave together."""
        self._unsent += data

    def flush(self) -> None:
        """Send everything before the deadline, or raise TimeoutError."""
        data, self._unsent = self._unsent, bytearray()
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(left(self.until))
            rest = rest[self._sock.send(rest) :]

    def recv_into(self, buffer: Any) -> int:
        """Receive some before the deadline, or raise TimeoutError."""
        self._sock.settimeout(left(self.until))
        count: int = self._sock.recv_into(buffer)
        self.has_ended = self.has_ended or count == 0
        return count

    def makefile(self, _mode: str = "rb", *_: Any, **__: Any) -> io.BufferedReader:
        """A reader; the socket outlives its own closing until the reader is closed too."""
        self._readers += 1
        return io.BufferedReader(_Incoming(self), 16 * 1024)

    def fileno(self) -> int:
        """The descriptor, for asking whether the other side has closed."""
        number: int = self._sock.fileno()
        return number

    def close(self) -> None:
        """Close the socket, once nobody reads: http.client closes before the body has come."""
        self._is_unwanted = True
        if not self._readers:
            self._sock.close()

    def end(self) -> None:
        """Close the socket at once."""
        self._sock.close()

    def reader_closed(self) -> None:
        """Close what was left open for a reader."""
        self._readers -= 1
        if self._is_unwanted and not self._readers:
            self._sock.close()


class _Incoming(io.RawIOBase):
    def __init__(self, sock: TimedSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._sock.reader_closed()


@dataclass(slots=True)
class Idle:
    """Connections that were read to the end and may be used again."""

    kept: dict[Key, list[Connection]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: Key, found: Sequence[Address]) -> Connection | None:
        """The newest one that leads to an address which was found, checked, just now."""
        while (connection := self._newest(key)) is not None:
            # Asks the operating system: with the lock held, all would wait for each.
            if connection.address in found and connection.http.is_connected:
                return connection
            connection.http.close()
        return None

    def _newest(self, key: Key) -> Connection | None:
        with self.lock:
            self._drop_old()
            waiting = self.kept.get(key)
            return waiting.pop() if waiting else None

    def give(self, key: Key, connection: Connection) -> None:
        """Keep one for later."""
        connection.idle_since = time.monotonic()
        with self.lock:
            if len(self.kept[key]) < IDLE_CONNECTIONS:
                self.kept[key].append(connection)
                return
        connection.http.close()

    def close(self) -> None:
        """Close them all."""
        with self.lock:
            for waiting in self.kept.values():
                for connection in waiting:
                    connection.http.close()
            self.kept.clear()

    def _drop_old(self) -> None:
        oldest = time.monotonic() - IDLE_SECONDS
        for key in list(self.kept):
            while self.kept[key] and self.kept[key][0].idle_since < oldest:
                self.kept[key].pop(0).http.close()
            if not self.kept[key]:
                del self.kept[key]
