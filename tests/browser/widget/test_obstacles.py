"""What stands in the reader's way: policies, blockers, a lost network; and what they asked not to have."""

import json
import time
from collections.abc import Callable

import pytest

from tests.browser.engines import DIALOG, Chromium, Engine
from tests.browser.test_desk import hold, wait_for_held
from tests.browser.widget.asking import DAY
from tests.browser.widget.conftest import ARTICLE, CONTACT, PRIVACY, News
from tests.browser.widget.test_manners import call, leave, requested, visit
from tests.browser.widget.test_way import is_said, send

pytestmark = pytest.mark.browser

Make = Callable[..., Chromium]


@pytest.fixture
def page(chromium: Make) -> Chromium:
    return chromium()


def kept(engine: Engine) -> list[str]:
    """The names of all that the browser keeps for the page's origin."""
    found: list[str] = engine.evaluate(
        "[...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie].filter(Boolean)"
    )
    return found


def test_policy_without_our_host_is_told_in_words(page: Chromium, news: News) -> None:
    policy = f"default-src 'none'; script-src {news.way.url}; style-src 'self'; connect-src 'none'"
    visit(page, news.publish("/no-connect", headers={"Content-Security-Policy": policy}))
    page.select("article", "brigde")
    page.press("Control+Enter")
    is_said(page, "cannot be reached")
    assert not page.inside_dialog("button[type=submit]").is_seen()


def test_policy_that_blocks_only_the_sending_keeps_the_draft(page: Chromium, news: News) -> None:
    asking = f"{news.way.url}/api/v1/sites/{news.key}/widget"
    policy = (
        f"default-src 'none'; script-src {news.way.url}; style-src 'self'; connect-src {asking}"
    )
    headers = {"Content-Security-Policy": policy}
    visit(page, news.publish("/no-sending", headers=headers))
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    send(page)
    is_said(page, "something in this browser blocks it")
    assert news.way.posts() == []
    visit(page, news.publish("/no-sending"))
    is_said(page, "has not been sent yet")
    send(page)
    is_said(page, "Sent")
    assert [report["suggestion"] for report in news.sent()] == ["bridge"]


def test_blocker_of_the_sending_is_told_and_the_draft_goes_once_without_it(
    page: Chromium, news: News
) -> None:
    page.page.route("**/reports", lambda route: route.abort("blockedbyclient"))
    visit(page, news.publish("/blocked"))
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    send(page)
    is_said(page, "something in this browser blocks it")
    assert page.inside_dialog("#suggestion").value() == "bridge"
    page.page.unroute("**/reports")
    visit(page, news.publish("/blocked-no-more"))
    is_said(page, "has not been sent yet")
    send(page)
    is_said(page, "Sent")
    assert len(news.sent()) == 1
    assert kept(page) == []


def test_blocker_of_the_dialog_is_told_by_the_browsers_own_box(page: Chromium, news: News) -> None:
    told: list[str] = []
    page.page.on("dialog", lambda box: (told.append(box.message), box.accept()))
    page.page.route("**/dialog.js", lambda route: route.abort("blockedbyclient"))
    visit(page, news.publish("/no-dialog"))
    page.evaluate("(window.errors = 0, Corrigenda.on('error', () => { errors++ }), 0)")
    page.select("article", "brigde")
    page.page.wait_for_timeout(200)
    assert told == []
    page.press("Control+Enter")
    page.wait_for("errors === 1")
    assert told == ["The corrections service cannot be reached."]
    page.page.unroute("**/dialog.js")
    call(page)


def test_only_what_was_sent_goes_when_the_network_is_back(page: Chromium, news: News) -> None:
    visit(page, news.publish("/two-passages"))
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    page.set_offline(True)
    send(page)
    is_said(page, "you are offline")
    page.press("Escape")
    call(page, "mayor")
    page.inside_dialog("#comment").fill("I am in the middle of")
    page.set_offline(False)
    page.page.wait_for_timeout(300)
    assert page.inside_dialog("#comment").value() == "I am in the middle of"
    assert news.way.posts() == []


def test_what_is_written_after_a_try_is_kept(page: Chromium, news: News) -> None:
    visit(page, news.publish("/after-a-try"))
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    news.way.faults["/reports"] = (500, {}, b"{}")
    send(page)
    is_said(page, "Your text is kept")
    page.inside_dialog("#comment").fill("And a long comment")
    page.press("Escape")
    news.way.faults.clear()
    visit(page, news.publish("/after-a-try"))
    call(page)
    assert page.inside_dialog("#comment").value() == "And a long comment"
    send(page)
    is_said(page, "Sent")
    tried, sent = news.sent()
    assert (tried.get("comment"), sent["comment"]) == (None, "And a long comment")
    assert kept(page) == []


def test_what_is_written_while_it_is_sent_is_kept(page: Chromium, news: News) -> None:
    visit(page, news.publish("/meanwhile"))
    call(page)
    held = hold(page.page, "**/reports")
    page.inside_dialog("#suggestion").fill("bridge")
    send(page)
    page.inside_dialog("#comment").fill("One thing more")
    held[0].continue_()
    is_said(page, "Sent")
    page.press("Escape")
    call(page)
    assert page.inside_dialog("#comment").value() == "One thing more"


@pytest.mark.parametrize("is_lost", [True, False])
def test_two_reports_on_their_way_are_told_apart(page: Chromium, news: News, is_lost: bool) -> None:
    visit(page, news.publish("/two-at-once"))
    page.evaluate(
        "(window.heard = 0, ['sent', 'error'].forEach((name) => Corrigenda.on(name, () => { heard++ })), 0)"
    )
    held = hold(page.page, "**/reports")
    call(page)
    page.inside_dialog("#suggestion").fill(f"bridge, {is_lost}")
    send(page)
    leave(page)
    call(page, "mayor")
    page.inside_dialog("#suggestion").fill(f"major, {is_lost}")
    send(page)
    wait_for_held(page.page, held, 2)
    if is_lost:
        held[0].abort()
    else:
        held[0].continue_()
    page.wait_for("heard === 1")
    assert page.inside_dialog("#send").text() == "Sending…"
    assert page.evaluate(f"{DIALOG}.querySelector('[role=status]').textContent") == ""
    held[1].abort()
    is_said(page, "Your text is kept")
    send(page)
    wait_for_held(page.page, held, 3)
    assert held[2].request.post_data == held[1].request.post_data
    held[2].continue_()
    is_said(page, "Sent")
    assert news.sent()[-1]["target"]["selector"][0]["exact"] == "mayor"


def test_text_that_arrived_after_all_is_the_same_report(page: Chromium, news: News) -> None:
    visit(page, news.publish("/after-all"))
    page.evaluate("(window.arrived = 0, Corrigenda.on('sent', () => { arrived++ }), 0)")
    held = hold(page.page, "**/reports", times=1)
    call(page)
    page.inside_dialog("#suggestion").fill("bridge after all")
    send(page)
    leave(page)
    call(page)
    wait_for_held(page.page, held)
    held[0].continue_()
    page.wait_for("arrived === 1")
    send(page)
    is_said(page, "Sent")
    first, second = news.way.posts()
    assert first[2]["Idempotency-Key"] == second[2]["Idempotency-Key"]
    assert first[3] == second[3]


@pytest.mark.parametrize("is_reopened", [False, True])
def test_text_that_is_again_what_was_tried_is_the_same_report(
    page: Chromium, news: News, is_reopened: bool
) -> None:
    visit(page, news.publish("/and-back"))
    call(page)
    page.inside_dialog("#suggestion").fill(f"bridge and back, {is_reopened}")
    news.way.faults["/reports"] = None
    news.way.after = True
    send(page)
    is_said(page, "Your text is kept")
    news.way.faults.clear()
    page.inside_dialog("#comment").focus()
    page.type("x")
    page.press("Backspace")
    if is_reopened:
        leave(page)
        call(page)
    send(page)
    is_said(page, "Sent")
    first, second = news.way.posts()
    assert first[2]["Idempotency-Key"] == second[2]["Idempotency-Key"]
    assert first[3] == second[3]
    assert kept(page) == []


@pytest.mark.parametrize("erase", ["forget", "discard"])
def test_what_is_erased_while_it_is_sent_does_not_come_back(
    page: Chromium, news: News, erase: str
) -> None:
    visit(page, news.publish("/erased"))
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    news.way.faults["/reports"] = None
    send(page)
    is_said(page, "Your text is kept")
    visit(page, news.publish("/erased"))
    is_said(page, "has not been sent yet")
    page.evaluate(
        "(Corrigenda.on('error', (event) => { window.refused = event.detail.status }), 0)"
    )
    held = hold(page.page, "**/reports")
    send(page)
    wait_for_held(page.page, held)
    if erase == "forget":
        page.evaluate("(Corrigenda.forget(), 0)")
    else:
        page.inside_dialog("#cancel").click()
    page.wait_until(lambda: kept(page) == [], "it is erased")
    held[0].fulfill(status=422, headers={"Access-Control-Allow-Origin": "*"}, body="{}")
    page.wait_for("window.refused === 422")
    assert kept(page) == []


def test_drafts_too_old_are_erased_on_the_next_page(page: Chromium, news: News) -> None:
    fields = dict.fromkeys(["suggestion", "comment", "category", "email", "website"], "")
    young = {"at": time.time() * 1000 - 29 * DAY, "fields": fields}
    old = {"at": time.time() * 1000 - 31 * DAY, "fields": {**fields, "email": "a@news.example"}}

    def keep(drafts: object) -> None:
        page.evaluate(f"(localStorage['corrigenda:drafts'] = {json.dumps(json.dumps(drafts))}, 0)")

    address = news.publish("/drafts")
    visit(page, address)
    keep({"young": young, "old": old})
    visit(page, address)
    page.wait_for("!localStorage['corrigenda:drafts'].includes('old')")
    assert json.loads(page.evaluate("localStorage['corrigenda:drafts']")) == {"young": young}
    keep({"old": old})
    visit(page, address)
    page.wait_for("localStorage.length === 0")


@pytest.mark.parametrize("path", ["**/widget?*", "**/dialog.js"])
def test_service_that_hangs_is_told(page: Chromium, news: News, path: str) -> None:
    told: list[str] = []
    page.page.on("dialog", lambda box: (told.append(box.message), box.accept()))
    # What never comes is waited for no longer than a moment here.
    soon = "const later = setTimeout; setTimeout = (act, time) => later(act, time / 20);"
    signal = "AbortSignal.timeout = () => { const c = new AbortController(); later(() => c.abort(), 400); return c.signal; };"
    page.page.add_init_script(soon + signal)
    page.page.route(path, lambda _: None)
    visit(page, news.publish("/hanging"))
    page.evaluate("(window.errors = 0, Corrigenda.on('error', () => { errors++ }), 0)")
    page.select("article", "brigde")
    page.press("Control+Enter")
    page.wait_for("errors === 1")
    if path.endswith("dialog.js"):
        assert told == ["The corrections service cannot be reached."]
    else:
        is_said(page, "cannot be reached")
    page.page.unroute(path)
    page.inside_dialog("#cancel").click() if not told else None
    call(page)


def test_reminder_takes_the_keyboard_from_nobody(page: Chromium, news: News) -> None:
    visit(page, news.publish("/first-try"))
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    news.way.faults["/reports"] = None
    send(page)
    is_said(page, "Your text is kept")
    news.way.faults.clear()
    search = '<input id="search" autofocus>'
    page.open(news.publish("/next-visit", search + ARTICLE))
    is_said(page, "has not been sent yet")
    page.type("rain")
    assert page.at("#search").value() == "rain"
    page.open(news.publish("/visit-after-that"))
    is_said(page, "has not been sent yet")
    assert page.evaluate("document.activeElement.localName") == "body"
    # Words of ours are no words of the article.
    page.evaluate("(window.opened = 0, Corrigenda.on('open', () => { opened++ }), 0)")
    page.evaluate(f"(getSelection().selectAllChildren({DIALOG}.querySelector('mark')), 0)")
    page.press("Control+Enter")
    assert page.evaluate("new Promise((go) => setTimeout(() => go(opened)))") == 0
    page.inside_dialog("#cancel").click()
    assert kept(page) == []


def test_global_privacy_control_leaves_nothing_but_the_draft(chromium: Make, news: News) -> None:
    page = chromium()
    page.page.add_init_script(
        "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })"
    )
    body = f'{ARTICLE}<div data-corrigenda="support"></div>'
    visit(page, news.publish("/private", body))
    page.wait_until(lambda: "places.js" in requested(news), "the page asked its question")
    assert kept(page) == []
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    assert kept(page) == ["corrigenda:drafts"]
    send(page)
    is_said(page, "Sent")
    assert kept(page) == []
    assert page.context.cookies() == []


def test_nothing_moves_whatever_the_reader_prefers(chromium: Make, news: News) -> None:
    page = chromium(reduced_motion="no-preference", has_touch=True)
    visit(page, news.publish("/still"))
    page.select("article", "brigde")
    page.inside_dialog("[part=touch]").wait()
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    moving = page.evaluate(
        f"[...{DIALOG}.querySelectorAll('*')].map((e) => getComputedStyle(e)).filter((style) => "
        "style.animationName !== 'none' || style.transitionDuration !== '0s' "
        "|| style.scrollBehavior !== 'auto').length"
    )
    assert moving == 0
    assert page.evaluate("document.getAnimations().length") == 0


def test_links_of_the_sites_settings_open_beside_the_page(page: Chromium, news: News) -> None:
    visit(page, news.publish("/links"))
    call(page)
    links = page.evaluate(
        f"[...{DIALOG}.querySelectorAll('[part=links] a')].map((a) => [a.textContent, a.href, a.target])"
    )
    assert links == [["Privacy", PRIVACY, "_blank"], ["Contact", CONTACT, "_blank"]]


def test_keys_in_a_frame_open_the_dialog_of_the_frame(page: Chromium, news: News) -> None:
    news.publish("/in-frame")
    page.open(
        news.pages.put(
            "/around",
            f"<!doctype html>{ARTICLE}<iframe src='/in-frame' width=700 height=700></iframe>{news.script()}",
        )
    )
    frame = page.page.frames[1]
    frame.wait_for_function("window.Corrigenda")
    frame.click("h1")
    frame.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    page.press("Control+Enter")
    frame.wait_for_function(f"{DIALOG}?.querySelector('dialog').open")
    assert frame.evaluate("document.activeElement.localName") == "corrigenda-dialog"
    assert page.evaluate(f"!!{DIALOG}") is False


def test_first_of_several_embeds_serves_the_page(page: Chromium, news: News) -> None:
    other = f'<script src="{news.way.url}/static/widget.js" data-site="another" async></script>'
    visit(page, news.publish("/two-sites", script=news.script().replace("async", "") + other))
    call(page)
    page.inside_dialog("#suggestion").fill("bridge")
    send(page)
    is_said(page, "Sent")
    [(_, path, _, _)] = news.way.posts()
    assert path == f"/api/v1/sites/{news.key}/reports"
    assert page.evaluate("document.querySelectorAll('corrigenda-dialog').length") == 1


def test_long_unchanged_words_are_left_out_of_the_difference(page: Chromium, news: News) -> None:
    words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    visit(
        page,
        news.publish("/long-change", f"<article><p>A brigde, {words}, a brigde.</p></article>"),
    )
    call(page, f"brigde, {words}, a brigde")
    page.inside_dialog("#suggestion").fill(f"bridge, {words}, a bridge")
    assert page.evaluate(f"{DIALOG}.querySelector('[part=change]').textContent") == (
        "brigdebridge, one two three four … thirteen fourteen, a brigdebridge"
    )


def test_finger_finds_a_button_in_every_engine(engine: Engine, news: News) -> None:
    visit(engine, news.publish(f"/finger-{engine.name}"))
    if engine.has_touch:
        engine.at("#outside").tap()
    else:
        engine.evaluate(
            "(document.dispatchEvent(new PointerEvent('pointerdown', { pointerType: 'touch', bubbles: true })), 0)"
        )
    engine.select("article", "brigde")
    button = engine.inside_dialog("[part=touch]").wait()
    engine.wait_until(lambda: button.box()["height"] >= 44, "the button is there to be touched")
    bottom = engine.evaluate("getSelection().getRangeAt(0).getBoundingClientRect().bottom")
    assert button.box()["y"] >= bottom + 24
    engine.evaluate("(getSelection().removeAllRanges(), 0)")
    engine.wait_until(lambda: not button.is_seen(), "the button goes away with the selection")
    engine.select("article", "brigde")
    button.wait()
    if engine.has_touch:
        button.tap()
    else:
        engine.evaluate(f"({DIALOG}.querySelector('[part=touch]').click(), 0)")
    assert engine.inside_dialog("mark").text() == "brigde"
    assert not button.is_seen()
