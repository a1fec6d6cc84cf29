"""An origin that is not the site's, in every disguise."""

import pytest
from flask.testing import FlaskClient

from service.models import Site
from tests.conftest import ORIGIN
from tests.security.tally import Tally
from tests.web.test_public import body, post

ROW = "foreign Origin"

FOREIGN = [
    "null",
    "",
    " ",
    "*",
    "https://other.example",
    "http://news.example",
    "https://news.example:444",
    "https://news.example:443",
    "https://news.example:80",
    "https://news.example:",
    "https://news.example/",
    "https://news.example/a",
    "https://news.example.",
    "https://news.example.evil.example",
    "https://news.exampleevil.example",
    "https://evilnews.example",
    "https://evil-news.example",
    "https://sub.news.example",
    "https://news.example@evil.example",
    "https://evil.example#https://news.example",
    "https://evil.example/?https://news.example",
    "https://news.example%00.evil.example",
    "https://news.example%2eevil.example",
    "https://news_example",
    "https://newsXexample",
    "https://NEWS.example",
    "HTTPS://news.example",
    "Https://News.Example",
    "https://nеws.example".encode().decode("latin-1"),
    "https://news。example".encode().decode("latin-1"),
    "https://xn--nws-1nd.example",
    "https://news.example,https://evil.example",
    "https://news.example https://evil.example",
    "https://evil.example, https://news.example",
    "https://[::1]",
    "https://127.0.0.1",
    "http://localhost",
    "file://",
    "file:///",
    "data:",
    "blob:https://news.example/1",
    "about:blank",
    "chrome-extension://abcdefgh",
    "moz-extension://abcdefgh",
    "capacitor://localhost",
    "news.example",
    "//news.example",
    "https:news.example",
    "https//news.example",
    "wss://news.example",
]


def test_report_from_a_foreign_origin_is_refused_without_a_word_of_cors(
    client: FlaskClient, site: Site, tally: Tally
) -> None:
    assert site.origins == [ORIGIN]
    for number, origin in enumerate(FOREIGN):
        for method in ("POST", "OPTIONS"):
            if method == "POST":
                answer = post(client, site, body(), key=str(number), Origin=origin)
            else:
                answer = client.options(
                    f"/api/v1/sites/{site.key}/reports",
                    headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
                )
            allowed = [name for name, _ in answer.headers if name.startswith("Access-Control")]
            held = (answer.status_code, allowed, "Origin" in answer.vary) == (403, [], True)
            tally.add((method, origin), held=held)


@pytest.mark.parametrize("name", ["widget", "places.js"])
def test_widget_settings_are_not_for_a_foreign_origins_scripts(
    client: FlaskClient, site: Site, tally: Tally, name: str
) -> None:
    url = f"/api/v1/sites/{site.key}/{name}"
    for origin in FOREIGN:
        answer = client.get(url, headers={"Origin": origin})
        held = (
            "Access-Control-Allow-Origin" not in answer.headers
            and "Origin" in answer.vary
            # Nor by a script element, which asks for no permission.
            and answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        )
        tally.add(origin, held=held)
    ours = client.get(url, headers={"Origin": ORIGIN}).headers
    assert ours["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in ours


def test_simple_requests_that_need_no_preflight_are_refused(
    client: FlaskClient, site: Site, tally: Tally
) -> None:
    kinds = [
        "text/plain",
        "text/plain; charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "TEXT/PLAIN",
        "text/plain, application/json",
        "text/plain;application/json",
        "text/json",
        "application/json5",
        "application/ld+json",
        "application/jsonx",
        "",
    ]
    for kind in kinds:
        answer = client.post(
            f"/api/v1/sites/{site.key}/reports",
            data=b"{}",
            headers={"Origin": ORIGIN, "Idempotency-Key": "k", "Content-Type": kind},
        )
        tally.add(kind, held=answer.status_code == 415)


def test_report_without_an_origin_is_refused(client: FlaskClient, site: Site) -> None:
    answer = client.post(
        f"/api/v1/sites/{site.key}/reports", json=body(), headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json["type"]) == (403, "/problems/foreign-origin")
