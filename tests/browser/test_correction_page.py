"""The page of one correction in Chromium: its keys, its notes, no scripts, small, dark."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import expect

from service.desk import changes, moves, notes
from service.desk.moves import By
from service.models import Category, State
from tests.browser.barriers import barriers
from tests.browser.test_desk import Desk, database_url, desk, hold

pytestmark = pytest.mark.browser
__all__ = ["database_url", "desk"]


def busy(desk: Desk) -> UUID:
    """A correction with several suggestions, a neighbour, a note and changes."""
    correction_id = desk.report()
    desk.report(suggestion="word", comment="I read it thrice.")
    desk.report(suggestion="world", category=Category.TYPO)
    desk.report(exact="colour", suggestion="color", start=80)
    by, now = By("other@news.example"), datetime.now(UTC)
    with desk.database.write() as session:
        notes.add(session, desk.site.id, correction_id, "@editor, is it?", by=by, now=now)
        wanted = {"category": Category.TYPO, "public_note": "We look."}
        changes.change(session, desk.site.id, correction_id, wanted, by=by, now=now)
    return correction_id


def open_one(desk: Desk, correction_id: UUID, page: Any = None) -> Any:
    page = page or desk.sign_in()
    page.goto(f"{desk.url}/review/{correction_id}")
    return page


def assignee(desk: Desk, correction_id: UUID) -> Any:
    with desk.database.read() as session:
        return changes.find(session, desk.site.id, correction_id).assignee_id


def test_keys_take_decide_reopen_and_go_back(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    with page.expect_navigation():
        page.keyboard.press("t")
    assert assignee(desk, correction_id) is not None
    page.keyboard.press("e")
    page.keyboard.type("af")
    assert page.get_by_label("Final wording").input_value().count("af") == 1
    page.keyboard.press("Escape")
    for key, state in [("a", State.ACCEPTED), ("u", State.NEW), ("f", State.FIXED)]:
        open_one(desk, correction_id, page)
        with page.expect_navigation():
            page.keyboard.press(key)
        assert desk.state_of(correction_id) is state
    open_one(desk, correction_id, page)
    with page.expect_navigation():
        page.keyboard.press("q")
    assert page.url == f"{desk.url}/review"


def test_reasons_are_chosen_by_keys(desk: Desk) -> None:
    first, second = busy(desk), desk.report(exact="adress", start=120)
    page = open_one(desk, first)
    reasons = page.locator(".moves .reject")
    page.keyboard.press("r")
    expect(reasons.get_by_role("button", name="Not a mistake")).to_be_focused()
    page.keyboard.press("Escape")
    expect(reasons).not_to_have_attribute("open", "")
    page.keyboard.press("r")
    page.keyboard.press("2")
    page.wait_for_url(f"{desk.url}/review?done=*")
    open_one(desk, second, page)
    page.keyboard.press("r")
    page.keyboard.press("0")
    page.keyboard.type("As they say it")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{desk.url}/review?done=*")
    with desk.database.read() as session:
        told = [moves.history(session, each)[0].reason for each in (first, second)]
    assert told == ["House style", "As they say it"]


def test_keys_pressed_after_a_decision_decide_nothing_more(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    held = hold(page, "**/moves")
    with page.expect_request("**/moves"):
        page.keyboard.press("a")
    page.keyboard.press("f")
    page.keyboard.press("s")
    held[0].continue_()
    page.wait_for_url(f"{desk.url}/review?done=*")
    assert len(held) == 1
    assert desk.state_of(correction_id) is State.ACCEPTED


def test_keys_pressed_before_the_script_is_there_are_not_lost(desk: Desk) -> None:
    correction_id = busy(desk)
    page = desk.sign_in()
    held = hold(page, "**/static/one.js*")
    with page.expect_request("**/static/one.js*"):
        page.goto(f"{desk.url}/review/{correction_id}", wait_until="commit")
    expect(page.locator(".keys")).to_be_visible()
    page.keyboard.press("a")
    held[0].continue_()
    page.wait_for_url(f"{desk.url}/review?done=*")
    assert desk.state_of(correction_id) is State.ACCEPTED


def test_buttons_at_the_top_take_what_is_typed_below(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    page.get_by_label("Final wording").fill("words of my own")
    page.get_by_label("Public note").fill("Thank you.")
    with page.expect_navigation():
        page.locator(".moves").get_by_role("button", name="Accept").click()
    with desk.database.read() as session:
        found = changes.find(session, desk.site.id, correction_id)
    assert (found.state, found.wording) == (State.ACCEPTED, "words of my own")
    assert found.public_note == "Thank you."


def test_what_is_typed_outlives_another_form_of_the_page(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    page.get_by_label("Final wording").fill("words of my own")
    page.get_by_label("Note for the other editors").fill("half a not")
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.keyboard.press("t")
    assert page.get_by_label("Final wording").input_value() == "words of my own"
    assert page.get_by_label("Note for the other editors").input_value() == "half a not"
    with page.expect_navigation():
        page.get_by_role("button", name="Only save").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Add the note").click()
    open_one(desk, correction_id, page)
    assert page.get_by_label("Note for the other editors").input_value() == ""
    with desk.database.read() as session:
        assert changes.find(session, desk.site.id, correction_id).wording == "words of my own"


def test_key_decides_nothing_that_a_colleague_has_changed(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    by, now = By("other@news.example"), datetime.now(UTC)
    with desk.database.write() as session:
        wanted = {"wording": "a colleague's"}
        changes.change(session, desk.site.id, correction_id, wanted, by=by, now=now)
    with page.expect_navigation():
        page.keyboard.press("a")
    expect(page.locator(".refused")).to_contain_text("Somebody was first")
    assert desk.state_of(correction_id) is State.NEW


def refused(desk: Desk, page: Any, correction_id: UUID, *keys: str) -> None:
    """Press these keys after a colleague changed something."""
    by, now = By("other@news.example"), datetime.now(UTC)
    with desk.database.write() as session:
        wanted = {"category": Category.FACT}
        changes.change(session, desk.site.id, correction_id, wanted, by=by, now=now)
    with page.expect_navigation():
        for key in keys:
            page.keyboard.press(key)
    expect(page.locator(".refused")).to_contain_text("Somebody was first")


def test_words_that_were_refused_go_with_the_next_decision(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    page.get_by_label("Final wording").fill("words of my own")
    page.get_by_label("Public note").fill("Thank you.")
    refused(desk, page, correction_id, "Escape", "a")
    with page.expect_navigation():
        page.keyboard.press("a")
    with desk.database.read() as session:
        found = changes.find(session, desk.site.id, correction_id)
    assert (found.state, found.wording) == (State.ACCEPTED, "words of my own")
    assert found.public_note == "Thank you."


def test_words_that_were_refused_wait_for_who_goes_back_to_the_queue(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    typed = {
        "Final wording": "words of my own",
        "Public note": "Thank you.",
        "Note for the other editors": "half a not",
    }
    for label, words in typed.items():
        page.get_by_label(label).fill(words)
    refused(desk, page, correction_id, "Escape", "a")
    for _ in range(2):
        assert {each: page.get_by_label(each).input_value() for each in typed} == typed
        with page.expect_navigation():
            page.keyboard.press("q")
        open_one(desk, correction_id, page)


def test_reason_that_was_chosen_goes_with_no_other_decision(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    refused(desk, page, correction_id, "r", "2")
    with page.expect_navigation():
        page.keyboard.press("a")
    with desk.database.read() as session:
        [kept] = moves.history(session, correction_id)
    assert (kept.to_state, kept.reason) == (State.ACCEPTED, None)


def test_entry_that_is_previewed_waits_for_who_goes_back_to_the_queue(desk: Desk) -> None:
    correction_id = busy(desk)
    page = open_one(desk, correction_id)
    with page.expect_navigation():
        page.keyboard.press("a")
    open_one(desk, correction_id, page)
    explanation = page.get_by_label("Explanation for the public")
    explanation.fill("We misread it.")
    with page.expect_navigation():
        page.get_by_role("button", name="Preview").click()
    with page.expect_navigation():
        page.keyboard.press("q")
    open_one(desk, correction_id, page)
    assert explanation.input_value() == "We misread it."


def test_escape_of_an_input_method_leaves_no_field(desk: Desk) -> None:
    page = open_one(desk, busy(desk))
    note = page.get_by_label("Public note")
    note.focus()
    note.evaluate(
        "each => each.dispatchEvent(new KeyboardEvent('keydown', "
        "{ key: 'Escape', isComposing: true, bubbles: true }))"
    )
    expect(note).to_be_focused()
    page.keyboard.press("Escape")
    expect(note).not_to_be_focused()


def test_long_word_makes_no_page_wider(desk: Desk) -> None:
    correction_id = desk.report(suggestion="https://news.example/" + "a" * 300)
    page = desk.sign_in(desk.browser.another(viewport={"width": 320, "height": 640}))
    open_one(desk, correction_id, page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_everything_works_without_scripts(desk: Desk) -> None:
    correction_id = busy(desk)
    page = desk.sign_in(desk.browser.another(java_script_enabled=False))
    open_one(desk, correction_id, page)
    page.get_by_label("Note for the other editors").fill("Seen it.")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator(".history")).to_contain_text("Seen it.")
    page.locator(".reports input[type=checkbox]").nth(1).check()
    page.get_by_role("button", name="Take the chosen ones out").click()
    expect(page.locator(".history")).to_contain_text("took reports out into")
    page.get_by_role("link", name="another correction").click()
    page.get_by_role("button", name="Put these reports back").click()
    assert desk.state_of(correction_id) is State.NEW
    page.goto(f"{desk.url}/review/mentions")
    page.get_by_role("button", name="Tick off the note").click()
    expect(page.locator(".seen")).to_have_count(1)


def test_page_has_no_barriers_and_fits_a_phone(desk: Desk) -> None:
    correction_id = busy(desk)
    page = desk.sign_in(desk.browser.another(viewport={"width": 360, "height": 780}))
    found = []
    for path in (f"/review/{correction_id}", "/review/mentions"):
        page.goto(desk.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        found += barriers(page)
    assert found == []
