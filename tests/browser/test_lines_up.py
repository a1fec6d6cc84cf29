"""What stands beside what, in Chromium: sizes and edges that a screen reader does not tell."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page

from service.accounts import editors
from service.desk import moves
from service.desk.moves import By, Decision
from service.models import Kind, Role, State
from service.record import publications
from service.record.publications import Entry
from tests.browser.test_desk import Desk, database_url, desk
from tests.browser.test_settings import ADMIN, WEBHOOKS, signed_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser
__all__ = ["database_url", "desk"]


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = page.eval_on_selector_all(
        selector, "all => all.map(each => each.getBoundingClientRect().toJSON())"
    )
    assert found
    return found


def test_boxes_to_tick_are_of_one_size_beside_two_lines(desk: Desk) -> None:
    with desk.database.write() as session:
        now = datetime.now(UTC)
        editors.create(session, ADMIN, PASSWORD, desk.site, Role.ADMIN, now=now)
    page = signed_in(desk, viewport={"width": 360, "height": 780})
    page.wait_for_url("**/review")
    page.goto(f"{desk.url}{WEBHOOKS}/new")
    assert {box["width"] for box in boxes(page, ".check input")} == {18}


def test_words_of_the_other_direction_stand_beside_their_label_in_the_record(desk: Desk) -> None:
    correction_id, now = desk.report(), datetime.now(UTC)
    entry = Entry(Kind.CORRECTION, "الثغرة", "الثغرات", "A slip of ours.")
    with desk.database.write() as session:
        by = By("editor")
        moves.decide(session, desk.site.id, correction_id, Decision(State.FIXED), by=by, now=now)
        published = publications.publish(
            session, desk.site.id, correction_id, entry, by="editor", now=now
        )
    page = desk.browser.page
    page.goto(f"{desk.url}/record/{desk.site.key}/{published.id}?locale=en")
    [label, *_], [words, *_] = boxes(page, ".entry dt"), boxes(page, ".entry dd")
    assert 0 < words["left"] - label["left"] < 150
    [link], [heading] = boxes(page, ".more a"), boxes(page, ".entry h1")
    assert link["left"] == heading["left"]
