"""A WSGI application behind an event loop."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from flask import Flask

from service.web import asgi
from service.web.asgi import Asgi
from service.web.bodies import BODY_LIMIT
from tests.loops import run_in_loop

Sent = list[dict[str, Any]]
PIECES = [("Content-Type", "text/plain")]
LOOPS: list[int] = []
"""The threads that loops ran in."""


def scope(path: str = "/x", method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.1", 5000),
        "headers": [],
        **more,
    }


def article(**more: Any) -> dict[str, Any]:
    named = {"raw_path": b"/api/v1/articles", "headers": [(b"authorization", b"Bearer x")]}
    return scope("/api/v1/articles", "PUT", **{**named, **more})


def ask(app: Any, asked: dict[str, Any], *messages: dict[str, Any], most: int = 10_000) -> Sent:
    """What is sent for a request of these messages; after so many sent the client goes."""
    sent: Sent = []
    gone = asyncio.Event()
    left = list(messages or [{"type": "http.request", "body": b""}])

    async def receive() -> dict[str, Any]:
        if left:
            return left.pop(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if len(sent) >= most:
            gone.set()

    async def answer() -> None:
        LOOPS.append(threading.get_ident())
        await Asgi(app, threads=2)(asked, receive, send)

    run_in_loop(answer())
    return sent


def body(sent: Sent) -> bytes:
    return b"".join(message.get("body", b"") for message in sent)


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    """Says whether it ran in the loop's thread, and what it was asked."""
    names = ["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "HTTP_COOKIE", "HTTP_X"]
    here = threading.get_ident() == LOOPS[-1]
    said = repr([here, [environ.get(name) for name in names], environ["wsgi.input"].read()])
    start("200 OK", [("Content-Length", str(len(said.encode())))])
    return [said.encode()]


def chunk(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_request_is_passed_on_as_wsgi_has_it() -> None:
    headers = [(b"cookie", b"a=1"), (b"cookie", "b=ї".encode()), (b"x", b"1"), (b"x", b"2")]
    asked = scope("/%D1%97/%ff", raw_path=b"/%D1%97/%ff", query_string=b"q=%D1%97", headers=headers)
    wanted = ["GET", "/\xd1\x97/\xff", "q=%D1%97", "192.0.2.1", "a=1; b=\xd1\x97", "1,2"]
    sent = ask(echo, asked, chunk(b"one", more=True), chunk(b"two"))
    assert body(sent).decode() == repr([False, wanted, b"onetwo"])
    assert sent[0]["status"] == 200


@pytest.mark.parametrize(
    ("path", "method", "is_quick"),
    [
        ("/healthz", "GET", True),
        ("/static/widget.js", "GET", True),
        ("/api/v1/sites/x/reports", "POST", True),
        ("/api/v1/sites/x/reports", "OPTIONS", True),
        ("/api/v1/sites/x/record", "GET", False),
        ("/api/v1/sites/x/widget", "GET", False),
        ("/report", "POST", False),
        ("/review", "GET", False),
    ],
)
def test_what_waits_for_nothing_needs_no_thread(path: str, method: str, is_quick: bool) -> None:
    assert body(ask(echo, scope(path, method))).startswith(b"[True" if is_quick else b"[False")


@pytest.mark.parametrize("reads_at_once", [False, True])
def test_quick_are_the_application_s_own_paths(app: Flask, reads_at_once: bool) -> None:
    read = {"public.widget", "public.places_script"} if reads_at_once else set()
    quick = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if asgi.is_quick({"path": rule.rule.replace("<key>", "x"), "method": method}, reads_at_once)
    }
    assert quick == {"static", "ops.healthz", "public.create_report"} | read


def test_a_body_past_the_limit_is_not_collected() -> None:
    long = chunk(b"x" * BODY_LIMIT, more=True)
    sent = ask(echo, scope(method="POST"), long, long, long, long, chunk(b"end"))
    assert len(body(sent)) < 3 * BODY_LIMIT
    named = scope(method="POST", headers=[(b"content-length", str(BODY_LIMIT + 1).encode())])
    assert body(ask(echo, named, long, long, chunk(b"end"))).endswith(b"b'']")


def test_length_of_what_came_in_pieces_is_told() -> None:
    def length(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [("Content-Length", "5")])
        return [f"{environ['CONTENT_LENGTH']:>5}".encode()]

    asked = scope(method="POST", headers=[(b"transfer-encoding", b"chunked")])
    assert body(ask(length, asked, chunk(b"abc", more=True), chunk(b"d"))) == b"    4"


def test_an_article_may_be_longer() -> None:
    pieces = [chunk(b"x" * BODY_LIMIT, more=True) for _ in range(9)]
    assert body(ask(echo, article(), *pieces, chunk(b"y"))).endswith(b"xy']")
    strangers = body(ask(echo, article(headers=[]), *pieces, chunk(b"y")))
    assert BODY_LIMIT < len(strangers) < 3 * BODY_LIMIT


def test_an_article_that_does_not_come_whole_is_a_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.3)
    pieces = [chunk(b"x" * BODY_LIMIT, more=True) for _ in range(3)]
    assert ask(echo, article(), *pieces)[0]["status"] == 408
    cut = ask(echo, article(), *pieces, {"type": "http.disconnect"})
    assert cut[0]["status"] == 408


@pytest.mark.parametrize("who", ["strangers", "one of them"])
def test_who_drips_an_article_keeps_nobody_from_theirs(
    monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.5)
    served = Asgi(echo, threads=1)
    statuses: list[int] = []
    pieces = [chunk(b"x" * BODY_LIMIT, more=True) for _ in range(3)]

    async def one(asked: dict[str, Any], *messages: dict[str, Any]) -> None:
        left = list(messages)

        async def receive() -> dict[str, Any]:
            if not left:
                await asyncio.sleep(9)
            return left.pop(0)

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await served(asked, receive, send)

    async def all_of_them() -> None:
        LOOPS.append(threading.get_ident())
        given: dict[str, Any] = {"headers": []} if who == "strangers" else {}
        dripping = [asyncio.create_task(one(article(**given), *pieces)) for _ in range(asgi.LARGE)]
        await asyncio.sleep(0.05)
        await one(article(client=("192.0.2.2", 5000)), *pieces, chunk(b"y"))
        assert statuses == [200]
        await asyncio.gather(*dripping)

    run_in_loop(all_of_them())


def test_who_sends_slowly_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "MOST", 1)
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.3)
    served = Asgi(echo, threads=2)
    statuses: dict[str, int] = {}

    async def one(name: str, *messages: dict[str, Any]) -> None:
        left = list(messages)

        async def receive() -> dict[str, Any]:
            if not left:
                await asyncio.sleep(9)
            return left.pop(0)

        async def send(message: dict[str, Any]) -> None:
            statuses.setdefault(name, message.get("status", 0))

        await served(scope(method="POST"), receive, send)

    async def all_of_them() -> None:
        slow = asyncio.create_task(one("slow", chunk(b"x", more=True)))
        await asyncio.sleep(0.05)
        LOOPS.append(threading.get_ident())
        await one("whole", chunk(b"x"))
        await one("also slow", chunk(b"x", more=True))
        await slow

    run_in_loop(all_of_them())
    assert statuses == {"whole": 200, "also slow": 503, "slow": 408}


def test_who_does_not_read_holds_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "TAKE_SECONDS", 0.3)
    closed: list[bool] = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"one", b"two"])

        def close(self) -> None:
            closed.append(True)

    def long(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        start("200 OK", PIECES)
        return Pieces()

    served = Asgi(long, threads=1)
    sent: list[str] = []

    async def one(name: str, *, reads: bool) -> None:
        waiting = [chunk(b"")]

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            return await asyncio.get_running_loop().create_future()

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body" and not reads:
                await asyncio.sleep(9)
            sent.append(name)

        await served(scope(), receive, send)

    async def both() -> None:
        stuck = asyncio.create_task(one("stuck", reads=False))
        await asyncio.sleep(0.05)
        await one("other", reads=True)
        assert not stuck.done()
        await stuck

    run_in_loop(both())
    assert sent == ["stuck", "other", "other", "other", "other"]
    assert closed == [True, True]


def test_who_does_not_read_a_whole_answer_is_in_nobodys_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asgi, "TAKE_SECONDS", 0.3)
    monkeypatch.setattr(asgi, "MOST", 1)

    def large(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [("Content-Length", "100000")])
        return [b"x" * 100_000]

    served = Asgi(large, threads=1)
    told: list[tuple[str, int]] = []

    async def one(name: str, *, reads: bool) -> None:
        async def receive() -> dict[str, Any]:
            return chunk(b"")

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told.append((name, message["status"]))
            elif not reads:
                await asyncio.sleep(9)
                told.append((name, 0))

        await served(scope(), receive, send)

    async def both() -> None:
        stuck = asyncio.create_task(one("stuck", reads=False))
        await asyncio.sleep(0.1)
        await one("other", reads=True)
        assert not stuck.done()
        await stuck

    run_in_loop(both())
    assert told == [("stuck", 200), ("other", 200)]


def test_a_body_that_does_not_come_is_a_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.05)
    sent = ask(echo, scope(method="POST"), chunk(b"x", more=True))
    assert sent[0]["status"] == 408
    cut = ask(echo, scope(method="POST"), chunk(b"x", more=True), {"type": "http.disconnect"})
    assert cut[0]["status"] == 408


def test_more_than_can_wait_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "MOST", 0)
    sent = ask(echo, scope())
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"2") in sent[0]["headers"]


class Pieces:
    """An answer without an end, and whether it was closed."""

    def __init__(self, most: int = 10**9, breaks: bool = False) -> None:
        self.most, self.breaks, self.closed, self.given = most, breaks, 0, 0

    def __call__(self, _environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", PIECES)
        return self

    def __iter__(self) -> Iterator[bytes]:
        while self.given < self.most:
            self.given += 1
            yield b"piece "
        if self.breaks:
            raise OSError("The database is gone.")

    def close(self) -> None:
        self.closed += 1


def test_an_answer_in_pieces_is_sent_piece_by_piece() -> None:
    pieces = Pieces(3)
    sent = ask(pieces, scope())
    assert body(sent) == b"piece " * 3
    assert [message.get("more_body", False) for message in sent[1:]] == [True, True, True, False]
    assert pieces.closed == 1


def test_nobody_writes_for_a_client_that_is_gone() -> None:
    pieces = Pieces()
    ask(pieces, scope(), most=5)
    assert pieces.closed == 1
    assert pieces.given < 20


def test_an_answer_that_breaks_off_is_not_ended() -> None:
    pieces, sent = Pieces(2, breaks=True), list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        if not sent:
            return chunk(b"")
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with pytest.raises(OSError, match="gone"):
        run_in_loop(Asgi(pieces, threads=1)(scope(), receive, send))
    assert all(message.get("more_body", True) for message in sent)
    assert pieces.closed == 1


def test_a_web_socket_is_refused() -> None:
    assert ask(echo, {"type": "websocket"}) == [{"type": "websocket.close"}]
