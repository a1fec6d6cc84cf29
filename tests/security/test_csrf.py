"""A page of another origin that sends our forms in an editor's browser."""

import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.db import Database
from service.models import Correction, EditorSession, Move, Report
from tests.browser.engines import Chromium
from tests.browser.servers import Pages, serving
from tests.conftest import ORIGIN, PASSWORD
from tests.processes import environment, run, run_json
from tests.security.live import Logged, ask
from tests.security.tally import Tally
from tests.web.test_public import body

pytestmark = pytest.mark.browser

ROW = "CSRF"

ATTACKS = {
    "form": """<form id=f method=post action="{url}">{fields}</form><script>f.submit()</script>""",
    "form as text": """<form id=f method=post enctype=text/plain action="{url}">{fields}</form><script>f.submit()</script>""",
    "form as multipart": """<form id=f method=post enctype=multipart/form-data action="{url}">{fields}</form><script>f.submit()</script>""",
    "form by GET": """<form id=f method=get action="{url}">{fields}</form><script>f.submit()</script>""",
    "form in a frame": """<iframe name=t></iframe><form id=f target=t method=post action="{url}">{fields}</form><script>f.submit()</script>""",
    "form without referrer": """<meta name=referrer content=no-referrer><form id=f method=post action="{url}">{fields}</form><script>f.submit()</script>""",
    "form from a sandbox": """<iframe sandbox="allow-scripts allow-forms" srcdoc='<form id=f method=post action="{url}">{fields}</form><script>f.submit()</script>'></iframe>""",
    "fetch": """<script>fetch("{url}", {{method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams("{query}")}})</script>""",
    "fetch with a preflight": """<script>fetch("{url}", {{method: "POST", credentials: "include", headers: {{"X-A": "b"}}, body: new URLSearchParams("{query}")}}).catch(() => 0)</script>""",
    "beacon": """<script>navigator.sendBeacon("{url}", new URLSearchParams("{query}"))</script>""",
    "image": """<img src="{url}?{query}">""",
    "link": """<link rel=prefetch href="{url}?{query}"><script>location = "{url}?{query}"</script>""",
    "script": """<script src="{url}?{query}"></script>""",
    "frame": """<iframe src="{url}?{query}"></iframe>""",
}


USUAL = ("form", "fetch")
"""Tried with every form here; `test_csrf_forms` sends each form of the URL map from elsewhere."""


def state(database: Database) -> list[Any]:
    with database.read() as session:
        return [
            session.scalars(select(Report.id)).all(),
            session.scalars(select(Move.id)).all(),
            session.scalars(select(Correction.version)).all(),
            session.scalars(select(EditorSession.ended_at)).all(),
        ]


def test_no_page_elsewhere_sends_our_forms(
    sqlite_url: str, tmp_path: Path, chromium: Chromium, tally: Tally
) -> None:
    """From the same site on another port, where `SameSite` does not help, and from another site."""
    env = environment(tmp_path, DATABASE_URL=sqlite_url)
    key = run_json(["site", "create", "The Daily", "--origin", ORIGIN], env)["key"]
    assert (
        run(
            ["editor", "create", "editor@news.example", "--site", key], env, stdin=PASSWORD + "\n"
        ).returncode
        == 0
    )
    database, pages = Database(sqlite_url), Pages()
    with Logged(env) as server, serving(pages.handler()) as port:
        status, _, _ = ask(
            f"{server.url}/api/v1/sites/{key}/reports",
            body(),
            Origin=ORIGIN,
            **{"Idempotency-Key": "k"},
        )
        assert status == 201
        [correction_id] = database_ids(database)
        editor = chromium.page
        editor.goto(f"{server.url}/login")
        editor.fill("[name=email]", "editor@news.example")
        editor.fill("[name=password]", PASSWORD)
        editor.click("button[type=submit]")
        editor.wait_for_url("**/review")
        before = state(database)
        forms: dict[str, tuple[dict[str, str], Iterable[str]]] = {
            f"/review/{correction_id}/moves": ({"to": "spam"}, ATTACKS),
            "/logout": ({"a": "b"}, USUAL),
            f"/report/{key}": ({"url": f"{ORIGIN}/a", "comment": "mine", "key": "k2"}, USUAL),
        }
        for path, (fields, attacks) in forms.items():
            for name in attacks:
                url = server.url + path
                page = pages.put(
                    "/attack",
                    ATTACKS[name].format(
                        url=url,
                        query=urllib.parse.urlencode(fields),
                        fields="".join(
                            f"<input name={key} value={value}>" for key, value in fields.items()
                        ),
                    ),
                )
                for host in ("127.0.0.1", "localhost"):
                    editor.goto(f"http://{host}:{port}{page}")
                    editor.wait_for_timeout(60)
                    tally.add((path, name, host), held=state(database) == before)
        log = server.log.read_text()
        for path, refused in (
            ("/review/<uuid:correction_id>/moves", 5),
            ("/logout", len(USUAL)),
            ("/report/<key>", len(USUAL)),
        ):
            assert log.count(f"POST {path} 403") >= refused
        # The session was there to be ridden on, and the forms work from our own page.
        editor.goto(f"{server.url}/review")
        assert editor.url == f"{server.url}/review"
        editor.get_by_role("button", name="Accept").first.click()
        editor.locator(".done", has_text="Accepted").wait_for()
        assert state(database) != before
    database.dispose()


def database_ids(database: Database) -> list[Any]:
    with database.read() as session:
        return list(session.scalars(select(Correction.id)))
