import gzip
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import static_folder
from service.db import Database
from service.models import Kind, Site
from tests.conftest import ORIGIN
from tests.record.publishing import published
from tests.support.conftest import text

FOLDER = static_folder()


@pytest.fixture
def ask(client: FlaskClient, site: Site) -> Callable[..., Any]:
    """The answer that the widget gets."""

    def asked(**query: str) -> Any:
        return client.get(f"/api/v1/sites/{site.key}/widget", query_string=query)

    return asked


def test_article_without_corrections_adds_nothing(ask: Callable[..., Any]) -> None:
    assert ask(url=f"{ORIGIN}/a").json == ask().json
    assert "corrections" not in ask().json


def test_article_has_its_corrections_in_the_readers_language(
    ask: Callable[..., Any], database: Database, site: Site, other_site: Site, now: datetime
) -> None:
    made = published(
        database, site, now, path="/a", kind=Kind.CLARIFICATION, said="wrold", says="world"
    )
    published(database, site, now, path="/b")
    published(database, other_site, now, path="/a")
    found = ask(url=f"{ORIGIN}/a?utm_source=x", locale="de").json["corrections"]
    [item] = found.pop("items")
    record = f"https://localhost/record/{site.key}"
    assert found == {
        "heading": "Korrekturen zu diesem Artikel",
        "more": "Alle Korrekturen",
        "record_url": record,
    }
    assert (item["label"], item["said"], item["says"]) == ("Klarstellung", "wrold", "world")
    assert item["url"] == f"{record}/{made}"


def test_at_most_twenty_corrections_are_shown(
    ask: Callable[..., Any], database: Database, site: Site, now: datetime
) -> None:
    for number in range(21):
        published(database, site, now, path="/a", says=f"word {number}")
    assert len(ask(url=f"{ORIGIN}/a").json["corrections"]["items"]) == 20


@pytest.mark.parametrize("url", ["javascript:alert(1)", "a", "https://elsewhere.example/a"])
def test_page_of_others_has_no_corrections(ask: Callable[..., Any], url: str) -> None:
    answer = ask(url=url)
    assert answer.status_code == 200
    assert "corrections" not in answer.json


def test_answer_is_kept_and_asked_for_again_only_if_it_changed(
    client: FlaskClient, ask: Callable[..., Any], database: Database, site: Site, now: datetime
) -> None:
    first = ask(url=f"{ORIGIN}/a")
    path, query = f"/api/v1/sites/{site.key}/widget", {"url": f"{ORIGIN}/a"}
    headers = {"If-None-Match": first.headers["ETag"]}
    again = client.get(path, query_string=query, headers=headers)
    assert (again.status_code, again.data) == (304, b"")
    published(database, site, now, path="/a")
    assert client.get(path, query_string=query, headers=headers).status_code == 200


def test_letters_are_sent_as_they_are(ask: Callable[..., Any]) -> None:
    assert "Повідомити про помилку".encode() in ask(locale="uk").data


@pytest.fixture
def script(client: FlaskClient, site: Site) -> Callable[..., Any]:
    """The script that fills a page's places."""

    def asked(**query: str) -> Any:
        return client.get(f"/api/v1/sites/{site.key}/places.js", query_string=query)

    return asked


def told(answer: Any) -> Any:
    """What a script tells the widget."""
    found = re.search(r"widget\.told=(.*)\}\)\)\(document\.currentScript\);$", lines(answer)[0])
    assert found
    return json.loads(found[1])


def lines(answer: Any) -> list[str]:
    """The beginning of a script, and after it the parts."""
    # Not `splitlines`: texts may hold separators that JavaScript takes for letters.
    return str(answer.text).split("\n")


def part(name: str) -> list[str]:
    return (FOLDER / name).read_text(encoding="utf-8").split("\n")


def test_script_for_places_with_nothing_to_show_holds_no_part(script: Callable[..., Any]) -> None:
    answer = script(locale="uk", url=f"{ORIGIN}/a", support="1")
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert told(answer) == {
        "locale": "uk",
        "dir": "ltr",
        "strings": {"close": "Закрити"},
        "article_selector": None,
    }
    assert len(lines(answer)) == 1
    assert '"corrigenda-corrections,corrigenda-support"' in answer.text
    assert len(answer.data) < 500


def test_script_holds_the_parts_that_have_something_to_show_and_what_the_answer_has(
    script: Callable[..., Any],
    ask: Callable[..., Any],
    client: FlaskClient,
    bearer: dict[str, str],
    database: Database,
    site: Site,
    now: datetime,
) -> None:
    published(database, site, now, path="/a", said='wrold</script>\u2028"', says="world")
    query = {"locale": "en", "url": f"{ORIGIN}/a"}
    answer = script(**query)
    assert lines(answer)[1:] == part("places.js")
    assert told(answer)["corrections"] == ask(**query).json["corrections"]
    assert "support" not in told(answer)
    campaign = {"name": "Autumn", "variants": [{"key": "a", "texts": {"en": text()}}]}
    client.put("/api/v1/campaigns/autumn", json=campaign, headers=bearer)
    # Without a place nothing is asked, under the thanks only once there are some.
    assert lines(script(**query))[1:] == part("places.js")
    answer = script(**query, support="1")
    assert lines(answer)[1:] == part("places.js") + part("support.js")
    assert told(answer)["support"] == ask(**query, support="1").json["support"]
    answer = script(locale="en", support="1")
    assert lines(answer)[1:] == part("support.js")
    assert "campaign" not in told(answer)
    assert len(gzip.compress(answer.data, 9)) <= 5000


def test_script_is_kept_and_asked_for_again_only_if_it_changed(
    client: FlaskClient,
    script: Callable[..., Any],
    database: Database,
    site: Site,
    now: datetime,
) -> None:
    query = {"url": f"{ORIGIN}/a"}
    headers = {"If-None-Match": script(**query).headers["ETag"]}
    path = f"/api/v1/sites/{site.key}/places.js"
    again = client.get(path, query_string=query, headers=headers)
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "public, max-age=300")
    published(database, site, now, path="/a")
    assert client.get(path, query_string=query, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/static/dialog.js", "/api/v1/sites/the-daily/widget"])
def test_what_readers_download_is_compressed_for_who_takes_it(
    client: FlaskClient, site: Site, path: str
) -> None:
    def get(**headers: str) -> Any:
        with client.get(path, headers=headers) as answer:
            return answer.status_code, answer.headers, answer.data

    _, plain, text = get()
    assert "Content-Encoding" not in plain
    _, packed, body = get(**{"Accept-Encoding": "br, gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Length"] == str(len(body))
    assert len(body) < len(text) / 2
    assert gzip.decompress(body) == text
    assert "Accept-Encoding" in packed["Vary"]
    assert packed["ETag"].startswith("W/")
    assert packed["ETag"] == plain["ETag"]
    assert get(**{"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]})[0] == 304
    assert get(**{"Accept-Encoding": "gzip;q=0"})[2] == text
