"""The only way out: a guarded POST with one deadline for all of it, and a bounded answer."""

import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Literal

from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from service.dispatch import guard
from service.dispatch.connections import Connection, Idle, NotConnected, connect
from service.settings import Network

DEADLINE_SECONDS = 15.0
ANSWER_BYTES = 16 * 1024

Fault = Literal[
    "blocked",
    "name",
    "connect",
    "tls",
    "timeout",
    "reset",
    "protocol",
    "refused",
    "content",
    "internal",
]


class SendFailed(Exception):
    """No answer came, or a mail server's refusal: which kind of fault, and a sentence about it."""

    def __init__(self, kind: Fault, detail: str, *, is_final: bool = False) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind: Fault = kind
        # PostgreSQL refuses NUL, which a receiver may have sent.
        self.detail = detail.replace("\0", "\ufffd")
        self.is_final = is_final
        """Whether trying again cannot help."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered; `body` is at most 16 KB, not decompressed, as text."""

    status: int
    body: str
    retry_after: str | None

    @property
    def is_success(self) -> bool:
        """Only 2xx is."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class _Request:
    endpoint: guard.Endpoint
    until: float
    body: bytes
    headers: Mapping[str, str]

    @property
    def key(self) -> tuple[str, str, int]:
        return self.endpoint.scheme, self.endpoint.host, self.endpoint.port


class Client:
    """Posts to addresses that the guard lets through; safe to share between threads."""

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        seconds: float = DEADLINE_SECONDS,
        tls: ssl.SSLContext | None = None,
        resolver: guard.Resolver | None = None,
    ) -> None:
        self._allowed = allowed
        self._seconds = seconds
        self._tls = tls
        self._resolver = resolver
        self._idle = Idle()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request and read its answer; follows no redirect. Raises SendFailed."""
        until = time.monotonic() + self._seconds
        try:
            request = _Request(guard.parse(url), until, body, headers)
            found = guard.resolve(
                request.endpoint, self._allowed, seconds=self._seconds, resolver=self._resolver
            )
            return self._exchange(request, found)
        except guard.NotAllowed as error:
            raise SendFailed("blocked", f"not sent: {error}") from None
        except guard.NoSuchName as error:
            raise SendFailed("name", str(error)) from None
        except TimeoutError:
            raise SendFailed("timeout", f"no answer within {self._seconds:g} seconds") from None
        except ssl.SSLError as error:
            raise SendFailed("tls", _words(error)) from None
        except NotConnected as error:
            raise SendFailed("connect", str(error)) from None
        except OSError as error:
            raise SendFailed("reset", f"the connection broke ({_words(error)})") from None
        except (HTTPException, HTTPError, ValueError) as error:
            raise SendFailed("protocol", f"the answer is not HTTP ({_words(error)})") from None

    def close(self) -> None:
        """Close the connections that wait for another use."""
        self._idle.close()

    def _exchange(self, request: _Request, found: Sequence[guard.Address]) -> Answer:
        kept = self._idle.take(request.key, found)
        if kept is not None:
            try:
                return self._ask(kept, request)
            except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                # It was closed while it waited: nobody's fault, once.
                pass
        return self._ask(connect(request.endpoint, found, request.until, self._tls), request)

    def _ask(self, connection: Connection, request: _Request) -> Answer:
        whole = False
        try:
            connection.timed.until = request.until
            connection.http.request(
                "POST",
                request.endpoint.path,
                request.body,
                {"Host": request.endpoint.authority, "Accept-Encoding": "identity"}
                | dict(request.headers),
                preload_content=False,
                decode_content=False,
            )
            connection.timed.flush()
            response = connection.http.getresponse()
            if connection.timed.has_ended:
                # http.client takes the end of the connection for the end of the head.
                raise SendFailed("protocol", "the answer broke off in its head")
            content, whole = _read(response)
            response.close()
            return Answer(
                response.status,
                # PostgreSQL refuses NUL.
                content.decode(errors="replace").replace("\0", "\ufffd"),
                response.headers.get("Retry-After"),
            )
        finally:
            # http.client drops the socket itself where the receiver asked to close.
            if whole and connection.http.sock is not None:
                self._idle.give(request.key, connection)
            else:
                connection.http.close()
                connection.timed.end()


def _words(error: Exception) -> str:
    # OSError hides its words behind a number, TLS errors theirs behind a line of C.
    words = getattr(error, "verify_message", None) or getattr(error, "strerror", None)
    return " ".join(str(words or error or type(error).__name__).split())[:200]


def _read(response: HTTPResponse) -> tuple[bytes, bool]:
    """The first 16 KB, and whether that was all; what breaks off after the head is no fault."""
    content = b""
    try:
        while len(content) < ANSWER_BYTES:
            part = response.read1(ANSWER_BYTES - len(content))
            if not part:
                return content, True
            content += part
    except (OSError, HTTPException, HTTPError, ValueError):
        pass
    return content, False
