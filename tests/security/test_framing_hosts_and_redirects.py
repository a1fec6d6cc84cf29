"""Framing, foreign hosts, redirects that lead away, and lines put into headers and logs."""

import json
import logging
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.logs import JsonLines
from service.models import Editor, Site
from service.web.forms import place
from tests.conftest import ORIGIN
from tests.security.tally import Tally
from tests.web.test_pages import OURS, form_token, sign_in
from tests.web.test_public import body, post

ROW = "framing, caching, host header, open redirect, header and log injection"

HOSTS = [
    "evil.example",
    "evil.example:443",
    "localhost.evil.example",
    "evil.example/localhost",
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost, evil.example",
    "localhost evil.example",
    "localhost:443:evil",
    "corrections.example",
    "sub.localhost",
    "127.0.0.2",
    "127.1",
    "2130706433",
    "0.0.0.0",
    "[::]",
    "[::ffff:127.0.0.1]",
    "*",
    "..",
    "<script>",
    "'\"",
    "xn--localhost",
]

AWAY = [
    "https://evil.example/",
    "http:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "//evil.example/",
    "///evil.example/",
    "////evil.example/",
    "/\\evil.example/",
    "/\\/evil.example/",
    "\\/evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "/\r/evil.example/",
    "\t//evil.example/",
    " //evil.example/",
    "\x00//evil.example/",
    "\x0b//evil.example",
    "/\x00/evil.example/",
    "//localhost@evil.example/",
    "//evil.example\\@localhost/",
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "evil.example",
    ".evil.example",
    "@evil.example",
    "?next=//evil.example",
    "",
    " ",
    "/review\r\nSet-Cookie: a=b",
    "/review\r\n\r\n<script>alert(1)</script>",
    "/review\nLocation: https://evil.example",
    "/\u2028/evil.example",
    "/\u202e",
    "\ufeff//evil.example",
    "//[::1]/",
    "//[",
    "//a]]",
    "https://[evil.example/",
    "//evil.example:443/",
    "/\u2215evil.example\u200b",
    "//\u3002evil.example",
]


def leads_away(location: str) -> bool:
    return (
        not location.startswith("/")
        or location.startswith(("//", "/\\"))
        or not location.isprintable()
    )


def test_foreign_host_header_is_answered_with_nothing_of_ours(
    client: FlaskClient, tally: Tally
) -> None:
    for host in HOSTS:
        for path in ("/login", "/docs", "/healthz", "/review", "/openapi.json"):
            answer = client.get(path, headers={"Host": host})
            held = answer.status_code == 400 and "evil" not in answer.text.replace(repr(host), "")
            tally.add((host, path, answer.status_code), held=held)
    for name in (
        "X-Forwarded-Host",
        "X-Host",
        "X-Original-Host",
        "Forwarded",
        "X-Original-URL",
        "X-Rewrite-URL",
    ):
        answer = client.get("/review", headers={name: "host=evil.example"})
        tally.add(name, held=answer.headers["Location"] == "/login?next=/review")


def test_next_is_a_path_of_our_own(tally: Tally) -> None:
    for given in AWAY:
        tally.add(given, held=place(given) == "/review")


def test_no_form_leads_away(client: FlaskClient, editor: Editor, site: Site, tally: Tally) -> None:
    made: Any = post(client, site, body())
    correction = f"/review/{made.json['correction_id']}"
    sign_in(client, editor)
    token = form_token(client)
    for given in AWAY:
        sent = {"form_token": token, "next": given, "category": "typo", "to": "new"}
        answer = client.post(f"{correction}/changes", data=sent, headers=OURS)
        held = answer.status_code == 303 and not leads_away(answer.headers["Location"])
        shown = client.get(correction, query_string={"next": given}).text
        tally.add(given, held=held and 'href="/review"' in shown)
    signs = [sign_in(client, editor, next=given) for given in AWAY[:8]]
    for answer in signs:
        tally.add(answer.headers["Location"], held=answer.headers["Location"] == "/review")


@pytest.mark.parametrize(
    "line",
    [
        "\r\nX-Injected: 1",
        "\nX-Injected: 1",
        "\r\n\r\n<html>",
        "%0d%0aX-Injected: 1",
        "\u010d\u010aX-Injected: 1",
        "\x85X-Injected: 1",
    ],
)
def test_no_line_is_put_into_headers_or_logs(
    client: FlaskClient, site: Site, caplog: pytest.LogCaptureFixture, tally: Tally, line: str
) -> None:
    caplog.set_level(logging.INFO)
    asked = [
        client.get("/review", query_string={"q": line}),
        client.get("/login", query_string={"next": "/review" + line}),
        client.get("/r/" + line.replace("\r", "%0d").replace("\n", "%0a")),
        client.get(
            f"/api/v1/sites/{site.key}/widget", query_string={"locale": line[:35], "url": line}
        ),
        client.get("/static/" + line.replace("\r", "%0d").replace("\n", "%0a")),
        post(client, site, body(target={"source": ORIGIN + "/a" + line}, title=line)),
        post(client, site, body(comment=line), key="k2"),
    ]
    for answer in asked:
        values = [f"{name}: {value}" for name, value in answer.headers]
        held = "X-Injected" not in answer.headers and not any(
            "\n" in each or "\r" in each for each in values
        )
        tally.add((line, values), held=held)
    lines = [JsonLines().format(record) for record in caplog.records]
    assert len(lines) >= len(asked)
    for text in lines:
        tally.add(text, held=len(text.splitlines()) == 1 and isinstance(json.loads(text), dict))
