"""The servers around a browser test: a news site's pages, and a way to our service that can be cut."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "date", "server", "content-length"}


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve on a free port of this machine; gives the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Pages:
    """A news site: any page under any path, with the headers that its server would send."""

    url: str = ""
    made: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)

    def put(self, path: str, body: str, headers: dict[str, str] | None = None) -> str:
        """Publish a page; gives its address."""
        chosen = {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
        self.made[path] = (body.encode(), chosen)
        return self.url + path

    def handler(self) -> type[BaseHTTPRequestHandler]:
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, headers = pages.made.get(self.path.partition("?")[0], (b"", {}))
                self.send_response(200 if headers else 404)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@dataclass
class Way:
    """The way to the service: passes everything on, unless a fault was put in its place."""

    service_port: int
    url: str = ""
    # For requests whose path holds this text: what is answered instead; None cuts the connection.
    faults: dict[str, tuple[int, dict[str, str], bytes] | None] = field(default_factory=dict)
    # The fault strikes after the service has answered: the answer is lost on its way back.
    after: bool = False
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def reset(self) -> None:
        self.faults.clear()
        self.seen.clear()
        self.after = False

    def posts(self) -> list[tuple[str, str, dict[str, str], bytes]]:
        """The reports that came by: method, path, headers, body."""
        return [
            request
            for request in self.seen
            if request[0] == "POST" and request[1].endswith("/reports")
        ]

    def posted(self, path: str) -> list[bytes]:
        """The bodies that were posted to where a path ends so."""
        return [body for method, to, _, body in self.seen if method == "POST" and to.endswith(path)]

    def handler(self) -> type[BaseHTTPRequestHandler]:
        way = self

        class Handler(BaseHTTPRequestHandler):
            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                way.seen.append((self.command, self.path, dict(self.headers), body))
                matching = [part for part in way.faults if part in self.path]
                fault = bool(matching) and self.command != "OPTIONS"
                if not fault or way.after:
                    status, headers, answer = self.ask(body)
                if fault:
                    made = way.faults[matching[0]]
                    if made is None:
                        self.close_connection = True
                        return
                    status, headers, answer = made
                    headers = {"Access-Control-Allow-Origin": "*", **headers}
                    headers["Access-Control-Expose-Headers"] = "Retry-After"
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            def ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
                service = http.client.HTTPConnection("127.0.0.1", way.service_port, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name != "Host"}
                service.request(self.command, self.path, body or None, headers)
                with service.getresponse() as answer:
                    kept = {k: v for k, v in answer.getheaders() if k.lower() not in HOP_BY_HOP}
                    found = answer.status, kept, answer.read()
                service.close()
                return found

            do_GET = do_POST = do_PUT = do_OPTIONS = pass_on  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler
