"""The queue in Chromium: every key, several editors at once, forms alone."""

import re
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect

from service.desk import changes, moves, tallies
from service.desk.moves import By, Decision
from service.models import State
from tests.browser.barriers import barriers
from tests.browser.test_desk import EMAIL, Desk, database_url, desk, hold, row
from tests.conftest import Say

pytestmark = pytest.mark.browser
__all__ = ["database_url", "desk"]

WORDS = ["wrold", "thier", "recieve", "adress"]
OTHER = By("other@news.example")


def several(desk: Desk, words: list[str] = WORDS) -> list[UUID]:
    """Corrections of one article; the newest, shown first, is the last."""
    return [
        desk.report(exact=word, suggestion=f"{word}!", start=20 * place)
        for place, word in enumerate(words)
    ]


def states(desk: Desk, ids: list[UUID]) -> list[State]:
    return [desk.state_of(each) for each in ids]


def shows(page: Page, words: list[str]) -> None:
    """Wait until the rows are about these words, from the top."""
    names = page.locator(".row:not(.going) .pick .unseen")
    expect(names).to_have_text([f"Select: {word}" for word in words])


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def told(page: Page, text: str) -> None:
    page.locator(".done", has_text=text).wait_for()


def buttons(page: Page) -> Any:
    """Where the buttons of all rows stand."""
    return page.locator(".moves > button").evaluate_all(
        "all => all.map(each => JSON.stringify(each.getBoundingClientRect()))"
    )


def field(page: Page, row: str = ".row") -> Locator:
    """Where a wording is written."""
    return page.locator(f"{row} .editing textarea")


def one_page(page: Page) -> Any:
    """Counts the documents that are loaded from here on."""
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    return loads


def test_keys_move_and_decide_without_leaving_the_page(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    loads = one_page(page)
    press(page, "j", "j", "k", "a")
    told(page, "Accepted: adress")
    press(page, "f")
    told(page, "Marked as fixed: recieve")
    press(page, "s")
    told(page, "Marked as spam: thier")
    press(page, "r", "2")
    told(page, "Rejected: wrold")
    assert states(desk, ids) == [State.REJECTED, State.SPAM, State.FIXED, State.ACCEPTED]
    assert page.locator(".empty").is_visible()
    with desk.database.read() as session:
        assert moves.history(session, ids[0])[0].reason == "House style"
    assert loads == []


def test_every_other_key(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    loads = one_page(page)
    press(page, "j", "t")
    page.locator(".row[aria-current] .assignee", has_text="yours").wait_for()
    press(page, "t")
    page.locator(".row[aria-current] .assignee").wait_for(state="detached")
    press(page, "e")
    page.keyboard.type("address")
    press(page, "Control+Enter")
    told(page, "Accepted: adress")
    press(page, "j")
    stood = buttons(page)
    press(page, "r")
    assert page.evaluate("document.activeElement.textContent") == "Not a mistake"
    assert buttons(page) == stood
    press(page, "Escape", "/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("asfu?")
    assert page.locator("[name=q]").input_value() == "asfu?"
    press(page, "Escape", "?")
    assert page.locator("#keys").is_visible()
    press(page, "?")
    assert page.locator("#keys").is_hidden()
    assert states(desk, ids) == [State.NEW, State.NEW, State.NEW, State.ACCEPTED]
    with desk.database.read() as session:
        assert changes.find(session, desk.site.id, ids[-1]).wording == "address"
    assert loads == []
    press(page, "Enter")
    page.wait_for_url(f"{desk.url}/review/{ids[1]}*")


def test_what_is_told_moves_no_button_and_is_read_out(desk: Desk) -> None:
    several(desk)
    page = desk.sign_in()
    status = page.get_by_role("status")
    expect(status).to_have_text("")
    stood = buttons(page)
    row(page, "wrold").get_by_role("button", name="Accept").click()
    expect(status).to_contain_text("Accepted: wrold")
    assert buttons(page) == stood[: len(buttons(page))]


def test_keys_pressed_before_the_script_is_there_are_not_lost(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    held = hold(page, "**/static/queue.js*")
    with page.expect_request("**/static/queue.js*"):
        page.goto(f"{desk.url}/review?sort=oldest", wait_until="commit")
    expect(page.locator(".foot")).to_be_visible()
    press(page, "j", "j", "f")
    held[0].continue_()
    told(page, "Marked as fixed: thier")
    assert states(desk, ids) == [State.NEW, State.FIXED, State.NEW, State.NEW]


def test_who_looks_at_one_comes_back_to_it_or_to_the_next(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    current = page.locator(".row[aria-current=true]")
    press(page, "j", "j", "Enter")
    page.wait_for_url(f"{desk.url}/review/{ids[2]}*")
    page.locator(".back a").click()
    expect(current).to_have_id(f"c-{ids[2]}")
    expect(current).to_be_focused()
    press(page, "Enter")
    page.wait_for_url(f"{desk.url}/review/{ids[2]}*")
    page.go_back()
    expect(current).to_have_id(f"c-{ids[2]}")
    press(page, "Enter")
    page.wait_for_url(f"{desk.url}/review/{ids[2]}*")
    page.locator(".moves button[value=accepted]").click()
    expect(current).to_have_id(f"c-{ids[1]}")
    page.goto(f"{desk.url}/review")
    expect(page.locator(".row").first).to_be_visible()
    expect(current).to_have_count(0)


def test_how_many_are_selected_and_which_key_is_which_reason_are_shown(desk: Desk) -> None:
    several(desk)
    page = desk.sign_in()
    press(page, "j", "x", "j", "x")
    expect(page.locator(".bulk .chosen")).to_have_text("2")
    press(page, "x")
    expect(page.locator(".bulk .chosen")).to_have_text("1")
    press(page, "f")
    told(page, "Marked as fixed: adress")
    expect(page.locator(".bulk .chosen")).to_have_text("0")
    press(page, "r")
    shown = page.locator(".reject[open] .reasons button").evaluate_all(
        "all => all.map(each => getComputedStyle(each, '::before').content)"
    )
    assert ["counter(reason)" in each for each in shown] == [True] * 5


def test_reason_of_ones_own_is_written_and_sent_by_keys(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    press(page, "j", "r", "0")
    page.keyboard.type("As they say it")
    press(page, "Enter")
    told(page, "Rejected: adress")
    press(page, "x", "j", "x", "r")
    page.keyboard.type("Both are right")
    press(page, "Enter")
    told(page, "Rejected: 2")
    with desk.database.read() as session:
        reasons = [[move.reason for move in moves.history(session, each)] for each in ids]
    assert reasons == [[], ["Both are right"], ["Both are right"], ["As they say it"]]


def test_list_says_that_it_is_being_fetched(desk: Desk) -> None:
    several(desk)
    page = desk.sign_in()
    press(page, "j", "a")
    told(page, "Accepted: adress")
    held = hold(page, "**/review/live*")
    with page.expect_request("**/review/live*"):
        press(page, "u")
    expect(page.locator(".queue[aria-busy=true]")).to_be_visible()
    held[0].continue_()
    expect(page.locator(".queue[aria-busy]")).to_have_count(0)
    shows(page, WORDS[::-1])


def test_what_was_done_before_another_page_is_undone_as_well(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    press(page, "j", "a", "f")
    told(page, "Marked as fixed: recieve")
    expect(page).to_have_title(re.compile(r"^New \(2\)"))
    press(page, "Enter")
    page.wait_for_url(f"{desk.url}/review/{ids[1]}*")
    page.locator(".moves button[value=spam]").click()
    expect(page.locator(".done")).to_contain_text("thier")
    for left in (2, 3, 4):
        press(page, "u")
        expect(page.locator(".row:not(.going)")).to_have_count(left)
    assert states(desk, ids) == [State.NEW] * 4
    page.reload()
    press(page, "u")
    expect(page.locator(".row")).to_have_count(4)


def test_every_move_is_undone_one_after_the_other(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    press(page, "j", "a", "f", "s", "r", "1")
    told(page, "Rejected")
    for left in (1, 2, 3, 4):
        press(page, "u")
        page.wait_for_function(
            "count => document.querySelectorAll('.row:not(.going)').length === count", arg=left
        )
    assert states(desk, ids) == [State.NEW] * 4
    shows(page, WORDS[::-1])
    assert page.locator(".empty").is_hidden()


def test_what_is_told_last_is_what_was_done_last(desk: Desk) -> None:
    several(desk)
    page = desk.sign_in()
    held = hold(page, "**/review/moves*", times=1)
    press(page, "j", "a")
    with page.expect_response("**/review/moves*"):
        press(page, "f")
    assert page.locator(".done").inner_text() == ""
    held[0].continue_()
    told(page, "Marked as fixed")
    expect(page).to_have_title(re.compile(r"^New \(2\)"))
    press(page, "u")
    expect(page.locator(".row:not(.going)")).to_have_count(3)


def test_many_are_decided_at_once_and_each_outcome_is_told(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    press(page, "j", "x", "j", "x", "j", "x")
    move(desk, ids[2], State.FIXED)
    press(page, "s")
    told(page, "Marked as spam: 2")
    told(page, f"Somebody was first. Marked as fixed by {OTHER.label}")
    assert states(desk, ids) == [State.NEW, State.SPAM, State.FIXED, State.SPAM]
    page.locator(".row.settled", has_text="recieve").wait_for()
    press(page, "u")
    told(page, "Undone: 2")
    assert states(desk, ids) == [State.NEW, State.NEW, State.FIXED, State.NEW]


def move(desk: Desk, correction_id: UUID, to: State) -> None:
    with desk.database.write() as session:
        moves.decide(
            session, desk.site.id, correction_id, Decision(to), by=OTHER, now=datetime.now(UTC)
        )


def look(page: Page) -> None:
    """Come back to the page, which asks at once for what is new."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_others_work_appears_without_a_reload(desk: Desk) -> None:
    ids = several(desk)
    first, second = desk.sign_in(), desk.sign_in(desk.browser.another())
    loads = one_page(second)
    with first.expect_response("**/review/moves*"):
        press(first, "j", "t")
    with first.expect_response("**/review/moves*"):
        press(first, "j", "a")
    look(second)
    settled = second.locator(".row.settled", has_text="recieve")
    settled.filter(has_text=f"Accepted by {EMAIL}").wait_for()
    second.locator(f"#c-{ids[3]} .assignee", has_text="yours").wait_for()
    new = desk.report(exact="quikly", suggestion="quickly", start=200)
    look(second)
    second.locator(f"#c-{new}").wait_for()
    assert second.locator("[data-count=new]").inner_text() == "4"
    assert second.locator(".row").first.get_attribute("id") == f"c-{new}"
    assert loads == []


def test_polling_of_a_quiet_queue_is_answered_304(desk: Desk) -> None:
    several(desk)
    page = desk.sign_in()
    with page.expect_response("**/review/live*", timeout=20_000) as quiet:
        pass
    assert quiet.value.status == 304


def test_what_is_written_stays_when_somebody_was_first(desk: Desk) -> None:
    [only] = several(desk, ["wrold"])
    page = desk.sign_in()
    press(page, "j", "e")
    page.keyboard.type("mine")
    with desk.database.write() as session:
        wanted = {"wording": "theirs"}
        changes.change(session, desk.site.id, only, wanted, by=OTHER, now=datetime.now(UTC))
    press(page, "Control+Enter")
    told(page, f"Wording changed by {OTHER.label}")
    page.locator(".row ins", has_text="theirs").wait_for()
    with desk.database.read() as session:
        assert changes.find(session, desk.site.id, only).wording == "theirs"
    expect(field(page)).to_have_value("mine")
    press(page, "Control+Enter")
    told(page, "Accepted: wrold")
    with desk.database.read() as session:
        assert changes.find(session, desk.site.id, only).wording == "mine"


def test_what_is_written_stays_when_somebody_has_decided(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    press(page, "j", "e")
    page.keyboard.type("mine")
    move(desk, ids[3], State.FIXED)
    press(page, "Control+Enter")
    told(page, f"Marked as fixed by {OTHER.label}")
    expect(field(page, ".settled")).to_have_value("mine")


def test_field_that_was_opened_before_an_answer_stays(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    held = hold(page, "**/review/moves*", times=1)
    with page.expect_request("**/review/moves*"):
        press(page, "j", "t")
    press(page, "e")
    page.keyboard.type("adress")
    press(page, "Home", "ArrowRight", "ArrowRight")
    held[0].continue_()
    expect(page.locator(".row[aria-current] .assignee")).to_have_text("yours")
    page.keyboard.type("d")
    expect(field(page)).to_have_value("address")
    press(page, "Control+Enter")
    told(page, "Accepted: adress")
    with desk.database.read() as session:
        assert changes.find(session, desk.site.id, ids[3]).wording == "address"


def test_reason_that_is_begun_before_an_answer_stays(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    held = hold(page, "**/review/moves*", times=1)
    with page.expect_request("**/review/moves*"):
        press(page, "j", "t")
    press(page, "r", "0")
    page.keyboard.type("As they ")
    held[0].continue_()
    expect(page.locator(".row[aria-current] .assignee")).to_have_text("yours")
    page.keyboard.type("say it")
    press(page, "Enter")
    told(page, "Rejected: adress")
    with desk.database.read() as session:
        assert [each.reason for each in moves.history(session, ids[3])] == ["As they say it"]


def test_field_closes_when_its_words_are_saved_unless_more_are_written(desk: Desk) -> None:
    several(desk)
    page = desk.sign_in()
    save = page.get_by_role("button", name="Only save")
    press(page, "j", "e")
    page.keyboard.type("one")
    save.click()
    expect(page.locator(".row[aria-current] ins")).to_have_text("one")
    expect(field(page)).to_have_count(0)
    expect(page.locator(".row[aria-current]")).to_be_focused()
    press(page, "e")
    page.keyboard.type("two")
    held = hold(page, "**/review/moves*", times=1)
    save.click()
    field(page).focus()
    press(page, "End")
    page.keyboard.type(" or")
    held[0].continue_()
    expect(page.locator(".row[aria-current] ins")).to_have_text("two")
    page.keyboard.type(" three")
    expect(field(page)).to_have_value("two or three")


def test_field_that_was_opened_before_an_undo_is_answered_stays(desk: Desk) -> None:
    several(desk)
    page = desk.sign_in()
    press(page, "j", "a")
    told(page, "Accepted: adress")
    page.goto(f"{desk.url}/review?state=accepted")
    held = hold(page, "**/review/moves*", times=1)
    with page.expect_request("**/review/moves*"):
        press(page, "u")
    press(page, "j", "e")
    page.keyboard.type("addr")
    held[0].continue_()
    told(page, "Undone")
    page.keyboard.type("ess")
    expect(field(page)).to_have_value("address")


def test_field_that_is_opened_while_rows_are_fetched_stays(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    press(page, "j")
    desk.report(exact="adress", suggestion="adress!", start=60)
    other = desk.report(exact="quikly", suggestion="quickly", start=200)
    held = hold(page, "**/review/rows*", times=1)
    with page.expect_request("**/review/rows*"):
        look(page)
    press(page, "e")
    page.keyboard.type("addr")
    held[0].continue_()
    expect(page.locator(f"#c-{other}")).to_be_visible()
    page.keyboard.type("ess")
    expect(field(page)).to_have_value("address")
    assert states(desk, ids) == [State.NEW] * 4


def test_row_that_is_replaced_takes_no_keyboard_from_the_bar(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    press(page, "j", "x", "j", "x", "r")
    page.keyboard.type("Not ")
    desk.report(exact="recieve", suggestion="recieve!", start=40)
    look(page)
    current = page.locator(".row[aria-current=true]")
    expect(current.locator(".readers")).to_contain_text("2")
    expect(current).to_have_id(f"c-{ids[2]}")
    page.keyboard.type("ours")
    expect(page.locator(".bulk [name=reason]")).to_have_value("Not ours")
    assert states(desk, ids) == [State.NEW] * 4


def test_row_that_comes_back_takes_no_keyboard_from_who_is_writing(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    held = hold(page, "**/review/moves*", times=1)
    with page.expect_request("**/review/moves*"):
        press(page, "j", "a")
    press(page, "e")
    page.keyboard.type("as")
    held[0].abort()
    shows(page, WORDS[::-1])
    page.keyboard.type("fs")
    expect(field(page, f"#c-{ids[2]}")).to_have_value("asfs")
    press(page, "Escape", "k", "a")
    told(page, "Accepted: adress")
    held = hold(page, "**/review/live*", times=1)
    with page.expect_request("**/review/live*"):
        press(page, "u")
    press(page, "/")
    page.keyboard.type("as")
    held[0].continue_()
    shows(page, WORDS[::-1])
    page.keyboard.type("fs")
    expect(page.locator("[name=q]")).to_have_value("asfs")
    assert states(desk, ids) == [State.NEW] * 4


def test_key_that_is_held_down_decides_once(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    for key in ("j", "j", "a", "a", "a"):
        page.keyboard.down(key)
    page.keyboard.up("j")
    page.keyboard.up("a")
    told(page, "Accepted: recieve")
    assert states(desk, ids) == [State.NEW, State.NEW, State.ACCEPTED, State.NEW]
    press(page, "f")
    told(page, "Marked as fixed: thier")
    for _ in range(3):
        page.keyboard.down("u")
    page.keyboard.up("u")
    told(page, "Undone")
    expect(page.locator(".row:not(.going)")).to_have_count(3)
    assert states(desk, ids) == [State.NEW, State.NEW, State.ACCEPTED, State.NEW]


def test_escape_that_is_meant_for_something_else_leaves_what_is_written(desk: Desk) -> None:
    several(desk)
    page = desk.sign_in()
    press(page, "j", "e")
    page.keyboard.type("mine")
    page.get_by_role("button", name="Keys").click()
    press(page, "Escape")
    expect(page.locator("#keys")).to_be_hidden()
    expect(field(page)).to_have_value("mine")
    field(page).evaluate(
        "each => each.dispatchEvent(new KeyboardEvent('keydown', "
        "{ key: 'Escape', isComposing: true, bubbles: true }))"
    )
    expect(field(page)).to_have_value("mine")
    press(page, "Escape")
    expect(field(page)).to_have_count(0)


def test_suspected_are_freed_and_say_why(desk: Desk) -> None:
    desk.report(website="spam")
    page = desk.sign_in()
    page.get_by_role("link", name="Suspected 1").click()
    page.wait_for_load_state()  # Keys are heard from then on.
    assert "a field that people do not see was filled in" in page.locator(".flag").inner_text()
    press(page, "j", "n")
    told(page, "Freed of suspicion: wrold")
    assert page.locator("[data-count=suspected]").inner_text() == "0"
    assert page.locator("[data-count=new]").inner_text() == "1"


def test_keys_can_be_turned_off(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use these keys in this browser").uncheck()
    press(page, "Escape", "j", "a", "s")
    page.reload()
    press(page, "j", "a")
    assert page.locator("[aria-current=true]").count() == 0
    assert states(desk, ids) == [State.NEW] * 4


def test_lost_connection_is_told_and_nothing_is_lost(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    page.context.set_offline(True)
    press(page, "j", "a")
    page.locator(".lost", has_text="The connection is lost").wait_for()
    assert page.locator(".row:not(.going)").count() == 4
    page.context.set_offline(False)
    press(page, "a")
    told(page, "Accepted: adress")
    page.context.clear_cookies()
    press(page, "a")
    page.locator(".lost", has_text="You are signed out").wait_for()
    assert states(desk, ids) == [State.NEW, State.NEW, State.NEW, State.ACCEPTED]


def test_bar_gives_the_keyboard_to_the_next_row_and_keeps_a_reason_that_did_not_go(
    desk: Desk,
) -> None:
    ids = several(desk)
    page = desk.sign_in()
    for box in page.locator(".row .pick input").all()[:2]:
        box.focus()
        box.press("Space")
    page.context.set_offline(True)
    page.locator(".bulk summary").click()
    page.locator(".bulk [name=reason]").fill("Not ours")
    page.locator(".bulk .own button").click()
    page.locator(".lost", has_text="The connection is lost").wait_for()
    assert page.locator(".bulk [name=reason]").input_value() == "Not ours"
    page.context.set_offline(False)
    page.locator(".bulk [value=fixed]").focus()
    page.keyboard.press("Enter")
    told(page, "Marked as fixed: 2")
    assert page.evaluate("document.activeElement.className").startswith("row")
    assert states(desk, ids).count(State.FIXED) == 2


def test_keys_go_on_where_all_shown_was_decided_before_the_answers(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in()
    page.goto(f"{desk.url}/review?limit=2")
    held = hold(page, "**/review/moves*", times=2)
    press(page, "j")
    for left in (1, 0):
        page.locator(".row[aria-current=true]:not(.going)").wait_for()
        with page.expect_request("**/review/moves*"):
            press(page, "a")
        expect(page.locator(".row:not(.going)")).to_have_count(left)
    for each in held:
        each.continue_()
    page.locator(".row[aria-current=true]", has_text="thier").wait_for()
    press(page, "s")
    told(page, "Marked as spam: thier")
    assert states(desk, ids) == [State.NEW, State.SPAM, State.ACCEPTED, State.ACCEPTED]


def test_all_of_it_works_without_scripts(desk: Desk) -> None:
    ids = several(desk)
    page = desk.sign_in(desk.browser.another(java_script_enabled=False))
    for word in ("wrold", "thier"):
        row(page, word).locator(".pick input").check()
    move(desk, ids[0], State.SPAM)
    page.get_by_role("group", name="With all selected").get_by_text("Fixed").click()
    assert states(desk, ids) == [State.SPAM, State.FIXED, State.NEW, State.NEW]
    assert f"Marked as spam by {OTHER.label}" in page.locator(".failed").inner_text()
    page.get_by_role("button", name="Undo").click()
    assert desk.state_of(ids[1]) is State.NEW
    assert "Undone: thier" in page.locator(".done").inner_text()
    row(page, "thier").get_by_role("button", name="Take it").click()
    assert row(page, "thier").locator(".assignee").inner_text() == "yours"
    row(page, "recieve").locator("summary").click()
    row(page, "recieve").get_by_label("Another reason").fill("As they say it")
    row(page, "recieve").locator(".own button").click()
    with desk.database.read() as session:
        assert moves.history(session, ids[2])[0].reason == "As they say it"
    page.get_by_label("Search").fill("THIER")
    page.get_by_text("More filters").click()
    page.get_by_label("Reports, at least").fill("1")
    page.get_by_role("button", name="Show").click()
    shows(page, ["thier"])
    page.get_by_role("link", name="Clear all").click()
    shows(page, ["adress", "thier"])


@pytest.mark.parametrize("by", ["click", "tap"])
def test_all_of_it_works_by_mouse_and_by_touch(desk: Desk, by: str) -> None:
    ids = several(desk, [*WORDS, "quikly", "ocurred", "untill", "wich"])
    hand: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
    page = desk.sign_in(desk.browser.another(**(hand if by == "tap" else {})))
    loads = one_page(page)

    def do(place: Locator) -> None:
        getattr(place, by)()

    def button(word: str, name: str) -> Locator:
        found: Locator = row(page, word).get_by_role("button", name=name, exact=True)
        return found

    for word, name, said in (
        ("wrold", "Accept", "Accepted"),
        ("thier", "Fixed", "Marked as fixed"),
        ("recieve", "Spam", "Marked as spam"),
    ):
        do(button(word, name))
        told(page, f"{said}: {word}")
    do(row(page, "adress").locator(".reject summary"))
    do(button("adress", "House style"))
    told(page, "Rejected: adress")
    do(page.locator(".done").get_by_role("button", name="Undo"))
    told(page, "Undone")
    do(row(page, "adress").locator(".reject summary"))
    row(page, "adress").get_by_label("Another reason").fill("As they say it")
    do(row(page, "adress").locator(".own button"))
    told(page, "Rejected: adress")
    do(button("quikly", "Take it"))
    expect(row(page, "quikly").locator(".assignee")).to_have_text("yours")
    do(button("quikly", "Give back"))
    expect(row(page, "quikly").locator(".assignee")).to_have_count(0)
    do(row(page, "quikly").get_by_role("link", name="Edit wording"))
    row(page, "quikly").get_by_label("Final wording").fill("quickly")
    do(button("quikly", "Accept so"))
    told(page, "Accepted: quikly")
    for word in ("ocurred", "untill"):
        do(row(page, word).locator(".pick input"))
    do(page.locator(".bulk .reject summary"))
    page.locator(".bulk [name=reason]").fill("Both are right")
    do(page.locator(".bulk .reject button"))
    told(page, "Rejected: 2")
    do(row(page, "wich").locator(".pick input"))
    do(page.locator(".bulk").get_by_role("button", name="Spam"))
    told(page, "Marked as spam: wich")
    assert states(desk, ids) == [
        State.ACCEPTED, State.FIXED, State.SPAM, State.REJECTED,
        State.ACCEPTED, State.REJECTED, State.REJECTED, State.SPAM,
    ]  # fmt: skip
    with desk.database.read() as session:
        assert changes.find(session, desk.site.id, ids[4]).wording == "quickly"
        assert moves.history(session, ids[6])[0].reason == "Both are right"
    assert loads == []
    do(page.locator(".tabs").get_by_role("link", name="Rejected 3"))
    do(row(page, "adress").locator(".pick input"))
    do(page.locator(".all input"))
    do(page.locator(".bulk").get_by_role("button", name="Reopen"))
    told(page, "Reopened: 3")
    expect(page.locator(".empty")).to_be_visible()


def test_more_than_a_page_is_decided_by_keys_without_loading_another(desk: Desk, say: Say) -> None:
    words = [f"wrod{place}" for place in range(60)]
    several(desk, words)
    page = desk.sign_in()
    loads, asked = one_page(page), []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    began = time.monotonic()
    press(page, "j")
    for place in range(60):
        page.locator(".row[aria-current=true]").wait_for()
        press(page, *["a", "f", "s", "r"][place % 4], *(["1"] if place % 4 == 3 else []))
    page.locator("[data-count=new]", has_text=re.compile("^0$")).wait_for()
    seconds = time.monotonic() - began
    with desk.database.read() as session:
        counts = tallies.of_site(session, desk.site.id).counts
    assert {name: number for name, number in counts.items() if number} == dict.fromkeys(
        ["accepted", "fixed", "rejected", "spam"], 15
    )
    assert loads == []
    sent = sum(each.startswith("POST") for each in asked)
    assert sent == 60
    say(f"sixty decided by keys: {seconds:.1f} s, {len(asked) / 60:.2f} requests each")


VIEWS = [
    "", "?sort=by-article", "?state=accepted", "?state=fixed", "?state=rejected", "?state=spam",
    "?suspected=true", "?q=thier&category=typo&language=en&reports=1&age=last-day&anchor=exact",
    "?assignee=nobody", "?sort=most-reported",
]  # fmt: skip


def faults(page: Page) -> list[str]:
    """What stands in somebody's way on a phone, and what is wider than a screen."""
    found = []
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        needed = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{page.url} needs {needed} px of {width}"] if needed != width else []
    return found + barriers(page)


def test_no_view_has_barriers_or_breaks_on_a_phone(desk: Desk) -> None:
    ids = several(desk, [*WORDS, "quikly", "ocurred"])
    desk.report(website="spam", start=400)
    desk.report(exact="a\u200bb", suggestion="ab", start=420)
    for each, to in zip(ids, list(State)[1:], strict=False):
        move(desk, each, to)
    page, found = desk.sign_in(), []
    for view in VIEWS:
        page.goto(f"{desk.url}/review{view}")
        found += faults(page)
    page.goto(f"{desk.url}/review")
    for keys in (["j", "x"], ["r"], ["Escape", "x", "e"], ["Escape", "?"], ["?", "a"]):
        press(page, *keys)
        found += faults(page)
    assert found == []
    press(page, "u")
    told(page, "Undone")
