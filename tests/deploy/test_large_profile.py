"""A reader's and an editor's whole way through the proxy, with every process of the large profile."""

import http.client
import json
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from standardwebhooks import Webhook as Signature

from tests.browser.engines import Chromium
from tests.browser.servers import serving
from tests.deploy.conftest import LIMIT, Large, Proxy
from tests.processes import run, run_json
from tests.servers import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("large")]

PASSWORD = "a password for tests"


@dataclass
class Receiver:
    """A newsroom's receiver: keeps each request's headers and body."""

    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def events(self, secret: str) -> list[Any]:
        """What came, each signature verified."""
        return [Signature(secret).verify(body, headers) for headers, body in list(self.came)]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver, lock = Receiver(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                receiver.came.append((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as port:
        receiver.url = f"http://127.0.0.1:{port}/corrections"
        yield receiver


def test_large_profile_serves_a_reader_and_an_editor_through_the_proxy(
    large: Large, chromium: Chromium
) -> None:
    key = run_json(["site", "create", "The Daily", "--origin", large.pages.url], large.env)["key"]
    token = run_json(["token", "create", "--site", key, "--scope", "read,admin"], large.env)[
        "token"
    ]
    made = run(
        ["editor", "create", "editor@news.example", "--site", key], large.env, stdin=PASSWORD
    )
    assert made.returncode == 0, made.stderr
    with receiving() as receiver:
        wanted = {"url": receiver.url, "events": ["correction.*"]}
        webhook = ask(large, "POST", "/api/v1/webhooks", wanted, Authorization=f"Bearer {token}")
        assert webhook.status == 201, webhook.body

        # The proxy's certificate is the test's own.
        reader = chromium.another(ignore_https_errors=True)
        receipt = read_and_report(large, reader, key)
        assert receipt.startswith(f"{large.proxy.url}/r/")
        decide(large, chromium.another(ignore_https_errors=True))

        wait_until(lambda: len(receiver.came) >= 2, 20, "both events arrive")
        events = receiver.events(webhook.body["secret"])
        assert [event["type"] for event in events] == ["correction.created", "correction.accepted"]
        assert events[0]["data"]["selector"][0]["exact"] == "brigde"

        reader.open(receipt)
        assert "brigde" in reader.text("main")
    assert_both_servers_took_part(large)


def read_and_report(large: Large, reader: Chromium, key: str) -> str:
    """The reader's half; gives the receipt's address."""
    script = f'<script src="{large.proxy.url}/static/widget.js" data-site="{key}" async></script>'
    reader.open(
        large.pages.put("/bridge", f"<title>Bridge</title><p>The new brigde opened.</p>{script}")
    )
    reader.wait_for("window.Corrigenda")
    reader.select("p", "brigde")
    reader.press("Control+Enter")
    reader.inside_dialog("textarea[name=suggestion]").fill("bridge")
    reader.inside_dialog("button[type=submit]").click()
    receipt = reader.inside_dialog("[role=status] a").attribute("href")
    assert receipt is not None
    return receipt


def decide(large: Large, editor: Chromium) -> None:
    """The editor's half; the session's cookie is kept to this host and to TLS."""
    editor.open(f"{large.proxy.url}/review")
    editor.page.get_by_label("E-mail").fill("editor@news.example")
    editor.page.get_by_label("Password").fill(PASSWORD)
    editor.page.get_by_role("button", name="Sign in").click()
    entry = editor.page.locator("article, li").filter(has_text="brigde").first
    entry.get_by_role("button", name="Accept").click()
    editor.page.wait_for_load_state()
    [cookie] = [found for found in editor.context.cookies() if found["name"] == "__Host-corrigenda"]
    assert cookie["name"] == "__Host-corrigenda"
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")


def assert_both_servers_took_part(large: Large) -> None:
    for port in large.proxy.upstreams:
        assert f" 127.0.0.1:{port}\n" in large.proxy.log


def test_limits_count_the_readers_address_once_over_all_processes(large: Large) -> None:
    key = run_json(["site", "create", "The Daily", "--origin", large.pages.url], large.env)["key"]
    # The reader's own forwarded headers change nothing: the proxy replaces them.
    first = [report(large, key, source="127.0.0.2", pretended=f"203.0.113.{n}") for n in range(12)]
    assert sorted(first) == [201] * LIMIT + [429] * (12 - LIMIT)
    second = [report(large, key, source="127.0.0.3", pretended="127.0.0.1") for _ in range(6)]
    assert sorted(second) == [201] * LIMIT + [429]
    assert_both_servers_took_part(large)


def report(large: Large, key: str, *, source: str, pretended: str) -> int:
    """Send a report from an address of this machine, under another one's name."""
    body = {"target": {"source": f"{large.pages.url}/a"}, "comment": "a mistake", "website": ""}
    headers = {
        "Origin": large.pages.url,
        "Idempotency-Key": uuid.uuid4().hex,
        "X-Forwarded-For": pretended,
        "Forwarded": f"for={pretended}",
    }
    return ask(large, "POST", f"/api/v1/sites/{key}/reports", body, source=source, **headers).status


def test_readers_are_served_while_one_server_is_gone(large: Large) -> None:
    key = run_json(["site", "create", "The Daily", "--origin", large.pages.url], large.env)["key"]
    large.servers[0].kill()
    try:
        answers = [ask(large, "GET", f"/api/v1/sites/{key}/widget").status for _ in range(10)]
        answers += [report(large, key, source="127.0.0.4", pretended="") for _ in range(LIMIT)]
    finally:
        large.servers[0].start()
    assert answers == [200] * 10 + [201] * LIMIT


def test_proxy_sends_plain_http_to_tls_and_keeps_metrics_inside(large: Large) -> None:
    plain = http.client.HTTPConnection("127.0.0.1", large.proxy.plain_port, timeout=10)
    plain.request("GET", "/record/x?y=1", headers={"Host": "corrections.example"})
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (
        308,
        "https://corrections.example/record/x?y=1",
    )
    plain.close()
    assert ask(large, "GET", "/metrics").status == 404
    assert ask(large, "GET", "/readyz").body == {"status": "ready"}


def test_doctor_finds_nothing_wrong_with_the_large_profile(large: Large) -> None:
    done = run(["doctor", "--json"], {**large.env, "SSL_CERT_FILE": str(large.proxy.certificate)})
    found = {line["about"]: line["level"] for line in map(json.loads, done.stdout.splitlines())}
    about = ("disk", "database", "limits", "public URL", "proxies")
    assert found == dict.fromkeys(about, "ok")
    assert done.returncode == 0


def test_proxy_writes_no_address_and_no_secret_link_down_while_all_are_gone(
    lone_proxy: Proxy,
) -> None:
    context = ssl.create_default_context(cafile=str(lone_proxy.certificate))
    connection = http.client.HTTPSConnection("127.0.0.1", lone_proxy.port, context=context)
    connection.request("GET", "/r/a-secret-link?locale=uk")
    assert connection.getresponse().status == 502
    connection.close()
    assert lone_proxy.error_log == ""


def test_proxy_writes_no_address_and_no_secret_link_down(large: Large) -> None:
    ask(large, "GET", "/r/a-secret-link?and=more")
    assert "a-secret-link" not in large.proxy.log
    assert "127.0.0.1 " not in large.proxy.log


@dataclass
class Answer:
    """What came back through the proxy."""

    status: int
    body: Any


def ask(
    large: Large,
    method: str,
    path: str,
    body: object = None,
    *,
    source: str = "127.0.0.1",
    **headers: str,
) -> Answer:
    """Ask through the proxy by TLS, its certificate checked."""
    trusted = ssl.create_default_context(cafile=str(large.proxy.certificate))
    connection = http.client.HTTPSConnection(
        "127.0.0.1", large.proxy.port, timeout=20, context=trusted, source_address=(source, 0)
    )
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    is_json = "json" in (answer.headers["Content-Type"] or "")
    return Answer(answer.status, json.loads(content) if is_json else content)
