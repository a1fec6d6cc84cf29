"""The application for a server that waits for all connections in one thread (ASGI).

Reports are answered in that thread itself, beside what never waits for anything: threads that share
Python's lock would spend more on handing it over than on reports. All other requests get a thread.
"""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes
from weakref import WeakValueDictionary
from wsgiref.types import StartResponse, WSGIApplication

from sqlalchemy.util import greenlet_spawn

from service.web.bodies import BODY_LIMIT, limit_of

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_SECONDS = 30
"""So long a body may take to arrive."""

MOST = 1000
"""So many requests are answered or wait; more are told to come back."""

BUSY = 503, b"Service Unavailable", b"Too many ask at once; try again.", (b"retry-after", b"2")

TAKE_SECONDS = 60
"""So long a client may read nothing of what is sent piece by piece, or take over a whole one."""

SMALL_BYTES = 16 * 1024
"""An answer so small is sent without a look at the clock."""

STATIC = "/static/"
READ = ("/widget", "/places.js")
"""What the widget reads of a site."""

LARGE = 32
LARGE_EACH = 8
"""So many bodies that may be larger than most are read at once for one path, and of one client."""

DEMO = "/demo/"
"""Large bodies come here without a token."""

DISCARD_BYTES = 1024 * 1024
"""So much is read of a body past its limit, before it is refused."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    chunks: Iterable[bytes]

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there: its length is known, or it has no body."""
        known = any(name == b"content-length" for name, _ in self.headers)
        return known or self.status in {204, 304}

    def body(self) -> bytes:
        """All of it."""
        try:
            return b"".join(self.chunks)
        finally:
            self.close()

    def close(self) -> None:
        """Let the application go."""
        if callable(close := getattr(self.chunks, "close", None)):
            close()


class Asgi:
    """A WSGI application behind ASGI."""

    def __init__(self, app: WSGIApplication, threads: int, *, reads_at_once: bool = False) -> None:
        self.app = app
        self._reads_at_once = reads_at_once
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._turns = asyncio.Semaphore(threads)
        self._large = WeakValueDictionary[str, asyncio.Semaphore]()
        self._begun = self._reading = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; nothing here is a web socket."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        message = await receive()
        body: bytes | None = message.get("body", b"")
        if message.get("more_body"):
            # Whoever sends slowly is in the way of others who do, and of nobody else.
            if self._reading >= MOST:
                await _refuse(send, *BUSY)
                return
            self._reading += 1
            try:
                body = await self._rest(scope, receive, body or b"")
            finally:
                self._reading -= 1
        elif message["type"] != "http.request":
            body = None
        if body is None:
            await _refuse(send, 408, b"Request Timeout", b"The body did not come.")
            return
        if self._begun >= MOST:
            await _refuse(send, *BUSY)
            return
        self._begun += 1
        try:
            answer, whole = await self._answer(scope, body)
            if whole is None:
                await self._send_pieces(answer, receive, send)
                return
        finally:
            self._begun -= 1
        # Whoever reads slowly is in nobody's way.
        await _send(send, answer, whole)

    async def _rest(self, scope: dict[str, Any], receive: Receive, body: bytes) -> bytes | None:
        """The body, no longer than is looked at; None where it does not come."""
        path: str = scope["path"]
        most, collected = limit_of(path), bytearray(body)
        is_refused = any(
            name == b"content-length" and int(v) > most for name, v in scope["headers"]
        )
        try:
            async with asyncio.timeout(BODY_SECONDS):
                if is_refused:
                    collected.clear()  # The application refuses it by its length.
                elif await _collect(collected, receive, BODY_LIMIT):
                    is_refused = most == BODY_LIMIT or not _may_be_large(scope)
                    if not is_refused:
                        async with (
                            self._place(_client(scope), LARGE_EACH),
                            self._place(path, LARGE),
                        ):
                            is_refused = await _collect(collected, receive, most)
                if is_refused:
                    await _discard(receive)
        except (TimeoutError, EOFError):
            return bytes(collected) if is_refused else None
        return bytes(collected)

    def _place(self, whose: str, most: int) -> asyncio.Semaphore:
        """One of so many places for large bodies, of a client or for a path."""
        return self._large.setdefault(whose, asyncio.Semaphore(most))

    async def _answer(self, scope: dict[str, Any], given: bytes) -> tuple[Answer, bytes | None]:
        """The answer and all of its body; None where that is sent while it is made."""
        environ = _environ(scope, given)
        if is_quick(scope, self._reads_at_once):
            answer = await greenlet_spawn(self._call, environ)
            return answer, answer.body()
        async with self._turns:
            found: tuple[Answer, bytes | None] = await self._run(self._begin, environ)
            return found

    def _call(self, environ: dict[str, Any]) -> Answer:
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            told[:] = [status, headers]

        respond: StartResponse = start
        chunks = self.app(environ, respond)
        status, headers = told
        encoded = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers]
        return Answer(int(status[:3]), encoded, chunks)

    def _begin(self, environ: dict[str, Any]) -> tuple[Answer, bytes | None]:
        answer = self._call(environ)
        return answer, answer.body() if answer.is_whole else None

    async def _run(self, work: Callable[..., Any], *given: Any) -> Any:
        """What work returns, done by a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    async def _send_pieces(self, answer: Answer, receive: Receive, send: Send) -> None:
        """Send an answer while it is made, as long as somebody listens."""
        chunks = iter(answer.chunks)
        gone = asyncio.create_task(_gone(receive))
        try:
            await send(_start(answer))
            while not gone.done():
                async with self._turns:
                    chunk = await self._run(next, chunks, None)
                more = {
                    "type": "http.response.body",
                    "body": chunk or b"",
                    "more_body": chunk is not None,
                }
                # The server closes a connection whose answer was not sent to its end.
                if not await _is_taken(send(more), gone) or chunk is None:
                    break
        finally:
            gone.cancel()
            await self._run(answer.close)


def is_quick(scope: dict[str, Any], reads_at_once: bool) -> bool:
    """Whether a request waits for nothing but its turn to write.

    What the widget reads is little, and comes at once from a file; over a network it may not.
    """
    path: str = scope["path"]
    if path.startswith("/api/v1/sites/"):
        if scope["method"] == "GET":
            return reads_at_once and path.endswith(READ)
        return path.endswith("/reports")
    return path.startswith(STATIC) or path == "/healthz"


def _client(scope: dict[str, Any]) -> str:
    return scope["client"][0] if scope["client"] else ""


def _may_be_large(scope: dict[str, Any]) -> bool:
    """Whether a body past the limit of most may be wanted: whoever has no token is refused."""
    has_token = any(name == b"authorization" for name, _ in scope["headers"])
    return has_token or scope["path"].startswith(DEMO)


async def _collect(body: bytearray, receive: Receive, most: int) -> bool:
    """Read more of a body, until it is longer; whether there is more. Raises EOFError."""
    while len(body) <= most:
        message = await receive()
        if message["type"] != "http.request":
            raise EOFError
        body += message.get("body", b"")
        if not message.get("more_body"):
            return False
    return True


async def _discard(receive: Receive) -> None:
    """Read what is not looked at: who is cut off while sending does not hear why."""
    left = DISCARD_BYTES
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body"):
            break


async def _is_taken(sending: Awaitable[None], gone: "asyncio.Task[None]") -> bool:
    """Whether a client takes what is sent; not where it is gone, or reads nothing for so long."""
    task = asyncio.ensure_future(sending)
    await asyncio.wait({task, gone}, timeout=TAKE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
        return True
    task.cancel()
    return False


async def _gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _environ(scope: dict[str, Any], body: bytes) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    raw: bytes = scope["raw_path"]
    host, port = scope["server"] or ("localhost", None)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": (unquote_to_bytes(raw) if b"%" in raw else raw).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": _client(scope),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key, text = _key(name), value.decode("latin-1")
        if key in environ:
            separator = "; " if key == "HTTP_COOKIE" else ","
            text = f"{environ[key]}{separator}{text}"
        environ[key] = text
    if environ.pop("HTTP_TRANSFER_ENCODING", None):
        # It came in pieces and is whole now: by its length the application knows what is too long.
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


@lru_cache(maxsize=256)
def _key(header: bytes) -> str:
    """A header's name in the environment."""
    name = header.decode("latin-1").upper().replace("-", "_")
    return name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"


def _start(answer: Answer) -> Message:
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": answer.headers,
    }


async def _send(send: Send, answer: Answer, body: bytes) -> None:
    await send(_start(answer))
    sending = send({"type": "http.response.body", "body": body})
    if len(body) <= SMALL_BYTES:
        await sending
        return
    # The server closes a connection whose answer was not sent to its end.
    with suppress(TimeoutError):
        async with asyncio.timeout(TAKE_SECONDS):
            await sending


async def _refuse(
    send: Send, status: int, title: bytes, detail: bytes, *headers: tuple[bytes, bytes]
) -> None:
    """Answer with a problem before the application is asked."""
    told = b'{"type":"about:blank","title":"%b","status":%d,"detail":"%b"}'
    body = told % (title, status, detail)
    kind = [(b"content-type", b"application/problem+json")]
    size = [(b"content-length", str(len(body)).encode())]
    await _send(send, Answer(status, [*kind, *size, *headers, (b"connection", b"close")], []), body)
