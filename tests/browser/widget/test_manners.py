"""How the widget behaves on other people's pages: quiet, careful, hard to break. Chromium."""

import base64
import hashlib
import json
from collections.abc import Callable

import pytest

from tests.browser.engines import DIALOG, ROOT, Chromium, Engine
from tests.browser.test_desk import hold, wait_for_held
from tests.browser.widget.conftest import ARTICLE, News
from tests.browser.widget.test_way import is_said, send

pytestmark = pytest.mark.browser

Make = Callable[..., Chromium]

HOSTILE = (
    "body *:not(article, article *) "
    "{ all: unset !important; font-size: 40px !important; display: none !important }"
)


@pytest.fixture
def page(chromium: Make) -> Chromium:
    return chromium()


def visit(engine: Engine, address: str) -> None:
    engine.open(address)
    engine.wait_for("window.Corrigenda")


def call(engine: Engine, text: str = "brigde", keys: str = "Control+Enter") -> None:
    engine.select("article", text)
    engine.press(keys)
    engine.inside_dialog("form").wait()


def leave(engine: Engine, text: str = "brigde") -> None:
    """Close the dialog, and wait for the selection that it was opened on."""
    engine.press("Escape")
    engine.wait_until(lambda: engine.selection() == text, "the selection is back")


def requested(news: News) -> list[str]:
    return [
        path.partition("?")[0].rpartition("/")[2]
        for method, path, _, _ in news.way.seen
        if method == "GET"
    ]


def test_nothing_but_the_script_is_fetched_before_the_reader_means_it(
    page: Chromium, news: News
) -> None:
    visit(page, news.publish("/quiet"))
    page.page.mouse.move(50, 50)
    page.page.mouse.wheel(0, 200)
    page.page.keyboard.press("PageDown")
    page.page.wait_for_timeout(300)
    assert requested(news) == ["widget.js"]
    page.select("article", "brigde")
    page.wait_until(lambda: len(requested(news)) == 3, "the dialog is fetched")
    assert sorted(requested(news)) == ["dialog.js", "widget", "widget.js"]
    call(page)
    assert len(requested(news)) == 3


def test_the_keys_are_left_to_whoever_writes_in_a_field(page: Chromium, news: News) -> None:
    body = ARTICLE + (
        '<form><textarea id="own">some words</textarea></form>'
        '<div id="rich" contenteditable="true">rich words</div>'
        "<script>document.addEventListener('keydown', (e) => { window.key = [e.key, e.defaultPrevented] })</script>"
    )
    visit(page, news.publish("/fields", body, article="body"))
    page.evaluate("document.querySelector('#own').select()")
    page.press("Control+Enter")
    assert page.evaluate("window.key") == ["Enter", False]
    page.at("#rich").focus()
    page.select("#rich", "rich")
    page.press("Control+Enter")
    assert page.evaluate("window.key") == ["Enter", False]
    page.page.wait_for_timeout(200)
    assert not page.inside_dialog("dialog").is_seen()


def test_other_keys_open_nothing_and_the_numeric_keypad_has_an_enter_too(
    page: Chromium, news: News
) -> None:
    visit(page, news.publish("/keys"))
    page.evaluate("(window.opened = 0, Corrigenda.on('open', () => { opened++ }), 0)")
    page.select("article", "brigde")
    for keys in ("Enter", "Control+Shift+Enter", "Control+Alt+Enter"):
        page.press(keys)
    call(page, keys="Control+NumpadEnter")
    assert page.evaluate("opened") == 1


def test_keys_that_are_held_or_compose_send_nothing(page: Chromium, news: News) -> None:
    visit(page, news.publish("/held-keys"))
    call(page)
    page.inside_dialog("#suggestion").fill("bridge, held")
    leave(page)
    keyboard = page.page.keyboard
    keyboard.down("Control")
    keyboard.down("Enter")
    page.inside_dialog("form").wait()
    for _ in range(3):
        keyboard.down("Enter")
    keyboard.up("Enter")
    keyboard.up("Control")
    page.evaluate(
        f"{DIALOG}.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
        "{ key: 'Enter', ctrlKey: true, isComposing: true, bubbles: true, composed: true }))"
    )
    assert page.inside_dialog("#send").text() == "Send"
    assert page.inside_dialog("#suggestion").value() == "bridge, held"
    page.press("Control+Enter")
    is_said(page, "Sent")
    assert len(news.sent()) == 1


def test_keys_of_the_page_take_nothing_that_is_typed_in_the_dialog(
    page: Chromium, news: News
) -> None:
    keys = (
        '<input id="search"><script>window.heard = [];'
        "for (const name of ['keydown', 'keypress', 'keyup'])"
        "  addEventListener(name, (e) => {"
        "    heard.push(name);"
        "    if (e.key === '/' && !e.target.matches('input,textarea'))"
        "      e.preventDefault(), document.querySelector('#search').focus();"
        "  });</script>"
    )
    visit(page, news.publish("/own-keys", ARTICLE + keys))
    call(page)
    page.evaluate("(heard.length = 0)")
    page.inside_dialog("#suggestion").fill("bridge/bridges")
    assert page.inside_dialog("#suggestion").value() == "bridge/bridges"
    page.press("Tab")
    assert page.evaluate("heard") == []
    leave(page)
    page.evaluate("(heard.length = 0)")
    page.press("/")
    assert page.evaluate("heard") == ["keydown", "keyup"]
    assert page.evaluate("document.activeElement.id") == "search"


@pytest.mark.parametrize("article", ["article", "article p:nth-of-type(2)"])
def test_what_is_outside_the_article_is_left_alone(
    page: Chromium, news: News, article: str
) -> None:
    visit(page, news.publish("/outside", article=article))
    page.select(
        "#outside" if article == "article" else "article",
        "Read also" if article == "article" else "brigde",
    )
    page.press("Control+Enter")
    page.page.wait_for_timeout(300)
    assert not page.inside_dialog("dialog").is_seen()


def test_a_page_may_refuse_the_opening_and_hears_of_everything(page: Chromium, news: News) -> None:
    visit(page, news.publish("/events"))
    page.evaluate(
        "(window.heard = [], ['open', 'sent', 'error'].forEach((name) => "
        "Corrigenda.on(name, (event) => heard.push([name, event.detail]))), "
        "window.off = Corrigenda.on('open', (event) => event.preventDefault()), 0)"
    )
    page.select("article", "brigde")
    page.press("Control+Enter")
    page.wait_for("heard.length")
    assert not page.inside_dialog("dialog").is_seen()
    page.evaluate("(off(), 0)")
    call(page)
    page.inside_dialog("textarea").fill("bridge, heard")
    send(page)
    is_said(page, "Sent")
    names = [name for name, _ in page.evaluate("heard")]
    assert names == ["open", "open", "sent"]
    assert set(page.evaluate("heard[2][1]")) == {"id", "correction_id", "already_reported"}


def test_two_script_tags_make_one_dialog(page: Chromium, news: News) -> None:
    visit(page, news.publish("/twice", ARTICLE + news.script()))
    call(page)
    assert page.evaluate("document.querySelectorAll('corrigenda-dialog').length") == 1


def test_a_frame_has_its_own_dialog(page: Chromium, news: News) -> None:
    news.publish("/framed")
    page.open(
        news.pages.put(
            "/frames", '<!doctype html><iframe src="/framed" width=600 height=600></iframe>'
        )
    )
    frame = page.page.frames[1]
    frame.wait_for_function("window.Corrigenda")
    frame.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    frame.evaluate("Corrigenda.open()")
    frame.wait_for_function(
        "document.querySelector('corrigenda-dialog')?.shadowRoot.querySelector('dialog').open"
    )
    assert page.evaluate("document.querySelectorAll('corrigenda-dialog').length") == 0


def test_the_page_level_form_needs_words_and_no_selection(page: Chromium, news: News) -> None:
    visit(
        page,
        news.publish("/page", ARTICLE + '<a href="#" data-corrigenda="report">write to us</a>'),
    )
    page.at("[data-corrigenda]").click()
    assert page.inside_dialog("h2").text() == "Write to the editors"
    assert not page.inside_dialog("blockquote").is_seen()
    assert not page.inside_dialog("textarea[name=suggestion]").is_seen()
    send(page)
    assert page.inside_dialog("#comment-error").text() == "Please write something."
    page.inside_dialog("textarea[name=comment]").fill("The map is missing.")
    send(page)
    is_said(page, "Sent")
    [report] = news.sent()
    assert report["comment"] == "The map is missing."
    assert "selector" not in report["target"]
    assert "suggestion" not in report


def test_nothing_changed_and_nothing_said_is_not_sent(page: Chromium, news: News) -> None:
    visit(page, news.publish("/unchanged"))
    call(page)
    send(page)
    assert page.inside_dialog("#suggestion-error").text().startswith("Change the words")
    assert page.inside_dialog("textarea[name=suggestion]").attribute("aria-invalid") == "true"
    page.inside_dialog("textarea[name=comment]").fill("is this so?")
    send(page)
    is_said(page, "Sent")
    [report] = news.sent()
    assert "suggestion" not in report
    assert report["comment"] == "is this so?"


def test_an_emptied_suggestion_says_and_means_delete(page: Chromium, news: News) -> None:
    visit(page, news.publish("/delete"))
    call(page)
    page.inside_dialog("textarea[name=suggestion]").fill("")
    assert page.inside_dialog("#suggestion-help").text() == "Left empty: these words should go."
    send(page)
    is_said(page, "Sent")
    assert news.sent()[0]["suggestion"] == ""


def test_the_difference_is_shown_as_it_is_typed(page: Chromium, news: News) -> None:
    visit(page, news.publish("/diff"))
    call(page, "new brigde was")
    page.inside_dialog("textarea[name=suggestion]").fill("new bridge was")
    assert page.inside_dialog("[part=change] del").text() == "brigde"
    assert page.inside_dialog("[part=change] ins").text() == "bridge"


def test_earlier_reports_are_told_after_sending(chromium: Make, news: News) -> None:
    for expected in ("Sent. Thank you!See", "Reported 1 time before."):
        page = chromium()
        visit(page, news.publish("/counted"))
        call(page)
        page.inside_dialog("textarea").fill("bridge")
        send(page)
        is_said(page, expected)


FAULTS: list[tuple[tuple[int, dict[str, str], bytes] | None, str]] = [
    ((429, {"Retry-After": "61"}, b"{}"), "try again in 2 minutes"),
    ((503, {}, b"<html>"), "the service has a fault just now"),
    (
        (403, {}, b'{"detail": "Reports come from the site\'s own pages only."}'),
        "Not sent. Reports come from the site's own pages only.",
    ),
    ((200, {}, b"{}"), "the service has a fault just now"),
    (None, "no answer, or something in this browser blocks it"),
]


def test_a_refusal_is_said_in_words_and_nothing_is_lost(page: Chromium, news: News) -> None:
    visit(page, news.publish("/refused"))
    call(page)
    page.inside_dialog("textarea").fill("bridge kept")
    for fault, words in FAULTS:
        news.way.faults["/reports"] = fault
        send(page)
        is_said(page, words)
        assert page.inside_dialog("textarea").value() == "bridge kept"
    page.press("Escape")
    visit(page, news.publish("/refused"))
    is_said(page, "has not been sent yet")
    page.evaluate("(Corrigenda.close(), 0)")
    call(page)
    assert page.inside_dialog("textarea").value() == "bridge kept"


def test_a_refused_field_is_marked_and_named(page: Chromium, news: News) -> None:
    visit(page, news.publish("/field"))
    call(page)
    page.inside_dialog("textarea").fill("bridge")
    problem = {
        "status": 422,
        "detail": "1 field is not valid.",
        "errors": [
            {"pointer": "/email", "detail": "Not an address."},
            {"pointer": "/target/title", "detail": "Too odd."},
        ],
    }
    news.way.faults["/reports"] = (
        422,
        {"Content-Type": "application/problem+json"},
        json.dumps(problem).encode(),
    )
    send(page)
    is_said(page, "Not sent. 1 field is not valid. Too odd.")
    assert page.inside_dialog("#email-error").text() == "Not an address."
    focused = page.evaluate(
        "document.querySelector('corrigenda-dialog').shadowRoot.activeElement.name"
    )
    assert focused == "email"
    described = page.inside_dialog("input[name=email]").attribute("aria-describedby")
    assert described == "email-error email-help"


def test_without_the_service_the_dialog_says_so(page: Chromium, news: News) -> None:
    visit(page, news.publish("/no-service"))
    news.way.faults["/widget?"] = None
    page.select("article", "brigde")
    page.press("Control+Enter")
    is_said(page, "cannot be reached")
    assert page.inside_dialog("#cancel").text() == "Close"
    news.way.faults.clear()
    page.press("Escape")
    page.wait_until(lambda: not page.inside_dialog("dialog").is_seen(), "closed")
    call(page)
    assert page.inside_dialog("#cancel").text() == "Cancel"


def test_forget_leaves_nothing_in_the_browser(page: Chromium, news: News) -> None:
    visit(page, news.publish("/forget"))
    call(page)
    page.inside_dialog("textarea").fill("something private")
    assert page.evaluate("localStorage.length") == 1
    page.evaluate("(Corrigenda.forget(), 0)")
    page.wait_for("localStorage.length === 0")
    page.wait_until(lambda: not page.inside_dialog("dialog").is_seen(), "closed")
    call(page)
    assert page.inside_dialog("textarea").value() == "brigde"


def test_a_single_page_app_reports_the_article_that_is_shown(page: Chromium, news: News) -> None:
    head = '<link rel="canonical" href="/first">'
    visit(page, news.publish("/first", head=head))
    call(page)
    page.inside_dialog("textarea").fill("bridge 1")
    send(page)
    is_said(page, "Sent")
    page.press("Escape")
    page.evaluate("(history.pushState({}, '', '/second#part'), 0)")
    page.evaluate("(document.querySelector('h1').textContent = 'The second', 0)")
    call(page, "The second")
    page.inside_dialog("textarea").fill("A second")
    send(page)
    is_said(page, "Sent")
    first, second = (report["target"] for report in news.sent())
    assert first["canonical"] == f"{news.pages.url}/first"
    assert second["source"] == f"{news.pages.url}/second"
    assert "canonical" not in second


def test_touch_brings_a_button_below_the_selection_that_goes_away_with_it(
    chromium: Make, news: News
) -> None:
    page = chromium(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    visit(page, news.publish("/touch"))
    page.select("article", "brigde")
    button = page.inside_dialog("[part=touch]").wait()
    page.page.wait_for_timeout(100)
    box = button.box()
    selected = page.evaluate("getSelection().getRangeAt(0).getBoundingClientRect().toJSON()")
    assert box["height"] >= 44
    assert box["y"] >= selected["bottom"] + 24
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    page.evaluate("(getSelection().removeAllRanges(), 0)")
    page.wait_until(lambda: not button.is_seen(), "the button goes away")
    page.select("article", "brigde")
    button.wait()
    page.page.wait_for_timeout(100)
    box = button.box()
    page.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.inside_dialog("mark").text() == "brigde"
    assert not button.is_seen()


def test_selections_before_the_texts_are_there_fill_the_list_once(
    chromium: Make, news: News
) -> None:
    page = chromium(has_touch=True)
    visit(page, news.publish("/hasty"))
    held = hold(page.page, "**/widget?*")
    for text in ("brigde", "opened", "Friday"):
        page.select("article", text)
        page.wait_for(f"{DIALOG}?.querySelector('select')")
    wait_for_held(page.page, held)
    held[0].continue_()
    page.inside_dialog("[part=touch]").wait()
    call(page)
    kinds = page.evaluate(f"[...{DIALOG}.querySelectorAll('option')].map(({{ value }}) => value)")
    assert kinds == ["", "typo", "grammar", "fact", "clarification", "translation", "link", "other"]


def test_a_mouse_brings_no_button(page: Chromium, news: News) -> None:
    visit(page, news.publish("/mouse"))
    page.page.dblclick("h1")
    page.wait_until(lambda: len(requested(news)) == 3, "the dialog is fetched")
    page.page.wait_for_timeout(200)
    assert not page.inside_dialog("[part=touch]").is_seen()


def policies(host: str) -> dict[str, str]:
    common = f"default-src 'none'; style-src 'self'; connect-src {host}; require-trusted-types-for 'script'"
    return {
        "host": f"{common}; script-src {host}; trusted-types corrigenda",
        "nonce": f"{common}; script-src 'nonce-abc'",
        "strict-dynamic": f"{common}; script-src 'nonce-abc' 'strict-dynamic'",
    }


@pytest.mark.parametrize("policy", ["host", "nonce", "strict-dynamic"])
def test_a_strict_content_policy_is_enough(page: Chromium, news: News, policy: str) -> None:
    violations: list[str] = []
    page.page.on(
        "console",
        lambda message: violations.append(message.text) if message.type == "error" else None,
    )
    script = news.script().replace("<script ", '<script nonce="abc" ')
    headers = {"Content-Security-Policy": policies(news.way.url)[policy]}
    visit(page, news.publish(f"/policy-{policy}", script=script, headers=headers))
    call(page)
    page.inside_dialog("textarea").fill(f"bridge {policy}")
    send(page)
    is_said(page, "Sent")
    assert violations == []


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_pinned_script_pins_its_dialog(page: Chromium, news: News, is_ours: bool) -> None:
    def pin(name: str) -> str:
        digest = hashlib.sha384((ROOT / "static" / name).read_bytes()).digest()
        return f"sha384-{base64.b64encode(digest).decode()}"

    script = news.script().replace(
        "async", f'integrity="{pin("widget.js")}" crossorigin="anonymous" async'
    )
    visit(page, news.publish("/pinned", script=script))
    if is_ours:
        call(page)
        return
    news.way.faults["/dialog.js"] = (
        200,
        {"Content-Type": "text/javascript"},
        b"window.stolen = true",
    )
    page.select("article", "brigde")
    page.press("Control+Enter")
    page.page.wait_for_timeout(500)
    assert page.evaluate("window.stolen") is None
    assert not page.inside_dialog("dialog").is_seen()


def test_a_hostile_style_sheet_changes_nothing(chromium: Make, news: News) -> None:
    boxes = []
    for head in ("", f"<style>{HOSTILE}</style>"):
        page = chromium(has_touch=True)
        visit(page, news.publish("/hostile", head=head))
        page.select("article", "brigde")
        page.inside_dialog("[part=touch]").wait()
        call(page)
        names = [
            "dialog",
            "h2",
            "blockquote",
            "textarea",
            "input[name=email]",
            "button[type=submit]",
        ]
        boxes.append([page.inside_dialog(name).box() for name in names])
    assert boxes[0] == boxes[1]


def test_nothing_leaks_out_of_the_dialog(page: Chromium, news: News) -> None:
    visit(page, news.publish("/leaks"))
    look = "JSON.stringify([...document.querySelectorAll('body, article, h1, p')].map((e) => ({...getComputedStyle(e)})))"
    names = "Object.keys(window).filter((name) => /corrigenda/i.test(name)).join()"
    before = page.evaluate(look)
    call(page)
    assert page.evaluate(look) == before
    assert page.evaluate(names) == "Corrigenda"


def test_custom_properties_and_parts_style_it(page: Chromium, news: News) -> None:
    head = (
        "<style>corrigenda-dialog { --corrigenda-accent: rgb(1, 2, 3) }"
        "corrigenda-dialog::part(blockquote) { color: rgb(4, 5, 6) }</style>"
    )
    visit(page, news.publish("/styled", head=head))
    call(page)
    root = "document.querySelector('corrigenda-dialog').shadowRoot"
    style = f"(css, name) => getComputedStyle({root}.querySelector(css))[name]"
    assert page.evaluate(f"({style})('#send', 'backgroundColor')") == "rgb(1, 2, 3)"
    assert page.evaluate(f"({style})('blockquote', 'color')") == "rgb(4, 5, 6)"


@pytest.mark.parametrize(("theme", "scheme"), [("light", "dark"), ("dark", "light")])
def test_the_theme_attribute_outweighs_the_system(
    chromium: Make, news: News, theme: str, scheme: str
) -> None:
    page = chromium(color_scheme=scheme)
    visit(page, news.publish("/theme", theme=theme))
    call(page)
    root = "document.querySelector('corrigenda-dialog').shadowRoot"
    background = page.evaluate(f"getComputedStyle({root}.querySelector('dialog')).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if theme == "light" else "rgb(18, 18, 18)")
