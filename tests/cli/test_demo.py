import http.client
import json
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select

from service.accounts import editors, sites
from service.db import Database
from service.errors import WrongCredentials
from service.models import Article, Campaign, Site, Webhook
from tests.demo import Demo
from tests.processes import Serving, environment, run

T = TypeVar("T")

PAGES = [
    "/demo",
    "/demo/night-buses",
    "/demo/library",
    "/demo/rain",
    "/demo/about",
    "/demo/receiver",
]


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: str = answer.read().decode()
    return body


@pytest.mark.parametrize(
    ("number", "whole_group"),
    [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGHUP, True)],
)
def test_demo_stops_cleanly(tmp_path: Path, number: signal.Signals, whole_group: bool) -> None:
    with Demo(tmp_path / "demo") as demo:
        held_open = http.client.HTTPConnection("127.0.0.1", demo.port)
        held_open.request("GET", "/demo")
        assert held_open.getresponse().read().startswith(b"<!doctype html>")
        assert demo.signal(number, whole_group=whole_group) == 0
        assert demo.err == ""
        held_open.close()


def test_demo_prints_where_to_go_and_every_address_answers(tmp_path: Path) -> None:
    with Demo(tmp_path / "demo") as demo:
        for path in ("/demo", "/review", "/demo/receiver", "/docs"):
            assert f"{demo.url}{path}\n" in demo.out
        for path in [*PAGES, "/review", "/docs"]:
            assert "<!doctype html>" in get(demo.url + path)
        for path in PAGES[:-1]:
            assert f'data-site="{sites_of(demo)[0].key}" async></script>' in get(demo.url + path)


def test_demo_keeps_its_data_on_another_port(tmp_path: Path) -> None:
    with Demo(tmp_path / "demo") as first:
        database = Database(f"sqlite:///{first.folder / 'var' / 'corrigenda.db'}")
        with database.write() as session:
            site = sites.find(session, "demo")
            for url in (f"{first.url}/demo/rain", "https://news.example:8443/a"):
                session.add(Article(site_id=site.id, url=url, created_at=site.created_at))
        before = webhooks_of(first)
        old_password = first.password
    with Demo(tmp_path / "demo") as second:
        assert second.port != first.port
        [site] = sites_of(second)
        assert site.origins == [second.url, f"http://localhost:{second.port}"]
        after = webhooks_of(second)
        assert [(each.id, each.secret) for each in after] == [
            (each.id, each.secret) for each in before
        ]
        assert [(each.url, each.events) for each in after] == [
            (f"{second.url}/demo/receiver", ["correction.*"]),
            (f"{second.url}/demo/apply", ["correction.apply"]),
        ]
        [campaign] = _all(second, Campaign)
        assert {
            link["url"].partition("#")[0]
            for text in campaign.variants[0]["texts"].values()
            for link in [*text["ways"], *text["amounts"]]
        } == {f"{second.url}/demo/about"}
        with database.read() as session:
            assert set(session.scalars(select(Article.url))) == {
                f"{second.url}/demo/rain",
                "https://news.example:8443/a",
            }
            assert editors.check_password(session, second.email, second.password)
            with pytest.raises(WrongCredentials):
                editors.check_password(session, second.email, old_password)
    database.dispose()


def sites_of(demo: Demo) -> list[Site]:
    return _all(demo, Site)


def webhooks_of(demo: Demo) -> list[Webhook]:
    return sorted(_all(demo, Webhook), key=lambda webhook: webhook.id)


def _all(demo: Demo, kind: type[T]) -> list[T]:
    database = Database(f"sqlite:///{demo.folder / 'var' / 'corrigenda.db'}")
    with database.read() as session:
        found = list(session.scalars(select(kind)))
    database.dispose()
    return found


def test_demo_on_a_taken_port_says_so_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(["demo", "--port", str(port)], environment(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"corrigenda: Port {port} is taken by another program; try --port.\n"


def test_demo_takes_its_port_from_the_environment(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = run(["demo"], {**environment(tmp_path), "PORT": port})
    assert done.stderr == f"corrigenda: Port {port} is taken by another program; try --port.\n"


def test_demo_never_touches_a_postgresql_database(tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    done = run(["demo", "--port", "0"], env)
    assert done.returncode == 1
    assert done.stderr == (
        "corrigenda: The demo keeps its data in SQLite: unset CORRIGENDA_DATABASE_URL.\n"
    )


def test_serve_has_no_demo(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert run(["migrate"], env).returncode == 0
    with Serving(env) as serving:
        for path in PAGES:
            with pytest.raises(urllib.error.HTTPError) as refused:
                get(serving.url + path)
            assert refused.value.code == 404
            refused.value.close()


def test_the_articles_links_lead_somewhere(tmp_path: Path) -> None:
    with Demo(tmp_path / "demo") as demo:
        seen: dict[str, set[str]] = {}
        for page in PAGES:
            tree = LexborHTMLParser(get(demo.url + page))
            for link in tree.css("a[href]"):
                target = urlsplit(link.attributes["href"] or "")
                path = target.path or page
                if path not in seen:
                    found = LexborHTMLParser(get(demo.url + path))
                    seen[path] = {str(node.attributes["id"]) for node in found.css("[id]")}
                assert not target.fragment or target.fragment in seen[path], (page, target)


def test_what_is_accepted_and_applied_stands_in_the_article(tmp_path: Path) -> None:
    def post(path: str, said: dict[str, object], **headers: str) -> dict[str, object]:
        sent = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(demo.url + path, json.dumps(said).encode(), sent)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, object] = json.load(answer)
        return found

    with Demo(tmp_path / "demo") as demo:
        article = f"{demo.url}/demo/night-buses"
        quote = {"type": "TextQuoteSelector", "exact": "quiter", "prefix": "It is ", "suffix": " "}
        report = {
            "target": {"source": article, "title": "a", "lang": "en", "selector": [quote]},
            "suggestion": "quieter",
        }
        headers = {"Origin": demo.url, "Idempotency-Key": "0123456789abcdef"}
        made = post("/api/v1/sites/demo/reports", report, **headers)
        scopes = ["--site", "demo", "--scope", "read,review", "--name", "script"]
        done = run(["token", "create", *scopes, "--json"], demo.env)
        token = json.loads(done.stdout)["token"]
        path = f"/api/v1/corrections/{made['correction_id']}/apply"
        answer = post(path, {"suggestion": "quieter"}, Authorization=f"Bearer {token}")
        assert answer["result"] == "applied"
        assert "It is quieter than I thought." in get(article)
