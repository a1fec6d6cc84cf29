"""The desk in a real browser: deciding without scripts, hostile words, other sites' forms, access."""

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import update
from werkzeug.serving import WSGIRequestHandler, make_server

from service.accounts import editors, sites
from service.app import create_app
from service.db import Database
from service.desk import changes, moves
from service.models import Membership, Role, Site, State
from service.settings import Settings
from tests.browser.barriers import barriers
from tests.browser.engines import Chromium
from tests.browser.servers import Pages, serving
from tests.conftest import ORIGIN, PASSWORD
from tests.reporting import report

pytestmark = pytest.mark.browser

EMAIL = "editor@news.example"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><svg/onload=alert(3)> javascript:alert(4)"


class Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


@dataclass
class Desk:
    url: str
    database: Database
    site: Site
    browser: Chromium

    def report(self, **fields: Any) -> UUID:
        return report(self.database, self.site, datetime.now(UTC), **fields)

    def state_of(self, correction_id: UUID) -> State:
        with self.database.read() as session:
            return changes.find(session, self.site.id, correction_id).state

    def sign_in(self, browser: Chromium | None = None) -> Page:
        """The queue, after signing in on the way to it."""
        page = (browser or self.browser).page
        page.goto(f"{self.url}/review")
        page.get_by_label("E-mail").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.url}/review")
        return page


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def desk(settings: Settings, database: Database, chromium: Chromium) -> Iterator[Desk]:
    now = datetime.now(UTC)
    with database.write() as session:
        site = sites.create(session, "The Daily", [ORIGIN], now=now)
        editors.create(session, EMAIL, PASSWORD, site, Role.EDITOR, now=now)
    plain = replace(settings, public_url="http://127.0.0.1")
    server = make_server(
        "127.0.0.1", 0, create_app(plain, database), threaded=True, request_handler=Quiet
    )
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    yield Desk(f"http://127.0.0.1:{server.server_port}", database, site, chromium)
    server.shutdown()
    thread.join()
    server.server_close()


def hold(page: Page, where: str, times: int | None = None) -> list[Route]:
    """Hold back what the page asks for there; each is let go by `continue_`."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(where, keep, times=times)
    return held


def wait_for_held(page: Page, held: list[Route], number: int = 1) -> None:
    """Wait until so many are held: the driver tells of them only while it is asked something."""
    end = time.monotonic() + 10
    while len(held) < number:
        assert time.monotonic() < end, f"{len(held)} of {number} are held"
        page.wait_for_timeout(20)


def row(page: Page, text: str) -> Any:
    return page.locator(".row").filter(has_text=text)


def test_editor_decides_and_undoes_without_scripts(desk: Desk) -> None:
    taken = desk.report()
    refused = desk.report(exact="colour", suggestion="color", start=50)
    page = desk.sign_in(desk.browser.another(java_script_enabled=False))
    row(page, "world").get_by_role("button", name="Accept").click()
    assert desk.state_of(taken) is State.ACCEPTED
    expect(page.locator(".row")).to_have_count(1)
    row(page, "colour").locator("summary").click()
    row(page, "colour").get_by_role("button", name="House style").click()
    assert desk.state_of(refused) is State.REJECTED
    page.get_by_role("button", name="Undo").click()
    assert desk.state_of(refused) is State.NEW
    with desk.database.read() as session:
        reasons = [(move.to_state, move.reason) for move in moves.history(session, refused)]
    assert reasons == [(State.REJECTED, "House style"), (State.NEW, None)]


def test_second_editor_is_told_who_was_first(desk: Desk) -> None:
    correction_id = desk.report()
    first, second = desk.sign_in(), desk.sign_in(desk.browser.another())
    row(first, "world").get_by_role("button", name="Accept").click()
    first.locator(".done", has_text="Accepted").wait_for()
    row(second, "world").get_by_role("button", name="Fixed").click()
    second.locator(".done", has_text=f"Accepted by {EMAIL}").wait_for()
    assert desk.state_of(correction_id) is State.ACCEPTED


def test_wording_is_edited_and_kept(desk: Desk) -> None:
    correction_id = desk.report()
    page = desk.sign_in()
    page.locator(".row a.article").click()
    page.get_by_label("Final wording").fill("World,")
    page.locator(".fields").get_by_role("button", name="Accept").click()
    page.wait_for_url("**/review?done=*")
    with desk.database.read() as session:
        assert changes.find(session, desk.site.id, correction_id).wording == "World,"


def test_form_on_another_site_moves_nothing(desk: Desk) -> None:
    correction_id = desk.report()
    page = desk.sign_in()
    pages = Pages()
    with serving(pages.handler()) as port:
        for host in ("localhost", "127.0.0.1"):
            pages.url = f"http://{host}:{port}"
            place = pages.put(
                "/evil",
                f'<form method="post" action="{desk.url}/review/{correction_id}/moves">'
                '<button name="to" value="spam">Win</button></form>',
            )
            page.goto(place)
            with page.expect_response(re.compile("/moves$|/login")) as answered:
                page.get_by_role("button", name="Win").click()
            assert answered.value.status in {303, 403}
    assert desk.state_of(correction_id) is State.NEW


def test_readers_words_run_nothing(desk: Desk) -> None:
    correction_id = desk.report(
        exact=HOSTILE, prefix=HOSTILE, suffix=HOSTILE, suggestion=f"{HOSTILE}!", comment=HOSTILE,
        title=HOSTILE, start=None,
    )  # fmt: skip
    page = desk.sign_in()
    spoke: list[str] = []
    page.on("dialog", lambda dialog: (spoke.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda line: spoke.append(line.text) if line.type == "error" else None)
    for place in ("/review", f"/review/{correction_id}", f"/review?done={correction_id}"):
        page.goto(desk.url + place)
        assert "onerror=alert(1)" in (page.locator("main").text_content() or "")
        assert page.locator("main img, main script, main svg").count() == 0
    assert spoke == []


def test_override_character_turns_no_words_around(desk: Desk) -> None:
    desk.report(
        exact="user\u202etxt.exe", prefix="open ", suffix=" now", suggestion=None, comment="?"
    )
    page = desk.sign_in()
    found = page.locator(".passage")
    assert found.locator(".mark").text_content() == "RLO"
    assert "\u202e" not in (found.text_content() or "")


def test_arabic_passage_runs_from_right_to_left(desk: Desk) -> None:
    desk.report(
        exact="المصرف الجديدة", prefix="وقال مهندس البلدية إن ", suffix=" تحمّل",
        suggestion="المصرف الجديد", lang="ar",
    )  # fmt: skip
    page = desk.sign_in()
    passage, gone = page.locator(".passage"), page.locator(".passage del")
    assert passage.evaluate("element => getComputedStyle(element).direction") == "rtl"
    comes = page.locator(".passage ins").bounding_box()
    goes = gone.bounding_box()
    assert comes is not None
    assert goes is not None
    assert comes["x"] < goes["x"]


def test_numbers_in_an_arabic_passage_follow_its_direction(desk: Desk) -> None:
    desk.report(
        exact="1987", prefix="افتُتح الجسر عام ", suffix=" كما قالت المهندسة",
        suggestion="1978", lang="ar",
    )  # fmt: skip
    page = desk.sign_in()
    gone = page.locator(".passage del").bounding_box()
    comes = page.locator(".passage ins").bounding_box()
    assert gone is not None
    assert comes is not None
    assert comes["x"] + comes["width"] <= gone["x"]


def test_pages_have_no_barriers(desk: Desk) -> None:
    correction_id = desk.report(comment="Twice.", category=None)
    desk.report(exact="a\u200bb", suggestion="ab", start=70)
    desk.report(website="spam", start=90)
    page = desk.sign_in()
    page.locator(".row summary").first.click()
    found = barriers(page)
    for place in (
        f"/review/{correction_id}", f"/review?done={correction_id}", "/review?q=nothing",
        "/review?suspected=true", "/", "/nowhere", "/review?limit=0",
    ):  # fmt: skip
        page.goto(desk.url + place)
        found += barriers(page)
    page.goto(f"{desk.url}/login")
    assert found + barriers(page) == []


def test_phone_shows_all_and_targets_are_large(desk: Desk) -> None:
    correction_id = desk.report(
        exact="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        title="https://news.example/" + "a" * 200,
    )
    browser = desk.browser.another(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    page = desk.sign_in(browser)
    for place in ("/review", f"/review/{correction_id}"):
        page.goto(desk.url + place)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        small = page.evaluate(
            """[...document.querySelectorAll('button, select, summary, input:not([type=hidden])')]
            .filter((element) => element.checkVisibility())
            .map((element) => element.closest('label.pick') ?? element)
            .filter((element) => element.getBoundingClientRect().height < 44)
            .map((element) => element.outerHTML)"""
        )
        assert small == []


FIGURES = (
    "/review/stats", "/review/stats?from=2020-01-01&to=2020-01-31", "/review/articles",
    "/review/articles?state=all&q=nothing",
)  # fmt: skip


def test_figures_have_no_barriers_and_fit_a_phone(desk: Desk) -> None:
    desk.report(title="a" * 200)
    browser = desk.browser.another(viewport={"width": 360, "height": 740}, is_mobile=True)
    page = desk.sign_in(browser)
    found = []
    for place in FIGURES:
        page.goto(desk.url + place)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        found += barriers(page)
    page.goto(f"{desk.url}/review/stats")
    page.locator("summary", has_text="Days").click()
    assert found + barriers(page) == []


def test_readers_data_has_no_barriers_and_is_erased_without_scripts(desk: Desk) -> None:
    desk.report(email="reader@mail.example")
    with desk.database.write() as session:
        session.execute(update(Membership).values(role=Role.ADMIN))
    place = f"{desk.url}/review/settings/readers"
    looked = desk.sign_in()
    looked.goto(place)
    found = barriers(looked)
    looked.get_by_label("E-mail").fill("reader@mail.example")
    looked.get_by_role("button", name="Look it up").click()
    assert found + barriers(looked) == []
    page = desk.sign_in(desk.browser.another(java_script_enabled=False))
    page.goto(place)
    page.get_by_label("E-mail").fill("reader@mail.example")
    page.get_by_role("button", name="Look it up").click()
    page.locator("summary", has_text="Erase").click()
    page.get_by_role("button", name="Erase the address for good").click()
    assert page.locator(".saved").inner_text() == "Erased from 1 report."
